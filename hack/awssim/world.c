/* The world file: the organisation, durations, limits, accounts. What lies below an account belongs to the
 * services.
 */
#include "hack/awssim/core.h"

struct world_fields {
    const struct json *organization, *durations, *accounts, *habits, *limits;
};
static const struct load_field world_fields[] = {
    {.name = "organization", .type = LOAD_OBJECT, .offset = offsetof(struct world_fields, organization)},
    {.name = "durations", .type = LOAD_OBJECT, .offset = offsetof(struct world_fields, durations)},
    {.name = "habits", .type = LOAD_OBJECT, .offset = offsetof(struct world_fields, habits)},
    {.name = "limits", .type = LOAD_OBJECT, .offset = offsetof(struct world_fields, limits)},
    {.name = "accounts",
     .type = LOAD_LIST,
     .offset = offsetof(struct world_fields, accounts),
     .required = true},
};

static const struct load_field organization_fields[] = {
    {.name = "id", .type = LOAD_TEXT, .offset = offsetof(struct sim, organization), .required = true},
    {.name = "crossAccountBackup", .type = LOAD_BOOL, .offset = offsetof(struct sim, cross_account_backup)},
};

static const struct load_field habit_fields[] = {
    {.name = "emptyPages", .type = LOAD_BOOL, .offset = offsetof(struct sim, empty_pages)},
    {.name = "lostEvents", .type = LOAD_NUMBER, .offset = offsetof(struct sim, lost_events)},
    {.name = "duplicatedEvents", .type = LOAD_NUMBER, .offset = offsetof(struct sim, duplicated_events)},
};

/* Where the duration called `name` is kept, or -1. */
static ssize_t duration_index(const char *name)
{
    ssize_t index = 0;

    for (size_t s = 0; s < service_count; s++)
        for (size_t d = 0; d < services[s]->duration_count; d++, index++)
            if (text_equal(services[s]->durations[d].name, name))
                return index;
    return -1;
}

int64_t sim_duration(const struct sim *sim, const char *name)
{
    ssize_t index = duration_index(name);

    if (index < 0 || (size_t)index >= sim->durations.count) {
        fprintf(stderr, "awssim: no service declares the duration %s\n", name);
        abort();
    }
    return sim->durations.items[index];
}

static struct err *load_durations(struct sim *sim, const struct loader *loader, const struct json *groups)
{
    for (size_t s = 0; s < service_count; s++)
        for (size_t d = 0; d < services[s]->duration_count; d++)
            *LIST_ADD(sim->durations) = services[s]->durations[d].default_ms;
    json_each (group, groups) {
        if (!json_is(group, JSON_OBJECT))
            return load_error(loader, group, "expected a mapping");
        json_each (item, group) {
            AUTO_FREE char *name = xasprintf("%s.%s", json_key(group), json_key(item));
            ssize_t index = duration_index(name);
            const char *text = json_get_text(item, NULL, "");

            if (index < 0)
                return load_error(loader, item, "unknown duration");
            if (!load_duration(text, &sim->durations.items[index]))
                return load_error(loader, item, "expected a duration such as 12m");
        }
    }
    return NULL;
}

struct account_fields {
    char *id, *name, *region, *partition;
    const struct json *section; /* of any service: read in the second round */
};
static const struct load_field account_fields[] = {
    {.name = "id", .type = LOAD_TEXT, .offset = offsetof(struct account_fields, id), .required = true},
    {.name = "name", .type = LOAD_TEXT, .offset = offsetof(struct account_fields, name)},
    {.name = "region",
     .type = LOAD_TEXT,
     .offset = offsetof(struct account_fields, region),
     .required = true},
    {.name = "partition", .type = LOAD_TEXT, .offset = offsetof(struct account_fields, partition)},
};

static bool is_account_id(const char *text)
{
    return strlen(text) == 12 && strspn(text, "0123456789") == 12;
}

/* The account's own fields; the sections of the services come in a second round, when all accounts are known.
 */
static struct err *load_account(struct sim *sim, const struct loader *loader, const struct json *node)
{
    struct load_field fields[COUNT_OF(account_fields) + 32];
    size_t count = COUNT_OF(account_fields);
    struct account_fields values = {0};
    struct account *account = xcalloc(1, sizeof(*account));

    sim->accounts = xgrow(sim->accounts, sim->account_count, sizeof(struct account *));
    sim->accounts[sim->account_count++] = account;
    account->sim = sim;
    account->states = xcalloc(service_count, sizeof(void *));
    for (size_t i = 0; i < service_count; i++)
        account->states[i] = services[i]->state_size ? xcalloc(1, services[i]->state_size) : NULL;

    memcpy(fields, account_fields, sizeof(account_fields));
    for (size_t i = 0; i < service_count && count < COUNT_OF(fields); i++)
        if (services[i]->section)
            fields[count++] = (struct load_field){.name = services[i]->section,
                                                  .type = LOAD_OBJECT,
                                                  .offset = offsetof(struct account_fields, section)};
    struct err *err = load_fields(loader, node, fields, count, &values);
    account->id = values.id;
    account->region = values.region;
    account->partition = values.partition ? values.partition : xstrdup("aws");
    account->name = values.name ? values.name : xstrdup(account->id ? account->id : "");
    TRY(err);
    if (!is_account_id(account->id))
        return load_error(loader, json_member(node, "id"), "an account id has twelve digits, in quotes");
    if (sim_account(sim, account->id, account->region) != account)
        return load_error(loader, node, "account %s in %s is here twice", account->id, account->region);
    return NULL;
}

static struct err *load_sections(struct sim *sim, const struct loader *loader, const struct json *accounts)
{
    for (size_t s = 0; s < service_count; s++)
        for (size_t a = 0; services[s]->load && a < sim->account_count; a++)
            TRY(services[s]->load(
                loader, sim->accounts[a],
                services[s]->section ? json_member(json_item(accounts, a), services[s]->section) : NULL));
    for (size_t s = 0; s < service_count; s++)
        for (size_t a = 0; services[s]->check && a < sim->account_count; a++)
            TRY(services[s]->check(
                loader, sim->accounts[a],
                services[s]->section ? json_member(json_item(accounts, a), services[s]->section) : NULL));
    return NULL;
}

static struct err *load_document(struct sim *sim, const struct loader *loader)
{
    const struct json *root = yaml_root(loader->doc);
    struct world_fields world = {0};

    TRY(load_fields(loader, root, world_fields, COUNT_OF(world_fields), &world));
    if (world.organization)
        TRY(load_fields(loader, world.organization, organization_fields, COUNT_OF(organization_fields), sim));
    if (world.habits)
        TRY(load_fields(loader, world.habits, habit_fields, COUNT_OF(habit_fields), sim));
    TRY(sim_limits_load(sim, loader, world.limits));
    TRY(load_durations(sim, loader, world.durations));
    json_each (node, world.accounts)
        TRY(load_account(sim, loader, node));
    return load_sections(sim, loader, world.accounts);
}

struct err *sim_world_load(struct sim *sim, const struct sim_options *options)
{
    AUTO_YAML struct yaml_docs docs = {0};

    TRY(yaml_parse(options->world, options->world_name, NULL, &docs));
    if (docs.count != 1)
        return err_new(ERR_INVALID, "%s:1: a world is one document, this has %zu", options->world_name,
                       docs.count);
    struct loader loader = {.doc = docs.items[0], .start_ms = options->world_ms};
    return load_document(sim, &loader);
}
