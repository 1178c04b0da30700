#include "pkg/aws/config.h"

#include "tests/testing/assertions.h"

struct row {
    const char *name;
    enum aws_service service;
    const char *region;
    const char *endpoint_url, *backup_url; /* overrides */
    bool use_fips, use_dual_stack;
    const char *base_url, *host, *signed_for;
    const char *fails;
};

static const struct row rows[] = {
    {.name = "plain",
     .service = AWS_BACKUP,
     .region = "ap-northeast-1",
     .base_url = "https://backup.ap-northeast-1.amazonaws.com",
     .host = "backup.ap-northeast-1.amazonaws.com"},
    {.name = "another prefix than name",
     .service = AWS_SFN,
     .region = "eu-central-1",
     .base_url = "https://states.eu-central-1.amazonaws.com",
     .host = "states.eu-central-1.amazonaws.com"},
    {.name = "China",
     .service = AWS_RDS,
     .region = "cn-north-1",
     .base_url = "https://rds.cn-north-1.amazonaws.com.cn",
     .host = "rds.cn-north-1.amazonaws.com.cn"},
    {.name = "GovCloud",
     .service = AWS_RDS,
     .region = "us-gov-west-1",
     .base_url = "https://rds.us-gov-west-1.amazonaws.com",
     .host = "rds.us-gov-west-1.amazonaws.com"},
    {.name = "European sovereign cloud",
     .service = AWS_RDS,
     .region = "eusc-de-east-1",
     .base_url = "https://rds.eusc-de-east-1.amazonaws.eu",
     .host = "rds.eusc-de-east-1.amazonaws.eu"},
    {.name = "IAM is global",
     .service = AWS_IAM,
     .region = "ap-northeast-1",
     .base_url = "https://iam.amazonaws.com",
     .host = "iam.amazonaws.com",
     .signed_for = "us-east-1"},
    {.name = "IAM in China",
     .service = AWS_IAM,
     .region = "cn-northwest-1",
     .base_url = "https://iam.cn-north-1.amazonaws.com.cn",
     .host = "iam.cn-north-1.amazonaws.com.cn",
     .signed_for = "cn-north-1"},
    {.name = "IAM in GovCloud",
     .service = AWS_IAM,
     .region = "us-gov-east-1",
     .base_url = "https://iam.us-gov.amazonaws.com",
     .host = "iam.us-gov.amazonaws.com",
     .signed_for = "us-gov-west-1"},
    {.name = "FIPS",
     .service = AWS_STS,
     .region = "us-east-1",
     .use_fips = true,
     .base_url = "https://sts-fips.us-east-1.amazonaws.com",
     .host = "sts-fips.us-east-1.amazonaws.com"},
    {.name = "FIPS in GovCloud",
     .service = AWS_STS,
     .region = "us-gov-east-1",
     .use_fips = true,
     .base_url = "https://sts.us-gov-east-1.amazonaws.com",
     .host = "sts.us-gov-east-1.amazonaws.com"},
    {.name = "dual-stack at the same host, in China",
     .service = AWS_SECRETS_MANAGER,
     .region = "cn-north-1",
     .use_dual_stack = true,
     .base_url = "https://secretsmanager.cn-north-1.amazonaws.com.cn",
     .host = "secretsmanager.cn-north-1.amazonaws.com.cn"},
    {.name = "IAM, FIPS and dual-stack",
     .service = AWS_IAM,
     .region = "eu-central-1",
     .use_fips = true,
     .use_dual_stack = true,
     .base_url = "https://iam-fips.global.api.aws",
     .host = "iam-fips.global.api.aws",
     .signed_for = "us-east-1"},
    {.name = "dual-stack",
     .service = AWS_ECS,
     .region = "us-east-1",
     .use_dual_stack = true,
     .base_url = "https://ecs.us-east-1.api.aws",
     .host = "ecs.us-east-1.api.aws"},
    {.name = "override",
     .service = AWS_RDS,
     .region = "eu-central-1",
     .endpoint_url = "http://127.0.0.1:4566/",
     .base_url = "http://127.0.0.1:4566",
     .host = "127.0.0.1:4566"},
    {.name = "override of one service wins",
     .service = AWS_BACKUP,
     .region = "eu-central-1",
     .endpoint_url = "http://127.0.0.1:4566",
     .backup_url = "https://backup.example.test:8443/aws",
     .base_url = "https://backup.example.test:8443/aws",
     .host = "backup.example.test:8443"},
    {.name = "default port is not in Host",
     .service = AWS_BACKUP,
     .region = "eu-central-1",
     .endpoint_url = "https://example.test:443",
     .base_url = "https://example.test:443",
     .host = "example.test"},
    {.name = "IPv6 loopback",
     .service = AWS_BACKUP,
     .region = "eu-central-1",
     .endpoint_url = "http://[::1]:80",
     .base_url = "http://[::1]:80",
     .host = "[::1]"},
    {.name = "plain http elsewhere",
     .service = AWS_RDS,
     .region = "eu-central-1",
     .endpoint_url = "http://example.test",
     .fails = "loopback addresses only"},
    {.name = "loopback only by its look",
     .service = AWS_RDS,
     .region = "eu-central-1",
     .endpoint_url = "http://127.0.0.1.example.test",
     .fails = "loopback addresses only"},
    {.name = "override with a query",
     .service = AWS_RDS,
     .region = "eu-central-1",
     .endpoint_url = "https://example.test/?a=b",
     .fails = "query"},
    {.name = "override that is none",
     .service = AWS_RDS,
     .region = "eu-central-1",
     .endpoint_url = "example.test",
     .fails = "endpoint URL"},
    {.name = "no Region", .service = AWS_RDS, .region = NULL, .fails = "no AWS Region"},
    {.name = "a Region that is a host",
     .service = AWS_RDS,
     .region = "evil.test/",
     .fails = "not an AWS Region"},
};

static void resolves(void **state)
{
    const struct row *row = *state;
    AUTO_AWS_CONFIG struct aws_config config = {.use_fips = row->use_fips,
                                                .use_dual_stack = row->use_dual_stack};
    AUTO_ENDPOINT struct aws_endpoint endpoint = {0};

    config.endpoint_url = xstrdup_or_null(row->endpoint_url);
    config.service_endpoint_urls[AWS_BACKUP] = xstrdup_or_null(row->backup_url);
    if (row->fails) {
        assert_fails(aws_endpoint_resolve(&config, row->service, row->region, &endpoint), ERR_INVALID,
                     row->fails);
        return;
    }
    assert_no_err(aws_endpoint_resolve(&config, row->service, row->region, &endpoint));
    assert_text_equal(endpoint.base_url, row->base_url);
    assert_text_equal(endpoint.host, row->host);
    assert_text_equal(endpoint.region, row->signed_for ? row->signed_for : row->region);
}

static void has_every_service(void **state)
{
    (void)state;
    for (int i = 0; i < AWS_SERVICE_COUNT; i++) {
        const struct aws_service_info *info = aws_service_info((enum aws_service)i);

        assert_non_null(info->id);
        assert_non_null(info->name);
        assert_non_null(info->prefix);
        assert_non_null(info->signing_name);
        assert_non_null(info->content_type);
        assert_int_equal(info->protocol == AWS_QUERY, info->version != NULL);
        assert_int_equal(info->protocol == AWS_JSON, info->target_prefix != NULL);
    }
}

int main(void)
{
    struct tests tests = {0};

    TEST_ROWS(&tests, resolves, rows);
    TEST(&tests, has_every_service);
    return tests_run(&tests, "endpoint");
}
