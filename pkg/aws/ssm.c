#include "pkg/aws/ssm.h"

#include "pkg/aws/protocol.h"

void ssm_parameter_done(struct ssm_parameter *parameter)
{
    xfree(parameter->name);
    xfree(parameter->arn);
    xfree(parameter->type);
    secret_free(parameter->value);
    *parameter = (struct ssm_parameter){0};
}

struct err *ssm_get_parameter(const struct aws_client *aws, const char *name, struct ssm_parameter *ret)
{
    AUTO_AWS_REPLY struct aws_reply reply = {0};
    AUTO_JSON struct json *body = json_new_object();
    const struct json *found;
    const char *value;

    json_set_text(body, "Name", name);
    json_set_bool(body, "WithDecryption", true);
    TRY(aws_call_json(aws, AWS_OP_GET_PARAMETER, body, &reply));
    found = json_member(reply.json, "Parameter");
    value = json_get_text(found, "Value", NULL);
    TRY(aws_require(AWS_OP_GET_PARAMETER, "Parameter.Value", value));
    *ret = (struct ssm_parameter){
        .name = json_take_text(found, "Name"),
        .arn = json_take_text(found, "ARN"),
        .type = json_take_text(found, "Type"),
        .value = secret_new(str_of(value)),
        .version = json_get_int(found, "Version", 0),
    };
    return NULL;
}

struct err *ssm_put_parameter(const struct aws_client *aws, const struct ssm_put_opts *opts,
                              int64_t *ret_version)
{
    AUTO_AWS_REPLY struct aws_reply reply = {0};
    AUTO_JSON struct json *body = json_new_object();

    json_set_text(body, "Name", opts->name);
    json_set_text(body, "Type", opts->type);
    json_set_text(body, "KeyId", opts->kms_key_id);
    json_set_text(body, "Value", secret_reveal(opts->value).ptr);
    json_set_bool(body, "Overwrite", opts->overwrite);
    TRY(aws_call_json_secret(aws, AWS_OP_PUT_PARAMETER, body, opts->value, &reply));
    if (ret_version)
        *ret_version = json_get_int(reply.json, "Version", 0);
    return NULL;
}
