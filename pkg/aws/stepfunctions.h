/* AWS Step Functions: executions of STANDARD state machines, which are known by name.
 * https://docs.aws.amazon.com/step-functions/latest/apireference/ */
#ifndef AWS_STEPFUNCTIONS_H
#define AWS_STEPFUNCTIONS_H

#include "pkg/aws/client.h"
#include "pkg/base/json.h"

/* `name` (at most 80 characters) makes a repeat harmless: the same name and input again, while it runs, is
 * the same execution; later it is ERR_CONFLICT (ExecutionAlreadyExists), and stepfunctions_execution_arn()
 * says which one it is. */
struct err *stepfunctions_start(const struct aws_client *aws, const char *state_machine_arn, const char *name,
                                const struct json *input, char **ret_execution_arn) MUST_USE;
/* "arn:aws:states:R:A:stateMachine:M" and a name give "arn:aws:states:R:A:execution:M:<name>"; yours. NULL
 * when the ARN is not of a state machine. */
char *stepfunctions_execution_arn(const char *state_machine_arn, const char *name);
/* Of the account and Region that `aws` speaks for; yours. */
char *stepfunctions_machine_arn(const struct aws_client *aws, const char *name);

struct execution {
    char *status; /* RUNNING SUCCEEDED FAILED TIMED_OUT ABORTED PENDING_REDRIVE */
    char *error, *cause;
};
void execution_done(struct execution *execution);
#define AUTO_EXECUTION CLEANUP(execution_done)
/* ERR_NOT_FOUND may also mean "started a moment ago". */
struct err *stepfunctions_describe(const struct aws_client *aws, const char *execution_arn,
                                   struct execution *ret) MUST_USE;

#endif
