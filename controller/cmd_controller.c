/* `stagingrefresh controller`: watches the objects of a cluster and drives AWS until it is so.
 *
 * Two schedulers: network and leases go by real time, the engine by the scaled one. Start: settings, watches,
 * sync, leadership, engine. Stop, in this order: engine, watches, events, and the lease last, so that a
 * successor begins only when nothing of ours runs any more. */
#include "controller/cmd_common.h"
#include "controller/engine.h"
#include "controller/metrics.h"
#include "controller/objects_kube.h"
#include "controller/serving.h"
#include "controller/signals.h"
#include "pkg/base/lock.h"
#include "pkg/kube/lease.h"

#include <unistd.h>

#define STOP_GRACE_MS SECONDS(10)
#define PROBE_AGAIN_MS SECONDS(5)
#define SYNC_COMPLAIN_MS SECONDS(15)
#define TROUBLE_LOOK_MS SECONDS(30)
#define RESYNC_MS HOURS(1)
#define LEASE_NAME "stagingrefresh-controller"
#define LEASE_CALL_MS SECONDS(5)
/* The main thread looks round at least every TROUBLE_LOOK_MS; a pass waits for AWS at times, but not so long.
 */
#define MAIN_SILENT_MS MINUTES(5)
#define PASS_STUCK_MS MINUTES(30)

struct options {
    const char *kubeconfig, *aws_endpoint_url, *leader_elect_namespace;
    const char *health_address, *metrics_address, *metrics_cert_path;
    int64_t time_scale, workers;
    bool leader_elect;
    int log_level, log_format;
};

static const struct options defaults = {.health_address = "0",
                                        .metrics_address = "0",
                                        .time_scale = 1,
                                        .workers = 4,
                                        .log_level = LOG_LEVEL_INFO,
                                        .log_format = LOG_FORMAT_JSON};

#define AT(member) offsetof(struct options, member)
/* clang-format off */
static const struct flag flags[] = {
    {.name = "kubeconfig", .kind = FLAG_TEXT, .offset = AT(kubeconfig), .value = "FILE",
     .help = "how to reach the API server; in a pod its service account is used"},
    {.name = "aws-endpoint-url", .kind = FLAG_TEXT, .offset = AT(aws_endpoint_url), .value = "URL",
     .help = "where every AWS service is, instead of AWS itself (also AWS_ENDPOINT_URL)"},
    {.name = "workers", .kind = FLAG_NUMBER, .offset = AT(workers), .value = "N", .min = 1, .max = 64,
     .help = "objects that are worked on at the same time (4)"},
    {.name = "leader-elect", .kind = FLAG_SWITCH, .offset = AT(leader_elect),
     .help = "work only while this process holds the lease; for more than one replica"},
    {.name = "leader-elect-namespace", .kind = FLAG_TEXT, .offset = AT(leader_elect_namespace), .value = "NAMESPACE",
     .help = "where the lease is (the pod's namespace)"},
    {.name = "health-probe-bind-address", .kind = FLAG_TEXT, .offset = AT(health_address), .value = "ADDRESS",
     .help = "where /healthz, /livez and /readyz are served (0: nowhere)"},
    {.name = "metrics-bind-address", .kind = FLAG_TEXT, .offset = AT(metrics_address), .value = "ADDRESS",
     .help = "where /metrics is served (0: nowhere)"},
    {.name = "metrics-cert-path", .kind = FLAG_TEXT, .offset = AT(metrics_cert_path), .value = "FOLDER",
     .help = "holds tls.crt and tls.key: metrics are served by TLS; read anew when they change"},
    {.name = "log-level", .kind = FLAG_CHOICE, .offset = AT(log_level), .choices = log_level_names,
     .help = "the least that is logged (info)"},
    {.name = "log-format", .kind = FLAG_CHOICE, .offset = AT(log_format), .choices = log_format_names,
     .help = "how lines on stderr look (json)"},
    {.name = "time-scale", .kind = FLAG_NUMBER, .offset = AT(time_scale), .value = "N", .min = 1, .max = TIME_SCALE_MAX,
     .help = "for developers: waits are N times shorter (1)"},
};
/* clang-format on */
#undef AT

enum lead { LEAD_WAITING, LEAD_HELD };

struct controller {
    const struct options *options;
    struct sched *real;   /* network, lease, signals */
    struct sched *scaled; /* the engine */
    struct random *random;
    struct log *log;
    struct stop *stop;
    struct signals *signals;
    struct aws_config aws;
    struct kube_config *kube_config;
    struct kube_client *client;
    struct kube_client *lease_client;
    struct env env; /* of the main thread */
    struct env lease_env;
    struct objects *objects;
    struct engine *engine;
    bool engine_started;
    struct metrics *metrics;
    struct serving *serving;
    struct kube_lease *lease; /* set and cleared under lock; the server's thread looks too */
    char *identity;
    struct spot *spot; /* the main thread waits here */
    pthread_mutex_t lock;
    enum lead lead;   /* lock */
    int64_t alive_ms; /* lock; when the main thread last went round */
    bool is_synced;   /* lock */
};

/* --- settings --- */

static struct err *read_settings(struct controller *c, const struct process *process)
{
    TRY(command_aws_config(process, c->options->aws_endpoint_url, &c->aws));
    TRY(command_kube_config(process, c->options->kubeconfig, &c->kube_config));
    c->client = command_kube_client(c->kube_config, 0);
    c->lease_client = command_kube_client(c->kube_config, LEASE_CALL_MS);
    return NULL;
}

static char *make_identity(struct random *random)
{
    char host[65] = "unknown";
    unsigned char bytes[8];
    AUTO_BUF struct buf identity = BUF_MAX(128);

    if (gethostname(host, sizeof(host) - 1) != 0)
        snprintf(host, sizeof(host), "unknown");
    random_fill(random, bytes, sizeof(bytes));
    buf_adds(&identity, host);
    buf_addc(&identity, '_');
    buf_add_hex(&identity, bytes, sizeof(bytes));
    return buf_take(&identity);
}

static void init(struct controller *c, const struct options *options)
{
    *c = (struct controller){.options = options};
    c->real = sched_threads_new(1);
    c->scaled = sched_threads_new(options->time_scale);
    c->random = random_system_new();
    c->log = log_new(STDERR_FILENO, (enum log_level)options->log_level, (enum log_format)options->log_format,
                     c->real);
    c->stop = stop_new();
    c->spot = sched_spot_new(c->real);
    c->metrics = controller_metrics_new();
    c->alive_ms = sched_now_ms(c->real);
    c->identity = make_identity(c->random);
    c->env = (struct env){.log = c->log, .sched = c->real, .random = c->random, .stop = c->stop};
    pthread_mutex_init(&c->lock, NULL);
}

static void done(struct controller *c)
{
    serving_stop(c->serving);
    engine_free(c->engine);
    objects_kube_free(c->objects);
    transport_free(c->env.transport);
    transport_free(c->lease_env.transport);
    kube_client_free(c->client);
    kube_client_free(c->lease_client);
    kube_config_free(c->kube_config);
    aws_config_done(&c->aws);
    signals_end(c->signals);
    sched_spot_free(c->spot);
    stop_free(c->stop);
    log_free(c->log);
    random_free(c->random);
    sched_free(c->scaled);
    sched_free(c->real);
    metrics_free(c->metrics);
    xfree(c->identity);
    pthread_mutex_destroy(&c->lock);
}

/* --- start --- */

static void changed(void *arg, const struct object_id *id, enum work_priority priority)
{
    struct controller *c = arg;

    engine_notify(c->engine, id, priority);
}

/* A transport whose requests to the API server are counted. */
static struct transport *new_transport(struct controller *c, struct sched *sched)
{
    return counted_transport_new(command_new_transport(sched), c->metrics, c->real,
                                 kube_config_server(c->kube_config));
}

static struct transport *new_real_transport(void *arg)
{
    struct controller *c = arg;

    return new_transport(c, c->real);
}

static struct transport *new_scaled_transport(void *arg)
{
    struct controller *c = arg;

    return new_transport(c, c->scaled);
}

static void make_parts(struct controller *c)
{
    const struct objects_kube_opts objects = {.client = c->client,
                                              .env = &c->env,
                                              .new_transport = new_real_transport,
                                              .new_transport_arg = c,
                                              .instance = c->identity};

    c->objects = objects_kube_new(&objects);
    c->engine = engine_new(&(struct engine_opts){.objects = c->objects,
                                                 .config = &c->aws,
                                                 .sched = c->scaled,
                                                 .random = c->random,
                                                 .log = c->log,
                                                 .stop = c->stop,
                                                 .workers = (int)c->options->workers,
                                                 .metrics = c->metrics,
                                                 .new_transport = new_scaled_transport,
                                                 .new_transport_arg = c});
}

static void mark_alive(struct controller *c)
{
    LOCK_SCOPE(&c->lock);
    c->alive_ms = sched_now_ms(c->real);
}

/* Until the API server answers, serves both kinds and lets us in. False: told to stop. */
static bool probe(struct controller *c)
{
    for (;;) {
        AUTO_ERR struct err *err = objects_kube_probe(c->objects, &c->env);

        mark_alive(c);
        if (!err)
            return true;
        if (stop_requested(c->stop))
            return false;
        LOG_ERROR(c->log, "cannot begin yet", KV("error", err_text(err)),
                  KV_INT("again_after_ms", PROBE_AGAIN_MS));
        if (!sched_wait_until(c->real, c->stop, sched_now_ms(c->real) + PROBE_AGAIN_MS))
            return false;
    }
}

/* False: told to stop. */
static bool wait_synced(struct controller *c)
{
    while (!objects_kube_wait_synced(c->objects, sched_now_ms(c->real) + SYNC_COMPLAIN_MS)) {
        AUTO_FREE char *trouble = objects_kube_trouble(c->objects);

        mark_alive(c);
        if (stop_requested(c->stop))
            return false;
        LOG_WARN(c->log, "not synced yet",
                 KV("because", trouble ? trouble : "the first lists have not come"));
    }
    {
        LOCK_SCOPE(&c->lock);
        c->is_synced = true;
    }
    LOG_INFO(c->log, "ready", KV("version", SR_VERSION), KV("identity", c->identity));
    return true;
}

/* --- leadership --- */

static void acquired(void *arg)
{
    struct controller *c = arg;

    {
        LOCK_SCOPE(&c->lock);
        c->lead = LEAD_HELD;
    }
    sched_wake(c->spot);
}

/* Somebody else may act from now on: nothing of this process may go on, not even an orderly end. */
static void lost(void *arg)
{
    struct controller *c = arg;

    LOG_ERROR(c->log, "leadership lost", KV("identity", c->identity));
    _exit(EXIT_FAILED);
}

static bool leads(struct controller *c)
{
    LOCK_SCOPE(&c->lock);
    return c->lead == LEAD_HELD;
}

static struct err *start_lease(struct controller *c)
{
    const char *namespace = c->options->leader_elect_namespace;
    const struct kube_lease_opts opts = {
        .namespace = namespace ? namespace : kube_config_namespace(c->kube_config),
        .name = LEASE_NAME,
        .identity = c->identity,
        .acquired = acquired,
        .lost = lost,
        .arg = c,
    };

    struct kube_lease *lease;

    LOG_INFO(c->log, "waits for leadership", KV("namespace", opts.namespace), KV("lease", opts.name));
    c->lease_env = c->env;
    c->lease_env.transport = new_real_transport(c);
    TRY(kube_lease_start(c->lease_client, &c->lease_env, &opts, &lease));
    LOCK_SCOPE(&c->lock);
    c->lease = lease;
    return NULL;
}

static void start_engine(struct controller *c)
{
    LOG_INFO(c->log, "works", KV_INT("workers", c->options->workers));
    engine_start(c->engine);
    c->engine_started = true;
}

/* --- what the pages ask --- */

static bool main_lives(void *arg)
{
    struct controller *c = arg;

    LOCK_SCOPE(&c->lock);
    return sched_now_ms(c->real) - c->alive_ms < MAIN_SILENT_MS;
}

static bool workers_live(void *arg)
{
    struct controller *c = arg;

    return sched_real_ms(c->scaled, engine_queue_stats(c->engine).longest_ms) < PASS_STUCK_MS;
}

static bool caches_filled(void *arg)
{
    struct controller *c = arg;

    LOCK_SCOPE(&c->lock);
    return c->is_synced;
}

/* Who holds it is known, us or another: a replica in reserve is ready too. */
static bool lease_known(void *arg)
{
    struct controller *c = arg;
    AUTO_FREE char *holder = NULL;

    if (!c->options->leader_elect)
        return true;
    LOCK_SCOPE(&c->lock);
    holder = c->lease ? kube_lease_holder(c->lease) : NULL;
    return !text_is_empty(holder);
}

static bool goes_on(void *arg)
{
    struct controller *c = arg;

    return !stop_requested(c->stop);
}

static void before_scrape(void *arg)
{
    struct controller *c = arg;
    struct workqueue_stats stats = engine_queue_stats(c->engine);
    bool leader = c->options->leader_elect ? leads(c) : true;

    controller_metrics_queue(c->metrics, &stats, (int)c->options->workers);
    controller_metrics_process(c->metrics);
    metrics_set(c->metrics, METRIC_LEADER, leader, LABELS(LEASE_NAME));
}

static struct err *start_serving(struct controller *c)
{
    const struct serving_opts opts = {.health_address = c->options->health_address,
                                      .metrics_address = c->options->metrics_address,
                                      .metrics_cert_path = c->options->metrics_cert_path,
                                      .view = {.main_lives = main_lives,
                                               .workers_live = workers_live,
                                               .caches_filled = caches_filled,
                                               .lease_known = lease_known,
                                               .goes_on = goes_on,
                                               .before_scrape = before_scrape,
                                               .arg = c},
                                      .metrics = c->metrics,
                                      .sched = c->real,
                                      .log = c->log};

    return serving_start(&opts, &c->serving);
}

/* --- while it runs --- */

static void wake_main(void *arg)
{
    sched_wake(arg);
}

/* Says what is wrong once, and when it is over. */
static void report_trouble(struct controller *c, char **said)
{
    char *trouble = objects_kube_trouble(c->objects);

    if (!trouble && *said)
        LOG_INFO(c->log, "the watches are up again", KV("after", *said));
    else if (trouble && !text_equal(trouble, *said))
        LOG_WARN(c->log, "the API server does not tell us news", KV("because", trouble));
    xfree(*said);
    *said = trouble;
}

static void stay(struct controller *c)
{
    struct stop_subscription *subscription = stop_subscribe(c->stop, wake_main, c->spot);
    int64_t resync_ms = sched_now_ms(c->real) + RESYNC_MS;
    AUTO_FREE char *said = NULL;

    while (!stop_requested(c->stop)) {
        if (!c->engine_started && (!c->options->leader_elect || leads(c)))
            start_engine(c);
        sched_park(c->spot, sched_now_ms(c->real) + TROUBLE_LOOK_MS);
        mark_alive(c);
        if (!stop_requested(c->stop))
            report_trouble(c, &said);
        if (sched_now_ms(c->real) >= resync_ms) {
            objects_kube_resync(c->objects);
            resync_ms = sched_now_ms(c->real) + RESYNC_MS;
        }
    }
    stop_unsubscribe(subscription);
}

static void shut_down(struct controller *c)
{
    LOG_INFO(c->log, "stops", KV("identity", c->identity));
    if (c->engine_started)
        engine_stop(c->engine);
    objects_kube_stop(c->objects);
    serving_stop(TAKE(c->serving));
    if (c->lease) /* nobody else looks any more */
        kube_lease_finish(TAKE(c->lease));
    LOG_INFO(c->log, "stopped", KV("identity", c->identity));
}

static struct err *work(struct controller *c)
{
    struct err *err = NULL;

    make_parts(c);
    TRY(start_serving(c));
    LOG_INFO(c->log, "starts", KV("version", SR_VERSION), KV("server", kube_config_server(c->kube_config)),
             KV("config", kube_config_origin(c->kube_config)));
    if (kube_config_is_insecure(c->kube_config))
        LOG_WARN(c->log, "the API server's certificate is not checked",
                 KV("config", kube_config_origin(c->kube_config)));
    if (probe(c)) {
        err = objects_kube_start(c->objects, changed, c);
        if (!err && wait_synced(c)) {
            err = c->options->leader_elect ? start_lease(c) : NULL;
            if (!err)
                stay(c);
        }
    }
    stop_request(c->stop);
    shut_down(c);
    return err;
}

static enum exit_code run(const struct process *process, const void *options)
{
    struct controller c;
    struct err *err;
    enum exit_code code = EXIT_DONE;

    init(&c, options);
    c.signals = signals_start(c.real, c.stop, STOP_GRACE_MS);
    err = read_settings(&c, process);
    if (err) {
        code = command_fail(EXIT_BAD_INPUT, err);
    } else {
        c.env.transport = new_real_transport(&c);
        err = work(&c);
        if (err)
            code = command_fail(EXIT_FAILED, err);
    }
    done(&c);
    return code;
}

const struct command controller_command = {
    .name = "controller",
    .summary = "the long-running controller of a cluster",
    .details =
        "Watches StagingRefreshes and AWSAccounts of a cluster, drives AWS until it is as they say, and "
        "writes\n"
        "what it does into their status. Needs the two CustomResourceDefinitions. SIGTERM stops it in order\n"
        "within ten seconds; work under way goes on with the next start.\n"
        "\n"
        "AWS settings come from the environment as the AWS SDKs read it (AWS_REGION, AWS_PROFILE,\n"
        "AWS_ROLE_ARN, AWS_ENDPOINT_URL, ...).\n",
    .flags = {.flags = flags, .count = COUNT_OF(flags)},
    .options_size = sizeof(struct options),
    .defaults = &defaults,
    .run = run,
};
