#include "controller/steps/parameter_secret.h"

#include "controller/rows.h"
#include "controller/steps/secret_text.h"
#include "pkg/aws/secretsmanager.h"
#include "pkg/base/digest.h"
#include "pkg/base/secret.h"

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

static const struct step_status *row_of(const struct stage *stage, size_t index)
{
    AUTO_FREE char *name = workflow_row_name(stage->step, stage->pass->spec, index);
    const struct refresh_status *status = stage->pass->status;

    for (size_t i = 0; i < status->switchover_step_count; i++) {
        if (text_equal(status->switchover_steps[i].name, name))
            return &status->switchover_steps[i];
    }
    return NULL;
}

/* Only what is intended is written: what has no row under way may not know yet what was there before. */
static bool goes_along(const struct stage *stage, const struct parameter_spec *spec, size_t index)
{
    const struct parameter_spec *other = &stage->pass->spec->parameters[index];
    const struct step_status *row = NULL;

    if (other->kind != PARAMETER_SECRETS_MANAGER || !text_equal(other->target, spec->target) ||
        (other->key != NULL) != (spec->key != NULL))
        return false;
    row = row_of(stage, index);
    return row && (row_is_under_way(row) || row->state == STEP_DONE);
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

#define VERSION_MAX 51 /* a version's id: 32 to 64 characters */

struct err *parameter_secret_apply(struct stage *stage, const struct parameter_spec *spec, const char *value,
                                   bool *ret_changed)
{
    AUTO_SECRET_VALUE struct secret_value present = {0};
    AUTO_SECRET struct secret *differs = NULL;
    AUTO_SECRET struct secret *content = NULL;
    AUTO_BUF struct buf identity = BUF_MAX(64 * KIB);
    char version[2 * SHA256_BYTES + 1];

    TRY(read_current(stage, spec, &present));
    TRY(content_with(present.text, spec, value, &differs));
    if (!differs)
        return NULL;
    TRY(merge(stage, spec, &present, &content, &identity));
    sha256_hex(buf_str(&identity), version);
    version[VERSION_MAX - 1] = '\0';
    *ret_changed = true;
    return err_wrap(secretsmanager_put_value(&stage->pass->target, spec->target, version, content, NULL),
                    "write secret %s", spec->target);
}

struct err *parameter_secret_restore(struct stage *stage, const struct parameter_spec *spec,
                                     const char *value, const struct previous_status *previous)
{
    AUTO_SECRET_VALUE struct secret_value present = {0};
    AUTO_SECRET struct secret *differs = NULL;

    TRY(read_current(stage, spec, &present));
    TRY(content_with(present.text, spec, value, &differs));
    if (differs || text_equal(present.version_id, previous->version))
        return NULL;
    return err_wrap(secretsmanager_move_stage(&stage->pass->target, spec->target, "AWSCURRENT",
                                              previous->version, present.version_id),
                    "put secret %s back", spec->target);
}
