/* accounts[].backup of the world file: settings, vaults, the recovery points that are there from the
 * beginning. */
#include "hack/awssim/backup_priv.h"

struct section {
    struct json *opt_in, *full_management;
    const struct json *vaults;
};
static const struct load_field section_fields[] = {
    {.name = "optIn", .type = LOAD_TEXTS, .offset = offsetof(struct section, opt_in)},
    {.name = "fullManagement", .type = LOAD_TEXTS, .offset = offsetof(struct section, full_management)},
    {.name = "vaults", .type = LOAD_LIST, .offset = offsetof(struct section, vaults)},
};

struct vault_section {
    char *name, *key;
    const struct json *policy, *points;
    struct json *tags;
    int64_t min_days, max_days;
    bool delete_fails;
};
static const struct load_field vault_fields[] = {
    {.name = "name", .type = LOAD_TEXT, .offset = offsetof(struct vault_section, name), .required = true},
    {.name = "key", .type = LOAD_TEXT, .offset = offsetof(struct vault_section, key)},
    {.name = "policy", .type = LOAD_OBJECT, .offset = offsetof(struct vault_section, policy)},
    {.name = "tags", .type = LOAD_MAP, .offset = offsetof(struct vault_section, tags)},
    {.name = "minRetentionDays", .type = LOAD_INT, .offset = offsetof(struct vault_section, min_days)},
    {.name = "maxRetentionDays", .type = LOAD_INT, .offset = offsetof(struct vault_section, max_days)},
    {.name = "deleteFails", .type = LOAD_BOOL, .offset = offsetof(struct vault_section, delete_fails)},
    {.name = "recoveryPoints", .type = LOAD_LIST, .offset = offsetof(struct vault_section, points)},
};

struct point_section {
    char *resource;
    int64_t created_ms, delete_after_days;
    struct json *tags;
};
static const struct load_field point_fields[] = {
    {.name = "resource",
     .type = LOAD_TEXT,
     .offset = offsetof(struct point_section, resource),
     .required = true},
    {.name = "created",
     .type = LOAD_TIME,
     .offset = offsetof(struct point_section, created_ms),
     .required = true},
    {.name = "deleteAfterDays",
     .type = LOAD_INT,
     .offset = offsetof(struct point_section, delete_after_days)},
    {.name = "tags", .type = LOAD_MAP, .offset = offsetof(struct point_section, tags)},
};

static struct err *load_vault(const struct loader *loader, struct account *account, const struct json *node)
{
    struct vault_section section = {0};
    struct err *err = load_fields(loader, node, vault_fields, COUNT_OF(vault_fields), &section);
    AUTO_FREE char *key_name = section.key ? section.key : xstrdup("alias/aws/backup");
    const struct kms_key *key = kms_find(account, key_name);
    struct vault *vault = LIST_ADD(sim_backup_state_of(account)->vaults);

    *vault = (struct vault){.name = section.name ? section.name : xstrdup(""),
                            .key_arn = key ? xstrdup(kms_arn(key)) : NULL,
                            .policy = section.policy ? json_copy(section.policy) : NULL,
                            .tags = section.tags ? section.tags : json_new_object(),
                            .created_ms = loader->start_ms,
                            .min_days = section.min_days,
                            .max_days = section.max_days,
                            .delete_fails = section.delete_fails};
    vault->arn = account_arn(account, "backup", "backup-vault:%s", vault->name);
    TRY(err);
    if (!key)
        return load_error(loader, node, "key: there is no key %s", key_name);
    return NULL;
}

struct err *sim_backup_load(const struct loader *loader, struct account *account, const struct json *node)
{
    struct backup_state *state = sim_backup_state_of(account);
    struct section section = {0};

    struct err *err =
        node ? load_fields(loader, node, section_fields, COUNT_OF(section_fields), &section) : NULL;
    state->opt_in = section.opt_in ? section.opt_in : json_new_array();
    state->full_management = section.full_management ? section.full_management : json_new_array();
    TRY(err);
    json_each (vault, section.vaults)
        TRY(load_vault(loader, account, vault));
    return NULL;
}

/* A recovery point that is there from the beginning: of the database as the world begins. */
static struct err *load_point(const struct loader *loader, struct account *account, const struct vault *vault,
                              const struct json *node)
{
    struct point_section section = {0};
    struct err *err = load_fields(loader, node, point_fields, COUNT_OF(point_fields), &section);
    AUTO_FREE char *resource = section.resource;
    AUTO_JSON struct json *tags = section.tags;
    struct backup_source source = {0};

    TRY(err);
    const struct account *owner = sim_account_of_arn(account->sim, resource);
    const struct database_kind *kind = sim_kind_of_resource(resource);
    if (!owner || !kind || !kind->source(owner, resource, &source))
        return load_error(loader, node, "resource: there is no database %s", resource);
    AUTO_FREE char *uuid = sim_new_uuid(account->sim);
    const char *infix = owner == account ? "job" : "copyjob";
    bool full = sim_texts_have(sim_backup_state_of(owner)->full_management, kind->resource_type);
    struct point_name name = {
        .kind = kind, .resource_name = source.name, .infix = infix, .id = uuid, .full = full};
    struct point *point = sim_point_add(account, vault, &name);
    point->resource_arn = xstrdup(resource);
    point->snapshot = kind->snapshot(owner, resource);
    point->is_encrypted = full || source.encrypted;
    point->key_arn = point->is_encrypted
                         ? xstrdup_or_null(owner != account || full ? vault->key_arn : source.kms_key_arn)
                         : NULL;
    point->created_ms = section.created_ms;
    point->completed_ms = section.created_ms + MINUTES(10);
    point->size_bytes = source.size_bytes;
    point->status = POINT_COMPLETED;
    if (tags) {
        json_free(point->tags);
        point->tags = TAKE(tags);
    }
    sim_point_set_lifecycle(account->sim, point, section.delete_after_days);
    return NULL;
}

struct err *sim_backup_check(const struct loader *loader, struct account *account, const struct json *node)
{
    const struct json *vaults = node ? json_member(node, "vaults") : NULL;
    size_t index = 0;

    json_each (vault, vaults) {
        const struct vault *loaded = &sim_backup_state_of(account)->vaults.items[index++];

        json_each (point, json_member(vault, "recoveryPoints"))
            TRY(load_point(loader, account, loaded, point));
    }
    return NULL;
}
