#include "tests/simulation/step_bench.h"

#include "hack/awssim/awssim.h"
#include "tests/simulation/invariants.h"
#include "tests/testing/assertions.h"

#define ACCOUNT                          \
    "accounts:\n"                        \
    "- id: '222222222222'\n"             \
    "  name: staging\n"                  \
    "  region: ap-northeast-1\n"         \
    "  iam: {users: [{name: me, allow: " \
    "['*'], accessKeys: [{id: AKIAEXAMPLE, secret: example-secret}]}]}\n"

static void open_account(struct step_bench *bench)
{
    bench->config = (struct aws_config){.region = xstrdup("ap-northeast-1"),
                                        .access_key_id = xstrdup("AKIAEXAMPLE"),
                                        .secret_access_key = secret_new(STR("example-secret"))};
    bench->identity = credentials_default_new(&bench->config);
    bench->pass.target.env = &bench->env;
    assert_no_err(aws_account_new(&(struct aws_account_opts){.account_id = "222222222222",
                                                             .region = "ap-northeast-1",
                                                             .usage = AWS_TARGET,
                                                             .config = &bench->config,
                                                             .identity = bench->identity},
                                  &bench->pass.target.account));
}

void step_bench_open(struct step_bench *bench, const char *world, uint64_t seed)
{
    *bench = (struct step_bench){.sched = sched_seeded_new(seed, STEP_BENCH_WALL_MS)};
    assert_no_err(awssim_new(
        &(struct sim_options){
            .world = str_of(world), .world_name = "world", .world_ms = STEP_BENCH_WALL_MS, .seed = seed},
        &bench->sim));
    bench->life = lifetime_new(
        &(struct lifetime_opts){.sched = bench->sched, .latency_min_ms = 5, .latency_max_ms = 100});
    bench->env = (struct env){.sched = bench->sched,
                              .random = random_seeded_new(seed),
                              .transport = sim_transport_new(bench->sim, bench->life)};
    bench->pass = (struct pass){
        .env = &bench->env, .objects = &bench->objects, .uid = "u", .status = refresh_status_new()};
    open_account(bench);
    bench->pass.status->run.id = xstrdup(STEP_BENCH_RUN);
    bench->pass.status->run.attempt = 1;
}

void step_bench_init(struct step_bench *bench, const char *sections, const char *spec)
{
    AUTO_FREE char *world = xasprintf(ACCOUNT "%s", sections);
    AUTO_JSON struct json *object = NULL;

    step_bench_open(bench, world, 1);
    assert_no_err(json_parse(str_of(spec), NULL, &object));
    assert_no_err(refresh_spec_parse(object, "shop", &bench->pass.spec));
}

void step_bench_done(struct step_bench *bench)
{
    json_free(bench->journal);
    refresh_status_free(bench->pass.status);
    refresh_spec_free(bench->pass.spec);
    aws_account_unref(bench->pass.source.account);
    aws_account_unref(bench->pass.target.account);
    transport_free(bench->env.transport);
    random_free(bench->env.random);
    credentials_cache_free(bench->identity);
    aws_config_done(&bench->config);
    lifetime_free(bench->life);
    awssim_free(bench->sim);
    sched_free(bench->sched);
}

struct stage step_bench_stage(struct step_bench *bench, const char *row_name, size_t index)
{
    struct refresh_status *status = bench->pass.status;
    struct step_status *row =
        status_add_step(&status->switchover_steps, &status->switchover_step_count, row_name);

    row->attempt = row->attempt ? row->attempt : 1;
    return (struct stage){
        .pass = &bench->pass, .step = workflow_switchover_step(row_name), .row = row, .index = index};
}

const struct json *step_bench_journal(struct step_bench *bench)
{
    json_free(TAKE(bench->journal));
    assert_no_err(sim_control(bench->sim, bench->sched, "GET", "/_sim/journal", NULL, &bench->journal));
    return bench->journal;
}

int64_t step_bench_count(struct step_bench *bench, const char *operation, const char *effect)
{
    return journal_count(step_bench_journal(bench), operation, effect);
}

void step_bench_wait(const struct step_bench *bench, int64_t ms)
{
    sched_wait_until(bench->sched, NULL, sched_now_ms(bench->sched) + ms);
}

struct json *step_bench_world(const struct step_bench *bench)
{
    struct json *world = NULL;

    assert_no_err(sim_control(bench->sim, bench->sched, "GET", "/_sim/world", NULL, &world));
    return world;
}
