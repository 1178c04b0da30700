#include "controller/values.h"

#include "controller/steps/kube_secret.h"
#include "controller/steps/secret_text.h"
#include "pkg/aws/secretsmanager.h"
#include "pkg/aws/ssm.h"
#include "pkg/kube/client.h"

static struct err *read_ssm(const struct pass *pass, const struct parameter_spec *spec, struct secret **ret)
{
    AUTO_SSM_PARAMETER struct ssm_parameter parameter = {0};

    TRY(ssm_get_parameter(&pass->target, spec->target, &parameter));
    *ret = TAKE(parameter.value);
    return NULL;
}

static struct err *read_secrets_manager(const struct pass *pass, const struct parameter_spec *spec,
                                        struct secret **ret)
{
    AUTO_SECRET_VALUE struct secret_value present = {0};
    struct err *err;

    TRY(secretsmanager_get_value(&pass->target, spec->target, NULL, NULL, &present));
    if (!spec->key) {
        *ret = TAKE(present.text);
        return NULL;
    }
    err = secret_text_get(present.text, spec->target, spec->key, ret);
    if (!err || err_kind(err) != ERR_INVALID)
        return err;
    err_ignore(err, "somebody has put something else there");
    return NULL;
}

static struct err *read_config_map(const struct pass *pass, const struct parameter_spec *spec,
                                   struct secret **ret)
{
    static const struct kube_resource config_maps = {
        .group = "", .version = "v1", .plural = "configmaps", .kind = "ConfigMap", .namespaced = true};
    const struct kube_ref at = {.resource = &config_maps, .namespace = pass->namespace, .name = spec->target};
    AUTO_JSON struct json *config_map = NULL;
    const char *present;

    TRY(kube_get(pass->objects->kube, pass->env, &at, &config_map));
    present = json_get_text(json_member(json_member(config_map, "data"), spec->key), NULL, NULL);
    *ret = present ? secret_new(str_of(present)) : NULL;
    return NULL;
}

static struct err *read_secret(const struct pass *pass, const struct parameter_spec *spec,
                               struct secret **ret)
{
    return kube_secret_get(pass, spec->target, spec->key, ret);
}

static const struct {
    const char *noun;
    bool in_cluster;
    struct err *(*read)(const struct pass *pass, const struct parameter_spec *spec, struct secret **ret);
} places[] = {
    [PARAMETER_SSM] = {.noun = "parameter", .read = read_ssm},
    [PARAMETER_SECRETS_MANAGER] = {.noun = "secret", .read = read_secrets_manager},
    [PARAMETER_CONFIG_MAP] = {.noun = "ConfigMap", .in_cluster = true, .read = read_config_map},
    [PARAMETER_SECRET] = {.noun = "Secret", .in_cluster = true, .read = read_secret},
};

const char *value_noun(enum parameter_kind kind)
{
    return places[kind].noun;
}

struct err *value_read(const struct pass *pass, const struct parameter_spec *spec, struct secret **ret)
{
    AUTO_SECRET struct secret *value = NULL;
    struct err *err;

    if (places[spec->kind].in_cluster && !pass->objects->kube)
        return err_new(ERR_INVALID, "%s %s cannot be read: there is no cluster", places[spec->kind].noun,
                       spec->target);
    err = places[spec->kind].read(pass, spec, &value);
    if (err && err_kind(err) == ERR_NOT_FOUND) {
        err_ignore(err, "it holds nothing");
        return NULL;
    }
    TRY(err_wrap(err, "look at %s %s", places[spec->kind].noun, spec->target));
    *ret = TAKE(value);
    return NULL;
}
