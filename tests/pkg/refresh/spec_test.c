#include "pkg/refresh/spec.h"

#include "pkg/base/times.h"
#include "tests/pkg/refresh/spec_edit.h"

/* --- a good one --- */

struct whole {
    struct json *value;
    struct refresh_spec *spec;
};

static struct whole parse_full(void)
{
    struct whole whole = {.value = full_spec()};

    assert_no_err(refresh_spec_parse(whole.value, "shop-1", &whole.spec));
    return whole;
}

static void done_whole(struct whole *whole)
{
    json_free(whole->value);
    refresh_spec_free(whole->spec);
}

static void reads_references_and_live_fields(void **state)
{
    CLEANUP(done_whole) struct whole whole = parse_full();
    const struct live_spec *live = &whole.spec->live;

    (void)state;
    assert_text_equal(whole.spec->source, "production");
    assert_text_equal(whole.spec->target, "staging");
    assert_text_equal(whole.spec->series, "shop");
    assert_text_equal(live->trigger, "2026-11-22");
    assert_false(live->suspend);
    assert_int_equal(live->policy, POLICY_MANUAL);
    assert_int_equal(whole.spec->differences, DIFFERENCES_FAIL);
    assert_int_equal(whole.spec->concurrency, CONCURRENCY_REPLACE);
    assert_number(live->backoff_limit, 3);
    assert_number(live->timeouts.backup_ms, HOURS(3));
    assert_number(live->timeouts.copy_ms, HOURS(7) + MINUTES(30));
    assert_number(live->timeouts.restore_ms, MINUTES(90));
    assert_number(live->timeouts.switchover_ms, SECONDS(45));
    assert_number(live->timeouts.approval_ms, HOURS(24));
    assert_number(live->retention.previous_copies, 2);
    assert_number(live->retention.failed_copies, 1);
    assert_number(live->retention.recovery_points, 4);
    assert_number(live->retention.recovery_point_days, 30);
    assert_int_equal(live->deletion_policy, DELETION_DELETE);
    assert_number(live->ttl_seconds_after_finished, 604800);
}

static void reads_the_window(void **state)
{
    CLEANUP(done_whole) struct whole whole = parse_full();
    const struct window_spec *window = &whole.spec->live.window;

    (void)state;
    assert_true(window->present);
    assert_number(window->days, 0x3E);
    assert_number(window->from_minute, 22 * 60);
    assert_number(window->to_minute, 6 * 60 + 30);
    assert_text_equal(window->time_zone, "America/Argentina/Buenos_Aires");
}

static void reads_an_aurora_database(void **state)
{
    CLEANUP(done_whole) struct whole whole = parse_full();
    const struct database_spec *database = refresh_database(whole.spec, "main");
    const struct aurora_spec *aurora = &database->aurora;

    (void)state;
    assert_number(whole.spec->database_count, 5);
    assert_int_equal(database->kind, DATABASE_AURORA);
    assert_int_equal(database->from, FROM_NEW);
    assert_number(database->max_age_ms, -1);
    assert_text_equal(aurora->cluster_identifier, "shop");
    assert_text_equal(aurora->identifier_prefix, "shop-stg");
    assert_text_equal(aurora->db_subnet_group, "staging");
    assert_number(aurora->security_group_count, 2);
    assert_text_equal(aurora->security_groups[1], "sg-01234567");
    assert_text_equal(aurora->cluster_parameter_group, "staging-aurora");
    assert_text_contains(aurora->kms_key, ":key/11111111");
    assert_number(aurora->instance_count, 2);
    assert_text_equal(aurora->instances[0].name, "a");
    assert_text_equal(aurora->instances[1].class, "db.serverless");
    assert_number(aurora->instances[0].promotion_tier, -1);
    assert_text_equal(aurora->instances[1].parameter_group, "shop-instance");
    assert_text_equal(aurora->instances[1].availability_zone, "ap-northeast-1a");
    assert_number(aurora->instances[1].promotion_tier, 15);
    assert_text_equal(aurora->min_acu, "0.5");
    assert_text_equal(aurora->max_acu, "8");
    assert_number(aurora->port, 3307);
    assert_number(aurora->backup_retention_days, 3);
    assert_int_equal(aurora->deletion_protection, YES);
    assert_number(aurora->tag_count, 2);
    assert_text_equal(aurora->tags[1].name, "team");
    assert_text_equal(aurora->tags[1].value, "shop");
}

static void reads_passwords(void **state)
{
    CLEANUP(done_whole) struct whole whole = parse_full();
    const struct password_spec *from = &refresh_database(whole.spec, "main")->aurora.password;
    const struct password_spec *generate = &refresh_database(whole.spec, "orders")->aurora.password;
    const struct password_spec *managed = &refresh_database(whole.spec, "stock")->aurora.password;

    (void)state;
    assert_int_equal(from->kind, PASSWORD_FROM_SECRET);
    assert_text_equal(from->from.secrets_manager_id, "shop/stg/db");
    assert_text_equal(from->from.secrets_manager_key, "password");
    assert_text_equal(from->from.secret_name, NULL);
    assert_int_equal(generate->kind, PASSWORD_GENERATE);
    assert_text_equal(generate->from.secret_name, "orders-db");
    assert_text_equal(generate->from.secret_key, "password");
    assert_number(generate->length, 41);
    assert_int_equal(managed->kind, PASSWORD_RDS_MANAGED);
    assert_text_contains(managed->rds_managed_kms_key, "alias/staging");
}

static void reads_a_dynamodb_database(void **state)
{
    CLEANUP(done_whole) struct whole whole = parse_full();
    const struct database_spec *database = refresh_database(whole.spec, "sessions");
    const struct dynamodb_spec *table = &database->dynamodb;

    (void)state;
    assert_int_equal(database->kind, DATABASE_DYNAMODB);
    assert_int_equal(database->from, FROM_SOURCE_VAULT);
    assert_number(database->max_age_ms, HOURS(36));
    assert_text_equal(table->table_name, "sessions");
    assert_text_equal(table->table_name_prefix, "stg-sessions");
    assert_int_equal(table->encryption, ENCRYPTION_CUSTOMER);
    assert_text_contains(table->kms_key, "alias/staging");
    assert_int_equal(table->settings_from, SETTINGS_PREVIOUS_COPY);
    assert_text_equal(table->billing_mode, "PayPerRequest");
    assert_text_equal(table->ttl_attribute, "expires");
    assert_text_equal(table->stream_view_type, "NewAndOldImages");
    assert_int_equal(table->point_in_time_recovery, NO);
    assert_int_equal(table->deletion_protection, YES);
    table = &refresh_database(whole.spec, "carts")->dynamodb;
    assert_text_equal(table->billing_mode, "Provisioned");
    assert_number(table->read_capacity, 20);
    assert_number(table->write_capacity, 10);
    assert_number(table->tag_count, 1);
    assert_text_equal(table->tags[0].value, "staging");
}

static void reads_hooks(void **state)
{
    CLEANUP(done_whole) struct whole whole = parse_full();
    const struct refresh_spec *spec = whole.spec;

    (void)state;
    assert_number(spec->before_hook_count, 1);
    assert_int_equal(spec->before_hooks[0].kind, HOOK_CRON_JOB);
    assert_text_equal(spec->before_hooks[0].target, "mask-staging");
    assert_number(spec->before_hooks[0].timeout_ms, HOURS(2));
    assert_true(spec->before_hooks[0].stop_on_failure);
    assert_number(spec->after_hook_count, 2);
    assert_int_equal(spec->after_hooks[0].kind, HOOK_LAMBDA);
    assert_text_equal(spec->after_hooks[0].target, "refresh-hook:live");
    assert_number(spec->after_hooks[0].timeout_ms, HOURS(1));
    assert_false(spec->after_hooks[0].stop_on_failure);
    assert_int_equal(spec->after_hooks[1].kind, HOOK_STATE_MACHINE);
    assert_text_equal(spec->after_hooks[1].target, "tell-everybody");
}

static const struct {
    const char *name;
    enum parameter_kind kind;
    const char *target, *key;
} parameters[] = {
    {.name = "db-host", .kind = PARAMETER_SSM, .target = "/shop/stg/db_host"},
    {.name = "sessions-table", .kind = PARAMETER_SSM, .target = "/shop/stg/sessions_table"},
    {.name = "app-secret", .kind = PARAMETER_SECRETS_MANAGER, .target = "shop/stg/app", .key = "DB_HOST"},
    {.name = "app-env", .kind = PARAMETER_CONFIG_MAP, .target = "shop-databases", .key = "STREAM"},
    {.name = "app-key", .kind = PARAMETER_SECRET, .target = "app", .key = "reader.host"},
};

static const struct {
    const char *name;
    enum application_kind kind;
    const char *target, *cluster;
} applications[] = {
    {.name = "web", .kind = APPLICATION_DEPLOYMENT, .target = "web"},
    {.name = "queue", .kind = APPLICATION_STATEFUL_SET, .target = "queue"},
    {.name = "agent", .kind = APPLICATION_DAEMON_SET, .target = "agent"},
    {.name = "api", .kind = APPLICATION_ECS_SERVICE, .target = "web", .cluster = "shop-stg"},
};

static void reads_the_switchover(void **state)
{
    CLEANUP(done_whole) struct whole whole = parse_full();
    const struct refresh_spec *spec = whole.spec;

    (void)state;
    assert_number(spec->proxy_count, 1);
    assert_text_equal(spec->proxies[0].name, "shop-stg");
    assert_text_equal(spec->proxies[0].database, "main");
    assert_number(spec->parameter_count, COUNT_OF(parameters));
    for (size_t i = 0; i < COUNT_OF(parameters); i++) {
        assert_text_equal(spec->parameters[i].name, parameters[i].name);
        assert_int_equal(spec->parameters[i].kind, parameters[i].kind);
        assert_text_equal(spec->parameters[i].target, parameters[i].target);
        assert_text_equal(spec->parameters[i].key, parameters[i].key);
    }
    assert_text_equal(spec->parameters[0].value, "$(databases.main.endpoint)");
    assert_number(spec->application_count, COUNT_OF(applications));
    for (size_t i = 0; i < COUNT_OF(applications); i++) {
        assert_text_equal(spec->applications[i].name, applications[i].name);
        assert_int_equal(spec->applications[i].kind, applications[i].kind);
        assert_text_equal(spec->applications[i].target, applications[i].target);
        assert_text_equal(spec->applications[i].cluster, applications[i].cluster);
    }
}

/* --- defaults --- */

#define MINIMAL                                                                                              \
    "{\"sourceRef\":{\"name\":\"production\"},\"targetRef\":{\"name\":\"staging\"},"                         \
    "\"databases\":[{\"name\":\"main\",\"aurora\":{\"clusterIdentifier\":\"shop\",\"restore\":{"             \
    "\"identifierPrefix\":\"shop-stg\",\"dbSubnetGroupName\":\"staging\","                                   \
    "\"vpcSecurityGroupIDs\":[\"sg-01234567\"],\"instances\":[{\"name\":\"a\",\"class\":\"db.r6g.large\"}]}" \
    "}},"                                                                                                    \
    "{\"name\":\"carts\",\"dynamodb\":{\"tableName\":\"carts\",\"restore\":{\"tableNamePrefix\":\"stg-"      \
    "carts\","                                                                                               \
    "\"encryption\":{\"type\":\"AWSManaged\"},\"settingsFrom\":\"None\"}}}],"                                \
    "\"switchover\":{\"policy\":\"Automatic\"}}"

static void fills_in_defaults(void **state)
{
    AUTO_JSON struct json *value = read_json(MINIMAL);
    AUTO_REFRESH_SPEC struct refresh_spec *spec = NULL;
    const struct live_spec *live;

    (void)state;
    assert_no_err(refresh_spec_parse(value, "shop", &spec));
    live = &spec->live;
    assert_text_equal(spec->series, "shop");
    assert_text_equal(live->trigger, "");
    assert_int_equal(live->policy, POLICY_AUTOMATIC);
    assert_false(live->window.present);
    assert_int_equal(spec->differences, DIFFERENCES_REPORT);
    assert_int_equal(spec->concurrency, CONCURRENCY_QUEUE);
    assert_number(live->backoff_limit, 2);
    assert_number(live->timeouts.backup_ms, HOURS(4));
    assert_number(live->timeouts.copy_ms, HOURS(8));
    assert_number(live->timeouts.restore_ms, HOURS(8));
    assert_number(live->timeouts.switchover_ms, HOURS(1));
    assert_number(live->timeouts.approval_ms, HOURS(72));
    assert_number(live->retention.previous_copies, 1);
    assert_number(live->retention.failed_copies, 0);
    assert_number(live->retention.recovery_points, 2);
    assert_number(live->retention.recovery_point_days, 14);
    assert_int_equal(live->deletion_policy, DELETION_RETAIN);
    assert_number(live->ttl_seconds_after_finished, -1);
}

static void fills_in_defaults_of_databases(void **state)
{
    AUTO_JSON struct json *value = read_json(MINIMAL);
    AUTO_REFRESH_SPEC struct refresh_spec *spec = NULL;
    const struct aurora_spec *aurora;
    const struct dynamodb_spec *table;

    (void)state;
    assert_no_err(refresh_spec_parse(value, "shop", &spec));
    assert_int_equal(spec->databases[0].from, FROM_NEW);
    assert_number(spec->databases[0].max_age_ms, -1);
    aurora = &spec->databases[0].aurora;
    assert_number(aurora->backup_retention_days, 1);
    assert_int_equal(aurora->deletion_protection, NO);
    assert_int_equal(aurora->password.kind, PASSWORD_NONE);
    assert_text_equal(aurora->kms_key, NULL);
    assert_number(aurora->port, -1);
    assert_number(aurora->instances[0].promotion_tier, -1);
    assert_text_equal(aurora->min_acu, NULL);
    table = &spec->databases[1].dynamodb;
    assert_int_equal(table->encryption, ENCRYPTION_AWS_MANAGED);
    assert_int_equal(table->point_in_time_recovery, UNSET);
    assert_int_equal(table->deletion_protection, UNSET);
    assert_number(table->read_capacity, -1);
    assert_text_equal(table->billing_mode, NULL);
    assert_true(refresh_database(spec, "nobody") == NULL);
}

/* --- rows of single edits --- */

struct row {
    const char *name;
    const char *at, *to; /* the member, and its new value as JSON; NULL removes it */
    const char *also_at, *also_to;
    const char *want; /* the whole message; NULL: fine */
    const char *object_name;
};

#define LONG_32 "12345678901234567890123456789012"
#define LONG_64 LONG_32 LONG_32
#define LONG_256 LONG_64 LONG_64 LONG_64 LONG_64
#define R0 "databases[0].aurora.restore."
#define R1 "databases[1].dynamodb.restore."
#define P "switchover.parameters[0]"
#define IN_MAIN "spec.databases[main].aurora.restore."
#define IN_SESSIONS "spec.databases[sessions].dynamodb.restore."
#define IN_HOST "spec.switchover.parameters[db-host]"
#define RDS_NAME \
    "must be lower-case letters, digits and single hyphens, begin with a letter and not end with a hyphen"
#define LABEL "must be lower-case letters, digits and hyphens, and begin and end with a letter or digit"
#define SUBDOMAIN \
    "must be lower-case letters, digits, hyphens and dots, and begin and end with a letter or digit"
#define DURATION "must be a duration such as 8h, 90m or 1h30m"
#define CAPACITY "must be a text from \"0\" to \"256\" in steps of 0.5"
#define KEY_ARN "must be the ARN of a KMS key, such as arn:aws:kms:ap-northeast-1:222222222222:key/..."
#define SSM_NAME \
    "must be letters, digits, underscores, dots and hyphens between slashes, such as /shop/stg/db_host"
#define SERVERLESS_LESS "has no meaning without an instance of class db.serverless"

/* clang-format off */
static const struct row good_rows[] = {
    {.name = "good: nothing changed"},
    {.name = "good: series defaults to the name", .at = "series", .object_name = "shop.two"},
    {.name = "good: prefix of thirty", .at = R0 "identifierPrefix", .to = "\"a12345678901234567890123456789\""},
    {.name = "good: instance name of seven", .at = R0 "instances[0].name", .to = "\"a-23456\""},
    {.name = "good: null is absent", .at = "timeouts", .to = "null"},
    {.name = "good: null inside is absent", .at = "retention.previousCopies", .to = "null"},
    {.name = "good: fractions of capacity", .at = R0 "serverlessV2Scaling.maxACU", .to = "\"255.5\""},
    {.name = "good: greatest capacity", .at = R0 "serverlessV2Scaling.maxACU", .to = "\"256\""},
    {.name = "good: equal capacities", .at = R0 "serverlessV2Scaling.minACU", .to = "\"8.0\""},
    {.name = "good: a whole secret", .at = "databases[0].aurora.masterUserPassword.fromSecret.secretsManager.key"},
    {.name = "good: every day", .at = "switchover.window.days"},
    {.name = "good: provisioned", .at = R1 "billingMode", .to = "\"Provisioned\"", .also_at = R1 "provisionedThroughput",
     .also_to = "{\"readCapacityUnits\":5,\"writeCapacityUnits\":1}"},
    {.name = "good: no password", .at = "databases[0].aurora.masterUserPassword"},
    {.name = "good: rdsManaged without a key", .at = "databases[4].aurora.masterUserPassword.rdsManaged", .to = "{}"},
    {.name = "good: no sourceRef with TargetVault alone", .at = "sourceRef", .also_at = "databases",
     .also_to = "[{\"name\":\"main\",\"recoveryPoint\":{\"from\":\"TargetVault\",\"maxAge\":\"24h\"},\"aurora\":{"
                "\"clusterIdentifier\":\"shop\",\"restore\":{\"identifierPrefix\":\"shop-stg\",\"dbSubnetGroupName\":"
                "\"s\",\"vpcSecurityGroupIDs\":[\"sg-01234567\"],\"instances\":[{\"name\":\"a\",\"class\":"
                "\"db.r6g.large\"}]}}},{\"name\":\"sessions\",\"recoveryPoint\":{\"from\":\"TargetVault\",\"maxAge\":"
                "\"24h\"},\"dynamodb\":{\"tableName\":\"sessions\",\"restore\":{\"tableNamePrefix\":\"s\","
                "\"encryption\":{\"type\":\"AWSOwned\"},\"settingsFrom\":\"PreviousCopy\"}}},{\"name\":\"orders\","
                "\"recoveryPoint\":{\"from\":\"TargetVault\",\"maxAge\":\"24h\"},\"aurora\":{\"clusterIdentifier\":"
                "\"orders\",\"restore\":{\"identifierPrefix\":\"orders\",\"dbSubnetGroupName\":\"s\","
                "\"vpcSecurityGroupIDs\":[\"sg-01234567\"],\"instances\":[{\"name\":\"a\",\"class\":"
                "\"db.r6g.large\"}]}}}]"},
    {.name = "good: window within a day", .at = "switchover.window.to", .to = "\"23:59\""},
    {.name = "good: window at UTC", .at = "switchover.window.timeZone", .to = "\"UTC\""},
    {.name = "good: other members are left to refresh_check_known", .at = "colour", .to = "\"blue\""},
    {.name = "good: a dollar sign alone", .at = P ".value", .to = "\"a$b$\""},
    {.name = "good: two dollar signs before a bracket", .at = P ".value", .to = "\"$$(nothing)\""},
    {.name = "good: the other attributes", .at = P ".value",
     .to = "\"$(databases.main.arn)$(databases.main.clusterIdentifier)$(databases.carts.arn)\""},
    {.name = "good: two parameters of one secret", .at = "switchover.parameters", .to =
     "[{\"name\":\"a\",\"value\":\"x\",\"secretsManager\":{\"secretID\":\"s\",\"key\":\"a\"}},"
     "{\"name\":\"b\",\"value\":\"x\",\"secretsManager\":{\"secretID\":\"s\",\"key\":\"b\"}}]"},
    {.name = "good: backoffLimit of 0", .at = "backoffLimit", .to = "0"},
    {.name = "good: time to live of 0", .at = "ttlSecondsAfterFinished", .to = "0"},
    {.name = "good: trigger of 256 characters", .at = "trigger", .to = "\"" LONG_256 "\""},
    {.name = "good: characters count, not bytes", .at = R1 "timeToLive.attributeName", .to = "\"期限\""},
    {.name = "good: nothing to switch", .at = "switchover", .to = "{\"policy\":\"Automatic\"}"},
};

static const struct row bad_rows[] = {
    /* references */
    {.name = "sourceRef is a text", .at = "sourceRef", .to = "\"production\"", .want = "spec.sourceRef: expected object"},
    {.name = "sourceRef without name", .at = "sourceRef.name", .want = "spec.sourceRef.name: required"},
    {.name = "sourceRef with capitals", .at = "sourceRef.name", .to = "\"Production\"", .want = "spec.sourceRef.name: " SUBDOMAIN},
    {.name = "sourceRef empty", .at = "sourceRef.name", .to = "\"\"", .want = "spec.sourceRef.name: must not be empty"},
    {.name = "sourceRef absent", .at = "sourceRef",
     .want = "spec.sourceRef: required unless every database takes its recovery point from TargetVault"},
    {.name = "targetRef absent", .at = "targetRef", .want = "spec.targetRef: required"},
    {.name = "targetRef without name", .at = "targetRef.name", .want = "spec.targetRef.name: required"},
    {.name = "targetRef is the source", .at = "targetRef.name", .to = "\"production\"",
     .want = "spec.sourceRef: must be another account than targetRef"},
    {.name = "series with a space", .at = "series", .to = "\"my shop\"", .want = "spec.series: " SUBDOMAIN},
    {.name = "series ends with a dot", .at = "series", .to = "\"shop.\"", .want = "spec.series: " SUBDOMAIN},
    {.name = "series too long", .at = "series", .to = "\"" LONG_64 "\"", .want = "spec.series: must have at most 63 characters"},
    {.name = "series absent, name too long", .at = "series", .object_name = LONG_64,
     .want = "spec.series: required, metadata.name cannot stand for it"},
    {.name = "series absent, no name", .at = "series", .object_name = "", .want = "spec.series: required, the object has no name"},
    {.name = "trigger is a number", .at = "trigger", .to = "20261122", .want = "spec.trigger: expected string"},
    {.name = "trigger too long", .at = "trigger", .to = "\"" LONG_256 "x\"", .want = "spec.trigger: must have at most 256 characters"},
    {.name = "suspend is a text", .at = "suspend", .to = "\"true\"", .want = "spec.suspend: expected boolean"},

    /* databases */
    {.name = "databases absent", .at = "databases", .want = "spec.databases: required"},
    {.name = "databases is an object", .at = "databases", .to = "{}", .want = "spec.databases: expected list"},
    {.name = "databases empty", .at = "databases", .to = "[]", .want = "spec.databases: must have at least one entry"},
    {.name = "database is a text", .at = "databases", .to = "[\"main\"]", .want = "spec.databases[0]: expected object"},
    {.name = "database without name", .at = "databases[1].name", .want = "spec.databases[1].name: required"},
    {.name = "database name with capitals", .at = "databases[0].name", .to = "\"Main\"", .want = "spec.databases[0].name: " LABEL},
    {.name = "database name with a dot", .at = "databases[0].name", .to = "\"a.b\"", .want = "spec.databases[0].name: " LABEL},
    {.name = "database name too long", .at = "databases[0].name", .to = "\"" LONG_64 "\"",
     .want = "spec.databases[0].name: must have at most 63 characters"},
    {.name = "two databases of one name", .at = "databases[1].name", .to = "\"main\"",
     .want = "spec.databases[main]: two entries have this name"},
    {.name = "neither aurora nor dynamodb", .at = "databases[0].aurora",
     .want = "spec.databases[main]: exactly one of aurora and dynamodb must be given"},
    {.name = "both aurora and dynamodb", .at = "databases[2].aurora",
     .to = "{\"clusterIdentifier\":\"c\",\"restore\":{\"identifierPrefix\":\"c\",\"dbSubnetGroupName\":\"s\","
           "\"vpcSecurityGroupIDs\":[\"sg-01234567\"],\"instances\":[{\"name\":\"a\",\"class\":\"db.r6g.large\"}]}}",
     .want = "spec.databases[carts]: exactly one of aurora and dynamodb must be given"},
    {.name = "recovery point without from", .at = "databases[0].recoveryPoint.from",
     .want = "spec.databases[main].recoveryPoint.from: required"},
    {.name = "recovery point from nowhere", .at = "databases[0].recoveryPoint.from", .to = "\"Old\"",
     .want = "spec.databases[main].recoveryPoint.from: must be New, SourceVault or TargetVault"},
    {.name = "maxAge with New", .at = "databases[0].recoveryPoint.maxAge", .to = "\"1h\"",
     .want = "spec.databases[main].recoveryPoint.maxAge: has no meaning when from is New"},
    {.name = "SourceVault without maxAge", .at = "databases[1].recoveryPoint.maxAge",
     .want = "spec.databases[sessions].recoveryPoint.maxAge: required unless from is New"},
    {.name = "maxAge is a number", .at = "databases[1].recoveryPoint.maxAge", .to = "24",
     .want = "spec.databases[sessions].recoveryPoint.maxAge: expected string"},
    {.name = "maxAge in days", .at = "databases[1].recoveryPoint.maxAge", .to = "\"1d\"",
     .want = "spec.databases[sessions].recoveryPoint.maxAge: " DURATION},

    /* Aurora */
    {.name = "cluster absent", .at = "databases[0].aurora.clusterIdentifier",
     .want = "spec.databases[main].aurora.clusterIdentifier: required"},
    {.name = "cluster with capitals", .at = "databases[0].aurora.clusterIdentifier", .to = "\"Shop\"",
     .want = "spec.databases[main].aurora.clusterIdentifier: " RDS_NAME},
    {.name = "cluster too long", .at = "databases[0].aurora.clusterIdentifier", .to = "\"a" LONG_64 "\"",
     .want = "spec.databases[main].aurora.clusterIdentifier: must have at most 63 characters"},
    {.name = "two databases of one cluster", .at = "databases[3].aurora.clusterIdentifier", .to = "\"shop\"",
     .want = "spec.databases[orders].aurora.clusterIdentifier: the same as in main"},
    {.name = "restore absent", .at = "databases[0].aurora.restore", .want = "spec.databases[main].aurora.restore: required"},
    {.name = "restore is a list", .at = "databases[0].aurora.restore", .to = "[]",
     .want = "spec.databases[main].aurora.restore: expected object"},
    {.name = "prefix absent", .at = R0 "identifierPrefix", .want = IN_MAIN "identifierPrefix: required"},
    {.name = "prefix empty", .at = R0 "identifierPrefix", .to = "\"\"", .want = IN_MAIN "identifierPrefix: must not be empty"},
    {.name = "prefix with capitals", .at = R0 "identifierPrefix", .to = "\"Shop\"", .want = IN_MAIN "identifierPrefix: " RDS_NAME},
    {.name = "prefix begins with a digit", .at = R0 "identifierPrefix", .to = "\"1shop\"", .want = IN_MAIN "identifierPrefix: " RDS_NAME},
    {.name = "prefix with two hyphens", .at = R0 "identifierPrefix", .to = "\"shop--stg\"", .want = IN_MAIN "identifierPrefix: " RDS_NAME},
    {.name = "prefix ends with a hyphen", .at = R0 "identifierPrefix", .to = "\"shop-\"", .want = IN_MAIN "identifierPrefix: " RDS_NAME},
    {.name = "prefix with an underscore", .at = R0 "identifierPrefix", .to = "\"shop_stg\"", .want = IN_MAIN "identifierPrefix: " RDS_NAME},
    {.name = "prefix of 31", .at = R0 "identifierPrefix", .to = "\"a123456789012345678901234567890\"",
     .want = IN_MAIN "identifierPrefix: must have at most 30 characters"},
    {.name = "two databases of one prefix", .at = "databases[3].aurora.restore.identifierPrefix", .to = "\"shop-stg\"",
     .want = "spec.databases[orders].aurora.restore.identifierPrefix: the same as in main"},
    {.name = "subnet group absent", .at = R0 "dbSubnetGroupName", .want = IN_MAIN "dbSubnetGroupName: required"},
    {.name = "subnet group with a slash", .at = R0 "dbSubnetGroupName", .to = "\"a/b\"",
     .want = IN_MAIN "dbSubnetGroupName: must be letters, digits, spaces, dots, underscores and hyphens"},
    {.name = "security groups absent", .at = R0 "vpcSecurityGroupIDs", .want = IN_MAIN "vpcSecurityGroupIDs: required"},
    {.name = "security groups empty", .at = R0 "vpcSecurityGroupIDs", .to = "[]",
     .want = IN_MAIN "vpcSecurityGroupIDs: must have at least one entry"},
    {.name = "security group by name", .at = R0 "vpcSecurityGroupIDs", .to = "[\"sg-01234567\",\"web\"]",
     .want = IN_MAIN "vpcSecurityGroupIDs: entry 2: must be the id of a security group, such as sg-0123456789abcdef0"},
    {.name = "security group twice", .at = R0 "vpcSecurityGroupIDs", .to = "[\"sg-01234567\",\"sg-01234567\"]",
     .want = IN_MAIN "vpcSecurityGroupIDs: entry 2: given twice"},
    {.name = "security group is a number", .at = R0 "vpcSecurityGroupIDs", .to = "[1]",
     .want = IN_MAIN "vpcSecurityGroupIDs: entry 1: expected string"},
    {.name = "parameter group begins with a digit", .at = R0 "dbClusterParameterGroupName", .to = "\"1a\"",
     .want = IN_MAIN "dbClusterParameterGroupName: must be letters, digits, dots and hyphens, and begin with a letter"},
    {.name = "key by alias", .at = R0 "kmsKeyID", .to = "\"alias/staging\"", .want = IN_MAIN "kmsKeyID: " KEY_ARN},
    {.name = "key of another service", .at = R0 "kmsKeyID", .to = "\"arn:aws:rds:eu-west-1:222222222222:key/1\"",
     .want = IN_MAIN "kmsKeyID: " KEY_ARN},
    {.name = "key without account", .at = R0 "kmsKeyID", .to = "\"arn:aws:kms:eu-west-1::key/1\"", .want = IN_MAIN "kmsKeyID: " KEY_ARN},
    {.name = "key without id", .at = R0 "kmsKeyID", .to = "\"arn:aws:kms:eu-west-1:222222222222:key/\"",
     .want = IN_MAIN "kmsKeyID: " KEY_ARN},
    {.name = "instances absent", .at = R0 "instances", .want = IN_MAIN "instances: required"},
    {.name = "instances empty", .at = R0 "instances", .to = "[]", .want = IN_MAIN "instances: must have at least one entry"},
    {.name = "instance without class", .at = R0 "instances[0].class", .want = IN_MAIN "instances[a].class: required"},
    {.name = "instance class without db", .at = R0 "instances[0].class", .to = "\"r6g.large\"",
     .want = IN_MAIN "instances[a].class: must be an instance class such as db.r6g.large"},
    {.name = "instance name of eight", .at = R0 "instances[0].name", .to = "\"abcdefgh\"",
     .want = IN_MAIN "instances[0].name: must have at most 7 characters"},
    {.name = "instance name with a hyphen at its end", .at = R0 "instances[0].name", .to = "\"a-\"",
     .want = IN_MAIN "instances[0].name: must be lower-case letters, digits and single hyphens, and not begin or end with a hyphen"},
    {.name = "instance's parameter group", .at = R0 "instances[0].dbParameterGroupName", .to = "\"a_b\"",
     .want = IN_MAIN "instances[a].dbParameterGroupName: must be letters, digits, dots and hyphens, and begin with a letter"},
    {.name = "instance's zone", .at = R0 "instances[0].availabilityZone", .to = "\"tokyo\"",
     .want = IN_MAIN "instances[a].availabilityZone: must be an availability zone such as ap-northeast-1a"},
    {.name = "promotion tier of 16", .at = R0 "instances[0].promotionTier", .to = "16",
     .want = IN_MAIN "instances[a].promotionTier: must be between 0 and 15"},
    {.name = "port below 1150", .at = R0 "port", .to = "443", .want = IN_MAIN "port: must be between 1150 and 65535"},
    {.name = "two instances of one name", .at = R0 "instances[1].name", .to = "\"a\"",
     .want = IN_MAIN "instances[a]: two entries have this name"},
    {.name = "serverless without scaling", .at = R0 "serverlessV2Scaling",
     .want = IN_MAIN "serverlessV2Scaling: required with class db.serverless"},
    {.name = "scaling without serverless", .at = R0 "instances[1].class", .to = "\"db.r6g.large\"",
     .want = IN_MAIN "serverlessV2Scaling: " SERVERLESS_LESS},
    {.name = "scaling without minACU", .at = R0 "serverlessV2Scaling.minACU", .want = IN_MAIN "serverlessV2Scaling.minACU: required"},
    {.name = "minACU is a number", .at = R0 "serverlessV2Scaling.minACU", .to = "0.5",
     .want = IN_MAIN "serverlessV2Scaling.minACU: expected string"},
    {.name = "minACU of a quarter", .at = R0 "serverlessV2Scaling.minACU", .to = "\"0.25\"",
     .want = IN_MAIN "serverlessV2Scaling.minACU: " CAPACITY},
    {.name = "minACU negative", .at = R0 "serverlessV2Scaling.minACU", .to = "\"-1\"",
     .want = IN_MAIN "serverlessV2Scaling.minACU: " CAPACITY},
    {.name = "maxACU beyond 256", .at = R0 "serverlessV2Scaling.maxACU", .to = "\"256.5\"",
     .want = IN_MAIN "serverlessV2Scaling.maxACU: " CAPACITY},
    {.name = "maxACU below 1", .at = R0 "serverlessV2Scaling.maxACU", .to = "\"0.5\"",
     .want = IN_MAIN "serverlessV2Scaling.maxACU: must be at least 1"},
    {.name = "minACU above maxACU", .at = R0 "serverlessV2Scaling.minACU", .to = "\"8.5\"",
     .want = IN_MAIN "serverlessV2Scaling.minACU: must not be above maxACU"},
    {.name = "no backup retention", .at = R0 "backupRetentionDays", .to = "0",
     .want = IN_MAIN "backupRetentionDays: must be between 1 and 35"},
    {.name = "backup retention of 36", .at = R0 "backupRetentionDays", .to = "36",
     .want = IN_MAIN "backupRetentionDays: must be between 1 and 35"},
    {.name = "backup retention is a fraction", .at = R0 "backupRetentionDays", .to = "1.5",
     .want = IN_MAIN "backupRetentionDays: expected integer"},
    {.name = "deletion protection is a text", .at = R0 "deletionProtection", .to = "\"no\"",
     .want = IN_MAIN "deletionProtection: expected boolean"},
    {.name = "tags is a list", .at = R0 "tags", .to = "[]", .want = IN_MAIN "tags: expected object"},
    {.name = "tag is a number", .at = R0 "tags", .to = "{\"n\":1}", .want = IN_MAIN "tags: n: expected string"},
    {.name = "tag of AWS", .at = R0 "tags", .to = "{\"aws:x\":\"1\"}",
     .want = IN_MAIN "tags: tags that begin with aws: or stagingrefresh.dev/ are reserved"},
    {.name = "tag of ours", .at = R0 "tags", .to = "{\"stagingrefresh.dev/self\":\"1\"}",
     .want = IN_MAIN "tags: tags that begin with aws: or stagingrefresh.dev/ are reserved"},
    {.name = "tag without key", .at = R0 "tags", .to = "{\"\":\"1\"}", .want = IN_MAIN "tags: a tag's key has 1 to 128 characters"},
    {.name = "tag value too long", .at = R0 "tags", .to = "{\"a\":\"" LONG_256 "x\"}",
     .want = IN_MAIN "tags: a: must have at most 256 characters"},

    /* passwords */
    {.name = "password of no kind", .at = "databases[0].aurora.masterUserPassword", .to = "{}",
     .want = "spec.databases[main].aurora.masterUserPassword: exactly one of fromSecret, generate and rdsManaged must be given"},
    {.name = "password of two kinds", .at = "databases[0].aurora.masterUserPassword.rdsManaged", .to = "{}",
     .want = "spec.databases[main].aurora.masterUserPassword: exactly one of fromSecret, generate and rdsManaged must be given"},
    {.name = "password from two secrets at once", .at = "databases[0].aurora.masterUserPassword.generate",
     .to = "{\"secretsManager\":{\"secretID\":\"x\",\"key\":\"y\"}}",
     .want = "spec.databases[main].aurora.masterUserPassword: exactly one of fromSecret, generate and rdsManaged must be given"},
    {.name = "password from nowhere", .at = "databases[0].aurora.masterUserPassword.fromSecret", .to = "{}",
     .want = "spec.databases[main].aurora.masterUserPassword.fromSecret: exactly one of secretsManager and secret must be given"},
    {.name = "generated password without key", .at = "databases[3].aurora.masterUserPassword.generate",
     .to = "{\"secretsManager\":{\"secretID\":\"s\"}}",
     .want = "spec.databases[orders].aurora.masterUserPassword.generate.secretsManager.key: required"},
    {.name = "generated password too short", .at = "databases[3].aurora.masterUserPassword.generate.length", .to = "15",
     .want = "spec.databases[orders].aurora.masterUserPassword.generate.length: must be between 16 and 41"},
    {.name = "password with an empty key", .at = "databases[0].aurora.masterUserPassword.fromSecret.secretsManager.key",
     .to = "\"\"", .want = "spec.databases[main].aurora.masterUserPassword.fromSecret.secretsManager.key: must not be empty"},
    {.name = "password's secret with a space", .at = "databases[0].aurora.masterUserPassword.fromSecret.secretsManager.secretID",
     .to = "\"a b\"", .want = "spec.databases[main].aurora.masterUserPassword.fromSecret.secretsManager.secretID: "
     "must be the name of a secret: letters, digits and any of /_+=.@-"},
    {.name = "password's Secret with capitals", .at = "databases[3].aurora.masterUserPassword.generate.secret.name",
     .to = "\"DB\"", .want = "spec.databases[orders].aurora.masterUserPassword.generate.secret.name: " SUBDOMAIN},
    {.name = "managed password's key", .at = "databases[4].aurora.masterUserPassword.rdsManaged.kmsKeyID",
     .to = "\"x\"", .want = "spec.databases[stock].aurora.masterUserPassword.rdsManaged.kmsKeyID: " KEY_ARN},

    /* DynamoDB */
    {.name = "table absent", .at = "databases[1].dynamodb.tableName", .want = "spec.databases[sessions].dynamodb.tableName: required"},
    {.name = "table of two letters", .at = "databases[1].dynamodb.tableName", .to = "\"ab\"",
     .want = "spec.databases[sessions].dynamodb.tableName: must be 3 to 255 letters, digits, underscores, dots and hyphens"},
    {.name = "table with a slash", .at = "databases[1].dynamodb.tableName", .to = "\"a/b\"",
     .want = "spec.databases[sessions].dynamodb.tableName: must be 3 to 255 letters, digits, underscores, dots and hyphens"},
    {.name = "two databases of one table", .at = "databases[2].dynamodb.tableName", .to = "\"sessions\"",
     .want = "spec.databases[carts].dynamodb.tableName: the same as in sessions"},
    {.name = "table prefix absent", .at = R1 "tableNamePrefix", .want = IN_SESSIONS "tableNamePrefix: required"},
    {.name = "table prefix with a space", .at = R1 "tableNamePrefix", .to = "\"a b\"",
     .want = IN_SESSIONS "tableNamePrefix: must be letters, digits, underscores, dots and hyphens"},
    {.name = "table prefix too long", .at = R1 "tableNamePrefix", .to = "\"" LONG_64 LONG_64 LONG_64 "123456789\"",
     .want = IN_SESSIONS "tableNamePrefix: must have at most 200 characters"},
    {.name = "two databases of one table prefix", .at = "databases[2].dynamodb.restore.tableNamePrefix", .to = "\"stg-sessions\"",
     .want = "spec.databases[carts].dynamodb.restore.tableNamePrefix: the same as in sessions"},
    {.name = "encryption absent", .at = R1 "encryption", .want = IN_SESSIONS "encryption: required"},
    {.name = "encryption without type", .at = R1 "encryption.type", .want = IN_SESSIONS "encryption.type: required"},
    {.name = "encryption unknown", .at = R1 "encryption.type", .to = "\"Default\"",
     .want = IN_SESSIONS "encryption.type: must be AWSOwned, AWSManaged or CustomerManaged"},
    {.name = "customer's key absent", .at = R1 "encryption.kmsKeyID", .want = IN_SESSIONS "encryption.kmsKeyID: required with CustomerManaged"},
    {.name = "key with AWSOwned", .at = R1 "encryption.type", .to = "\"AWSOwned\"",
     .want = IN_SESSIONS "encryption.kmsKeyID: belongs to CustomerManaged only"},
    {.name = "settingsFrom absent", .at = R1 "settingsFrom", .want = IN_SESSIONS "settingsFrom: required"},
    {.name = "settingsFrom unknown", .at = R1 "settingsFrom", .to = "\"Production\"",
     .want = IN_SESSIONS "settingsFrom: must be None, PreviousCopy or Source"},
    {.name = "billing mode in AWS's spelling", .at = R1 "billingMode", .to = "\"PAY_PER_REQUEST\"",
     .want = IN_SESSIONS "billingMode: must be PayPerRequest or Provisioned"},
    {.name = "time to live without attribute", .at = R1 "timeToLive", .to = "{}",
     .want = IN_SESSIONS "timeToLive.attributeName: required"},
    {.name = "time to live of an empty attribute", .at = R1 "timeToLive.attributeName", .to = "\"\"",
     .want = IN_SESSIONS "timeToLive.attributeName: must not be empty"},
    {.name = "stream without view", .at = R1 "stream", .to = "{}", .want = IN_SESSIONS "stream.viewType: required"},
    {.name = "stream of an unknown view", .at = R1 "stream.viewType", .to = "\"All\"",
     .want = IN_SESSIONS "stream.viewType: must be KeysOnly, NewImage, OldImage or NewAndOldImages"},
    {.name = "capacity with PayPerRequest", .at = R1 "provisionedThroughput",
     .to = "{\"readCapacityUnits\":5,\"writeCapacityUnits\":1}",
     .want = IN_SESSIONS "provisionedThroughput: belongs to billingMode Provisioned only"},
    {.name = "capacity without writes", .at = R1 "provisionedThroughput", .to = "{\"readCapacityUnits\":5}",
     .want = IN_SESSIONS "provisionedThroughput.writeCapacityUnits: required"},
    {.name = "capacity of 0", .at = R1 "provisionedThroughput", .to = "{\"readCapacityUnits\":0,\"writeCapacityUnits\":1}",
     .want = IN_SESSIONS "provisionedThroughput.readCapacityUnits: must be between 1 and 10000000"},
    {.name = "tag of AWS on a table", .at = R1 "tags", .to = "{\"aws:x\":\"1\"}",
     .want = IN_SESSIONS "tags: tags that begin with aws: or stagingrefresh.dev/ are reserved"},
    {.name = "point in time recovery is a number", .at = R1 "pointInTimeRecovery", .to = "1",
     .want = IN_SESSIONS "pointInTimeRecovery: expected boolean"},

    /* hooks */
    {.name = "hooks is a list", .at = "hooks", .to = "[]", .want = "spec.hooks: expected object"},
    {.name = "hook without onFailure", .at = "hooks.beforeSwitchover[0].onFailure",
     .want = "spec.hooks.beforeSwitchover[mask].onFailure: required"},
    {.name = "hook with unknown onFailure", .at = "hooks.beforeSwitchover[0].onFailure", .to = "\"Retry\"",
     .want = "spec.hooks.beforeSwitchover[mask].onFailure: must be Stop or Continue"},
    {.name = "hook of no kind", .at = "hooks.beforeSwitchover[0].cronJob",
     .want = "spec.hooks.beforeSwitchover[mask]: exactly one of cronJob, lambda and stateMachine must be given"},
    {.name = "hook of two kinds", .at = "hooks.beforeSwitchover[0].stateMachine", .to = "{\"name\":\"x\"}",
     .want = "spec.hooks.beforeSwitchover[mask]: exactly one of cronJob, lambda and stateMachine must be given"},
    {.name = "CronJob without name", .at = "hooks.beforeSwitchover[0].cronJob", .to = "{}",
     .want = "spec.hooks.beforeSwitchover[mask].cronJob.name: required"},
    {.name = "function with a slash", .at = "hooks.afterSwitchover[0].lambda.functionName", .to = "\"a/b\"",
     .want = "spec.hooks.afterSwitchover[smoke].lambda.functionName: must be the name of a function, with \":\" and an alias or "
             "a version if wanted"},
    {.name = "state machine by ARN", .at = "hooks.afterSwitchover[1].stateMachine.name", .to = "\"arn:aws:states:x\"",
     .want = "spec.hooks.afterSwitchover[tell].stateMachine.name: must be letters, digits, underscores and hyphens"},
    {.name = "hook timeout without unit", .at = "hooks.beforeSwitchover[0].timeout", .to = "\"2\"",
     .want = "spec.hooks.beforeSwitchover[mask].timeout: " DURATION},
    {.name = "hook timeout of nothing", .at = "hooks.beforeSwitchover[0].timeout", .to = "\"\"",
     .want = "spec.hooks.beforeSwitchover[mask].timeout: must not be empty"},
    {.name = "two hooks of one name", .at = "hooks.afterSwitchover[1].name", .to = "\"smoke\"",
     .want = "spec.hooks.afterSwitchover[smoke]: two entries have this name"},
    {.name = "two hooks of one name, before and after", .at = "hooks.afterSwitchover[0].name", .to = "\"mask\"",
     .want = "spec.hooks.afterSwitchover[mask]: a hook in beforeSwitchover has this name"},

    /* switchover */
    {.name = "switchover absent", .at = "switchover", .want = "spec.switchover: required"},
    {.name = "policy absent", .at = "switchover.policy", .want = "spec.switchover.policy: required"},
    {.name = "policy unknown", .at = "switchover.policy", .to = "\"auto\"", .want = "spec.switchover.policy: must be Automatic or Manual"},
    {.name = "differences unknown", .at = "switchover.differences", .to = "\"Ignore\"",
     .want = "spec.switchover.differences: must be Report or Fail"},
    {.name = "window of no day", .at = "switchover.window.days", .to = "[]",
     .want = "spec.switchover.window.days: must have at least one entry"},
    {.name = "window of an unknown day", .at = "switchover.window.days", .to = "[\"Mon\",\"Monday\"]",
     .want = "spec.switchover.window.days: entry 2: must be Sun, Mon, Tue, Wed, Thu, Fri or Sat"},
    {.name = "window of a day twice", .at = "switchover.window.days", .to = "[\"Mon\",\"Tue\",\"Mon\"]",
     .want = "spec.switchover.window.days: entry 3: given twice"},
    {.name = "window from 24:00", .at = "switchover.window.from", .to = "\"24:00\"",
     .want = "spec.switchover.window.from: must be a time of the day as HH:MM, such as 09:00"},
    {.name = "window from 9:00", .at = "switchover.window.from", .to = "\"9:00\"",
     .want = "spec.switchover.window.from: must be a time of the day as HH:MM, such as 09:00"},
    {.name = "window to 09:60", .at = "switchover.window.to", .to = "\"09:60\"",
     .want = "spec.switchover.window.to: must be a time of the day as HH:MM, such as 09:00"},
    {.name = "window of no length", .at = "switchover.window.to", .to = "\"22:00\"",
     .want = "spec.switchover.window.to: must differ from from"},
    {.name = "window without time zone", .at = "switchover.window.timeZone", .want = "spec.switchover.window.timeZone: required"},
    {.name = "window of an offset", .at = "switchover.window.timeZone", .to = "\"+09:00\"",
     .want = "spec.switchover.window.timeZone: must be the IANA name of a time zone, such as Asia/Tokyo"},
    {.name = "window of a path", .at = "switchover.window.timeZone", .to = "\"Asia/../etc\"",
     .want = "spec.switchover.window.timeZone: must be the IANA name of a time zone, such as Asia/Tokyo"},
    {.name = "proxy without database", .at = "switchover.proxies[0].database",
     .want = "spec.switchover.proxies[shop-stg].database: required"},
    {.name = "proxy of an unknown database", .at = "switchover.proxies[0].database", .to = "\"mian\"",
     .want = "spec.switchover.proxies[shop-stg].database: there is no database \"mian\""},
    {.name = "proxy of a table", .at = "switchover.proxies[0].database", .to = "\"carts\"",
     .want = "spec.switchover.proxies[shop-stg].database: a proxy can only point to an Aurora database"},
    {.name = "proxy name with a dot", .at = "switchover.proxies[0].name", .to = "\"a.b\"",
     .want = "spec.switchover.proxies[0].name: must be letters, digits and single hyphens, begin with a letter and not end with "
             "a hyphen"},
    {.name = "parameter without value", .at = P ".value", .want = IN_HOST ".value: required"},
    {.name = "parameter with an empty value", .at = P ".value", .to = "\"\"", .want = IN_HOST ".value: must not be empty"},
    {.name = "parameter nowhere", .at = P ".ssm",
     .want = IN_HOST ": exactly one of ssm, secretsManager, configMap and secret must be given"},
    {.name = "parameter in two places", .at = P ".configMap", .to = "{\"name\":\"a\",\"key\":\"b\"}",
     .want = IN_HOST ": exactly one of ssm, secretsManager, configMap and secret must be given"},
    {.name = "SSM name with a space", .at = P ".ssm.name", .to = "\"/a b\"", .want = IN_HOST ".ssm.name: " SSM_NAME},
    {.name = "SSM name ends with a slash", .at = P ".ssm.name", .to = "\"/a/\"", .want = IN_HOST ".ssm.name: " SSM_NAME},
    {.name = "secret without key", .at = "switchover.parameters[2].secretsManager.key",
     .want = "spec.switchover.parameters[app-secret].secretsManager.key: required"},
    {.name = "ConfigMap without key", .at = "switchover.parameters[3].configMap.key",
     .want = "spec.switchover.parameters[app-env].configMap.key: required"},
    {.name = "ConfigMap key with a slash", .at = "switchover.parameters[3].configMap.key", .to = "\"a/b\"",
     .want = "spec.switchover.parameters[app-env].configMap.key: must be letters, digits, underscores, dots and hyphens"},
    {.name = "two parameters of one name", .at = "switchover.parameters[1].name", .to = "\"db-host\"",
     .want = IN_HOST ": two entries have this name"},
    {.name = "two parameters of one SSM name", .at = "switchover.parameters[1].ssm.name", .to = "\"/shop/stg/db_host\"",
     .want = "spec.switchover.parameters[sessions-table].ssm.name: the same as in db-host"},
    {.name = "application of no kind", .at = "switchover.applications[0].deployment",
     .want = "spec.switchover.applications[web]: exactly one of deployment, statefulSet, daemonSet and ecsService must be given"},
    {.name = "application without name of its own", .at = "switchover.applications[0].name",
     .want = "spec.switchover.applications[0].name: required"},
    {.name = "ECS service without cluster", .at = "switchover.applications[3].ecsService.cluster",
     .want = "spec.switchover.applications[api].ecsService.cluster: required"},
    {.name = "ECS service by ARN", .at = "switchover.applications[3].ecsService.service", .to = "\"a/b\"",
     .want = "spec.switchover.applications[api].ecsService.service: must be letters, digits, underscores and hyphens"},

    /* templates */
    {.name = "template not closed", .at = P ".value", .to = "\"x$(databases.main.endpoint\"",
     .want = IN_HOST ".value: \"$(\" without \")\"; write \"$$\" for a dollar sign"},
    {.name = "template of an unknown name", .at = P ".value", .to = "\"$(HOME)\"",
     .want = IN_HOST ".value: $(HOME): unknown, there are $(databases.<name>.<attribute>) and $(run.id); write \"$$\" for a dollar "
             "sign"},
    {.name = "template without attribute", .at = P ".value", .to = "\"$(databases.main)\"",
     .want = IN_HOST ".value: $(databases.main): unknown, there are $(databases.<name>.<attribute>) and $(run.id); write \"$$\" "
             "for a dollar sign"},
    {.name = "template of an unknown database", .at = P ".value", .to = "\"$(databases.mian.endpoint)\"",
     .want = IN_HOST ".value: $(databases.mian.endpoint): there is no database \"mian\""},
    {.name = "template of a table's endpoint", .at = P ".value", .to = "\"$(databases.carts.endpoint)\"",
     .want = IN_HOST ".value: $(databases.carts.endpoint): of a database of kind DynamoDB there are tableName, arn and streamARN"},
    {.name = "template of a cluster's tableName", .at = P ".value", .to = "\"$(databases.main.tableName)\"",
     .want = IN_HOST ".value: $(databases.main.tableName): of a database of kind Aurora there are endpoint, readerEndpoint, port, arn "
             "and clusterIdentifier"},
    {.name = "template of a stream that is not there", .at = P ".value", .to = "\"$(databases.carts.streamARN)\"",
     .want = IN_HOST ".value: $(databases.carts.streamARN): the copy has no stream, restore.stream says what it is to hold"},
    {.name = "template of a run's other facts", .at = P ".value", .to = "\"$(run.attempt)\"",
     .want = IN_HOST ".value: $(run.attempt): unknown, there are $(databases.<name>.<attribute>) and $(run.id); write \"$$\" for a "
             "dollar sign"},

    {.name = "template of a long name is cut between characters", .at = P ".value",
     .to = "\"$(" LONG_32 LONG_32 LONG_32 "xyz進捗)\"",
     .want = IN_HOST ".value: $(" LONG_32 LONG_32 LONG_32 "xyz): unknown, there are $(databases.<name>.<attribute>) and $(run.id); "
             "write \"$$\" for a dollar sign"},

    /* the rest */
    {.name = "concurrencyPolicy unknown", .at = "concurrencyPolicy", .to = "\"Allow\"",
     .want = "spec.concurrencyPolicy: must be Queue, Forbid or Replace"},
    {.name = "backoffLimit negative", .at = "backoffLimit", .to = "-1", .want = "spec.backoffLimit: must be between 0 and 20"},
    {.name = "backoffLimit too high", .at = "backoffLimit", .to = "21", .want = "spec.backoffLimit: must be between 0 and 20"},
    {.name = "backoffLimit is a text", .at = "backoffLimit", .to = "\"2\"", .want = "spec.backoffLimit: expected integer"},
    {.name = "timeouts is a text", .at = "timeouts", .to = "\"8h\"", .want = "spec.timeouts: expected object"},
    {.name = "timeout of 0", .at = "timeouts.backup", .to = "\"0s\"", .want = "spec.timeouts.backup: " DURATION},
    {.name = "timeout with a fraction", .at = "timeouts.copy", .to = "\"1.5h\"", .want = "spec.timeouts.copy: " DURATION},
    {.name = "timeout with parts in a wrong order", .at = "timeouts.restore", .to = "\"1m1h\"", .want = "spec.timeouts.restore: " DURATION},
    {.name = "timeout in milliseconds", .at = "timeouts.switchover", .to = "\"1ms\"", .want = "spec.timeouts.switchover: " DURATION},
    {.name = "timeout is negative", .at = "timeouts.approval", .to = "\"-1h\"", .want = "spec.timeouts.approval: " DURATION},
    {.name = "too many previous copies", .at = "retention.previousCopies", .to = "6",
     .want = "spec.retention.previousCopies: must be between 0 and 5"},
    {.name = "too many failed copies", .at = "retention.failedCopies", .to = "6",
     .want = "spec.retention.failedCopies: must be between 0 and 5"},
    {.name = "no recovery point", .at = "retention.recoveryPoints", .to = "0",
     .want = "spec.retention.recoveryPoints: must be between 1 and 100"},
    {.name = "recovery points for no day", .at = "retention.recoveryPointDays", .to = "0",
     .want = "spec.retention.recoveryPointDays: must be between 1 and 3650"},
    {.name = "deletionPolicy unknown", .at = "deletionPolicy", .to = "\"Keep\"", .want = "spec.deletionPolicy: must be Retain or Delete"},
    {.name = "time to live negative", .at = "ttlSecondsAfterFinished", .to = "-1",
     .want = "spec.ttlSecondsAfterFinished: must be at least 0"},
    {.name = "integer beyond 2^53", .at = "ttlSecondsAfterFinished", .to = "9007199254740993000",
     .want = "spec.ttlSecondsAfterFinished: expected integer"},
};
/* clang-format on */

static struct err *parse_edited(const struct row *row)
{
    AUTO_JSON struct json *value = full_spec();
    AUTO_REFRESH_SPEC struct refresh_spec *spec = NULL;

    if (row->at)
        edit(value, row->at, row->to);
    if (row->also_at)
        edit(value, row->also_at, row->also_to);
    return refresh_spec_parse(value, row->object_name ? row->object_name : "shop", &spec);
}

static void takes_good_specs(void **state)
{
    assert_no_err(parse_edited(*state));
}

static void refuses_bad_specs(void **state)
{
    const struct row *row = *state;
    AUTO_ERR struct err *err = parse_edited(row);

    assert_err_kind(err, ERR_INVALID);
    assert_text_equal(err_text(err), row->want);
}

static void refuses_what_is_no_object(void **state)
{
    AUTO_JSON struct json *list = json_new_array();
    struct refresh_spec *spec = NULL;

    (void)state;
    assert_fails(refresh_spec_parse(list, "shop", &spec), ERR_INVALID, "spec: expected object");
    assert_fails(refresh_spec_parse(NULL, "shop", &spec), ERR_INVALID, "spec: expected object");
    assert_true(spec == NULL);
}

static void refuses_too_many_databases(void **state)
{
    AUTO_JSON struct json *value = full_spec();
    struct refresh_spec *spec = NULL;
    struct json *databases = json_edit(value, "databases");

    (void)state;
    for (int i = 0; i < 30; i++)
        json_append(databases, json_new_object());
    assert_fails(refresh_spec_parse(value, "shop", &spec), ERR_INVALID,
                 "spec.databases: must have at most 32 entries");
}

int main(void)
{
    struct tests tests = {0};

    TEST(&tests, reads_references_and_live_fields);
    TEST(&tests, reads_the_window);
    TEST(&tests, reads_an_aurora_database);
    TEST(&tests, reads_passwords);
    TEST(&tests, reads_a_dynamodb_database);
    TEST(&tests, reads_hooks);
    TEST(&tests, reads_the_switchover);
    TEST(&tests, fills_in_defaults);
    TEST(&tests, fills_in_defaults_of_databases);
    TEST_ROWS(&tests, takes_good_specs, good_rows);
    TEST_ROWS(&tests, refuses_bad_specs, bad_rows);
    TEST(&tests, refuses_what_is_no_object);
    TEST(&tests, refuses_too_many_databases);
    return tests_run(&tests, "spec");
}
