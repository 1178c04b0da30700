#include "controller/drift.h"

#include "controller/names.h"
#include "controller/steps/kube_secret.h"
#include "controller/steps/secret_text.h"
#include "pkg/aws/rds_proxy.h"
#include "pkg/aws/secretsmanager.h"
#include "pkg/aws/ssm.h"
#include "pkg/kube/client.h"

#define VALUE_MAX (8 * KIB)

static void say(struct buf *out, const char *text)
{
    buf_addf(out, "%s%s", out->len ? "; " : "", text);
}

/* --- proxies --- */

static struct err *look_at_proxy(const struct pass *pass, const struct proxy_spec *spec, struct buf *out)
{
    CLEANUP(rds_proxy_targets_done) struct rds_proxy_targets targets = {0};
    const struct database_status *copy = status_database(pass->status, spec->database);
    AUTO_FREE char *text = NULL;
    const char *present;

    TRY(err_wrap(rds_proxy_list_targets(&pass->target, spec->name, &targets),
                 "look at the targets of proxy %s", spec->name));
    present = rds_proxy_targets_cluster(&targets);
    if (!copy || text_equal(present, copy->copy_identifier))
        return NULL;
    text = xasprintf("proxy %s points at %s instead of %s", spec->name, present ? present : "nothing",
                     copy->copy_identifier);
    say(out, text);
    return NULL;
}

/* --- parameters: each tells whether the value is there --- */

static struct err *is_in_ssm(const struct pass *pass, const struct parameter_spec *spec,
                             const struct secret *value, bool *ret)
{
    AUTO_SSM_PARAMETER struct ssm_parameter parameter = {0};

    TRY(ssm_get_parameter(&pass->target, spec->target, &parameter));
    *ret = secret_equal(parameter.value, value);
    return NULL;
}

static struct err *is_in_secrets_manager(const struct pass *pass, const struct parameter_spec *spec,
                                         const struct secret *value, bool *ret)
{
    AUTO_SECRET_VALUE struct secret_value present = {0};
    AUTO_SECRET struct secret *member = NULL;
    struct err *err;

    TRY(secretsmanager_get_value(&pass->target, spec->target, NULL, NULL, &present));
    if (!spec->key) {
        *ret = secret_equal(present.text, value);
        return NULL;
    }
    err = secret_text_get(present.text, spec->target, spec->key, &member);
    if (err && err_kind(err) == ERR_INVALID) {
        err_ignore(err, "somebody has put something else there");
        *ret = false;
        return NULL;
    }
    TRY(err);
    *ret = secret_equal(member, value);
    return NULL;
}

static struct err *is_in_config_map(const struct pass *pass, const struct parameter_spec *spec,
                                    const struct secret *value, bool *ret)
{
    static const struct kube_resource config_maps = {
        .group = "", .version = "v1", .plural = "configmaps", .kind = "ConfigMap", .namespaced = true};
    const struct kube_ref at = {.resource = &config_maps, .namespace = pass->namespace, .name = spec->target};
    AUTO_JSON struct json *config_map = NULL;
    const char *present;

    if (!pass->objects->kube)
        return NULL;
    TRY(kube_get(pass->objects->kube, pass->env, &at, &config_map));
    present = json_get_text(json_member(json_member(config_map, "data"), spec->key), NULL, NULL);
    *ret = present && str_equal(str_of(present), secret_reveal(value));
    return NULL;
}

static struct err *is_in_secret(const struct pass *pass, const struct parameter_spec *spec,
                                const struct secret *value, bool *ret)
{
    AUTO_SECRET struct secret *present = NULL;

    if (!pass->objects->kube)
        return NULL;
    TRY(kube_secret_get(pass, spec->target, spec->key, &present));
    *ret = present && secret_equal(present, value);
    return NULL;
}

static const struct {
    const char *noun;
    struct err *(*holds)(const struct pass *pass, const struct parameter_spec *spec,
                         const struct secret *value, bool *ret);
} places[] = {
    [PARAMETER_SSM] = {"parameter", is_in_ssm},
    [PARAMETER_SECRETS_MANAGER] = {"secret", is_in_secrets_manager},
    [PARAMETER_CONFIG_MAP] = {"ConfigMap", is_in_config_map},
    [PARAMETER_SECRET] = {"Secret", is_in_secret},
};

static struct err *look_at_parameter(const struct pass *pass, const struct parameter_spec *spec,
                                     struct buf *out)
{
    AUTO_TEMPLATES struct template_values values = names_templates(pass);
    AUTO_BUF struct buf wanted = BUF_MAX(VALUE_MAX);
    AUTO_SECRET struct secret *value = NULL;
    AUTO_FREE char *text = NULL;
    bool holds = true;
    struct err *err;

    TRY(template_expand(spec->value, values.items, values.count, &wanted));
    value = secret_new(buf_str(&wanted));
    err = places[spec->kind].holds(pass, spec, value, &holds);
    if (err && err_kind(err) == ERR_NOT_FOUND) {
        err_ignore(err, "somebody has removed it");
        holds = false;
        err = NULL;
    }
    TRY(err_wrap(err, "look at %s %s", places[spec->kind].noun, spec->target));
    if (holds)
        return NULL;
    text = xasprintf("%s %s%s%s does not hold what parameter %s was set to", places[spec->kind].noun,
                     spec->target, spec->key ? ", key " : "", spec->key ? spec->key : "", spec->name);
    say(out, text);
    return NULL;
}

struct err *drift_look(const struct pass *pass, struct buf *out)
{
    for (size_t i = 0; i < pass->spec->proxy_count; i++)
        TRY(look_at_proxy(pass, &pass->spec->proxies[i], out));
    for (size_t i = 0; i < pass->spec->parameter_count; i++)
        TRY(look_at_parameter(pass, &pass->spec->parameters[i], out));
    return NULL;
}
