/* SQS: standard queues. What its files share, and what EventBridge needs of it. */
#ifndef AWSSIM_SQS_H
#define AWSSIM_SQS_H

#include "hack/awssim/core.h"

extern const struct service sqs_service;

struct sqs_message {
    char *id, *body, *md5, *sender;
    char *handle;        /* of the latest receive; NULL: never received */
    int64_t sent_ms;     /* world clock, as all of these */
    int64_t visible_ms;  /* hidden before: delayed, or in somebody's hands */
    int64_t received_ms; /* the first time; 0: never */
    int64_t taken_ms;    /* the latest time */
    int64_t receives;
};

/* In seconds and bytes, as the attributes of the same names. */
struct sqs_settings {
    int64_t visibility, delay, max_bytes, retention, wait, data_key_reuse;
};

struct sqs_queue {
    struct account *account;
    char *name, *arn;
    struct sqs_settings settings;
    struct json *policy;  /* NULL: none */
    char *key;            /* KmsMasterKeyId; NULL: none */
    bool managed_sse;     /* SqsManagedSseEnabled */
    char *dead_letter;    /* ARN of the queue for what nobody can use; NULL: none */
    int64_t max_receives; /* until then */
    struct json *tags;
    LIST(struct sqs_message *) messages; /* oldest first */
    int64_t created_ms, modified_ms, purged_ms;
};

struct sqs_state {
    LIST(struct sqs_queue *) queues;
    struct random *stream;
};

struct sqs_state *sim_sqs_state_of(const struct account *account);
struct sqs_queue *sim_sqs_find(const struct account *account, const char *name);
struct sqs_queue *sim_sqs_by_arn(const struct sim *sim, const char *arn);

/* Who sends on behalf of what, to a queue. */
struct sqs_delivery {
    const char *rule_arn;   /* aws:SourceArn */
    const char *account_id; /* of the rule */
    const char *role_arn;   /* sends as this role; NULL: as the service itself */
    const char *body;
};
/* EventBridge's way into a queue. NULL: it is there; else why not, yours. */
char *sim_sqs_deliver(struct sqs_queue *queue, const struct sqs_delivery *delivery);

/* ---- sqs_queue.c ---- */

struct sqs_queue *sim_sqs_queue_new(struct account *account, const char *name);
void sim_sqs_queue_free(struct sqs_queue *queue);
void sim_sqs_queue_remove(struct sqs_queue *queue);
bool sim_sqs_name_is_good(const char *name);
/* Sets one attribute from its text. False: *ret_code and *ret_message (yours) say why not. */
bool sim_sqs_attribute_set(struct sqs_queue *queue, const char *name, const char *value,
                           const char **ret_code, char **ret_message);
/* All attributes, or those of a list (NULL: none asked for). Yours; NULL: one is unknown. */
struct json *sim_sqs_attributes(const struct sqs_queue *queue, const struct json *names);

/* ---- sqs_message.c ---- */

void sim_sqs_message_free(struct sqs_message *message);
void sim_sqs_message_remove(struct sqs_queue *queue, size_t index);
struct sqs_message *sim_sqs_put(struct sqs_queue *queue, const char *body, const char *sender,
                                int64_t delay_ms);
bool sim_sqs_send(struct call *call);
bool sim_sqs_send_batch(struct call *call);
bool sim_sqs_receive(struct call *call);
bool sim_sqs_delete(struct call *call);
bool sim_sqs_delete_batch(struct call *call);
bool sim_sqs_change_visibility(struct call *call);
bool sim_sqs_change_visibility_batch(struct call *call);

/* ---- sqs.c ---- */

/* The queue of the call's QueueUrl, if the caller may do this with it. NULL: refused. */
struct sqs_queue *sim_sqs_of_call(struct call *call);
/* Refuses with the JSON protocol's name and the query protocol's in its header. */
bool sim_sqs_refuse(struct call *call, const char *code, const char *fmt, ...) PRINTF_LIKE(3, 4);

/* ---- sqs_load.c ---- */

struct err *sim_sqs_load(const struct loader *loader, struct account *account,
                         const struct json *section) MUST_USE;
struct err *sim_sqs_check(const struct loader *loader, struct account *account,
                          const struct json *section) MUST_USE;
struct json *sim_sqs_dump(struct account *account);

#endif
