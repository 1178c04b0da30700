/* Which fields need a cluster. */
#include "pkg/base/files.h"
#include "pkg/refresh/spec.h"
#include "tests/testing/assertions.h"

/* The full spec with fewer fields that need a cluster. */
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
    "\"concurrencyPolicy\":\"Replace\",\"deletionPolicy\":\"Delete\",\"ttlSecondsAfterFinished\":60}";

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

    TEST(&tests, names_what_needs_a_cluster);
    TEST(&tests, names_a_secret_that_is_read);
    TEST(&tests, names_nothing_when_aws_is_enough);
    TEST(&tests, names_kinds);
    return tests_run(&tests, "spec_support");
}
