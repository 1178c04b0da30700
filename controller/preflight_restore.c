/* What a restore into the target account needs to find there. Security groups are taken by their ids alone:
 * this controller does not speak to EC2. */
#include "controller/preflight.h"
#include "pkg/aws/kms.h"
#include "pkg/aws/rds.h"

static bool is_cluster(const struct refresh_spec *spec, const struct database_spec *database)
{
    (void)spec;
    return database->kind == DATABASE_AURORA;
}

static bool has_parameter_group(const struct refresh_spec *spec, const struct database_spec *database)
{
    return is_cluster(spec, database) && database->aurora.cluster_parameter_group;
}

static const char *key_of(const struct database_spec *database)
{
    return database->kind == DATABASE_AURORA ? database->aurora.kms_key : database->dynamodb.kms_key;
}

static bool has_key(const struct refresh_spec *spec, const struct database_spec *database)
{
    (void)spec;
    return key_of(database) != NULL;
}

static size_t instance_count(const struct refresh_spec *spec, const struct database_spec *database)
{
    (void)spec;
    return database->kind == DATABASE_AURORA ? database->aurora.instance_count : 0;
}

static char *subnet_subject(const struct inspection *in)
{
    return xasprintf("subnet group %s", in->database->aurora.db_subnet_group);
}

static char *parameter_subject(const struct inspection *in)
{
    return xasprintf("cluster parameter group %s", in->database->aurora.cluster_parameter_group);
}

static char *class_subject(const struct inspection *in)
{
    return xasprintf("class %s", in->database->aurora.instances[in->index].class);
}

static char *key_subject(const struct inspection *in)
{
    return xasprintf("key %s", key_of(in->database));
}

static struct err *look_at_subnets(const struct inspection *in)
{
    AUTO_RDS_SUBNET_GROUP struct rds_subnet_group group = {0};

    TRY(rds_describe_subnet_group(in->aws, in->database->aurora.db_subnet_group, &group));
    if (group.status && !text_equal(group.status, "Complete"))
        preflight_fail(in, "it is %s: see to its subnets", group.status);
    else
        preflight_ok(in, "it is there, in %s", group.vpc_id ? group.vpc_id : "some VPC");
    return NULL;
}

/* What the copy will be: as the source is now. *ret_known false: there is none to ask, or no permission. */
static struct err *find_source(const struct inspection *in, struct rds_cluster *ret, bool *ret_known)
{
    struct err *err;

    *ret_known = false;
    if (!in->preflight->source.account)
        return NULL;
    err = rds_describe_cluster(&in->preflight->source, in->database->aurora.cluster_identifier, ret);
    if (err && err_kind(err) != ERR_RETRY && err_kind(err) != ERR_CANCELED) {
        err_ignore(err, "another check says so");
        return NULL;
    }
    *ret_known = !err;
    return err;
}

/* "8.0.mysql_aurora.3.08.2" is of family aurora-mysql8.0, "16.4" of aurora-postgresql16. */
static char *family_of(const struct rds_cluster *cluster)
{
    struct str rest = str_of(cluster->engine_version), major = {0}, minor = {0};

    str_cut(&rest, '.', &major);
    if (text_equal(cluster->engine, "aurora-postgresql"))
        return xasprintf("%s" STR_FMT, cluster->engine, STR_ARG(major));
    str_cut(&rest, '.', &minor);
    return xasprintf("%s" STR_FMT "." STR_FMT, cluster->engine, STR_ARG(major), STR_ARG(minor));
}

static struct err *look_at_parameter_group(const struct inspection *in)
{
    AUTO_RDS_CLUSTER struct rds_cluster source = {0};
    AUTO_FREE char *family = NULL;
    AUTO_FREE char *wanted = NULL;
    bool known;

    TRY(rds_describe_cluster_parameter_group(in->aws, in->database->aurora.cluster_parameter_group, &family));
    TRY(find_source(in, &source, &known));
    wanted = known ? family_of(&source) : NULL;
    if (known && !text_equal(family, wanted))
        preflight_fail(in, "it is of family %s, and a copy of cluster %s needs one of %s", family, source.id,
                       wanted);
    else
        preflight_ok(in, "it is there, of family %s", family ? family : "unknown");
    return NULL;
}

static struct err *look_at_class(const struct inspection *in)
{
    const char *class = in->database->aurora.instances[in->index].class;
    AUTO_RDS_CLUSTER struct rds_cluster source = {0};
    bool known, orderable = false;

    TRY(find_source(in, &source, &known));
    if (!known) {
        preflight_unknown(in, "which engine it must run is known only from the recovery point");
        return NULL;
    }
    TRY(rds_class_is_orderable(in->aws, &source, class, &orderable));
    if (orderable)
        preflight_ok(in, "it can be had for %s %s", source.engine, source.engine_version);
    else
        preflight_fail(in, "%s does not offer it for %s %s: choose another class", in->account->region,
                       source.engine, source.engine_version);
    return NULL;
}

static struct err *look_at_key(const struct inspection *in)
{
    AUTO_KMS_KEY struct kms_key key = {0};

    TRY(kms_describe_key(in->aws, key_of(in->database), &key));
    if (!text_equal(key.state, "Enabled"))
        preflight_fail(in, "it is %s: enable it, or choose another one", key.state);
    else if (!text_equal(key.usage, "ENCRYPT_DECRYPT") || !text_equal(key.spec, "SYMMETRIC_DEFAULT"))
        preflight_fail(in, "it is for %s (%s): a database needs a symmetric key for encryption", key.usage,
                       key.spec);
    else
        preflight_ok(in, "it can be used");
    return NULL;
}

// clang-format off
static const struct preflight_check checks[] = {
    {.name = "SubnetGroup", .side = SIDE_TARGET, .is_optional = true, .per_database = true, .applies = is_cluster,
     .subject = subnet_subject, .look = look_at_subnets, .missing = "correct restore.dbSubnetGroupName, or make it"},
    {.name = "ParameterGroup", .side = SIDE_TARGET, .is_optional = true, .per_database = true,
     .applies = has_parameter_group, .subject = parameter_subject, .look = look_at_parameter_group,
     .missing = "correct restore.dbClusterParameterGroupName, or make it"},
    {.name = "InstanceClass", .side = SIDE_TARGET, .is_optional = true, .per_database = true, .applies = is_cluster,
     .count = instance_count, .subject = class_subject, .look = look_at_class},
    {.name = "RestoreKey", .side = SIDE_TARGET, .is_optional = true, .per_database = true, .applies = has_key,
     .subject = key_subject, .look = look_at_key, .missing = "correct the kmsKeyID below restore"},
};
// clang-format on

const struct preflight_table preflight_restore = {.checks = checks, .count = COUNT_OF(checks)};
