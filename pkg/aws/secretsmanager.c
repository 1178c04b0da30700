#include "pkg/aws/secretsmanager.h"

#include "pkg/aws/protocol.h"
#include "pkg/base/digest.h"

#define SECRET_MAX (64 * KIB)

void secret_value_done(struct secret_value *value)
{
    xfree(value->arn);
    xfree(value->version_id);
    secret_free(value->text);
    aws_texts_done(&value->stages);
    *value = (struct secret_value){0};
}

static void add_texts(const struct json *list, struct aws_texts *texts)
{
    json_each (item, list)
        aws_texts_add(texts, json_get_text(item, NULL, ""));
}

/* SecretString as it is, SecretBinary decoded; NULL when there is neither. */
static struct secret *read_secret(const struct json *value)
{
    AUTO_BUF struct buf bytes = BUF_SECRET(SECRET_MAX);
    const char *text = json_get_text(value, "SecretString", NULL),
               *binary = json_get_text(value, "SecretBinary", NULL);

    if (text)
        return secret_new(str_of(text));
    if (!binary || !base64_decode(str_of(binary), &bytes))
        return NULL;
    return secret_new(buf_str(&bytes));
}

struct err *secretsmanager_get_value(const struct aws_client *aws, const char *secret_id,
                                     const char *version_id, const char *stage, struct secret_value *ret)
{
    AUTO_AWS_REPLY struct aws_reply reply = {0};
    AUTO_JSON struct json *body = json_new_object();
    struct secret *text;

    json_set_text(body, "SecretId", secret_id);
    json_set_text(body, "VersionId", version_id);
    if (!version_id)
        json_set_text(body, "VersionStage", stage);
    TRY(aws_call_json(aws, AWS_OP_GET_SECRET_VALUE, body, &reply));
    text = read_secret(reply.json);
    TRY(aws_require(AWS_OP_GET_SECRET_VALUE, "SecretString", text));
    *ret = (struct secret_value){
        .arn = json_take_text(reply.json, "ARN"),
        .version_id = json_take_text(reply.json, "VersionId"),
        .text = text,
        .is_binary = !json_member(reply.json, "SecretString"),
    };
    add_texts(json_member(reply.json, "VersionStages"), &ret->stages);
    return NULL;
}

/* `stage` NULL: AWSCURRENT. */
static struct err *put_value(const struct aws_client *aws, const struct secretsmanager_put_opts *opts,
                             char **ret_version_id)
{
    AUTO_AWS_REPLY struct aws_reply reply = {0};
    AUTO_JSON struct json *body = json_new_object();
    const char *version_id;

    /* The SDKs make one up; a request without it is refused. */
    if (text_is_empty(opts->token))
        return err_new(ERR_INVALID, "PutSecretValue: a token is required");
    json_set_text(body, "SecretId", opts->secret_id);
    json_set_text(body, "ClientRequestToken", opts->token);
    json_set_text(body, "SecretString", secret_reveal(opts->text).ptr);
    if (opts->stage) {
        struct json *stages = json_new_array();

        json_append_text(stages, opts->stage);
        json_set(body, "VersionStages", stages);
    }
    TRY(aws_call_json_secret(aws, AWS_OP_PUT_SECRET_VALUE, body, opts->text, &reply));
    version_id = json_get_text(reply.json, "VersionId", NULL);
    TRY(aws_require(AWS_OP_PUT_SECRET_VALUE, "VersionId", version_id));
    if (ret_version_id)
        *ret_version_id = xstrdup(version_id);
    return NULL;
}

struct err *secretsmanager_put_value(const struct aws_client *aws, const char *secret_id, const char *token,
                                     const struct secret *text, char **ret_version_id)
{
    return put_value(aws,
                     &(struct secretsmanager_put_opts){.secret_id = secret_id, .token = token, .text = text},
                     ret_version_id);
}

struct err *secretsmanager_stage_value(const struct aws_client *aws,
                                       const struct secretsmanager_put_opts *opts)
{
    return put_value(aws, opts, NULL);
}

#define DESCRIPTION(member) offsetof(struct secret_description, member)

static const struct aws_text_field description_fields[] = {
    {.path = "ARN", .offset = DESCRIPTION(arn)},
    {.path = "Name", .offset = DESCRIPTION(name)},
    {.path = "KmsKeyId", .offset = DESCRIPTION(kms_key_id)},
    {.path = "OwningService", .offset = DESCRIPTION(owning_service)},
};

void secret_description_done(struct secret_description *description)
{
    aws_text_fields_free(description_fields, COUNT_OF(description_fields), description);
    for (size_t i = 0; i < description->version_count; i++) {
        xfree(description->versions[i].id);
        aws_texts_done(&description->versions[i].stages);
    }
    xfree(description->versions);
    *description = (struct secret_description){0};
}

const char *secret_description_version(const struct secret_description *description, const char *stage)
{
    for (size_t i = 0; i < description->version_count; i++) {
        if (aws_texts_have(&description->versions[i].stages, stage))
            return description->versions[i].id;
    }
    return NULL;
}

struct err *secretsmanager_describe(const struct aws_client *aws, const char *secret_id,
                                    struct secret_description *ret)
{
    AUTO_AWS_REPLY struct aws_reply reply = {0};
    AUTO_JSON struct json *body = json_new_object();

    json_set_text(body, "SecretId", secret_id);
    TRY(aws_call_json(aws, AWS_OP_DESCRIBE_SECRET, body, &reply));
    TRY(aws_require(AWS_OP_DESCRIBE_SECRET, "ARN", json_get_text(reply.json, "ARN", NULL)));
    *ret = (struct secret_description){
        .rotation_enabled = json_get_bool(reply.json, "RotationEnabled", false),
        .is_deleted = json_take_time(reply.json, "DeletedDate") != 0,
    };
    json_take_texts(reply.json, description_fields, COUNT_OF(description_fields), ret);
    json_each (item, json_member(reply.json, "VersionIdsToStages")) {
        struct secret_version *version;

        ret->versions = xgrow(ret->versions, ret->version_count, sizeof(*ret->versions));
        version = &ret->versions[ret->version_count++];
        *version = (struct secret_version){.id = xstrdup(json_key(item))};
        add_texts(item, &version->stages);
    }
    return NULL;
}

struct err *secretsmanager_move_stage(const struct aws_client *aws, const char *secret_id, const char *stage,
                                      const char *to_version_id, const char *from_version_id)
{
    AUTO_AWS_REPLY struct aws_reply reply = {0};
    AUTO_JSON struct json *body = json_new_object();

    json_set_text(body, "SecretId", secret_id);
    json_set_text(body, "VersionStage", stage);
    json_set_text(body, "MoveToVersionId", to_version_id);
    json_set_text(body, "RemoveFromVersionId", from_version_id);
    return aws_call_json(aws, AWS_OP_UPDATE_SECRET_VERSION_STAGE, body, &reply);
}
