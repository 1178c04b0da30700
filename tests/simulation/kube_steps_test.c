/* Steps that change objects of Kubernetes: parameters in ConfigMaps and Secrets, a generated password in a
 * Secret, and the look at what became of them. */
#include "controller/drift.h"
#include "controller/preflight.h"
#include "controller/steps/password.h"
#include "controller/steps/steps.h"
#include "tests/simulation/kube_memory.h"

#define CORE "/api/v1/namespaces/staging/"
#define RUN "20261122-160000-abcde"
#define OLDER "20261022-160000-abcde"
/* Of a constant where a struct owns its text; nothing frees it here. */
#define TEXT(literal) ((char *)(uintptr_t)(literal))
#define OURS "stagingrefresh-shop"

struct bench {
    struct kube_memory memory;
    const char *other;    /* another object of the series; NULL: there is none */
    const char *leftover; /* an entry of the list of leftovers; NULL: it is empty */
    struct objects objects;
    struct refresh_spec spec;
    struct parameter_spec parameter;
    struct database_spec database;
    struct pass pass;
    struct stage stage;
};

static struct bench *bench_of(struct objects *objects)
{
    return (struct bench *)((uintptr_t)objects - offsetof(struct bench, objects));
}

static struct json *json_of(const char *text)
{
    struct json *value = NULL;

    assert_no_err(json_parse(str_of(text), NULL, &value));
    return value;
}

static void each_other(struct objects *self, enum object_kind kind, const char *group, objects_see_fn *see,
                       void *arg)
{
    AUTO_JSON struct json *object = bench_of(self)->other ? json_of(bench_of(self)->other) : NULL;

    if (object && objects_is_in_group(kind, object, group))
        see(arg, object);
}

static struct err *read_leftovers(struct objects *self, const struct env *env UNUSED, struct json **ret)
{
    struct json *data = json_new_object();

    if (bench_of(self)->leftover)
        json_set_text(data, "KeptCopy-1", bench_of(self)->leftover);
    *ret = json_new_object();
    json_set(*ret, "data", data);
    return NULL;
}

static const struct objects_ops bench_ops = {.each = each_other, .read_leftovers = read_leftovers};

static void bench_init(struct bench *bench)
{
    *bench = (struct bench){0};
    kube_memory_init(&bench->memory);
    bench->objects =
        (struct objects){.ops = &bench_ops, .installation = "here", .kube = bench->memory.client};
    bench->spec = (struct refresh_spec){.series = TEXT("shop"),
                                        .parameters = &bench->parameter,
                                        .databases = &bench->database,
                                        .database_count = 1};
    bench->database = (struct database_spec){.name = TEXT("main"), .kind = DATABASE_AURORA};
    bench->pass = (struct pass){.env = &bench->memory.base.env,
                                .objects = &bench->objects,
                                .namespace = "staging",
                                .name = "shop",
                                .uid = "u1",
                                .spec = &bench->spec,
                                .status = refresh_status_new()};
    bench->pass.status->run.id = xstrdup(RUN);
    text_replace(&status_add_database(bench->pass.status, "main")->endpoint, "new.example");
    bench->stage =
        (struct stage){.pass = &bench->pass,
                       .row = status_add_step(&bench->pass.status->switchover_steps,
                                              &bench->pass.status->switchover_step_count, "Parameters/p")};
    bench->stage.row->state = STEP_INTENDED;
    bench->stage.row->attempt = 1;
}

static void bench_done(struct bench *bench)
{
    refresh_status_free(bench->pass.status);
    kube_memory_done(&bench->memory);
}

/* No secret's content is in the status. */
static void expect_secrecy(const struct bench *bench)
{
    AUTO_JSON struct json *status = refresh_status_to_json(bench->pass.status);
    AUTO_FREE char *text = json_to_text(status);

    assert_text_lacks(text, "old-value");
    assert_text_lacks(text, "b2xkLXZhbHVl");
}

static void expect_secret(const struct bench *bench, const char *name, const char *key, const char *want)
{
    AUTO_FREE char *got = kube_memory_secret(&bench->memory, name, key);

    assert_text_equal(got, want);
}

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

static void place_init(struct bench *bench, const struct place_row *row)
{
    bench_init(bench);
    bench->parameter = (struct parameter_spec){.name = TEXT("db-host"),
                                               .value = TEXT("$(databases.main.endpoint)"),
                                               .kind = row->kind,
                                               .target = TEXT("app"),
                                               .key = TEXT("HOST")};
    bench->spec.parameter_count = 1;
    kube_memory_put(&bench->memory, row->path, row->object);
}

static char *present(const struct bench *bench, const struct place_row *row)
{
    const struct json *data = json_member(kube_memory_get(&bench->memory, row->path), "data");

    return row->kind == PARAMETER_SECRET
               ? kube_memory_secret(&bench->memory, "app", "HOST")
               : xstrdup_or_null(json_get_text(json_member(data, "HOST"), NULL, NULL));
}

static void expect_present(const struct bench *bench, const struct place_row *row, const char *want)
{
    AUTO_FREE char *got = present(bench, row);

    assert_text_equal(got, want);
}

static void act_until_done(struct bench *bench)
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
    struct bench bench;

    place_init(&bench, row);
    assert_no_err(parameter_intend(&bench.stage));
    if (row->kept)
        expect_secret(&bench, OURS, RUN ".parameter.db-host.before", row->before);
    else
        assert_null(kube_memory_get(&bench.memory, CORE "secrets/" OURS));
    act_until_done(&bench);
    expect_present(&bench, row, "new.example");
    expect_secrecy(&bench);
    assert_no_err(parameter_undo(&bench.stage, &out));
    assert_number(out.verdict, VERDICT_DONE);
    expect_present(&bench, row, row->before);
    outcome_reset(&out);
    assert_no_err(parameter_undo(&bench.stage, &out)); /* once more does no harm */
    expect_present(&bench, row, row->before);
    bench_done(&bench);
}

/* A pass that kept the value and whose status was lost: the next one must not keep the new value over it. */
static void what_was_first_seen_is_kept(void **state UNUSED)
{
    AUTO_OUTCOME struct outcome out = {0};
    struct bench bench;

    place_init(&bench, &places[0]);
    assert_no_err(parameter_intend(&bench.stage));
    act_until_done(&bench);
    assert_no_err(parameter_intend(&bench.stage));
    expect_secret(&bench, OURS, RUN ".parameter.db-host.before", "old-value");
    assert_no_err(parameter_undo(&bench.stage, &out));
    expect_present(&bench, &places[0], "old-value");
    bench_done(&bench);
}

static void a_lost_answer_is_no_loss(void **state)
{
    const struct place_row *row = *state;
    AUTO_OUTCOME struct outcome out = {0};
    struct bench bench;

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
    bench_done(&bench);
}

static void what_others_have_written_stays(void **state UNUSED)
{
    AUTO_OUTCOME struct outcome out = {0};
    struct bench bench;

    place_init(&bench, &places[0]);
    assert_no_err(parameter_intend(&bench.stage));
    act_until_done(&bench);
    kube_memory_put(&bench.memory, CORE "secrets/app", "{\"data\":{\"HOST\":\"b3RoZXJz\"}}");
    assert_no_err(parameter_undo(&bench.stage, &out));
    expect_present(&bench, &places[0], "others");
    bench_done(&bench);
}

/* Nothing of ours is left that could be put back, and nothing is made anew. */
static void what_is_gone_needs_no_putting_back(void **state)
{
    const struct place_row *row = *state;
    AUTO_OUTCOME struct outcome out = {0};
    int64_t writes;
    struct bench bench;

    place_init(&bench, row);
    assert_no_err(parameter_intend(&bench.stage));
    act_until_done(&bench);
    kube_memory_remove(&bench.memory, row->path);
    writes = bench.memory.writes;
    assert_no_err(parameter_undo(&bench.stage, &out));
    assert_number(out.verdict, VERDICT_DONE);
    assert_text_contains(out.message, "is not there any more");
    assert_number(bench.memory.writes, writes);
    bench_done(&bench);
}

static void what_never_had_a_value_was_not_written(void **state)
{
    AUTO_OUTCOME struct outcome out = {0};
    struct bench bench;

    place_init(&bench, *state);
    bench.parameter.value = TEXT("$(databases.main.readerEndpoint)");
    assert_no_err(parameter_intend(&bench.stage));
    assert_fails(parameter_act(&bench.stage, &out), ERR_INVALID, "readerEndpoint");
    assert_no_err(parameter_undo(&bench.stage, &out));
    assert_number(out.verdict, VERDICT_DONE);
    assert_text_contains(out.message, "app was not changed: value of parameter db-host");
    bench_done(&bench);
}

/* Somebody has deleted the Secret that remembers: said, and not taken for "there was nothing". */
static void what_is_forgotten_is_said(void **state UNUSED)
{
    AUTO_OUTCOME struct outcome out = {0};
    struct bench bench;

    place_init(&bench, &places[0]);
    assert_no_err(parameter_intend(&bench.stage));
    act_until_done(&bench);
    kube_memory_remove(&bench.memory, CORE "secrets/" OURS);
    assert_fails(parameter_undo(&bench.stage, &out), ERR_INVALID, "is not there any more");
    expect_present(&bench, &places[0], "new.example");
    bench_done(&bench);
}

/* --- another attempt, for which staging is not what it was for the first --- */

static void begin_attempt(struct bench *bench, int64_t attempt)
{
    bench->pass.status->run.attempt = attempt;
    bench->stage.row->attempt = attempt;
    bench->stage.row->state = STEP_INTENDED;
    json_free(TAKE(bench->stage.row->evidence));
}

static void switch_over_and_back(struct bench *bench)
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
    struct bench bench;

    place_init(&bench, row->place);
    begin_attempt(&bench, 1);
    switch_over_and_back(&bench);
    expect_present(&bench, row->place, row->place->before);
    kube_memory_put(&bench.memory, row->place->path, row->object);
    begin_attempt(&bench, 2);
    switch_over_and_back(&bench);
    expect_present(&bench, row->place, row->value);
    expect_secrecy(&bench);
    bench_done(&bench);
}

/* The controller was upgraded in the second attempt: what its earlier version kept had one key for all. */
static void what_an_earlier_version_kept_is_found(void **state UNUSED)
{
    AUTO_OUTCOME struct outcome out = {0};
    struct bench bench;

    place_init(&bench, &places[0]);
    begin_attempt(&bench, 2);
    kube_memory_put(&bench.memory, CORE "secrets/" OURS,
                    "{\"data\":{\"" RUN ".parameter.db-host.before\":\"b2xkLXZhbHVl\"}}");
    text_replace(&status_set_previous(bench.pass.status, "Secret", "db-host")->version, "kept");
    act_until_done(&bench);
    assert_no_err(parameter_undo(&bench.stage, &out));
    expect_present(&bench, &places[0], "old-value");
    bench_done(&bench);
}

/* Of runs that no copy is left of everything, of this one what an earlier attempt kept. */
static void what_is_not_needed_is_forgotten(void **state UNUSED)
{
    struct bench bench;

    place_init(&bench, &places[0]);
    begin_attempt(&bench, 3);
    kube_memory_put(&bench.memory, CORE "secrets/" OURS,
                    "{\"data\":{\"" OLDER ".parameter.db-host.before\":\"YQ==\",\"" OLDER
                    ".parameter.db-host.before.2\":\"YQ==\",\"" RUN
                    ".parameter.db-host.before\":\"YQ==\",\"" RUN
                    ".parameter.db-host.before.2\":\"YQ==\",\"" RUN ".parameter.db.before\":\"YQ==\",\"" RUN
                    ".main.next-password\":\"YQ==\"}}");
    assert_no_err(parameter_intend(&bench.stage));
    expect_secret(&bench, OURS, OLDER ".parameter.db-host.before", NULL);
    expect_secret(&bench, OURS, OLDER ".parameter.db-host.before.2", NULL);
    expect_secret(&bench, OURS, RUN ".parameter.db-host.before", NULL);
    expect_secret(&bench, OURS, RUN ".parameter.db-host.before.2", NULL);
    expect_secret(&bench, OURS, RUN ".parameter.db-host.before.3", "old-value");
    expect_secret(&bench, OURS, RUN ".parameter.db.before", "a");
    expect_secret(&bench, OURS, RUN ".main.next-password", "a");
    bench_done(&bench);
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
    struct bench bench;

    place_init(&bench, &place);
    if (row->value)
        bench.parameter.value = TEXT(row->value);
    if (row->error)
        assert_fails(parameter_rehearse(&bench.stage), row->kind_of_error, row->error);
    else
        assert_no_err(parameter_rehearse(&bench.stage));
    assert_number(bench.memory.writes, 0);
    assert_number((int64_t)bench.pass.status->previous_count, 0);
    bench_done(&bench);
}

/* --- drift --- */

static void expect_drift(struct bench *bench, const char *want)
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
    struct bench bench;

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
    bench_done(&bench);
}

/* --- a generated password in a Secret --- */

static void password_init(struct bench *bench)
{
    bench_init(bench);
    bench->database.aurora.password =
        (struct password_spec){.kind = PASSWORD_GENERATE,
                               .length = 32,
                               .from = {.secret_name = TEXT("db"), .secret_key = TEXT("password")}};
    kube_memory_put(&bench->memory, CORE "secrets/db", "{\"data\":{\"password\":\"b2xkLXZhbHVl\"}}");
}

static char *generated(struct bench *bench)
{
    AUTO_SECRET struct secret *password = NULL;

    assert_no_err(password_generated(&bench->pass, &bench->database, &password));
    return str_dup(secret_reveal(password));
}

static void a_password_is_made_once(void **state UNUSED)
{
    AUTO_SECRET struct secret *none = NULL;
    struct bench bench;

    password_init(&bench);
    bench.memory.lose = 1; /* kept, though nobody heard of it */
    assert_fails(password_generated(&bench.pass, &bench.database, &none), ERR_RETRY, NULL);
    AUTO_FREE char *first = generated(&bench);
    AUTO_FREE char *second = generated(&bench);
    assert_number((int64_t)strlen(first), 32);
    assert_text_equal(first, second);
    expect_secret(&bench, OURS, RUN ".main.next-password", first);
    expect_secret(&bench, "db", "password", "old-value"); /* until the switchover */
    bench_done(&bench);
}

static void a_database_without_proxy_has_a_row(void **state UNUSED)
{
    AUTO_OUTCOME struct outcome out = {0};
    struct bench bench;

    password_init(&bench);
    assert_number((int64_t)password_entry_count(&bench.spec), 1);
    assert_text_equal(password_entry_name(&bench.spec, 0), "main");
    AUTO_FREE char *fresh = generated(&bench);
    assert_no_err(password_entry_intend(&bench.stage));
    assert_no_err(password_entry_act(&bench.stage, &out));
    assert_number(out.verdict, VERDICT_DONE);
    expect_secret(&bench, "db", "password", fresh);
    expect_secret(&bench, OURS, RUN ".main.password-before", "old-value");
    expect_secrecy(&bench);
    assert_no_err(password_entry_intend(&bench.stage)); /* remembers the first one still */
    outcome_reset(&out);
    assert_no_err(password_entry_undo(&bench.stage, &out));
    expect_secret(&bench, "db", "password", "old-value");
    bench_done(&bench);
}

/* Two proxies of one database: a row may be intended when the other one has put the new password in. */
static void an_attempt_puts_back_the_password_it_found(void **state UNUSED)
{
    AUTO_FREE char *wait = NULL;
    struct bench bench;
    struct step_status other = {.name = TEXT("Proxies/other"), .attempt = 1};

    password_init(&bench);
    struct stage late = bench.stage;
    late.row = &other;
    for (int attempt = 1; attempt <= 2; attempt++) {
        begin_attempt(&bench, attempt);
        json_free(TAKE(other.evidence));
        assert_no_err(password_switch_intend(&bench.stage, &bench.database, NULL));
        assert_no_err(password_switch(&bench.stage, &bench.database, NULL, &wait));
        assert_no_err(password_switch_intend(&late, &bench.database, NULL));
        assert_no_err(password_switch(&late, &bench.database, NULL, &wait));
        assert_no_err(password_switch_back(&late, &bench.database, NULL, &wait));
        assert_no_err(password_switch_back(&bench.stage, &bench.database, NULL, &wait));
        expect_secret(&bench, "db", "password", attempt == 1 ? "old-value" : "others");
        kube_memory_put(&bench.memory, CORE "secrets/db", "{\"data\":{\"password\":\"b3RoZXJz\"}}");
    }
    json_free(other.evidence);
    bench_done(&bench);
}

static void a_password_that_an_earlier_version_kept_is_found(void **state UNUSED)
{
    AUTO_FREE char *wait = NULL;
    struct bench bench;

    password_init(&bench);
    begin_attempt(&bench, 2);
    kube_memory_put(&bench.memory, CORE "secrets/" OURS,
                    "{\"data\":{\"" RUN ".main.password-before\":\"b2xkLXZhbHVl\"}}");
    assert_no_err(password_switch(&bench.stage, &bench.database, NULL, &wait));
    assert_no_err(password_switch_back(&bench.stage, &bench.database, NULL, &wait));
    expect_secret(&bench, "db", "password", "old-value");
    bench_done(&bench);
}

/* A switch-to: the password is that of the run which made the copy, and none is made. */
static void an_older_copy_has_its_password(void **state UNUSED)
{
    AUTO_FREE char *wait = NULL;
    struct bench bench;

    password_init(&bench);
    text_replace(&bench.pass.status->run.copies_of, OLDER);
    text_replace(&status_add_copy(bench.pass.status, "arn:older")->run_id, OLDER);
    kube_memory_put(&bench.memory, CORE "secrets/" OURS,
                    "{\"data\":{\"" OLDER ".main.next-password\":\"b2xkZXI=\"}}");
    assert_no_err(password_switch_intend(&bench.stage, &bench.database, NULL));
    assert_no_err(password_switch(&bench.stage, &bench.database, NULL, &wait));
    expect_secret(&bench, "db", "password", "older");
    expect_secret(&bench, OURS, RUN ".main.password-before", "old-value");
    expect_secret(&bench, OURS, RUN ".main.next-password", NULL);
    assert_no_err(password_switch_back(&bench.stage, &bench.database, NULL, &wait));
    expect_secret(&bench, "db", "password", "old-value");
    bench_done(&bench);
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
    struct bench bench;

    password_init(&bench);
    bench.other = row->other;
    bench.leftover = row->leftover;
    kube_memory_put(&bench.memory, CORE "secrets/" OURS,
                    "{\"data\":{\"" THEIRS ".main.next-password\":\"b2xkZXI=\"}}");
    AUTO_FREE char *fresh = generated(&bench);
    expect_secret(&bench, OURS, RUN ".main.next-password", fresh);
    expect_secret(&bench, OURS, THEIRS ".main.next-password", row->stays ? "older" : NULL);
    bench_done(&bench);
}

/* Somebody has deleted it, and the run is retried: the cluster has it still, and no other one opens it. */
static void a_lost_password_is_not_made_again(void **state UNUSED)
{
    AUTO_OUTCOME struct outcome out = {0};
    struct bench bench;

    password_init(&bench);
    text_replace(&status_database(bench.pass.status, "main")->copy_identifier, "shop-stg-1");
    assert_no_err(password_entry_intend(&bench.stage));
    assert_no_err(password_entry_act(&bench.stage, &out));
    assert_number(out.verdict, VERDICT_FAILED);
    assert_text_equal(out.reason, PASSWORD_NOT_KNOWN);
    assert_text_contains(out.message, "shop-stg-1");
    expect_secret(&bench, "db", "password", "old-value");
    assert_number(bench.memory.writes, 0);
    outcome_reset(&out);
    assert_no_err(password_entry_undo(&bench.stage, &out));
    expect_secret(&bench, "db", "password", "old-value");
    assert_number(bench.memory.writes, 0);
    bench_done(&bench);
}

/* The spec says fromSecret by now: what an earlier run generated opens its copy still. */
static void an_unknown_password_changes_nothing(void **state UNUSED)
{
    AUTO_FREE char *wait = NULL;
    struct bench bench;

    password_init(&bench);
    bench.database.aurora.password.kind = PASSWORD_FROM_SECRET;
    text_replace(&bench.pass.status->run.copies_of, OLDER);
    assert_no_err(password_switch_intend(&bench.stage, &bench.database, NULL));
    assert_no_err(password_switch(&bench.stage, &bench.database, NULL, &wait));
    assert_no_err(password_switch_back(&bench.stage, &bench.database, NULL, &wait));
    expect_secret(&bench, "db", "password", "old-value");
    assert_number(bench.memory.writes, 0);
    bench_done(&bench);
}

/* --- a hook that cannot be started --- */

struct hook_row {
    const char *name;
    bool is_there; /* the CronJob */
    bool stops;
    int64_t age_ms, watched_ms;
    const char *error; /* NULL: an outcome */
    enum verdict verdict;
    const char *message;
};

static const struct hook_row hooks[] = {
    {.name = "it starts", .is_there = true, .stops = true, .verdict = VERDICT_WAIT, .message = "was created"},
    {.name = "no CronJob, in time",
     .stops = true,
     .age_ms = MINUTES(59),
     .watched_ms = MINUTES(59),
     .error = "read CronJob mask"},
    {.name = "no CronJob, late",
     .stops = true,
     .age_ms = MINUTES(61),
     .watched_ms = MINUTES(61),
     .verdict = VERDICT_FAILED,
     .message = "hook mask failed: not started within 1h00m; the last error: read CronJob mask"},
    {.name = "no CronJob, late, and it may fail",
     .age_ms = MINUTES(61),
     .watched_ms = MINUTES(61),
     .verdict = VERDICT_DONE,
     .message = "onFailure is Continue: not started within 1h00m"},
    {.name = "no CronJob, late, but nobody looked",
     .stops = true,
     .age_ms = HOURS(9),
     .watched_ms = MINUTES(9),
     .error = "read CronJob mask"},
};

#define CRON_JOB "/apis/batch/v1/namespaces/staging/cronjobs/mask"
#define JOB_TEMPLATE \
    "{\"spec\":{\"jobTemplate\":{\"spec\":{\"template\":{\"spec\":{\"containers\":[{\"name\":\"m\"}]}}}}}}"

static void hook_starts(void **state)
{
    const struct hook_row *row = *state;
    struct hook_spec hook = {.name = TEXT("mask"),
                             .kind = HOOK_CRON_JOB,
                             .target = TEXT("mask"),
                             .timeout_ms = HOURS(1),
                             .stop_on_failure = row->stops};
    AUTO_OUTCOME struct outcome out = {0};
    struct bench bench;

    bench_init(&bench);
    bench.spec.before_hooks = &hook;
    bench.spec.before_hook_count = 1;
    bench.stage.step = workflow_switchover_step("BeforeHooks/mask");
    bench.stage.row->start_ms = TESTING_WALL_MS - row->age_ms;
    bench.stage.watched_ms = row->watched_ms;
    if (row->is_there)
        kube_memory_put(&bench.memory, CRON_JOB, JOB_TEMPLATE);
    if (row->error) {
        assert_fails(hook_act(&bench.stage, &out), ERR_NOT_FOUND, row->error);
    } else {
        assert_no_err(hook_act(&bench.stage, &out));
        assert_number(out.verdict, row->verdict);
        assert_text_contains(out.message, row->message);
    }
    bench_done(&bench);
}

/* --- looked at before a run begins --- */

struct look_row {
    const char *name;
    bool is_there, has_cluster;
    enum finding_state state;
    const char *message;
};

static const struct look_row looks[] = {
    {"the CronJob is there", true, true, FINDING_OK, "it is there"},
    {"there is no CronJob", false, true, FINDING_FAIL, "make it, or correct spec.hooks"},
    {"the cluster is not known", true, false, FINDING_UNKNOWN, "not looked at"},
};

static void hook_is_looked_at(void **state)
{
    const struct look_row *row = *state;
    struct hook_spec hooked[] = {{.name = TEXT("tell"), .kind = HOOK_LAMBDA, .target = TEXT("f")},
                                 {.name = TEXT("mask"), .kind = HOOK_CRON_JOB, .target = TEXT("mask")}};
    AUTO_PREFLIGHT_FINDINGS struct preflight_findings findings = {0};
    struct account target = {.name = TEXT("staging"), .account_id = TEXT("222222222222")};
    struct accounts accounts = {.target = &target};
    const struct preflight_check *check = &preflight_hooks.checks[0];
    struct bench bench;

    bench_init(&bench);
    bench.spec.after_hooks = hooked;
    bench.spec.after_hook_count = COUNT_OF(hooked);
    if (row->is_there)
        kube_memory_put(&bench.memory, CRON_JOB, JOB_TEMPLATE);
    struct preflight preflight = {.env = bench.pass.env,
                                  .spec = &bench.spec,
                                  .accounts = &accounts,
                                  .kube = row->has_cluster ? bench.memory.client : NULL,
                                  .namespace = "staging"};
    struct inspection in = {
        .preflight = &preflight, .check = check, .account = &target, .findings = &findings};
    assert_number((int64_t)check->count(&bench.spec, NULL), 1);
    in.subject = check->subject(&in);
    assert_text_equal(in.subject, "CronJob staging/mask");
    assert_no_err(check->look(&in));
    assert_number((int64_t)findings.count, 1);
    assert_number(findings.items[0].state, row->state);
    assert_text_contains(findings.items[0].message, row->message);
    xfree(in.subject);
    bench_done(&bench);
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
    TEST(&tests, a_password_is_made_once);
    TEST(&tests, a_database_without_proxy_has_a_row);
    TEST(&tests, an_attempt_puts_back_the_password_it_found);
    TEST(&tests, a_password_that_an_earlier_version_kept_is_found);
    TEST(&tests, an_older_copy_has_its_password);
    TEST_ROWS(&tests, what_others_need_is_kept, kept_rows);
    TEST(&tests, a_lost_password_is_not_made_again);
    TEST(&tests, an_unknown_password_changes_nothing);
    TEST_ROWS(&tests, hook_starts, hooks);
    TEST_ROWS(&tests, hook_is_looked_at, looks);
    return tests_run(&tests, "kube_steps");
}
