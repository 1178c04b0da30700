/* A generated password in a Secret: made once, kept for whoever may need it, switched and put back. */
#include "controller/steps/password.h"
#include "tests/simulation/kube_bench.h"

/* --- a generated password in a Secret --- */

static void password_init(struct kube_bench *bench)
{
    kube_bench_init(bench, "Parameters/p");
    bench->database.aurora.password =
        (struct password_spec){.kind = PASSWORD_GENERATE,
                               .length = 32,
                               .from = {.secret_name = TEXT("db"), .secret_key = TEXT("password")}};
    kube_memory_put(&bench->memory, CORE "secrets/db", "{\"data\":{\"password\":\"b2xkLXZhbHVl\"}}");
}

static char *generated(struct kube_bench *bench)
{
    AUTO_SECRET struct secret *password = NULL;

    assert_no_err(password_generated(&bench->pass, &bench->database, &password));
    return str_dup(secret_reveal(password));
}

static void a_password_is_made_once(void **state UNUSED)
{
    AUTO_SECRET struct secret *none = NULL;
    struct kube_bench bench;

    password_init(&bench);
    bench.memory.lose = 1; /* kept, though nobody heard of it */
    assert_fails(password_generated(&bench.pass, &bench.database, &none), ERR_RETRY, NULL);
    AUTO_FREE char *first = generated(&bench);
    AUTO_FREE char *second = generated(&bench);
    assert_number((int64_t)strlen(first), 32);
    assert_text_equal(first, second);
    kube_bench_expect_secret(&bench, OURS, RUN ".main.next-password", first);
    kube_bench_expect_secret(&bench, "db", "password", "old-value"); /* until the switchover */
    kube_bench_done(&bench);
}

static void a_database_without_proxy_has_a_row(void **state UNUSED)
{
    AUTO_OUTCOME struct outcome out = {0};
    struct kube_bench bench;

    password_init(&bench);
    assert_number((int64_t)password_entry_count(&bench.spec), 1);
    assert_text_equal(password_entry_name(&bench.spec, 0), "main");
    AUTO_FREE char *fresh = generated(&bench);
    assert_no_err(password_entry_intend(&bench.stage));
    assert_no_err(password_entry_act(&bench.stage, &out));
    assert_number(out.verdict, VERDICT_DONE);
    kube_bench_expect_secret(&bench, "db", "password", fresh);
    kube_bench_expect_secret(&bench, OURS, RUN ".main.password-before", "old-value");
    kube_bench_expect_secrecy(&bench);
    assert_no_err(password_entry_intend(&bench.stage)); /* remembers the first one still */
    outcome_reset(&out);
    assert_no_err(password_entry_undo(&bench.stage, &out));
    kube_bench_expect_secret(&bench, "db", "password", "old-value");
    kube_bench_done(&bench);
}

/* Two proxies of one database: a row may be intended when the other one has put the new password in. */
static void an_attempt_puts_back_the_password_it_found(void **state UNUSED)
{
    AUTO_FREE char *wait = NULL;
    struct kube_bench bench;
    struct step_status other = {.name = TEXT("Proxies/other"), .attempt = 1};

    password_init(&bench);
    struct stage late = bench.stage;
    late.row = &other;
    for (int attempt = 1; attempt <= 2; attempt++) {
        kube_bench_begin_attempt(&bench, attempt);
        json_free(TAKE(other.evidence));
        assert_no_err(password_switch_intend(&bench.stage, &bench.database, NULL));
        assert_no_err(password_switch(&bench.stage, &bench.database, NULL, &wait));
        assert_no_err(password_switch_intend(&late, &bench.database, NULL));
        assert_no_err(password_switch(&late, &bench.database, NULL, &wait));
        assert_no_err(password_switch_back(&late, &bench.database, NULL, &wait));
        assert_no_err(password_switch_back(&bench.stage, &bench.database, NULL, &wait));
        kube_bench_expect_secret(&bench, "db", "password", attempt == 1 ? "old-value" : "others");
        kube_memory_put(&bench.memory, CORE "secrets/db", "{\"data\":{\"password\":\"b3RoZXJz\"}}");
    }
    json_free(other.evidence);
    kube_bench_done(&bench);
}

static void a_password_that_an_earlier_version_kept_is_found(void **state UNUSED)
{
    AUTO_FREE char *wait = NULL;
    struct kube_bench bench;

    password_init(&bench);
    kube_bench_begin_attempt(&bench, 2);
    kube_memory_put(&bench.memory, CORE "secrets/" OURS,
                    "{\"data\":{\"" RUN ".main.password-before\":\"b2xkLXZhbHVl\"}}");
    assert_no_err(password_switch(&bench.stage, &bench.database, NULL, &wait));
    assert_no_err(password_switch_back(&bench.stage, &bench.database, NULL, &wait));
    kube_bench_expect_secret(&bench, "db", "password", "old-value");
    kube_bench_done(&bench);
}

/* A switch-to: the password is that of the run which made the copy, and none is made. */
static void an_older_copy_has_its_password(void **state UNUSED)
{
    AUTO_FREE char *wait = NULL;
    struct kube_bench bench;

    password_init(&bench);
    text_replace(&bench.pass.status->run.copies_of, OLDER);
    text_replace(&status_add_copy(bench.pass.status, "arn:older")->run_id, OLDER);
    kube_memory_put(&bench.memory, CORE "secrets/" OURS,
                    "{\"data\":{\"" OLDER ".main.next-password\":\"b2xkZXI=\"}}");
    assert_no_err(password_switch_intend(&bench.stage, &bench.database, NULL));
    assert_no_err(password_switch(&bench.stage, &bench.database, NULL, &wait));
    kube_bench_expect_secret(&bench, "db", "password", "older");
    kube_bench_expect_secret(&bench, OURS, RUN ".main.password-before", "old-value");
    kube_bench_expect_secret(&bench, OURS, RUN ".main.next-password", NULL);
    assert_no_err(password_switch_back(&bench.stage, &bench.database, NULL, &wait));
    kube_bench_expect_secret(&bench, "db", "password", "old-value");
    kube_bench_done(&bench);
}

/* --- what is kept for others --- */

#define THEIRS "20261121-160000-theirs"
#define OTHER(status)                                                                                        \
    "{\"metadata\":{\"namespace\":\"staging\",\"name\":\"a\",\"uid\":\"u2\"},\"spec\":{\"series\":\"shop\"}" \
    ","                                                                                                      \
    "\"status\":" status "}"

struct kept_row {
    const char *name, *other, *leftover;
    bool stays;
};

static const struct kept_row kept_rows[] = {
    {"nobody names the run", NULL, NULL, false},
    {"its object can retry it", OTHER("{\"run\":{\"id\":\"" THEIRS "\"}}"), NULL, true},
    {"its object has a copy of it", OTHER("{\"copies\":[{\"arn\":\"a\",\"runID\":\"" THEIRS "\"}]}"), NULL,
     true},
    {"its object uses it again", OTHER("{\"run\":{\"id\":\"x\",\"copiesOf\":\"" THEIRS "\"}}"), NULL, true},
    {"another one's object names others", OTHER("{\"run\":{\"id\":\"x\"}}"), NULL, false},
    {"a copy of it is kept, and its object has gone", NULL,
     "{\"kind\":\"KeptCopy\",\"account\":\"staging\",\"namespace\":\"staging\",\"series\":\"shop\",\"runID\":"
     "\"" THEIRS "\",\"database\":\"main\",\"arn\":\"a\",\"identifier\":\"i\"}",
     true},
    {"a copy of it is kept in another series", NULL,
     "{\"kind\":\"KeptCopy\",\"account\":\"staging\",\"namespace\":\"staging\",\"series\":\"other\","
     "\"runID\":"
     "\"" THEIRS "\",\"database\":\"main\",\"arn\":\"a\",\"identifier\":\"i\"}",
     false},
};

static void what_others_need_is_kept(void **state)
{
    const struct kept_row *row = *state;
    struct kube_bench bench;

    password_init(&bench);
    bench.other = row->other;
    bench.leftover = row->leftover;
    kube_memory_put(&bench.memory, CORE "secrets/" OURS,
                    "{\"data\":{\"" THEIRS ".main.next-password\":\"b2xkZXI=\"}}");
    AUTO_FREE char *fresh = generated(&bench);
    kube_bench_expect_secret(&bench, OURS, RUN ".main.next-password", fresh);
    kube_bench_expect_secret(&bench, OURS, THEIRS ".main.next-password", row->stays ? "older" : NULL);
    kube_bench_done(&bench);
}

/* Somebody has deleted it, and the run is retried: the cluster has it still, and no other one opens it. */
static void a_lost_password_is_not_made_again(void **state UNUSED)
{
    AUTO_OUTCOME struct outcome out = {0};
    struct kube_bench bench;

    password_init(&bench);
    text_replace(&status_database(bench.pass.status, "main")->copy_identifier, "shop-stg-1");
    assert_no_err(password_entry_intend(&bench.stage));
    assert_no_err(password_entry_act(&bench.stage, &out));
    assert_number(out.verdict, VERDICT_FAILED);
    assert_text_equal(out.reason, PASSWORD_NOT_KNOWN);
    assert_text_contains(out.message, "shop-stg-1");
    kube_bench_expect_secret(&bench, "db", "password", "old-value");
    assert_number(bench.memory.writes, 0);
    outcome_reset(&out);
    assert_no_err(password_entry_undo(&bench.stage, &out));
    kube_bench_expect_secret(&bench, "db", "password", "old-value");
    assert_number(bench.memory.writes, 0);
    kube_bench_done(&bench);
}

/* The spec says fromSecret by now: what an earlier run generated opens its copy still. */
static void an_unknown_password_changes_nothing(void **state UNUSED)
{
    AUTO_FREE char *wait = NULL;
    struct kube_bench bench;

    password_init(&bench);
    bench.database.aurora.password.kind = PASSWORD_FROM_SECRET;
    text_replace(&bench.pass.status->run.copies_of, OLDER);
    assert_no_err(password_switch_intend(&bench.stage, &bench.database, NULL));
    assert_no_err(password_switch(&bench.stage, &bench.database, NULL, &wait));
    assert_no_err(password_switch_back(&bench.stage, &bench.database, NULL, &wait));
    kube_bench_expect_secret(&bench, "db", "password", "old-value");
    assert_number(bench.memory.writes, 0);
    kube_bench_done(&bench);
}

int main(void)
{
    struct tests tests = {0};

    TEST(&tests, a_password_is_made_once);
    TEST(&tests, a_database_without_proxy_has_a_row);
    TEST(&tests, an_attempt_puts_back_the_password_it_found);
    TEST(&tests, a_password_that_an_earlier_version_kept_is_found);
    TEST(&tests, an_older_copy_has_its_password);
    TEST_ROWS(&tests, what_others_need_is_kept, kept_rows);
    TEST(&tests, a_lost_password_is_not_made_again);
    TEST(&tests, an_unknown_password_changes_nothing);
    return tests_run(&tests, "kube_password");
}
