/* Where a service is and how its requests are spelled: one constant table of services, partitions, and the
 * rules for endpoint overrides. */
#ifndef AWS_ENDPOINT_H
#define AWS_ENDPOINT_H

#include "pkg/base/err.h"

enum aws_service {
    AWS_BACKUP,
    AWS_RDS,
    AWS_DYNAMODB,
    AWS_STS,
    AWS_SSM,
    AWS_SECRETS_MANAGER,
    AWS_ECS,
    AWS_KMS,
    AWS_IAM,
    AWS_LAMBDA,
    AWS_SFN,
    AWS_SQS,
    AWS_SNS,
    AWS_EVENTBRIDGE,
    AWS_AUTO_SCALING,
    AWS_SERVICE_COUNT,
};

enum aws_protocol { AWS_QUERY, AWS_JSON, AWS_REST_JSON };

struct aws_service_info {
    const char *id;           /* as in AWS_ENDPOINT_URL_<ID> */
    const char *name;         /* for people and logs: "backup" */
    const char *prefix;       /* first label of the host */
    const char *signing_name; /* in the credential scope */
    enum aws_protocol protocol;
    const char *version;       /* query: the Version parameter */
    const char *target_prefix; /* json: before the operation in X-Amz-Target */
    const char *content_type;
    bool is_global; /* one endpoint per partition, signed for one Region */
};

const struct aws_service_info *aws_service_info(enum aws_service service);

struct aws_partition {
    const char *id;                /* "aws", "aws-cn", ...: the second part of every ARN */
    const char *dns_suffix;        /* "amazonaws.com" */
    const char *dual_stack_suffix; /* "api.aws" */
    const char *global_region;     /* what global services are signed for */
};

/* By the Region's prefix; unknown Regions are of "aws". Never NULL. */
const struct aws_partition *aws_partition_of(const char *region);

struct aws_config;

struct aws_endpoint {
    char *base_url; /* scheme, host, port and maybe a path prefix; no slash at the end */
    char *host;     /* the Host header: with the port when it is not the scheme's own */
    char *region;   /* to sign for */
};

/* ERR_INVALID: no Region, a malformed override, or plain http to anything but a loopback address. */
struct err *aws_endpoint_resolve(const struct aws_config *config, enum aws_service service,
                                 const char *region, struct aws_endpoint *ret) MUST_USE;
void aws_endpoint_done(struct aws_endpoint *endpoint);
#define AUTO_ENDPOINT CLEANUP(aws_endpoint_done)

#endif
