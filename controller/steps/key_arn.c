#include "controller/steps/key_arn.h"

#include "pkg/aws/kms.h"

struct err *key_arn(const struct aws_client *aws, const char *name, char **ret)
{
    AUTO_KMS_KEY struct kms_key key = {0};

    if (!name || !(str_starts(str_of(name), "alias/") || str_contains(str_of(name), ":alias/"))) {
        *ret = xstrdup_or_null(name);
        return NULL;
    }
    TRY(err_wrap(kms_describe_key(aws, name, &key), "look up the key behind %s", name));
    *ret = xstrdup_or_null(key.arn);
    return NULL;
}
