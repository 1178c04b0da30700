/* Who listens hears of everything: the accounts' calls, and what the controller's own identity asks for them.
 */
#include "pkg/aws/traffic.h"

#include "pkg/aws/sts.h"
#include "tests/pkg/aws/fixture.h"

#define ASSUMED                                                                          \
    "<AssumeRoleResponse><AssumeRoleResult><Credentials><AccessKeyId>ASIA</AccessKeyId>" \
    "<SecretAccessKey>s</SecretAccessKey><SessionToken>t</SessionToken>"                 \
    "<Expiration>2026-11-22T17:00:00Z</Expiration></Credentials></AssumeRoleResult>"     \
    "</AssumeRoleResponse>"

static const char *whose(const char *account_id)
{
    return account_id ? account_id : "identity";
}

static void write_call(void *arg, const struct aws_call_seen *seen)
{
    buf_addf(arg, "%s by %s; ", seen->operation, whose(seen->account_id));
}

static void write_credentials(void *arg, const struct aws_credentials_seen *seen)
{
    buf_addf(arg, "credentials of %s at %lld for %lld; ", whose(seen->account_id),
             (long long)(seen->fetched_ms - TESTING_WALL_MS),
             (long long)(seen->expires_ms == NEVER_MS ? 0 : seen->expires_ms - TESTING_WALL_MS));
}

static void hears_of_the_own_identity(void **state UNUSED)
{
    static const struct exchange rows[] = {
        {.host = "sts.*", .body_contains = {"Action=AssumeRole&"}, .reply = ASSUMED},
        {.host = "sts.*", .reply = WHOAMI_REPLY(FIXTURE_ACCOUNT), .times = 2},
    };
    AUTO_BUF struct buf heard = BUF_MAX(4 * KIB);
    AUTO_STS_IDENTITY struct sts_identity identity = {0};
    AUTO_AWS_ACCOUNT struct aws_account *account = NULL;
    struct fixture f;

    fixture_init_bare(&f, AWS_TARGET, rows, COUNT_OF(rows));
    f.config.traffic = aws_traffic_new(
        &(struct aws_listener){.on_call = write_call, .on_credentials = write_credentials, .arg = &heard});
    assert_no_err(
        aws_account_new(&(struct aws_account_opts){.account_id = FIXTURE_ACCOUNT,
                                                   .region = FIXTURE_REGION,
                                                   .usage = AWS_TARGET,
                                                   .config = &f.config,
                                                   .identity = f.identity,
                                                   .role_arn = "arn:aws:iam::" FIXTURE_ACCOUNT ":role/r"},
                        &account));
    f.aws.account = account;
    assert_no_err(sts_get_caller_identity(&f.aws, &identity));
    assert_text_equal(buf_text(&heard), "credentials of identity at 0 for 0; "
                                        "AssumeRole by identity; "
                                        "GetCallerIdentity by 222222222222; "
                                        "credentials of 222222222222 at 0 for 3600000; "
                                        "GetCallerIdentity by 222222222222; ");
    aws_account_unref(TAKE(account));
    aws_traffic_free(f.config.traffic);
    fixture_done(&f);
}

static void knows_lanes_by_account_and_region(void **state UNUSED)
{
    struct aws_traffic *traffic = aws_traffic_new(NULL);
    struct aws_lane *lane = aws_traffic_lane(traffic, "111111111111", "a");

    assert_ptr_equal(aws_traffic_lane(traffic, "111111111111", "a"), lane);
    assert_ptr_not_equal(aws_traffic_lane(traffic, "111111111111", "b"), lane);
    assert_ptr_not_equal(aws_traffic_lane(traffic, "222222222222", "a"), lane);
    assert_ptr_not_equal(aws_traffic_lane(traffic, NULL, "a"), lane);
    assert_ptr_equal(aws_traffic_lane(traffic, NULL, "a"), aws_traffic_lane(traffic, NULL, "a"));
    aws_traffic_free(traffic);
}

int main(void)
{
    struct tests tests = {0};

    TEST(&tests, hears_of_the_own_identity);
    TEST(&tests, knows_lanes_by_account_and_region);
    return tests_run(&tests, "traffic");
}
