/* `stagingrefresh run`: one refresh without a cluster, by the same engine on a state directory. Stopped at
 * any point, by Ctrl-C or a crash, the same command goes on where it was; after a run that has ended it
 * begins another one. */
#include "controller/cmd_run.h"

#include "controller/cmd_run_input.h"
#include "controller/cmd_run_show.h"
#include "controller/engine.h"
#include "controller/names.h"
#include "controller/objects_file.h"
#include "controller/signals.h"
#include "pkg/base/lock.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#define STOP_GRACE_MS SECONDS(10)

enum output { OUTPUT_AUTO, OUTPUT_JSON, OUTPUT_TEXT };
static const char *const output_names[] = {
    [OUTPUT_AUTO] = "auto", [OUTPUT_JSON] = "json", [OUTPUT_TEXT] = "text", NULL};

struct options {
    struct flag_texts files;
    const char *state_dir, *kubeconfig, *aws_endpoint_url;
    int64_t time_scale;
    int output, log_level;
};

static const struct options defaults = {.time_scale = 1, .log_level = LOG_LEVEL_WARN};

#define AT(member) offsetof(struct options, member)
/* clang-format off */
static const struct flag flags[] = {
    {.name = "filename", .letter = 'f', .kind = FLAG_TEXTS, .offset = AT(files), .value = "FILE", .required = true,
     .help = "YAML with both AWSAccounts and one StagingRefresh; may be given more than once"},
    {.name = "state-dir", .kind = FLAG_TEXT, .offset = AT(state_dir), .value = "DIR",
     .help = "where the run is remembered (~/.local/state/stagingrefresh/<namespace>/<name>)"},
    {.name = "output", .letter = 'o', .kind = FLAG_CHOICE, .offset = AT(output), .choices = output_names,
     .help = "auto: a live picture on a terminal, JSON lines elsewhere"},
    {.name = "kubeconfig", .kind = FLAG_TEXT, .offset = AT(kubeconfig), .value = "FILE",
     .help = "the cluster that fields like configMap and deployment are about"},
    {.name = "aws-endpoint-url", .kind = FLAG_TEXT, .offset = AT(aws_endpoint_url), .value = "URL",
     .help = "where every AWS service is, instead of AWS itself (also AWS_ENDPOINT_URL)"},
    {.name = "log-level", .kind = FLAG_CHOICE, .offset = AT(log_level), .choices = log_level_names,
     .help = "the least that is logged to stderr, or with a live picture to run.log (warn)"},
    {.name = "time-scale", .kind = FLAG_NUMBER, .offset = AT(time_scale), .value = "N", .min = 1, .max = TIME_SCALE_MAX,
     .help = "for developers: waits are N times shorter (1)"},
};
/* clang-format on */
#undef AT

struct run {
    const struct options *options;
    const struct process *process;
    struct sched *real;   /* signals and what is shown */
    struct sched *scaled; /* the engine */
    struct random *random;
    struct stop *stop;
    struct signals *signals;
    struct aws_config aws;
    struct kube_config *kube_config; /* NULL: no cluster */
    struct kube_client *client;
    struct run_input input;
    char *dir;
    int log_fd; /* run.log; -1: stderr */
    struct log *log;
    struct env env;
    struct objects *objects;
    struct engine *engine;
    struct show *show;
    char *title;
    char *before; /* a run that had ended when we came; NULL: none */
    struct spot *spot;
    pthread_mutex_t lock;
    struct json **news; /* lock; statuses written, oldest first */
    size_t news_count;  /* lock */
};

static struct object_id refresh_id(const struct run *run)
{
    return (struct object_id){.kind = OBJECT_REFRESH,
                              .namespace = json_get_text(run->input.refresh, "metadata.namespace", ""),
                              .name = json_get_text(run->input.refresh, "metadata.name", "")};
}

static struct object_id account_id(const struct json *account)
{
    return (struct object_id){
        .kind = OBJECT_ACCOUNT, .namespace = "", .name = json_get_text(account, "metadata.name", "")};
}

/* --- life --- */

static void init(struct run *run, const struct process *process, const struct options *options)
{
    *run = (struct run){.options = options, .process = process, .log_fd = -1};
    run->real = sched_threads_new(1);
    run->scaled = sched_threads_new(options->time_scale);
    run->random = random_system_new();
    run->stop = stop_new();
    run->spot = sched_spot_new(run->real);
    run->env = (struct env){.sched = run->real, .random = run->random, .stop = run->stop};
    pthread_mutex_init(&run->lock, NULL);
}

static void done(struct run *run)
{
    show_free(run->show);
    engine_free(run->engine);
    objects_file_close(run->objects);
    kube_client_free(run->client);
    kube_config_free(run->kube_config);
    aws_config_done(&run->aws);
    run_input_done(&run->input);
    signals_end(run->signals);
    for (size_t i = 0; i < run->news_count; i++)
        json_free(run->news[i]);
    xfree(run->news);
    sched_spot_free(run->spot);
    stop_free(run->stop);
    log_free(run->log);
    if (run->log_fd >= 0)
        close(run->log_fd);
    random_free(run->random);
    sched_free(run->scaled);
    sched_free(run->real);
    xfree(run->dir);
    xfree(run->title);
    xfree(run->before);
    pthread_mutex_destroy(&run->lock);
}

/* --- settings and state --- */

static struct err *read_settings(struct run *run)
{
    const struct options *options = run->options;

    TRY(run_input_read(options->files.items, options->files.count, options->kubeconfig != NULL, &run->input));
    TRY(command_aws_config(run->process, options->aws_endpoint_url, &run->aws));
    if (!options->kubeconfig)
        return NULL;
    TRY(command_kube_config(run->process, options->kubeconfig, &run->kube_config));
    run->client = command_kube_client(run->kube_config, 0);
    return NULL;
}

static struct err *choose_dir(struct run *run)
{
    const struct object_id id = refresh_id(run);

    if (run->options->state_dir)
        run->dir = xstrdup(run->options->state_dir);
    else
        run->dir = objects_file_default_dir(process_variable(run->process, "XDG_STATE_HOME"),
                                            process_variable(run->process, "HOME"), id.namespace, id.name);
    return run->dir ? NULL : err_new(ERR_INVALID, "--state-dir DIR is required: there is no home directory");
}

static struct err *open_state(struct run *run)
{
    TRY(choose_dir(run));
    TRY(objects_file_open(run->dir, &run->env, &run->objects));
    run->objects->kube = run->client;
    if (run->input.source)
        TRY(objects_file_put(run->objects, &run->env, run->input.source));
    TRY(objects_file_put(run->objects, &run->env, run->input.target));
    return objects_file_put(run->objects, &run->env, run->input.refresh);
}

static enum show_mode choose_mode(const struct run *run)
{
    const char *terminal = process_variable(run->process, "TERM");
    bool is_terminal = isatty(STDOUT_FILENO) && terminal && !text_equal(terminal, "dumb");

    if (run->options->output == OUTPUT_JSON ||
        (run->options->output == OUTPUT_AUTO && !isatty(STDOUT_FILENO)))
        return SHOW_JSON;
    return is_terminal ? SHOW_LIVE : SHOW_LINES;
}

static struct err *open_log(struct run *run, enum show_mode mode)
{
    AUTO_FREE char *path = NULL;

    if (mode == SHOW_LIVE) {
        path = xasprintf("%s/run.log", run->dir);
        run->log_fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
        if (run->log_fd < 0)
            return err_errno(ERR_INVALID, errno, "%s", path);
    }
    run->log = log_new(run->log_fd >= 0 ? run->log_fd : STDERR_FILENO,
                       (enum log_level)run->options->log_level, LOG_FORMAT_TEXT, run->real);
    run->env.log = run->log;
    return NULL;
}

static struct err *open_show(struct run *run)
{
    const struct object_id id = refresh_id(run);
    struct show_opts opts = {.mode = choose_mode(run),
                             .spec = run->input.spec,
                             .sched = run->real,
                             .color = !process_variable(run->process, "NO_COLOR")};

    run->title = xasprintf("%s/%s", id.namespace, id.name);
    opts.title = run->title;
    TRY(open_log(run, opts.mode));
    run->show = show_new(&opts);
    if (run->input.ignored) {
        AUTO_FREE char *note = xasprintf("not for run, left alone: %s", run->input.ignored);

        show_note(run->show, note);
    }
    return NULL;
}

/* --- where the last command left off --- */

static struct json *read_refresh(const struct run *run)
{
    const struct object_id id = refresh_id(run);
    struct json *object = NULL;

    err_ignore(objects_read(run->objects, &run->env, &id, &object), "reading what is in memory cannot fail");
    return object;
}

/* What the last command said of a trouble is not what this one finds: a condition that is seen from now on is
 * news. */
static struct err *drop_old_trouble(const struct run *run)
{
    AUTO_JSON struct json *object = read_refresh(run);
    AUTO_JSON struct json *status = json_copy(json_member(object, "status"));
    AUTO_JSON struct json *written = NULL;
    struct json *kept = json_new_array();

    json_each (condition, json_member(status, "conditions")) {
        if (!text_equal(json_get_text(condition, "type", ""), "Stalled"))
            json_append(kept, json_copy(condition));
    }
    if (json_count(kept) == json_count(json_member(status, "conditions"))) {
        json_free(kept);
        return NULL;
    }
    json_set(status, "conditions", kept);
    return objects_write_status(run->objects, &run->env, object, status, &written);
}

/* A person who runs the command once more wants another run. */
static struct err *request_run(const struct run *run)
{
    const struct object_id id = refresh_id(run);
    char value[RUN_ID_MAX];

    name_run_id(sched_wall_ms(run->real), run->random, value);
    return objects_file_annotate(run->objects, &id, ANNOTATION("run-requested"), value);
}

static void note_resumed(struct run *run, const struct json *object)
{
    bool same = refresh_same_frozen(json_at(object, "status.run.spec"), json_member(object, "spec"));
    AUTO_FREE char *note =
        xasprintf("goes on with run %s%s", json_get_text(object, "status.run.id", ""),
                  same ? "" : ", as it began: what has changed in the file counts from the next run on");

    show_note(run->show, note);
}

static struct err *take_up(struct run *run)
{
    AUTO_JSON struct json *object = read_refresh(run);
    const char *id = json_get_text(object, "status.run.id", NULL);

    if (id && !json_at(object, "status.run.completionTime")) {
        note_resumed(run, object);
        show_update(run->show, object);
    } else if (id) {
        run->before = xstrdup(id);
    }
    if (id && run->before && !run_is_wanted(object))
        TRY(request_run(run));
    return drop_old_trouble(run);
}

/* --- while it runs --- */

/* On a worker's thread. */
static void written(void *arg, const struct json *object)
{
    struct run *run = arg;

    {
        LOCK_SCOPE(&run->lock);
        run->news = xgrow(run->news, run->news_count, sizeof(*run->news));
        run->news[run->news_count++] = json_copy(object);
    }
    sched_wake(run->spot);
}

static struct json *next_news(struct run *run)
{
    struct json *object;

    LOCK_SCOPE(&run->lock);
    if (!run->news_count)
        return NULL;
    object = run->news[0];
    memmove(run->news, run->news + 1, --run->news_count * sizeof(*run->news));
    return object;
}

static void hear_account(struct run *run, const struct json *account)
{
    const struct object_id refresh = refresh_id(run);

    json_each (condition, json_at(account, "status.conditions")) {
        AUTO_FREE char *note = NULL;

        if (!text_equal(json_get_text(condition, "type", ""), "Ready") ||
            !text_equal(json_get_text(condition, "status", ""), "False"))
            continue;
        note = xasprintf("AWSAccount %s: %s", json_get_text(account, "metadata.name", ""),
                         json_get_text(condition, "message", ""));
        show_note(run->show, note);
    }
    engine_notify(run->engine, &refresh, WORK_URGENT);
}

static struct run_verdict hear(struct run *run, const struct json *object)
{
    if (text_equal(json_get_text(object, "kind", ""), object_kind_name(OBJECT_ACCOUNT))) {
        hear_account(run, object);
        return (struct run_verdict){0};
    }
    show_update(run->show, object);
    return run_judge(object, run->before);
}

/* Until it is over or somebody says stop. *ret_object is what decided it, yours; NULL: nothing did. */
static struct run_verdict follow(struct run *run, struct json **ret_object)
{
    struct run_verdict verdict = {0};
    int64_t next_ms = show_draw(run->show);

    while (!stop_requested(run->stop)) {
        AUTO_JSON struct json *object = next_news(run);

        if (!object) {
            next_ms = show_draw(run->show);
            sched_park(run->spot, next_ms);
            continue;
        }
        verdict = hear(run, object);
        if (!verdict.is_over)
            continue;
        *ret_object = TAKE(object);
        break;
    }
    return verdict;
}

static void make_engine(struct run *run)
{
    run->engine = engine_new(&(struct engine_opts){.objects = run->objects,
                                                   .config = &run->aws,
                                                   .sched = run->scaled,
                                                   .random = run->random,
                                                   .log = run->log,
                                                   .stop = run->stop,
                                                   .workers = 3, /* two accounts and the refresh */
                                                   .new_transport = command_new_transport,
                                                   .new_transport_arg = run->scaled,
                                                   .on_written = written,
                                                   .on_written_arg = run});
}

static void notify_all(struct run *run)
{
    const struct object_id refresh = refresh_id(run), target = account_id(run->input.target);

    engine_notify(run->engine, &target, WORK_URGENT);
    if (run->input.source) {
        const struct object_id source = account_id(run->input.source);

        engine_notify(run->engine, &source, WORK_URGENT);
    }
    engine_notify(run->engine, &refresh, WORK_URGENT);
}

static void wake_main(void *arg)
{
    sched_wake(arg);
}

static void say_how_to_go_on(struct run *run, const struct json *object)
{
    const char *id = json_get_text(object, "status.run.id", NULL);
    bool active = id && !json_at(object, "status.run.completionTime");

    if (active)
        command_say("run %s is not over; jobs under way in AWS go on. The same command goes on where it was: "
                    "its state is in %s",
                    id, run->dir);
}

static enum exit_code conclude(struct run *run, const struct run_verdict *verdict)
{
    AUTO_JSON struct json *object = read_refresh(run);
    bool interrupted = !verdict->is_over;

    show_result(run->show, object);
    if (interrupted)
        command_say("interrupted");
    else if (verdict->sentence)
        command_say("%s", verdict->sentence);
    say_how_to_go_on(run, object);
    return interrupted ? EXIT_INTERRUPTED : verdict->code;
}

static enum exit_code work(struct run *run)
{
    struct stop_subscription *subscription = stop_subscribe(run->stop, wake_main, run->spot);
    AUTO_JSON struct json *decisive = NULL;
    struct run_verdict verdict;

    make_engine(run);
    notify_all(run);
    engine_start(run->engine);
    verdict = follow(run, &decisive);
    stop_unsubscribe(subscription);
    stop_request(run->stop);
    engine_stop(run->engine);
    return conclude(run, &verdict);
}

static enum exit_code run_refresh(const struct process *process, const void *options)
{
    struct run run;
    struct err *err;
    enum exit_code code;

    init(&run, process, options);
    run.signals = signals_start(run.real, run.stop, STOP_GRACE_MS);
    err = read_settings(&run);
    if (!err)
        err = open_state(&run);
    if (!err)
        err = open_show(&run);
    if (!err)
        err = take_up(&run);
    code = err ? command_fail(EXIT_BAD_INPUT, err) : work(&run);
    done(&run);
    return code;
}

const struct command run_command = {
    .name = "run",
    .summary = "one refresh, without a cluster",
    .details = "Carries out the StagingRefresh of the files given, and shows how it goes. What has been done "
               "is kept in the\n"
               "state directory: after Ctrl-C, a crash or a refusal of AWS that somebody has settled, the "
               "same command goes on\n"
               "where it was; after a run that has ended it begins another one. Whoever runs it holds the "
               "credentials\n"
               "himself, so grants do not apply.\n"
               "\n"
               "Exit status: 0 succeeded, 1 failed, 2 bad input, 130 interrupted. With --output json the "
               "last line on\n"
               "stdout is {\"phase\": ..., \"runID\": ..., \"status\": {...}}.\n",
    .flags = {.flags = flags, .count = COUNT_OF(flags)},
    .options_size = sizeof(struct options),
    .defaults = &defaults,
    .run = run_refresh,
};
