#include "pkg/refresh/spec_parts.h"

/* --- the two accounts --- */

static struct err *check_accounts(const struct refresh_spec *spec, const char *where)
{
    if (spec->source && text_equal(spec->source, spec->target))
        return err_new(ERR_INVALID, "%s.sourceRef: must be another account than targetRef", where);
    for (size_t i = 0; i < spec->database_count && !spec->source; i++) {
        const struct database_spec *database = &spec->databases[i];

        if (database->from != FROM_TARGET_VAULT)
            return err_new(
                ERR_INVALID,
                "%s.sourceRef: required unless every database takes its recovery point from TargetVault",
                where);
        if (database->kind == DATABASE_DYNAMODB && database->dynamodb.settings_from == SETTINGS_SOURCE)
            return err_new(ERR_INVALID, "%s.sourceRef: required, databases[%s] says settingsFrom Source",
                           where, database->name);
    }
    return NULL;
}

/* --- what must differ from entry to entry --- */

struct unique {
    const char *list;   /* below spec */
    const char *member; /* of an entry; absent ones are not compared */
    const char *second; /* with this one, if any */
};

static const struct unique uniques[] = {
    {.list = "databases", .member = "aurora.clusterIdentifier"},
    {.list = "databases", .member = "aurora.restore.identifierPrefix"},
    /* A version of a secret flips as a whole. */
    {.list = "databases", .member = "aurora.masterUserPassword.generate.secretsManager.secretID"},
    {.list = "databases",
     .member = "aurora.masterUserPassword.generate.secret.name",
     .second = "aurora.masterUserPassword.generate.secret.key"},
    {.list = "databases", .member = "dynamodb.tableName"},
    {.list = "databases", .member = "dynamodb.restore.tableNamePrefix"},
    {.list = "switchover.parameters", .member = "ssm.name"},
    {.list = "switchover.parameters", .member = "secretsManager.secretID", .second = "secretsManager.key"},
    {.list = "switchover.parameters", .member = "configMap.name", .second = "configMap.key"},
    {.list = "switchover.parameters", .member = "secret.name", .second = "secret.key"},
};

static bool same_member(const struct json *a, const struct json *b, const char *member)
{
    const char *text = json_get_text(a, member, NULL);

    return text && text_equal(text, json_get_text(b, member, NULL));
}

/* The entries of all lists here have a name. */
static struct err *check_unique(const struct unique *unique, const struct json *spec, const char *where)
{
    const struct json *list = json_at(spec, unique->list);

    json_each (entry, list) {
        json_each (earlier, list) {
            if (earlier == entry)
                break;
            if (same_member(entry, earlier, unique->member) &&
                (!unique->second || same_member(entry, earlier, unique->second)))
                return err_new(ERR_INVALID, "%s.%s[%s].%s: the same as in %s", where, unique->list,
                               json_get_text(entry, "name", ""), unique->member,
                               json_get_text(earlier, "name", ""));
        }
    }
    return NULL;
}

static struct err *check_uniques(const struct json *value, const char *where)
{
    for (size_t i = 0; i < COUNT_OF(uniques); i++)
        TRY(check_unique(&uniques[i], value, where));
    return NULL;
}

static struct err *check_hook_names(const struct refresh_spec *spec, const char *where)
{
    for (size_t i = 0; i < spec->before_hook_count; i++) {
        for (size_t k = 0; k < spec->after_hook_count; k++) {
            if (text_equal(spec->before_hooks[i].name, spec->after_hooks[k].name))
                return err_new(ERR_INVALID,
                               "%s.hooks.afterSwitchover[%s]: a hook in beforeSwitchover has this name",
                               where, spec->after_hooks[k].name);
        }
    }
    return NULL;
}

/* --- what must exist --- */

static struct err *check_proxies(const struct refresh_spec *spec, const char *where)
{
    for (size_t i = 0; i < spec->proxy_count; i++) {
        const struct proxy_spec *proxy = &spec->proxies[i];
        const struct database_spec *database = refresh_database(spec, proxy->database);

        if (!database)
            return err_new(ERR_INVALID, "%s.switchover.proxies[%s].database: there is no database \"%s\"",
                           where, proxy->name, proxy->database);
        if (database->kind != DATABASE_AURORA)
            return err_new(ERR_INVALID,
                           "%s.switchover.proxies[%s].database: a proxy can only point to an Aurora database",
                           where, proxy->name);
    }
    return NULL;
}

/* --- templates --- */

static const char *const aurora_attributes[] = {
    "endpoint", "readerEndpoint", "port", "arn", "clusterIdentifier",
};
static const char *const dynamodb_attributes[] = {"tableName", "arn", "streamARN"};

static const struct names attributes[] = {
    [DATABASE_AURORA] = NAMES(aurora_attributes),
    [DATABASE_DYNAMODB] = NAMES(dynamodb_attributes),
};

static struct err *check_attribute(const struct database_spec *database, const char *attribute,
                                   const char *name)
{
    const struct names *known = &attributes[database->kind];
    AUTO_BUF struct buf list = BUF_MAX(KIB);

    for (size_t i = 0; i < known->count; i++) {
        if (text_equal(known->items[i], attribute))
            return NULL;
    }
    fields_list_names(known, "and", &list);
    return err_new(ERR_INVALID, "$(%.*s): of a database of kind %s there are %s", SHOWN(name),
                   database_kind_name(database->kind), buf_text(&list));
}

static struct err *check_template_name(const struct refresh_spec *spec, const char *name)
{
    struct str rest = str_of(name), first = {0}, second = {0};
    AUTO_FREE char *database_name = NULL, *attribute = NULL;
    const struct database_spec *database;

    if (text_equal(name, "run.id"))
        return NULL;
    if (!str_cut(&rest, '.', &first) || !str_is(first, "databases") || !str_cut(&rest, '.', &second) ||
        !rest.len)
        return err_new(
            ERR_INVALID,
            "$(%.*s): unknown, there are $(databases.<name>.<attribute>) and $(run.id); write \"$$\" for a "
            "dollar sign",
            SHOWN(name));
    database_name = str_dup(second);
    attribute = str_dup(rest);
    database = refresh_database(spec, database_name);
    if (!database)
        return err_new(ERR_INVALID, "$(%.*s): there is no database \"%.*s\"", SHOWN(name),
                       SHOWN(database_name));
    TRY(check_attribute(database, attribute, name));
    if (text_equal(attribute, "streamARN") && database->dynamodb.settings_from == SETTINGS_NONE &&
        !database->dynamodb.stream_view_type)
        return err_new(ERR_INVALID, "$(%.*s): the copy has no stream, restore.stream says what it is to hold",
                       SHOWN(name));
    return NULL;
}

static struct err *check_piece(void *arg, const char *name, struct str plain)
{
    const struct refresh_spec *spec = arg;

    (void)plain;
    return name ? check_template_name(spec, name) : NULL;
}

static struct err *check_templates(struct refresh_spec *spec, const char *where)
{
    for (size_t i = 0; i < spec->parameter_count; i++) {
        struct err *err = template_scan(spec->parameters[i].value, check_piece, spec);

        if (err)
            return err_wrap(err, "%s.switchover.parameters[%s].value", where, spec->parameters[i].name);
    }
    return NULL;
}

struct err *spec_check(void *item, const struct json *value, const char *where)
{
    struct refresh_spec *spec = item;

    TRY(check_accounts(spec, where));
    TRY(check_uniques(value, where));
    TRY(check_hook_names(spec, where));
    TRY(check_proxies(spec, where));
    return check_templates(spec, where);
}
