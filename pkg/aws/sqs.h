/* Amazon SQS, as far as hints go: messages are received, at least once and in any order, and deleted.
 * https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/ */
#ifndef AWS_SQS_H
#define AWS_SQS_H

#include "pkg/aws/client.h"

#define SQS_BATCH_MAX 10 /* of the service: messages of one call */
#define SQS_WAIT_MAX_S 20

struct sqs_message {
    char *id;      /* may be NULL */
    char *receipt; /* of this delivery: what deletes it */
    char *body;    /* "" when there is none */
};
struct sqs_messages {
    struct sqs_message *items;
    size_t count;
};
void sqs_messages_done(struct sqs_messages *messages);
#define AUTO_SQS_MESSAGES CLEANUP(sqs_messages_done)

/* Waits in the queue for up to `wait_s` (real seconds, at most SQS_WAIT_MAX_S) until there is a message, and
 * takes up to `max_messages` (1 to SQS_BATCH_MAX). None came: NULL and an empty list. ERR_INVALID, too, when
 * what came is larger than an answer may be: then fewer at a time may do. */
struct err *sqs_receive(const struct aws_client *aws, const char *queue_url, int max_messages, int wait_s,
                        struct sqs_messages *ret) MUST_USE;
/* Deletes them, at most SQS_BATCH_MAX. *ret_left: how many SQS did not delete; they come again. */
struct err *sqs_delete(const struct aws_client *aws, const char *queue_url,
                       const struct sqs_messages *messages, size_t *ret_left) MUST_USE;

#endif
