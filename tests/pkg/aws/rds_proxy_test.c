#include "pkg/aws/rds_proxy.h"

#include "tests/pkg/aws/fixture.h"

#define HOST .host = "rds.ap-northeast-1.amazonaws.com", .method = "POST", .path = "/"
#define ANSWER(op, result) "<" op "Response><" op "Result>" result "</" op "Result></" op "Response>"
#define REFUSAL(code) "<ErrorResponse><Error><Code>" code "</Code></Error></ErrorResponse>"
#define PROXY                                                                                          \
    "<member><DBProxyName>p</DBProxyName><Status>available</Status><EngineFamily>MYSQL</EngineFamily>" \
    "<Endpoint>p.example</Endpoint><Auth><member><AuthScheme>SECRETS</AuthScheme><SecretArn>arn:s1</"  \
    "SecretArn>"                                                                                       \
    "<IAMAuth>DISABLED</IAMAuth></member><member><SecretArn>arn:s2</SecretArn></member></Auth></member>"

static void describes_and_keeps_the_auth_list(void **state)
{
    static const struct exchange rows[] = {
        {HOST, .body = "Action=DescribeDBProxies&Version=2014-10-31&DBProxyName=p",
         .reply = ANSWER("DescribeDBProxies", "<DBProxies>" PROXY "</DBProxies>")},
        {HOST,
         .body = "Action=ModifyDBProxy&Version=2014-10-31&DBProxyName=p&Auth.member.1.SecretArn=arn%3As1"
                 "&Auth.member.1.AuthScheme=SECRETS&Auth.member.1.IAMAuth=DISABLED&Auth.member.2.SecretArn="
                 "arn%3As2",
         .reply = ANSWER("ModifyDBProxy", "<DBProxy/>")},
        {HOST, .status = 404, .reply = REFUSAL("DBProxyNotFoundFault")},
        {HOST, .body = "Action=DescribeDBProxies&Version=2014-10-31",
         .reply = ANSWER("DescribeDBProxies", "<DBProxies>" PROXY PROXY "</DBProxies><Marker>m</Marker>")},
        {HOST, .body = "Action=DescribeDBProxies&Version=2014-10-31&Marker=m",
         .reply = ANSWER("DescribeDBProxies", "<DBProxies/>")},
    };
    AUTO_RDS_PROXY struct rds_proxy proxy = {0};
    AUTO_RDS_PROXIES struct rds_proxies proxies = {0};
    struct rds_proxy none = {0};
    struct fixture f;

    (void)state;
    FIXTURE(f, rows);
    assert_no_err(rds_proxy_describe(&f.aws, "p", &proxy));
    assert_text_equal(proxy.engine_family, "MYSQL");
    assert_number((int64_t)proxy.auth_count, 2);
    assert_no_err(rds_proxy_set_auth(&f.aws, "p", proxy.auth, proxy.auth_count));
    assert_fails(rds_proxy_describe(&f.aws, "q", &none), ERR_NOT_FOUND, "DBProxyNotFoundFault");
    assert_no_err(rds_proxy_list(&f.aws, &proxies));
    assert_number((int64_t)proxies.count, 2);
    fixture_done(&f);
}

static void reads_targets(void **state)
{
    static const struct exchange rows[] = {
        {HOST, .body = "Action=DescribeDBProxyTargets&Version=2014-10-31&DBProxyName=p",
         .reply = ANSWER(
             "DescribeDBProxyTargets",
             "<Targets><member><Type>RDS_INSTANCE</Type><RdsResourceId>c-a</"
             "RdsResourceId><TrackedClusterId>c</TrackedClusterId>"
             "<Role>READ_WRITE</Role><Port>3306</Port><TargetHealth><State>UNAVAILABLE</"
             "State><Reason>AUTH_FAILURE</Reason>"
             "<Description>d</Description></TargetHealth></member>"
             "<member><Type>TRACKED_CLUSTER</Type><RdsResourceId>c</RdsResourceId></member></Targets>")},
        {HOST, .reply = ANSWER("DescribeDBProxyTargets", "<Targets/>")},
    };
    AUTO_RDS_PROXY_TARGETS struct rds_proxy_targets targets = {0};
    AUTO_RDS_PROXY_TARGETS struct rds_proxy_targets none = {0};
    struct fixture f;

    (void)state;
    FIXTURE(f, rows);
    assert_no_err(rds_proxy_list_targets(&f.aws, "p", &targets));
    assert_number((int64_t)targets.count, 2);
    assert_text_equal(rds_proxy_targets_cluster(&targets), "c");
    assert_text_equal(targets.items[0].health_state, "UNAVAILABLE");
    assert_text_equal(targets.items[0].health_reason, "AUTH_FAILURE");
    assert_null(targets.items[1].health_state);
    assert_no_err(rds_proxy_list_targets(&f.aws, "p", &none));
    assert_null(rds_proxy_targets_cluster(&none));
    fixture_done(&f);
}

static void registers_and_deregisters(void **state)
{
    static const struct exchange rows[] = {
        {HOST,
         .body = "Action=RegisterDBProxyTargets&Version=2014-10-31&DBProxyName=p&TargetGroupName=default&"
                 "DBClusterIdentifiers.member.1=c",
         .reply = ANSWER("RegisterDBProxyTargets", "<DBProxyTargets/>")},
        {HOST, .status = 400, .reply = REFUSAL("DBProxyTargetAlreadyRegisteredFault")},
        {HOST, .status = 400, .reply = REFUSAL("InvalidDBInstanceState")},
        {HOST,
         .body = "Action=DeregisterDBProxyTargets&Version=2014-10-31&DBProxyName=p&TargetGroupName=default&"
                 "DBClusterIdentifiers.member.1=c",
         .reply = ANSWER("DeregisterDBProxyTargets", "")},
        {HOST, .status = 404, .reply = REFUSAL("DBProxyTargetNotFoundFault")},
    };
    struct fixture f;

    (void)state;
    FIXTURE(f, rows);
    assert_no_err(rds_proxy_register(&f.aws, "p", "c"));
    assert_fails(rds_proxy_register(&f.aws, "p", "c"), ERR_CONFLICT, NULL);
    assert_fails(rds_proxy_register(&f.aws, "p", "c"), ERR_RETRY, NULL);
    assert_no_err(rds_proxy_deregister(&f.aws, "p", "c"));
    assert_fails(rds_proxy_deregister(&f.aws, "p", "c"), ERR_NOT_FOUND, NULL);
    fixture_done(&f);
}

int main(void)
{
    struct tests tests = {0};

    TEST(&tests, describes_and_keeps_the_auth_list);
    TEST(&tests, reads_targets);
    TEST(&tests, registers_and_deregisters);
    return tests_run(&tests, "rds_proxy");
}
