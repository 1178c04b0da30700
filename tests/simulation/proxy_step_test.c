/* When the Proxies step takes the old target out and the new one in, and when it does the reverse: the step
 * alone runs, against the simulator, on clusters that are in some status, or not there any more. */
#include "controller/steps/steps.h"
#include "tests/simulation/step_bench.h"
#include "tests/testing/assertions.h"
#include "tests/testing/fill_gaps.h"

#define A_CLUSTER                                                                                          \
    "engine: aurora-mysql, engineVersion: 8.0.mysql_aurora.3.08.2, masterUsername: admin, masterPassword:" \
    " x, subnetGroup: staging, securityGroups: [sg-11111111], parameterGroup: my8"

static const char sections_format[] =
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

static struct err *read_live(struct objects *self UNUSED, const struct env *env UNUSED,
                             const struct object_id *id UNUSED, struct json **ret)
{
    return json_parse(
        STR("{\"metadata\":{\"uid\":\"u\"},\"status\":{\"run\":{\"id\":\"" STEP_BENCH_RUN "\"}}}"), NULL,
        ret);
}

/* Yours. */
static char *sections_of(const struct world *world)
{
    AUTO_FREE char *old = world->old
                              ? xasprintf("    - {id: old, " A_CLUSTER
                                          ", status: %s, instances: [{id: old-a, class: db.r6g.large}]}\n",
                                          world->old)
                              : xstrdup("");
    AUTO_FREE char *target = world->target ? xasprintf(", target: %s", world->target) : xstrdup("");
    const char *parts[] = {old, world->copy, world->proxy, target};

    return fill_gaps(sections_format, parts);
}

static struct stage bench_init(struct step_bench *bench, const struct world *world)
{
    static const struct objects_ops ops = {.read_live = read_live};
    AUTO_FREE char *sections = sections_of(world);
    struct stage stage;

    step_bench_init(bench, sections, spec_text);
    bench->objects.ops = &ops;
    text_replace(&status_add_database(bench->pass.status, "main")->copy_identifier, "copy");
    text_replace(&status_set_previous(bench->pass.status, "Proxy", "p")->value, "old");
    stage = step_bench_stage(bench, "Proxies/p", 0);
    stage.row->state = STEP_INTENDED;
    return stage;
}

/* Until it is over, or for a minute; what the proxy points at then. *out is the last outcome. */
static void play(struct step_bench *bench, struct stage *stage,
                 struct err *(*step)(struct stage *stage, struct outcome *out), struct outcome *out,
                 const char *target)
{
    for (bool is_over = false; !is_over;) {
        outcome_reset(out);
        bench->pass.now_ms = sched_wall_ms(bench->sched);
        assert_no_err(step(stage, out));
        is_over = out->verdict != VERDICT_WAIT || bench->pass.now_ms > STEP_BENCH_WALL_MS + MINUTES(1);
        step_bench_wait(bench, out->after_ms);
    }
    AUTO_JSON struct json *world = step_bench_world(bench);
    assert_text_equal(json_get_text(world, "accounts[0].rds.proxies[0].target", NULL), target);
}

static void swaps(void **state)
{
    const struct row *row = *state;
    const struct world world = {
        .old = "available", .copy = row->status, .proxy = "p", .target = row->is_out ? NULL : "old"};
    AUTO_OUTCOME struct outcome out = {0};
    struct step_bench bench;
    struct stage stage = bench_init(&bench, &world);

    if (row->is_out)
        step_set_evidence_ms(stage.row, "switched", STEP_BENCH_WALL_MS);
    play(&bench, &stage, proxy_act, &out, row->target);
    assert_text_contains(out.message, row->message);
    step_bench_done(&bench);
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

static void goes_back(void **state)
{
    const struct back_row *row = *state;
    AUTO_OUTCOME struct outcome out = {0};
    struct step_bench bench;
    struct stage stage = bench_init(&bench, &row->world);

    stage.row->state = STEP_DONE;
    stage.watched_ms = HOURS(1);
    step_set_evidence_ms(stage.row, "undoSince", STEP_BENCH_WALL_MS - row->undo_ms);
    play(&bench, &stage, proxy_undo, &out, row->target);
    assert_number(out.verdict, row->verdict);
    assert_text_contains(out.message, row->message);
    assert_number(step_bench_count(&bench, "DeregisterDBProxyTargets", "changed"), row->taken_out);
    step_bench_done(&bench);
}

int main(void)
{
    struct tests tests = {0};

    TEST_ROWS(&tests, swaps, rows);
    TEST_ROWS(&tests, goes_back, back_rows);
    return tests_run(&tests, "proxy_step");
}
