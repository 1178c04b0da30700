#include "pkg/aws/kms.h"

#include "pkg/aws/protocol.h"

#define KEY(member) offsetof(struct kms_key, member)

static const struct aws_text_field key_fields[] = {
    {.path = "Arn", .offset = KEY(arn)},        {.path = "AWSAccountId", .offset = KEY(account)},
    {.path = "KeyState", .offset = KEY(state)}, {.path = "KeyManager", .offset = KEY(manager)},
    {.path = "KeyUsage", .offset = KEY(usage)}, {.path = "KeySpec", .offset = KEY(spec)},
};

void kms_key_done(struct kms_key *key)
{
    aws_text_fields_free(key_fields, COUNT_OF(key_fields), key);
    *key = (struct kms_key){0};
}

struct err *kms_describe_key(const struct aws_client *aws, const char *key_id, struct kms_key *ret)
{
    AUTO_AWS_REPLY struct aws_reply reply = {0};
    AUTO_JSON struct json *body = json_new_object();
    const struct json *found;

    json_set_text(body, "KeyId", key_id);
    TRY(aws_call_json(aws, AWS_OP_DESCRIBE_KEY, body, &reply));
    found = json_member(reply.json, "KeyMetadata");
    TRY(aws_require(AWS_OP_DESCRIBE_KEY, "KeyMetadata", found));
    json_take_texts(found, key_fields, COUNT_OF(key_fields), ret);
    return NULL;
}

struct err *kms_get_key_policy(const struct aws_client *aws, const char *key_id, char **ret_policy)
{
    AUTO_AWS_REPLY struct aws_reply reply = {0};
    AUTO_JSON struct json *body = json_new_object();
    const char *policy;

    json_set_text(body, "KeyId", key_id);
    json_set_text(body, "PolicyName", "default");
    TRY(aws_call_json(aws, AWS_OP_GET_KEY_POLICY, body, &reply));
    policy = json_get_text(reply.json, "Policy", NULL);
    TRY(aws_require(AWS_OP_GET_KEY_POLICY, "Policy", policy));
    *ret_policy = xstrdup(policy);
    return NULL;
}
