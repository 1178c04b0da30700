/* Parameters in ConfigMaps and Secrets, and the look at what became of them. */
#include "controller/drift.h"
#include "tests/simulation/kube_bench.h"

/* --- parameters --- */

struct place_row {
    const char *name;
    enum parameter_kind kind;
    const char *path, *object;
    const char *before; /* of the key; NULL: it was not there */
    bool kept;          /* in a Secret of ours */
};

#define SECRET "{\"data\":{\"HOST\":\"b2xkLXZhbHVl\",\"USER\":\"YQ==\"}}" /* old-value, a */

static const struct place_row places[] = {
    {"a key of a Secret", PARAMETER_SECRET, CORE "secrets/app", SECRET, "old-value", true},
    {"a key that the Secret lacks", PARAMETER_SECRET, CORE "secrets/app", "{\"data\":{\"USER\":\"YQ==\"}}",
     NULL, false},
    {"a key of a Secret without any", PARAMETER_SECRET, CORE "secrets/app", "{}", NULL, false},
    {"a key of a ConfigMap", PARAMETER_CONFIG_MAP, CORE "configmaps/app", "{\"data\":{\"HOST\":\"old\"}}",
     "old", false},
    {"a key that the ConfigMap lacks", PARAMETER_CONFIG_MAP, CORE "configmaps/app", "{}", NULL, false},
};

static void place_init(struct kube_bench *bench, const struct place_row *row)
{
    kube_bench_init(bench, "Parameters/p");
    bench->parameter = (struct parameter_spec){.name = TEXT("db-host"),
                                               .value = TEXT("$(databases.main.endpoint)"),
                                               .kind = row->kind,
                                               .target = TEXT("app"),
                                               .key = TEXT("HOST")};
    bench->spec.parameter_count = 1;
    kube_memory_put(&bench->memory, row->path, row->object);
}

static char *present(const struct kube_bench *bench, const struct place_row *row)
{
    const struct json *data = json_member(kube_memory_get(&bench->memory, row->path), "data");

    return row->kind == PARAMETER_SECRET
               ? kube_memory_secret(&bench->memory, "app", "HOST")
               : xstrdup_or_null(json_get_text(json_member(data, "HOST"), NULL, NULL));
}

static void expect_present(const struct kube_bench *bench, const struct place_row *row, const char *want)
{
    AUTO_FREE char *got = present(bench, row);

    assert_text_equal(got, want);
}

static void act_until_done(struct kube_bench *bench)
{
    AUTO_OUTCOME struct outcome out = {0};

    for (int i = 0; i < 5; i++) {
        outcome_reset(&out);
        assert_no_err(parameter_act(&bench->stage, &out));
        if (out.verdict == VERDICT_DONE)
            break;
    }
    assert_number(out.verdict, VERDICT_DONE);
}

static void is_written_and_put_back(void **state)
{
    const struct place_row *row = *state;
    AUTO_OUTCOME struct outcome out = {0};
    struct kube_bench bench;

    place_init(&bench, row);
    assert_no_err(parameter_intend(&bench.stage));
    if (row->kept)
        kube_bench_expect_secret(&bench, OURS, RUN ".parameter.db-host.before", row->before);
    else
        assert_null(kube_memory_get(&bench.memory, CORE "secrets/" OURS));
    act_until_done(&bench);
    expect_present(&bench, row, "new.example");
    kube_bench_expect_secrecy(&bench);
    assert_no_err(parameter_undo(&bench.stage, &out));
    assert_number(out.verdict, VERDICT_DONE);
    expect_present(&bench, row, row->before);
    outcome_reset(&out);
    assert_no_err(parameter_undo(&bench.stage, &out)); /* once more does no harm */
    expect_present(&bench, row, row->before);
    kube_bench_done(&bench);
}

/* A pass that kept the value and whose status was lost: the next one must not keep the new value over it. */
static void what_was_first_seen_is_kept(void **state UNUSED)
{
    AUTO_OUTCOME struct outcome out = {0};
    struct kube_bench bench;

    place_init(&bench, &places[0]);
    assert_no_err(parameter_intend(&bench.stage));
    act_until_done(&bench);
    assert_no_err(parameter_intend(&bench.stage));
    kube_bench_expect_secret(&bench, OURS, RUN ".parameter.db-host.before", "old-value");
    assert_no_err(parameter_undo(&bench.stage, &out));
    expect_present(&bench, &places[0], "old-value");
    kube_bench_done(&bench);
}

static void a_lost_answer_is_no_loss(void **state)
{
    const struct place_row *row = *state;
    AUTO_OUTCOME struct outcome out = {0};
    struct kube_bench bench;

    place_init(&bench, row);
    bench.memory.lose = row->kept ? 1 : 0;
    if (row->kept)
        assert_fails(parameter_intend(&bench.stage), ERR_RETRY, NULL);
    assert_no_err(parameter_intend(&bench.stage));
    bench.memory.lose = 1;
    assert_fails(parameter_act(&bench.stage, &out), ERR_RETRY, NULL);
    outcome_reset(&out);
    act_until_done(&bench);
    bench.memory.lose = 1;
    assert_fails(parameter_undo(&bench.stage, &out), ERR_RETRY, NULL);
    outcome_reset(&out);
    assert_no_err(parameter_undo(&bench.stage, &out));
    expect_present(&bench, row, row->before);
    kube_bench_done(&bench);
}

static void what_others_have_written_stays(void **state UNUSED)
{
    AUTO_OUTCOME struct outcome out = {0};
    struct kube_bench bench;

    place_init(&bench, &places[0]);
    assert_no_err(parameter_intend(&bench.stage));
    act_until_done(&bench);
    kube_memory_put(&bench.memory, CORE "secrets/app", "{\"data\":{\"HOST\":\"b3RoZXJz\"}}");
    assert_no_err(parameter_undo(&bench.stage, &out));
    expect_present(&bench, &places[0], "others");
    kube_bench_done(&bench);
}

/* Nothing of ours is left that could be put back, and nothing is made anew. */
static void what_is_gone_needs_no_putting_back(void **state)
{
    const struct place_row *row = *state;
    AUTO_OUTCOME struct outcome out = {0};
    int64_t writes;
    struct kube_bench bench;

    place_init(&bench, row);
    assert_no_err(parameter_intend(&bench.stage));
    act_until_done(&bench);
    kube_memory_remove(&bench.memory, row->path);
    writes = bench.memory.writes;
    assert_no_err(parameter_undo(&bench.stage, &out));
    assert_number(out.verdict, VERDICT_DONE);
    assert_text_contains(out.message, "is not there any more");
    assert_number(bench.memory.writes, writes);
    kube_bench_done(&bench);
}

static void what_never_had_a_value_was_not_written(void **state)
{
    AUTO_OUTCOME struct outcome out = {0};
    struct kube_bench bench;

    place_init(&bench, *state);
    bench.parameter.value = TEXT("$(databases.main.readerEndpoint)");
    assert_no_err(parameter_intend(&bench.stage));
    assert_fails(parameter_act(&bench.stage, &out), ERR_INVALID, "readerEndpoint");
    assert_no_err(parameter_undo(&bench.stage, &out));
    assert_number(out.verdict, VERDICT_DONE);
    assert_text_contains(out.message, "app was not changed: value of parameter db-host");
    kube_bench_done(&bench);
}

/* Somebody has deleted the Secret that remembers: said, and not taken for "there was nothing". */
static void what_is_forgotten_is_said(void **state UNUSED)
{
    AUTO_OUTCOME struct outcome out = {0};
    struct kube_bench bench;

    place_init(&bench, &places[0]);
    assert_no_err(parameter_intend(&bench.stage));
    act_until_done(&bench);
    kube_memory_remove(&bench.memory, CORE "secrets/" OURS);
    assert_fails(parameter_undo(&bench.stage, &out), ERR_INVALID, "is not there any more");
    expect_present(&bench, &places[0], "new.example");
    kube_bench_done(&bench);
}

/* --- another attempt, for which staging is not what it was for the first --- */

static void switch_over_and_back(struct kube_bench *bench)
{
    AUTO_OUTCOME struct outcome out = {0};

    assert_no_err(parameter_intend(&bench->stage));
    act_until_done(bench);
    assert_no_err(parameter_undo(&bench->stage, &out));
    assert_number(out.verdict, VERDICT_DONE);
}

struct between_row {
    const char *name;
    const struct place_row *place;
    const char *object; /* in between */
    const char *value;  /* of its key */
};

static const struct between_row between_rows[] = {
    {"a Secret", &places[0], "{\"data\":{\"HOST\":\"b3RoZXJz\"}}", "others"},
    {"a Secret, the key is gone", &places[0], "{\"data\":{\"HOST\":null,\"USER\":\"YQ==\"}}", NULL},
    {"a Secret, the key has come", &places[1], "{\"data\":{\"HOST\":\"b3RoZXJz\"}}", "others"},
    {"a ConfigMap", &places[3], "{\"data\":{\"HOST\":\"others\"}}", "others"},
};

static void an_attempt_puts_back_what_it_found(void **state)
{
    const struct between_row *row = *state;
    struct kube_bench bench;

    place_init(&bench, row->place);
    kube_bench_begin_attempt(&bench, 1);
    switch_over_and_back(&bench);
    expect_present(&bench, row->place, row->place->before);
    kube_memory_put(&bench.memory, row->place->path, row->object);
    kube_bench_begin_attempt(&bench, 2);
    switch_over_and_back(&bench);
    expect_present(&bench, row->place, row->value);
    kube_bench_expect_secrecy(&bench);
    kube_bench_done(&bench);
}

/* The controller was upgraded in the second attempt: what its earlier version kept had one key for all. */
static void what_an_earlier_version_kept_is_found(void **state UNUSED)
{
    AUTO_OUTCOME struct outcome out = {0};
    struct kube_bench bench;

    place_init(&bench, &places[0]);
    kube_bench_begin_attempt(&bench, 2);
    kube_memory_put(&bench.memory, CORE "secrets/" OURS,
                    "{\"data\":{\"" RUN ".parameter.db-host.before\":\"b2xkLXZhbHVl\"}}");
    text_replace(&status_set_previous(bench.pass.status, "Secret", "db-host")->version, "kept");
    act_until_done(&bench);
    assert_no_err(parameter_undo(&bench.stage, &out));
    expect_present(&bench, &places[0], "old-value");
    kube_bench_done(&bench);
}

/* Of runs that no copy is left of everything, of this one what an earlier attempt kept. */
static void what_is_not_needed_is_forgotten(void **state UNUSED)
{
    struct kube_bench bench;

    place_init(&bench, &places[0]);
    kube_bench_begin_attempt(&bench, 3);
    kube_memory_put(&bench.memory, CORE "secrets/" OURS,
                    "{\"data\":{\"" OLDER ".parameter.db-host.before\":\"YQ==\",\"" OLDER
                    ".parameter.db-host.before.2\":\"YQ==\",\"" RUN
                    ".parameter.db-host.before\":\"YQ==\",\"" RUN
                    ".parameter.db-host.before.2\":\"YQ==\",\"" RUN ".parameter.db.before\":\"YQ==\",\"" RUN
                    ".main.next-password\":\"YQ==\"}}");
    assert_no_err(parameter_intend(&bench.stage));
    kube_bench_expect_secret(&bench, OURS, OLDER ".parameter.db-host.before", NULL);
    kube_bench_expect_secret(&bench, OURS, OLDER ".parameter.db-host.before.2", NULL);
    kube_bench_expect_secret(&bench, OURS, RUN ".parameter.db-host.before", NULL);
    kube_bench_expect_secret(&bench, OURS, RUN ".parameter.db-host.before.2", NULL);
    kube_bench_expect_secret(&bench, OURS, RUN ".parameter.db-host.before.3", "old-value");
    kube_bench_expect_secret(&bench, OURS, RUN ".parameter.db.before", "a");
    kube_bench_expect_secret(&bench, OURS, RUN ".main.next-password", "a");
    kube_bench_done(&bench);
}

/* --- looked at before anything is switched --- */

#define KIB_256                                                                                        \
    "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef" \
    "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef" \
    "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define TOO_MUCH KIB_256 KIB_256 KIB_256 KIB_256 "0"

struct rehearsal_row {
    const char *name;
    enum parameter_kind kind;
    const char *path, *object; /* NULL: it is not there */
    const char *value;         /* NULL: an endpoint */
    enum err_kind kind_of_error;
    const char *error; /* NULL: none */
};

static const struct rehearsal_row rehearsals[] = {
    {.name = "a Secret is there", .kind = PARAMETER_SECRET, .path = CORE "secrets/app", .object = SECRET},
    {.name = "a ConfigMap is there",
     .kind = PARAMETER_CONFIG_MAP,
     .path = CORE "configmaps/app",
     .object = "{}"},
    {.name = "no Secret",
     .kind = PARAMETER_SECRET,
     .kind_of_error = ERR_NOT_FOUND,
     .error = "read Secret app"},
    {.name = "no ConfigMap",
     .kind = PARAMETER_CONFIG_MAP,
     .kind_of_error = ERR_NOT_FOUND,
     .error = "read ConfigMap app"},
    {.name = "a key that could not be put back",
     .kind = PARAMETER_CONFIG_MAP,
     .path = CORE "configmaps/app",
     .object = "{\"data\":{\"HOST\":\"" TOO_MUCH "\"}}",
     .kind_of_error = ERR_INVALID,
     .error = "holds more than 1024 bytes"},
    {.name = "a value that is not known",
     .kind = PARAMETER_CONFIG_MAP,
     .path = CORE "configmaps/app",
     .object = "{}",
     .value = "$(databases.main.readerEndpoint)",
     .kind_of_error = ERR_INVALID,
     .error = "databases.main.readerEndpoint"},
};

static void is_rehearsed(void **state)
{
    const struct rehearsal_row *row = *state;
    const struct place_row place = {.kind = row->kind,
                                    .path = row->path ? row->path : CORE "x",
                                    .object = row->object ? row->object : "{}"};
    struct kube_bench bench;

    place_init(&bench, &place);
    if (row->value)
        bench.parameter.value = TEXT(row->value);
    if (row->error)
        assert_fails(parameter_rehearse(&bench.stage), row->kind_of_error, row->error);
    else
        assert_no_err(parameter_rehearse(&bench.stage));
    assert_number(bench.memory.writes, 0);
    assert_number((int64_t)bench.pass.status->previous_count, 0);
    kube_bench_done(&bench);
}

/* --- drift --- */

static void expect_drift(struct kube_bench *bench, const char *want)
{
    AUTO_BUF struct buf drift = BUF_MAX(700);

    assert_no_err(drift_look(&bench->pass, &drift));
    assert_text_equal(buf_text(&drift), want);
}

static void drift_is_seen(void **state)
{
    const struct place_row *row = *state;
    const char *noun = row->kind == PARAMETER_SECRET ? "Secret" : "ConfigMap";
    AUTO_FREE char *sentence =
        xasprintf("%s app, key HOST does not hold what parameter db-host was set to", noun);
    struct kube_bench bench;

    place_init(&bench, row);
    assert_no_err(parameter_intend(&bench.stage));
    act_until_done(&bench);
    expect_drift(&bench, "");
    kube_memory_put(&bench.memory, row->path,
                    row->kind == PARAMETER_SECRET ? SECRET : "{\"data\":{\"HOST\":\"old\"}}");
    expect_drift(&bench, sentence);
    kube_memory_put(&bench.memory, row->path, "{}");
    expect_drift(&bench, sentence);
    kube_memory_remove(&bench.memory, row->path);
    expect_drift(&bench, sentence);
    kube_bench_done(&bench);
}

int main(void)
{
    struct tests tests = {0};

    TEST_ROWS(&tests, is_written_and_put_back, places);
    TEST_ROWS(&tests, a_lost_answer_is_no_loss, places);
    TEST(&tests, what_was_first_seen_is_kept);
    TEST(&tests, what_others_have_written_stays);
    TEST(&tests, what_is_forgotten_is_said);
    TEST_ROWS(&tests, an_attempt_puts_back_what_it_found, between_rows);
    TEST(&tests, what_an_earlier_version_kept_is_found);
    TEST(&tests, what_is_not_needed_is_forgotten);
    TEST_ROWS(&tests, what_is_gone_needs_no_putting_back, places);
    TEST_ROWS(&tests, what_never_had_a_value_was_not_written, places);
    TEST_ROWS(&tests, is_rehearsed, rehearsals);
    TEST_ROWS(&tests, drift_is_seen, places);
    return tests_run(&tests, "kube_steps");
}
