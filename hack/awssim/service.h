/* What a simulated service and the framework promise each other.
 *
 * A service is one constant `struct service`: its protocol, its operations, and the hooks that load, move,
 * dump and free its state. It is entered in services.c. The framework has already checked the signature, the
 * caller's permission for "service:Operation", the members of the input and the faults before a handler runs;
 * it renders the answer afterwards.
 *
 * Input and answer are JSON trees in all protocols, with the member names of the AWS model:
 *   query   Tags.Tag.1.Key=env       is {"Tags": {"Tag": [{"Key": "env"}]}}, every leaf a string;
 *           an answer {"DBClusters": {"DBCluster": [..]}} becomes
 * <DBClusters><DBCluster>..</DBCluster>..</DBClusters> json    the body as it is rest    the body's members,
 * the path's labels and the query's keys side by side at the top
 *
 * Time is a stored number, not an activity: a state is computed from when it began. `advance` runs before
 * every request. Everything happens on one thread. */
#ifndef AWSSIM_SERVICE_H
#define AWSSIM_SERVICE_H

#include "hack/awssim/awssim.h"
#include "hack/awssim/load.h"
#include "pkg/base/json.h"
#include "pkg/base/times.h"

struct call;
struct account;
struct random;

enum protocol { PROTOCOL_QUERY, PROTOCOL_JSON, PROTOCOL_REST };

struct operation {
    const char *name;
    /* False: refused, by call_refuse(). */
    bool (*handle)(struct call *call);
    /* The members of the input, blank-separated: "Name! Force:bool Limit:int Tags:list Lifecycle:object
     * Extra:map". `!` required, no type: text. Others, and wrong types, are refused. NULL: not checked. */
    const char *input;
    const char *method; /* PROTOCOL_REST only: "PUT" */
    const char
        *path; /* PROTOCOL_REST only: "/backup-vaults/{BackupVaultName}/recovery-points/{RecoveryPointArn}" */
    bool mutating;      /* goes into the journal */
    const char *action; /* IAM action when it is not "<service>:<name>"; "" for none (anybody may) */
};

/* How long something takes in world time; "aurora.restore" is read from durations.aurora.restore of the world
 * file. */
struct duration {
    const char *name;
    int64_t default_ms;
};

struct service {
    const char *name;    /* the signing name, also the prefix of IAM actions: "rds" */
    const char *section; /* its key below accounts[] in the world file; NULL: none */
    enum protocol protocol;
    const char *version;         /* query: "2014-10-31", checked against the input */
    const char *xml_namespace;   /* query: "http://rds.amazonaws.com/doc/2014-10-31/" */
    const char *target_prefix;   /* json: "DynamoDB_20120810" (without the dot) */
    const char *json_version;    /* json: "1.0" or "1.1", for the content type */
    const char *error_namespace; /* json: "com.amazonaws.dynamodb.v20120810" gives "__type": "<it>#Code";
                                    NULL: the code alone */
    const char *message_key;     /* json: "message" (default) or "Message" */
    /* What the framework answers; NULL: the protocol's usual one. */
    const char *missing_code;   /* a required member is not there */
    const char *invalid_code;   /* a member is unknown or of a wrong type */
    const char *malformed_code; /* the body cannot be read */
    bool free_body;             /* rest: the body is the caller's own JSON, no members; see call->request */
    bool crc32;                 /* answers carry x-amz-crc32 */
    const struct operation *operations;
    size_t operation_count;
    const struct duration *durations;
    size_t duration_count;

    size_t state_size; /* one zeroed state per account; 0: none */
    /* Fills the state from the section (NULL: the file has none). Anything unknown is an error: see load.h.
     */
    struct err *(*load)(const struct loader *loader, struct account *account, const struct json *section);
    /* After everything is loaded: what refers to other sections. */
    struct err *(*check)(const struct loader *loader, struct account *account, const struct json *section);
    /* Brings the state to sim_now(). Works from stored times: it may come late, and often. */
    void (*advance)(struct account *account);
    /* The next moment at which advance() has something to do, NEVER_MS if none. Only for changes that other
     * services see at once: the framework stops the clock there, so that what they cause carries the right
     * time. May be NULL. */
    int64_t (*next_ms)(struct account *account);
    /* Its part of GET /_sim/world; yours to build. Secrets stay out. */
    struct json *(*dump)(struct account *account);
    void (*done)(struct account *account); /* frees what the state owns, not the state */
};

extern const struct service *const services[];
extern const size_t service_count;

/* An account in one Region. The same id may occur again with another Region. */
struct account {
    struct sim *sim;
    char *id;
    char *region;
    char *partition; /* "aws" */
    char *name;      /* for people */
    void **states;   /* by index in services[] */
};

/* The service's state in this account. */
void *account_state(const struct account *account, const struct service *service);
/* NULL when the world has no such account (in that Region). region NULL: any. */
struct account *sim_account(const struct sim *sim, const char *id, const char *region);
size_t sim_account_count(const struct sim *sim);
struct account *sim_account_at(const struct sim *sim, size_t index);
/* "arn:aws:rds:ap-northeast-1:111111111111:<resource>", yours. */
char *account_arn(const struct account *account, const char *service, const char *resource_fmt, ...)
    PRINTF_LIKE(3, 4);

struct arn { /* views into the text */
    struct str partition, service, region, account, resource;
};
bool sim_arn_parse(const char *text, struct arn *ret);
/* The account in which the ARN lies, NULL if the world has none (or it is no ARN). */
struct account *sim_account_of_arn(const struct sim *sim, const char *arn);

int64_t sim_now(const struct sim *sim); /* world clock, ms since 1970 */
int64_t sim_duration(const struct sim *sim, const char *name);
uint64_t sim_random_below(struct sim *sim, uint64_t limit);
/* All yours. */
char *sim_new_uuid(struct sim *sim);       /* 8-4-4-4-12, lower case */
char *sim_new_uuid_upper(struct sim *sim); /* as AWS Backup's job ids */
char *sim_new_token(struct sim *sim, const char *alphabet, size_t len);
/* A stream of its own, from the seed and the name: what is drawn from it moves no other identifier. Yours. */
struct random *sim_new_stream(const struct sim *sim, const char *name);
char *sim_stream_token(struct random *stream, const char *alphabet, size_t len);
char *sim_stream_uuid(struct random *stream);
#define ALPHABET_BASE32 "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"
#define ALPHABET_HEX "0123456789abcdef"
#define ALPHABET_ALNUM "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"

/* ---- one request ---- */

enum effect { EFFECT_CHANGED, EFFECT_CREATED, EFFECT_REPLAYED, EFFECT_NONE, EFFECT_REFUSED };

struct call {
    struct sim *sim;
    struct account *account; /* of the caller, in the Region that was signed for */
    const struct service *service;
    const struct operation *operation;
    int64_t now_ms;           /* world clock */
    int64_t wall_ms;          /* the real time of day */
    const char *principal;    /* ARN: a user, or "arn:aws:sts::A:assumed-role/R/S" */
    const struct json *input; /* an object */
    struct json *out;         /* an object, empty at first; fill it */
    const struct sim_request *request;
    const char *request_id;
    struct call_private *priv;
};

void *call_state(const struct call *call); /* of the call's service and account */

/* Reading the input: `path` as in json_at ("Tags.Tag[0].Key"). Text that is empty counts as given. */
const char *call_text(const struct call *call, const char *path); /* NULL when absent */
int64_t call_int(const struct call *call, const char *path, int64_t otherwise);
double call_number(const struct call *call, const char *path, double otherwise);
bool call_bool(const struct call *call, const char *path, bool otherwise);
bool call_has(const struct call *call, const char *path);
/* An array or NULL. For query: call_list(call, "VpcSecurityGroupIds.VpcSecurityGroupId"). */
const struct json *call_list(const struct call *call, const char *path);

/* Ends the call with an error in the protocol's shape; gives false: `return call_refuse(call, 404,
 * "DBClusterNotFoundFault", ...)`. Changes that the handler has already made stay. */
bool call_refuse(struct call *call, int status, const char *code, const char *fmt, ...) PRINTF_LIKE(4, 5);
/* A further member of the error body, besides the message (text is copied). */
void call_error_member(struct call *call, const char *name, const char *text);

/* A point in world time as the protocol writes it: ISO text in XML, epoch seconds in JSON. */
struct json *call_time(const struct call *call, int64_t world_ms);
/* The reply is these bytes instead of `out` (Lambda's Invoke), with that status and content type. */
void call_payload(struct call *call, int status, const char *content_type, struct str bytes);
void call_header(struct call *call, const char *name, const char *value);
void call_status(struct call *call, int status); /* instead of 200 */

/* Nothing to give yet (a long poll): unless something comes within `wait_ms` of real time, the answer is
 * `out` as it stands. The handler runs again from its start, so it must have changed nothing: when sim_tell()
 * was called, or the world clock reaches `look_ms` (NEVER_MS: no reason to). */
void call_wait(struct call *call, int64_t wait_ms, int64_t look_ms);
/* There may be something for those who wait. */
void sim_tell(struct sim *sim);

/* What the journal says: `resource` is an ARN or a name (copied). Without it a successful mutating call is
 * EFFECT_CHANGED. */
void call_effect(struct call *call, enum effect effect, const char *resource);

/* A client's idempotency token, remembered per account and operation for one hour of world time.
 * TOKEN_NEW      go on; when the call succeeds its answer is kept under the token
 * TOKEN_REPLAYED the kept answer is in `out`, the journal says so: return true
 * TOKEN_CLASH    the token came with other input before
 * NULL or "" is TOKEN_NEW and is not kept. The journal gets the token in any case. */
enum token_result { TOKEN_NEW, TOKEN_REPLAYED, TOKEN_CLASH };
enum token_result call_token(struct call *call, const char *token);

/* Pages of a list of `total` items in a stable order, oldest first. Writes the token for the next page into
 * `out`. */
struct page_rule {
    const char *size_member;  /* "MaxRecords" */
    const char *token_member; /* in the input: "Marker" */
    const char *out_member;   /* in the answer: "Marker", "NextToken" */
    int64_t min, max, otherwise;
    const char *error; /* code for a bad size or token */
};
/* False: refused. Else list the items [*ret_first, *ret_first + *ret_count). */
bool call_page(struct call *call, const struct page_rule *rule, size_t total, size_t *ret_first,
               size_t *ret_count);

/* Whether the caller's permissions cover one more action than the operation's own ("iam:PassRole"). */
bool call_may(const struct call *call, const char *action);
/* PassRole as AWS checks it: permission, the role exists in the caller's account, it trusts
 * `service_principal`
 * ("backup.amazonaws.com"). NULL: fine; else why not, yours. */
char *call_pass_role(struct call *call, const char *role_arn, const char *service_principal);

/* Something happened that AWS would tell EventBridge; `detail` is taken over. Kept per account, oldest first.
 */
struct sim_event {
    const char *source;      /* "aws.rds" */
    const char *detail_type; /* "RDS DB Cluster Event" */
    const char *resource;    /* resources[0], NULL: none */
    int64_t time_ms;
    struct json *detail;
};
void sim_emit(struct account *account, const struct sim_event *event);

/* ---- what AWS Backup needs from a service whose databases it carries ---- */

struct backup_source { /* borrowed from the state */
    bool backupable;   /* "available", "ACTIVE" */
    const char *state; /* for messages */
    bool encrypted;
    const char *kms_key_arn; /* NULL: not encrypted, or an AWS-owned key */
    int64_t size_bytes;
    const char *name; /* of the cluster or table */
};

struct restore_request {
    struct account *account;     /* where the restored database goes */
    const struct json *snapshot; /* what snapshot() gave */
    const struct json *metadata; /* {string: string} as StartRestoreJob got it */
    const char *recovery_point_arn;
    const char *source_arn;  /* of the database that was backed up */
    const char *kms_key_arn; /* the recovery point's key, NULL if not encrypted */
    const char *job_id;
    bool copy_source_tags;
    int64_t now_ms;   /* when it appears ("creating") */
    int64_t ready_ms; /* when it becomes usable ("available", "ACTIVE") */
};

struct database_kind {
    const char *resource_type; /* "Aurora", "DynamoDB" */
    const char
        *duration_name; /* "aurora", "dynamodb": durations.<it>.backup, .copy, .restore belong to backup.c */
    /* False when the ARN names no database of this kind that exists in the account. */
    bool (*source)(const struct account *account, const char *arn, struct backup_source *ret);
    /* Everything that a restore needs, also secrets (password hash); AWS Backup keeps it unread and shows it
     * to nobody. Yours. */
    struct json *(*snapshot)(const struct account *account, const char *arn);
    /* The answer of GetRecoveryPointRestoreMetadata: {string: string}. Yours. */
    struct json *(*restore_metadata)(const struct json *snapshot);
    /* Makes the database and gives its ARN, or NULL and in *ret_failure the message with which the job fails
     * (name in use, unknown metadata key, array that is no JSON text, missing subnet group or key, ...). Both
     * yours. */
    char *(*restore)(const struct restore_request *request, char **ret_failure);
    /* The world file's clusters and tables exist by name: is this ARN of my kind ("arn:..:cluster:x")? */
    bool (*owns)(const char *arn);
};

extern const struct database_kind *const database_kinds[];
extern const size_t database_kind_count;

/* The tags ({key: text}) of the recovery point with this ARN, for the service whose snapshot it is;
 * NULL: there is none. */
struct json *sim_point_tags(const struct account *account, const char *arn);

/* ---- keys ---- */

/* Finds a key of the world by key ARN, or in `account` by id, "alias/..." or alias ARN. NULL: none such. */
struct kms_key;
const struct kms_key *kms_find(const struct account *account, const char *key);
const char *kms_arn(const struct kms_key *key);     /* the key's own ARN, never an alias */
bool kms_is_aws_managed(const struct kms_key *key); /* aws/rds, aws/backup, aws/dynamodb, ... */
const char *kms_alias(const struct kms_key *key);   /* "alias/aws/rds"; NULL: none */
bool kms_is_enabled(const struct kms_key *key);
/* Whether the key's policy lets principals of that account use it (always for its own account). */
bool kms_is_shared_with(const struct kms_key *key, const char *account_id);
/* NULL when principals of `account` can encrypt with it; else the reason, yours. */
char *kms_why_unusable(const struct account *account, const char *key);

#endif
