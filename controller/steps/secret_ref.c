#include "controller/steps/kube_secret.h"
#include "controller/steps/secret_text.h"
#include "controller/steps/steps.h"
#include "pkg/aws/secretsmanager.h"

static struct err *read_secrets_manager(const struct pass *pass, const struct secret_ref *ref,
                                        struct secret **ret)
{
    AUTO_SECRET_VALUE struct secret_value value = {0};

    TRY(err_wrap(secretsmanager_get_value(&pass->target, ref->secrets_manager_id, NULL, NULL, &value),
                 "read secret %s", ref->secrets_manager_id));
    if (ref->secrets_manager_key)
        return secret_text_get(value.text, ref->secrets_manager_id, ref->secrets_manager_key, ret);
    *ret = secret_copy(value.text);
    return NULL;
}

static struct err *read_kube_secret(const struct pass *pass, const struct secret_ref *ref,
                                    struct secret **ret)
{
    AUTO_SECRET struct secret *value = NULL;

    TRY(kube_secret_get(pass, ref->secret_name, ref->secret_key, &value));
    if (!value)
        return err_new(ERR_INVALID, "Secret %s has no key %s", ref->secret_name, ref->secret_key);
    *ret = TAKE(value);
    return NULL;
}

struct err *secret_ref_read(const struct pass *pass, const struct secret_ref *ref, struct secret **ret)
{
    return ref->secrets_manager_id ? read_secrets_manager(pass, ref, ret) : read_kube_secret(pass, ref, ret);
}
