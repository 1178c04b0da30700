#include "controller/steps/steps.h"
#include "pkg/aws/secretsmanager.h"
#include "pkg/base/digest.h"
#include "pkg/base/secret.h"
#include "pkg/kube/client.h"

#define SECRET_TEXT_MAX (64 * KIB)

/* One member of a secret that is a JSON object. */
static struct err *pick_key(const struct secret *text, const char *id, const char *key, struct secret **ret)
{
    AUTO_JSON struct json *object = NULL;
    const char *value;
    struct err *err = json_parse(secret_reveal(text), NULL, &object);

    if (err || !json_is(object, JSON_OBJECT)) {
        err_ignore(err, "its text may quote the secret");
        return err_new(ERR_INVALID, "secret %s is not a JSON object, so it has no key %s", id, key);
    }
    value = json_is(json_member(object, key), JSON_STRING)
                ? json_get_text(json_member(object, key), NULL, NULL)
                : NULL;
    if (!value)
        return err_new(ERR_INVALID, "secret %s has no text under the key %s", id, key);
    *ret = secret_new(str_of(value));
    return NULL;
}

static struct err *read_secrets_manager(const struct pass *pass, const struct secret_ref *ref,
                                        struct secret **ret)
{
    AUTO_SECRET_VALUE struct secret_value value = {0};

    TRY(err_wrap(secretsmanager_get_value(&pass->target, ref->secrets_manager_id, NULL, NULL, &value),
                 "read secret %s", ref->secrets_manager_id));
    if (ref->secrets_manager_key)
        return pick_key(value.text, ref->secrets_manager_id, ref->secrets_manager_key, ret);
    *ret = secret_copy(value.text);
    return NULL;
}

static struct err *read_kube_secret(const struct pass *pass, const struct secret_ref *ref,
                                    struct secret **ret)
{
    static const struct kube_resource secrets = {
        .group = "", .version = "v1", .plural = "secrets", .kind = "Secret", .namespaced = true};
    const struct kube_ref at = {.resource = &secrets, .namespace = pass->namespace, .name = ref->secret_name};
    AUTO_BUF struct buf plain = BUF_SECRET(SECRET_TEXT_MAX);
    AUTO_JSON struct json *object = NULL;
    const char *encoded;

    if (!pass->objects->kube)
        return err_new(ERR_INVALID, "Secret %s needs a cluster, and there is none", ref->secret_name);
    TRY(err_wrap(kube_get_sensitive(pass->objects->kube, pass->env, &at, &object), "read Secret %s",
                 ref->secret_name));
    encoded = json_get_text(json_member(json_member(object, "data"), ref->secret_key), NULL, NULL);
    if (!encoded)
        return err_new(ERR_INVALID, "Secret %s has no key %s", ref->secret_name, ref->secret_key);
    if (!base64_decode(str_of(encoded), &plain))
        return err_new(ERR_INVALID, "key %s of Secret %s is not base64", ref->secret_key, ref->secret_name);
    *ret = secret_new(buf_str(&plain));
    return NULL;
}

struct err *secret_ref_read(const struct pass *pass, const struct secret_ref *ref, struct secret **ret)
{
    return ref->secrets_manager_id ? read_secrets_manager(pass, ref, ret) : read_kube_secret(pass, ref, ret);
}
