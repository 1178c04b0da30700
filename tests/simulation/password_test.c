/* The wait for a reset of the master password, over every way in which a reset may show: lag before it
 * begins, its length, and which of pending mask, status and event can be seen. The step alone runs, against
 * the simulator. Without SR_PASSWORD=full a coarse grid; with it every second of both. */
#include <stdlib.h>

#include "controller/steps/password_judge.h"
#include "controller/steps/steps.h"
#include "tests/simulation/seeds.h"
#include "tests/simulation/step_bench.h"
#include "tests/testing/assertions.h"

#define SLACK_MS SECONDS(2) /* calls travel */

/* --- the grid --- */

struct reset {
    int64_t lag_s, length_s;
    bool mask, status, event;
};

static const int coarse_lags[] = {0, 1, 2, 5, 8, 13, 20, 30, 45, 60};
static const int coarse_lengths[] = {1, 2, 4, 5, 6, 13, 20, 30, 45, 60};

static bool is_full(void)
{
    return text_equal(getenv("SR_PASSWORD"), "full");
}

static size_t grid_size(void)
{
    return is_full() ? 61 * 60 * 8 : COUNT_OF(coarse_lags) * COUNT_OF(coarse_lengths) * 8;
}

static struct reset reset_of(size_t index)
{
    size_t shown = index % 8, lengths = is_full() ? 60 : COUNT_OF(coarse_lengths);
    size_t length = index / 8 % lengths, lag = index / 8 / lengths;

    return (struct reset){.lag_s = is_full() ? (int64_t)lag : coarse_lags[lag],
                          .length_s = is_full() ? (int64_t)length + 1 : coarse_lengths[length],
                          .mask = shown & 1,
                          .status = shown & 2,
                          .event = shown & 4};
}

/* --- the step against the simulator --- */

static char *world_of(const struct reset *reset)
{
    return xasprintf(
        "durations: {rds: {passwordLag: %llds, passwordReset: %llds}}\n"
        "accounts:\n"
        "- id: \"222222222222\"\n"
        "  name: staging\n"
        "  region: ap-northeast-1\n"
        "  iam:\n"
        "    users:\n"
        "    - {name: stagingrefresh, accessKeys: [{id: AKIAEXAMPLE, secret: example-secret}],\n"
        "       allow: [\"rds:*\", \"secretsmanager:*\"]}\n"
        "  secretsmanager:\n"
        "    secrets: [{name: db, fields: {username: admin, password: staging-password}}]\n"
        "  rds:\n"
        "    subnetGroups: [{name: staging, vpc: vpc-stg}]\n"
        "    securityGroups: [{id: sg-1, vpc: vpc-stg}]\n"
        "    passwordReset: {pendingMask: %s, status: %s, event: %s}\n"
        "    clusters:\n"
        "    - {id: copy, engine: aurora-mysql, engineVersion: 8.0.mysql_aurora.3.08.2, masterUsername: "
        "admin,\n"
        "       masterPassword: production-password, subnetGroup: staging, securityGroups: [sg-1],\n"
        "       instances: [{id: copy-a, class: db.r6g.large}]}\n",
        (long long)reset->lag_s, (long long)reset->length_s, reset->mask ? "true" : "false",
        reset->status ? "true" : "false", reset->event ? "true" : "false");
}

struct bench {
    struct step_bench base;
    struct stage stage;
    struct database_spec database;
};

static void bench_init(struct bench *bench, const struct reset *reset, uint64_t seed)
{
    AUTO_FREE char *world = world_of(reset);
    struct database_status *copy;

    step_bench_open(&bench->base, world, seed);
    bench->database = (struct database_spec){.aurora.password.kind = PASSWORD_FROM_SECRET};
    bench->database.aurora.password.from.secrets_manager_id = xstrdup("db");
    bench->database.aurora.password.from.secrets_manager_key = xstrdup("password");
    bench->database.name = xstrdup("main");
    copy = status_add_database(bench->base.pass.status, "main");
    text_replace(&copy->copy_identifier, "copy");
    bench->stage = (struct stage){.pass = &bench->base.pass,
                                  .row = status_add_step(&copy->steps, &copy->step_count, "Password"),
                                  .database = &bench->database,
                                  .copy = copy};
    bench->stage.row->state = STEP_INTENDED;
}

static void bench_done(struct bench *bench)
{
    xfree(bench->database.name);
    xfree(bench->database.aurora.password.from.secrets_manager_id);
    xfree(bench->database.aurora.password.from.secrets_manager_key);
    step_bench_done(&bench->base);
}

/* When the world accepted the reset. */
static int64_t accepted_ms(struct bench *bench)
{
    int64_t at_ms = 0;

    json_each (row, step_bench_journal(&bench->base)) {
        if (text_equal(json_get_text(row, "operation", ""), "ModifyDBCluster"))
            time_parse(str_of(json_get_text(row, "time", "")), &at_ms);
    }
    return at_ms;
}

/* Until the step says that it is done; the moment of that, on the world's clock. */
static char *run_step(struct bench *bench, int64_t *ret_done_ms)
{
    AUTO_ERR struct err *err = NULL;
    AUTO_OUTCOME struct outcome out = {0};
    int64_t looks = 0;

    do {
        outcome_reset(&out);
        bench->base.pass.now_ms = sched_wall_ms(bench->base.sched);
        err = password_act(&bench->stage, &out);
        if (!err && out.verdict == VERDICT_WAIT)
            step_bench_wait(&bench->base, out.after_ms);
    } while (!err && out.verdict == VERDICT_WAIT && ++looks < 200);
    *ret_done_ms = sched_wall_ms(bench->base.sched);
    if (err)
        return xstrdup(err_text(err));
    return out.verdict == VERDICT_DONE ? NULL : xasprintf("not done: %s", out.message);
}

static char *judge_time(const struct reset *reset, int64_t asked_ms, int64_t done_ms)
{
    int64_t in_force_ms = asked_ms + SECONDS(reset->lag_s + reset->length_s);
    int64_t looks_ms = PASSWORD_LOOKS_IN_A_ROW * (PASSWORD_LOOK_MS + SLACK_MS / 4) + SLACK_MS;
    int64_t fallback_ms = asked_ms + PASSWORD_BEGUN_BY_NOW_MS;

    if (fallback_ms < in_force_ms + PASSWORD_QUIET_MS)
        fallback_ms = in_force_ms + PASSWORD_QUIET_MS;
    if (done_ms < in_force_ms)
        return xasprintf("taken for in force %lld ms too early", (long long)(in_force_ms - done_ms));
    if (reset->event && done_ms > in_force_ms + looks_ms)
        return xasprintf("the event came, yet it took %lld ms more", (long long)(done_ms - in_force_ms));
    if (done_ms > fallback_ms + looks_ms)
        return xasprintf("%lld ms after the fallback", (long long)(done_ms - fallback_ms));
    return NULL;
}

static char *check_reset(uint64_t seed, void *arg UNUSED)
{
    struct reset reset = reset_of((size_t)seed - 1);
    struct bench bench;
    int64_t done_ms = 0;
    AUTO_FREE char *fault = NULL;

    bench_init(&bench, &reset, seed);
    fault = run_step(&bench, &done_ms);
    if (!fault)
        fault = judge_time(&reset, accepted_ms(&bench), done_ms);
    bench_done(&bench);
    if (!fault)
        return NULL;
    return xasprintf("lag %lld s, length %lld s,%s%s%s: %s", (long long)reset.lag_s,
                     (long long)reset.length_s, reset.mask ? " mask" : "", reset.status ? " status" : "",
                     reset.event ? " event" : "", fault);
}

static void is_never_early_and_never_late(void **state UNUSED)
{
    assert_true(seeds_run(&(struct seeds){
        .name = "is_never_early_and_never_late", .first = 1, .count = grid_size(), .check = check_reset}));
}

/* --- the rule alone, over the same resets, and rules that are wrong --- */

typedef enum password_stage judge_fn(const struct password_signs *signs, int64_t *ret_quiet_looks);

/* What the step makes of a reset that begins and ends at those seconds, with a look every five of them. */
static int64_t done_by(judge_fn *judge, const struct reset *reset)
{
    int64_t end_ms = SECONDS(reset->lag_s + reset->length_s), busy_at_ms = -1, looks = 0, counted_ms = 0;

    for (int64_t now_ms = PASSWORD_LOOK_MS; now_ms < MINUTES(15); now_ms += PASSWORD_LOOK_MS) {
        bool busy = now_ms < end_ms && (reset->mask || (reset->status && now_ms >= SECONDS(reset->lag_s)));
        int64_t before = looks;

        if (busy)
            busy_at_ms = now_ms;
        const struct password_signs signs = {.asked_age_ms = now_ms,
                                             .busy_age_ms = busy_at_ms < 0 ? NEVER_MS : now_ms - busy_at_ms,
                                             .event = reset->event && now_ms >= end_ms,
                                             .quiet_looks = before,
                                             .quiet_look_age_ms = now_ms - counted_ms};
        if (judge(&signs, &looks) == PASSWORD_IN_FORCE)
            return now_ms;
        if (looks > before)
            counted_ms = now_ms;
    }
    return NEVER_MS;
}

/* How many resets of the full grid the rule judges wrongly. */
static size_t wrong_by(judge_fn *judge)
{
    size_t wrong = 0;

    for (int lag = 0; lag <= 60; lag++) {
        for (int length = 1; length <= 60; length++) {
            for (int shown = 0; shown < 8; shown++) {
                struct reset reset = {lag, length, shown & 1, shown & 2, shown & 4};
                int64_t done_ms = done_by(judge, &reset);
                AUTO_FREE char *fault =
                    done_ms == NEVER_MS ? xstrdup("never") : judge_time(&reset, 0, done_ms);

                wrong += fault != NULL;
            }
        }
    }
    return wrong;
}

static enum password_stage first_available(const struct password_signs *signs, int64_t *ret_quiet_looks)
{
    *ret_quiet_looks = 0;
    return signs->busy_age_ms > 0 ? PASSWORD_IN_FORCE : PASSWORD_UNDER_WAY;
}

static enum password_stage three_available(const struct password_signs *signs, int64_t *ret_quiet_looks)
{
    *ret_quiet_looks = signs->busy_age_ms > 0 ? signs->quiet_looks + 1 : 0;
    return *ret_quiet_looks >= 3 ? PASSWORD_IN_FORCE : PASSWORD_UNDER_WAY;
}

static enum password_stage event_alone(const struct password_signs *signs, int64_t *ret_quiet_looks)
{
    *ret_quiet_looks = 0;
    return signs->event ? PASSWORD_IN_FORCE : PASSWORD_UNDER_WAY;
}

/* The signs as they are, but it need not have begun. */
static enum password_stage without_beginning(const struct password_signs *signs, int64_t *ret_quiet_looks)
{
    struct password_signs blind = *signs;

    blind.asked_age_ms = NEVER_MS;
    return password_judge(&blind, ret_quiet_looks);
}

struct wrong_rule {
    const char *name;
    judge_fn *judge;
};

static const struct wrong_rule wrong_rules[] = {
    {"trusts the first available", first_available},
    {"trusts three looks at available", three_available},
    {"trusts the event alone", event_alone},
    {"does not wait for the beginning", without_beginning},
};

static void the_rule_is_right(void **state UNUSED)
{
    assert_number((int64_t)wrong_by(password_judge), 0);
}

static void a_wrong_rule_is_found_out(void **state)
{
    const struct wrong_rule *row = *state;

    assert_true(wrong_by(row->judge) > 0);
}

int main(void)
{
    struct tests tests = {0};

    TEST(&tests, the_rule_is_right);
    TEST_ROWS(&tests, a_wrong_rule_is_found_out, wrong_rules);
    TEST(&tests, is_never_early_and_never_late);
    return tests_run(&tests, "password");
}
