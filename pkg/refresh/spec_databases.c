#include "pkg/refresh/spec_parts.h"

static const char *const kinds[] = {[DATABASE_AURORA] = "Aurora", [DATABASE_DYNAMODB] = "DynamoDB"};
static const char *const kind_members[] = {[DATABASE_AURORA] = "aurora", [DATABASE_DYNAMODB] = "dynamodb"};
static const char *const froms[] = {
    [FROM_NEW] = "New",
    [FROM_SOURCE_VAULT] = "SourceVault",
    [FROM_TARGET_VAULT] = "TargetVault",
};
static const char *const encryptions[] = {
    [ENCRYPTION_AWS_OWNED] = "AWSOwned",
    [ENCRYPTION_AWS_MANAGED] = "AWSManaged",
    [ENCRYPTION_CUSTOMER] = "CustomerManaged",
};
static const char *const settings[] = {
    [SETTINGS_NONE] = "None",
    [SETTINGS_PREVIOUS_COPY] = "PreviousCopy",
    [SETTINGS_SOURCE] = "Source",
};
static const char *const billing_modes[] = {"PayPerRequest", "Provisioned"};
static const char *const view_types[] = {"KeysOnly", "NewImage", "OldImage", "NewAndOldImages"};

const char *database_kind_name(enum database_kind kind)
{
    return kinds[kind];
}

/* --- Aurora --- */

#define AT(member) offsetof(struct instance_spec, member)
/* clang-format off */
static const struct field instance_fields[] = {
    {.path = "name",  .kind = FIELD_TEXT, .offset = AT(name),  .required = true, .max = 7, .shape = &shape_instance_name},
    {.path = "class", .kind = FIELD_TEXT, .offset = AT(class), .required = true, .max = 64,
     .shape = &shape_instance_class},
    {.path = "dbParameterGroupName", .kind = FIELD_TEXT, .offset = AT(parameter_group), .max = 255,
     .shape = &shape_parameter_group},
    {.path = "availabilityZone", .kind = FIELD_TEXT, .offset = AT(availability_zone), .max = 32, .shape = &shape_zone},
    {.path = "promotionTier",    .kind = FIELD_INT,  .offset = AT(promotion_tier), .max = 15, .otherwise = -1},
};
/* clang-format on */
#undef AT

static const struct part instance_part = {
    .fields = instance_fields,
    .count = COUNT_OF(instance_fields),
    .size = sizeof(struct instance_spec),
    .key = "name",
};

#define AT(member) offsetof(struct aurora_spec, member)
/* clang-format off */
static const struct field aurora_fields[] = {
    {.path = "clusterIdentifier", .kind = FIELD_TEXT, .offset = AT(cluster_identifier), .required = true, .max = 63,
     .shape = &shape_rds_name},
    {.path = "restore", .kind = FIELD_OBJECT, .required = true},
    {.path = "restore.identifierPrefix",    .kind = FIELD_TEXT, .offset = AT(identifier_prefix), .required = true,
     .max = 30, .shape = &shape_rds_name},
    {.path = "restore.dbSubnetGroupName",   .kind = FIELD_TEXT, .offset = AT(db_subnet_group), .required = true,
     .max = 255, .shape = &shape_subnet_group},
    {.path = "restore.vpcSecurityGroupIDs", .kind = FIELD_TEXTS, .offset = AT(security_groups),
     .count_offset = AT(security_group_count), .required = true, .min = 1, .max = 16, .item_max = 20,
     .shape = &shape_security_group},
    {.path = "restore.dbClusterParameterGroupName", .kind = FIELD_TEXT, .offset = AT(cluster_parameter_group),
     .max = 255, .shape = &shape_parameter_group},
    {.path = "restore.kmsKeyID", .kind = FIELD_TEXT, .offset = AT(kms_key), .max = 512, .shape = &shape_key_arn},
    {.path = "restore.instances", .kind = FIELD_LIST, .offset = AT(instances), .count_offset = AT(instance_count),
     .required = true, .min = 1, .max = 16, .part = &instance_part},
    {.path = "restore.serverlessV2Scaling", .kind = FIELD_OBJECT},
    {.path = "restore.serverlessV2Scaling.minACU", .kind = FIELD_TEXT, .offset = AT(min_acu), .required = true,
     .max = 5, .shape = &shape_capacity},
    {.path = "restore.serverlessV2Scaling.maxACU", .kind = FIELD_TEXT, .offset = AT(max_acu), .required = true,
     .max = 5, .shape = &shape_capacity},
    {.path = "restore.port", .kind = FIELD_INT, .offset = AT(port), .min = 1150, .max = 65535, .otherwise = -1},
    {.path = "restore.backupRetentionDays", .kind = FIELD_INT, .offset = AT(backup_retention_days), .min = 1,
     .max = 35, .otherwise = 1},
    {.path = "restore.deletionProtection", .kind = FIELD_TRISTATE, .offset = AT(deletion_protection), .otherwise = NO},
    {.path = "restore.tags", .kind = FIELD_PAIRS, .offset = AT(tags), .count_offset = AT(tag_count), .max = 40,
     .item_max = 256},
    {.path = "masterUserPassword", .kind = FIELD_PART, .offset = AT(password), .part = &password_part},
};
/* clang-format on */
#undef AT

/* In halves of a capacity unit; the shape has been checked. */
static int64_t capacity_halves(const char *text)
{
    struct str rest = str_of(text), whole = rest;
    int64_t units = 0;

    if (str_cut(&rest, '.', &whole))
        (void)str_to_int(whole, &units);
    return units * 2 + (str_is(rest, "5") ? 1 : 0);
}

static struct err *check_scaling(const struct aurora_spec *aurora, const char *where)
{
    bool serverless = false;

    for (size_t i = 0; i < aurora->instance_count; i++)
        serverless = serverless || text_equal(aurora->instances[i].class, "db.serverless");
    if (serverless != (aurora->max_acu != NULL))
        return err_new(ERR_INVALID, "%s.restore.serverlessV2Scaling: %s", where,
                       serverless ? "required with class db.serverless"
                                  : "has no meaning without an instance of class db.serverless");
    if (!serverless)
        return NULL;
    if (capacity_halves(aurora->max_acu) < 2)
        return err_new(ERR_INVALID, "%s.restore.serverlessV2Scaling.maxACU: must be at least 1", where);
    if (capacity_halves(aurora->min_acu) > capacity_halves(aurora->max_acu))
        return err_new(ERR_INVALID, "%s.restore.serverlessV2Scaling.minACU: must not be above maxACU", where);
    return NULL;
}

static struct err *check_tags(const struct name_value *tags, size_t count, const char *where)
{
    for (size_t i = 0; i < count; i++) {
        size_t length = text_characters(tags[i].name);
        struct str name = str_of(tags[i].name);

        if (length < 1 || length > 128)
            return err_new(ERR_INVALID, "%s.restore.tags: a tag's key has 1 to 128 characters", where);
        if (str_starts(name, "aws:") || str_starts(name, "stagingrefresh.dev/"))
            return err_new(ERR_INVALID,
                           "%s.restore.tags: tags that begin with aws: or stagingrefresh.dev/ are reserved",
                           where);
    }
    return NULL;
}

static struct err *check_aurora(void *item, const struct json *value, const char *where)
{
    const struct aurora_spec *aurora = item;

    (void)value;
    TRY(check_scaling(aurora, where));
    return check_tags(aurora->tags, aurora->tag_count, where);
}

static const struct part aurora_part = {
    .fields = aurora_fields,
    .count = COUNT_OF(aurora_fields),
    .size = sizeof(struct aurora_spec),
    .check = check_aurora,
};

/* --- DynamoDB --- */

#define AT(member) offsetof(struct dynamodb_spec, member)
/* clang-format off */
static const struct field dynamodb_fields[] = {
    {.path = "tableName", .kind = FIELD_TEXT, .offset = AT(table_name), .required = true, .max = 255,
     .shape = &shape_table_name},
    {.path = "restore", .kind = FIELD_OBJECT, .required = true},
    {.path = "restore.tableNamePrefix",     .kind = FIELD_TEXT, .offset = AT(table_name_prefix), .required = true,
     .max = 200, .shape = &shape_table_prefix},
    {.path = "restore.encryption",          .kind = FIELD_OBJECT, .required = true},
    {.path = "restore.encryption.type",     .kind = FIELD_ENUM, .offset = AT(encryption), .required = true,
     .names = NAMES(encryptions)},
    {.path = "restore.encryption.kmsKeyID", .kind = FIELD_TEXT, .offset = AT(kms_key), .max = 512,
     .shape = &shape_key_arn},
    {.path = "restore.settingsFrom",        .kind = FIELD_ENUM, .offset = AT(settings_from), .required = true,
     .names = NAMES(settings)},
    {.path = "restore.billingMode",         .kind = FIELD_TEXT, .offset = AT(billing_mode),
     .names = NAMES(billing_modes)},
    {.path = "restore.provisionedThroughput", .kind = FIELD_OBJECT},
    {.path = "restore.provisionedThroughput.readCapacityUnits",  .kind = FIELD_INT, .offset = AT(read_capacity),
     .required = true, .min = 1, .max = 10000000, .otherwise = -1},
    {.path = "restore.provisionedThroughput.writeCapacityUnits", .kind = FIELD_INT, .offset = AT(write_capacity),
     .required = true, .min = 1, .max = 10000000, .otherwise = -1},
    {.path = "restore.timeToLive",          .kind = FIELD_OBJECT},
    {.path = "restore.timeToLive.attributeName", .kind = FIELD_TEXT, .offset = AT(ttl_attribute), .required = true,
     .min = 1, .max = 255},
    {.path = "restore.stream",              .kind = FIELD_OBJECT},
    {.path = "restore.stream.viewType",     .kind = FIELD_TEXT, .offset = AT(stream_view_type), .required = true,
     .names = NAMES(view_types)},
    {.path = "restore.pointInTimeRecovery", .kind = FIELD_TRISTATE, .offset = AT(point_in_time_recovery),
     .otherwise = UNSET},
    {.path = "restore.deletionProtection",  .kind = FIELD_TRISTATE, .offset = AT(deletion_protection),
     .otherwise = UNSET},
    {.path = "restore.tags", .kind = FIELD_PAIRS, .offset = AT(tags), .count_offset = AT(tag_count), .max = 40,
     .item_max = 256},
};
/* clang-format on */
#undef AT

static struct err *check_dynamodb(void *item, const struct json *value, const char *where)
{
    const struct dynamodb_spec *dynamodb = item;
    bool needs_key = dynamodb->encryption == ENCRYPTION_CUSTOMER;

    (void)value;
    if (needs_key != (dynamodb->kms_key != NULL))
        return err_new(ERR_INVALID, "%s.restore.encryption.kmsKeyID: %s", where,
                       needs_key ? "required with CustomerManaged" : "belongs to CustomerManaged only");
    if (dynamodb->read_capacity >= 0 && !text_equal(dynamodb->billing_mode, "Provisioned"))
        return err_new(ERR_INVALID,
                       "%s.restore.provisionedThroughput: belongs to billingMode Provisioned only", where);
    return check_tags(dynamodb->tags, dynamodb->tag_count, where);
}

static const struct part dynamodb_part = {
    .fields = dynamodb_fields,
    .count = COUNT_OF(dynamodb_fields),
    .size = sizeof(struct dynamodb_spec),
    .check = check_dynamodb,
};

/* --- either --- */

#define AT(member) offsetof(struct database_spec, member)
/* clang-format off */
static const struct field database_fields[] = {
    {.path = "name", .kind = FIELD_TEXT, .offset = AT(name), .required = true, .max = 63, .shape = &shape_label},
    {.path = "recoveryPoint",      .kind = FIELD_OBJECT, .always = true},
    {.path = "recoveryPoint.from", .kind = FIELD_ENUM, .offset = AT(from), .required = true, .names = NAMES(froms),
     .otherwise = FROM_NEW},
    {DURATION_ROW("recoveryPoint.maxAge", AT(max_age_ms), -1)},
    {.path = "aurora",   .kind = FIELD_PART, .offset = AT(aurora),   .part = &aurora_part},
    {.path = "dynamodb", .kind = FIELD_PART, .offset = AT(dynamodb), .part = &dynamodb_part},
};
/* clang-format on */
#undef AT

static struct err *check_database(void *item, const struct json *value, const char *where)
{
    struct database_spec *database = item;
    size_t kind = 0;

    TRY(fields_one_of(value, where, &(struct names)NAMES(kind_members), &kind));
    database->kind = (enum database_kind)kind;
    if (database->from == FROM_NEW && database->max_age_ms >= 0)
        return err_new(ERR_INVALID, "%s.recoveryPoint.maxAge: has no meaning when from is New", where);
    if (database->from != FROM_NEW && database->max_age_ms < 0)
        return err_new(ERR_INVALID, "%s.recoveryPoint.maxAge: required unless from is New", where);
    return NULL;
}

const struct part database_part = {
    .fields = database_fields,
    .count = COUNT_OF(database_fields),
    .size = sizeof(struct database_spec),
    .key = "name",
    .check = check_database,
};
