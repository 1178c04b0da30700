/* How many requests AWS gets per hour for so many refreshes at a time, by the simulator's count: the engine,
 * the AWS clients and the simulator's core under one seeded scheduler, no sockets.
 *
 * bench_requests [COUNT...]: 1, 10, 100 and 1,000 without arguments. Each refresh carries one cluster over
 * and sets one parameter. */
#include <stdlib.h>

#include "controller/engine.h"
#include "hack/awssim/awssim.h"
#include "pkg/base/secret.h"
#include "pkg/base/yaml.h"
#include "tests/simulation/objects_memory.h"
#include "tests/simulation/sim_transport.h"

#define WALL_MS INT64_C(1795363200000) /* 2026-11-22T16:00:00Z */
#define WORKERS 4
#define LIMIT_MS HOURS(24)
#define LOOK_MS SECONDS(30)
#define TEXT_MAX (64 * MIB)

struct bench {
    int64_t count;
    struct sched *sched;
    struct sim *sim;
    struct memory *memory;
    struct lifetime *life;
};

/* What is counted between two moments. */
struct counts {
    int64_t all, looks; /* looks: Describe... and List... of jobs */
};

static void must(struct err *err)
{
    if (!err)
        return;
    fprintf(stderr, "bench: %s\n", err_text(err));
    abort();
}

/* --- the world --- */

static void add_production(const struct bench *bench, struct buf *out)
{
    buf_adds(out, "organization: {id: o-exampleorg1, crossAccountBackup: true}\n"
                  "durations:\n"
                  "  aurora: {backup: 12m, copy: 40m, restore: 35m}\n"
                  "accounts:\n"
                  "- id: \"111111111111\"\n"
                  "  name: production\n"
                  "  region: ap-northeast-1\n"
                  "  iam:\n"
                  "    roles:\n"
                  "    - name: staging-refresh\n"
                  "      trust:\n"
                  "      - {principal: \"arn:aws:iam::222222222222:user/stagingrefresh\", externalID: xx}\n"
                  "      allow: [\"backup:*\", \"iam:PassRole\", \"rds:Describe*\", \"kms:*\"]\n"
                  "    - name: AWSBackupStagingRefresh\n"
                  "      trust: [{service: backup.amazonaws.com}]\n"
                  "      managed: [AWSBackupServiceRolePolicyForBackup]\n"
                  "  kms:\n"
                  "    keys:\n"
                  "    - {id: k1, alias: alias/shop, sharedWith: [\"222222222222\"]}\n"
                  "  backup:\n"
                  "    optIn: [Aurora]\n"
                  "    vaults: [{name: staging-refresh, key: alias/shop}]\n"
                  "  rds:\n"
                  "    hostPart: c0production\n"
                  "    subnetGroups: [{name: production, vpc: vpc-prod}]\n"
                  "    securityGroups: [{id: sg-0fedcba9876543210, vpc: vpc-prod}]\n"
                  "    clusterParameterGroups: [{name: production-aurora, family: aurora-mysql8.0}]\n"
                  "    clusters:\n");
    for (int64_t i = 0; i < bench->count; i++)
        buf_addf(out,
                 "    - {id: shop-%lld, engine: aurora-mysql, engineVersion: 8.0.mysql_aurora.3.08.2, "
                 "masterUsername: admin, masterPassword: p, subnetGroup: production, "
                 "securityGroups: [sg-0fedcba9876543210], parameterGroup: production-aurora, "
                 "key: alias/shop, sizeGiB: 10, instances: [{id: shop-%lld-a, class: db.r6g.large}]}\n",
                 (long long)i, (long long)i);
}

static void add_staging(const struct bench *bench, struct buf *out)
{
    buf_adds(out,
             "- id: \"222222222222\"\n"
             "  name: staging\n"
             "  region: ap-northeast-1\n"
             "  iam:\n"
             "    users:\n"
             "    - name: stagingrefresh\n"
             "      accessKeys: [{id: AKIAEXAMPLE, secret: example-secret}]\n"
             "      allow: [\"sts:AssumeRole\"]\n"
             "    roles:\n"
             "    - name: staging-refresh\n"
             "      trust:\n"
             "      - {principal: \"arn:aws:iam::222222222222:user/stagingrefresh\", externalID: xx}\n"
             "      allow: [\"backup:*\", \"iam:PassRole\", \"rds:*\", \"ssm:*\", \"secretsmanager:*\", "
             "\"kms:*\"]\n"
             "    - name: AWSBackupStagingRefresh\n"
             "      trust: [{service: backup.amazonaws.com}]\n"
             "      managed: [AWSBackupServiceRolePolicyForRestores]\n"
             "  kms:\n"
             "    keys: [{id: k2, alias: alias/staging}]\n"
             "  backup:\n"
             "    optIn: [Aurora]\n"
             "    vaults:\n"
             "    - name: staging-refresh\n"
             "      key: alias/staging\n"
             "      policy:\n"
             "        Version: \"2012-10-17\"\n"
             "        Statement:\n"
             "        - {Sid: Copies, Effect: Allow, Principal: {AWS: \"arn:aws:iam::111111111111:root\"}, "
             "Action: backup:CopyIntoBackupVault, Resource: \"*\"}\n"
             "  secretsmanager:\n"
             "    secrets: [{name: shop/stg/db, fields: {username: admin, password: staging-password}}]\n"
             "  rds:\n"
             "    hostPart: c00000staging\n"
             "    subnetGroups: [{name: staging, vpc: vpc-stg}, {name: default, vpc: vpc-default, default: "
             "true}]\n"
             "    securityGroups:\n"
             "    - {id: sg-0123456789abcdef0, vpc: vpc-stg}\n"
             "    - {id: sg-0000000000default, vpc: vpc-default, default: true}\n"
             "    clusterParameterGroups: [{name: staging-aurora, family: aurora-mysql8.0}]\n"
             "  ssm:\n"
             "    parameters:\n");
    for (int64_t i = 0; i < bench->count; i++)
        buf_addf(out, "    - {name: /shop/%lld/db_host, value: old}\n", (long long)i);
}

static void make_world(struct bench *bench)
{
    AUTO_BUF struct buf text = BUF_MAX(TEXT_MAX);

    add_production(bench, &text);
    add_staging(bench, &text);
    must(awssim_new(&(struct sim_options){.world = buf_str(&text),
                                          .world_name = "world",
                                          .world_ms = sched_wall_ms(bench->sched),
                                          .seed = 1},
                    &bench->sim));
}

/* --- the objects --- */

static void create(struct bench *bench, struct str text)
{
    AUTO_YAML struct yaml_docs docs = {0};

    must(yaml_parse(text, "manifest", NULL, &docs));
    for (size_t i = 0; i < docs.count; i++)
        memory_create(bench->memory, yaml_root(docs.items[i]));
}

static void make_account(struct bench *bench, const char *name, const char *id, const char *usage,
                         const char *grant)
{
    AUTO_BUF struct buf text = BUF_MAX(TEXT_MAX);

    buf_addf(&text,
             "{apiVersion: stagingrefresh.dev/v1alpha1, kind: AWSAccount, metadata: {name: %s}, spec: "
             "{accountID: \"%s\", region: ap-northeast-1, usage: %s, credentials: {assumeRole: {roleARN: "
             "\"arn:aws:iam::%s:role/staging-refresh\", externalID: xx}}, backup: {vaultName: "
             "staging-refresh, serviceRoleARN: \"arn:aws:iam::%s:role/AWSBackupStagingRefresh\"}, grants: "
             "[%s]}}\n",
             name, id, usage, id, id, grant);
    create(bench, buf_str(&text));
}

static void make_refresh(struct bench *bench, int64_t index)
{
    AUTO_BUF struct buf text = BUF_MAX(TEXT_MAX);
    long long i = (long long)index;

    buf_addf(
        &text,
        "{apiVersion: stagingrefresh.dev/v1alpha1, kind: StagingRefresh, metadata: {name: shop-%lld, "
        "namespace: staging}, spec: {sourceRef: {name: production}, targetRef: {name: staging}, series: "
        "shop-%lld, trigger: once, databases: [{name: main, recoveryPoint: {from: New}, aurora: "
        "{clusterIdentifier: shop-%lld, restore: {identifierPrefix: s%lld, dbSubnetGroupName: staging, "
        "vpcSecurityGroupIDs: [sg-0123456789abcdef0], dbClusterParameterGroupName: staging-aurora, "
        "instances: [{name: a, class: db.r6g.large}], backupRetentionDays: 1, deletionProtection: false}, "
        "masterUserPassword: {fromSecret: {secretsManager: {secretID: shop/stg/db, key: password}}}}}], "
        "switchover: {policy: Automatic, parameters: [{name: host, value: $(databases.main.endpoint), "
        "ssm: {name: /shop/%lld/db_host}}]}, timeouts: {backup: 23h, copy: 23h, restore: 23h}, "
        "retention: {previousCopies: 1, failedCopies: 0, recoveryPoints: 2, recoveryPointDays: 14}, "
        "deletionPolicy: Retain}}\n",
        i, i, i, i, i);
    create(bench, buf_str(&text));
}

static void make_objects(struct bench *bench)
{
    bench->memory = memory_new(&(struct memory_opts){.sched = bench->sched});
    make_account(bench, "production", "111111111111", "Source",
                 "{name: g, namespaces: [staging], targets: [staging], resources: [{type: AuroraCluster, "
                 "names: [\"*\"]}]}");
    make_account(bench, "staging", "222222222222", "Target",
                 "{name: g, namespaces: [staging], requireApproval: false, resources: [{type: AuroraCluster, "
                 "names: [\"*\"]}, {type: SSMParameter, names: [\"*\"]}, {type: Secret, names: [\"*\"]}]}");
    for (int64_t i = 0; i < bench->count; i++)
        make_refresh(bench, i);
}

/* --- counting --- */

static struct counts count_calls(const struct bench *bench)
{
    AUTO_JSON struct json *calls = NULL;
    struct counts counts = {0};

    must(sim_control(bench->sim, bench->sched, "GET", "/_sim/calls", NULL, &calls));
    json_each (row, calls) {
        int64_t count = json_get_int(row, "count", 0);
        struct str operation = str_of(json_get_text(row, "operation", ""));
        bool is_look = str_starts(operation, "Describe") || str_starts(operation, "List");

        counts.all += count;
        if (is_look)
            counts.looks += count;
    }
    return counts;
}

enum moment { ALL_BACKING_UP, NONE_BACKING_UP, ALL_RESTORING, NONE_RESTORING, ENDED, MOMENTS };

static const char *step_state(const struct json *object, size_t index)
{
    return json_get_text(
        json_item(json_at(json_item(json_at(object, "status.databases"), 0), "steps"), index), "state", "");
}

/* How many have the step RUNNING, how many are past it, how many runs have ended. */
struct tally {
    int64_t backing_up, past_backup, restoring, past_restore, ended, succeeded;
};

static struct tally tally_of(const struct bench *bench)
{
    struct tally tally = {0};

    for (int64_t i = 0; i < bench->count; i++) {
        AUTO_FREE char *name = xasprintf("shop-%lld", (long long)i);
        const struct json *object = memory_get(
            bench->memory, &(struct object_id){.kind = OBJECT_REFRESH, .namespace = "staging", .name = name});

        tally.backing_up += text_equal(step_state(object, 0), "Running");
        tally.past_backup += text_equal(step_state(object, 0), "Done");
        tally.restoring += text_equal(step_state(object, 2), "Running");
        tally.past_restore += text_equal(step_state(object, 2), "Done");
        tally.ended += json_at(object, "status.run.completionTime") != NULL;
        tally.succeeded += text_equal(json_get_text(object, "status.phase", ""), "Succeeded");
    }
    return tally;
}

struct figures {
    int64_t at_ms[MOMENTS];
    struct counts counts[MOMENTS];
    bool seen[MOMENTS];
    int64_t succeeded;
};

static void note(const struct bench *bench, struct figures *figures, enum moment moment, bool is_now)
{
    if (!is_now || figures->seen[moment])
        return;
    figures->seen[moment] = true;
    figures->at_ms[moment] = sched_now_ms(bench->sched);
    figures->counts[moment] = count_calls(bench);
}

/* The moment before the first has left a step is what counts: it is overwritten until then. */
static void note_last(const struct bench *bench, struct figures *figures, enum moment moment, bool is_so)
{
    figures->seen[moment] = figures->seen[moment] && !is_so;
    note(bench, figures, moment, is_so);
}

static bool watch(const struct bench *bench, struct figures *figures)
{
    struct tally tally = tally_of(bench);

    note(bench, figures, ALL_BACKING_UP, tally.backing_up == bench->count);
    note_last(bench, figures, NONE_BACKING_UP, tally.backing_up == bench->count);
    note(bench, figures, ALL_RESTORING, tally.restoring == bench->count);
    note_last(bench, figures, NONE_RESTORING, tally.restoring == bench->count);
    note(bench, figures, ENDED, tally.ended == bench->count);
    figures->succeeded = tally.succeeded;
    return tally.ended < bench->count;
}

/* --- one size --- */

static struct transport *new_transport(void *arg)
{
    struct bench *bench = arg;

    return sim_transport_new(bench->sim, bench->life);
}

struct feeder {
    struct memory_client *client;
    struct engine *engine;
};

static void feed(void *arg)
{
    struct feeder *feeder = arg;
    struct object_id id;

    while (memory_client_watch(feeder->client, &id))
        engine_notify(feeder->engine, &id, WORK_URGENT);
}

static void live(struct bench *bench, const struct aws_config *config, struct figures *figures)
{
    struct random *random = random_seeded_new(1);
    struct log *log = getenv("SR_LOG") ? log_new(2, LOG_LEVEL_DEBUG, LOG_FORMAT_JSON, bench->sched) : NULL;
    struct feeder feeder = {.client = memory_client_new(bench->memory, bench->life)};
    struct task *task;

    feeder.engine = engine_new(&(struct engine_opts){.objects = memory_client_objects(feeder.client),
                                                     .config = config,
                                                     .sched = bench->sched,
                                                     .random = random,
                                                     .log = log,
                                                     .stop = lifetime_stop(bench->life),
                                                     .workers = WORKERS,
                                                     .new_transport = new_transport,
                                                     .new_transport_arg = bench});
    engine_start(feeder.engine);
    task = sched_spawn(bench->sched, "watch", feed, &feeder);
    while (watch(bench, figures) && sched_now_ms(bench->sched) < LIMIT_MS)
        sched_wait_until(bench->sched, NULL, sched_now_ms(bench->sched) + LOOK_MS);
    stop_request(lifetime_stop(bench->life));
    engine_stop(feeder.engine);
    sched_join(task);
    engine_free(feeder.engine);
    memory_client_free(feeder.client);
    random_free(random);
    log_free(log);
}

/* Tenths per minute between two moments; -1: they never came. */
static int64_t looks_per_minute(const struct figures *figures, enum moment from, enum moment to)
{
    int64_t took_ms = figures->at_ms[to] - figures->at_ms[from];

    if (!figures->seen[from] || !figures->seen[to] || took_ms <= 0)
        return -1;
    return (figures->counts[to].looks - figures->counts[from].looks) * 10 * MINUTES(1) / took_ms;
}

static void print_rate(int64_t tenths)
{
    if (tenths < 0)
        printf(" %12s", "-");
    else
        printf(" %10lld.%lld", (long long)(tenths / 10), (long long)(tenths % 10));
}

static void measure(int64_t count)
{
    struct bench bench = {.count = count, .sched = sched_seeded_new(1, WALL_MS)};
    struct aws_config config = {.region = xstrdup("ap-northeast-1"),
                                .access_key_id = xstrdup("AKIAEXAMPLE"),
                                .secret_access_key = secret_new(STR("example-secret"))};
    struct figures figures = {0};
    int64_t minutes;

    make_world(&bench);
    make_objects(&bench);
    bench.life = lifetime_new(
        &(struct lifetime_opts){.sched = bench.sched, .latency_min_ms = 20, .latency_max_ms = 80});
    live(&bench, &config, &figures);
    minutes = sched_now_ms(bench.sched) / MINUTES(1);
    printf("%9lld %9lld %8lld %10lld %10lld", (long long)count, (long long)figures.succeeded,
           (long long)minutes, (long long)count_calls(&bench).all,
           (long long)(minutes ? count_calls(&bench).all * 60 / minutes : 0));
    print_rate(looks_per_minute(&figures, ALL_BACKING_UP, NONE_BACKING_UP));
    print_rate(looks_per_minute(&figures, ALL_RESTORING, NONE_RESTORING));
    printf("\n");
    fflush(stdout);
    memory_free(bench.memory);
    awssim_free(bench.sim);
    lifetime_free(bench.life);
    aws_config_done(&config);
    sched_free(bench.sched);
}

int main(int argc, char **argv)
{
    static const int64_t sizes[] = {1, 10, 100, 1000};

    printf(
        "requests by the simulator's count; looks/min: Describe and List while all jobs of that kind run\n");
    printf("%9s %9s %8s %10s %10s %12s %12s\n", "refreshes", "succeeded", "minutes", "requests", "per hour",
           "looks/min", "looks/min");
    printf("%9s %9s %8s %10s %10s %12s %12s\n", "", "", "", "", "", "(backups)", "(restores)");
    for (int i = 1; i < argc; i++) {
        int64_t count = 0;

        if (!str_to_int(str_of(argv[i]), &count) || count < 1) {
            fprintf(stderr, "usage: %s [COUNT...]\n", argv[0]);
            return 2;
        }
        measure(count);
    }
    for (size_t i = 0; argc == 1 && i < COUNT_OF(sizes); i++)
        measure(sizes[i]);
    return 0;
}
