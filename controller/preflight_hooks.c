/* What hooks are made of in the cluster. Functions and state machines are not looked at: the run needs no
 * right to do so. */
#include "controller/preflight.h"
#include "pkg/kube/client.h"

static const struct kube_resource cron_jobs = {
    .group = "batch", .version = "v1", .plural = "cronjobs", .kind = "CronJob", .namespaced = true};

/* The index-th hook of that kind, NULL: there are fewer; *ret_count: how many there are then. */
static const struct hook_spec *find_hook(const struct refresh_spec *spec, size_t index, size_t *ret_count)
{
    size_t total = spec->before_hook_count + spec->after_hook_count, seen = 0;

    for (size_t i = 0; i < total; i++) {
        const struct hook_spec *hook = i < spec->before_hook_count
                                           ? &spec->before_hooks[i]
                                           : &spec->after_hooks[i - spec->before_hook_count];

        if (hook->kind == HOOK_CRON_JOB && seen++ == index)
            return hook;
    }
    *ret_count = seen;
    return NULL;
}

static size_t hook_count(const struct refresh_spec *spec, const struct database_spec *database)
{
    size_t count = 0;

    (void)database;
    find_hook(spec, SIZE_MAX, &count);
    return count;
}

static const char *cron_job_of(const struct inspection *in)
{
    size_t count;

    return find_hook(in->preflight->spec, in->index, &count)->target;
}

static char *cron_job_subject(const struct inspection *in)
{
    return xasprintf("CronJob %s/%s", in->preflight->namespace ? in->preflight->namespace : "",
                     cron_job_of(in));
}

static struct err *look_at_cron_job(const struct inspection *in)
{
    const struct preflight *preflight = in->preflight;
    const struct kube_ref at = {
        .resource = &cron_jobs, .namespace = preflight->namespace, .name = cron_job_of(in)};
    AUTO_JSON struct json *cron_job = NULL;
    struct err *err;

    if (!preflight->kube) {
        preflight_unknown(in, "not looked at: it is in the cluster");
        return NULL;
    }
    err = kube_get(preflight->kube, preflight->env, &at, &cron_job);
    if (err && err_kind(err) == ERR_NOT_FOUND)
        preflight_fail(in, "it is not there: make it, or correct spec.hooks");
    else if (err && err_kind(err) == ERR_DENIED)
        preflight_fail(in, "the controller may not read it, and could not start the hook: grant it (%s)",
                       err_text(err));
    else if (err)
        return err;
    else
        preflight_ok(in, "it is there");
    err_ignore(err, "said in the finding");
    return NULL;
}

// clang-format off
static const struct preflight_check checks[] = {
    {.name = "Hook", .side = SIDE_TARGET, .count = hook_count, .subject = cron_job_subject, .look = look_at_cron_job},
};
// clang-format on

const struct preflight_table preflight_hooks = {.checks = checks, .count = COUNT_OF(checks)};
