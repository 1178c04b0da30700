#include "pkg/aws/endpoint.h"

#include "pkg/aws/config.h"
#include "pkg/base/buf.h"
#include "pkg/http/url.h"

#define FORM "application/x-www-form-urlencoded; charset=utf-8"
#define JSON_10 "application/x-amz-json-1.0"
#define JSON_11 "application/x-amz-json-1.1"
#define HOST_MAX 255

/* clang-format off */
static const struct aws_service_info services[AWS_SERVICE_COUNT] = {
    [AWS_BACKUP] = {
        .id = "BACKUP", .name = "backup", .prefix = "backup", .signing_name = "backup",
        .protocol = AWS_REST_JSON, .content_type = "application/json",
    },
    [AWS_RDS] = {
        .id = "RDS", .name = "rds", .prefix = "rds", .signing_name = "rds",
        .protocol = AWS_QUERY, .version = "2014-10-31", .content_type = FORM,
    },
    [AWS_DYNAMODB] = {
        .id = "DYNAMODB", .name = "dynamodb", .prefix = "dynamodb", .signing_name = "dynamodb",
        .protocol = AWS_JSON, .target_prefix = "DynamoDB_20120810.", .content_type = JSON_10,
    },
    [AWS_STS] = {
        .id = "STS", .name = "sts", .prefix = "sts", .signing_name = "sts",
        .protocol = AWS_QUERY, .version = "2011-06-15", .content_type = FORM,
    },
    [AWS_SSM] = {
        .id = "SSM", .name = "ssm", .prefix = "ssm", .signing_name = "ssm",
        .protocol = AWS_JSON, .target_prefix = "AmazonSSM.", .content_type = JSON_11,
    },
    [AWS_SECRETS_MANAGER] = {
        .id = "SECRETS_MANAGER", .name = "secretsmanager", .prefix = "secretsmanager", .signing_name = "secretsmanager",
        .protocol = AWS_JSON, .target_prefix = "secretsmanager.", .content_type = JSON_11,
    },
    [AWS_ECS] = {
        .id = "ECS", .name = "ecs", .prefix = "ecs", .signing_name = "ecs",
        .protocol = AWS_JSON, .target_prefix = "AmazonEC2ContainerServiceV20141113.", .content_type = JSON_11,
    },
    [AWS_KMS] = {
        .id = "KMS", .name = "kms", .prefix = "kms", .signing_name = "kms",
        .protocol = AWS_JSON, .target_prefix = "TrentService.", .content_type = JSON_11,
    },
    [AWS_IAM] = {
        .id = "IAM", .name = "iam", .prefix = "iam", .signing_name = "iam",
        .protocol = AWS_QUERY, .version = "2010-05-08", .content_type = FORM, .is_global = true,
    },
    [AWS_LAMBDA] = {
        .id = "LAMBDA", .name = "lambda", .prefix = "lambda", .signing_name = "lambda",
        .protocol = AWS_REST_JSON, .content_type = "application/json",
    },
    [AWS_SFN] = {
        .id = "SFN", .name = "stepfunctions", .prefix = "states", .signing_name = "states",
        .protocol = AWS_JSON, .target_prefix = "AWSStepFunctions.", .content_type = JSON_10,
    },
    [AWS_SQS] = {
        .id = "SQS", .name = "sqs", .prefix = "sqs", .signing_name = "sqs",
        .protocol = AWS_JSON, .target_prefix = "AmazonSQS.", .content_type = JSON_10,
    },
    [AWS_SNS] = {
        .id = "SNS", .name = "sns", .prefix = "sns", .signing_name = "sns",
        .protocol = AWS_QUERY, .version = "2010-03-31", .content_type = FORM,
    },
    [AWS_EVENTBRIDGE] = {
        .id = "EVENTBRIDGE", .name = "events", .prefix = "events", .signing_name = "events",
        .protocol = AWS_JSON, .target_prefix = "AWSEvents.", .content_type = JSON_11,
    },
    [AWS_AUTO_SCALING] = {
        .id = "APPLICATION_AUTO_SCALING", .name = "application-autoscaling", .prefix = "application-autoscaling",
        .signing_name = "application-autoscaling",
        .protocol = AWS_JSON, .target_prefix = "AnyScaleFrontendService.", .content_type = JSON_11,
    },
};

/* The first whose prefix fits; the last fits everything. */
static const struct {
    const char *region_prefix;
    struct aws_partition partition;
} partitions[] = {
    {"cn-", {.id = "aws-cn", .dns_suffix = "amazonaws.com.cn", .dual_stack_suffix = "api.amazonwebservices.com.cn",
             .global_region = "cn-north-1"}},
    {"us-gov-", {.id = "aws-us-gov", .dns_suffix = "amazonaws.com", .dual_stack_suffix = "api.aws",
                 .global_region = "us-gov-west-1"}},
    {"eusc-", {.id = "aws-eusc", .dns_suffix = "amazonaws.eu", .dual_stack_suffix = "api.amazonwebservices.eu",
               .global_region = "eusc-de-east-1"}},
    {"", {.id = "aws", .dns_suffix = "amazonaws.com", .dual_stack_suffix = "api.aws", .global_region = "us-east-1"}},
};
/* clang-format on */

const struct aws_service_info *aws_service_info(enum aws_service service)
{
    return &services[service];
}

const struct aws_partition *aws_partition_of(const char *region)
{
    size_t i = 0;

    while (!str_starts(str_of(region), partitions[i].region_prefix))
        i++;
    return &partitions[i].partition;
}

void aws_endpoint_done(struct aws_endpoint *endpoint)
{
    xfree(endpoint->base_url);
    xfree(endpoint->host);
    xfree(endpoint->region);
    *endpoint = (struct aws_endpoint){0};
}

/* A Region becomes part of a host name. */
static bool is_label(const char *text)
{
    size_t len = strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789-");

    return len > 0 && len <= 63 && text[len] == '\0';
}

/* Which endpoints of a service a row is about. */
#define PLAIN (1U << 0)
#define FIPS (1U << 1)
#define DUAL (1U << 2)
#define FIPS_DUAL (1U << 3)

/* Where a host is not <prefix>[-fips].<region>.<suffix>, as botocore's rules have it
 * (endpoint-rule-set-1.json of each service). The first row that fits counts; `*` is the Region. */
/* clang-format off */
static const struct host_rule {
    enum aws_service service;
    const char *region_prefix;
    unsigned variants;
    const char *host;
    const char *signed_for; /* NULL: the Region, or the partition's for global services */
} host_rules[] = {
    /* What GovCloud has always had is FIPS already. */
    {AWS_STS,             "us-gov-", FIPS,      "sts.*.amazonaws.com", NULL},
    {AWS_RDS,             "us-gov-", FIPS,      "rds.*.amazonaws.com", NULL},
    {AWS_DYNAMODB,        "us-gov-", FIPS,      "dynamodb.*.amazonaws.com", NULL},
    {AWS_SSM,             "us-gov-", FIPS,      "ssm.*.amazonaws.com", NULL},
    {AWS_SQS,             "us-gov-", FIPS,      "sqs.*.amazonaws.com", NULL},
    {AWS_SNS,             "us-gov-", FIPS,      "sns.*.amazonaws.com", NULL},
    {AWS_AUTO_SCALING,    "us-gov-", FIPS,      "application-autoscaling.*.amazonaws.com", NULL},
    {AWS_EVENTBRIDGE,     "us-gov-", FIPS,      "events.*.amazonaws.com", NULL},
    {AWS_EVENTBRIDGE,     "us-gov-", FIPS_DUAL, "events.*.api.aws", NULL},
    {AWS_SFN,             "us-gov-west-1", FIPS, "states.*.amazonaws.com", NULL},
    {AWS_SFN,             "us-gov-", DUAL,      "states-fips.*.api.aws", NULL},

    /* Both at one host. */
    {AWS_SECRETS_MANAGER, "cn-",     DUAL,      "secretsmanager.*.amazonaws.com.cn", NULL},
    {AWS_SECRETS_MANAGER, "cn-",     FIPS_DUAL, "secretsmanager-fips.*.api.amazonwebservices.com.cn", NULL},
    {AWS_SECRETS_MANAGER, "eusc-",   DUAL,      "secretsmanager.*.api.amazonwebservices.eu", NULL},
    {AWS_SECRETS_MANAGER, "eusc-",   FIPS_DUAL, "secretsmanager-fips.*.api.amazonwebservices.eu", NULL},
    {AWS_SECRETS_MANAGER, "",        DUAL,      "secretsmanager.*.amazonaws.com", NULL},
    {AWS_SECRETS_MANAGER, "",        FIPS_DUAL, "secretsmanager-fips.*.amazonaws.com", NULL},

    /* One for all Regions of a partition. */
    {AWS_IAM, "cn-",     PLAIN,            "iam.cn-north-1.amazonaws.com.cn", NULL},
    {AWS_IAM, "cn-",     DUAL,             "iam.global.api.amazonwebservices.com.cn", NULL},
    {AWS_IAM, "cn-",     FIPS,             "iam-fips.amazonaws.com.cn", "cn-northwest-1"},
    {AWS_IAM, "cn-",     FIPS_DUAL,        "iam-fips.api.amazonwebservices.com.cn", "cn-northwest-1"},
    {AWS_IAM, "us-gov-", PLAIN | FIPS,     "iam.us-gov.amazonaws.com", NULL},
    {AWS_IAM, "us-gov-", DUAL | FIPS_DUAL, "iam.us-gov.api.aws", NULL},
    {AWS_IAM, "eusc-",   PLAIN,            "iam.eusc-de-east-1.amazonaws.eu", NULL},
    {AWS_IAM, "eusc-",   DUAL,             "iam.api.amazonwebservices.eu", NULL},
    {AWS_IAM, "eusc-",   FIPS,             "iam-fips.amazonaws.eu", NULL},
    {AWS_IAM, "eusc-",   FIPS_DUAL,        "iam-fips.api.amazonwebservices.eu", NULL},
    {AWS_IAM, "",        PLAIN,            "iam.amazonaws.com", NULL},
    {AWS_IAM, "",        DUAL,             "iam.global.api.aws", NULL},
    {AWS_IAM, "",        FIPS,             "iam-fips.amazonaws.com", NULL},
    {AWS_IAM, "",        FIPS_DUAL,        "iam-fips.global.api.aws", NULL},
};
/* clang-format on */

static unsigned variant_of(const struct aws_config *config)
{
    if (config->use_fips)
        return config->use_dual_stack ? FIPS_DUAL : FIPS;
    return config->use_dual_stack ? DUAL : PLAIN;
}

/* NULL: the host follows the pattern. */
static const struct host_rule *find_rule(const struct aws_config *config, enum aws_service service,
                                         const char *region)
{
    for (size_t i = 0; i < COUNT_OF(host_rules); i++) {
        const struct host_rule *rule = &host_rules[i];

        if (rule->service == service && (rule->variants & variant_of(config)) &&
            str_starts(str_of(region), rule->region_prefix))
            return rule;
    }
    return NULL;
}

static char *with_region(const char *host, const char *region)
{
    const char *mark = strchr(host, '*');

    return mark ? xasprintf("%.*s%s%s", (int)(mark - host), host, region, mark + 1) : xstrdup(host);
}

static void use_own(const struct aws_config *config, enum aws_service service, const char *region,
                    struct aws_endpoint *ret)
{
    const struct aws_partition *partition = aws_partition_of(region);
    const struct host_rule *rule = find_rule(config, service, region);

    if (rule)
        ret->host = with_region(rule->host, region);
    else
        ret->host = xasprintf("%s%s.%s.%s", services[service].prefix, config->use_fips ? "-fips" : "", region,
                              config->use_dual_stack ? partition->dual_stack_suffix : partition->dns_suffix);
    ret->base_url = xasprintf("https://%s", ret->host);
    ret->region = rule ? xstrdup_or_null(rule->signed_for) : NULL;
}

static char *host_header(const struct url *url, bool is_http)
{
    AUTO_BUF struct buf host = BUF_MAX(HOST_MAX + 16);

    if (url->is_ipv6)
        buf_addf(&host, "[" STR_FMT "]", STR_ARG(url->host));
    else
        buf_add_str(&host, url->host);
    if (url->port != (is_http ? 80 : 443))
        buf_addf(&host, ":%d", url->port);
    return buf_take(&host);
}

static struct err *use_override(const char *text, struct aws_endpoint *ret)
{
    struct str whole = str_of(text);
    struct url url;
    bool is_http;

    TRY(err_wrap(url_parse(text, &url), "endpoint URL %.200s", text));
    is_http = str_equal_nocase(url.scheme, STR("http"));
    if (is_http && !url_is_loopback(&url))
        return err_new(ERR_INVALID, "endpoint URL %.200s: plain http is accepted on loopback addresses only",
                       text);
    if (url.query.len || str_contains(whole, "?"))
        return err_new(ERR_INVALID, "endpoint URL %.200s: must not have a query", text);
    if (url.host.len > HOST_MAX)
        return err_new(ERR_INVALID, "endpoint URL %.200s: host name too long", text);
    while (whole.len && whole.ptr[whole.len - 1] == '/')
        whole.len--;
    ret->base_url = str_dup(whole);
    ret->host = host_header(&url, is_http);
    return NULL;
}

struct err *aws_endpoint_resolve(const struct aws_config *config, enum aws_service service,
                                 const char *region, struct aws_endpoint *ret)
{
    const struct aws_service_info *info = &services[service];
    const char *override = config->service_endpoint_urls[service];
    AUTO_ENDPOINT struct aws_endpoint endpoint = {0};

    if (text_is_empty(region))
        return err_new(ERR_INVALID, "no AWS Region is configured");
    if (!is_label(region))
        return err_new(ERR_INVALID, "not an AWS Region: \"%.80s\"", region);
    if (!override)
        override = config->endpoint_url;
    if (override)
        TRY(use_override(override, &endpoint));
    else
        use_own(config, service, region, &endpoint);
    if (!endpoint.region)
        endpoint.region = xstrdup(info->is_global ? aws_partition_of(region)->global_region : region);
    *ret = endpoint;
    endpoint = (struct aws_endpoint){0};
    return NULL;
}
