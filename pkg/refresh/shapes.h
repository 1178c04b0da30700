/* How names are spelt: the patterns of the two CustomResourceDefinitions as values, each with the words that
 * tell a person what is wanted. A test holds them against the patterns in crds/. */
#ifndef REFRESH_SHAPES_H
#define REFRESH_SHAPES_H

#include "pkg/base/str.h"

/* Sets are written as in tr(1): "a-z0-9_.-", a hyphen that means itself comes last. */
struct shape {
    const char *must;         /* "must be ..." */
    const char *prefix;       /* what it begins with; the rest is as follows */
    const char *chars;        /* what a piece is made of */
    const char *start;        /* set of the first character of all; NULL: any of chars */
    const char *edge;         /* set of the first and the last character of each piece; NULL: any of chars */
    const char *joints;       /* characters that stand between two pieces, never empty ones */
    size_t max_pieces;        /* 0: any number */
    size_t min, max;          /* length behind the prefix; max 0: any */
    bool (*fits)(struct str); /* instead of, or on top of, all that */
};

bool shape_fits(const struct shape *shape, struct str text);

extern const struct shape shape_label;          /* main, mask-data */
extern const struct shape shape_subdomain;      /* metadata.name */
extern const struct shape shape_series;         /* a label with dots */
extern const struct shape shape_rds_name;       /* shop-stg */
extern const struct shape shape_instance_name;  /* a, 1, r-2 */
extern const struct shape shape_instance_class; /* db.r6g.large */
extern const struct shape shape_subnet_group;
extern const struct shape shape_security_group;
extern const struct shape shape_parameter_group;
extern const struct shape shape_proxy_name;
extern const struct shape shape_table_name;
extern const struct shape shape_table_prefix;
extern const struct shape shape_capacity; /* "0.5" */
extern const struct shape shape_key_arn;
extern const struct shape shape_role_arn;
extern const struct shape shape_external_id;
extern const struct shape shape_account_id;
extern const struct shape shape_region;
extern const struct shape shape_zone; /* ap-northeast-1a */
extern const struct shape shape_vault_name;
extern const struct shape shape_queue_url;
extern const struct shape shape_secret_id;
extern const struct shape shape_config_key;
extern const struct shape shape_ssm_name;
extern const struct shape shape_function_name;
extern const struct shape shape_aws_name; /* ECS clusters and services, state machines */
extern const struct shape shape_bus_name;
extern const struct shape shape_webhook_url;
extern const struct shape shape_webhook_grant; /* the same with "*" behind the first "/" of the path */
extern const struct shape shape_duration;      /* 1h30m */
extern const struct shape shape_clock_time;
extern const struct shape shape_time_zone;

#endif
