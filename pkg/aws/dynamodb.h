/* DynamoDB tables; the control plane only. https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/ */
#ifndef AWS_DYNAMODB_H
#define AWS_DYNAMODB_H

#include "pkg/aws/client.h"

struct dynamodb_throughput {
    int64_t read_units;
    int64_t write_units;
};

struct dynamodb_index {
    char *name;
    char *status; /* ACTIVE, CREATING, UPDATING, DELETING */
    struct dynamodb_throughput throughput;
};

struct dynamodb_table {
    char *name;
    char *arn;
    char *id;
    char *status;       /* ACTIVE, CREATING, UPDATING, DELETING, INACCESSIBLE_ENCRYPTION_CREDENTIALS, ... */
    char *billing_mode; /* "PROVISIONED" or "PAY_PER_REQUEST"; never NULL */
    struct dynamodb_throughput throughput;
    struct dynamodb_index *indexes; /* global secondary ones */
    size_t index_count;
    bool stream_enabled;
    char *stream_view_type;
    char *stream_arn;
    char *sse_type; /* NULL: AWS-owned key; "KMS" */
    char *sse_status;
    char *kms_key_arn;
    char *table_class; /* NULL: STANDARD */
    bool deletion_protection;
    bool restore_in_progress;
    char *restore_source_backup_arn;
    char *restore_source_table_arn;
    size_t replica_count;
    int64_t item_count; /* refreshed every six hours */
    int64_t size_bytes;
    int64_t created_ms;
};
void dynamodb_table_done(struct dynamodb_table *table);
#define AUTO_DYNAMODB_TABLE CLEANUP(dynamodb_table_done)

/* ACTIVE with every index ACTIVE and no restore under way. */
bool dynamodb_table_is_ready(const struct dynamodb_table *table);

/* Eventually consistent: ERR_NOT_FOUND may also mean "made a moment ago". */
struct err *dynamodb_describe_table(const struct aws_client *aws, const char *name,
                                    struct dynamodb_table *ret) MUST_USE;

enum dynamodb_change {
    DYNAMODB_BILLING_MODE,
    DYNAMODB_STREAM,
    DYNAMODB_DELETION_PROTECTION,
    DYNAMODB_TABLE_CLASS,
    DYNAMODB_THROUGHPUT,
    DYNAMODB_ENCRYPTION,
};
struct dynamodb_index_throughput {
    const char *name;
    struct dynamodb_throughput throughput;
};
/* One kind of change per call, as the service wants it. ERR_RETRY (ResourceInUseException): the table is
 * still busy with another. */
struct dynamodb_update_opts {
    const char *table;
    enum dynamodb_change change;
    const char *billing_mode;              /* with PROVISIONED the throughput counts too */
    struct dynamodb_throughput throughput; /* of the table; zero: it is left alone */
    /* A change to PROVISIONED must name every global index; one of throughput those that change. */
    const struct dynamodb_index_throughput *indexes;
    size_t index_count;
    bool enabled;                 /* stream, deletion protection, encryption with a key of KMS */
    const char *kms_key;          /* encryption: NULL is aws/dynamodb */
    const char *stream_view_type; /* NEW_IMAGE, OLD_IMAGE, NEW_AND_OLD_IMAGES, KEYS_ONLY */
    const char *table_class;
};
struct err *dynamodb_update_table(const struct aws_client *aws,
                                  const struct dynamodb_update_opts *opts) MUST_USE;
/* ERR_RETRY while it is being made or changed; ERR_INVALID with deletion protection on. Poll to
 * ERR_NOT_FOUND. */
struct err *dynamodb_delete_table(const struct aws_client *aws, const char *name) MUST_USE;

struct dynamodb_ttl {
    char *status; /* ENABLING, DISABLING, ENABLED, DISABLED */
    char *attribute;
};
void dynamodb_ttl_done(struct dynamodb_ttl *ttl);
#define AUTO_DYNAMODB_TTL CLEANUP(dynamodb_ttl_done)
struct err *dynamodb_describe_ttl(const struct aws_client *aws, const char *table,
                                  struct dynamodb_ttl *ret) MUST_USE;
/* Takes up to an hour, during which (and when it is already so) another call is ERR_INVALID: describe first.
 */
struct err *dynamodb_update_ttl(const struct aws_client *aws, const char *table, const char *attribute,
                                bool enabled) MUST_USE;

/* Point-in-time recovery. *ret_days (may be NULL) is how far back it reaches, 0 when off. */
struct err *dynamodb_describe_recovery(const struct aws_client *aws, const char *table, bool *ret_enabled,
                                       int *ret_days) MUST_USE;
struct err *dynamodb_update_recovery(const struct aws_client *aws, const char *table, bool enabled) MUST_USE;

struct err *dynamodb_tag(const struct aws_client *aws, const char *table_arn, const struct aws_pair *tags,
                         size_t count) MUST_USE;
struct err *dynamodb_list_tags(const struct aws_client *aws, const char *table_arn,
                               struct aws_tags *ret) MUST_USE;

#endif
