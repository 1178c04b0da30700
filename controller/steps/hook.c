/* Hooks: what people want done before staging changes (nothing points to the copies yet, the password already
 * works: the place to mask personal data) and after it. A Job made from a suspended CronJob of the namespace,
 * a Step Functions execution, or an asynchronous Lambda invocation. They get endpoints, names and the names
 * of secrets; never a secret itself.
 *
 * Job and execution are named after the run, so that a repeat finds what is there. A Lambda function is
 * invoked once or more. */
#include "controller/names.h"
#include "controller/steps/steps.h"
#include "pkg/aws/lambda.h"
#include "pkg/aws/stepfunctions.h"
#include "pkg/kube/client.h"

#define HOOK_LOOK_MS SECONDS(10)
#define EXECUTION_NAME_MAX 80
#define TRIED_MS MINUTES(10)

static const struct kube_resource cron_jobs = {
    .group = "batch", .version = "v1", .plural = "cronjobs", .kind = "CronJob", .namespaced = true};
static const struct kube_resource jobs = {
    .group = "batch", .version = "v1", .plural = "jobs", .kind = "Job", .namespaced = true};
static const struct kube_resource pods = {
    .group = "", .version = "v1", .plural = "pods", .kind = "Pod", .namespaced = true};

static const struct hook_spec *hook_of(const struct stage *stage)
{
    const struct refresh_spec *spec = stage->pass->spec;

    return str_starts(str_of(stage->step->name), "Before") ? &spec->before_hooks[stage->index]
                                                           : &spec->after_hooks[stage->index];
}

/* "sr-mask-20261122-030002-k7x4q[-2]": fits a label, and the 80 characters of an execution. */
static char *hook_run_name(const struct stage *stage)
{
    AUTO_FREE char *prefix = xasprintf("sr-%s", hook_of(stage)->name);

    return name_copy(prefix, stage->pass->status->run.id, stage->row->attempt);
}

static struct outcome hook_failed(const struct stage *stage, const char *what)
{
    const struct hook_spec *hook = hook_of(stage);

    if (!hook->stop_on_failure)
        return outcome_done("hook %s failed and onFailure is Continue: %s", hook->name, what);
    return outcome_failed("HookFailed", "hook %s failed: %s", hook->name, what);
}

/* --- what a hook is told --- */

static void tell_database(const struct stage *stage, const struct database_status *status, struct json *ret)
{
    const struct database_spec *spec = refresh_database(stage->pass->spec, status->name);
    bool aurora = spec && spec->kind == DATABASE_AURORA;

    json_set_text(ret, aurora ? "clusterIdentifier" : "tableName", status->copy_identifier);
    json_set_text(ret, "arn", status->copy_arn);
    json_set_text(ret, "streamARN", status->stream_arn);
    if (!aurora)
        return;
    json_set_text(ret, "endpoint", status->endpoint);
    json_set_text(ret, "readerEndpoint", status->reader_endpoint);
    json_set_text(ret, "engine", status->engine);
    json_set_text(ret, "masterUsername", status->master_username);
    if (status->port)
        json_set_int(ret, "port", status->port);
    /* Where the password is, for whoever may read it there. */
    json_set_text(ret, "secretID", spec->aurora.password.from.secrets_manager_id);
    json_set_text(ret, "secretName", spec->aurora.password.from.secret_name);
    json_set_text(ret, "secretKey",
                  spec->aurora.password.from.secrets_manager_id
                      ? spec->aurora.password.from.secrets_manager_key
                      : spec->aurora.password.from.secret_key);
}

static struct json *hook_input(const struct stage *stage)
{
    const struct pass *pass = stage->pass;
    struct json *input = json_new_object(), *databases = json_new_object();

    json_set_text(input, "run", pass->status->run.id);
    json_set_text(input, "namespace", pass->namespace);
    json_set_text(input, "name", pass->name);
    json_set_text(input, "series", pass->spec->series);
    json_set_text(input, "hook", hook_of(stage)->name);
    json_set_text(input, "when", stage->step->name);
    for (size_t i = 0; i < pass->status->database_count; i++) {
        struct json *database = json_new_object();

        tell_database(stage, &pass->status->databases[i], database);
        json_set(databases, pass->status->databases[i].name, database);
    }
    json_set(input, "databases", databases);
    return input;
}

/* --- Lambda --- */

static struct err *lambda_act(struct stage *stage, struct outcome *out)
{
    const struct hook_spec *hook = hook_of(stage);
    AUTO_JSON struct json *input = hook_input(stage);

    TRY(err_wrap(lambda_invoke_async(&stage->pass->target, hook->target, input), "invoke function %s",
                 hook->target));
    stage_started(stage, hook->target);
    *out = outcome_done("function %s was invoked; it runs on its own", hook->target);
    return NULL;
}

/* --- Step Functions --- */

static struct err *execution_start(struct stage *stage, struct outcome *out)
{
    const struct hook_spec *hook = hook_of(stage);
    AUTO_FREE char *machine = str_starts(str_of(hook->target), "arn:")
                                  ? xstrdup(hook->target)
                                  : stepfunctions_machine_arn(&stage->pass->target, hook->target);
    AUTO_FREE char *name = hook_run_name(stage);
    AUTO_JSON struct json *input = hook_input(stage);
    AUTO_FREE char *execution = NULL;
    struct err *err = stepfunctions_start(&stage->pass->target, machine, name, input, &execution);

    if (err && err_is_code(err, "ExecutionAlreadyExists")) {
        err_ignore(err, "started by an earlier pass whose answer was lost, and over by now");
        err = NULL;
        execution = stepfunctions_execution_arn(machine, name);
    }
    TRY(err_wrap(err, "start an execution of state machine %s", hook->target));
    stage_started(stage, execution);
    *out = outcome_wait(HOOK_LOOK_MS, "execution %s was started", name);
    return NULL;
}

static struct err *execution_look(struct stage *stage, struct outcome *out)
{
    AUTO_EXECUTION struct execution execution = {0};
    AUTO_FREE char *what = NULL;

    TRY(err_wrap(stepfunctions_describe(&stage->pass->target, stage->row->external_id, &execution),
                 "look at execution %s", stage->row->external_id));
    if (text_equal(execution.status, "SUCCEEDED")) {
        *out = outcome_done("execution %s succeeded", stage->row->external_id);
    } else if (text_equal(execution.status, "RUNNING") || text_equal(execution.status, "PENDING_REDRIVE")) {
        *out = outcome_wait(HOOK_LOOK_MS, "execution %s is %s", stage->row->external_id, execution.status);
    } else {
        what = xasprintf("execution %s is %s: %s %s", stage->row->external_id, execution.status,
                         execution.error ? execution.error : "", execution.cause ? execution.cause : "");
        *out = hook_failed(stage, what);
    }
    return NULL;
}

static struct err *execution_act(struct stage *stage, struct outcome *out)
{
    return stage->row->state == STEP_INTENDED ? execution_start(stage, out) : execution_look(stage, out);
}

/* --- a Job from a suspended CronJob --- */

static void add_variable(struct json *variables, const char *name, const char *value)
{
    struct json *variable = json_new_object();

    json_set_text(variable, "name", name);
    json_set_text(variable, "value", value);
    json_append(variables, variable);
}

/* "main" and "readerEndpoint" give STAGINGREFRESH_MAIN_READER_ENDPOINT. */
static char *variable_name(const char *database, const char *attribute)
{
    AUTO_BUF struct buf name = BUF_MAX(256);

    buf_adds(&name, "STAGINGREFRESH_");
    for (const char *p = database; *p; p++)
        buf_addc(&name, *p >= 'a' && *p <= 'z' ? (char)(*p - 32) : (*p == '-' || *p == '.') ? '_' : *p);
    buf_addc(&name, '_');
    for (const char *p = attribute; *p; p++) {
        bool upper = *p >= 'A' && *p <= 'Z';

        if (upper && p > attribute && !(p[-1] >= 'A' && p[-1] <= 'Z'))
            buf_addc(&name, '_');
        buf_addc(&name, upper ? *p : *p >= 'a' && *p <= 'z' ? (char)(*p - 32) : *p);
    }
    return buf_take(&name);
}

static struct json *hook_variables(const struct stage *stage)
{
    AUTO_JSON struct json *input = hook_input(stage);
    struct json *variables = json_new_array();

    add_variable(variables, "STAGINGREFRESH_RUN", stage->pass->status->run.id);
    add_variable(variables, "STAGINGREFRESH_HOOK", hook_of(stage)->name);
    json_each (database, json_member(input, "databases")) {
        json_each (attribute, database) {
            AUTO_FREE char *name = variable_name(json_key(database), json_key(attribute));
            AUTO_FREE char *number = json_is(attribute, JSON_NUMBER)
                                         ? xasprintf("%lld", (long long)json_get_int(attribute, NULL, 0))
                                         : NULL;

            add_variable(variables, name, number ? number : json_get_text(attribute, NULL, ""));
        }
    }
    return variables;
}

/* What the user has set himself stays; ours come behind and so win only over names that are ours anyway. A
 * failed container's last lines become its termination message, which we can read without a right to logs. */
static void dress_containers(struct json *containers, const struct json *variables)
{
    json_each (item, containers) {
        struct json *container = (struct json *)(uintptr_t)item;
        struct json *env = json_edit(container, "env");

        if (!json_is(env, JSON_ARRAY)) {
            json_set(container, "env", json_new_array());
            env = json_edit(container, "env");
        }
        json_each (variable, variables)
            json_append(env, json_copy(variable));
        if (!json_member(container, "terminationMessagePolicy"))
            json_set_text(container, "terminationMessagePolicy", "FallbackToLogsOnError");
    }
}

/* Owned by the refresh: it goes with it, and no CronJob's history limit takes it away before we have looked.
 */
static struct json *owner_of(const struct pass *pass)
{
    struct json *owners = json_new_array(), *owner = json_new_object();

    json_set_text(owner, "apiVersion", API_VERSION);
    json_set_text(owner, "kind", object_kind_name(OBJECT_REFRESH));
    json_set_text(owner, "name", pass->name);
    json_set_text(owner, "uid", pass->uid);
    json_append(owners, owner);
    return owners;
}

static struct json *build_job(const struct stage *stage, const struct json *cron_job, const char *name)
{
    AUTO_JSON struct json *variables = hook_variables(stage);
    struct json *job = json_new_object(), *metadata = json_new_object(), *labels;

    json_set_text(job, "apiVersion", "batch/v1");
    json_set_text(job, "kind", "Job");
    json_set_text(metadata, "name", name);
    json_set_text(metadata, "namespace", stage->pass->namespace);
    json_set_copy(metadata, "annotations", json_at(cron_job, "spec.jobTemplate.metadata.annotations"));
    labels = json_copy(json_at(cron_job, "spec.jobTemplate.metadata.labels"));
    if (!labels)
        labels = json_new_object();
    json_set_text(labels, TAG_RUN, stage->pass->status->run.id);
    json_set(metadata, "labels", labels);
    json_set(metadata, "ownerReferences", owner_of(stage->pass));
    json_set(job, "metadata", metadata);
    json_set_copy(job, "spec", json_at(cron_job, "spec.jobTemplate.spec"));
    dress_containers(json_edit(job, "spec.template.spec.containers"), variables);
    dress_containers(json_edit(job, "spec.template.spec.initContainers"), variables);
    return job;
}

static struct err *job_start(struct stage *stage, struct outcome *out)
{
    const struct pass *pass = stage->pass;
    const struct hook_spec *hook = hook_of(stage);
    const struct kube_ref from = {.resource = &cron_jobs, .namespace = pass->namespace, .name = hook->target};
    const struct kube_ref to = {.resource = &jobs, .namespace = pass->namespace};
    AUTO_FREE char *name = hook_run_name(stage);
    AUTO_JSON struct json *cron_job = NULL;
    AUTO_JSON struct json *job = NULL;
    struct err *err;

    if (!pass->objects->kube)
        return err_new(ERR_INVALID, "CronJob %s needs a cluster, and there is none", hook->target);
    TRY(err_wrap(kube_get(pass->objects->kube, pass->env, &from, &cron_job), "read CronJob %s",
                 hook->target));
    job = build_job(stage, cron_job, name);
    err = kube_create(pass->objects->kube, pass->env, &to, job, NULL);
    if (err && err_is_code(err, "AlreadyExists")) {
        err_ignore(err, "made by an earlier pass whose answer was lost: the name is this run's alone");
        err = NULL;
    }
    TRY(err_wrap(err, "create Job %s from CronJob %s", name, hook->target));
    stage_started(stage, name);
    *out = outcome_wait(HOOK_LOOK_MS, "Job %s was created", name);
    return NULL;
}

static const struct json *job_condition(const struct json *job, const char *type)
{
    json_each (condition, json_at(job, "status.conditions")) {
        if (text_equal(json_get_text(condition, "type", NULL), type) &&
            text_equal(json_get_text(condition, "status", NULL), "True"))
            return condition;
    }
    return NULL;
}

/* The last words of the Job's containers that failed, or NULL; yours. */
static char *last_words(const struct stage *stage, const char *job)
{
    AUTO_FREE char *selector = xasprintf("batch.kubernetes.io/job-name=%s", job);
    const struct kube_query query = {.collection = {.resource = &pods, .namespace = stage->pass->namespace},
                                     .label_selector = selector};
    AUTO_JSON struct json *items = NULL;
    struct err *err = kube_list(stage->pass->objects->kube, stage->pass->env, &query, &items);

    if (err) {
        err_ignore(err, "they only help people; without the right to list pods there are none");
        return NULL;
    }
    json_each (pod, items) {
        json_each (container, json_at(pod, "status.containerStatuses")) {
            const char *text = json_get_text(container, "state.terminated.message", "");

            if (*text)
                return xasprintf("%.600s", text);
        }
    }
    return NULL;
}

static struct err *job_look(struct stage *stage, struct outcome *out)
{
    const struct pass *pass = stage->pass;
    const char *name = stage->row->external_id;
    const struct kube_ref at = {.resource = &jobs, .namespace = pass->namespace, .name = name};
    AUTO_JSON struct json *job = NULL;
    AUTO_FREE char *words = NULL;
    AUTO_FREE char *what = NULL;
    const struct json *failed;
    struct err *err = kube_get(pass->objects->kube, pass->env, &at, &job);

    if (err && err_kind(err) == ERR_NOT_FOUND) {
        err_ignore(err, "said in the outcome");
        what = xasprintf("Job %s was deleted before it had ended", name);
        *out = hook_failed(stage, what);
        return NULL;
    }
    TRY(err_wrap(err, "look at Job %s", name));
    failed = job_condition(job, "Failed");
    if (job_condition(job, "Complete")) {
        *out = outcome_done("Job %s is complete", name);
    } else if (failed) {
        words = last_words(stage, name);
        what = xasprintf("Job %s: %s%s%s", name, json_get_text(failed, "message", "failed"),
                         words ? "; its last words: " : "", words ? words : "");
        *out = hook_failed(stage, what);
    } else {
        *out = outcome_wait(HOOK_LOOK_MS, "Job %s is running", name);
    }
    return NULL;
}

static struct err *job_hook_act(struct stage *stage, struct outcome *out)
{
    return stage->row->state == STEP_INTENDED ? job_start(stage, out) : job_look(stage, out);
}

/* --- */

static bool is_late(const struct stage *stage)
{
    const struct hook_spec *hook = hook_of(stage);

    return hook->timeout_ms > 0 && stage_age_ms(stage) > hook->timeout_ms;
}

static void fail_late(const struct stage *stage, const char *what, const char *last, struct outcome *out)
{
    char limit[TIME_TEXT_MAX];
    AUTO_FREE char *text = NULL;

    duration_text(hook_of(stage)->timeout_ms, limit);
    text = xasprintf("%s within %s; %s", what, limit, last);
    outcome_reset(out);
    *out = hook_failed(stage, text);
}

/* What cannot be started, or looked at, in its time has failed like what has not ended in it. An error says
 * less than a look, so it counts once somebody has tried for a while. */
static bool is_hopeless(const struct stage *stage, const struct err *err)
{
    int64_t timeout_ms = hook_of(stage)->timeout_ms;
    bool ends_pass =
        err_kind(err) == ERR_CANCELED || (err_kind(err) == ERR_CONFLICT && !err_remote(err)->http_status);

    return !ends_pass && is_late(stage) &&
           stage->watched_ms >= (timeout_ms < TRIED_MS ? timeout_ms : TRIED_MS);
}

static struct err *end_in_time(const struct stage *stage, struct err *err, struct outcome *out)
{
    const char *what = stage->row->state == STEP_INTENDED ? "not started" : "not done";
    AUTO_FREE char *last = NULL;

    if (err && is_hopeless(stage, err)) {
        last = xasprintf("the last error: %s", err_text(err));
        err_ignore(err, "said in the outcome");
        fail_late(stage, what, last, out);
        return NULL;
    }
    if (!err && out->verdict == VERDICT_WAIT && is_late(stage)) {
        last = xasprintf("last seen: %s", out->message);
        fail_late(stage, what, last, out);
    }
    return err;
}

struct err *hook_act(struct stage *stage, struct outcome *out)
{
    static struct err *(*const kinds[])(struct stage * stage, struct outcome * out) = {
        [HOOK_CRON_JOB] = job_hook_act,
        [HOOK_LAMBDA] = lambda_act,
        [HOOK_STATE_MACHINE] = execution_act,
    };

    return end_in_time(stage, kinds[hook_of(stage)->kind](stage, out), out);
}
