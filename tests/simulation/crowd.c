#include "tests/simulation/crowd.h"

#include <stdlib.h>

#include "controller/engine.h"
#include "controller/metrics.h"
#include "hack/awssim/awssim.h"
#include "pkg/base/secret.h"
#include "pkg/base/yaml.h"
#include "tests/simulation/objects_memory.h"
#include "tests/simulation/sim_transport.h"

#define WALL_MS INT64_C(1795363200000) /* 2026-11-22T16:00:00Z */
#define LOOK_MS SECONDS(30)
#define TEXT_MAX (64 * MIB)

struct crowd {
    struct crowd_opts opts;
    struct sched *sched;
    struct sim *sim;
    struct memory *memory;
    struct lifetime *life;
    struct aws_config config;
    struct metrics *metrics;
};

static void must(struct err *err)
{
    if (!err)
        return;
    fprintf(stderr, "crowd: %s\n", err_text(err));
    abort();
}

/* --- the world --- */

/* The way of events to the queue, as in hack/awssim/worlds/shop.yaml. */
static const char events_role[] = "    - name: staging-refresh-events\n"
                                  "      trust: [{service: events.amazonaws.com}]\n"
                                  "      allow: [\"events:PutEvents\"]\n";

static const char production_events[] =
    "  events:\n"
    "    rules:\n"
    "    - name: staging-refresh\n"
    "      pattern:\n"
    "        source: [aws.backup]\n"
    "        detail-type: [Backup Job State Change, Copy Job State Change]\n"
    "      targets:\n"
    "      - id: staging\n"
    "        arn: arn:aws:events:ap-northeast-1:222222222222:event-bus/staging-refresh\n"
    "        role: arn:aws:iam::111111111111:role/staging-refresh-events\n";

static const char staging_events[] =
    "  sqs:\n"
    "    queues:\n"
    "    - name: staging-refresh\n"
    "      policy:\n"
    "        Version: \"2012-10-17\"\n"
    "        Statement:\n"
    "        - Sid: Events\n"
    "          Effect: Allow\n"
    "          Principal: {Service: events.amazonaws.com}\n"
    "          Action: sqs:SendMessage\n"
    "          Resource: arn:aws:sqs:ap-northeast-1:222222222222:staging-refresh\n"
    "          Condition:\n"
    "            ArnLike: {aws:SourceArn: \"arn:aws:events:ap-northeast-1:222222222222:rule/*\"}\n"
    "  events:\n"
    "    buses:\n"
    "    - name: staging-refresh\n"
    "      policy:\n"
    "        Version: \"2012-10-17\"\n"
    "        Statement:\n"
    "        - Sid: Production\n"
    "          Effect: Allow\n"
    "          Principal: {AWS: \"arn:aws:iam::111111111111:root\"}\n"
    "          Action: events:PutEvents\n"
    "          Resource: arn:aws:events:ap-northeast-1:222222222222:event-bus/staging-refresh\n"
    "    rules:\n"
    "    - name: staging-refresh-backup\n"
    "      pattern:\n"
    "        account: [\"222222222222\"]\n"
    "        source: [aws.backup]\n"
    "        detail-type: [Copy Job State Change, Restore Job State Change]\n"
    "      targets: [{id: queue, arn: \"arn:aws:sqs:ap-northeast-1:222222222222:staging-refresh\"}]\n"
    "    - name: staging-refresh-rds\n"
    "      pattern:\n"
    "        account: [\"222222222222\"]\n"
    "        source: [aws.rds]\n"
    "        detail-type: [RDS DB Cluster Event, RDS DB Instance Event]\n"
    "      targets: [{id: queue, arn: \"arn:aws:sqs:ap-northeast-1:222222222222:staging-refresh\"}]\n"
    "    - name: staging-refresh-production\n"
    "      bus: staging-refresh\n"
    "      pattern:\n"
    "        account: [\"111111111111\"]\n"
    "        source: [aws.backup]\n"
    "      targets: [{id: queue, arn: \"arn:aws:sqs:ap-northeast-1:222222222222:staging-refresh\"}]\n";

static void add_production(const struct crowd *crowd, struct buf *out)
{
    buf_addf(out,
             "organization: {id: o-exampleorg1, crossAccountBackup: true}\n"
             "durations:\n"
             "  aurora: {backup: 12m, copy: 40m, restore: 35m}\n"
             "  events: %s\n"
             "  rds: %s\n"
             "habits: %s\n"
             "limits: {%s}\n",
             crowd->opts.events_take ? crowd->opts.events_take : "{}",
             crowd->opts.rds_takes ? crowd->opts.rds_takes : "{}",
             crowd->opts.habits ? crowd->opts.habits : "{}",
             crowd->opts.limits ? crowd->opts.limits : "backups: 0, auroraCopies: 0");
    buf_adds(out, "accounts:\n"
                  "- id: \"111111111111\"\n"
                  "  name: production\n"
                  "  region: ap-northeast-1\n"
                  "  iam:\n"
                  "    roles:\n"
                  "    - name: staging-refresh\n"
                  "      trust:\n"
                  "      - {principal: \"arn:aws:iam::222222222222:user/stagingrefresh\", externalID: xx}\n"
                  "      allow: [\"backup:*\", \"iam:PassRole\", \"rds:Describe*\", "
                  "\"rds:ListTagsForResource\", \"kms:*\"]\n"
                  "    - name: AWSBackupStagingRefresh\n"
                  "      trust: [{service: backup.amazonaws.com}]\n"
                  "      managed: [AWSBackupServiceRolePolicyForBackup]\n");
    if (crowd->opts.hears_events)
        buf_adds(out, events_role);
    buf_adds(out, "  kms:\n"
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
    for (int64_t i = 0; i < crowd->opts.count; i++)
        buf_addf(out,
                 "    - {id: shop-%lld, engine: aurora-mysql, engineVersion: 8.0.mysql_aurora.3.08.2, "
                 "masterUsername: admin, masterPassword: p, subnetGroup: production, "
                 "securityGroups: [sg-0fedcba9876543210], parameterGroup: production-aurora, "
                 "key: alias/shop, sizeGiB: 10, instances: [{id: shop-%lld-a, class: db.r6g.large}]}\n",
                 (long long)i, (long long)i);
    if (crowd->opts.hears_events)
        buf_adds(out, production_events);
}

static void add_staging(const struct crowd *crowd, struct buf *out)
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
             "\"sqs:*\", \"kms:*\"]\n"
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
    for (int64_t i = 0; i < crowd->opts.count; i++)
        buf_addf(out, "    - {name: /shop/%lld/db_host, value: old}\n", (long long)i);
    if (crowd->opts.hears_events)
        buf_adds(out, staging_events);
}

static void make_world(struct crowd *crowd)
{
    AUTO_BUF struct buf text = BUF_MAX(TEXT_MAX);

    add_production(crowd, &text);
    add_staging(crowd, &text);
    must(awssim_new(&(struct sim_options){.world = buf_str(&text),
                                          .world_name = "world",
                                          .world_ms = sched_wall_ms(crowd->sched),
                                          .seed = crowd->opts.seed},
                    &crowd->sim));
    for (const char *const *fault = crowd->opts.faults; fault && *fault; fault++)
        must(sim_control(crowd->sim, crowd->sched, "POST", "/_sim/faults", *fault, NULL));
}

/* --- the objects --- */

static void create(struct crowd *crowd, struct str text)
{
    AUTO_YAML struct yaml_docs docs = {0};

    must(yaml_parse(text, "manifest", NULL, &docs));
    for (size_t i = 0; i < docs.count; i++)
        memory_create(crowd->memory, yaml_root(docs.items[i]));
}

static void make_account(struct crowd *crowd, const char *name, const char *id, const char *usage,
                         const char *more)
{
    AUTO_BUF struct buf text = BUF_MAX(TEXT_MAX);

    buf_addf(&text,
             "{apiVersion: stagingrefresh.dev/v1alpha1, kind: AWSAccount, metadata: {name: %s}, spec: "
             "{accountID: \"%s\", region: ap-northeast-1, usage: %s, credentials: {assumeRole: {roleARN: "
             "\"arn:aws:iam::%s:role/staging-refresh\", externalID: xx}}, backup: {vaultName: "
             "staging-refresh, serviceRoleARN: \"arn:aws:iam::%s:role/AWSBackupStagingRefresh\"}, %s}}\n",
             name, id, usage, id, id, more);
    create(crowd, buf_str(&text));
}

static void make_refresh(struct crowd *crowd, int64_t index)
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
    create(crowd, buf_str(&text));
}

#define QUEUE \
    "events: {queueURL: \"https://sqs.ap-northeast-1.amazonaws.com/222222222222/staging-refresh\"}, "
#define GRANTS                                                                                             \
    "grants: [{name: g, namespaces: [staging], requireApproval: false, resources: [{type: AuroraCluster, " \
    "names: [\"*\"]}, {type: SSMParameter, names: [\"*\"]}, {type: Secret, names: [\"*\"]}]}]"

static void make_objects(struct crowd *crowd)
{
    crowd->memory = memory_new(&(struct memory_opts){.sched = crowd->sched});
    make_account(
        crowd, "production", "111111111111", "Source",
        "grants: [{name: g, namespaces: [staging], targets: [staging], resources: [{type: AuroraCluster, "
        "names: [\"*\"]}]}]");
    make_account(crowd, "staging", "222222222222", "Target",
                 crowd->opts.hears_events ? QUEUE GRANTS : GRANTS);
    for (int64_t i = 0; i < crowd->opts.count; i++)
        make_refresh(crowd, i);
}

struct crowd *crowd_new(const struct crowd_opts *opts)
{
    struct crowd *crowd = xcalloc(1, sizeof(*crowd));

    crowd->opts = *opts;
    crowd->sched = sched_seeded_new(opts->seed, WALL_MS);
    crowd->config = (struct aws_config){.region = xstrdup("ap-northeast-1"),
                                        .access_key_id = xstrdup("AKIAEXAMPLE"),
                                        .secret_access_key = secret_new(STR("example-secret"))};
    crowd->metrics = controller_metrics_new();
    make_world(crowd);
    make_objects(crowd);
    crowd->life = lifetime_new(
        &(struct lifetime_opts){.sched = crowd->sched, .latency_min_ms = 20, .latency_max_ms = 80});
    return crowd;
}

void crowd_free(struct crowd *crowd)
{
    if (!crowd)
        return;
    memory_free(crowd->memory);
    awssim_free(crowd->sim);
    lifetime_free(crowd->life);
    aws_config_done(&crowd->config);
    metrics_free(crowd->metrics);
    sched_free(crowd->sched);
    xfree(crowd);
}

/* --- the engine --- */

static struct transport *new_transport(void *arg)
{
    struct crowd *crowd = arg;

    return sim_transport_new(crowd->sim, crowd->life);
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

void crowd_run(struct crowd *crowd, int64_t deadline_ms, crowd_look_fn *look, void *arg)
{
    struct random *random = random_seeded_new(crowd->opts.seed);
    struct log *log = getenv("SR_LOG") ? log_new(2, LOG_LEVEL_DEBUG, LOG_FORMAT_JSON, crowd->sched) : NULL;
    struct feeder feeder = {.client = memory_client_new(crowd->memory, crowd->life)};
    struct task *task;

    feeder.engine = engine_new(&(struct engine_opts){.objects = memory_client_objects(feeder.client),
                                                     .config = &crowd->config,
                                                     .sched = crowd->sched,
                                                     .random = random,
                                                     .log = log,
                                                     .stop = lifetime_stop(crowd->life),
                                                     .metrics = crowd->metrics,
                                                     .hears_events = crowd->opts.hears_events,
                                                     .new_transport = new_transport,
                                                     .new_transport_arg = crowd});
    engine_start(feeder.engine);
    task = sched_spawn(crowd->sched, "watch", feed, &feeder);
    while (look(arg, crowd) && sched_now_ms(crowd->sched) < deadline_ms)
        sched_wait_until(crowd->sched, NULL, sched_now_ms(crowd->sched) + LOOK_MS);
    stop_request(lifetime_stop(crowd->life));
    engine_stop(feeder.engine);
    sched_join(task);
    engine_free(feeder.engine);
    memory_client_free(feeder.client);
    random_free(random);
    log_free(log);
}

/* --- what came of it --- */

int64_t crowd_now_ms(const struct crowd *crowd)
{
    return sched_now_ms(crowd->sched);
}

const struct json *crowd_refresh(const struct crowd *crowd, int64_t index)
{
    AUTO_FREE char *name = xasprintf("shop-%lld", (long long)index);

    return memory_get(crowd->memory,
                      &(struct object_id){.kind = OBJECT_REFRESH, .namespace = "staging", .name = name});
}

const struct json *crowd_account(const struct crowd *crowd, const char *name)
{
    return memory_get(crowd->memory,
                      &(struct object_id){.kind = OBJECT_ACCOUNT, .namespace = "", .name = name});
}

struct json *crowd_ask(const struct crowd *crowd, const char *path)
{
    struct json *answer = NULL;

    must(sim_control(crowd->sim, crowd->sched, "GET", path, NULL, &answer));
    return answer;
}

int64_t crowd_failed_requests(const struct crowd *crowd)
{
    static const char family[] = "stagingrefresh_aws_requests_total{";
    AUTO_BUF struct buf text = BUF_MAX(TEXT_MAX);
    int64_t sum = 0, value;

    metrics_render(crowd->metrics, METRICS_CLASSIC, &text);
    for (const char *line = buf_text(&text), *end; (end = strchr(line, '\n')); line = end + 1) {
        AUTO_FREE char *row = xstrndup(line, (size_t)(end - line));
        const char *space = strrchr(row, ' ');

        if (str_starts(str_of(row), family) && !strstr(row, "code=\"OK\"") && space &&
            str_to_int(str_of(space + 1), &value))
            sum += value;
    }
    return sum;
}
