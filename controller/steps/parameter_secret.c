#include "controller/steps/parameter_secret.h"

#include "controller/rows.h"
#include "controller/steps/secret_text.h"
#include "controller/steps/secret_version.h"

static struct err *read_current(const struct stage *stage, const struct parameter_spec *spec,
                                struct secret_value *ret)
{
    return err_wrap(secretsmanager_get_value(&stage->pass->target, spec->target, NULL, NULL, ret),
                    "read secret %s", spec->target);
}

struct err *parameter_secret_remember(struct stage *stage, const struct parameter_spec *spec)
{
    AUTO_SECRET_VALUE struct secret_value value = {0};
    struct previous_status *previous;

    TRY(read_current(stage, spec, &value));
    previous = status_set_previous(stage->pass->status, "SecretsManager", spec->name);
    text_replace(&previous->version, value.version_id);
    return NULL;
}

/* The content with this one value in it, yours; NULL when it is that already. */
static struct err *content_with(const struct secret *present, const struct parameter_spec *spec,
                                const char *value, struct secret **ret)
{
    AUTO_SECRET struct secret *wanted = secret_new(str_of(value));

    if (spec->key)
        return secret_text_with(present, spec->target, spec->key, wanted, ret);
    if (!secret_equal(present, wanted))
        *ret = TAKE(wanted);
    return NULL;
}

/* --- one version for all keys --- */

static struct step_status *row_of(const struct stage *stage, size_t index)
{
    AUTO_FREE char *name = workflow_row_name(stage->step, stage->pass->spec, index);
    const struct refresh_status *status = stage->pass->status;

    for (size_t i = 0; i < status->switchover_step_count; i++) {
        if (text_equal(status->switchover_steps[i].name, name))
            return &status->switchover_steps[i];
    }
    return NULL;
}

/* A key of the same secret, or the whole of it like the other one. */
static bool is_beside(const struct parameter_spec *other, const struct parameter_spec *spec)
{
    return other->kind == PARAMETER_SECRETS_MANAGER && text_equal(other->target, spec->target) &&
           (other->key != NULL) == (spec->key != NULL);
}

/* Only what is intended is written: what has no row under way may not know yet what was there before. */
static bool goes_along(const struct stage *stage, const struct parameter_spec *spec, size_t index)
{
    const struct step_status *row = row_of(stage, index);

    return is_beside(&stage->pass->spec->parameters[index], spec) && row &&
           (row_is_under_way(row) || row->state == STEP_DONE);
}

/* *ret is yours. What was put in, and on what it was built, goes into `identity`: the same again is the same
 * version. */
static struct err *merge(const struct stage *stage, const struct parameter_spec *spec,
                         const struct secret_value *present, struct secret **ret, struct buf *identity)
{
    AUTO_SECRET struct secret *content = secret_copy(present->text);

    buf_addf(identity, "%s\n%s\n%s\n%s", stage->pass->uid, stage->pass->status->run.id, spec->target,
             present->version_id);
    for (size_t i = 0; i < stage->pass->spec->parameter_count; i++) {
        const struct parameter_spec *other = &stage->pass->spec->parameters[i];
        AUTO_BUF struct buf value = BUF_MAX(PARAMETER_VALUE_MAX);
        AUTO_SECRET struct secret *next = NULL;

        if (!goes_along(stage, spec, i))
            continue;
        TRY(parameter_value(stage->pass, other, &value));
        TRY(content_with(content, other, buf_text(&value), &next));
        buf_addf(identity, "\n%s/%lld", other->name, (long long)row_of(stage, i)->attempt);
        if (next) {
            secret_free(content);
            content = TAKE(next);
        }
    }
    *ret = TAKE(content);
    return NULL;
}

struct err *parameter_secret_apply(struct stage *stage, const struct parameter_spec *spec, const char *value,
                                   bool *ret_changed)
{
    AUTO_SECRET_VALUE struct secret_value present = {0};
    AUTO_SECRET struct secret *differs = NULL;
    AUTO_SECRET struct secret *content = NULL;
    AUTO_BUF struct buf identity = BUF_MAX(64 * KIB);
    char version[SECRET_VERSION_MAX];

    TRY(read_current(stage, spec, &present));
    TRY(content_with(present.text, spec, value, &differs));
    if (!differs)
        return NULL;
    TRY(merge(stage, spec, &present, &content, &identity));
    secret_version_id(buf_str(&identity), version);
    *ret_changed = true;
    return err_wrap(secretsmanager_put_value(&stage->pass->target, spec->target, version, content, NULL),
                    "write secret %s", spec->target);
}

/* --- and back, all keys at once again --- */

struct way {
    const struct stage *stage;
    const struct parameter_spec *spec;
    struct secret_value present, before;
    struct secret *content; /* the present one, with what has gone back so far */
    struct buf identity;
};

static void way_done(struct way *way)
{
    secret_value_done(&way->present);
    secret_value_done(&way->before);
    secret_free(way->content);
    buf_done(&way->identity);
}

static struct err *read_version(const struct way *way, const char *version, struct secret_value *ret)
{
    return err_wrap(
        secretsmanager_get_value(&way->stage->pass->target, way->spec->target, version, NULL, ret),
        "read what secret %s held before", way->spec->target);
}

/* What the parameter's row is to put back, and nobody else has written since; NULL: nothing. */
static struct err *find_previous(const struct way *way, size_t index, const struct previous_status **ret)
{
    const struct parameter_spec *other = &way->stage->pass->spec->parameters[index];
    struct stage stage = {
        .pass = way->stage->pass, .step = way->stage->step, .row = row_of(way->stage, index), .index = index};
    AUTO_BUF struct buf value = BUF_MAX(PARAMETER_VALUE_MAX);
    AUTO_SECRET struct secret *differs = NULL;

    if (!is_beside(other, way->spec) || !stage.row || !stage_needs_undo(&stage))
        return NULL;
    TRY(parameter_value(stage.pass, other, &value));
    TRY(content_with(way->present.text, other, buf_text(&value), &differs));
    if (!differs)
        *ret = status_previous(stage.pass->status, "SecretsManager", other->name);
    return NULL;
}

static struct err *take_key_back(struct way *way, size_t index)
{
    const struct parameter_spec *other = &way->stage->pass->spec->parameters[index];
    const struct previous_status *previous = NULL;
    AUTO_SECRET_VALUE struct secret_value own = {0};
    AUTO_SECRET struct secret *next = NULL;
    bool is_own;

    TRY(find_previous(way, index, &previous));
    if (!previous)
        return NULL;
    is_own = !text_equal(previous->version, way->before.version_id);
    if (is_own) /* intended later than the others */
        TRY(read_version(way, previous->version, &own));
    TRY(secret_text_back(way->content, is_own ? own.text : way->before.text, way->spec->target, other->key,
                         &next));
    secret_free(way->content);
    way->content = TAKE(next);
    buf_addf(&way->identity, "\n%s/%lld", other->name, (long long)row_of(way->stage, index)->attempt);
    return NULL;
}

/* One key or more: what others have written beside them since stays. */
static struct err *put_keys_back(struct way *way)
{
    const struct pass *pass = way->stage->pass;
    char version[SECRET_VERSION_MAX];

    way->content = secret_copy(way->present.text);
    buf_addf(&way->identity, "%s\n%s\n%s\n%s\nback", pass->uid, pass->status->run.id, way->spec->target,
             way->present.version_id);
    for (size_t i = 0; i < pass->spec->parameter_count; i++)
        TRY(take_key_back(way, i));
    secret_version_id(buf_str(&way->identity), version);
    return secret_version_put_back(&(struct secret_way_back){.aws = &pass->target,
                                                             .secret_id = way->spec->target,
                                                             .present = &way->present,
                                                             .before = &way->before,
                                                             .content = way->content,
                                                             .version = version});
}

struct err *parameter_secret_restore(struct stage *stage, const struct parameter_spec *spec,
                                     const char *value, const struct previous_status *previous)
{
    CLEANUP(way_done) struct way way = {.stage = stage, .spec = spec, .identity = BUF_MAX(64 * KIB)};
    AUTO_SECRET struct secret *differs = NULL;

    TRY(read_current(stage, spec, &way.present));
    TRY(content_with(way.present.text, spec, value, &differs));
    if (differs || text_equal(way.present.version_id, previous->version))
        return NULL;
    if (spec->key) {
        TRY(read_version(&way, previous->version, &way.before));
        return err_wrap(put_keys_back(&way), "put secret %s back", spec->target);
    }
    return err_wrap(secretsmanager_move_stage(&stage->pass->target, spec->target, "AWSCURRENT",
                                              previous->version, way.present.version_id),
                    "put secret %s back", spec->target);
}
