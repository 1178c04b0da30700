/* When the Proxies step takes the old target out and the new one in, and when it does the reverse: the step
 * alone runs, against the simulator, on clusters that are in some status, or not there any more. */
#include "controller/steps/steps.h"
#include "hack/awssim/awssim.h"
#include "tests/simulation/sim_transport.h"
#include "tests/testing/assertions.h"

#define WALL_MS INT64_C(1795363200000) /* 2026-11-22T16:00:00Z */
#define RUN "20261122-160000-abcde"

#define A_CLUSTER                                                                                          \
    "engine: aurora-mysql, engineVersion: 8.0.mysql_aurora.3.08.2, masterUsername: admin, masterPassword:" \
    " x, subnetGroup: staging, securityGroups: [sg-11111111], parameterGroup: my8"

static const char world_format[] =
    "accounts:\n"
    "- id: '222222222222'\n"
    "  name: staging\n"
    "  region: ap-northeast-1\n"
    "  iam: {users: [{name: me, accessKeys: [{id: AKIAEXAMPLE, secret: example-secret}], allow: ['*']}]}\n"
    "  secretsmanager: {secrets: [{name: db, fields: {username: admin, password: x}}]}\n"
    "  rds:\n"
    "    subnetGroups: [{name: staging, vpc: vpc-1}]\n"
    "    securityGroups: [{id: sg-11111111, vpc: vpc-1, from: [sg-22222222]}, {id: sg-22222222, vpc: "
    "vpc-1}]\n"
    "    clusterParameterGroups: [{name: my8, family: aurora-mysql8.0}]\n"
    "    clusters:\n"
    "%s"
    "    - {id: copy, " A_CLUSTER ", instances: [{id: copy-a, class: db.r6g.large, status: %s}]}\n"
    "    proxies:\n"
    "    - {name: %s, engineFamily: MYSQL, vpc: vpc-1, securityGroups: [sg-22222222], role: "
    "'arn:aws:iam::222222222222:role/p', auth: [{secret: db}]%s}\n";

/* What is in the world besides the copy. */
struct world {
    const char *old;    /* status of the old cluster; NULL: it is not there */
    const char *copy;   /* status of the copy's instance */
    const char *target; /* NULL: nothing */
    const char *proxy;
};

static const char spec_text[] =
    "{\"targetRef\":{\"name\":\"staging\"},\"databases\":[{\"name\":\"main\",\"recoveryPoint\":{\"from\":"
    "\"TargetVault\",\"maxAge\":\"1h\"},\"aurora\":{\"clusterIdentifier\":\"shop\",\"restore\":{"
    "\"identifierPrefix\":\"copy\",\"dbSubnetGroupName\":\"staging\",\"vpcSecurityGroupIDs\":["
    "\"sg-11111111\"],\"instances\":[{\"name\":\"a\",\"class\":\"db.r6g.large\"}]},\"masterUserPassword\":{"
    "\"fromSecret\":{\"secretsManager\":{\"secretID\":\"db\",\"key\":\"password\"}}}}}],\"switchover\":{"
    "\"policy\":\"Automatic\",\"proxies\":[{\"name\":\"p\",\"database\":\"main\"}]}}";

struct row {
    const char *name;
    const char *status; /* of the copy's instance */
    bool is_out;        /* the old target was taken out by an earlier pass */
    const char *target; /* of the proxy after a minute */
    const char *message;
};

static const struct row rows[] = {
    {"available", "available", false, "copy", "proxy p reaches cluster copy"},
    {"taking its first backup", "backing-up", false, "copy", "proxy p reaches cluster copy"},
    {"modifying, the old one is in", "modifying", false, "old", "instance copy-a is modifying"},
    {"modifying, the old one is out", "modifying", true, "copy", "proxy p reaches cluster copy"},
    {"taking its first backup, the old one is out", "backing-up", true, "copy",
     "proxy p reaches cluster copy"},
    {"refused, the old one is out", "configuring-log-exports", true, NULL,
     "proxy p does not take cluster copy yet"},
};

struct bench {
    struct sched *sched;
    struct sim *sim;
    struct lifetime *life;
    struct aws_config config;
    struct credentials_cache *identity;
    struct env env;
    struct objects objects;
    struct pass pass;
    struct stage stage;
};

static struct err *read_live(struct objects *self UNUSED, const struct env *env UNUSED,
                             const struct object_id *id UNUSED, struct json **ret)
{
    return json_parse(STR("{\"metadata\":{\"uid\":\"u\"},\"status\":{\"run\":{\"id\":\"" RUN "\"}}}"), NULL,
                      ret);
}

static void open_world(struct bench *bench, const struct world *world)
{
    AUTO_FREE char *old = world->old
                              ? xasprintf("    - {id: old, " A_CLUSTER
                                          ", status: %s, instances: [{id: old-a, class: db.r6g.large}]}\n",
                                          world->old)
                              : xstrdup("");
    AUTO_FREE char *target = world->target ? xasprintf(", target: %s", world->target) : xstrdup("");
    const char *parts[] = {old, world->copy, world->proxy, target};
    AUTO_BUF struct buf text = BUF_MAX(16 * KIB);
    const char *at = world_format;

    for (size_t i = 0; i < COUNT_OF(parts); i++) {
        const char *mark = strstr(at, "%s");

        buf_add(&text, at, (size_t)(mark - at));
        buf_adds(&text, parts[i]);
        at = mark + 2;
    }
    buf_adds(&text, at);
    assert_no_err(awssim_new(
        &(struct sim_options){.world = buf_str(&text), .world_name = "world", .world_ms = WALL_MS, .seed = 1},
        &bench->sim));
}

static void init_status(struct bench *bench)
{
    struct refresh_status *status = bench->pass.status = refresh_status_new();

    status->run.id = xstrdup(RUN);
    text_replace(&status_add_database(status, "main")->copy_identifier, "copy");
    text_replace(&status_set_previous(status, "Proxy", "p")->value, "old");
    bench->stage.pass = &bench->pass;
    bench->stage.row =
        status_add_step(&status->switchover_steps, &status->switchover_step_count, "Proxies/p");
    bench->stage.row->state = STEP_INTENDED;
}

static void bench_init(struct bench *bench, const struct world *world)
{
    static const struct objects_ops ops = {.read_live = read_live};
    AUTO_JSON struct json *spec = NULL;

    *bench = (struct bench){.sched = sched_seeded_new(1, WALL_MS), .objects = {.ops = &ops}};
    open_world(bench, world);
    bench->life = lifetime_new(&(struct lifetime_opts){.sched = bench->sched, .latency_max_ms = 100});
    bench->config = (struct aws_config){.region = xstrdup("ap-northeast-1"),
                                        .access_key_id = xstrdup("AKIAEXAMPLE"),
                                        .secret_access_key = secret_new(STR("example-secret"))};
    bench->identity = credentials_default_new(&bench->config);
    bench->env = (struct env){.sched = bench->sched,
                              .random = random_seeded_new(1),
                              .transport = sim_transport_new(bench->sim, bench->life)};
    bench->pass = (struct pass){.env = &bench->env, .objects = &bench->objects, .uid = "u"};
    bench->pass.target.env = &bench->env;
    assert_no_err(aws_account_new(&(struct aws_account_opts){.account_id = "222222222222",
                                                             .region = "ap-northeast-1",
                                                             .usage = AWS_TARGET,
                                                             .config = &bench->config,
                                                             .identity = bench->identity},
                                  &bench->pass.target.account));
    assert_no_err(json_parse(str_of(spec_text), NULL, &spec));
    assert_no_err(refresh_spec_parse(spec, "shop", &bench->pass.spec));
    init_status(bench);
}

static void bench_done(struct bench *bench)
{
    refresh_status_free(bench->pass.status);
    refresh_spec_free(bench->pass.spec);
    aws_account_unref(bench->pass.target.account);
    transport_free(bench->env.transport);
    random_free(bench->env.random);
    credentials_cache_free(bench->identity);
    aws_config_done(&bench->config);
    lifetime_free(bench->life);
    awssim_free(bench->sim);
    sched_free(bench->sched);
}

/* Until it is over, or for a minute; what the proxy points at then. *out is the last outcome. */
static void play(struct bench *bench, struct err *(*step)(struct stage *stage, struct outcome *out),
                 struct outcome *out, const char *target)
{
    AUTO_JSON struct json *world = NULL;

    for (bool is_over = false; !is_over;) {
        outcome_reset(out);
        bench->pass.now_ms = sched_wall_ms(bench->sched);
        assert_no_err(step(&bench->stage, out));
        is_over = out->verdict != VERDICT_WAIT || bench->pass.now_ms > WALL_MS + MINUTES(1);
        sched_wait_until(bench->sched, NULL, sched_now_ms(bench->sched) + out->after_ms);
    }
    assert_no_err(sim_control(bench->sim, bench->sched, "GET", "/_sim/world", NULL, &world));
    assert_text_equal(json_get_text(world, "accounts[0].rds.proxies[0].target", NULL), target);
}

static void swaps(void **state)
{
    const struct row *row = *state;
    const struct world world = {
        .old = "available", .copy = row->status, .proxy = "p", .target = row->is_out ? NULL : "old"};
    AUTO_OUTCOME struct outcome out = {0};
    struct bench bench;

    bench_init(&bench, &world);
    if (row->is_out)
        step_set_evidence_ms(bench.stage.row, "switched", WALL_MS);
    play(&bench, proxy_act, &out, row->target);
    assert_text_contains(out.message, row->message);
    bench_done(&bench);
}

/* --- and back --- */

struct back_row {
    const char *name;
    struct world world;
    int64_t undo_ms;    /* how long it has been tried */
    const char *target; /* of the proxy in the end */
    enum verdict verdict;
    const char *message;
    int64_t taken_out; /* how often something was */
};

#define PUT_BACK(old_status, present)                                           \
    {                                                                           \
        .old = old_status, .copy = "available", .target = present, .proxy = "p" \
    }

static const struct back_row back_rows[] = {
    {"the old one is there", PUT_BACK("available", "copy"), 0, "old", VERDICT_DONE,
     "proxy p reaches cluster old", 1},
    {"the old one is gone", PUT_BACK(NULL, "copy"), 0, "copy", VERDICT_FAILED,
     "cluster old, which proxy p pointed at before, is not there any more: cluster copy stays its target", 0},
    {"the old one is being deleted", PUT_BACK("deleting", "copy"), 0, "copy", VERDICT_FAILED,
     "cluster copy stays its target", 0},
    {"the old one is gone, and the proxy points at nothing", PUT_BACK(NULL, NULL), 0, "copy", VERDICT_FAILED,
     "cluster copy stays its target", 0},
    {"the old one is stopped", PUT_BACK("stopped", "copy"), 0, "copy", VERDICT_WAIT,
     "cluster old is stopped; until then cluster copy stays the target of proxy p", 0},
    {"the old one is stopped for good", PUT_BACK("stopped", "copy"), MINUTES(61), "copy", VERDICT_FAILED,
     "cluster old is stopped", 0},
    {"it is there already", PUT_BACK("available", "old"), 0, "old", VERDICT_DONE,
     "proxy p reaches cluster old", 0},
    {"nothing is in", PUT_BACK("available", NULL), 0, "old", VERDICT_DONE, "proxy p reaches cluster old", 0},
    {"the proxy is gone",
     {.old = "available", .copy = "available", .target = "copy", .proxy = "q"},
     0,
     "copy",
     VERDICT_DONE,
     "proxy p is not there any more",
     0},
};

static int64_t taken_out(struct bench *bench)
{
    AUTO_JSON struct json *journal = NULL;
    int64_t count = 0;

    assert_no_err(sim_control(bench->sim, bench->sched, "GET", "/_sim/journal", NULL, &journal));
    json_each (row, journal)
        count += text_equal(json_get_text(row, "operation", ""), "DeregisterDBProxyTargets") &&
                 text_equal(json_get_text(row, "effect", ""), "changed");
    return count;
}

static void goes_back(void **state)
{
    const struct back_row *row = *state;
    AUTO_OUTCOME struct outcome out = {0};
    struct bench bench;

    bench_init(&bench, &row->world);
    bench.stage.row->state = STEP_DONE;
    bench.stage.watched_ms = HOURS(1);
    step_set_evidence_ms(bench.stage.row, "undoSince", WALL_MS - row->undo_ms);
    play(&bench, proxy_undo, &out, row->target);
    assert_number(out.verdict, row->verdict);
    assert_text_contains(out.message, row->message);
    assert_number(taken_out(&bench), row->taken_out);
    bench_done(&bench);
}

int main(void)
{
    struct tests tests = {0};

    TEST_ROWS(&tests, swaps, rows);
    TEST_ROWS(&tests, goes_back, back_rows);
    return tests_run(&tests, "proxy_step");
}
