/* What the AWS client is told from outside, as a value. Nothing below reads the process environment. */
#ifndef AWS_CONFIG_H
#define AWS_CONFIG_H

#include "pkg/aws/endpoint.h"
#include "pkg/base/secret.h"

struct aws_traffic;

struct aws_config {
    char *region;                                   /* of the controller itself; accounts name their own */
    char *endpoint_url;                             /* for every service; NULL: AWS itself */
    char *service_endpoint_urls[AWS_SERVICE_COUNT]; /* win over endpoint_url */
    bool ignore_endpoint_urls; /* they were dropped, and those of the shared files do not count either */
    bool use_fips;
    bool use_dual_stack;
    char *ca_bundle;      /* file with the roots to trust, instead of the system's */
    int64_t max_attempts; /* of one call, the first included; 0: not said */

    char *access_key_id; /* AWS_ACCESS_KEY_ID and its companions */
    struct secret *secret_access_key;
    struct secret *session_token;
    int64_t credential_expiration_ms; /* wall clock; 0: not said */

    char *role_arn; /* web identity (IRSA): all three */
    char *role_session_name;
    char *web_identity_token_file;

    char *container_relative_uri; /* ECS and EKS Pod Identity */
    char *container_full_uri;
    struct secret *container_token;
    char *container_token_file;

    bool metadata_disabled;     /* AWS_EC2_METADATA_DISABLED: the instance's role does not count */
    bool metadata_ipv6;         /* AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE */
    char *metadata_endpoint;    /* AWS_EC2_METADATA_SERVICE_ENDPOINT; wins over the mode */
    int64_t metadata_timeout_s; /* AWS_METADATA_SERVICE_TIMEOUT: of one request; 0: not said */
    int64_t metadata_attempts;  /* AWS_METADATA_SERVICE_NUM_ATTEMPTS, the first included; 0: not said */

    uint64_t said; /* config.c's: what the environment said, so that no profile says otherwise */

    char *profile; /* shared files */
    char *credentials_file;
    char *config_file;

    struct aws_traffic
        *traffic; /* what all who call with this share; borrowed; NULL: each learns for itself */

    char *
        *environment; /* what programs that print credentials are started with, up to NULL: all but secrets */
};

/* Pure: takes "NAME=value" entries up to NULL, ignores what it does not know. Empty values count as absent,
 * as the SDKs have it, and the names of the shared files may begin with ~. ERR_INVALID names a variable whose
 * value makes no sense; a secret's value is never quoted. */
struct err *aws_config_from_environ(char *const *entries, struct aws_config *ret) MUST_USE;
/* Fills in what the chosen profile of the shared files says, where the environment said nothing: Region,
 * endpoints, roots to trust, attempts, the metadata service. Whose credentials it names is the business of
 * credentials.h. Missing files are fine. ERR_INVALID: a file that cannot be parsed, a value that makes no
 * sense, or a profile asked for by name that is nowhere. */
struct err *aws_config_add_profile(struct aws_config *config) MUST_USE;
void aws_config_done(struct aws_config *config);
#define AUTO_AWS_CONFIG CLEANUP(aws_config_done)

#endif
