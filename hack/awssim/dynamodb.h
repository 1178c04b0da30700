/* The state of DynamoDB in one account: tables without items. Names carry sim_ because the simulation links
 * the controller's client as well. */
#ifndef AWSSIM_DYNAMODB_H
#define AWSSIM_DYNAMODB_H

#include "hack/awssim/service.h"

enum table_encryption { ENCRYPTED_BY_AWS, ENCRYPTED_MANAGED, ENCRYPTED_CUSTOMER };

struct table {
    char *name, *arn, *id;
    struct json *attributes, *keys; /* AttributeDefinitions, KeySchema */
    struct json *local_indexes;     /* [{IndexName, KeySchema, Projection}] */
    struct json *indexes;           /* the global ones, with ProvisionedThroughput */
    struct json *tags;              /* {key: value} */
    bool on_demand, deletion_protection, infrequent;
    int64_t read_units, write_units;
    enum table_encryption encryption;
    char *kms_key;     /* ARN; NULL: AWS-owned key */
    char *stream_view; /* NULL: no stream */
    int64_t stream_ms; /* when the stream began; part of its ARN */
    char *ttl_attribute;
    bool ttl_enabled;
    int64_t ttl_changed_ms; /* 0: never */
    bool pitr;
    int64_t pitr_days;
    int64_t items, size_bytes;
    char *status; /* fixed by the world file; NULL: the usual way */
    int64_t created_ms, ready_ms, busy_until_ms;
    int64_t gone_ms;                            /* 0: not being deleted */
    char *source_backup_arn, *source_table_arn; /* of a restored one */
};

struct dynamodb_state {
    struct account *account;
    struct table **tables;
    size_t count;
};

extern const struct service dynamodb_service;
extern const struct database_kind dynamodb_database_kind;

/* ---- dynamodb.c ---- */
struct dynamodb_state *sim_dynamodb_state(const struct account *account);
struct table *sim_table_add(struct dynamodb_state *state, const char *name);
/* By name or ARN; NULL when there is none. */
struct table *sim_table(const struct dynamodb_state *state, const char *name);
/* The table of the input's member; NULL: refused with that code. */
struct table *sim_table_or_refuse(struct call *call, const char *member, const char *code);
bool sim_table_is_name(const char *name); /* 3 to 255 of A-Za-z0-9_.- */
const char *sim_table_status(const struct dynamodb_state *state, const struct table *table);
bool sim_table_is(const struct call *call, const struct table *table, const char *status);
struct json *sim_table_wire(const struct dynamodb_state *state, const struct table *table);
/* {"ReadCapacityUnits", "WriteCapacityUnits"} */
struct json *sim_throughput(int64_t read_units, int64_t write_units);
/* What `encryption` and `key` of a request mean: sets the table's. `key` NULL: aws/dynamodb of the account.
 */
void sim_table_encrypt(struct dynamodb_state *state, struct table *table, enum table_encryption encryption,
                       const char *key);

/* ---- dynamodb_load.c ---- */
struct err *sim_dynamodb_load(const struct loader *loader, struct account *account,
                              const struct json *section) MUST_USE;
struct err *sim_dynamodb_check(const struct loader *loader, struct account *account,
                               const struct json *section) MUST_USE;

/* ---- dynamodb_table.c ---- */
bool sim_dynamodb_describe_table(struct call *call);
bool sim_dynamodb_list_tables(struct call *call);
bool sim_dynamodb_create_table(struct call *call);
bool sim_dynamodb_delete_table(struct call *call);

/* ---- dynamodb_update.c ---- */
bool sim_dynamodb_update_table(struct call *call);

/* ---- dynamodb_settings.c ---- */
bool sim_dynamodb_describe_ttl(struct call *call);
bool sim_dynamodb_update_ttl(struct call *call);
bool sim_dynamodb_describe_backups(struct call *call);
bool sim_dynamodb_update_backups(struct call *call);
bool sim_dynamodb_tag(struct call *call);
bool sim_dynamodb_untag(struct call *call);
bool sim_dynamodb_list_tags(struct call *call);

#endif
