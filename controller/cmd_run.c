/* `stagingrefresh run`: one refresh without a cluster, by the same engine on a state directory. Stopped at
 * any point, by Ctrl-C or a crash, the same command goes on where it was; after a run that has ended it
 * begins another one. */
#include "controller/account_troubles.h"
#include "controller/cmd_run_priv.h"
#include "controller/names.h"
#include "controller/objects_file.h"
#include "pkg/base/lock.h"

#include <unistd.h>

#define STOP_GRACE_MS SECONDS(10)
#define ANSWER_LOOK_MS 100 /* between looks at what is typed */
#define BUSY_MS 10         /* before another try to annotate */
#define TELL_MS SECONDS(10)

static const char *const output_names[] = {
    [OUTPUT_AUTO] = "auto", [OUTPUT_JSON] = "json", [OUTPUT_TEXT] = "text", NULL};

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
    {.name = "approve", .kind = FLAG_SWITCH, .offset = AT(approve),
     .help = "with policy Manual: let staging use the copies without asking on the terminal"},
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
    approval_close(run->question);
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
    xfree(run->approved);
    pthread_mutex_destroy(&run->lock);
}

static struct object_id account_id(const struct json *account)
{
    return (struct object_id){
        .kind = OBJECT_ACCOUNT, .namespace = "", .name = json_get_text(account, "metadata.name", "")};
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
    const struct object_id refresh = run_refresh_id(run);

    json_each (condition, json_at(account, "status.conditions")) {
        AUTO_FREE char *note = NULL;

        if (!text_equal(json_get_text(condition, "type", ""), "Ready") ||
            text_equal(json_get_text(condition, "status", ""), "True") ||
            text_equal(json_get_text(condition, "reason", ""), ACCOUNT_STARTING))
            continue;
        note = xasprintf("AWSAccount %s: %s", json_get_text(account, "metadata.name", ""),
                         json_get_text(condition, "message", ""));
        show_note(run->show, note);
    }
    engine_notify(run->engine, &refresh, WORK_URGENT);
}

/* --- approval --- */

static const char *user_name(const struct run *run)
{
    const char *name = process_variable(run->process, "USER");

    return name ? name : "whoever ran the command";
}

static struct err *annotate(const struct run *run, const char *name, const char *value)
{
    const struct object_id id = run_refresh_id(run);
    struct err *err = objects_file_annotate(run->objects, &id, name, value);

    while (err && err_kind(err) == ERR_CONFLICT &&
           sched_wait_until(run->real, run->stop, sched_now_ms(run->real) + BUSY_MS)) {
        err_ignore(err, "a worker is writing the object at this moment");
        err = objects_file_annotate(run->objects, &id, name, value);
    }
    return err;
}

/* The name first: an approval without one would be refused. */
static struct run_verdict approve(struct run *run)
{
    const struct object_id id = run_refresh_id(run);
    AUTO_JSON struct json *object = run_read_refresh(run);
    struct err *err = annotate(run, ANNOTATION("approved-by"), user_name(run));

    xfree(run->approved);
    run->approved = xstrdup(json_get_text(object, "status.run.id", ""));
    if (!err)
        err = annotate(run, ANNOTATION("approve"), run->approved);
    if (err)
        return (struct run_verdict){.is_over = true, .code = command_fail(EXIT_FAILED, err)};
    engine_notify(run->engine, &id, WORK_URGENT);
    return (struct run_verdict){0};
}

/* Nothing when the run has not come so far, or somebody is being asked, or has said yes. */
static struct run_verdict seek_approval(struct run *run, const struct json *object)
{
    const char *id = json_get_text(object, "status.run.id", "");
    AUTO_FREE char *question = NULL;

    if (!approval_is_awaited(object) || run->question || text_equal(run->approved, id))
        return (struct run_verdict){0};
    if (run->options->approve)
        return approve(run);
    run->question = approval_open();
    if (!run->question)
        return (struct run_verdict){
            .is_over = true,
            .code = EXIT_FAILED,
            .sentence = "the copies are ready, and the switchover waits for approval: the same "
                        "command with --approve gives it"};
    question = xasprintf("Let staging use the copies of run %s? [y/N] ", id);
    show_ask(run->show, question);
    return (struct run_verdict){0};
}

static struct run_verdict take_answer(struct run *run)
{
    enum approval_answer answer = approval_poll(run->question);

    if (answer == APPROVAL_OPEN)
        return (struct run_verdict){0};
    approval_close(TAKE(run->question));
    if (answer == APPROVAL_GIVEN)
        return approve(run);
    return (struct run_verdict){
        .is_over = true, .code = EXIT_FAILED, .sentence = "not approved: staging uses what it used before"};
}

/* --- following --- */

static struct run_verdict hear(struct run *run, const struct json *object)
{
    struct run_verdict verdict;

    if (text_equal(json_get_text(object, "kind", ""), object_kind_name(OBJECT_ACCOUNT))) {
        hear_account(run, object);
        return (struct run_verdict){0};
    }
    show_update(run->show, object);
    verdict = run_judge(object, run->before);
    return verdict.is_over ? verdict : seek_approval(run, object);
}

/* Nothing new: time for the picture, or for a look at what is typed. Waits. */
static struct run_verdict rest(struct run *run)
{
    if (!run->question) {
        sched_park(run->spot, show_draw(run->show));
        return (struct run_verdict){0};
    }
    sched_park(run->spot, sched_now_ms(run->real) + ANSWER_LOOK_MS);
    return stop_requested(run->stop) ? (struct run_verdict){0} : take_answer(run);
}

/* Until it is over or somebody says stop. *ret_object is what decided it and holds the verdict's sentence,
 * yours; NULL: nothing did. */
static struct run_verdict follow(struct run *run, struct json **ret_object)
{
    AUTO_JSON struct json *known = run_read_refresh(run);
    struct run_verdict verdict = seek_approval(run, known); /* of a run that is gone on with */

    while (!stop_requested(run->stop) && !verdict.is_over) {
        AUTO_JSON struct json *object = next_news(run);

        verdict = object ? hear(run, object) : rest(run);
        if (verdict.is_over)
            *ret_object = TAKE(object);
    }
    return verdict;
}

/* What the end has made to be told is told before we go, if whoever is told takes it soon; else the next run
 * tells it. */
static void let_tell(struct run *run)
{
    int64_t deadline_ms = sched_now_ms(run->real) + TELL_MS;

    while (!stop_requested(run->stop) && sched_now_ms(run->real) < deadline_ms) {
        AUTO_JSON struct json *object = run_read_refresh(run);

        if (!json_count(json_at(object, "status.notifications")))
            return;
        sched_park(run->spot, deadline_ms);
    }
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
    const struct object_id refresh = run_refresh_id(run), target = account_id(run->input.target);

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
    AUTO_JSON struct json *object = run_read_refresh(run);
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
    let_tell(run);
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
    err = run_open(&run);
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
