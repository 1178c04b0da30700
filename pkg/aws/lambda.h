/* AWS Lambda, as far as hooks go: functions are started, not waited for.
 * https://docs.aws.amazon.com/lambda/latest/api/API_Invoke.html */
#ifndef AWS_LAMBDA_H
#define AWS_LAMBDA_H

#include "pkg/aws/client.h"
#include "pkg/base/json.h"

/* Queues one asynchronous invocation. At least once: Lambda repeats a function that fails, and this call may
 * be repeated when its answer is lost. Success says that it was queued and nothing of what became of it. */
struct err *lambda_invoke_async(const struct aws_client *aws, const char *function,
                                const struct json *payload) MUST_USE;

#endif
