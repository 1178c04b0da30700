/* Parameters: the places where applications read which database to use. Read first, write only what differs;
 * what was there before is remembered by version (SSM, Secrets Manager) or by content (ConfigMap), never a
 * secret's content. */
#include "controller/names.h"
#include "controller/steps/steps.h"
#include "pkg/aws/secretsmanager.h"
#include "pkg/aws/ssm.h"
#include "pkg/base/secret.h"
#include "pkg/kube/client.h"

#define VALUE_MAX (8 * KIB)

/* One kind of place. */
struct place_ops {
    const char *kind; /* as in status.switchover.previous */
    struct err *(*remember)(struct stage *stage, const struct parameter_spec *spec);
    struct err *(*apply)(struct stage *stage, const struct parameter_spec *spec, const char *value,
                         bool *ret_changed);
    /* Puts back what `previous` remembers, but only over `value`: what somebody else has written since
     * stays. */
    struct err *(*restore)(struct stage *stage, const struct parameter_spec *spec, const char *value,
                           const struct previous_status *previous);
};

static const struct kube_resource config_maps = {
    .group = "", .version = "v1", .plural = "configmaps", .kind = "ConfigMap", .namespaced = true};

/* --- SSM --- */

static struct err *ssm_remember(struct stage *stage, const struct parameter_spec *spec)
{
    AUTO_SSM_PARAMETER struct ssm_parameter parameter = {0};
    struct previous_status *previous;
    AUTO_FREE char *version = NULL;

    TRY(err_wrap(ssm_get_parameter(&stage->pass->target, spec->target, &parameter), "read parameter %s",
                 spec->target));
    version = xasprintf("%lld", (long long)parameter.version);
    previous = status_set_previous(stage->pass->status, "SSM", spec->name);
    text_replace(&previous->version, version);
    return NULL;
}

static struct err *ssm_apply(struct stage *stage, const struct parameter_spec *spec, const char *value,
                             bool *ret_changed)
{
    AUTO_SSM_PARAMETER struct ssm_parameter parameter = {0};
    AUTO_SECRET struct secret *wanted = secret_new(str_of(value));
    int64_t version;

    TRY(err_wrap(ssm_get_parameter(&stage->pass->target, spec->target, &parameter), "read parameter %s",
                 spec->target));
    if (secret_equal(parameter.value, wanted))
        return NULL;
    const struct ssm_put_opts opts = {
        .name = spec->target, .type = parameter.type, .value = wanted, .overwrite = true};

    *ret_changed = true;
    return err_wrap(ssm_put_parameter(&stage->pass->target, &opts, &version), "write parameter %s",
                    spec->target);
}

/* By version: the old value is read from the parameter's own history. */
static struct err *ssm_restore(struct stage *stage, const struct parameter_spec *spec, const char *value,
                               const struct previous_status *previous)
{
    AUTO_FREE char *selector = xasprintf("%s:%s", spec->target, previous->version);
    AUTO_SSM_PARAMETER struct ssm_parameter present = {0};
    AUTO_SSM_PARAMETER struct ssm_parameter before = {0};
    AUTO_SECRET struct secret *ours = secret_new(str_of(value));
    int64_t version;

    TRY(err_wrap(ssm_get_parameter(&stage->pass->target, spec->target, &present), "read parameter %s",
                 spec->target));
    if (!secret_equal(present.value, ours))
        return NULL;
    TRY(err_wrap(ssm_get_parameter(&stage->pass->target, selector, &before), "read parameter %s", selector));
    if (secret_equal(before.value, ours))
        return NULL;
    const struct ssm_put_opts opts = {
        .name = spec->target, .type = present.type, .value = before.value, .overwrite = true};

    return err_wrap(ssm_put_parameter(&stage->pass->target, &opts, &version), "put parameter %s back",
                    spec->target);
}

/* --- one key of a Secrets Manager secret --- */

static struct err *secret_remember(struct stage *stage, const struct parameter_spec *spec)
{
    AUTO_SECRET_VALUE struct secret_value value = {0};
    struct previous_status *previous;

    TRY(err_wrap(secretsmanager_get_value(&stage->pass->target, spec->target, NULL, NULL, &value),
                 "read secret %s", spec->target));
    previous = status_set_previous(stage->pass->status, "SecretsManager", spec->name);
    text_replace(&previous->version, value.version_id);
    return NULL;
}

/* The new content, yours: the object that is there with one member set. NULL when that member has the value
 * already. */
static struct err *with_key(const struct secret *text, const struct parameter_spec *spec, const char *value,
                            struct secret **ret)
{
    AUTO_BUF struct buf printed = BUF_SECRET(64 * KIB);
    AUTO_JSON struct json *object = NULL;
    struct err *err = json_parse(secret_reveal(text), NULL, &object);

    if (err || !json_is(object, JSON_OBJECT)) {
        err_ignore(err, "its text may quote the secret");
        return err_new(ERR_INVALID, "secret %s is not a JSON object, so key %s cannot be set in it",
                       spec->target, spec->key);
    }
    if (text_equal(json_get_text(json_member(object, spec->key), NULL, NULL), value))
        return NULL;
    json_set_text(object, spec->key, value);
    json_print(object, &printed);
    *ret = secret_new(buf_str(&printed));
    return NULL;
}

static struct err *secret_apply(struct stage *stage, const struct parameter_spec *spec, const char *value,
                                bool *ret_changed)
{
    AUTO_SECRET_VALUE struct secret_value present = {0};
    AUTO_SECRET struct secret *wanted = NULL;
    AUTO_FREE char *version = NULL;
    char token[TOKEN_MAX];

    TRY(err_wrap(secretsmanager_get_value(&stage->pass->target, spec->target, NULL, NULL, &present),
                 "read secret %s", spec->target));
    TRY(with_key(present.text, spec, value, &wanted));
    if (!wanted)
        return NULL;
    name_token(stage, token);
    *ret_changed = true;
    return err_wrap(secretsmanager_put_value(&stage->pass->target, spec->target, token, wanted, &version),
                    "write secret %s", spec->target);
}

static struct err *secret_restore(struct stage *stage, const struct parameter_spec *spec, const char *value,
                                  const struct previous_status *previous)
{
    AUTO_SECRET_VALUE struct secret_value present = {0};
    AUTO_SECRET struct secret *differs = NULL;

    TRY(err_wrap(secretsmanager_get_value(&stage->pass->target, spec->target, NULL, NULL, &present),
                 "read secret %s", spec->target));
    TRY(with_key(present.text, spec, value, &differs));
    if (differs || text_equal(present.version_id, previous->version))
        return NULL;
    return err_wrap(secretsmanager_move_stage(&stage->pass->target, spec->target, "AWSCURRENT",
                                              previous->version, present.version_id),
                    "put secret %s back", spec->target);
}

/* --- one key of a ConfigMap --- */

static struct err *read_config_map(struct stage *stage, const struct parameter_spec *spec, struct json **ret)
{
    const struct kube_ref at = {
        .resource = &config_maps, .namespace = stage->pass->namespace, .name = spec->target};

    if (!stage->pass->objects->kube)
        return err_new(ERR_INVALID, "ConfigMap %s needs a cluster, and there is none", spec->target);
    return err_wrap(kube_get(stage->pass->objects->kube, stage->pass->env, &at, ret), "read ConfigMap %s",
                    spec->target);
}

static const char *config_map_value(const struct json *config_map, const char *key)
{
    return json_get_text(json_member(json_member(config_map, "data"), key), NULL, NULL);
}

static struct err *config_map_remember(struct stage *stage, const struct parameter_spec *spec)
{
    AUTO_JSON struct json *config_map = NULL;
    struct previous_status *previous;

    TRY(read_config_map(stage, spec, &config_map));
    previous = status_set_previous(stage->pass->status, "ConfigMap", spec->name);
    text_replace(&previous->value, config_map_value(config_map, spec->key));
    return NULL;
}

/* value NULL: the key goes. */
static struct err *write_config_map(struct stage *stage, const struct parameter_spec *spec, const char *value)
{
    const struct kube_ref at = {
        .resource = &config_maps, .namespace = stage->pass->namespace, .name = spec->target};
    AUTO_JSON struct json *body = json_new_object();
    const struct kube_patch patch = {.type = KUBE_PATCH_MERGE, .body = body};
    struct json *data = json_new_object();

    json_set(body, "data", data);
    json_set(data, spec->key, value ? json_new_text(value) : json_new_null());
    return err_wrap(kube_patch(stage->pass->objects->kube, stage->pass->env, &at, &patch, NULL),
                    "write ConfigMap %s", spec->target);
}

static struct err *config_map_apply(struct stage *stage, const struct parameter_spec *spec, const char *value,
                                    bool *ret_changed)
{
    AUTO_JSON struct json *config_map = NULL;

    TRY(read_config_map(stage, spec, &config_map));
    if (text_equal(config_map_value(config_map, spec->key), value))
        return NULL;
    *ret_changed = true;
    return write_config_map(stage, spec, value);
}

static struct err *config_map_restore(struct stage *stage, const struct parameter_spec *spec,
                                      const char *value, const struct previous_status *previous)
{
    AUTO_JSON struct json *config_map = NULL;

    TRY(read_config_map(stage, spec, &config_map));
    if (!text_equal(config_map_value(config_map, spec->key), value) || text_equal(previous->value, value))
        return NULL;
    return write_config_map(stage, spec, previous->value);
}

/* --- */

static const struct place_ops places[] = {
    [PARAMETER_SSM] = {.kind = "SSM", .remember = ssm_remember, .apply = ssm_apply, .restore = ssm_restore},
    [PARAMETER_SECRETS_MANAGER] = {.kind = "SecretsManager",
                                   .remember = secret_remember,
                                   .apply = secret_apply,
                                   .restore = secret_restore},
    [PARAMETER_CONFIG_MAP] = {.kind = "ConfigMap",
                              .remember = config_map_remember,
                              .apply = config_map_apply,
                              .restore = config_map_restore},
    [PARAMETER_SECRET] = {.kind = "Secret"}, /* refused before a run starts */
};

struct err *parameter_intend(struct stage *stage)
{
    const struct parameter_spec *spec = &stage->pass->spec->parameters[stage->index];

    return places[spec->kind].remember(stage, spec);
}

static struct err *expand(const struct stage *stage, const struct parameter_spec *spec, struct buf *ret)
{
    AUTO_TEMPLATES struct template_values values = names_templates(stage->pass);

    return err_wrap(template_expand(spec->value, values.items, values.count, ret), "value of parameter %s",
                    spec->name);
}

struct err *parameter_act(struct stage *stage, struct outcome *out)
{
    const struct parameter_spec *spec = &stage->pass->spec->parameters[stage->index];
    AUTO_TEMPLATES struct template_values values = names_templates(stage->pass);
    AUTO_BUF struct buf value = BUF_MAX(VALUE_MAX);
    bool changed = false;

    TRY(err_wrap(template_expand(spec->value, values.items, values.count, &value), "value of parameter %s",
                 spec->name));
    TRY(places[spec->kind].apply(stage, spec, buf_text(&value), &changed));
    if (stage->row->state == STEP_INTENDED)
        stage_started(stage, spec->target);
    /* Written is not there: the next look proves it. */
    if (changed)
        *out = outcome_wait(SECONDS(1), "%s was written", spec->target);
    else
        *out = outcome_done("%s has the new value", spec->target);
    return NULL;
}

struct err *parameter_undo(struct stage *stage, struct outcome *out)
{
    const struct parameter_spec *spec = &stage->pass->spec->parameters[stage->index];
    const struct previous_status *previous =
        status_previous(stage->pass->status, places[spec->kind].kind, spec->name);
    AUTO_BUF struct buf value = BUF_MAX(VALUE_MAX);

    TRY(expand(stage, spec, &value));
    if (previous)
        TRY(places[spec->kind].restore(stage, spec, buf_text(&value), previous));
    *out = outcome_done("%s holds what it held before, or what somebody else has written", spec->target);
    return NULL;
}
