/* accounts[].secretsmanager of the world file (docs-services.md describes the keys), and what GET /_sim/world
 * shows of it: no values. */
#include "hack/awssim/secretsmanager.h"

#include "pkg/base/digest.h"
#include "pkg/base/secret.h"

static struct json *dump_version(const struct secret_version *version)
{
    struct json *one = json_new_object();
    char hex[2 * SHA256_BYTES + 1];

    sha256_hex(str_of(version->value), hex);
    hex[12] = '\0'; /* enough to see whether two are alike */
    json_set_text(one, "id", version->id);
    json_set(one, "stages", sim_secret_stages(version));
    json_set_text(one, "digest", hex);
    return one;
}

struct json *sim_secret_dump(struct account *account)
{
    const struct secret_state *state = account_state(account, &secretsmanager_service);
    struct json *all = json_new_object(), *secrets = json_new_array();

    for (size_t i = 0; i < state->count; i++) {
        const struct stored_secret *secret = state->secrets[i];
        struct json *one = json_new_object(), *versions = json_new_array();

        for (size_t k = 0; k < secret->version_count; k++)
            json_append(versions, dump_version(secret->versions[k]));
        json_set_text(one, "name", secret->name);
        json_set_text(one, "arn", secret->arn);
        json_set_text(one, "owner", secret->owning_service);
        json_set(one, "versions", versions);
        json_append(secrets, one);
    }
    json_set(all, "secrets", secrets);
    return all;
}

struct secret_section {
    char *name, *value, *description, *key, *owner;
    struct json *fields, *tags;
    bool rotates, deleted;
};

static const struct load_field section_fields[] = {
    {LOAD_FIELD(secret_section, "name", LOAD_TEXT, name), .required = true},
    {LOAD_FIELD(secret_section, "value", LOAD_TEXT, value)},
    {LOAD_FIELD(secret_section, "fields", LOAD_MAP, fields)},
    {LOAD_FIELD(secret_section, "description", LOAD_TEXT, description)},
    {LOAD_FIELD(secret_section, "key", LOAD_TEXT, key)},
    {LOAD_FIELD(secret_section, "owner", LOAD_TEXT, owner)},
    {LOAD_FIELD(secret_section, "rotation", LOAD_BOOL, rotates)},
    {LOAD_FIELD(secret_section, "deleted", LOAD_BOOL, deleted)},
    {LOAD_FIELD(secret_section, "tags", LOAD_MAP, tags)},
};

static void section_done(struct secret_section *section)
{
    xfree(section->name);
    wipe_free(section->value);
    xfree(section->description);
    xfree(section->key);
    xfree(section->owner);
    json_free(section->fields);
    json_free(section->tags);
}

static void store_section(struct secret_state *state, struct secret_section *section)
{
    struct stored_secret *secret = sim_secret_add(state, section->name);
    AUTO_FREE char *text = section->fields ? json_to_text(section->fields) : xstrdup(section->value);

    AUTO_FREE char *id = sim_new_uuid(state->account->sim);

    sim_secret_move_stage(secret, "AWSCURRENT",
                          sim_secret_add_version(secret, id, text, sim_now(state->account->sim)));
    secret->description = TAKE(section->description);
    secret->kms_key = TAKE(section->key);
    secret->owning_service = TAKE(section->owner);
    secret->rotates = section->rotates;
    secret->created_ms = secret->changed_ms = sim_now(state->account->sim) - DAYS(400);
    secret->deleted_ms = section->deleted ? sim_now(state->account->sim) : 0;
    if (!section->tags)
        return;
    json_free(secret->tags);
    secret->tags = TAKE(section->tags);
}

static struct err *load_secret(const struct loader *loader, struct secret_state *state,
                               const struct json *node)
{
    CLEANUP(section_done) struct secret_section section = {0};

    TRY(load_fields(loader, node, section_fields, COUNT_OF(section_fields), &section));
    if ((section.value != NULL) == (section.fields != NULL))
        return load_error(loader, node,
                          "exactly one of value (text) and fields (a JSON object of texts) is required");
    if (sim_secret_find(state, section.name))
        return load_error(loader, node, "a secret %s is already there", section.name);
    store_section(state, &section);
    return NULL;
}

struct manager_section {
    const struct json *secrets;
};

struct err *sim_secret_load(const struct loader *loader, struct account *account, const struct json *node)
{
    static const struct load_field fields[] = {
        {LOAD_FIELD(manager_section, "secrets", LOAD_LIST, secrets)},
    };
    struct secret_state *state = account_state(account, &secretsmanager_service);
    struct manager_section section = {0};

    state->account = account;
    if (!node)
        return NULL;
    TRY(load_fields(loader, node, fields, COUNT_OF(fields), &section));
    json_each (item, section.secrets)
        TRY(load_secret(loader, state, item));
    return NULL;
}
