/* RDS Proxy: what may be registered when, and what the health of a target says. */
#include "tests/hack/awssim/services_world.h"

static void use_world(const char *top, const char *section)
{
    awssim_client_done(&client);
    services_world_init(&client, top, section, "");
}

static int rds(const char *operation, const char *form)
{
    return awssim_query(&client, "rds", operation, form);
}

static void succeed(const char *operation, const char *form)
{
    int status = rds(operation, form);

    if (status != 200)
        assert_awssim_error(&client, "none");
    assert_number(status, 200);
}

#define TARGETS(cluster) "DBProxyName=px&DBClusterIdentifiers.member.1=" cluster

static void expect_health(const char *state, const char *reason)
{
    succeed("DescribeDBProxyTargets", "DBProxyName=px");
    expect_xml(&client, "State", 0, state);
    expect_xml(&client, "Reason", 0, reason);
}

static void free_proxy(void)
{
    succeed("DeregisterDBProxyTargets", TARGETS("old"));
    awssim_client_advance(&client, SECONDS(2));
}

static void put_secret(const char *id, const char *value, const char *token)
{
    AUTO_FREE char *body = xasprintf(
        "{\"SecretId\":\"%s\",\"SecretString\":\"%s\",\"ClientRequestToken\":\"%s\"}", id, value, token);

    assert_number(awssim_json(&client, "secretsmanager", "PutSecretValue", body), 200);
}

/* ---- describing ---- */

static void test_the_world_s_own_target(void **state)
{
    (void)state;
    succeed("DescribeDBProxyTargets", "DBProxyName=px&TargetGroupName=default");
    expect_xml(&client, "Type", 0, "TRACKED_CLUSTER");
    expect_xml(&client, "RdsResourceId", 0, "old");
    expect_xml(&client, "Type", 1, "RDS_INSTANCE");
    expect_xml(&client, "RdsResourceId", 1, "old-a");
    expect_xml(&client, "TrackedClusterId", 0, "old");
    expect_xml(&client, "Role", 0, "READ_WRITE");
    expect_health("AVAILABLE", NULL);
}

static void test_proxy(void **state)
{
    (void)state;
    succeed("DescribeDBProxies", "DBProxyName=px");
    expect_xml(&client, "Status", 0, "available");
    expect_xml(&client, "AuthScheme", 0, "SECRETS");
    expect_xml(&client, "VpcSecurityGroupIds", 0, "<member>sg-proxy</member>");
    succeed("DescribeDBProxyTargetGroups", "DBProxyName=px");
    expect_xml(&client, "IsDefault", 0, "true");
}

/* ---- refusals ---- */

static const struct refused_row {
    const char *name, *operation, *form, *error;
    int status;
    bool free; /* the proxy has no target any more */
} refused_rows[] = {
    {.name = "no proxy",
     .operation = "DescribeDBProxies",
     .form = "DBProxyName=nope",
     .error = "DBProxyNotFoundFault",
     .status = 404},
    {.name = "targets of no proxy",
     .operation = "DescribeDBProxyTargets",
     .form = "DBProxyName=nope",
     .error = "DBProxyNotFoundFault",
     .status = 404},
    {.name = "another group",
     .operation = "DescribeDBProxyTargets",
     .form = "DBProxyName=px&TargetGroupName=x",
     .error = "DBProxyTargetGroupNotFoundFault",
     .status = 404},
    {.name = "a second cluster",
     .operation = "RegisterDBProxyTargets",
     .form = TARGETS("new"),
     .error = "DBProxyTargetAlreadyRegisteredFault",
     .status = 400},
    {.name = "the same cluster",
     .operation = "RegisterDBProxyTargets",
     .form = TARGETS("old"),
     .error = "DBProxyTargetAlreadyRegisteredFault",
     .status = 400},
    {.name = "no cluster named",
     .operation = "RegisterDBProxyTargets",
     .form = "DBProxyName=px",
     .error = "InvalidParameterCombination",
     .status = 400,
     .free = true},
    {.name = "two clusters",
     .operation = "RegisterDBProxyTargets",
     .form = TARGETS("new") "&DBClusterIdentifiers.member.2=old",
     .error = "InvalidParameterCombination",
     .status = 400,
     .free = true},
    {.name = "unknown cluster",
     .operation = "RegisterDBProxyTargets",
     .form = TARGETS("nope"),
     .error = "DBClusterNotFoundFault",
     .status = 404,
     .free = true},
    {.name = "another VPC",
     .operation = "RegisterDBProxyTargets",
     .form = TARGETS("elsewhere"),
     .error = "InvalidParameterCombination",
     .status = 400,
     .free = true},
    {.name = "another engine family",
     .operation = "RegisterDBProxyTargets",
     .form = TARGETS("postgres"),
     .error = "InvalidParameterCombination",
     .status = 400,
     .free = true},
    {.name = "no instance",
     .operation = "RegisterDBProxyTargets",
     .form = TARGETS("empty"),
     .error = "InvalidDBClusterStateFault",
     .status = 400,
     .free = true},
    {.name = "deregister another",
     .operation = "DeregisterDBProxyTargets",
     .form = TARGETS("new"),
     .error = "DBProxyTargetNotFoundFault",
     .status = 404},
    {.name = "deregister twice",
     .operation = "DeregisterDBProxyTargets",
     .form = TARGETS("old"),
     .error = "DBProxyTargetNotFoundFault",
     .status = 404,
     .free = true},
    {.name = "a secret that is no ARN",
     .operation = "ModifyDBProxy",
     .form = "DBProxyName=px&Auth.member.1.SecretArn=db",
     .error = "InvalidParameterValue",
     .status = 400},
    {.name = "unknown security group",
     .operation = "ModifyDBProxy",
     .form = "DBProxyName=px&SecurityGroups.member.1=sg-x",
     .error = "InvalidParameterValue",
     .status = 400},
};

static void test_refused(void **state)
{
    const struct refused_row *row = *state;

    if (row->free)
        free_proxy();
    assert_number(rds(row->operation, row->form), row->status);
    assert_awssim_error(&client, row->error);
}

static void test_second_target_by_another_code(void **state)
{
    (void)state;
    use_world("", "    secondTarget: InvalidCombination\n");
    assert_number(rds("RegisterDBProxyTargets", TARGETS("new")), 400);
    assert_awssim_error(&client, "InvalidParameterCombination");
    assert_number(rds("RegisterDBProxyTargets", TARGETS("old")), 400);
    assert_awssim_error(&client, "DBProxyTargetAlreadyRegisteredFault");
}

static void test_register_waits_for_every_member(void **state)
{
    (void)state;
    free_proxy();
    succeed("CreateDBInstance", "DBInstanceIdentifier=new-c&DBInstanceClass=db.r6g.large&Engine=aurora-mysql&"
                                "DBClusterIdentifier=new");
    awssim_client_advance(&client, SECONDS(361));
    assert_number(rds("RegisterDBProxyTargets", TARGETS("new")), 400);
    assert_awssim_error(&client, "InvalidDBInstanceState");
    expect_xml(&client, "Message", 0,
               "DB Instance new-c is in an unsupported state - CONFIGURING_LOG_EXPORTS, needs to be in "
               "[AVAILABLE, MODIFYING, "
               "BACKING_UP]");
    awssim_client_advance(&client, SECONDS(40));
    succeed("RegisterDBProxyTargets", TARGETS("new"));
}

/* ---- the password race ---- */

static void test_register_in_the_lag_ends_in_auth_failure(void **state)
{
    (void)state;
    free_proxy();
    succeed("ModifyDBCluster",
            "DBClusterIdentifier=new&MasterUserPassword=old-password&ApplyImmediately=true");
    succeed("RegisterDBProxyTargets", TARGETS("new")); /* it looks available */
    expect_xml(&client, "State", 0, "REGISTERING");
    awssim_client_advance(&client, SECONDS(20));
    expect_health("UNAVAILABLE", "AUTH_FAILURE");
    awssim_client_advance(&client, SECONDS(10));
    expect_health("AVAILABLE", NULL);
}

static void test_register_in_the_reset_is_refused(void **state)
{
    (void)state;
    free_proxy();
    succeed("ModifyDBCluster",
            "DBClusterIdentifier=new&MasterUserPassword=old-password&ApplyImmediately=true");
    awssim_client_advance(&client, SECONDS(8));
    assert_number(rds("RegisterDBProxyTargets", TARGETS("new")), 400);
    assert_awssim_error(&client, "InvalidDBClusterStateFault");
    awssim_client_advance(&client, SECONDS(20));
    succeed("RegisterDBProxyTargets", TARGETS("new"));
    awssim_client_advance(&client, SECONDS(20));
    expect_health("AVAILABLE", NULL);
}

static void test_a_hidden_reset_refuses_as_well(void **state)
{
    (void)state;
    use_world("", "    passwordReset: {status: false}\n");
    free_proxy();
    succeed("ModifyDBCluster",
            "DBClusterIdentifier=new&MasterUserPassword=old-password&ApplyImmediately=true");
    awssim_client_advance(&client, SECONDS(8));
    assert_number(rds("RegisterDBProxyTargets", TARGETS("new")), 400);
    assert_awssim_error(&client, "InvalidDBClusterStateFault");
}

static void test_reset_without_instances_may_do_nothing(void **state)
{
    (void)state;
    use_world("", "    passwordReset: {needsInstance: true}\n");
    succeed("ModifyDBCluster", "DBClusterIdentifier=empty&MasterUserPassword=old-password&"
                               "VpcSecurityGroupIds.VpcSecurityGroupId.1=sg-db");
    awssim_client_advance(&client, SECONDS(30));
    succeed(
        "CreateDBInstance",
        "DBInstanceIdentifier=e&DBInstanceClass=db.r6g.large&Engine=aurora-mysql&DBClusterIdentifier=empty");
    awssim_client_advance(&client, MINUTES(10));
    free_proxy();
    succeed("RegisterDBProxyTargets", TARGETS("empty"));
    awssim_client_advance(&client, SECONDS(20));
    expect_health("UNAVAILABLE", "AUTH_FAILURE");
}

/* ---- health ---- */

static void test_health_follows_the_secret(void **state)
{
    (void)state;
    put_secret("db", "{\\\"username\\\":\\\"admin\\\",\\\"password\\\":\\\"wrong-password\\\"}",
               "00000000000000000000000000000001");
    awssim_client_advance(&client, SECONDS(10));
    expect_health("UNAVAILABLE", "AUTH_FAILURE");
    put_secret("db", "no JSON at all", "00000000000000000000000000000002");
    awssim_client_advance(&client, SECONDS(10));
    expect_health("UNAVAILABLE", "AUTH_FAILURE");
    put_secret("db", "{\\\"username\\\":\\\"admin\\\",\\\"password\\\":\\\"old-password\\\"}",
               "00000000000000000000000000000003");
    awssim_client_advance(&client, SECONDS(10));
    expect_health("AVAILABLE", NULL);
}

static void test_health_follows_the_password(void **state)
{
    (void)state;
    succeed("ModifyDBCluster", "DBClusterIdentifier=old&MasterUserPassword=other-password");
    awssim_client_advance(&client, SECONDS(27));
    expect_health("AVAILABLE", NULL); /* the old one works until the end of the reset */
    awssim_client_advance(&client, SECONDS(11));
    expect_health("UNAVAILABLE", "AUTH_FAILURE");
}

static void test_another_user_keeps_its_password(void **state)
{
    (void)state;
    assert_number(awssim_json(&client, "secretsmanager", "DescribeSecret", "{\"SecretId\":\"db-app\"}"), 200);
    AUTO_FREE char *form =
        xasprintf("DBProxyName=px&Auth.member.1.AuthScheme=SECRETS&Auth.member.1.SecretArn=%s",
                  awssim_text(&client, "ARN"));
    succeed("ModifyDBProxy", form);
    succeed("ModifyDBCluster", "DBClusterIdentifier=old&MasterUserPassword=other-password");
    awssim_client_advance(&client, SECONDS(40));
    expect_health("AVAILABLE", NULL);
}

static void test_health_follows_the_security_groups(void **state)
{
    (void)state;
    succeed("ModifyDBCluster", "DBClusterIdentifier=old&VpcSecurityGroupIds.VpcSecurityGroupId.1=sg-closed");
    awssim_client_advance(&client, SECONDS(10));
    expect_health("UNAVAILABLE", "UNREACHABLE");
}

static void test_a_rebooting_instance_does_not_answer(void **state)
{
    (void)state;
    succeed("RebootDBInstance", "DBInstanceIdentifier=old-a");
    awssim_client_advance(&client, SECONDS(10));
    expect_health("UNAVAILABLE", "CONNECTION_FAILED");
    awssim_client_advance(&client, SECONDS(45));
    expect_health("AVAILABLE", NULL);
}

static void test_members_come_and_go(void **state)
{
    (void)state;
    succeed("CreateDBInstance", "DBInstanceIdentifier=old-b&DBInstanceClass=db.r6g.large&Engine=aurora-mysql&"
                                "DBClusterIdentifier=old");
    succeed("DescribeDBProxyTargets", "DBProxyName=px");
    expect_xml(&client, "RdsResourceId", 2, "old-b");
    expect_xml(&client, "State", 1, "REGISTERING");
    expect_xml(&client, "Role", 1, "READ_ONLY");
    awssim_client_advance(&client, MINUTES(10));
    succeed("DescribeDBProxyTargets", "DBProxyName=px");
    expect_xml(&client, "State", 1, "AVAILABLE");
    succeed("DeleteDBInstance", "DBInstanceIdentifier=old-a&SkipFinalSnapshot=true");
    awssim_client_advance(&client, MINUTES(5));
    succeed("DescribeDBProxyTargets", "DBProxyName=px");
    expect_xml(&client, "RdsResourceId", 1, "old-b");
    expect_xml(&client, "Role", 0, "READ_WRITE");
    expect_xml(&client, "RdsResourceId", 2, NULL);
}

static void test_a_deleted_cluster_leaves_the_proxy(void **state)
{
    (void)state;
    succeed("DeleteDBInstance", "DBInstanceIdentifier=old-a&SkipFinalSnapshot=true");
    succeed("DeleteDBCluster", "DBClusterIdentifier=old&SkipFinalSnapshot=true");
    awssim_client_advance(&client, MINUTES(5));
    succeed("DescribeDBProxyTargets", "DBProxyName=px");
    expect_xml(&client, "RdsResourceId", 0, NULL);
}

/* ---- changing the proxy ---- */

static void test_modify_replaces_the_secrets(void **state)
{
    (void)state;
    assert_number(awssim_json(&client, "secretsmanager", "DescribeSecret", "{\"SecretId\":\"db-app\"}"), 200);
    AUTO_FREE char *arn = xstrdup(awssim_text(&client, "ARN"));
    AUTO_FREE char *form = xasprintf("DBProxyName=px&Auth.member.1.SecretArn=%s", arn);
    succeed("ModifyDBProxy", form);
    expect_effect(&client, "changed", ":db-proxy:prx-");
    succeed("DescribeDBProxies", "DBProxyName=px");
    expect_xml(&client, "Status", 0, "modifying");
    expect_xml(&client, "SecretArn", 0, arn);
    expect_xml(&client, "SecretArn", 1, NULL);
    assert_number(rds("DeregisterDBProxyTargets", TARGETS("old")), 400);
    assert_awssim_error(&client, "InvalidDBProxyStateFault");
    awssim_client_advance(&client, SECONDS(15));
    succeed("ModifyDBProxy", form);
    expect_effect(&client, "none", ":db-proxy:prx-");
    succeed("DeregisterDBProxyTargets", TARGETS("old"));
}

static void test_time_without_a_target_is_counted(void **state)
{
    (void)state;
    succeed("DeregisterDBProxyTargets", TARGETS("old"));
    assert_number(rds("RegisterDBProxyTargets", TARGETS("new")), 400); /* it is still leaving */
    assert_awssim_error(&client, "DBProxyTargetAlreadyRegisteredFault");
    awssim_client_advance(&client, SECONDS(7));
    assert_number(json_get_int(world_part(&client, "rds.proxies[0]"), "secondsWithoutTarget", -1), 7);
    assert_text_equal(json_get_text(world_part(&client, "rds.proxies[0]"), "target", NULL), NULL);
    succeed("RegisterDBProxyTargets", TARGETS("new"));
    expect_effect(&client, "changed", ":db-proxy:prx-");
    awssim_client_advance(&client, SECONDS(50));
    assert_number(json_get_int(world_part(&client, "rds.proxies[0]"), "secondsWithoutTarget", -1), 7);
    assert_text_equal(json_get_text(world_part(&client, "rds.proxies[0]"), "target", NULL), "new");
}

int main(void)
{
    struct tests tests = tests_in_services("");

    TEST(&tests, test_the_world_s_own_target);
    TEST(&tests, test_proxy);
    TEST_ROWS(&tests, test_refused, refused_rows);
    TEST(&tests, test_second_target_by_another_code);
    TEST(&tests, test_register_waits_for_every_member);
    TEST(&tests, test_register_in_the_lag_ends_in_auth_failure);
    TEST(&tests, test_register_in_the_reset_is_refused);
    TEST(&tests, test_a_hidden_reset_refuses_as_well);
    TEST(&tests, test_reset_without_instances_may_do_nothing);
    TEST(&tests, test_health_follows_the_secret);
    TEST(&tests, test_health_follows_the_password);
    TEST(&tests, test_another_user_keeps_its_password);
    TEST(&tests, test_health_follows_the_security_groups);
    TEST(&tests, test_a_rebooting_instance_does_not_answer);
    TEST(&tests, test_members_come_and_go);
    TEST(&tests, test_a_deleted_cluster_leaves_the_proxy);
    TEST(&tests, test_modify_replaces_the_secrets);
    TEST(&tests, test_time_without_a_target_is_counted);
    return tests_run(&tests, "awssim rds proxy");
}
