#include "pkg/refresh/account.h"

#include "pkg/refresh/fields.h"

static const char *const usages[] = {[USAGE_SOURCE] = "Source", [USAGE_TARGET] = "Target"};

static const char *const resource_types[] = {
    "AuroraCluster", "DynamoDBTable",  "DBProxy",      "SSMParameter", "Secret",
    "ECSService",    "LambdaFunction", "StateMachine", "EventBus",     "Webhook",
};

/* clang-format off */
static const struct field resource_fields[] = {
    {.path = "type",  .kind = FIELD_TEXT,  .offset = offsetof(struct grant_resource, type), .required = true,
     .names = NAMES(resource_types)},
    {.path = "names", .kind = FIELD_TEXTS, .offset = offsetof(struct grant_resource, names),
     .count_offset = offsetof(struct grant_resource, name_count), .required = true, .min = 1, .max = 128,
     .item_max = 1011},
};

static const struct part resource_part = {
    .fields = resource_fields, .count = COUNT_OF(resource_fields), .size = sizeof(struct grant_resource),
    .key = "type",
};

static const struct field grant_fields[] = {
    {.path = "name",            .kind = FIELD_TEXT,  .offset = offsetof(struct grant, name), .required = true,
     .max = 63, .shape = &shape_label},
    {.path = "namespaces",      .kind = FIELD_TEXTS, .offset = offsetof(struct grant, namespaces),
     .count_offset = offsetof(struct grant, namespace_count), .required = true, .min = 1, .max = 64,
     .item_max = 63, .shape = &shape_label},
    {.path = "targets",         .kind = FIELD_TEXTS, .offset = offsetof(struct grant, targets),
     .count_offset = offsetof(struct grant, target_count), .min = 1, .max = 16, .item_max = 253,
     .shape = &shape_subdomain},
    {.path = "requireApproval", .kind = FIELD_BOOL,  .offset = offsetof(struct grant, require_approval)},
    {.path = "resources",       .kind = FIELD_LIST,  .offset = offsetof(struct grant, resources),
     .count_offset = offsetof(struct grant, resource_count), .required = true, .min = 1, .max = 10,
     .part = &resource_part},
};

static const struct part grant_part = {
    .fields = grant_fields, .count = COUNT_OF(grant_fields), .size = sizeof(struct grant), .key = "name",
};

static struct err *check_account(void *item, const struct json *value, const char *where);

static const struct field account_fields[] = {
    {.path = "accountID", .kind = FIELD_TEXT, .offset = offsetof(struct account, account_id), .required = true,
     .shape = &shape_account_id},
    {.path = "region",    .kind = FIELD_TEXT, .offset = offsetof(struct account, region), .required = true,
     .max = 32, .shape = &shape_region},
    {.path = "usage",     .kind = FIELD_ENUM, .offset = offsetof(struct account, usage), .required = true,
     .names = NAMES(usages)},
    {.path = "credentials",                       .kind = FIELD_OBJECT},
    {.path = "credentials.assumeRole",            .kind = FIELD_OBJECT, .required = true},
    {.path = "credentials.assumeRole.roleARN",    .kind = FIELD_TEXT, .offset = offsetof(struct account, role_arn),
     .required = true, .max = 600, .shape = &shape_role_arn},
    {.path = "credentials.assumeRole.externalID", .kind = FIELD_TEXT,
     .offset = offsetof(struct account, external_id), .min = 2, .max = 1224, .shape = &shape_external_id},
    {.path = "backup",                .kind = FIELD_OBJECT, .required = true},
    {.path = "backup.vaultName",      .kind = FIELD_TEXT, .offset = offsetof(struct account, vault_name),
     .required = true, .shape = &shape_vault_name},
    {.path = "backup.serviceRoleARN", .kind = FIELD_TEXT, .offset = offsetof(struct account, service_role_arn),
     .required = true, .max = 600, .shape = &shape_role_arn},
    {.path = "events",          .kind = FIELD_OBJECT},
    {.path = "events.queueURL", .kind = FIELD_TEXT, .offset = offsetof(struct account, events_queue_url),
     .required = true, .max = 512, .shape = &shape_queue_url},
    {.path = "grants", .kind = FIELD_LIST, .offset = offsetof(struct account, grants),
     .count_offset = offsetof(struct account, grant_count), .max = 64, .part = &grant_part},
};
/* clang-format on */

const struct part account_part = {
    .fields = account_fields,
    .count = COUNT_OF(account_fields),
    .size = sizeof(struct account),
    .check = check_account,
};

/* --- what no row can say --- */

static bool is_role_of(const char *role_arn, const char *account_id)
{
    AUTO_FREE char *middle = xasprintf("::%s:role/", account_id);

    return str_contains(str_of(role_arn), middle);
}

static struct err *check_source_grant(const struct grant *grant, const struct json *value)
{
    if (!grant->target_count)
        return err_new(ERR_INVALID, "targets: required, a Source says where its data may go");
    if (fields_has(value, "requireApproval"))
        return err_new(ERR_INVALID, "requireApproval: belongs to the grants of a Target only");
    for (size_t i = 0; i < grant->resource_count; i++) {
        const char *type = grant->resources[i].type;

        if (!text_equal(type, "AuroraCluster") && !text_equal(type, "DynamoDBTable"))
            return err_new(ERR_INVALID, "resources[%s]: a Source grants AuroraCluster and DynamoDBTable only",
                           type);
    }
    return NULL;
}

static struct err *check_webhooks(const struct grant *grant)
{
    for (size_t i = 0; i < grant->resource_count; i++) {
        const struct grant_resource *resource = &grant->resources[i];

        for (size_t k = 0; k < resource->name_count && text_equal(resource->type, "Webhook"); k++) {
            if (!shape_fits(&shape_webhook_grant, str_of(resource->names[k])))
                return err_new(ERR_INVALID, "resources[Webhook].names[%zu]: %s", k, shape_webhook_grant.must);
        }
    }
    return NULL;
}

/* Gives the error without the path of the grant. */
static struct err *check_grant(const struct account *account, const struct grant *grant,
                               const struct json *value)
{
    if (account->usage == USAGE_SOURCE)
        return check_source_grant(grant, value);
    if (fields_has(value, "targets"))
        return err_new(ERR_INVALID, "targets: belong to the grants of a Source only");
    return check_webhooks(grant);
}

/* Only AWS's own hosts say a Region; others, as of an endpoint of one's own, may be called anything. */
static bool is_of_region(const char *queue_url, const char *region)
{
    static const char *const ends[] = {".amazonaws.com", ".amazonaws.com.cn", ".api.aws"};
    AUTO_FREE char *label = xasprintf(".%s.", region);
    struct str rest = str_of(queue_url), host;
    bool is_aws = false;

    if (!str_starts(rest, "https://sqs.") && !str_starts(rest, "https://sqs-fips."))
        return true;
    rest = str_from(rest, strlen("https://"));
    str_cut(&rest, '/', &host);
    for (size_t i = 0; i < COUNT_OF(ends); i++)
        is_aws = is_aws || str_ends(host, ends[i]);
    return !is_aws || str_contains(host, label);
}

static struct err *check_events(const struct account *account, const char *where)
{
    AUTO_FREE char *path = xasprintf("/%s/", account->account_id);

    if (!account->events_queue_url)
        return NULL;
    if (account->usage != USAGE_TARGET)
        return err_new(ERR_INVALID, "%s.events: belong to a Target only", where);
    if (!str_contains(str_of(account->events_queue_url), path))
        return err_new(ERR_INVALID, "%s.events.queueURL: must be a queue of accountID", where);
    if (!is_of_region(account->events_queue_url, account->region))
        return err_new(ERR_INVALID, "%s.events.queueURL: must be a queue of region", where);
    return NULL;
}

static struct err *check_account(void *item, const struct json *value, const char *where)
{
    const struct account *account = item;

    if (account->role_arn && !is_role_of(account->role_arn, account->account_id))
        return err_new(ERR_INVALID, "%s.credentials.assumeRole.roleARN: must be a role of accountID", where);
    if (!is_role_of(account->service_role_arn, account->account_id))
        return err_new(ERR_INVALID, "%s.backup.serviceRoleARN: must be a role of accountID", where);
    TRY(check_events(account, where));
    for (size_t i = 0; i < account->grant_count; i++) {
        const struct grant *grant = &account->grants[i];
        struct err *err = check_grant(account, grant, json_item(json_member(value, "grants"), i));

        if (err) {
            AUTO_FREE char *text = xstrdup(err_text(err));

            err_ignore(err, "said again with its path");
            return err_new(ERR_INVALID, "%s.grants[%s].%s", where, grant->name, text);
        }
    }
    return NULL;
}

/* --- the whole object --- */

static const struct field metadata_fields[] = {
    {.path = "name",
     .kind = FIELD_TEXT,
     .offset = offsetof(struct account, name),
     .required = true,
     .max = 253,
     .shape = &shape_subdomain},
    {.path = "uid", .kind = FIELD_TEXT, .offset = offsetof(struct account, uid), .max = 128},
    {.path = "generation", .kind = FIELD_INT, .offset = offsetof(struct account, generation)},
};

static const struct part metadata_part = {
    .fields = metadata_fields,
    .count = COUNT_OF(metadata_fields),
    .size = sizeof(struct account),
};

struct err *account_parse(const struct json *object, struct account **ret)
{
    AUTO_ACCOUNT struct account *account = xcalloc(1, sizeof(*account));

    TRY(fields_read(&metadata_part, json_member(object, "metadata"), "metadata", account));
    TRY(fields_read(&account_part, json_member(object, "spec"), "spec", account));
    *ret = TAKE(account);
    return NULL;
}

void account_free(struct account *account)
{
    if (!account)
        return;
    fields_free(&metadata_part, account);
    fields_free(&account_part, account);
    xfree(account);
}

/* --- grants --- */

static bool lists(char *const *texts, size_t count, const char *text)
{
    for (size_t i = 0; i < count; i++) {
        if (text_equal(texts[i], text))
            return true;
    }
    return false;
}

static bool resource_covers(const struct grant_resource *resource, const char *type, const char *name)
{
    if (!text_equal(resource->type, type))
        return false;
    for (size_t i = 0; i < resource->name_count; i++) {
        if (text_matches(resource->names[i], name))
            return true;
    }
    return false;
}

bool account_grants(const struct account *account, const char *namespace, const char *target,
                    const char *type, const char *name)
{
    for (size_t i = 0; i < account->grant_count; i++) {
        const struct grant *grant = &account->grants[i];

        if (!lists(grant->namespaces, grant->namespace_count, namespace))
            continue;
        /* The data of a Source goes nowhere that is not written down. */
        if (account->usage == USAGE_SOURCE &&
            (!target || !lists(grant->targets, grant->target_count, target)))
            continue;
        for (size_t k = 0; k < grant->resource_count; k++) {
            if (resource_covers(&grant->resources[k], type, name))
                return true;
        }
    }
    return false;
}

bool account_requires_approval(const struct account *account, const char *namespace)
{
    for (size_t i = 0; i < account->grant_count; i++) {
        const struct grant *grant = &account->grants[i];

        if (grant->require_approval && lists(grant->namespaces, grant->namespace_count, namespace))
            return true;
    }
    return false;
}

const char *account_usage_name(enum account_usage usage)
{
    return usages[usage];
}
