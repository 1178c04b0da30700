#include "controller/steps/cluster_properties.h"

#include <stdlib.h>

#include "controller/steps/protection.h"

#define GROUPS_MAX 16
#define LOGS_MAX 16

void cluster_facts_done(struct cluster_facts *facts)
{
    rds_cluster_done(&facts->cluster);
    rds_instances_done(&facts->instances);
}

struct err *cluster_facts_read(const struct aws_client *aws, const char *id, struct cluster_facts *ret)
{
    AUTO_CLUSTER_FACTS struct cluster_facts facts = {0};

    TRY(rds_describe_cluster(aws, id, &facts.cluster));
    TRY(rds_list_instances(aws, facts.cluster.id, &facts.instances));
    *ret = facts;
    facts = (struct cluster_facts){0};
    return NULL;
}

const struct rds_instance *cluster_facts_instance(const struct cluster_facts *facts, const char *name)
{
    AUTO_FREE char *id = xasprintf("%s-%s", facts->cluster.id, name);

    for (size_t i = 0; i < facts->instances.count; i++) {
        if (text_equal(facts->instances.items[i].id, id))
            return &facts->instances.items[i];
    }
    return NULL;
}

static const struct aurora_spec *spec_of(const struct sides *sides)
{
    return &sides->stage->database->aurora;
}

static const struct rds_cluster *cluster_of(const void *facts)
{
    return &((const struct cluster_facts *)facts)->cluster;
}

static struct err *modify(const struct sides *sides, struct rds_modify_opts opts)
{
    opts.cluster_id = sides->stage->copy->copy_identifier;
    return rds_modify_cluster(&sides->stage->pass->target, &opts, NULL);
}

/* --- network --- */

static char *asked_groups(const struct sides *sides)
{
    const struct aurora_spec *spec = spec_of(sides);

    return spec->security_group_count
               ? text_join((const char *const *)spec->security_groups, spec->security_group_count)
               : NULL;
}

static char *groups_of(const void *facts)
{
    const struct aws_texts *groups = &cluster_of(facts)->security_group_ids;

    return text_join((const char *const *)groups->items, groups->count);
}

static struct err *put_groups(const struct sides *sides, const char *wanted UNUSED)
{
    const struct aurora_spec *spec = spec_of(sides);

    return modify(sides,
                  (struct rds_modify_opts){.security_group_ids = (const char *const *)spec->security_groups,
                                           .security_group_count = spec->security_group_count});
}

static char *asked_subnets(const struct sides *sides)
{
    return xstrdup_or_null(spec_of(sides)->db_subnet_group);
}

static char *subnets_of(const void *facts)
{
    return xstrdup_or_null(cluster_of(facts)->subnet_group);
}

static char *asked_port(const struct sides *sides)
{
    return spec_of(sides)->port > 0 ? xasprintf("%lld", (long long)spec_of(sides)->port) : NULL;
}

static char *port_of(const void *facts)
{
    return xasprintf("%d", cluster_of(facts)->port);
}

/* --- engine and key --- */

/* The source's: what the copy was to be restored with. */
static char *asked_version(const struct sides *sides)
{
    return xstrdup_or_null(sides->stage->copy->engine_version);
}

static char *version_of(const void *facts)
{
    return xstrdup_or_null(cluster_of(facts)->engine_version);
}

static char *asked_key(const struct sides *sides)
{
    return xstrdup_or_null(sides->kms_key);
}

static char *key_of(const void *facts)
{
    const char *key = cluster_of(facts)->kms_key_id;

    return xstrdup(key ? key : "none");
}

/* --- parameters --- */

static char *asked_parameters(const struct sides *sides)
{
    return xstrdup_or_null(spec_of(sides)->cluster_parameter_group);
}

static char *parameters_of(const void *facts)
{
    return xstrdup_or_null(cluster_of(facts)->parameter_group);
}

static struct err *put_parameters(const struct sides *sides, const char *wanted)
{
    return modify(sides, (struct rds_modify_opts){.parameter_group = wanted});
}

#define IN_FORCE "in force"

static char *asked_in_force(const struct sides *sides)
{
    return spec_of(sides)->cluster_parameter_group ? xstrdup(IN_FORCE) : NULL;
}

static const struct rds_member *next_to_reboot(const struct rds_cluster *cluster)
{
    for (size_t i = 0; i < cluster->member_count; i++) {
        if (text_equal(cluster->members[i].parameter_group_status, "pending-reboot"))
            return &cluster->members[i];
    }
    return NULL;
}

static char *in_force_of(const void *facts)
{
    const struct rds_member *member = next_to_reboot(cluster_of(facts));

    return member ? xasprintf("awaiting a reboot of %s", member->instance_id) : xstrdup(IN_FORCE);
}

/* Nobody uses the copy yet. */
static struct err *reboot(const struct sides *sides, const char *wanted UNUSED)
{
    const struct rds_member *member = next_to_reboot(cluster_of(sides->is));

    return member ? rds_reboot_instance(&sides->stage->pass->target, member->instance_id) : NULL;
}

/* --- what a restore leaves at its defaults --- */

static char *asked_retention(const struct sides *sides)
{
    int64_t days = spec_of(sides)->backup_retention_days;

    return days > 0 ? xasprintf("%lld", (long long)days) : NULL;
}

static char *retention_of(const void *facts)
{
    return xasprintf("%d", cluster_of(facts)->backup_retention_days);
}

static struct err *put_retention(const struct sides *sides, const char *wanted UNUSED)
{
    return modify(
        sides, (struct rds_modify_opts){.backup_retention_days = (int)spec_of(sides)->backup_retention_days});
}

static char *asked_protection(const struct sides *sides)
{
    return spec_of(sides)->deletion_protection == UNSET
               ? NULL
               : text_switch(spec_of(sides)->deletion_protection == YES);
}

static char *protection_of(const void *facts)
{
    return text_switch(cluster_of(facts)->deletion_protection);
}

static enum rds_switch switch_of(const char *wanted)
{
    return text_equal(wanted, "on") ? RDS_ON : RDS_OFF;
}

static struct err *put_protection(const struct sides *sides, const char *wanted)
{
    if (text_equal(wanted, "on") && protection_record(sides->stage))
        return NULL;
    return modify(sides, (struct rds_modify_opts){.deletion_protection = switch_of(wanted)});
}

static char *iam_of(const void *facts)
{
    return text_switch(cluster_of(facts)->iam_authentication);
}

static struct err *put_iam(const struct sides *sides, const char *wanted)
{
    return modify(sides, (struct rds_modify_opts){.iam_authentication = switch_of(wanted)});
}

static char *logs_of(const void *facts)
{
    const struct aws_texts *logs = &cluster_of(facts)->log_exports;

    return text_join((const char *const *)logs->items, logs->count);
}

/* Gives the owned texts of `text` that `other` lacks. */
static size_t take_parts(const char *text, const char *other, char **ret)
{
    struct str parts[LOGS_MAX];
    size_t count = text_parts(text, other, parts, LOGS_MAX);

    for (size_t i = 0; i < count; i++)
        ret[i] = str_dup(parts[i]);
    return count;
}

static struct err *put_logs(const struct sides *sides, const char *wanted)
{
    AUTO_FREE char *is = logs_of(sides->is);
    char *on[LOGS_MAX], *off[LOGS_MAX];
    size_t on_count = take_parts(wanted, is, on), off_count = take_parts(is, wanted, off);
    struct err *err = modify(sides, (struct rds_modify_opts){.logs_on = (const char *const *)on,
                                                             .logs_on_count = on_count,
                                                             .logs_off = (const char *const *)off,
                                                             .logs_off_count = off_count});

    for (size_t i = 0; i < on_count; i++)
        xfree(on[i]);
    for (size_t i = 0; i < off_count; i++)
        xfree(off[i]);
    return err;
}

/* In capacity units: "0.5 to 8". */
static char *asked_scaling(const struct sides *sides)
{
    const struct aurora_spec *spec = spec_of(sides);

    return spec->max_acu ? xasprintf("%g to %g", strtod(spec->min_acu, NULL), strtod(spec->max_acu, NULL))
                         : NULL;
}

static char *scaling_of(const void *facts)
{
    const struct rds_cluster *cluster = cluster_of(facts);

    return cluster->max_acu > 0 ? xasprintf("%g to %g", cluster->min_acu, cluster->max_acu) : xstrdup("none");
}

static struct err *put_scaling(const struct sides *sides, const char *wanted UNUSED)
{
    return modify(sides, (struct rds_modify_opts){.min_acu = spec_of(sides)->min_acu,
                                                  .max_acu = spec_of(sides)->max_acu});
}

static char *asked_count(const struct sides *sides)
{
    return xasprintf("%zu", spec_of(sides)->instance_count);
}

static char *count_of(const void *facts)
{
    return xasprintf("%zu", ((const struct cluster_facts *)facts)->instances.count);
}

/* clang-format off */
static const struct property cluster_rows[] = {
    {.name = "security groups",         .asked = asked_groups,     .of = groups_of,     .put_right = put_groups},
    {.name = "subnet group",            .asked = asked_subnets,    .of = subnets_of},
    {.name = "port",                    .asked = asked_port,       .of = port_of},
    {.name = "engine version",          .asked = asked_version,    .of = version_of},
    {.name = "key",                     .asked = asked_key,        .of = key_of},
    {.name = "cluster parameter group", .asked = asked_parameters, .of = parameters_of, .put_right = put_parameters},
    {.name = "parameter group's state", .asked = asked_in_force,   .of = in_force_of,   .put_right = reboot},
    {.name = "backup retention in days", .asked = asked_retention, .of = retention_of,  .put_right = put_retention},
    {.name = "serverless capacity",     .asked = asked_scaling,    .of = scaling_of,    .put_right = put_scaling},
    {.name = "IAM authentication",      .follows = true,           .of = iam_of,        .put_right = put_iam},
    {.name = "log exports",             .follows = true,           .of = logs_of,       .put_right = put_logs},
    {.name = "number of instances",     .asked = asked_count,      .of = count_of},
    {.name = "deletion protection",     .asked = asked_protection, .of = protection_of, .put_right = put_protection},
};
/* clang-format on */

const struct property_table cluster_properties = {.rows = cluster_rows, .count = COUNT_OF(cluster_rows)};

/* --- instances --- */

static const struct instance_spec *instance_spec(const struct sides *sides)
{
    return sides->part;
}

static const struct rds_instance *instance_of(const void *facts)
{
    return facts;
}

static char *asked_class(const struct sides *sides)
{
    return xstrdup_or_null(instance_spec(sides)->class);
}

static char *class_of(const void *facts)
{
    return xstrdup_or_null(instance_of(facts)->class_name);
}

static char *asked_tier(const struct sides *sides)
{
    int64_t tier = instance_spec(sides)->promotion_tier;

    return tier >= 0 ? xasprintf("%lld", (long long)tier) : NULL;
}

static char *tier_of(const void *facts)
{
    return xasprintf("%d", instance_of(facts)->promotion_tier);
}

static char *asked_instance_parameters(const struct sides *sides)
{
    return xstrdup_or_null(instance_spec(sides)->parameter_group);
}

static char *instance_parameters_of(const void *facts)
{
    return xstrdup_or_null(instance_of(facts)->parameter_group);
}

static char *asked_reach(const struct sides *sides UNUSED)
{
    return xstrdup("private");
}

static char *reach_of(const void *facts)
{
    return xstrdup(instance_of(facts)->is_public ? "public" : "private");
}

/* Made by us a moment ago: what differs was changed by somebody, and is not changed back. */
static const struct property instance_rows[] = {
    {.name = "class", .asked = asked_class, .of = class_of},
    {.name = "promotion tier", .asked = asked_tier, .of = tier_of},
    {.name = "parameter group", .asked = asked_instance_parameters, .of = instance_parameters_of},
    {.name = "access", .asked = asked_reach, .of = reach_of},
};

const struct property_table instance_properties = {.rows = instance_rows, .count = COUNT_OF(instance_rows)};
