/* The AWS client against the simulator over real sockets: what both sides believe about the wire has to
 * agree. World time stands still and is moved by the test. */
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include "pkg/aws/arn.h"
#include "pkg/aws/backup.h"
#include "pkg/aws/dynamodb.h"
#include "pkg/aws/ecs.h"
#include "pkg/aws/kms.h"
#include "pkg/aws/rds.h"
#include "pkg/aws/rds_proxy.h"
#include "pkg/aws/secretsmanager.h"
#include "pkg/aws/ssm.h"
#include "pkg/aws/sts.h"
#include "pkg/base/files.h"
#include "pkg/http/transport.h"
#include "tests/testing/assertions.h"

#define PRODUCTION "111111111111"
#define STAGING "222222222222"
#define REGION "ap-northeast-1"
#define ROLE(account, name) "arn:aws:iam::" account ":role/" name
#define BACKUP_ROLE "AWSBackupStagingRefresh"
#define VAULT "staging-refresh"
#define STAGING_KEY "arn:aws:kms:" REGION ":" STAGING ":key/11111111-2222-3333-4444-555555555555"
#define GROUP "sg-0123456789abcdef0"
#define READY_WAIT_MS SECONDS(60)

struct scene {
    char dir[40];
    char *url;
    pid_t pid;
    struct env env;
    struct aws_config config;
    struct credentials_cache *identity;
    struct aws_account *accounts[2];
    struct aws_client source, target;
};

/* --- the simulator --- */

static void spawn_simulator(struct scene *scene, const char *ready_file)
{
    char *const argv[] = {(char *)(uintptr_t) "awssim",
                          (char *)(uintptr_t) "--world",
                          (char *)(uintptr_t)(SR_SOURCE_DIR "/hack/awssim/worlds/shop.yaml"),
                          (char *)(uintptr_t) "--listen",
                          (char *)(uintptr_t) "127.0.0.1:0",
                          (char *)(uintptr_t) "--time-scale",
                          (char *)(uintptr_t) "0",
                          (char *)(uintptr_t) "--ready-file",
                          (char *)(uintptr_t)ready_file,
                          NULL};

    assert_int_equal(posix_spawn(&scene->pid, SR_BINARY_DIR "/awssim", NULL, NULL, argv, environ), 0);
}

static void start_simulator(struct scene *scene)
{
    AUTO_FREE char *ready_file = NULL;
    int64_t end_ms = sched_now_ms(scene->env.sched) + READY_WAIT_MS;

    snprintf(scene->dir, sizeof(scene->dir), "/tmp/aws_client_test.XXXXXX");
    assert_non_null(mkdtemp(scene->dir));
    ready_file = xasprintf("%s/ready", scene->dir);
    spawn_simulator(scene, ready_file);
    while (!scene->url && sched_now_ms(scene->env.sched) < end_ms) {
        AUTO_BUF struct buf text = BUF_MAX(1024);
        struct err *err = file_read(ready_file, &text);

        assert_int_equal(waitpid(scene->pid, NULL, WNOHANG), 0);
        if (!err && str_trim(buf_str(&text)).len) {
            scene->url = str_dup(str_trim(buf_str(&text)));
            break;
        }
        err_ignore(err, "not there yet");
        sched_wait_until(scene->env.sched, NULL, sched_now_ms(scene->env.sched) + 20);
    }
    assert_non_null(scene->url);
    unlink(ready_file);
}

/* Moves the world's clock. */
static void pass_time(struct scene *scene, int seconds)
{
    AUTO_FREE char *url = xasprintf("%s/_sim/clock", scene->url);
    AUTO_FREE char *body = xasprintf("{\"advanceSeconds\": %d}", seconds);
    AUTO_REPLY struct http_reply reply = {0};

    assert_no_err(http_call(scene->env.transport,
                            &(struct http_request){.method = "POST", .url = url, .body = str_of(body)}, NULL,
                            &reply));
    assert_number(reply.status, 200);
}

static void make_account(struct scene *scene, size_t index, const char *id, const char *role,
                         enum aws_usage usage)
{
    assert_no_err(aws_account_new(
        &(struct aws_account_opts){
            .account_id = id,
            .region = REGION,
            .usage = usage,
            .config = &scene->config,
            .identity = scene->identity,
            .role_arn = role,
            .external_id = "staging-cluster",
        },
        &scene->accounts[index]));
}

static int setup(void **state)
{
    struct scene *scene = xcalloc(1, sizeof(*scene));
    char *entries[] = {xstrdup("AWS_ACCESS_KEY_ID=AKIAEXAMPLE"),
                       xstrdup("AWS_SECRET_ACCESS_KEY=example-secret"), NULL, NULL};

    transport_curl_init();
    scene->env.sched = sched_threads_new(1);
    scene->env.random = random_system_new();
    scene->env.transport = transport_curl_new(scene->env.sched);
    start_simulator(scene);
    entries[2] = xasprintf("AWS_ENDPOINT_URL=%s", scene->url);
    assert_no_err(aws_config_from_environ(entries, &scene->config));
    for (size_t i = 0; entries[i]; i++)
        xfree(entries[i]);
    scene->identity = credentials_default_new(&scene->config);
    make_account(scene, 0, PRODUCTION, ROLE(PRODUCTION, "staging-refresh"), AWS_SOURCE);
    make_account(scene, 1, STAGING, ROLE(STAGING, "staging-refresh"), AWS_TARGET);
    scene->source = (struct aws_client){.account = scene->accounts[0], .env = &scene->env};
    scene->target = (struct aws_client){.account = scene->accounts[1], .env = &scene->env};
    *state = scene;
    return 0;
}

static int teardown(void **state)
{
    struct scene *scene = *state;

    kill(scene->pid, SIGTERM);
    waitpid(scene->pid, NULL, 0);
    rmdir(scene->dir);
    aws_account_unref(scene->accounts[0]);
    aws_account_unref(scene->accounts[1]);
    credentials_cache_free(scene->identity);
    aws_config_done(&scene->config);
    transport_free(scene->env.transport);
    random_free(scene->env.random);
    sched_free(scene->env.sched);
    xfree(scene->url);
    xfree(scene);
    return 0;
}

/* --- who and what --- */

static void is_whom_it_says(void **state)
{
    struct scene *scene = *state;
    AUTO_STS_IDENTITY struct sts_identity source = {0};
    AUTO_STS_IDENTITY struct sts_identity target = {0};
    struct aws_account *wrong = NULL;
    struct rds_clusters none = {0};

    assert_no_err(sts_get_caller_identity(&scene->source, &source));
    assert_no_err(sts_get_caller_identity(&scene->target, &target));
    assert_text_equal(source.account, PRODUCTION);
    assert_text_equal(target.account, STAGING);
    assert_text_contains(source.arn, ":assumed-role/staging-refresh/");
    /* Without a role the controller is itself, which is not of production. */
    assert_no_err(aws_account_new(&(struct aws_account_opts){.account_id = PRODUCTION,
                                                             .region = REGION,
                                                             .config = &scene->config,
                                                             .identity = scene->identity},
                                  &wrong));
    assert_fails(rds_list_clusters(&(struct aws_client){.account = wrong, .env = &scene->env}, &none),
                 ERR_DENIED, "the credentials belong to account " STAGING);
    aws_account_unref(wrong);
}

static void sees_production(void **state)
{
    struct scene *scene = *state;
    AUTO_RDS_CLUSTER struct rds_cluster cluster = {0};
    AUTO_RDS_INSTANCES struct rds_instances instances = {0};
    AUTO_DYNAMODB_TABLE struct dynamodb_table table = {0};
    AUTO_DYNAMODB_TTL struct dynamodb_ttl ttl = {0};
    AUTO_BACKUP_VAULT struct backup_vault vault = {0};
    AUTO_KMS_KEY struct kms_key key = {0};
    struct backup_region_settings settings = {0};
    bool enabled = false;

    assert_no_err(rds_describe_cluster(&scene->source, "shop", &cluster));
    assert_text_equal(cluster.status, "available");
    assert_number((int64_t)cluster.member_count, 2);
    assert_text_equal(aws_tags_get(&cluster.tags, "team"), "shop");
    assert_true(cluster.deletion_protection);
    assert_no_err(dynamodb_describe_table(&scene->source, "sessions", &table));
    assert_true(dynamodb_table_is_ready(&table));
    assert_text_equal(table.billing_mode, "PROVISIONED");
    assert_number(table.throughput.read_units, 500);
    assert_number(table.indexes[0].throughput.read_units, 200);
    assert_no_err(dynamodb_describe_ttl(&scene->source, "sessions", &ttl));
    assert_text_equal(ttl.attribute, "expires");
    assert_no_err(dynamodb_describe_recovery(&scene->source, "sessions", &enabled, NULL));
    assert_true(enabled);
    assert_no_err(backup_describe_vault(&scene->source, VAULT, &vault));
    assert_no_err(kms_describe_key(&scene->source, vault.encryption_key_arn, &key));
    assert_text_equal(key.state, "Enabled");
    assert_no_err(backup_describe_region_settings(&scene->source, &settings));
    assert_true(settings.aurora_opted_in && settings.dynamodb_opted_in && settings.dynamodb_advanced);
    assert_no_err(backup_describe_global_settings(&scene->source, &enabled));
    assert_true(enabled);
    /* Refused by IAM, not by us. */
    assert_fails(rds_list_instances(&scene->source, "shop", &instances), ERR_DENIED,
                 "rds DescribeDBInstances: AccessDenied");
}

static void never_changes_production(void **state)
{
    struct scene *scene = *state;

    assert_fails(rds_delete_cluster(&scene->source, "shop"), ERR_DENIED, "refused before it was sent");
    assert_fails(dynamodb_delete_table(&scene->source, "sessions"), ERR_DENIED, "refused before it was sent");
}

static void tells_what_is_missing(void **state)
{
    struct scene *scene = *state;
    struct rds_cluster cluster = {0};
    struct dynamodb_table table = {0};
    struct backup_job job = {0};
    struct ssm_parameter parameter = {0};
    struct secret_value value = {0};
    struct ecs_service service = {0};
    struct rds_proxy proxy = {0};
    struct backup_vault vault = {0};
    struct err *err;

    assert_fails(rds_describe_cluster(&scene->target, "none", &cluster), ERR_NOT_FOUND,
                 "DBClusterNotFoundFault");
    assert_fails(dynamodb_describe_table(&scene->target, "none", &table), ERR_NOT_FOUND,
                 "ResourceNotFoundException");
    assert_fails(ssm_get_parameter(&scene->target, "/none", &parameter), ERR_NOT_FOUND, "ParameterNotFound");
    assert_fails(secretsmanager_get_value(&scene->target, "none", NULL, NULL, &value), ERR_NOT_FOUND,
                 "ResourceNotFoundException");
    assert_fails(ecs_describe_service(&scene->target, "shop-stg", "none", &service), ERR_NOT_FOUND,
                 "MISSING");
    assert_fails(rds_proxy_describe(&scene->target, "none", &proxy), ERR_NOT_FOUND, "DBProxyNotFoundFault");
    err = backup_describe_vault(&scene->target, "none", &vault);
    assert_non_null(err);
    err_free(err);
    err = backup_describe_restore(&scene->target, "none", &job);
    assert_err_kind(err, ERR_NOT_FOUND);
    assert_text_equal(err_remote(err)->code, "ResourceNotFoundException");
    assert_number(err_remote(err)->http_status, 400);
    assert_non_null(err_remote(err)->request_id);
    assert_err_contains(err, "account " STAGING);
    err_free(err);
}

/* --- a database carried over --- */

typedef struct err *describe_fn(const struct aws_client *aws, const char *id, struct backup_job *ret);

static void await_job(struct scene *scene, const struct aws_client *aws, describe_fn *describe,
                      const char *id, struct backup_job *ret)
{
    for (int i = 0; i < 100; i++) {
        assert_no_err(describe(aws, id, ret));
        if (backup_state_is_final(ret->state)) {
            assert_text_equal(ret->state == BACKUP_STATE_COMPLETED ? NULL : ret->status_message, NULL);
            assert_number(ret->state, BACKUP_STATE_COMPLETED);
            return;
        }
        backup_job_done(ret);
        pass_time(scene, 300);
    }
    fail_msg("job %s does not end", id);
}

/* Backs up in production and copies to staging; gives the copy's recovery point. */
static char *carry(struct scene *scene, const char *resource_arn, const char *token)
{
    static const struct aws_pair tags[] = {{"stagingrefresh.dev/run", "20261122-030002-k7x4q"}};
    const struct backup_start_opts opts = {.vault_name = VAULT,
                                           .resource_arn = resource_arn,
                                           .role_arn = ROLE(PRODUCTION, BACKUP_ROLE),
                                           .token = token,
                                           .delete_after_days = 14,
                                           .tags = tags,
                                           .tag_count = 1};
    AUTO_FREE char *vault = arn_of_backup_vault(REGION, STAGING, VAULT);
    AUTO_FREE char *id = NULL;
    AUTO_FREE char *again = NULL;
    AUTO_FREE char *copy_id = NULL;
    AUTO_BACKUP_JOB struct backup_job backup = {0};
    AUTO_BACKUP_JOB struct backup_job copy = {0};
    AUTO_BACKUP_JOBS struct backup_jobs jobs = {0};
    AUTO_RECOVERY_POINT struct recovery_point point = {0};
    AUTO_TAGS struct aws_tags found = {0};

    assert_no_err(backup_start_backup(&scene->source, &opts, &id));
    assert_no_err(backup_start_backup(&scene->source, &opts, &again));
    assert_text_equal(again, id);
    await_job(scene, &scene->source, backup_describe_backup, id, &backup);
    assert_no_err(backup_list_backups(&scene->source,
                                      &(struct backup_jobs_filter){.resource_arn = resource_arn}, &jobs));
    assert_number((int64_t)jobs.count, 1);
    assert_no_err(backup_describe_recovery_point(&scene->source, VAULT, backup.recovery_point_arn, &point));
    assert_no_err(backup_list_point_tags(&scene->source, backup.recovery_point_arn, &found));
    assert_text_equal(aws_tags_get(&found, "stagingrefresh.dev/run"), "20261122-030002-k7x4q");
    assert_no_err(backup_start_copy(&scene->source,
                                    &(struct copy_start_opts){.recovery_point_arn = backup.recovery_point_arn,
                                                              .source_vault_name = VAULT,
                                                              .destination_vault_arn = vault,
                                                              .role_arn = ROLE(PRODUCTION, BACKUP_ROLE),
                                                              .token = token,
                                                              .delete_after_days = 14},
                                    &copy_id));
    await_job(scene, &scene->source, backup_describe_copy, copy_id, &copy);
    return xstrdup(copy.destination_recovery_point_arn);
}

static void restore(struct scene *scene, const struct restore_start_opts *opts, const char *want_arn)
{
    AUTO_FREE char *id = NULL;
    AUTO_BACKUP_JOB struct backup_job job = {0};
    AUTO_BACKUP_JOBS struct backup_jobs jobs = {0};

    assert_no_err(backup_start_restore(&scene->target, opts, &id));
    await_job(scene, &scene->target, backup_describe_restore, id, &job);
    assert_text_equal(job.created_resource_arn, want_arn);
    assert_no_err(backup_list_restores(
        &scene->target, &(struct backup_jobs_filter){.recovery_point_arn = opts->recovery_point_arn}, &jobs));
    assert_number((int64_t)jobs.count, 1);
}

static void carries_a_table_over(void **state)
{
    static const struct aws_pair metadata[] = {{"targetTableName", "stg-sessions-new"},
                                               {"encryptionType", "Default"}};
    static const struct aws_pair tags[] = {{"stagingrefresh.dev/self", "stg-sessions-new"}};
    struct scene *scene = *state;
    AUTO_FREE char *resource = arn_of_table(REGION, PRODUCTION, "sessions");
    AUTO_FREE char *created = arn_of_table(REGION, STAGING, "stg-sessions-new");
    AUTO_FREE char *point = carry(scene, resource, "token-of-sessions");
    AUTO_DYNAMODB_TABLE struct dynamodb_table table = {0};
    AUTO_TAGS struct aws_tags found = {0};
    struct dynamodb_table gone = {0};
    struct err *err = NULL;

    restore(scene,
            &(struct restore_start_opts){.recovery_point_arn = point,
                                         .role_arn = ROLE(STAGING, BACKUP_ROLE),
                                         .resource_type = "DynamoDB",
                                         .token = "token-restore-1",
                                         .metadata = metadata,
                                         .metadata_count = 2},
            created);
    assert_no_err(dynamodb_describe_table(&scene->target, "stg-sessions-new", &table));
    assert_true(dynamodb_table_is_ready(&table));
    assert_no_err(dynamodb_tag(&scene->target, table.arn, tags, 1));
    pass_time(scene, 60);
    assert_no_err(dynamodb_list_tags(&scene->target, table.arn, &found));
    assert_text_equal(aws_tags_get(&found, "stagingrefresh.dev/self"), "stg-sessions-new");
    assert_no_err(dynamodb_update_table(&scene->target,
                                        &(struct dynamodb_update_opts){.table = "stg-sessions-new",
                                                                       .change = DYNAMODB_BILLING_MODE,
                                                                       .billing_mode = "PAY_PER_REQUEST"}));
    assert_fails(dynamodb_delete_table(&scene->target, "stg-sessions-new"), ERR_RETRY,
                 "ResourceInUseException");
    pass_time(scene, 3600);
    assert_no_err(dynamodb_update_ttl(&scene->target, "stg-sessions-new", "expires", true));
    assert_no_err(dynamodb_update_recovery(&scene->target, "stg-sessions-new", true));
    pass_time(scene, 3600);
    assert_no_err(dynamodb_delete_table(&scene->target, "stg-sessions-new"));
    pass_time(scene, 3600);
    assert_fails(dynamodb_describe_table(&scene->target, "stg-sessions-new", &gone), ERR_NOT_FOUND,
                 "ResourceNotFoundException");
    assert_no_err(backup_delete_recovery_point(&scene->target, VAULT, point));
    pass_time(scene, 3600);
    err = backup_describe_recovery_point(&scene->target, VAULT, point, &(struct recovery_point){0});
    assert_fails(err, ERR_NOT_FOUND, "DescribeRecoveryPoint");
}

static void await_instances(struct scene *scene, const char *cluster_id)
{
    for (int i = 0; i < 100; i++) {
        AUTO_RDS_INSTANCES struct rds_instances instances = {0};

        assert_no_err(rds_list_instances(&scene->target, cluster_id, &instances));
        assert_number((int64_t)instances.count, 1);
        assert_false(instances.items[0].is_public);
        if (text_equal(instances.items[0].status, "available"))
            return;
        pass_time(scene, 60);
    }
    fail_msg("the instances of %s never get available", cluster_id);
}

static void carries_a_cluster_over(void **state)
{
    static const struct aws_pair metadata[] = {
        {"dbClusterIdentifier", "shop-stg-new"},
        {"engine", "aurora-mysql"},
        {"engineVersion", "8.0.mysql_aurora.3.08.2"},
        {"dbSubnetGroupName", "staging"},
        {"vpcSecurityGroupIds", "[\"" GROUP "\"]"},
        {"dbClusterParameterGroupName", "staging-aurora"},
        {"kmsKeyId", STAGING_KEY},
    };
    static const struct aws_pair tags[] = {{"stagingrefresh.dev/self", "shop-stg-new"}};
    struct scene *scene = *state;
    AUTO_FREE char *resource = arn_of_db_cluster(REGION, PRODUCTION, "shop");
    AUTO_FREE char *created = arn_of_db_cluster(REGION, STAGING, "shop-stg-new");
    AUTO_FREE char *point = carry(scene, resource, "token-of-shop");
    AUTO_RDS_CLUSTER struct rds_cluster cluster = {0};
    AUTO_SECRET struct secret *password = secret_new(STR("staging-password"));
    AUTO_TAGS struct aws_tags found = {0};
    AUTO_TAGS struct aws_tags described = {0};
    AUTO_RDS_EVENTS struct rds_events events = {0};
    const struct rds_create_instance_opts instance = {.instance_id = "shop-stg-new-a",
                                                      .cluster_id = "shop-stg-new",
                                                      .engine = "aurora-mysql",
                                                      .class_name = "db.r6g.large",
                                                      .promotion_tier = -1,
                                                      .tags = tags,
                                                      .tag_count = 1};
    int64_t server_ms = 0;

    assert_no_err(backup_get_restore_metadata(&scene->target, VAULT, point, &described));
    assert_true(described.count > 0);
    restore(scene,
            &(struct restore_start_opts){.recovery_point_arn = point,
                                         .role_arn = ROLE(STAGING, BACKUP_ROLE),
                                         .resource_type = "Aurora",
                                         .token = "token-restore-2",
                                         .metadata = metadata,
                                         .metadata_count = COUNT_OF(metadata)},
            created);
    assert_no_err(rds_describe_cluster(&scene->target, "shop-stg-new", &cluster));
    assert_number((int64_t)cluster.member_count, 0);
    assert_text_equal(cluster.kms_key_id, STAGING_KEY);
    assert_true(aws_texts_have(&cluster.security_group_ids, GROUP));
    assert_no_err(rds_add_tags(&scene->target, cluster.arn, tags, 1));
    assert_no_err(rds_list_tags(&scene->target, cluster.arn, &found));
    assert_text_equal(aws_tags_get(&found, "stagingrefresh.dev/self"), "shop-stg-new");
    assert_no_err(rds_create_instance(&scene->target, &instance));
    assert_fails(rds_create_instance(&scene->target, &instance), ERR_CONFLICT, "DBInstanceAlreadyExists");
    await_instances(scene, "shop-stg-new");
    assert_no_err(rds_modify_cluster(
        &scene->target, &(struct rds_modify_opts){.cluster_id = "shop-stg-new", .master_password = password},
        &server_ms));
    assert_true(server_ms > 0);
    pass_time(scene, 600);
    assert_no_err(rds_list_cluster_events(&scene->target, "shop-stg-new", server_ms - HOURS(24), &events));
}

static void swaps_the_proxy(void **state)
{
    struct scene *scene = *state;
    AUTO_RDS_PROXY struct rds_proxy proxy = {0};
    AUTO_RDS_PROXY_TARGETS struct rds_proxy_targets before = {0};
    AUTO_RDS_PROXY_TARGETS struct rds_proxy_targets between = {0};
    AUTO_RDS_PROXY_TARGETS struct rds_proxy_targets after = {0};
    const char *old;
    struct err *err;

    assert_no_err(rds_proxy_describe(&scene->target, "shop-stg", &proxy));
    assert_number((int64_t)proxy.auth_count, 1);
    assert_no_err(rds_proxy_list_targets(&scene->target, "shop-stg", &before));
    old = rds_proxy_targets_cluster(&before);
    assert_text_equal(old, "shop-stg-20261022-030000-p3c8d");
    err = rds_proxy_register(&scene->target, "shop-stg", "shop-stg-new");
    assert_non_null(err);
    err_free(err);
    assert_no_err(rds_proxy_deregister(&scene->target, "shop-stg", old));
    pass_time(scene, 10);
    assert_no_err(rds_proxy_list_targets(&scene->target, "shop-stg", &between));
    assert_null(rds_proxy_targets_cluster(&between));
    assert_fails(rds_proxy_deregister(&scene->target, "shop-stg", old), ERR_NOT_FOUND,
                 "DBProxyTargetNotFoundFault");
    assert_no_err(rds_proxy_register(&scene->target, "shop-stg", "shop-stg-new"));
    pass_time(scene, 600);
    assert_no_err(rds_proxy_list_targets(&scene->target, "shop-stg", &after));
    assert_text_equal(rds_proxy_targets_cluster(&after), "shop-stg-new");
    assert_no_err(rds_proxy_set_auth(&scene->target, "shop-stg", proxy.auth, proxy.auth_count));
}

static void writes_parameters_and_secrets(void **state)
{
    struct scene *scene = *state;
    AUTO_SSM_PARAMETER struct ssm_parameter parameter = {0};
    AUTO_SSM_PARAMETER struct ssm_parameter token = {0};
    AUTO_SECRET struct secret *value = secret_new(STR("host + \"100%\""));
    AUTO_SECRET_VALUE struct secret_value secret = {0};
    AUTO_SECRET_VALUE struct secret_value after = {0};
    AUTO_SECRET_DESCRIPTION struct secret_description description = {0};
    AUTO_FREE char *version = NULL;
    AUTO_ECS_SERVICE struct ecs_service service = {0};
    AUTO_ECS_SERVICE struct ecs_service forced = {0};
    int64_t number = 0;

    assert_fails(ssm_put_parameter(
                     &scene->target,
                     &(struct ssm_put_opts){.name = "/shop/stg/db_host", .type = "String", .value = value},
                     NULL),
                 ERR_CONFLICT, "ParameterAlreadyExists");
    assert_no_err(ssm_put_parameter(
        &scene->target,
        &(struct ssm_put_opts){.name = "/shop/stg/db_host", .value = value, .overwrite = true}, &number));
    assert_number(number, 2);
    assert_no_err(ssm_get_parameter(&scene->target, "/shop/stg/db_host", &parameter));
    assert_true(secret_equal(parameter.value, value));
    assert_no_err(ssm_get_parameter(&scene->target, "/shop/stg/api_token", &token));
    assert_str_equal(secret_reveal(token.value), "not-a-real-token");

    assert_no_err(secretsmanager_get_value(&scene->target, "shop/stg/db", NULL, NULL, &secret));
    assert_no_err(secretsmanager_put_value(&scene->target, "shop/stg/db", "0123456789abcdef0123456789abcdef",
                                           value, &version));
    assert_no_err(secretsmanager_get_value(&scene->target, "shop/stg/db", NULL, NULL, &after));
    assert_text_equal(after.version_id, version);
    assert_no_err(
        secretsmanager_move_stage(&scene->target, "shop/stg/db", "AWSCURRENT", secret.version_id, version));
    assert_no_err(secretsmanager_describe(&scene->target, "shop/stg/db", &description));
    assert_text_equal(secret_description_version(&description, "AWSCURRENT"), secret.version_id);

    assert_no_err(ecs_describe_service(&scene->target, "shop-stg", "web", &service));
    assert_no_err(ecs_force_deployment(&scene->target, "shop-stg", "web", &forced));
    assert_string_not_equal(ecs_service_primary(&service)->id, ecs_service_primary(&forced)->id);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(is_whom_it_says),          cmocka_unit_test(sees_production),
        cmocka_unit_test(never_changes_production), cmocka_unit_test(tells_what_is_missing),
        cmocka_unit_test(carries_a_table_over),     cmocka_unit_test(carries_a_cluster_over),
        cmocka_unit_test(swaps_the_proxy),          cmocka_unit_test(writes_parameters_and_secrets),
    };

    return cmocka_run_group_tests_name("aws_client", tests, setup, teardown);
}
