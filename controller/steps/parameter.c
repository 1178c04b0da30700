/* Parameters: the places where applications read which database to use. Read first, write only what differs;
 * what was there before is remembered by version (SSM, Secrets Manager), by content (ConfigMap), or in a
 * Secret of ours: in the status there is never a secret's content. */
#include "controller/names.h"
#include "controller/steps/kube_secret.h"
#include "controller/steps/parameter_secret.h"
#include "controller/steps/secret_text.h"
#include "controller/steps/steps.h"
#include "pkg/aws/secretsmanager.h"
#include "pkg/aws/ssm.h"
#include "pkg/base/secret.h"
#include "pkg/kube/client.h"

/* What was there before is kept in the status, which has room for so much. */
#define CONFIG_MAP_VALUE_MAX KIB

/* One kind of place. */
struct place_ops {
    const char *kind; /* as in status.switchover.previous */
    /* Whether it can be read and is fit to take the value, and whether it holds it; nothing is remembered. */
    struct err *(*look)(struct stage *stage, const struct parameter_spec *spec, const char *value,
                        bool *ret_holds);
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

static struct err *ssm_look(struct stage *stage, const struct parameter_spec *spec, const char *value,
                            bool *ret_holds)
{
    AUTO_SSM_PARAMETER struct ssm_parameter parameter = {0};
    AUTO_SECRET struct secret *wanted = secret_new(str_of(value));

    TRY(err_wrap(ssm_get_parameter(&stage->pass->target, spec->target, &parameter), "read parameter %s",
                 spec->target));
    *ret_holds = secret_equal(parameter.value, wanted);
    return NULL;
}

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

/* An overwrite keeps type, tier and key only when it repeats them: without the key a SecureString would go
 * over to the account's own. */
static struct err *ssm_write(struct stage *stage, const struct parameter_spec *spec,
                             const struct secret *value)
{
    AUTO_SSM_DESCRIPTION struct ssm_description is = {0};

    TRY(ssm_describe_parameter(&stage->pass->target, spec->target, &is));
    const struct ssm_put_opts opts = {.name = spec->target,
                                      .type = is.type,
                                      .kms_key_id = is.kms_key_id,
                                      .tier = is.tier,
                                      .value = value,
                                      .overwrite = true};

    return ssm_put_parameter(&stage->pass->target, &opts, NULL);
}

static struct err *ssm_apply(struct stage *stage, const struct parameter_spec *spec, const char *value,
                             bool *ret_changed)
{
    AUTO_SSM_PARAMETER struct ssm_parameter parameter = {0};
    AUTO_SECRET struct secret *wanted = secret_new(str_of(value));

    TRY(err_wrap(ssm_get_parameter(&stage->pass->target, spec->target, &parameter), "read parameter %s",
                 spec->target));
    if (secret_equal(parameter.value, wanted))
        return NULL;
    *ret_changed = true;
    return err_wrap(ssm_write(stage, spec, wanted), "write parameter %s", spec->target);
}

/* By version: the old value is read from the parameter's own history. */
static struct err *ssm_restore(struct stage *stage, const struct parameter_spec *spec, const char *value,
                               const struct previous_status *previous)
{
    AUTO_FREE char *selector = xasprintf("%s:%s", spec->target, previous->version);
    AUTO_SSM_PARAMETER struct ssm_parameter present = {0};
    AUTO_SSM_PARAMETER struct ssm_parameter before = {0};
    AUTO_SECRET struct secret *ours = secret_new(str_of(value));

    TRY(err_wrap(ssm_get_parameter(&stage->pass->target, spec->target, &present), "read parameter %s",
                 spec->target));
    if (!secret_equal(present.value, ours))
        return NULL;
    TRY(err_wrap(ssm_get_parameter(&stage->pass->target, selector, &before), "read parameter %s", selector));
    if (secret_equal(before.value, ours))
        return NULL;
    return err_wrap(ssm_write(stage, spec, before.value), "put parameter %s back", spec->target);
}

/* --- Secrets Manager; the rest is in parameter_secret.c --- */

static struct err *secret_look(struct stage *stage, const struct parameter_spec *spec, const char *value,
                               bool *ret_holds)
{
    AUTO_SECRET_VALUE struct secret_value present = {0};
    AUTO_SECRET struct secret *wanted = secret_new(str_of(value));
    AUTO_SECRET struct secret *differs = NULL;

    TRY(err_wrap(secretsmanager_get_value(&stage->pass->target, spec->target, NULL, NULL, &present),
                 "read secret %s", spec->target));
    if (spec->key)
        TRY(secret_text_with(present.text, spec->target, spec->key, wanted, &differs));
    *ret_holds = spec->key ? !differs : secret_equal(present.text, wanted);
    return NULL;
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

/* *ret_value stays NULL when there is no such key; borrowed from *ret. */
static struct err *read_key_before(struct stage *stage, const struct parameter_spec *spec, struct json **ret,
                                   const char **ret_value)
{
    TRY(read_config_map(stage, spec, ret));
    *ret_value = config_map_value(*ret, spec->key);
    if (*ret_value && strlen(*ret_value) > CONFIG_MAP_VALUE_MAX)
        return err_new(ERR_INVALID,
                       "key %s of ConfigMap %s holds more than %d bytes, which could not be put back: use a "
                       "ConfigMap with a key for each value",
                       spec->key, spec->target, (int)CONFIG_MAP_VALUE_MAX);
    return NULL;
}

static struct err *config_map_look(struct stage *stage, const struct parameter_spec *spec, const char *value,
                                   bool *ret_holds)
{
    AUTO_JSON struct json *config_map = NULL;
    const char *present = NULL;

    TRY(read_key_before(stage, spec, &config_map, &present));
    *ret_holds = text_equal(present, value);
    return NULL;
}

static struct err *config_map_remember(struct stage *stage, const struct parameter_spec *spec)
{
    AUTO_JSON struct json *config_map = NULL;
    struct previous_status *previous;
    const char *value = NULL;

    TRY(read_key_before(stage, spec, &config_map, &value));
    previous = status_set_previous(stage->pass->status, "ConfigMap", spec->name);
    text_replace(&previous->value, value);
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

/* --- one key of a Secret; what it held is kept in a Secret of ours --- */

/* What is remembered is the key there, or that there was nothing. Earlier versions of the controller said
 * IS_KEPT, and had one key for all attempts. */
#define WAS_ABSENT "absent"
#define IS_KEPT "kept"

static char *key_before(const struct parameter_spec *spec)
{
    return xasprintf("parameter.%s.before", spec->name);
}

static struct err *kube_look(struct stage *stage, const struct parameter_spec *spec, const char *value,
                             bool *ret_holds)
{
    AUTO_SECRET struct secret *wanted = secret_new(str_of(value));
    AUTO_SECRET struct secret *present = NULL;

    TRY(kube_secret_get(stage->pass, spec->target, spec->key, &present));
    *ret_holds = present && secret_equal(present, wanted);
    return NULL;
}

static struct err *kube_remember(struct stage *stage, const struct parameter_spec *spec)
{
    AUTO_FREE char *what = key_before(spec);
    AUTO_FREE char *key = kube_secret_attempt_key(stage->pass, what);
    AUTO_SECRET struct secret *present = NULL;
    AUTO_SECRET struct secret *kept = NULL;

    TRY(kube_secret_get(stage->pass, spec->target, spec->key, &present));
    if (present)
        TRY(kube_secret_kept(stage->pass, key, &kept));
    if (present && !kept) /* kept by a pass whose status was lost: it was the first to look */
        TRY(kube_secret_keep(stage->pass, key, present));
    text_replace(&status_set_previous(stage->pass->status, "Secret", spec->name)->version,
                 present ? key : WAS_ABSENT);
    return NULL;
}

/* *ret stays NULL when the key was not there. */
static struct err *read_before(const struct stage *stage, const struct parameter_spec *spec,
                               const struct previous_status *previous, struct secret **ret)
{
    AUTO_FREE char *key =
        text_equal(previous->version, IS_KEPT) ? key_before(spec) : xstrdup_or_null(previous->version);

    if (text_equal(key, WAS_ABSENT))
        return NULL;
    if (key)
        TRY(kube_secret_kept(stage->pass, key, ret));
    if (*ret)
        return NULL;
    return err_new(ERR_INVALID, "what key %s of Secret %s held before is not there any more", spec->key,
                   spec->target);
}

static struct err *kube_apply(struct stage *stage, const struct parameter_spec *spec, const char *value,
                              bool *ret_changed)
{
    AUTO_SECRET struct secret *wanted = secret_new(str_of(value));
    AUTO_SECRET struct secret *present = NULL;

    TRY(kube_secret_get(stage->pass, spec->target, spec->key, &present));
    if (present && secret_equal(present, wanted))
        return NULL;
    *ret_changed = true;
    return kube_secret_set(stage->pass, spec->target, spec->key, wanted);
}

static struct err *kube_restore(struct stage *stage, const struct parameter_spec *spec, const char *value,
                                const struct previous_status *previous)
{
    AUTO_SECRET struct secret *ours = secret_new(str_of(value));
    AUTO_SECRET struct secret *present = NULL;
    AUTO_SECRET struct secret *before = NULL;

    TRY(kube_secret_get(stage->pass, spec->target, spec->key, &present));
    if (!present || !secret_equal(present, ours))
        return NULL;
    TRY(read_before(stage, spec, previous, &before));
    return kube_secret_set(stage->pass, spec->target, spec->key, before);
}

/* --- */

static const struct place_ops places[] = {
    [PARAMETER_SSM] = {.kind = "SSM",
                       .look = ssm_look,
                       .remember = ssm_remember,
                       .apply = ssm_apply,
                       .restore = ssm_restore},
    [PARAMETER_SECRETS_MANAGER] = {.kind = "SecretsManager",
                                   .look = secret_look,
                                   .remember = parameter_secret_remember,
                                   .apply = parameter_secret_apply,
                                   .restore = parameter_secret_restore},
    [PARAMETER_CONFIG_MAP] = {.kind = "ConfigMap",
                              .look = config_map_look,
                              .remember = config_map_remember,
                              .apply = config_map_apply,
                              .restore = config_map_restore},
    [PARAMETER_SECRET] = {.kind = "Secret",
                          .look = kube_look,
                          .remember = kube_remember,
                          .apply = kube_apply,
                          .restore = kube_restore},
};

struct err *parameter_value(const struct pass *pass, const struct parameter_spec *spec, struct buf *ret)
{
    AUTO_TEMPLATES struct template_values values = names_templates(pass);

    return err_wrap(template_expand(spec->value, values.items, values.count, ret), "value of parameter %s",
                    spec->name);
}

static struct err *look(struct stage *stage, const struct parameter_spec *spec, bool *ret_holds)
{
    AUTO_BUF struct buf value = BUF_MAX(PARAMETER_VALUE_MAX);

    TRY(parameter_value(stage->pass, spec, &value));
    return places[spec->kind].look(stage, spec, buf_text(&value), ret_holds);
}

/* What an attempt could not put back holds our value still; what was there before it is known. */
struct err *parameter_intend(struct stage *stage)
{
    const struct parameter_spec *spec = &stage->pass->spec->parameters[stage->index];
    bool holds = false;

    if (status_previous(stage->pass->status, places[spec->kind].kind, spec->name))
        TRY(look(stage, spec, &holds));
    return holds ? NULL : places[spec->kind].remember(stage, spec);
}

struct err *parameter_rehearse(struct stage *stage)
{
    const struct parameter_spec *spec = &stage->pass->spec->parameters[stage->index];
    bool holds;

    return look(stage, spec, &holds);
}

struct err *parameter_act(struct stage *stage, struct outcome *out)
{
    const struct parameter_spec *spec = &stage->pass->spec->parameters[stage->index];
    AUTO_BUF struct buf value = BUF_MAX(PARAMETER_VALUE_MAX);
    bool changed = false;

    TRY(parameter_value(stage->pass, spec, &value));
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

/* The place itself, not only what it held before. */
static bool is_gone(struct stage *stage, const struct parameter_spec *spec)
{
    bool holds;
    struct err *err = look(stage, spec, &holds);
    bool gone = err && err_kind(err) == ERR_NOT_FOUND;

    if (err)
        err_ignore(err, "the error at hand says it");
    return gone;
}

static struct err *put_back(struct stage *stage, const struct parameter_spec *spec, const char *value,
                            struct outcome *out)
{
    const struct previous_status *previous =
        status_previous(stage->pass->status, places[spec->kind].kind, spec->name);
    struct err *err = previous ? places[spec->kind].restore(stage, spec, value, previous) : NULL;

    if (err && err_kind(err) == ERR_NOT_FOUND && is_gone(stage, spec)) {
        *out = outcome_done("%s is not there any more, so that nothing is to be put back: %s", spec->target,
                            err_text(err));
        err_ignore(err, "said in the row's message");
        return NULL;
    }
    TRY(err);
    *out = outcome_done("%s holds what it held before, or what somebody else has written", spec->target);
    return NULL;
}

struct err *parameter_undo(struct stage *stage, struct outcome *out)
{
    const struct parameter_spec *spec = &stage->pass->spec->parameters[stage->index];
    AUTO_BUF struct buf value = BUF_MAX(PARAMETER_VALUE_MAX);
    struct err *err = parameter_value(stage->pass, spec, &value);

    if (err && err_kind(err) == ERR_INVALID) { /* so it was never written */
        *out = outcome_done("%s was not changed: %s", spec->target, err_text(err));
        err_ignore(err, "said in the row's message");
        return NULL;
    }
    TRY(err);
    return put_back(stage, spec, buf_text(&value), out);
}
