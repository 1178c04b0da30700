#include "controller/cmd_run_input.h"

#include "pkg/base/yaml.h"

#define FILES_MAX 16
#define IGNORED_MAX (2 * KIB)

/* A document of ours and the file it is in. */
struct found {
    const struct yaml_doc *doc; /* NULL: none */
    const struct json *root;
};

struct reading {
    struct yaml_docs files[FILES_MAX];
    size_t file_count;
    struct found refresh;
    struct found *accounts;
    size_t account_count;
    struct buf ignored;
};

static void reading_done(struct reading *reading)
{
    for (size_t i = 0; i < reading->file_count; i++)
        yaml_docs_done(&reading->files[i]);
    xfree(reading->accounts);
    buf_done(&reading->ignored);
}

void run_input_done(struct run_input *input)
{
    json_free(input->refresh);
    json_free(input->source);
    json_free(input->target);
    refresh_spec_free(input->spec);
    xfree(input->ignored);
    *input = (struct run_input){0};
}

/* --- where a mistake is --- */

/* Lists with keys are spelt by key in messages ("databases[main]"); lines are found by index. */
static size_t index_of(const struct json *list, struct str key)
{
    static const char *const keys[] = {"name", "type"};
    size_t index = 0;
    int64_t number;

    if (str_to_int(key, &number))
        return number < 0 ? 0 : (size_t)number;
    json_each (item, list) {
        for (size_t i = 0; i < COUNT_OF(keys); i++) {
            if (str_is(key, json_get_text(item, keys[i], "")))
                return index;
        }
        index++;
    }
    return 0;
}

/* "spec.databases[main].aurora" -> "spec.databases[0].aurora" */
static char *path_by_index(const struct json *root, struct str path)
{
    AUTO_BUF struct buf out = BUF_MAX(4 * KIB);
    struct str piece;

    while (str_cut(&path, '[', &piece)) {
        struct str key;

        buf_add_str(&out, piece);
        if (!str_cut(&path, ']', &key))
            break;
        buf_addf(&out, "[%zu]", index_of(json_at(root, buf_text(&out)), key));
    }
    return buf_take(&out);
}

/* Puts file and line in front of an error that begins with the field's path. */
static struct err *at_line(const struct found *found, struct err *err)
{
    struct str rest, path;
    AUTO_FREE char *by_index = NULL;

    if (!err)
        return NULL;
    rest = str_of(err_text(err));
    str_cut(&rest, ':', &path);
    by_index = path_by_index(found->root, path);
    return err_wrap(err, "%s:%d", yaml_name(found->doc), yaml_line_at(found->doc, by_index));
}

static int first_line(const struct found *found)
{
    return yaml_line(found->doc, found->root);
}

/* --- sorting documents --- */

static const char *name_of(const struct json *object)
{
    return json_get_text(object, "metadata.name", "");
}

static struct err *check_version(const struct found *found, const char *kind)
{
    const char *version = json_get_text(found->root, "apiVersion", "");

    if (text_equal(version, API_VERSION))
        return NULL;
    return err_new(ERR_INVALID, "%s:%d: apiVersion: %s is read as " API_VERSION ", not \"%s\"",
                   yaml_name(found->doc), yaml_line_at(found->doc, "apiVersion"), kind, version);
}

static struct err *add_refresh(struct reading *reading, const struct found *found)
{
    if (reading->refresh.doc)
        return err_new(ERR_INVALID,
                       "%s:%d: a second StagingRefresh (the first is at %s:%d): run takes one at a time",
                       yaml_name(found->doc), first_line(found), yaml_name(reading->refresh.doc),
                       first_line(&reading->refresh));
    reading->refresh = *found;
    return NULL;
}

static struct err *add_account(struct reading *reading, const struct found *found)
{
    for (size_t i = 0; i < reading->account_count; i++) {
        const struct found *other = &reading->accounts[i];

        if (text_equal(name_of(other->root), name_of(found->root)))
            return err_new(ERR_INVALID, "%s:%d: a second AWSAccount \"%s\" (the first is at %s:%d)",
                           yaml_name(found->doc), first_line(found), name_of(found->root),
                           yaml_name(other->doc), first_line(other));
    }
    reading->accounts = xgrow(reading->accounts, reading->account_count, sizeof(*reading->accounts));
    reading->accounts[reading->account_count++] = *found;
    return NULL;
}

static void ignore(struct reading *reading, const struct json *root)
{
    const char *name = name_of(root);

    buf_addf(&reading->ignored, "%s%s%s%s", reading->ignored.len ? ", " : "",
             json_get_text(root, "kind", "a document without a kind"), *name ? " " : "", name);
}

static struct err *sort_document(struct reading *reading, const struct yaml_doc *doc)
{
    const struct found found = {.doc = doc, .root = yaml_root(doc)};
    const char *kind = json_get_text(found.root, "kind", "");
    bool is_refresh = text_equal(kind, object_kind_name(OBJECT_REFRESH));

    if (!is_refresh && !text_equal(kind, object_kind_name(OBJECT_ACCOUNT))) {
        if (str_starts(str_of(json_get_text(found.root, "apiVersion", "")), API_GROUP "/"))
            return err_new(ERR_INVALID, "%s:%d: kind: \"%s\" is neither StagingRefresh nor AWSAccount",
                           yaml_name(doc), yaml_line_at(doc, "kind"), kind);
        ignore(reading, found.root);
        return NULL;
    }
    TRY(check_version(&found, kind));
    TRY(refresh_check_known(doc));
    return is_refresh ? add_refresh(reading, &found) : add_account(reading, &found);
}

static struct err *read_files(struct reading *reading, const char *const *files, size_t count)
{
    if (count > FILES_MAX)
        return err_new(ERR_INVALID, "more than %d files", FILES_MAX);
    for (size_t i = 0; i < count; i++) {
        struct yaml_docs *docs = &reading->files[i];

        TRY(yaml_read_file(files[i], NULL, docs));
        reading->file_count = i + 1;
        for (size_t k = 0; k < docs->count; k++)
            TRY(sort_document(reading, docs->items[k]));
    }
    if (!reading->refresh.doc)
        return err_new(ERR_INVALID, "%s: no StagingRefresh in it", count == 1 ? files[0] : "the files");
    return NULL;
}

/* --- checking --- */

/* What a person meant is in the file, so what the schema would say is said here. */
static struct err *check_metadata(const struct found *refresh)
{
    const char *name = name_of(refresh->root);

    if (*name)
        return NULL;
    return at_line(refresh, err_new(ERR_INVALID, "metadata.name: required%s",
                                    json_at(refresh->root, "metadata.generateName")
                                        ? ", generateName works only in a cluster"
                                        : ""));
}

static struct err *check_spec(const struct found *refresh, bool has_cluster, struct refresh_spec **ret)
{
    AUTO_REFRESH_SPEC struct refresh_spec *spec = NULL;
    AUTO_BUF struct buf fields = BUF_MAX(4 * KIB);

    TRY(at_line(refresh,
                refresh_spec_parse(json_member(refresh->root, "spec"), name_of(refresh->root), &spec)));
    if (spec->live.suspend)
        return at_line(refresh, err_new(ERR_INVALID, "spec.suspend: is true, so there is nothing to run"));
    if (refresh_needs_cluster(spec, &fields) && !has_cluster)
        return err_new(ERR_INVALID, "%s: these fields need a cluster, give --kubeconfig: %s",
                       yaml_name(refresh->doc), buf_text(&fields));
    *ret = TAKE(spec);
    return NULL;
}

/* NULL: not in the files given. */
static const struct found *find_account(const struct reading *reading, const char *name)
{
    for (size_t i = 0; i < reading->account_count; i++) {
        if (text_equal(name_of(reading->accounts[i].root), name))
            return &reading->accounts[i];
    }
    return NULL;
}

struct wanted_account {
    const char *field;
    const char *name;
    enum account_usage usage;
};

static struct err *take_account(const struct reading *reading, const struct wanted_account *wanted,
                                struct json **ret, struct account **ret_account)
{
    const struct found *found = find_account(reading, wanted->name);
    AUTO_ACCOUNT struct account *account = NULL;

    if (!found)
        return at_line(&reading->refresh,
                       err_new(ERR_INVALID, "%s: AWSAccount \"%s\" is not in the files given", wanted->field,
                               wanted->name));
    TRY(at_line(found, account_parse(found->root, &account)));
    if (account->usage != wanted->usage)
        return at_line(found, err_new(ERR_INVALID, "spec.usage: %s names this account, so it must be %s",
                                      wanted->field, account_usage_name(wanted->usage)));
    *ret = json_copy(found->root);
    *ret_account = TAKE(account);
    return NULL;
}

static struct err *take_accounts(const struct reading *reading, struct run_input *input)
{
    const struct wanted_account source_wanted = {"spec.sourceRef.name", input->spec->source, USAGE_SOURCE};
    const struct wanted_account target_wanted = {"spec.targetRef.name", input->spec->target, USAGE_TARGET};
    AUTO_ACCOUNT struct account *source = NULL;
    AUTO_ACCOUNT struct account *target = NULL;

    TRY(take_account(reading, &target_wanted, &input->target, &target));
    if (!input->spec->source)
        return NULL;
    TRY(take_account(reading, &source_wanted, &input->source, &source));
    if (text_equal(source->account_id, target->account_id))
        return at_line(&reading->refresh,
                       err_new(ERR_INVALID, "spec.targetRef.name: source and target are one account (%s)",
                               target->account_id));
    return NULL;
}

static struct json *with_namespace(const struct json *document)
{
    struct json *copy = json_copy(document);

    if (!json_at(copy, "metadata.namespace"))
        json_set_text(json_edit(copy, "metadata"), "namespace", "default");
    return copy;
}

struct err *run_input_read(const char *const *files, size_t count, bool has_cluster, struct run_input *ret)
{
    CLEANUP(reading_done) struct reading reading = {.ignored = BUF_MAX(IGNORED_MAX)};
    AUTO_RUN_INPUT struct run_input input = {0};

    TRY(read_files(&reading, files, count));
    TRY(check_metadata(&reading.refresh));
    TRY(check_spec(&reading.refresh, has_cluster, &input.spec));
    TRY(take_accounts(&reading, &input));
    input.refresh = with_namespace(reading.refresh.root);
    input.ignored = reading.ignored.len ? buf_take(&reading.ignored) : NULL;
    *ret = input;
    input = (struct run_input){0};
    return NULL;
}
