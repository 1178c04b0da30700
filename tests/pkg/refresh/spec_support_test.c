/* Which fields wait for their engine, and which need a cluster. */
#include "pkg/base/files.h"
#include "pkg/refresh/spec.h"
#include "tests/testing/assertions.h"

/* The full spec without what is not supported yet. */
static const char *const supported_patch =
    "{\"hooks\":null,\"retention\":null,\"switchover\":{\"policy\":\"Automatic\",\"window\":null,"
    "\"differences\":\"Report\","
    "\"parameters\":[{\"name\":\"env\",\"value\":\"x\",\"configMap\":{\"name\":\"c\",\"key\":\"k\"}},"
    "{\"name\":\"ssm\",\"value\":\"x\",\"ssm\":{\"name\":\"s\"}}],"
    "\"applications\":[{\"name\":\"web\",\"deployment\":{\"name\":\"w\"}},{\"name\":\"api\",\"ecsService\":{"
    "\"cluster\":\"c\",\"service\":\"s\"}}]},"
    "\"databases\":[{\"name\":\"main\",\"aurora\":{\"clusterIdentifier\":\"shop\",\"restore\":{"
    "\"identifierPrefix\":"
    "\"p\",\"dbSubnetGroupName\":\"s\",\"vpcSecurityGroupIDs\":[\"sg-01234567\"],\"instances\":[{\"name\":"
    "\"a\","
    "\"class\":\"db.r6g.large\"}]},\"masterUserPassword\":{\"fromSecret\":{\"secret\":{\"name\":\"n\","
    "\"key\":\"k\"}}}}}"
    ",{\"name\":\"carts\",\"dynamodb\":{\"tableName\":\"carts\",\"restore\":{\"tableNamePrefix\":\"p\","
    "\"encryption\":{"
    "\"type\":\"AWSOwned\"},\"settingsFrom\":\"PreviousCopy\"}}}],"
    "\"concurrencyPolicy\":\"Queue\",\"deletionPolicy\":\"Retain\",\"ttlSecondsAfterFinished\":null}";

static struct json *read_json(const char *text)
{
    struct json *value = NULL;

    assert_no_err(json_parse(str_of(text), NULL, &value));
    return value;
}

static struct json *supported_spec(void)
{
    AUTO_BUF struct buf text = BUF_MAX(MIB);
    AUTO_JSON struct json *patch = read_json(supported_patch);

    assert_no_err(file_read(SR_SOURCE_DIR "/tests/data/refresh/full.json", &text));
    return json_merge_patch(read_json(buf_text(&text)), patch);
}

static struct refresh_spec *parse(struct json *value)
{
    struct refresh_spec *spec = NULL;

    assert_no_err(refresh_spec_parse(value, "shop", &spec));
    return spec;
}

struct row {
    const char *name;
    const char *at, *to; /* a member of the supported spec */
    const char *want;
};

#define HOOK "[{\"name\":\"h\",\"lambda\":{\"functionName\":\"f\"},\"onFailure\":\"Stop\"}]"

/* clang-format off */
static const struct row rows[] = {
    {.name = "forbidding runs", .at = "concurrencyPolicy", .to = "\"Forbid\"", .want = "spec.concurrencyPolicy other than Queue"},
    {.name = "replacing runs", .at = "concurrencyPolicy", .to = "\"Replace\"", .want = "spec.concurrencyPolicy other than Queue"},
    {.name = "deleting copies", .at = "deletionPolicy", .to = "\"Delete\"", .want = "spec.deletionPolicy Delete"},
    {.name = "deleting itself", .at = "ttlSecondsAfterFinished", .to = "0", .want = "spec.ttlSecondsAfterFinished"},
};
/* clang-format on */

static void refuses_what_has_no_engine(void **state)
{
    const struct row *row = *state;
    AUTO_JSON struct json *value = supported_spec();
    AUTO_REFRESH_SPEC struct refresh_spec *spec = NULL;
    AUTO_ERR struct err *err = NULL;
    AUTO_FREE char *want = xasprintf("%s: not supported yet", row->want);
    const char *dot = strrchr(row->at, '.');
    AUTO_FREE char *parent = dot ? xstrndup(row->at, (size_t)(dot - row->at)) : NULL;

    json_set(parent ? json_edit(value, parent) : value, dot ? dot + 1 : row->at, read_json(row->to));
    spec = parse(value);
    err = refresh_unsupported(spec);
    assert_err_kind(err, ERR_INVALID);
    assert_text_equal(err_text(err), want);
}

static void lets_the_rest_pass(void **state)
{
    AUTO_JSON struct json *value = supported_spec();
    AUTO_REFRESH_SPEC struct refresh_spec *spec = parse(value);

    (void)state;
    assert_no_err(refresh_unsupported(spec));
}

static void names_what_needs_a_cluster(void **state)
{
    AUTO_BUF struct buf text = BUF_MAX(MIB), fields = BUF_MAX(KIB);
    AUTO_JSON struct json *value = NULL;
    AUTO_REFRESH_SPEC struct refresh_spec *spec = NULL;

    (void)state;
    assert_no_err(file_read(SR_SOURCE_DIR "/tests/data/refresh/full.json", &text));
    value = read_json(buf_text(&text));
    spec = parse(value);
    assert_true(refresh_needs_cluster(spec, &fields));
    assert_text_equal(
        buf_text(&fields),
        "spec.databases[orders].aurora.masterUserPassword.generate.secret, "
        "spec.hooks.beforeSwitchover[mask].cronJob, spec.switchover.parameters[app-env].configMap, "
        "spec.switchover.parameters[app-key].secret, spec.switchover.applications[web].deployment, "
        "spec.switchover.applications[queue].statefulSet, "
        "spec.switchover.applications[agent].daemonSet");
}

static void names_a_secret_that_is_read(void **state)
{
    AUTO_BUF struct buf fields = BUF_MAX(KIB);
    AUTO_JSON struct json *value = supported_spec();
    AUTO_REFRESH_SPEC struct refresh_spec *spec = parse(value);

    (void)state;
    assert_true(refresh_needs_cluster(spec, &fields));
    assert_text_contains(buf_text(&fields),
                         "spec.databases[main].aurora.masterUserPassword.fromSecret.secret, ");
}

static void names_nothing_when_aws_is_enough(void **state)
{
    AUTO_BUF struct buf fields = BUF_MAX(KIB);
    AUTO_JSON struct json *value = supported_spec();
    AUTO_REFRESH_SPEC struct refresh_spec *spec = NULL;

    (void)state;
    json_set(value, "switchover", read_json("{\"policy\":\"Automatic\"}"));
    json_remove(json_edit(value, "databases[0].aurora"), "masterUserPassword");
    spec = parse(value);
    assert_false(refresh_needs_cluster(spec, &fields));
    assert_text_equal(buf_text(&fields), "");
}

static void names_kinds(void **state)
{
    (void)state;
    assert_text_equal(database_kind_name(DATABASE_AURORA), "Aurora");
    assert_text_equal(database_kind_name(DATABASE_DYNAMODB), "DynamoDB");
}

int main(void)
{
    struct tests tests = {0};

    TEST_ROWS(&tests, refuses_what_has_no_engine, rows);
    TEST(&tests, lets_the_rest_pass);
    TEST(&tests, names_what_needs_a_cluster);
    TEST(&tests, names_a_secret_that_is_read);
    TEST(&tests, names_nothing_when_aws_is_enough);
    TEST(&tests, names_kinds);
    return tests_run(&tests, "spec_support");
}
