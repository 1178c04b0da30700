#include "tests/simulation/scenario.h"

#include <stdlib.h>

#include "controller/engine.h"
#include "hack/awssim/awssim.h"
#include "pkg/base/files.h"
#include "pkg/base/secret.h"
#include "pkg/base/yaml.h"
#include "tests/simulation/chance.h"
#include "tests/simulation/sim_transport.h"

#define WALL_MS INT64_C(1795363200000) /* 2026-11-22T16:00:00Z, a Sunday */
#define LATENCY_MIN_MS 5
#define LATENCY_MAX_MS 200
#define LIVES_MAX (CRASHES_MAX + 1)

#define LATERS_MAX 8

struct later {
    struct scenario *scenario;
    int64_t at_ms;
    void (*fn)(void *arg, struct scenario *scenario);
    void *arg;
    struct task *task;
};

struct scenario {
    struct scenario_opts opts;
    struct sched *sched;
    struct random *random;
    struct log *log;
    struct sim *sim;
    struct memory *memory;
    struct aws_config config;
    struct spot *spot; /* of the one who runs the scenario */
    bool ended;
    int64_t duration_ms;
    int64_t calls[LIVES_MAX];
    size_t lives;
    struct later laters[LATERS_MAX];
    size_t later_count;
    struct stop *over; /* nothing is waited for any more */
    struct json *journal, *call_counts, *world;
};

/* One process. */
struct process {
    struct scenario *scenario;
    struct lifetime *life;
    struct memory_client *client;
    struct engine *engine;
    struct task *watch;
};

const struct object_id scenario_refresh = {.kind = OBJECT_REFRESH, .namespace = "staging", .name = "shop"};

const char *const scenario_quick_world[] = {
    "aurora: {backup: 12m, copy: 40m, restore: 35m}",
    "aurora: {backup: 40s, copy: 70s, restore: 60s}",
    "dynamodb: {backup: 3m, copy: 6m, restore: 20m}",
    "dynamodb: {backup: 20s, copy: 30s, restore: 90s}",
    NULL,
};

/* --- setting up --- */

/* Mistakes in a test's own material. */
static void must(struct err *err)
{
    if (!err)
        return;
    fprintf(stderr, "scenario: %s\n", err_text(err));
    abort();
}

static void replace(struct buf *text, const char *from, const char *to)
{
    AUTO_BUF struct buf after = BUF_MAX(text->max);
    const char *at = strstr(buf_text(text), from);

    if (!at)
        must(err_new(ERR_INVALID, "there is no \"%s\" to be edited", from));
    for (const char *rest = buf_text(text); at; at = strstr(rest, from)) {
        buf_add(&after, rest, (size_t)(at - rest));
        buf_adds(&after, to);
        rest = at + strlen(from);
        if (!strstr(rest, from))
            buf_adds(&after, rest);
    }
    buf_reset(text);
    buf_add_str(text, buf_str(&after));
}

static void load(const char *path, const char *const *edits, struct buf *out)
{
    AUTO_FREE char *full = xasprintf("%s/%s", SR_SOURCE_DIR, path);

    must(file_read(full, out));
    for (; edits && edits[0]; edits += 2)
        replace(out, edits[0], edits[1]);
}

static void load_world(struct scenario *scenario)
{
    const struct scenario_opts *opts = &scenario->opts;
    AUTO_BUF struct buf text = BUF_MAX(4 * MIB);

    load(opts->world_path ? opts->world_path : "hack/awssim/worlds/shop.yaml", opts->world_edits, &text);
    must(awssim_new(&(struct sim_options){.world = buf_str(&text),
                                          .world_name = "world",
                                          .world_ms = sched_wall_ms(scenario->sched),
                                          .seed = opts->seed},
                    &scenario->sim));
    for (const char *const *fault = opts->faults; fault && *fault; fault++)
        must(sim_control(scenario->sim, scenario->sched, "POST", "/_sim/faults", *fault, NULL));
}

static void load_objects(struct scenario *scenario)
{
    const struct scenario_opts *opts = &scenario->opts;
    AUTO_BUF struct buf text = BUF_MAX(4 * MIB);
    AUTO_YAML struct yaml_docs docs = {0};

    load(opts->manifest_path ? opts->manifest_path : "manifests/samples/shop.yaml", opts->manifest_edits,
         &text);
    must(yaml_parse(buf_str(&text), "manifest", NULL, &docs));
    for (size_t i = 0; i < docs.count; i++)
        memory_create(scenario->memory, yaml_root(docs.items[i]));
}

static bool condition_is(const struct json *object, const char *type, const char *status)
{
    json_each (condition, json_at(object, "status.conditions")) {
        if (text_equal(json_get_text(condition, "type", ""), type))
            return text_equal(json_get_text(condition, "status", ""), status);
    }
    return false;
}

static bool run_has_ended(const struct json *object)
{
    return !object ||
           (json_at(object, "status.run.completionTime") &&
            (condition_is(object, "Succeeded", "True") || condition_is(object, "Succeeded", "False")));
}

static void note_write(void *arg, const struct object_id *id)
{
    struct scenario *scenario = arg;
    const struct json *object = memory_get(scenario->memory, id);

    if (id->kind != OBJECT_REFRESH)
        return;
    if (!scenario->ended && run_has_ended(object)) {
        scenario->ended = true;
        scenario->duration_ms = sched_now_ms(scenario->sched);
        sched_wake(scenario->spot);
    }
    if (scenario->opts.on_write)
        scenario->opts.on_write(scenario->opts.on_write_arg, scenario, object);
}

struct scenario *scenario_new(const struct scenario_opts *opts)
{
    struct scenario *scenario = xcalloc(1, sizeof(*scenario));
    struct memory_opts api = opts->api;
    int log_fd = opts->log_fd ? opts->log_fd : getenv("SR_LOG") ? 2 : 0;

    scenario->opts = *opts;
    scenario->sched = sched_seeded_new(opts->seed, WALL_MS);
    scenario->random = random_seeded_new(opts->seed);
    scenario->spot = sched_spot_new(scenario->sched);
    scenario->over = stop_new();
    if (log_fd)
        scenario->log = log_new(log_fd, LOG_LEVEL_DEBUG, LOG_FORMAT_JSON, scenario->sched);
    scenario->config = (struct aws_config){.region = xstrdup("ap-northeast-1"),
                                           .access_key_id = xstrdup("AKIAEXAMPLE"),
                                           .secret_access_key = secret_new(STR("example-secret"))};
    api.sched = scenario->sched;
    scenario->memory = memory_new(&api);
    memory_on_write(scenario->memory, note_write, scenario);
    load_world(scenario);
    load_objects(scenario);
    return scenario;
}

void scenario_free(struct scenario *scenario)
{
    if (!scenario)
        return;
    json_free(scenario->journal);
    json_free(scenario->call_counts);
    json_free(scenario->world);
    memory_free(scenario->memory);
    awssim_free(scenario->sim);
    aws_config_done(&scenario->config);
    log_free(scenario->log);
    sched_spot_free(scenario->spot);
    stop_free(scenario->over);
    random_free(scenario->random);
    sched_free(scenario->sched);
    xfree(scenario);
}

/* --- one process --- */

static struct transport *new_transport(void *arg)
{
    struct process *process = arg;

    return sim_transport_new(process->scenario->sim, process->life);
}

static void run_watch(void *arg)
{
    struct process *process = arg;
    struct object_id id;

    while (memory_client_watch(process->client, &id))
        engine_notify(process->engine, &id, WORK_URGENT);
}

static void process_start(struct process *process, struct scenario *scenario, const struct crash *crash)
{
    *process = (struct process){.scenario = scenario};
    process->life = lifetime_new(&(struct lifetime_opts){.sched = scenario->sched,
                                                         .dies_at_call = crash ? crash->at_call : 0,
                                                         .dies_after_deed = crash && crash->after_deed,
                                                         .latency_min_ms = LATENCY_MIN_MS,
                                                         .latency_max_ms = LATENCY_MAX_MS});
    process->client = memory_client_new(scenario->memory, process->life);
    process->engine =
        engine_new(&(struct engine_opts){.objects = memory_client_objects(process->client),
                                         .config = &scenario->config,
                                         .sched = scenario->sched,
                                         .random = scenario->random,
                                         .log = scenario->log,
                                         .stop = lifetime_stop(process->life),
                                         .workers = scenario->opts.workers ? scenario->opts.workers : 4,
                                         .new_transport = new_transport,
                                         .new_transport_arg = process,
                                         .hears_events = true});
    engine_start(process->engine);
    process->watch = sched_spawn(scenario->sched, "watch", run_watch, process);
}

static void process_end(struct process *process)
{
    struct scenario *scenario = process->scenario;

    stop_request(lifetime_stop(process->life));
    engine_stop(process->engine);
    sched_join(process->watch);
    engine_free(process->engine);
    memory_client_free(process->client);
    scenario->calls[scenario->lives++] = lifetime_calls(process->life);
    lifetime_free(process->life);
}

static void wake_spot(void *spot)
{
    sched_wake(spot);
}

/* Until the run has ended, the process is killed, or the deadline. */
static void wait_while_alive(struct scenario *scenario, struct process *process, int64_t deadline_ms)
{
    struct stop *stop = lifetime_stop(process->life);
    struct stop_subscription *subscription = stop_subscribe(stop, wake_spot, scenario->spot);
    bool late = false;

    while (!late && !scenario->ended && !stop_requested(stop))
        late = sched_park(scenario->spot, deadline_ms) == PARK_TIMEOUT;
    stop_unsubscribe(subscription);
}

/* The process goes on for a while; it may be killed even now. */
static void settle(struct scenario *scenario, struct process *process)
{
    int64_t settle_ms = scenario->opts.settle_ms ? scenario->opts.settle_ms : MINUTES(10);

    sched_wait_until(scenario->sched, lifetime_stop(process->life),
                     sched_now_ms(scenario->sched) + settle_ms);
}

/* False when it was killed. */
static bool live_once(struct scenario *scenario, int64_t deadline_ms)
{
    const struct crash *crash =
        scenario->lives < scenario->opts.crash_count ? &scenario->opts.crashes[scenario->lives] : NULL;
    struct process process;
    bool killed;

    process_start(&process, scenario, crash);
    wait_while_alive(scenario, &process, deadline_ms);
    if (scenario->ended)
        settle(scenario, &process);
    killed = lifetime_is_killed(process.life);
    process_end(&process);
    if (killed && crash)
        sched_wait_until(scenario->sched, NULL, sched_now_ms(scenario->sched) + crash->down_ms);
    return !killed;
}

static void run_later(void *arg)
{
    struct later *later = arg;

    sched_wait_until(later->scenario->sched, later->scenario->over, later->at_ms);
    later->fn(later->arg, later->scenario);
}

void scenario_later(struct scenario *scenario, int64_t after_ms,
                    void (*fn)(void *arg, struct scenario *scenario), void *arg)
{
    struct later *later = &scenario->laters[scenario->later_count];

    if (scenario->later_count++ == LATERS_MAX)
        abort();
    *later = (struct later){
        .scenario = scenario, .at_ms = sched_now_ms(scenario->sched) + after_ms, .fn = fn, .arg = arg};
    later->task = sched_spawn(scenario->sched, "later", run_later, later);
}

void scenario_run(struct scenario *scenario)
{
    int64_t deadline_ms = scenario->opts.deadline_ms ? scenario->opts.deadline_ms : HOURS(48);

    while (!live_once(scenario, deadline_ms))
        continue;
    stop_request(scenario->over);
    for (size_t i = 0; i < scenario->later_count; i++)
        sched_join(scenario->laters[i].task);
    if (!scenario->ended)
        scenario->duration_ms = sched_now_ms(scenario->sched);
}

void scenario_control(struct scenario *scenario, const char *method, const char *path, const char *body)
{
    must(sim_control(scenario->sim, scenario->sched, method, path, body, NULL));
}

/* --- what came of it --- */

struct sim *scenario_sim(struct scenario *scenario)
{
    return scenario->sim;
}

struct memory *scenario_memory(struct scenario *scenario)
{
    return scenario->memory;
}

struct sched *scenario_sched(struct scenario *scenario)
{
    return scenario->sched;
}

static const struct json *ask(struct scenario *scenario, const char *path, struct json **kept)
{
    json_free(TAKE(*kept));
    must(sim_control(scenario->sim, scenario->sched, "GET", path, NULL, kept));
    return *kept;
}

const struct json *scenario_journal(struct scenario *scenario)
{
    return ask(scenario, "/_sim/journal", &scenario->journal);
}

const struct json *scenario_calls(struct scenario *scenario)
{
    return ask(scenario, "/_sim/calls", &scenario->call_counts);
}

const struct json *scenario_world(struct scenario *scenario)
{
    return ask(scenario, "/_sim/world", &scenario->world);
}

const struct json *scenario_object(struct scenario *scenario)
{
    return memory_get(scenario->memory, &scenario_refresh);
}

bool scenario_has_ended(const struct scenario *scenario)
{
    return scenario->ended;
}

int64_t scenario_duration_ms(const struct scenario *scenario)
{
    return scenario->duration_ms;
}

int64_t scenario_password_ms(const struct scenario *scenario)
{
    return scenario->opts.password_ms ? scenario->opts.password_ms : SECONDS(28);
}

int64_t scenario_calls_of(const struct scenario *scenario, size_t life)
{
    return life < scenario->lives ? scenario->calls[life] : 0;
}

int64_t scenario_call_count(const struct scenario *scenario)
{
    int64_t sum = 0;

    for (size_t i = 0; i < scenario->lives; i++)
        sum += scenario->calls[i];
    return sum;
}

size_t scenario_life_count(const struct scenario *scenario)
{
    return scenario->lives;
}
