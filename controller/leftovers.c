#include "controller/leftovers.h"

#include "pkg/base/digest.h"

#define KEY_HEX 20
#define CONFLICTS_MAX 5

static const char *const kind_names[] = {
    [LEFTOVER_BACKUP_JOB] = "BackupJob",
    [LEFTOVER_COPY_JOB] = "CopyJob",
    [LEFTOVER_RESTORE_JOB] = "RestoreJob",
    [LEFTOVER_RECOVERY_POINT] = "RecoveryPoint",
    [LEFTOVER_COPY] = "Copy",
    [LEFTOVER_KEPT_COPY] = "KeptCopy",
};

static const char *const parameter_names[] = {
    [PARAMETER_SSM] = "ssm",
    [PARAMETER_SECRETS_MANAGER] = "secretsManager",
    [PARAMETER_CONFIG_MAP] = "configMap",
    [PARAMETER_SECRET] = "secret",
};

const char *leftover_kind_name(enum leftover_kind kind)
{
    return kind_names[kind];
}

/* --- as JSON --- */

#define TEXT(path_, member)                                                               \
    {                                                                                     \
        .path = (path_), .type = JSON_STRING, .offset = offsetof(struct leftover, member) \
    }

static const struct json_field fields[] = {
    TEXT("namespace", namespace),
    TEXT("name", name),
    TEXT("uid", uid),
    TEXT("series", series),
    TEXT("runID", run_id),
    TEXT("database", database),
    TEXT("account", account),
    TEXT("accountID", account_id),
    TEXT("vault", vault),
    TEXT("destination", destination),
    TEXT("destinationID", destination_id),
    TEXT("jobID", job_id),
    TEXT("roleARN", role_arn),
    TEXT("token", token),
    TEXT("sourceARN", source_arn),
    TEXT("arn", arn),
    TEXT("identifier", identifier),
    TEXT("resource", resource),
    TEXT("prefix", prefix),
    TEXT("message", message),
};
#undef TEXT

static char **text_of(const struct leftover *item, const struct json_field *field)
{
    return (char **)((uintptr_t)item + field->offset);
}

static void free_parameters(struct leftover *item)
{
    for (size_t i = 0; i < item->parameter_count; i++) {
        xfree(item->parameters[i].target);
        xfree(item->parameters[i].key);
    }
    xfree(item->parameters);
}

void leftover_done(struct leftover *item)
{
    for (size_t i = 0; i < COUNT_OF(fields); i++)
        xfree(*text_of(item, &fields[i]));
    free_parameters(item);
    *item = (struct leftover){0};
}

void leftovers_done(struct leftovers *list)
{
    for (size_t i = 0; i < list->count; i++)
        leftover_done(&list->items[i]);
    xfree(list->items);
    *list = (struct leftovers){0};
}

struct leftover *leftovers_append(struct leftovers *list)
{
    list->items = xgrow(list->items, list->count, sizeof(*list->items));
    list->items[list->count] = (struct leftover){0};
    return &list->items[list->count++];
}

static struct json *parameters_to_json(const struct leftover *item)
{
    struct json *list = json_new_array();

    for (size_t i = 0; i < item->parameter_count; i++) {
        struct json *parameter = json_new_object();

        json_set_text(parameter, "kind", parameter_names[item->parameters[i].kind]);
        json_set_text(parameter, "target", item->parameters[i].target);
        json_set_text(parameter, "key", item->parameters[i].key);
        if (item->parameters[i].unwritten)
            json_set(parameter, "unwritten", json_new_bool(true));
        json_append(list, parameter);
    }
    return list;
}

static void set_time(struct json *value, const char *name, int64_t wall_ms)
{
    char text[TIME_TEXT_MAX];

    if (!wall_ms)
        return;
    time_rfc3339(wall_ms, text);
    json_set_text(value, name, text);
}

struct json *leftover_to_json(const struct leftover *item)
{
    struct json *value = json_new_object();

    json_set_text(value, "kind", kind_names[item->kind]);
    for (size_t i = 0; i < COUNT_OF(fields); i++)
        json_set_text(value, fields[i].path, *text_of(item, &fields[i]));
    json_set_text(value, "databaseKind", database_kind_name(item->database_kind));
    if (item->may_unprotect)
        json_set_bool(value, "mayUnprotect", true);
    if (item->point_is_ours)
        json_set_bool(value, "pointIsOurs", true);
    set_time(value, "since", item->since_ms);
    set_time(value, "created", item->created_ms);
    set_time(value, "left", item->left_ms);
    if (item->parameter_count)
        json_set(value, "parameters", parameters_to_json(item));
    return value;
}

/* SIZE_MAX: none of them. */
static size_t index_of(const char *const *names, size_t count, const char *name)
{
    for (size_t i = 0; i < count; i++) {
        if (text_equal(names[i], name))
            return i;
    }
    return SIZE_MAX;
}

static struct err *parse_parameters(const struct json *value, struct leftover *item)
{
    json_each (entry, json_member(value, "parameters")) {
        size_t kind = index_of(parameter_names, COUNT_OF(parameter_names), json_get_text(entry, "kind", ""));
        const char *target = json_get_text(entry, "target", NULL);

        if (kind == SIZE_MAX || !target)
            return err_new(ERR_INVALID, "parameters: no such parameter");
        item->parameters = xgrow(item->parameters, item->parameter_count, sizeof(*item->parameters));
        item->parameters[item->parameter_count++] = (struct parameter_spec){
            .kind = (enum parameter_kind)kind,
            .target = xstrdup(target),
            .key = xstrdup_or_null(json_get_text(entry, "key", NULL)),
            .unwritten = json_get_bool(entry, "unwritten", false),
        };
    }
    return NULL;
}

static int64_t time_of(const struct json *value, const char *name)
{
    int64_t wall_ms = 0;

    return time_parse(str_of(json_get_text(value, name, "")), &wall_ms) ? wall_ms : 0;
}

static bool says_what(const struct leftover *item)
{
    if (item->kind == LEFTOVER_RECOVERY_POINT || item->kind == LEFTOVER_KEPT_COPY)
        return item->arn && (item->identifier || item->kind == LEFTOVER_RECOVERY_POINT);
    return item->kind != LEFTOVER_COPY || item->identifier;
}

struct err *leftover_parse(const struct json *value, struct leftover *ret)
{
    AUTO_LEFTOVER struct leftover item = {0};
    size_t kind = index_of(kind_names, COUNT_OF(kind_names), json_get_text(value, "kind", ""));

    TRY(json_decode(value, "leftover", fields, COUNT_OF(fields), &item));
    if (kind == SIZE_MAX || !item.account || !item.namespace || !item.series || !item.run_id ||
        !item.database)
        return err_new(ERR_INVALID, "not an entry of ours");
    item.kind = (enum leftover_kind)kind;
    if (!says_what(&item))
        return err_new(ERR_INVALID, "it does not say what is left");
    item.database_kind =
        text_equal(json_get_text(value, "databaseKind", ""), "Aurora") ? DATABASE_AURORA : DATABASE_DYNAMODB;
    item.may_unprotect = json_get_bool(value, "mayUnprotect", false);
    item.point_is_ours = json_get_bool(value, "pointIsOurs", false);
    item.since_ms = time_of(value, "since");
    item.created_ms = time_of(value, "created");
    item.left_ms = time_of(value, "left");
    TRY(parse_parameters(value, &item));
    *ret = item;
    item = (struct leftover){0};
    return NULL;
}

/* --- for people --- */

char *leftover_key(const struct leftover *item)
{
    AUTO_BUF struct buf text = BUF_MAX(8 * KIB);
    char hex[2 * SHA256_BYTES + 1];
    bool is_job = item->kind <= LEFTOVER_RESTORE_JOB;

    if (item->kind == LEFTOVER_KEPT_COPY) /* whichever object of the series it was that knew of it last */
        buf_addf(&text, "%s\n%s\n", item->namespace, item->series);
    else
        buf_addf(&text, "%s\n%s\n%s\n%s\n", item->uid ? item->uid : "", item->run_id, item->database,
                 kind_names[item->kind]);
    if (is_job)
        buf_addf(&text, "%lld", (long long)item->since_ms / 1000); /* another attempt has another intent */
    else
        buf_adds(&text, item->arn ? item->arn : item->identifier);
    sha256_hex(buf_str(&text), hex);
    return xasprintf("%s-%.*s", kind_names[item->kind], KEY_HEX, hex);
}

char *leftover_subject(const struct leftover *item)
{
    const char *what = item->kind > LEFTOVER_RESTORE_JOB ? (item->arn ? item->arn : item->identifier)
                                                         : (item->job_id ? item->job_id : "of an unknown id");

    return xasprintf("%s %s (%s/%s, run %s, %s) in AWSAccount %s", kind_names[item->kind], what,
                     item->namespace, item->name ? item->name : "", item->run_id, item->database,
                     item->account);
}

/* --- the document --- */

static struct json *new_document(void)
{
    struct json *document = json_new_object();

    json_set(document, "metadata", json_new_object());
    return document;
}

static struct json *data_of(struct json *document)
{
    if (!json_member(document, "data"))
        json_set(document, "data", json_new_object());
    return json_edit(document, "data");
}

/* False: there is nothing to be written. */
typedef struct err *edit_fn(struct json *data, const void *arg, bool *ret_changed);

static struct err *edit_once(struct objects *objects, const struct env *env, edit_fn *edit, const void *arg)
{
    AUTO_JSON struct json *document = NULL;
    bool changed = false;

    TRY(objects_read_leftovers(objects, env, &document));
    if (!document)
        document = new_document();
    TRY(edit(data_of(document), arg, &changed));
    return changed ? objects_write_leftovers(objects, env, document) : NULL;
}

static struct err *edit_document(struct objects *objects, const struct env *env, edit_fn *edit,
                                 const void *arg)
{
    struct err *err = edit_once(objects, env, edit, arg);

    for (int i = 1; err && err_kind(err) == ERR_CONFLICT && i < CONFLICTS_MAX; i++) {
        err_ignore(err, "another worker was faster: what it wrote is kept");
        err = edit_once(objects, env, edit, arg);
    }
    return err;
}

/* The name of an entry says what it is about. */
static bool is_kept(const struct json *entry)
{
    AUTO_FREE char *prefix = xasprintf("%s-", kind_names[LEFTOVER_KEPT_COPY]);

    return str_starts(str_of(json_key(entry)), prefix);
}

/* Of all there is; `kept`: of copies that are kept. */
static bool is_too_much(const struct json *data, bool kept)
{
    size_t count = 0, bytes = 0, part = kept ? LEFTOVERS_KEPT_PART : 1;

    json_each (entry, data) {
        if (kept && !is_kept(entry))
            continue;
        count++;
        bytes += strlen(json_key(entry)) + strlen(json_get_text(entry, NULL, ""));
    }
    return count > LEFTOVERS_MAX / part || bytes > LEFTOVERS_BYTES_MAX / part;
}

static struct err *add_all(struct json *data, const void *arg, bool *ret_changed)
{
    const struct leftovers *list = arg;
    bool kept = false;

    for (size_t i = 0; i < list->count; i++) {
        AUTO_FREE char *key = leftover_key(&list->items[i]);
        AUTO_JSON struct json *value = leftover_to_json(&list->items[i]);
        AUTO_FREE char *text = json_to_text(value);

        kept = kept || list->items[i].kind == LEFTOVER_KEPT_COPY;
        if (json_member(data, key))
            continue;
        json_add(data, key, json_new_text(text));
        *ret_changed = true;
    }
    if (*ret_changed && (is_too_much(data, false) || (kept && is_too_much(data, true))))
        return err_new(ERR_INVALID, "the list of leftovers is full: %zu entries", json_count(data));
    return NULL;
}

struct err *leftovers_write(struct objects *objects, const struct env *env, const struct leftovers *list)
{
    return list->count ? edit_document(objects, env, add_all, list) : NULL;
}

static struct err *drop_all(struct json *data, const void *arg, bool *ret_changed)
{
    const struct leftovers *list = arg;

    for (size_t i = 0; i < list->count; i++) {
        AUTO_FREE char *key = leftover_key(&list->items[i]);

        *ret_changed = *ret_changed || json_member(data, key);
        json_remove(data, key);
    }
    return NULL;
}

struct err *leftovers_drop(struct objects *objects, const struct env *env, const struct leftovers *list)
{
    return list->count ? edit_document(objects, env, drop_all, list) : NULL;
}

static struct err *parse_entry(const struct json *entry, struct leftover *ret)
{
    AUTO_JSON struct json *value = NULL;

    TRY(json_parse(str_of(json_get_text(entry, NULL, "")), NULL, &value));
    return leftover_parse(value, ret);
}

struct err *leftovers_read_kept(struct objects *objects, const struct env *env, const char *namespace,
                                const char *series, struct leftovers *ret)
{
    AUTO_JSON struct json *document = NULL;

    TRY(objects_read_leftovers(objects, env, &document));
    json_each (entry, json_member(document, "data")) {
        AUTO_LEFTOVER struct leftover item = {0};
        struct err *err = is_kept(entry) ? parse_entry(entry, &item) : NULL;

        if (err)
            err_ignore(err, "said by whoever works the list off");
        if (!item.arn || !text_equal(item.namespace, namespace) || !text_equal(item.series, series))
            continue;
        *leftovers_append(ret) = item;
        item = (struct leftover){0};
    }
    return NULL;
}

struct change_list {
    const struct leftover_change *changes;
    size_t count;
};

static struct err *change_all(struct json *data, const void *arg, bool *ret_changed)
{
    const struct change_list *list = arg;

    for (size_t i = 0; i < list->count; i++) {
        const struct leftover_change *change = &list->changes[i];

        if (!text_equal(json_get_text(json_member(data, change->key), NULL, NULL), change->before))
            continue;
        json_set_text(data, change->key, change->after);
        *ret_changed = true;
    }
    return NULL;
}

struct err *leftovers_change(struct objects *objects, const struct env *env,
                             const struct leftover_change *changes, size_t count)
{
    const struct change_list list = {.changes = changes, .count = count};

    return count ? edit_document(objects, env, change_all, &list) : NULL;
}
