#include "pkg/aws/stepfunctions.h"

#include "pkg/aws/arn.h"
#include "pkg/aws/protocol.h"

struct err *stepfunctions_start(const struct aws_client *aws, const char *state_machine_arn, const char *name,
                                const struct json *input, char **ret_execution_arn)
{
    AUTO_AWS_REPLY struct aws_reply reply = {0};
    AUTO_JSON struct json *body = json_new_object();
    AUTO_FREE char *text = json_to_text(input);

    /* The service would make one up, another one for each repeat. */
    if (text_is_empty(name))
        return err_new(ERR_INVALID, "StartExecution: a name is required");
    json_set_text(body, "stateMachineArn", state_machine_arn);
    json_set_text(body, "name", name);
    json_set_text(body, "input", text);
    TRY(aws_call_json(aws, AWS_OP_START_EXECUTION, body, &reply));
    TRY(aws_require(AWS_OP_START_EXECUTION, "executionArn", json_get_text(reply.json, "executionArn", NULL)));
    *ret_execution_arn = json_take_text(reply.json, "executionArn");
    return NULL;
}

char *stepfunctions_execution_arn(const char *state_machine_arn, const char *name)
{
    struct err *err;
    struct arn arn;
    struct str machine;

    err = arn_parse(state_machine_arn, &arn);
    if (err) {
        err_ignore(err, "NULL says it");
        return NULL;
    }
    machine = arn_name(&arn, "stateMachine");
    if (!machine.len)
        return NULL;
    return xasprintf("arn:" STR_FMT ":states:" STR_FMT ":" STR_FMT ":execution:" STR_FMT ":%s",
                     STR_ARG(arn.partition), STR_ARG(arn.region), STR_ARG(arn.account), STR_ARG(machine),
                     name);
}

char *stepfunctions_machine_arn(const struct aws_client *aws, const char *name)
{
    AUTO_FREE char *resource = xasprintf("stateMachine:%s", name);

    return arn_build("states", aws_account_region(aws->account), aws_account_id(aws->account), resource);
}

void execution_done(struct execution *execution)
{
    xfree(execution->status);
    xfree(execution->error);
    xfree(execution->cause);
    *execution = (struct execution){0};
}

struct err *stepfunctions_describe(const struct aws_client *aws, const char *execution_arn,
                                   struct execution *ret)
{
    AUTO_AWS_REPLY struct aws_reply reply = {0};
    AUTO_JSON struct json *body = json_new_object();

    json_set_text(body, "executionArn", execution_arn);
    TRY(aws_call_json(aws, AWS_OP_DESCRIBE_EXECUTION, body, &reply));
    TRY(aws_require(AWS_OP_DESCRIBE_EXECUTION, "status", json_get_text(reply.json, "status", NULL)));
    *ret = (struct execution){
        .status = json_take_text(reply.json, "status"),
        .error = json_take_text(reply.json, "error"),
        .cause = json_take_text(reply.json, "cause"),
    };
    return NULL;
}
