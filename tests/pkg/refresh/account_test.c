#include "pkg/refresh/account.h"

#include "tests/testing/assertions.h"

static const char source_text[] =
    "{\"apiVersion\":\"stagingrefresh.dev/"
    "v1alpha1\",\"kind\":\"AWSAccount\",\"metadata\":{\"name\":\"production\","
    "\"uid\":\"u-1\",\"generation\":3},\"spec\":{\"accountID\":\"111111111111\",\"region\":\"ap-northeast-"
    "1\","
    "\"usage\":\"Source\",\"credentials\":{\"assumeRole\":{\"roleARN\":"
    "\"arn:aws:iam::111111111111:role/staging-refresh\",\"externalID\":\"staging-cluster\"}},\"backup\":{"
    "\"vaultName\":\"staging-refresh\",\"serviceRoleARN\":"
    "\"arn:aws:iam::111111111111:role/service-role/AWSBackupStagingRefresh\"},\"grants\":[{\"name\":\"shop\","
    "\"namespaces\":[\"staging\",\"staging-2\"],\"targets\":[\"staging\"],\"resources\":[{\"type\":"
    "\"AuroraCluster\",\"names\":[\"shop\",\"orders-*\"]},{\"type\":\"DynamoDBTable\",\"names\":["
    "\"sessions\"]}]},"
    "{\"name\":\"lab\",\"namespaces\":[\"lab\"],\"targets\":[\"lab\",\"lab-2\"],\"resources\":[{\"type\":"
    "\"AuroraCluster\",\"names\":[\"*\"]}]}]}}";

static const char target_text[] =
    "{\"metadata\":{\"name\":\"staging\"},\"spec\":{\"accountID\":\"222222222222\",\"region\":\"us-gov-east-"
    "1\","
    "\"usage\":\"Target\",\"backup\":{\"vaultName\":\"v1\",\"serviceRoleARN\":"
    "\"arn:aws-us-gov:iam::222222222222:role/B\"},\"events\":{\"queueURL\":"
    "\"https://sqs.us-gov-east-1.amazonaws.com/222222222222/"
    "staging-refresh\"},\"grants\":[{\"name\":\"shop\","
    "\"namespaces\":[\"staging\"],\"requireApproval\":true,\"resources\":[{\"type\":\"SSMParameter\","
    "\"names\":["
    "\"/shop/stg/*\"]},{\"type\":\"ECSService\",\"names\":[\"shop-stg/"
    "web\"]}]},{\"name\":\"lab\",\"namespaces\":["
    "\"lab\"],\"resources\":[{\"type\":\"DBProxy\",\"names\":[\"lab-*-proxy\"]}]}]}}";

static struct json *read_json(const char *text)
{
    struct json *value = NULL;

    assert_no_err(json_parse(str_of(text), NULL, &value));
    return value;
}

static struct account *parse(const char *text)
{
    AUTO_JSON struct json *value = read_json(text);
    struct account *account = NULL;

    assert_no_err(account_parse(value, &account));
    return account;
}

static void reads_a_source(void **state)
{
    AUTO_ACCOUNT struct account *account = parse(source_text);

    (void)state;
    assert_text_equal(account->name, "production");
    assert_text_equal(account->uid, "u-1");
    assert_number(account->generation, 3);
    assert_text_equal(account->account_id, "111111111111");
    assert_text_equal(account->region, "ap-northeast-1");
    assert_int_equal(account->usage, USAGE_SOURCE);
    assert_text_equal(account->role_arn, "arn:aws:iam::111111111111:role/staging-refresh");
    assert_text_equal(account->external_id, "staging-cluster");
    assert_text_equal(account->vault_name, "staging-refresh");
    assert_text_contains(account->service_role_arn, "AWSBackupStagingRefresh");
    assert_text_equal(account->events_queue_url, NULL);
    assert_number(account->grant_count, 2);
    assert_number(account->grants[0].namespace_count, 2);
    assert_text_equal(account->grants[1].targets[1], "lab-2");
    assert_number(account->grants[0].resource_count, 2);
    assert_text_equal(account->grants[0].resources[0].type, "AuroraCluster");
    assert_text_equal(account->grants[0].resources[0].names[1], "orders-*");
    assert_text_equal(account_usage_name(account->usage), "Source");
}

static void reads_a_target(void **state)
{
    AUTO_ACCOUNT struct account *account = parse(target_text);

    (void)state;
    assert_int_equal(account->usage, USAGE_TARGET);
    assert_text_equal(account->uid, NULL);
    assert_number(account->generation, 0);
    assert_text_equal(account->role_arn, NULL);
    assert_text_contains(account->events_queue_url, "/222222222222/staging-refresh");
    assert_text_equal(account_usage_name(account->usage), "Target");
    assert_true(account->grants[0].require_approval);
    assert_false(account->grants[1].require_approval);
}

/* --- grants --- */

struct grant_row {
    const char *name;
    const char *account;
    const char *namespace, *target, *type, *resource;
    bool granted;
};

/* clang-format off */
static const struct grant_row grant_rows[] = {
    {.name = "source: as written", .account = source_text, .namespace = "staging", .target = "staging",
     .type = "AuroraCluster", .resource = "shop", .granted = true},
    {.name = "source: the second namespace", .account = source_text, .namespace = "staging-2", .target = "staging",
     .type = "DynamoDBTable", .resource = "sessions", .granted = true},
    {.name = "source: by pattern", .account = source_text, .namespace = "staging", .target = "staging",
     .type = "AuroraCluster", .resource = "orders-eu", .granted = true},
    {.name = "source: another namespace", .account = source_text, .namespace = "default", .target = "staging",
     .type = "AuroraCluster", .resource = "shop"},
    {.name = "source: a namespace that begins alike", .account = source_text, .namespace = "staging-3",
     .target = "staging", .type = "AuroraCluster", .resource = "shop"},
    {.name = "source: another target", .account = source_text, .namespace = "staging", .target = "lab",
     .type = "AuroraCluster", .resource = "shop"},
    {.name = "source: no target", .account = source_text, .namespace = "staging", .type = "AuroraCluster",
     .resource = "shop"},
    {.name = "source: another type", .account = source_text, .namespace = "staging", .target = "staging",
     .type = "DynamoDBTable", .resource = "shop"},
    {.name = "source: another name", .account = source_text, .namespace = "staging", .target = "staging",
     .type = "AuroraCluster", .resource = "shop-2"},
    {.name = "source: grants do not add up", .account = source_text, .namespace = "lab", .target = "staging",
     .type = "AuroraCluster", .resource = "shop"},
    {.name = "source: everything, to the lab", .account = source_text, .namespace = "lab", .target = "lab-2",
     .type = "AuroraCluster", .resource = "anything", .granted = true},
    {.name = "target: slashes are characters too", .account = target_text, .namespace = "staging",
     .type = "SSMParameter", .resource = "/shop/stg/a/b", .granted = true},
    {.name = "target: a pattern covers the whole name", .account = target_text, .namespace = "staging",
     .type = "SSMParameter", .resource = "/other/shop/stg/a"},
    {.name = "target: cluster and service", .account = target_text, .namespace = "staging", .type = "ECSService",
     .resource = "shop-stg/web", .granted = true},
    {.name = "target: a star in the middle", .account = target_text, .namespace = "lab", .type = "DBProxy",
     .resource = "lab-x-proxy", .granted = true},
    {.name = "target: of another's grant", .account = target_text, .namespace = "lab", .type = "SSMParameter",
     .resource = "/shop/stg/a"},
};
/* clang-format on */

static void grants_what_is_written(void **state)
{
    const struct grant_row *row = *state;
    AUTO_ACCOUNT struct account *account = parse(row->account);

    assert_int_equal(account_grants(account, row->namespace, row->target, row->type, row->resource),
                     row->granted);
}

static void grants_nothing_without_grants(void **state)
{
    AUTO_JSON struct json *value = read_json(target_text);
    AUTO_ACCOUNT struct account *account = NULL;

    (void)state;
    json_remove(json_edit(value, "spec"), "grants");
    assert_no_err(account_parse(value, &account));
    assert_false(account_grants(account, "staging", NULL, "SSMParameter", "/shop/stg/a"));
    assert_false(account_requires_approval(account, "staging"));
}

static void demands_approval_by_namespace(void **state)
{
    AUTO_ACCOUNT struct account *account = parse(target_text);

    (void)state;
    assert_true(account_requires_approval(account, "staging"));
    assert_false(account_requires_approval(account, "lab"));
}

/* --- bad ones --- */

struct bad_row {
    const char *name;
    bool target;
    const char *patch; /* RFC 7396 */
    const char *want;
};

#define ROLE_ARN "must be the ARN of a role, such as arn:aws:iam::222222222222:role/staging-refresh"
#define QUEUE_URL "must be the https URL of an SQS queue"
#define LABEL "must be lower-case letters, digits and hyphens, and begin and end with a letter or digit"
#define WEBHOOK(pattern) \
    GRANT("\"namespaces\":[\"n\"],\"resources\":[{\"type\":\"Webhook\",\"names\":[\"" pattern "\"]}]")
#define BAD_WEBHOOK                                                                                    \
    "spec.grants[g].resources[Webhook].names[0]: must begin with https:// (or http:// and a loopback " \
    "address), a "                                                                                     \
    "whole host and a \"/\", such as https://hooks.example.com/*"
#define GRANT(text) "{\"spec\":{\"grants\":[{\"name\":\"g\"," text "}]}}"
#define CLUSTERS "\"resources\":[{\"type\":\"AuroraCluster\",\"names\":[\"a\"]}]"

/* clang-format off */
static const struct bad_row bad_rows[] = {
    {.name = "no metadata", .patch = "{\"metadata\":null}", .want = "metadata: expected object"},
    {.name = "no name", .patch = "{\"metadata\":{\"name\":null}}", .want = "metadata.name: required"},
    {.name = "no spec", .patch = "{\"spec\":null}", .want = "spec: expected object"},
    {.name = "account is a number", .patch = "{\"spec\":{\"accountID\":111111111111}}", .want = "spec.accountID: expected string"},
    {.name = "account of eleven digits", .patch = "{\"spec\":{\"accountID\":\"11111111111\"}}", .want = "spec.accountID: must be twelve digits"},
    {.name = "account with a hyphen", .patch = "{\"spec\":{\"accountID\":\"1111-1111-11\"}}", .want = "spec.accountID: must be twelve digits"},
    {.name = "region absent", .patch = "{\"spec\":{\"region\":null}}", .want = "spec.region: required"},
    {.name = "region is a zone", .patch = "{\"spec\":{\"region\":\"ap-northeast-1a\"}}", .want = "spec.region: must be a Region such as ap-northeast-1"},
    {.name = "usage in lower case", .patch = "{\"spec\":{\"usage\":\"source\"}}", .want = "spec.usage: must be Source or Target"},
    {.name = "credentials without role", .patch = "{\"spec\":{\"credentials\":{\"assumeRole\":null}}}", .want = "spec.credentials.assumeRole: required"},
    {.name = "role without ARN", .patch = "{\"spec\":{\"credentials\":{\"assumeRole\":{\"roleARN\":null}}}}", .want = "spec.credentials.assumeRole.roleARN: required"},
    {.name = "role by name", .patch = "{\"spec\":{\"credentials\":{\"assumeRole\":{\"roleARN\":\"staging-refresh\"}}}}", .want = "spec.credentials.assumeRole.roleARN: " ROLE_ARN},
    {.name = "a user for a role", .patch = "{\"spec\":{\"credentials\":{\"assumeRole\":{\"roleARN\":\"arn:aws:iam::111111111111:user/x\"}}}}",
     .want = "spec.credentials.assumeRole.roleARN: " ROLE_ARN},
    {.name = "role of another account", .patch = "{\"spec\":{\"credentials\":{\"assumeRole\":{\"roleARN\":\"arn:aws:iam::333333333333:role/x\"}}}}",
     .want = "spec.credentials.assumeRole.roleARN: must be a role of accountID"},
    {.name = "external id of one letter", .patch = "{\"spec\":{\"credentials\":{\"assumeRole\":{\"externalID\":\"x\"}}}}",
     .want = "spec.credentials.assumeRole.externalID: must have at least 2 characters"},
    {.name = "external id with a space", .patch = "{\"spec\":{\"credentials\":{\"assumeRole\":{\"externalID\":\"a b\"}}}}",
     .want = "spec.credentials.assumeRole.externalID: must be letters, digits and any of _+=,.@:/-"},
    {.name = "backup absent", .patch = "{\"spec\":{\"backup\":null}}", .want = "spec.backup: required"},
    {.name = "vault absent", .patch = "{\"spec\":{\"backup\":{\"vaultName\":null}}}", .want = "spec.backup.vaultName: required"},
    {.name = "vault of one letter", .patch = "{\"spec\":{\"backup\":{\"vaultName\":\"v\"}}}",
     .want = "spec.backup.vaultName: must be 2 to 50 letters, digits, underscores and hyphens"},
    {.name = "service role of another account", .patch = "{\"spec\":{\"backup\":{\"serviceRoleARN\":\"arn:aws:iam::333333333333:role/x\"}}}",
     .want = "spec.backup.serviceRoleARN: must be a role of accountID"},
    {.name = "events of a Source", .patch = "{\"spec\":{\"events\":{\"queueURL\":\"https://sqs/111111111111/q\"}}}",
     .want = "spec.events: belong to a Target only"},
    {.name = "events without queue", .target = true, .patch = "{\"spec\":{\"events\":{\"queueURL\":null}}}", .want = "spec.events.queueURL: required"},
    {.name = "queue by plain http", .target = true, .patch = "{\"spec\":{\"events\":{\"queueURL\":\"http://sqs.example/222222222222/q\"}}}",
     .want = "spec.events.queueURL: " QUEUE_URL},
    {.name = "queue at a host that begins like a loopback", .target = true,
     .patch = "{\"spec\":{\"events\":{\"queueURL\":\"http://localhost.example/222222222222/q\"}}}", .want = "spec.events.queueURL: " QUEUE_URL},
    {.name = "queue with a query", .target = true, .patch = "{\"spec\":{\"events\":{\"queueURL\":\"https://sqs/222222222222/q?a\"}}}",
     .want = "spec.events.queueURL: " QUEUE_URL},
    {.name = "queue of another account", .target = true, .patch = "{\"spec\":{\"events\":{\"queueURL\":\"https://sqs/333333333333/q\"}}}",
     .want = "spec.events.queueURL: must be a queue of accountID"},
    {.name = "queue of another Region", .target = true,
     .patch = "{\"spec\":{\"events\":{\"queueURL\":\"https://sqs.us-gov-west-1.amazonaws.com/222222222222/q\"}}}",
     .want = "spec.events.queueURL: must be a queue of region"},
    {.name = "queue of another Region, dual-stack and FIPS", .target = true,
     .patch = "{\"spec\":{\"events\":{\"queueURL\":\"https://sqs-fips.us-gov-west-1.api.aws/222222222222/q\"}}}",
     .want = "spec.events.queueURL: must be a queue of region"},
    {.name = "grants is an object", .patch = "{\"spec\":{\"grants\":{}}}", .want = "spec.grants: expected list"},
    {.name = "grant without namespaces", .patch = GRANT("\"targets\":[\"t\"]," CLUSTERS), .want = "spec.grants[g].namespaces: required"},
    {.name = "grant of all namespaces", .patch = GRANT("\"namespaces\":[\"*\"],\"targets\":[\"t\"]," CLUSTERS),
     .want = "spec.grants[g].namespaces: entry 1: " LABEL},
    {.name = "grant of a Source without targets", .patch = GRANT("\"namespaces\":[\"n\"]," CLUSTERS),
     .want = "spec.grants[g].targets: required, a Source says where its data may go"},
    {.name = "grant of a Source with no target", .patch = GRANT("\"namespaces\":[\"n\"],\"targets\":[]," CLUSTERS),
     .want = "spec.grants[g].targets: must have at least one entry"},
    {.name = "grant of a Source with approval", .patch = GRANT("\"namespaces\":[\"n\"],\"targets\":[\"t\"],\"requireApproval\":false," CLUSTERS),
     .want = "spec.grants[g].requireApproval: belongs to the grants of a Target only"},
    {.name = "grant of a Source of a proxy", .patch = GRANT("\"namespaces\":[\"n\"],\"targets\":[\"t\"],\"resources\":[{\"type\":\"DBProxy\",\"names\":[\"p\"]}]"),
     .want = "spec.grants[g].resources[DBProxy]: a Source grants AuroraCluster and DynamoDBTable only"},
    {.name = "grant of a Target with targets", .target = true, .patch = GRANT("\"namespaces\":[\"n\"],\"targets\":[\"t\"]," CLUSTERS),
     .want = "spec.grants[g].targets: belong to the grants of a Source only"},
    {.name = "grant without resources", .target = true, .patch = GRANT("\"namespaces\":[\"n\"]"), .want = "spec.grants[g].resources: required"},
    {.name = "grant of an unknown type", .target = true, .patch = GRANT("\"namespaces\":[\"n\"],\"resources\":[{\"type\":\"S3Bucket\",\"names\":[\"p\"]}]"),
     .want = "spec.grants[g].resources[0].type: must be AuroraCluster, DynamoDBTable, DBProxy, SSMParameter, Secret, ECSService, "
             "LambdaFunction, StateMachine, EventBus or Webhook"},
    {.name = "grant of a type twice", .target = true, .patch = GRANT("\"namespaces\":[\"n\"],\"resources\":[{\"type\":\"DBProxy\",\"names\":[\"p\"]},"
     "{\"type\":\"DBProxy\",\"names\":[\"q\"]}]"), .want = "spec.grants[g].resources[DBProxy]: two entries have this type"},
    {.name = "grant of no names", .target = true, .patch = GRANT("\"namespaces\":[\"n\"],\"resources\":[{\"type\":\"DBProxy\",\"names\":[]}]"),
     .want = "spec.grants[g].resources[DBProxy].names: must have at least one entry"},
    {.name = "webhooks anywhere", .target = true, .patch = WEBHOOK("*"), .want = BAD_WEBHOOK},
    {.name = "webhooks of any https server", .target = true, .patch = WEBHOOK("https://*"), .want = BAD_WEBHOOK},
    {.name = "webhooks of a host's namesakes", .target = true, .patch = WEBHOOK("https://hooks.example.com*"), .want = BAD_WEBHOOK},
    {.name = "webhooks of a wild host", .target = true, .patch = WEBHOOK("https://*.example.com/"), .want = BAD_WEBHOOK},
    {.name = "webhooks with a user", .target = true, .patch = WEBHOOK("https://hooks.example.com@evil.example/*"), .want = BAD_WEBHOOK},
    {.name = "webhooks by plain http", .target = true, .patch = WEBHOOK("http://hooks.example.com/*"), .want = BAD_WEBHOOK},
    {.name = "metadata by plain http", .target = true, .patch = WEBHOOK("http://169.254.169.254/*"), .want = BAD_WEBHOOK},
    {.name = "a host that begins like a loopback", .target = true, .patch = WEBHOOK("http://localhost.example/*"), .want = BAD_WEBHOOK},
};
/* clang-format on */

static void refuses_bad_accounts(void **state)
{
    const struct bad_row *row = *state;
    AUTO_JSON struct json *patch = read_json(row->patch);
    AUTO_JSON struct json *value =
        json_merge_patch(read_json(row->target ? target_text : source_text), patch);
    struct account *account = NULL;
    AUTO_ERR struct err *err = account_parse(value, &account);

    assert_err_kind(err, ERR_INVALID);
    assert_text_equal(err_text(err), row->want);
    assert_true(account == NULL);
}

static void accepts_a_plain_queue_on_loopback(void **state)
{
    AUTO_JSON struct json *patch =
        read_json("{\"spec\":{\"events\":{\"queueURL\":\"http://[::1]:8080/222222222222/q.fifo\"}}}");
    AUTO_JSON struct json *value = json_merge_patch(read_json(target_text), patch);
    AUTO_ACCOUNT struct account *account = NULL;

    (void)state;
    assert_no_err(account_parse(value, &account));
    assert_text_equal(account->events_queue_url, "http://[::1]:8080/222222222222/q.fifo");
}

int main(void)
{
    struct tests tests = {0};

    TEST(&tests, reads_a_source);
    TEST(&tests, reads_a_target);
    TEST_ROWS(&tests, grants_what_is_written, grant_rows);
    TEST(&tests, grants_nothing_without_grants);
    TEST(&tests, demands_approval_by_namespace);
    TEST_ROWS(&tests, refuses_bad_accounts, bad_rows);
    TEST(&tests, accepts_a_plain_queue_on_loopback);
    return tests_run(&tests, "account");
}
