/* Keys of a secret in Secrets Manager on their way back, when somebody has written other keys of it since:
 * the steps alone run, against the simulator. */
#include "controller/steps/password.h"
#include "controller/steps/steps.h"
#include "pkg/aws/secretsmanager.h"
#include "tests/simulation/step_bench.h"
#include "tests/testing/assertions.h"

static const char world_text[] =
    "  secretsmanager: {secrets: [{name: app, fields: {HOST: old, API_KEY: k1}}, "
    "{name: db, fields: {user: admin, password: old}}]}\n";

static const char spec_text[] =
    "{\"targetRef\":{\"name\":\"staging\"},\"databases\":[{\"name\":\"main\",\"recoveryPoint\":{\"from\":"
    "\"TargetVault\",\"maxAge\":\"1h\"},\"aurora\":{\"clusterIdentifier\":\"shop\",\"restore\":{"
    "\"identifierPrefix\":\"copy\",\"dbSubnetGroupName\":\"staging\",\"vpcSecurityGroupIDs\":["
    "\"sg-11111111\"],\"instances\":[{\"name\":\"a\",\"class\":\"db.r6g.large\"}]},\"masterUserPassword\":{"
    "\"generate\":{\"secretsManager\":{\"secretID\":\"db\",\"key\":\"password\"}}}}}],\"switchover\":{"
    "\"policy\":\"Automatic\",\"parameters\":["
    "{\"name\":\"host\",\"value\":\"new\",\"secretsManager\":{\"secretID\":\"app\",\"key\":\"HOST\"}},"
    "{\"name\":\"reader\",\"value\":\"read\",\"secretsManager\":{\"secretID\":\"app\",\"key\":\"READER\"}}]}"
    "}";

struct row {
    const char *name;
    const char *before_write; /* what somebody writes between the intent and our write; NULL: nothing */
    const char *since;        /* and after it */
    const char *fault;        /* while it is put back */
    const char *after;
    int64_t writes, moves; /* everybody's */
};

#define LOST "\"action\": \"drop-reply\""

/* --- by hand --- */

static void write_secret(struct step_bench *bench, const char *id, const char *text)
{
    AUTO_SECRET struct secret *secret = text ? secret_new(str_of(text)) : NULL;
    AUTO_FREE char *token = xasprintf("somebody-else-at-%032lld", (long long)sched_wall_ms(bench->sched));

    if (secret)
        assert_no_err(secretsmanager_put_value(&bench->pass.target, id, token, secret, NULL));
}

static void expect_secret(struct step_bench *bench, const char *id, const char *want)
{
    AUTO_SECRET_VALUE struct secret_value value = {0};
    AUTO_JSON struct json *got_json = NULL;
    AUTO_JSON struct json *want_json = NULL;

    assert_no_err(secretsmanager_get_value(&bench->pass.target, id, NULL, NULL, &value));
    assert_no_err(json_parse(secret_reveal(value.text), NULL, &got_json));
    assert_no_err(json_parse(str_of(want), NULL, &want_json));
    if (!json_equal(got_json, want_json))
        assert_text_equal(secret_reveal(value.text).ptr, want);
}

static void begin_fault(struct step_bench *bench, const char *action)
{
    AUTO_FREE char *puts =
        xasprintf("{\"match\": {\"operation\": \"PutSecretValue\", \"nth\": 1}, %s}", action);
    AUTO_FREE char *moves =
        xasprintf("{\"match\": {\"operation\": \"UpdateSecretVersionStage\", \"nth\": 1}, %s}", action);

    assert_no_err(sim_control(bench->sim, bench->sched, "POST", "/_sim/faults", puts, NULL));
    assert_no_err(sim_control(bench->sim, bench->sched, "POST", "/_sim/faults", moves, NULL));
}

static void expect_calls(struct step_bench *bench, const struct row *row)
{
    assert_number(step_bench_count(bench, "PutSecretValue", "changed"), row->writes);
    assert_number(step_bench_count(bench, "UpdateSecretVersionStage", "changed"), row->moves);
}

/* --- parameters: two keys, of which one was not there --- */

#define OURS(api_key) "{\"HOST\":\"new\"," api_key "\"READER\":\"read\"}"

static const struct row parameter_rows[] = {
    {"nobody has written", NULL, NULL, NULL, "{\"HOST\":\"old\",\"API_KEY\":\"k1\"}", 1, 1},
    {"nobody has written, the answer is lost", NULL, NULL, LOST, "{\"HOST\":\"old\",\"API_KEY\":\"k1\"}", 1,
     1},
    {"another key has changed since", NULL, OURS("\"API_KEY\":\"k2\","), NULL,
     "{\"HOST\":\"old\",\"API_KEY\":\"k2\"}", 3, 0},
    {"another key has changed since, the answer is lost", NULL, OURS("\"API_KEY\":\"k2\","), LOST,
     "{\"HOST\":\"old\",\"API_KEY\":\"k2\"}", 3, 0},
    {"another key has changed since, to what is no text", NULL, OURS("\"API_KEY\":{\"a\":[1,null]},"), NULL,
     "{\"HOST\":\"old\",\"API_KEY\":{\"a\":[1,null]}}", 3, 0},
    {"another key has come since", NULL, OURS("\"API_KEY\":\"k1\",\"MORE\":\"1\","), NULL,
     "{\"HOST\":\"old\",\"API_KEY\":\"k1\",\"MORE\":\"1\"}", 3, 0},
    {"another key has gone since", NULL, OURS(""), NULL, "{\"HOST\":\"old\"}", 3, 0},
    {"another key has changed and changed back", NULL, OURS("\"API_KEY\":\"k1\","), NULL,
     "{\"HOST\":\"old\",\"API_KEY\":\"k1\"}", 2, 1},
    {"another key had changed before we wrote", "{\"HOST\":\"old\",\"API_KEY\":\"k2\"}", NULL, NULL,
     "{\"HOST\":\"old\",\"API_KEY\":\"k2\"}", 3, 0},
    {"one of ours has changed since", NULL, "{\"HOST\":\"theirs\",\"API_KEY\":\"k1\",\"READER\":\"read\"}",
     NULL, "{\"HOST\":\"theirs\",\"API_KEY\":\"k1\"}", 3, 0},
    {"all of ours have changed since", NULL, "{\"HOST\":\"theirs\",\"API_KEY\":\"k1\"}", NULL,
     "{\"HOST\":\"theirs\",\"API_KEY\":\"k1\"}", 2, 0},
};

#define PARAMETERS 2
static const char *const parameters[PARAMETERS] = {"Parameters/host", "Parameters/reader"};

static void intend_parameter(struct step_bench *bench, size_t index)
{
    struct stage stage = step_bench_stage(bench, parameters[index], index);

    if (stage.row->state != STEP_WAITING)
        return;
    assert_no_err(parameter_intend(&stage));
    stage.row->state = STEP_INTENDED;
    stage.row->start_ms = sched_wall_ms(bench->sched);
}

static void write_parameter(struct step_bench *bench, size_t index)
{
    struct stage stage = step_bench_stage(bench, parameters[index], index);
    AUTO_OUTCOME struct outcome out = {0};

    intend_parameter(bench, index);
    assert_no_err(parameter_act(&stage, &out));
    stage.row->state = STEP_DONE;
}

static void put_parameters_back(struct step_bench *bench)
{
    for (size_t i = 0; i < PARAMETERS; i++) {
        struct stage stage = step_bench_stage(bench, parameters[i], i);
        AUTO_OUTCOME struct outcome out = {0};
        struct err *err = parameter_undo(&stage, &out);

        if (err) {
            err_ignore(err, "its answer got lost");
            outcome_reset(&out);
            assert_no_err(parameter_undo(&stage, &out));
        }
        assert_number(out.verdict, VERDICT_DONE);
        stage.row->state = STEP_UNDONE;
    }
}

static void other_keys_stay(void **state)
{
    const struct row *row = *state;
    struct step_bench bench;

    step_bench_init(&bench, world_text, spec_text);
    for (size_t i = 0; i < PARAMETERS; i++)
        intend_parameter(&bench, i);
    write_secret(&bench, "app", row->before_write);
    for (size_t i = 0; i < PARAMETERS; i++)
        write_parameter(&bench, i);
    write_secret(&bench, "app", row->since);
    if (row->fault)
        begin_fault(&bench, row->fault);
    put_parameters_back(&bench);
    expect_secret(&bench, "app", row->after);
    expect_calls(&bench, row);
    step_bench_done(&bench);
}

/* What the second row remembers has the first one's key in it. */
static void a_key_that_was_intended_later_goes_back(void **state UNUSED)
{
    const struct row row = {.writes = 2, .moves = 1};
    struct step_bench bench;

    step_bench_init(&bench, world_text, spec_text);
    for (size_t i = 0; i < PARAMETERS; i++)
        write_parameter(&bench, i);
    put_parameters_back(&bench);
    expect_secret(&bench, "app", "{\"HOST\":\"old\",\"API_KEY\":\"k1\"}");
    expect_calls(&bench, &row);
    step_bench_done(&bench);
}

/* --- a generated password; its own key is in `since` where %s stands --- */

static const struct row password_rows[] = {
    {"nobody has written", NULL, NULL, NULL, "{\"user\":\"admin\",\"password\":\"old\"}", 1, 2},
    {"another key has changed since", NULL, "{\"user\":\"root\",\"password\":\"%s\"}", NULL,
     "{\"user\":\"root\",\"password\":\"old\"}", 3, 1},
    {"another key has changed since, the answer is lost", NULL, "{\"user\":\"root\",\"password\":\"%s\"}",
     LOST, "{\"user\":\"root\",\"password\":\"old\"}", 3, 1},
    {"another key has come since", NULL, "{\"user\":\"admin\",\"port\":1,\"password\":\"%s\"}", NULL,
     "{\"user\":\"admin\",\"port\":1,\"password\":\"old\"}", 3, 1},
    {"another key had changed before we wrote", "{\"user\":\"root\",\"password\":\"old\"}", NULL, NULL,
     "{\"user\":\"root\",\"password\":\"old\"}", 4, 0},
    {"the password has changed since", NULL, "{\"user\":\"admin\",\"password\":\"theirs\"}", NULL,
     "{\"user\":\"admin\",\"password\":\"theirs\"}", 2, 1},
};

static void write_with(struct step_bench *bench, const char *format, const struct secret *password)
{
    const char *mark = format ? strstr(format, "%s") : NULL;
    AUTO_BUF struct buf text = BUF_MAX(KIB);

    if (mark) {
        buf_add(&text, format, (size_t)(mark - format));
        buf_add_str(&text, secret_reveal(password));
        buf_adds(&text, mark + 2);
    }
    write_secret(bench, "db", mark ? buf_text(&text) : format);
}

static void put_password_back(struct stage *stage)
{
    const struct database_spec *database = &stage->pass->spec->databases[0];
    AUTO_FREE char *wait = NULL;
    struct err *err = password_switch_back(stage, database, NULL, &wait);

    if (err) {
        err_ignore(err, "its answer got lost");
        assert_no_err(password_switch_back(stage, database, NULL, &wait));
    }
}

static void keys_beside_a_password_stay(void **state)
{
    const struct row *row = *state;
    AUTO_SECRET struct secret *password = NULL;
    AUTO_FREE char *wait = NULL;
    struct step_bench bench;

    step_bench_init(&bench, world_text, spec_text);
    const struct database_spec *database = &bench.pass.spec->databases[0];
    struct stage stage = step_bench_stage(&bench, "Passwords/main", 0);
    assert_no_err(password_generated(&bench.pass, database, &password));
    assert_no_err(password_switch_intend(&stage, database, NULL));
    write_with(&bench, row->before_write, password);
    assert_no_err(password_switch(&stage, database, NULL, &wait));
    write_with(&bench, row->since, password);
    if (row->fault)
        begin_fault(&bench, row->fault);
    put_password_back(&stage);
    expect_secret(&bench, "db", row->after);
    expect_calls(&bench, row);
    step_bench_done(&bench);
}

int main(void)
{
    struct tests tests = {0};

    TEST_ROWS(&tests, other_keys_stay, parameter_rows);
    TEST(&tests, a_key_that_was_intended_later_goes_back);
    TEST_ROWS(&tests, keys_beside_a_password_stay, password_rows);
    return tests_run(&tests, "secret_step");
}
