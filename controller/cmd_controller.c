/* `stagingrefresh controller`: watches the objects of a cluster and drives AWS until it is so.
 *
 * Two schedulers: network and leases go by real time, the engine by the scaled one. */
#include "controller/cmd_controller_priv.h"

#include "controller/objects_kube.h"
#include "controller/transport_gated.h"

#include <unistd.h>

#define STOP_GRACE_MS SECONDS(10)
#define LEASE_CALL_MS SECONDS(5)

static const struct options defaults = {.health_address = "0",
                                        .metrics_address = "0",
                                        .time_scale = 1,
                                        .workers = 16,
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
     .help = "objects that are worked on at the same time, one of four of them new or changed ones only (16)"},
    {.name = "leader-elect", .kind = FLAG_SWITCH, .offset = AT(leader_elect),
     .help = "work only while this process holds the lease; for more than one replica"},
    {.name = "leader-elect-namespace", .kind = FLAG_TEXT, .offset = AT(leader_elect_namespace), .value = "NAMESPACE",
     .help = "where the lease and the list of leftovers are (the pod's namespace)"},
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

/* --- settings --- */

static struct err *read_settings(struct controller *c, const struct process *process)
{
    TRY(command_aws_config(process, c->options->aws_endpoint_url, &c->aws));
    TRY(command_kube_config(process, c->options->kubeconfig, &c->kube_config));
    c->client = command_kube_client(c->kube_config, 0);
    c->lease_client = command_kube_client(c->kube_config, LEASE_CALL_MS);
    return NULL;
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
    c->identity = controller_make_identity(c->random);
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

/* --- connections --- */

/* A transport whose requests to the API server are counted. */
static struct transport *new_transport(struct controller *c, struct sched *sched)
{
    return counted_transport_new(command_new_transport(sched), c->metrics, c->real,
                                 kube_config_server(c->kube_config));
}

struct transport *controller_new_transport(void *arg)
{
    struct controller *c = arg;

    return new_transport(c, c->real);
}

struct transport *controller_new_worker_transport(void *arg)
{
    struct controller *c = arg;

    return gated_transport_new(new_transport(c, c->scaled), controller_may_act, c);
}

/* --- the command --- */

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
        c.env.transport = controller_new_transport(&c);
        err = controller_work(&c);
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
