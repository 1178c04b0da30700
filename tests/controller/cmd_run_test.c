#include "controller/cmd_run.h"

#include "controller/cmd_run_approval.h"
#include "controller/cmd_run_input.h"
#include "pkg/base/files.h"
#include "tests/testing/assertions.h"

#include <unistd.h>

/* --- when a run is over --- */

#define OBJECT(trigger, annotations, status)                                             \
    "{\"metadata\":{\"annotations\":{" annotations "}},\"spec\":{\"trigger\":\"" trigger \
    "\"},\"status\":{" status "}}"
#define REQUEST(value) "\"stagingrefresh.dev/run-requested\":\"" value "\""
#define HANDLED "\"lastHandledTrigger\":\"t\",\"lastHandledRequest\":\"\""
#define CONDITION(type, status, reason) \
    "{\"type\":\"" type "\",\"status\":\"" status "\",\"reason\":\"" reason "\",\"message\":\"why\"}"
#define ENDED "\"run\":{\"id\":\"r1\",\"completionTime\":\"2026-11-22T16:00:00Z\"}"

/* clang-format off */
static const struct judge_row {
    const char *name, *object, *before;
    bool want_over;
    enum exit_code want_code;
    const char *want_sentence;
} judge_rows[] = {
    {.name = "under way", .object = OBJECT("t", "", HANDLED ",\"run\":{\"id\":\"r1\"}")},
    {.name = "nothing yet", .object = OBJECT("t", "", "")},
    {.name = "succeeded", .want_over = true, .want_code = EXIT_DONE,
     .object = OBJECT("t", "", HANDLED "," ENDED ",\"conditions\":[" CONDITION("Succeeded", "True", "RunSucceeded") "]")},
    {.name = "failed", .want_over = true, .want_code = EXIT_FAILED,
     .object = OBJECT("t", "", HANDLED "," ENDED ",\"conditions\":[" CONDITION("Succeeded", "False", "X") "," CONDITION("Stalled", "True", "X") "]")},
    {.name = "the end of the run before", .before = "r1",
     .object = OBJECT("t", "", HANDLED "," ENDED ",\"conditions\":[" CONDITION("Succeeded", "True", "RunSucceeded") "]")},
    {.name = "over, but the trigger asks for another one",
     .object = OBJECT("u", "", HANDLED "," ENDED ",\"conditions\":[" CONDITION("Succeeded", "True", "RunSucceeded") "]")},
    {.name = "over, but the annotation asks for another one",
     .object = OBJECT("t", REQUEST("again"), HANDLED "," ENDED ",\"conditions\":[" CONDITION("Succeeded", "True", "RunSucceeded") "]")},
    {.name = "the input is at fault", .want_over = true, .want_code = EXIT_BAD_INPUT, .want_sentence = "why",
     .object = OBJECT("t", "", "\"conditions\":[" CONDITION("Stalled", "True", "InvalidSpec") "]")},
    {.name = "AWS refuses for good", .want_over = true, .want_code = EXIT_FAILED, .want_sentence = "why",
     .object = OBJECT("t", "", HANDLED ",\"run\":{\"id\":\"r1\"},\"conditions\":[" CONDITION("Stalled", "True", "AccessDenied") "]")},
    {.name = "a trouble that is over",
     .object = OBJECT("t", "", HANDLED ",\"run\":{\"id\":\"r1\"},\"conditions\":[" CONDITION("Stalled", "False", "AccessDenied") "]")},
};
/* clang-format on */

static struct json *parsed(const char *text)
{
    struct json *value = NULL;

    assert_no_err(json_parse(str_of(text), NULL, &value));
    return value;
}

static void judges(void **state)
{
    const struct judge_row *row = *state;
    AUTO_JSON struct json *object = parsed(row->object);
    struct run_verdict verdict = run_judge(object, row->before);

    assert_number(verdict.is_over, row->want_over);
    assert_number(verdict.code, row->want_code);
    assert_text_equal(verdict.sentence, row->want_sentence);
}

/* clang-format off */
static const struct wanted_row {
    const char *name, *object;
    bool want;
} wanted_rows[] = {
    {.name = "never run", .object = OBJECT("", "", ""), .want = true},
    {.name = "trigger handled", .object = OBJECT("t", "", HANDLED), .want = false},
    {.name = "another trigger", .object = OBJECT("u", "", HANDLED), .want = true},
    {.name = "requested", .object = OBJECT("t", REQUEST("a"), HANDLED), .want = true},
    {.name = "request handled", .object = OBJECT("t", REQUEST("a"), "\"lastHandledTrigger\":\"t\",\"lastHandledRequest\":\"a\""), .want = false},
};
/* clang-format on */

static void wants(void **state)
{
    const struct wanted_row *row = *state;
    AUTO_JSON struct json *object = parsed(row->object);

    assert_number(run_is_wanted(object), row->want);
}

/* --- approval --- */

static const struct answer_row {
    const char *name, *line;
    enum approval_answer want;
} answer_rows[] = {
    {.name = "yes", .line = "yes\n", .want = APPROVAL_GIVEN},
    {.name = "y in capitals, with space", .line = " Y \r\n", .want = APPROVAL_GIVEN},
    {.name = "no", .line = "n\n", .want = APPROVAL_REFUSED},
    {.name = "nothing typed", .line = "\n", .want = APPROVAL_REFUSED},
    {.name = "yes and more", .line = "yes but\n", .want = APPROVAL_REFUSED},
};

static void reads_answers(void **state)
{
    const struct answer_row *row = *state;

    assert_number(approval_read(row->line), row->want);
}

#define APPROVAL(state) \
    OBJECT("", "", "\"switchover\":{\"steps\":[{\"name\":\"Approval\",\"state\":\"" state "\"}]}")

static const struct awaited_row {
    const char *name, *object;
    bool want;
} awaited_rows[] = {
    {.name = "the copies are not ready", .object = APPROVAL("Waiting")},
    {.name = "approval is all that is missing", .object = APPROVAL("Running"), .want = true},
    {.name = "approved", .object = APPROVAL("Done")},
    {.name = "no such step", .object = OBJECT("", "", "")},
};

static void awaits(void **state)
{
    const struct awaited_row *row = *state;
    AUTO_JSON struct json *object = parsed(row->object);

    assert_number(approval_is_awaited(object), row->want);
}

/* --- files --- */

/* The sample with one passage replaced by another; `find` NULL: as it is. */
static char *edited_sample(const char *find, const char *replace)
{
    AUTO_BUF struct buf text = BUF_MAX(64 * KIB);
    AUTO_BUF struct buf out = BUF_MAX(64 * KIB);
    const char *at;

    assert_no_err(file_read(SR_SOURCE_DIR "/manifests/samples/shop.yaml", &text));
    if (!find)
        return buf_take(&text);
    at = strstr(buf_text(&text), find);
    assert_non_null(at);
    buf_add(&out, buf_text(&text), (size_t)(at - buf_text(&text)));
    buf_adds(&out, replace);
    buf_adds(&out, at + strlen(find));
    return buf_take(&out);
}

/* clang-format off */
static const struct input_row {
    const char *name;
    const char *find, *replace;
    bool has_cluster;
    const char *fails;        /* NULL: it is fine */
    const char *at;           /* the error names the line of this passage */
    const char *want_ignored;
} input_rows[] = {
    {.name = "the sample"},
    {.name = "other kinds are named and left alone", .find = "---\n", .replace = "---\nkind: Namespace\nmetadata: {name: staging}\n---\nkind: List\n---\n",
     .want_ignored = "Namespace staging, List"},
    {.name = "unknown field", .find = "clusterIdentifier: shop", .replace = "clusterIdentifer: shop",
     .at = "clusterIdentifer", .fails = "spec.databases[0].aurora.clusterIdentifer: unknown field, did you mean \"clusterIdentifier\"?"},
    {.name = "wrong value in a list, at its own line", .find = "dbSubnetGroupName: staging", .replace = "dbSubnetGroupName: 7",
     .at = "dbSubnetGroupName", .fails = "spec.databases[main].aurora.restore.dbSubnetGroupName"},
    {.name = "field missing, at its parent's line", .find = "      clusterIdentifier: shop\n", .replace = "",
     .at = "restore:", .fails = "spec.databases[main].aurora.clusterIdentifier: required"},
    {.name = "wrong value in an account", .find = "accountID: \"111111111111\"", .replace = "accountID: \"1111\"",
     .at = "accountID", .fails = "spec.accountID"},
    {.name = "another version", .find = "apiVersion: stagingrefresh.dev/v1alpha1\nkind: StagingRefresh", .replace = "apiVersion: stagingrefresh.dev/v2\nkind: StagingRefresh",
     .fails = "apiVersion: StagingRefresh is read as stagingrefresh.dev/v1alpha1, not \"stagingrefresh.dev/v2\""},
    {.name = "a slip in the kind", .find = "kind: StagingRefresh", .replace = "kind: StagingRefrehs", .fails = "kind: \"StagingRefrehs\" is neither StagingRefresh nor AWSAccount"},
    {.name = "no refresh", .find = "apiVersion: stagingrefresh.dev/v1alpha1\nkind: StagingRefresh", .replace = "kind: Other", .fails = "no StagingRefresh in it"},
    {.name = "an account too few", .find = "  name: production", .replace = "  name: prod",
     .fails = "spec.sourceRef.name: AWSAccount \"production\" is not in the files given"},
    {.name = "two accounts of one name", .find = "  name: production", .replace = "  name: staging", .fails = "a second AWSAccount \"staging\""},
    {.name = "source and target mixed up", .find = "sourceRef: {name: production}", .replace = "sourceRef: {name: staging}", .fails = ""},
    {.name = "one account for both", .find = "\"222222222222\"\n  region: ap-northeast-1\n  usage: Target\n  credentials:\n    assumeRole:\n      roleARN: arn:aws:iam::222222222222:role/staging-refresh\n      externalID: staging-cluster\n  backup:\n    vaultName: staging-refresh\n    serviceRoleARN: arn:aws:iam::222222222222",
     .replace = "\"111111111111\"\n  region: ap-northeast-1\n  usage: Target\n  credentials:\n    assumeRole:\n      roleARN: arn:aws:iam::111111111111:role/staging-refresh\n      externalID: staging-cluster\n  backup:\n    vaultName: staging-refresh\n    serviceRoleARN: arn:aws:iam::111111111111",
     .fails = "source and target are one account (111111111111)"},
    {.name = "no name", .find = "  name: shop\n  namespace", .replace = "  generateName: shop-\n  namespace",
     .fails = "metadata.name: required, generateName works only in a cluster"},
    {.name = "suspended", .find = "  trigger:", .replace = "  suspend: true\n  trigger:", .fails = "spec.suspend: is true, so there is nothing to run"},
    {.name = "needs a cluster", .find = "ssm: {name: /shop/stg/db_host}", .replace = "configMap: {name: shop-databases, key: DB_HOST}",
     .fails = "these fields need a cluster, give --kubeconfig: "},
    {.name = "has a cluster", .find = "ssm: {name: /shop/stg/db_host}", .replace = "configMap: {name: shop-databases, key: DB_HOST}", .has_cluster = true},
    {.name = "no YAML", .find = "kind: AWSAccount", .replace = "kind: [", .fails = "input.yaml:"},
};
/* clang-format on */

static int line_of(const char *text, const char *passage)
{
    const char *at = strstr(text, passage);
    int line = 1;

    assert_non_null(at);
    for (; text < at; text++)
        line += *text == '\n';
    return line;
}

static void reads_files(void **state)
{
    const struct input_row *row = *state;
    AUTO_FREE char *text = edited_sample(row->find, row->replace);
    char dir[] = "/tmp/cmd-run-XXXXXX";
    AUTO_RUN_INPUT struct run_input input = {0};
    AUTO_FREE char *path = NULL;
    const char *files[1];
    struct err *err;

    assert_non_null(mkdtemp(dir));
    files[0] = path = xasprintf("%s/input.yaml", dir);
    assert_no_err(file_replace(path, str_of(text), 0600));
    err = run_input_read(files, 1, row->has_cluster, &input);
    unlink(path);
    rmdir(dir);
    if (row->fails) {
        AUTO_FREE char *where = row->at ? xasprintf("input.yaml:%d: ", line_of(text, row->at)) : xstrdup("");

        assert_err_contains(err, where);
        assert_fails(err, ERR_INVALID, row->fails);
        return;
    }
    assert_no_err(err);
    assert_text_equal(json_get_text(input.refresh, "metadata.name", ""), "shop");
    assert_text_equal(json_get_text(input.source, "metadata.name", ""), "production");
    assert_text_equal(json_get_text(input.target, "metadata.name", ""), "staging");
    assert_text_equal(input.ignored, row->want_ignored);
}

static void names_a_missing_file(void **state)
{
    const char *const files[] = {"/nowhere/refresh.yaml"};
    struct run_input input = {0};

    (void)state;
    assert_fails(run_input_read(files, 1, false, &input), ERR_NOT_FOUND, "/nowhere/refresh.yaml");
}

static void takes_several_files(void **state)
{
    static const char file[] = SR_SOURCE_DIR "/manifests/samples/shop.yaml";
    const char *const files[] = {file, file};
    struct run_input input = {0};

    (void)state;
    assert_fails(run_input_read(files, 2, false, &input), ERR_INVALID, "a second AWSAccount \"production\"");
}

int main(void)
{
    struct tests tests = {0};

    TEST_ROWS(&tests, judges, judge_rows);
    TEST_ROWS(&tests, wants, wanted_rows);
    TEST_ROWS(&tests, reads_answers, answer_rows);
    TEST_ROWS(&tests, awaits, awaited_rows);
    TEST_ROWS(&tests, reads_files, input_rows);
    TEST(&tests, names_a_missing_file);
    TEST(&tests, takes_several_files);
    return tests_run(&tests, "cmd_run");
}
