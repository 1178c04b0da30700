/* Prints the endpoint of every service in every Region given, with and without FIPS and dual-stack, one per
 * line: service, Region, FIPS, dual-stack, URL, Region to sign for. For endpoint_botocore.py. */
#include <stdio.h>

#include "pkg/aws/config.h"

static void print_one(enum aws_service service, const char *region, const struct aws_config *config)
{
    AUTO_ENDPOINT struct aws_endpoint endpoint = {0};
    AUTO_ERR struct err *err = aws_endpoint_resolve(config, service, region, &endpoint);

    printf("%s %s %d %d %s %s\n", aws_service_info(service)->name, region, config->use_fips,
           config->use_dual_stack, err ? "-" : endpoint.base_url, err ? "-" : endpoint.region);
}

int main(int argc, char **argv)
{
    for (int service = 0; service < AWS_SERVICE_COUNT; service++) {
        for (int i = 1; i < argc; i++) {
            for (int flags = 0; flags < 4; flags++)
                print_one((enum aws_service)service, argv[i],
                          &(struct aws_config){.use_fips = flags & 1, .use_dual_stack = flags & 2});
        }
    }
    return 0;
}
