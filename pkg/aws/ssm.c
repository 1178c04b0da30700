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

void ssm_description_done(struct ssm_description *description)
{
    xfree(description->type);
    xfree(description->kms_key_id);
    xfree(description->tier);
    *description = (struct ssm_description){0};
}

static struct json *name_filter(const char *name)
{
    struct json *filters = json_new_array(), *filter = json_new_object(), *values = json_new_array();

    json_set_text(filter, "Key", "Name");
    json_set_text(filter, "Option", "Equals");
    json_append_text(values, name);
    json_set(filter, "Values", values);
    json_append(filters, filter);
    return filters;
}

/* Pages may be empty although more follow. */
struct err *ssm_describe_parameter(const struct aws_client *aws, const char *name,
                                   struct ssm_description *ret)
{
    AUTO_AWS_PAGES struct aws_pages pages = {.op = AWS_OP_DESCRIBE_PARAMETERS};

    while (!pages.is_over) {
        AUTO_AWS_REPLY struct aws_reply reply = {0};
        AUTO_JSON struct json *body = json_new_object();
        const struct json *found;

        json_set(body, "ParameterFilters", name_filter(name));
        json_set_text(body, "NextToken", pages.token);
        TRY(aws_call_json(aws, AWS_OP_DESCRIBE_PARAMETERS, body, &reply));
        found = json_at(reply.json, "Parameters[0]");
        if (found) {
            *ret = (struct ssm_description){.type = json_take_text(found, "Type"),
                                            .kms_key_id = json_take_text(found, "KeyId"),
                                            .tier = json_take_text(found, "Tier")};
            return NULL;
        }
        TRY(aws_pages_next(&pages, 0, json_take_text(reply.json, "NextToken")));
    }
    return err_new(ERR_NOT_FOUND, "ssm DescribeParameters: there is no parameter %s in account %s", name,
                   aws_account_id(aws->account));
}

struct err *ssm_put_parameter(const struct aws_client *aws, const struct ssm_put_opts *opts,
                              int64_t *ret_version)
{
    AUTO_AWS_REPLY struct aws_reply reply = {0};
    AUTO_JSON struct json *body = json_new_object();

    json_set_text(body, "Name", opts->name);
    json_set_text(body, "Type", opts->type);
    json_set_text(body, "KeyId", opts->kms_key_id);
    json_set_text(body, "Tier", opts->tier);
    json_set_text(body, "Value", secret_reveal(opts->value).ptr);
    json_set_bool(body, "Overwrite", opts->overwrite);
    TRY(aws_call_json_secret(aws, AWS_OP_PUT_PARAMETER, body, opts->value, &reply));
    if (ret_version)
        *ret_version = json_get_int(reply.json, "Version", 0);
    return NULL;
}
