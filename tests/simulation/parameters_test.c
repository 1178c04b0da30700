/* Many keys of one secret: its versions are counted, so that all keys go into one of them. */
#include "controller/steps/secret_text.h"
#include "pkg/aws/secretsmanager.h"
#include "tests/simulation/bystander.h"
#include "tests/simulation/seeds.h"
#include "tests/simulation/story.h"
#include "tests/simulation/variant.h"
#include "tests/testing/assertions.h"

#define ONE_KEY                                 \
    "    - name: app-secret\n"                  \
    "      value: $(databases.main.endpoint)\n" \
    "      secretsManager: {secretID: shop/stg/app, key: DB_HOST}\n"
#define KEYS 60

/* The sample, with many keys instead of one; yours. */
static char *many_keys(void)
{
    AUTO_BUF struct buf text = BUF_MAX(64 * KIB);

    buf_adds(&text, ONE_KEY);
    for (int i = 1; i < KEYS; i++)
        buf_addf(&text,
                 "    - name: key-%d\n      value: key %d of $(databases.main.endpoint)\n"
                 "      secretsManager: {secretID: shop/stg/app, key: K%d}\n",
                 i, i, i);
    return buf_take(&text);
}

static int64_t versions_of(struct scenario *scenario)
{
    return journal_count(scenario_journal(scenario), "PutSecretValue", "changed");
}

static void one_version_holds_all_keys(void **state UNUSED)
{
    AUTO_FREE char *keys = many_keys();
    const char *const edits[] = {ONE_KEY, keys, NULL};
    AUTO_SCENARIO struct scenario *scenario =
        scenario_new(&(struct scenario_opts){.seed = 3, .manifest_edits = edits});

    scenario_run(scenario);
    assert_text_equal(condition_text(scenario_object(scenario), "Succeeded", "status"), "True");
    assert_number(versions_of(scenario), 1);
    assert_number(journal_count(scenario_journal(scenario), "PutSecretValue", "refused"), 0);
}

/* Whatever crashes, and whichever answer gets lost. */
static char *check_crashes(uint64_t seed, void *arg)
{
    const char *const edits[] = {ONE_KEY, arg, NULL};
    AUTO_VARIANT struct variant variant = {0};
    AUTO_SCENARIO struct scenario *scenario = NULL;

    variant_init(&variant, seed);
    variant_add_crashes(&variant, 400);
    variant.opts.manifest_edits = edits;
    scenario = scenario_new(&variant.opts);
    scenario_run(scenario);
    if (!text_equal(condition_text(scenario_object(scenario), "Succeeded", "status"), "True"))
        return xasprintf("not succeeded: %s", condition_text(scenario_object(scenario), "Ready", "message"));
    return versions_of(scenario) == 1 ? NULL : xasprintf("%lld versions", (long long)versions_of(scenario));
}

static void crashes_make_no_more_versions(void **state UNUSED)
{
    AUTO_FREE char *keys = many_keys();

    assert_true(seeds_run(&(struct seeds){
        .name = "secret_keys", .first = 1, .count = 12, .check = check_crashes, .arg = keys}));
}

/* --- put back, and again --- */

static void cancel_and_retry(struct play *play, const struct json *object)
{
    AUTO_FREE char *attempt = xasprintf("%s/1", json_get_text(object, "status.run.id", ""));

    if (play->scene == 0 && text_equal(row_text(object, "Applications/api", "state"), "Running")) {
        want_number(play, versions_of(play->scenario), 1);
        speak(play, "cancel", attempt);
    } else if (play->scene == 1 && has_ended(object)) {
        want_number(play, count(play, "UpdateSecretVersionStage", "changed"), 1);
        expect_staging_as_before(play);
        speak(play, "retry", attempt);
    }
}

/* The version of the first attempt exists, and a token that names it would change nothing. */
static void check_another_version(struct play *play, const struct json *object)
{
    check_succeeded(play, object);
    want_number(play, play->scene, 2);
    want_number(play, versions_of(play->scenario), 2);
}

static void a_retry_writes_all_keys_again(void **state UNUSED)
{
    AUTO_FREE char *keys = many_keys();
    const struct story story = {.name = "retry",
                                .edits = {ONE_KEY, keys},
                                .settle_ms = HOURS(4),
                                .script = cancel_and_retry,
                                .check = check_another_version};

    story_plays(&(void *){(void *)(uintptr_t)&story});
}

/* --- put back, while somebody else writes another key --- */

struct rotation {
    bool is_asked, is_done;
};

static void rotate(void *arg, struct scenario *scenario)
{
    AUTO_BYSTANDER struct bystander *somebody = bystander_new(scenario);
    AUTO_SECRET_VALUE struct secret_value present = {0};
    AUTO_SECRET struct secret *rotated = NULL;
    AUTO_SECRET struct secret *wanted = secret_new(STR("rotated"));
    struct rotation *rotation = arg;
    const struct aws_client *aws = bystander_aws(somebody);
    AUTO_ERR struct err *err = secretsmanager_get_value(aws, "shop/stg/app", NULL, NULL, &present);

    if (!err)
        err = secret_text_with(present.text, "shop/stg/app", "FEATURES", wanted, &rotated);
    if (!err)
        err =
            secretsmanager_put_value(aws, "shop/stg/app", "rotated-by-somebody-else-1234567", rotated, NULL);
    rotation->is_done = !err;
}

/* Once the new tasks have begun to start. */
static void rotate_in_rollout(void *arg, struct scenario *scenario, const struct json *object)
{
    struct rotation *rotation = arg;

    if (rotation->is_asked || !text_equal(row_text(object, "Applications/api", "state"), "Running"))
        return;
    rotation->is_asked = true;
    scenario_later(scenario, SECONDS(1), rotate, rotation);
}

static void check_key(const struct secret *text, const char *key, const char *want, struct buf *faults)
{
    AUTO_SECRET struct secret *got = NULL;
    AUTO_ERR struct err *err = secret_text_get(text, "shop/stg/app", key, &got);

    if (err || !str_starts(secret_reveal(got), want))
        buf_addf(faults, "%s is not %s\n", key, want);
}

static void check_secret(struct scenario *scenario, struct buf *faults)
{
    AUTO_BYSTANDER struct bystander *somebody = bystander_new(scenario);
    AUTO_SECRET_VALUE struct secret_value present = {0};
    AUTO_ERR struct err *err =
        secretsmanager_get_value(bystander_aws(somebody), "shop/stg/app", NULL, NULL, &present);

    if (err) {
        buf_addf(faults, "the secret cannot be read: %s\n", err_text(err));
        return;
    }
    check_key(present.text, "FEATURES", "rotated", faults);
    check_key(present.text, "DB_HOST", OLD_CLUSTER, faults);
    check_key(present.text, "DB_USER", "app", faults);
}

static char *check_rotation(uint64_t seed, void *arg UNUSED)
{
    AUTO_BUF struct buf faults = BUF_MAX(64 * KIB);
    AUTO_VARIANT struct variant variant = {0};
    struct rotation rotation = {0};

    variant_init(&variant, seed);
    variant_fail_rollouts(&variant);
    if (seed % 2)
        variant_add_crashes(&variant, 400);
    variant.opts.on_write = rotate_in_rollout;
    variant.opts.on_write_arg = &rotation;
    AUTO_SCENARIO struct scenario *scenario = scenario_new(&variant.opts);
    scenario_run(scenario);
    check_put_back(scenario, "RolloutFailed", &faults);
    if (!rotation.is_done)
        buf_adds(&faults, "nobody has rotated the key\n");
    check_secret(scenario, &faults);
    return faults.len ? buf_take(&faults) : NULL;
}

static void what_others_rotate_stays(void **state UNUSED)
{
    assert_true(seeds_run(&(struct seeds){
        .name = "rotation", .first = 1, .count = 40, .kind = SEEDS_SWEEP, .check = check_rotation}));
}

int main(void)
{
    struct tests tests = {0};

    TEST(&tests, one_version_holds_all_keys);
    TEST(&tests, crashes_make_no_more_versions);
    TEST(&tests, a_retry_writes_all_keys_again);
    TEST(&tests, what_others_rotate_stays);
    return tests_run(&tests, "parameters");
}
