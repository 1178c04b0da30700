/* What the framework's own files share. Services include service.h only. */
#ifndef AWSSIM_CORE_H
#define AWSSIM_CORE_H

#include "hack/awssim/service.h"
#include "pkg/base/random.h"
#include "pkg/base/yaml.h"

struct loader {
    const struct yaml_doc *doc;
    int64_t start_ms; /* what relative times count from */
};

/* ---- the world ---- */

struct journal_entry {
    int64_t seq, time_ms;
    char *account, *service, *operation, *resource, *token, *principal, *error;
    int status;
    enum effect effect;
};

struct call_count {
    char *account, *service, *operation;
    int64_t count;
};

struct kept_answer { /* of an idempotent call */
    char *account, *operation, *token, *digest;
    int64_t time_ms;
    struct json *out;
};

struct session { /* credentials that STS gave */
    char *access_key_id, *secret, *token;
    char *account_id, *role_name, *arn, *user_id;
    struct json *tags; /* [{Key, Value}], NULL: none */
    int64_t expires_wall_ms;
};
void session_done(struct session *session);

struct fault {
    int64_t id, seen, done;
    char *service, *operation, *account; /* patterns, NULL: any */
    int64_t nth, times;                  /* 0: not given */
    double probability;                  /* 1: always */
    char *action, *code, *message;
    int64_t status, delay_ms;
    bool after;
};

/* Of the world file; a number that is 0: no limit. */
struct sim_limits {
    int64_t backups;                          /* jobs that run at once in an account */
    int64_t table_copies, extra_table_copies; /* to one Region; beyond that, into one vault */
    int64_t aurora_copies;                    /* to one Region */
    int64_t aurora_restores, table_restores;
    char *at_limit;              /* of one job too many: "wait", "fail", "refuse" */
    const struct json *requests; /* only while loading */
};
struct rate {
    char *name; /* "backup", "backup.StartCopyJob" */
    int64_t per_second;
};
struct bucket { /* of one account */
    size_t rate;
    char *account;
    int64_t level, seen_ms;
};

struct sim_event_kept {
    char *account, *region, *source, *detail_type, *resource;
    int64_t time_ms;
    struct json *detail;
};

#define LIST(type)    \
    struct {          \
        type *items;  \
        size_t count; \
    }
#define LIST_TYPE(name, type) \
    struct name {             \
        type *items;          \
        size_t count;         \
    }
#define LIST_ADD(list)                                                             \
    __extension__({                                                                \
        __typeof__(&(list)) list_ = &(list);                                       \
        list_->items = xgrow(list_->items, list_->count, sizeof(list_->items[0])); \
        memset(&list_->items[list_->count], 0, sizeof(list_->items[0]));           \
        &list_->items[list_->count++];                                             \
    })

struct sim {
    int64_t now_ms;
    int64_t skipped_ms; /* what POST clock has added */
    struct random *random;
    uint64_t seed;
    struct account **accounts;
    size_t account_count;
    char *organization; /* id, NULL: the accounts are in none */
    bool cross_account_backup;
    bool empty_pages;                      /* the first page of every list is empty */
    double lost_events, duplicated_events; /* chances of a service's event */
    struct sim_limits limits;
    LIST(struct rate) rates;
    LIST(struct bucket) buckets;
    LIST(int64_t) durations; /* in the order of all services' tables */
    LIST(struct session) sessions;
    LIST(struct journal_entry) journal;
    LIST(struct call_count) calls;
    LIST(struct kept_answer) answers;
    LIST(struct fault) faults;
    LIST(struct sim_event_kept) events;
    int64_t last_fault_id;
    struct sim_watch *watches;
    bool news; /* since the watches were last woken */
};

struct err *sim_world_load(struct sim *sim, const struct sim_options *options) MUST_USE;
/* limits.c; `node` may be NULL. */
struct err *sim_limits_load(struct sim *sim, const struct loader *loader, const struct json *node) MUST_USE;
void sim_limits_done(struct sim *sim);
/* Counts the call; false when it is one too many for this second of real time. */
bool sim_limits_request(struct call *call);
void sim_advance(struct sim *sim, int64_t now_ms);
int64_t sim_next_change(const struct sim *sim); /* NEVER_MS: none */
const struct service *sim_service_find(const char *name);

/* ---- one call ---- */

struct call_private {
    struct json *tree; /* the input, ours */
    enum effect effect;
    char *resource, *token;
    int status;
    char *error_code, *error_message;
    struct json *error_members;
    struct kept_answer pending; /* token and digest; kept when the call succeeds */
    LIST(struct sim_header) headers;
    char *payload, *payload_type;
    size_t payload_len;
    const struct principal *who;
    const struct fault *fault; /* of those that let the call through */
    int64_t wait_ms, look_ms;  /* of call_wait() */
};

/* ---- who calls ---- */

struct principal { /* borrowed from the world */
    const char *arn, *user_id, *account_id, *secret, *session_token;
    const char *role_name; /* of a session, else NULL */
    const struct json *allow;
    int64_t expires_wall_ms; /* NEVER_MS: a user's own keys */
};
bool sim_principal_find(const struct sim *sim, const char *access_key_id, struct principal *ret);
bool sim_principal_may(const struct principal *who, const char *action);

/* Checks the signature of a request. False: *ret_code is the fault's query spelling
 * ("SignatureDoesNotMatch"), *ret_message yours. */
struct signature { /* what Authorization says; views */
    struct str access_key_id, date, region, service, signed_headers, signature;
};
bool sim_signature_parse(const struct sim_request *request, struct signature *ret);
bool sim_signature_check(const struct sim_request *request, const struct signature *claim,
                         const struct principal *who, int64_t wall_ms, const char **ret_code,
                         char **ret_message);
const char *sim_request_header(const struct sim_request *request, const char *name); /* NULL when absent */

/* ---- protocols ---- */

struct route {
    const struct service *service;
    const struct operation *operation;
    struct json *input; /* yours */
};
/* Finds what the request asks for. False: *ret_code and *ret_message (yours) say why not; route->service may
 * still be set. */
bool sim_route_find(const struct sim_request *request, const char *service_name, struct route *ret,
                    const char **ret_code, char **ret_message);
void sim_route_done(struct route *route);
/* Percent-decoding; `plus` also turns '+' into a blank (forms). NUL bytes are dropped. Yours. */
char *sim_uri_decode(struct str text, bool plus);
struct json *
sim_query_tree(struct str form); /* {"A": {"B": [..]}}; NULL when the names contradict each other */
/* False: refused by the operation's table of members. */
bool sim_input_check(struct call *call);
/* Renders out, payload or error of a finished call. */
void sim_protocol_reply(const struct call *call, struct sim_reply *ret);
void sim_xml_print(const struct json *value, const char *name, struct buf *out);
/* The protocol's spelling and HTTP status of an error that every service knows: "AccessDenied" is
 * AccessDeniedException in JSON. */
struct common_error {
    const char *code;
    int status;
};
struct common_error sim_protocol_error(const struct service *service, const char *query_code);
void sim_reply_header(struct sim_reply *reply, const char *name, const char *value);

/* ---- bookkeeping ---- */

void sim_journal_add(struct sim *sim, const struct call *call, int status);
struct json *sim_journal_dump(const struct sim *sim);
void sim_calls_add(struct sim *sim, const char *account, const char *service, const char *operation);
struct json *sim_calls_dump(const struct sim *sim);
void sim_bookkeeping_done(struct sim *sim);

/* The fault that strikes this call, NULL: none. Counts. */
struct fault *sim_faults_match(struct sim *sim, const char *account, const char *service,
                               const char *operation);
/* Whether the world can be struck so: keys, types, and that account, service and operation exist. ERR_INVALID
 * names the key. */
struct err *sim_fault_check(const struct sim *sim, const struct json *fault) MUST_USE;
struct err *sim_faults_add(struct sim *sim, const struct json *body, struct json **ret_answer) MUST_USE;
struct json *sim_faults_dump(const struct sim *sim);
void sim_faults_clear(struct sim *sim);
void sim_token_keep(struct call *call); /* after success */

/* The fault of kind "fail-job" or "stick-job" that struck this call, NULL: none. */
const struct fault *sim_call_job_fault(const struct call *call);

/* /_sim/ */
void sim_control_handle(struct sim *sim, const struct sim_request *request, struct sim_reply *ret);

/* Whether a policy document lets somebody do `action`: a principal (a role's or user's ARN) of `account_id`,
 * which is in that organisation; or, with `service`, an AWS service on behalf of `source_arn`. */
struct policy_question {
    const char *action, *principal_arn, *account_id, *organization;
    const char *resource; /* NULL: the document is about one thing, its Resource is not looked at */
    const char *service;  /* "events.amazonaws.com" */
    const char *source_arn, *source_account;
};
bool sim_policy_allows(const struct json *policy, const struct policy_question *question);

/* IAM's world; false too when the ARN names no role. */
bool sim_role_trusts_service(const struct sim *sim, const char *role_arn, const char *service_principal);
bool sim_role_may(const struct sim *sim, const char *role_arn, const char *action);

struct role { /* borrowed */
    const struct account *account;
    const char *name, *arn, *id;
    int64_t max_session_ms;
    const struct json *trust; /* the world file's list */
};
bool sim_role_find(const struct sim *sim, const char *role_arn, struct role *ret);
#endif
