/* Amazon EventBridge, as far as telling others goes.
 * https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_PutEvents.html */
#ifndef AWS_EVENTBRIDGE_H
#define AWS_EVENTBRIDGE_H

#include "pkg/aws/client.h"
#include "pkg/base/json.h"

struct eventbridge_event {
    const char *bus;         /* a name, of the account and Region that are asked */
    const char *source;      /* "stagingrefresh.dev"; "aws." is AWS's own */
    const char *detail_type; /* "StagingRefresh RunStarted" */
    const struct json *detail;
    int64_t wall_ms; /* when it happened */
};

/* Puts one event on a bus: once or more, as the answer may get lost. An event that the bus did not take is an
 * error, although EventBridge answers 200: ERR_RETRY when that passes, else ERR_DENIED or ERR_INVALID. */
struct err *eventbridge_put(const struct aws_client *aws, const struct eventbridge_event *event) MUST_USE;

#endif
