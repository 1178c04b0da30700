/* When the Proxies step takes the old target out and the new one in: the step alone runs, against the
 * simulator, on a copy whose instance is in some status. */
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
    "    - {id: old, " A_CLUSTER ", instances: [{id: old-a, class: db.r6g.large}]}\n"
    "    - {id: copy, " A_CLUSTER ", instances: [{id: copy-a, class: db.r6g.large, status: %s}]}\n"
    "    proxies:\n"
    "    - {name: p, engineFamily: MYSQL, vpc: vpc-1, securityGroups: [sg-22222222], role: "
    "'arn:aws:iam::222222222222:role/p', auth: [{secret: db}]%s}\n";

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

static void open_world(struct bench *bench, const struct row *row)
{
    AUTO_BUF struct buf world = BUF_MAX(16 * KIB);
    const char *mark = strstr(world_format, "%s");

    buf_add(&world, world_format, (size_t)(mark - world_format));
    buf_adds(&world, row->status);
    buf_adds(&world, mark + 2);
    AUTO_FREE char *text = str_dup(buf_str(&world));
    *strstr(text, "%s") = '\0';
    AUTO_FREE char *whole = xasprintf("%s%s}\n", text, row->is_out ? "" : ", target: old");
    assert_no_err(awssim_new(
        &(struct sim_options){.world = str_of(whole), .world_name = "world", .world_ms = WALL_MS, .seed = 1},
        &bench->sim));
}

static void init_status(struct bench *bench, const struct row *row)
{
    struct refresh_status *status = bench->pass.status = refresh_status_new();

    status->run.id = xstrdup(RUN);
    text_replace(&status_add_database(status, "main")->copy_identifier, "copy");
    text_replace(&status_set_previous(status, "Proxy", "p")->value, "old");
    bench->stage.pass = &bench->pass;
    bench->stage.row =
        status_add_step(&status->switchover_steps, &status->switchover_step_count, "Proxies/p");
    bench->stage.row->state = STEP_INTENDED;
    if (row->is_out)
        step_set_evidence_ms(bench->stage.row, "switched", WALL_MS);
}

static void bench_init(struct bench *bench, const struct row *row)
{
    static const struct objects_ops ops = {.read_live = read_live};
    AUTO_JSON struct json *spec = NULL;

    *bench = (struct bench){.sched = sched_seeded_new(1, WALL_MS), .objects = {.ops = &ops}};
    open_world(bench, row);
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
    init_status(bench, row);
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

static void swaps(void **state)
{
    const struct row *row = *state;
    AUTO_JSON struct json *world = NULL;
    AUTO_OUTCOME struct outcome out = {0};
    struct bench bench;

    bench_init(&bench, row);
    for (bool is_over = false; !is_over;) {
        outcome_reset(&out);
        bench.pass.now_ms = sched_wall_ms(bench.sched);
        assert_no_err(proxy_act(&bench.stage, &out));
        is_over = out.verdict != VERDICT_WAIT || bench.pass.now_ms > WALL_MS + MINUTES(1);
        sched_wait_until(bench.sched, NULL, sched_now_ms(bench.sched) + out.after_ms);
    }
    assert_text_contains(out.message, row->message);
    assert_no_err(sim_control(bench.sim, bench.sched, "GET", "/_sim/world", NULL, &world));
    assert_text_equal(json_get_text(world, "accounts[0].rds.proxies[0].target", NULL), row->target);
    bench_done(&bench);
}

int main(void)
{
    struct tests tests = {0};

    TEST_ROWS(&tests, swaps, rows);
    return tests_run(&tests, "proxy_step");
}
