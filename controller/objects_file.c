#include "controller/objects_file.h"

#include "controller/objects_file_join.h"
#include "pkg/base/files.h"
#include "pkg/base/lock.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#define OBJECT_MAX_BYTES (8 * MIB)
#define NAME_BYTES_MAX 200 /* a file's name is at most 255 bytes */
#define OBJECTS_MAX 64
#define INSTALLATION_BYTES 8

struct entry {
    struct object_id id; /* texts inside json */
    char *path;
    struct json *json; /* lock */
    bool is_written;   /* lock; somebody is at it, outside the lock */
};

struct objects_file {
    struct objects base;
    char *dir;
    char *installation;
    int lock_fd;
    pthread_mutex_t lock;
    struct entry entries[OBJECTS_MAX]; /* lock */
    size_t count;                      /* lock */
    bool leftovers_taken;              /* lock; somebody is at the list, outside the lock */
};

static struct objects_file *file_of(struct objects *objects)
{
    return (struct objects_file *)objects;
}

/* The lock is held. */
static struct entry *find(struct objects_file *file, const struct object_id *id)
{
    for (size_t i = 0; i < file->count; i++) {
        struct entry *entry = &file->entries[i];

        if (entry->id.kind == id->kind && text_equal(entry->id.namespace, id->namespace) &&
            text_equal(entry->id.name, id->name))
            return entry;
    }
    return NULL;
}

static struct object_id id_of(const struct json *object)
{
    bool is_account = text_equal(json_get_text(object, "kind", ""), object_kind_name(OBJECT_ACCOUNT));

    return (struct object_id){
        .kind = is_account ? OBJECT_ACCOUNT : OBJECT_REFRESH,
        .namespace = is_account ? "" : json_get_text(object, "metadata.namespace", "default"),
        .name = json_get_text(object, "metadata.name", ""),
    };
}

/* What a file that cannot be read was for, by the beginning of its name. A crash never leaves one: somebody
 * or the disk did. */
static const struct damage {
    const char *prefix, *advice;
} damages[] = {
    {"awsaccount_", "it is damaged, and holds nothing that is not made again: delete it"},
    {"stagingrefresh_",
     "it is damaged, and was the record of the run: put back a copy of it. Without it the run "
     "cannot go on; to begin anew give another --state-dir, and look in AWS for what this "
     "one has made, by the tags stagingrefresh.dev/..."},
    {"leftovers.json",
     "it is damaged, and was the list of what is still to be removed from AWS: put back a copy "
     "of it. If you delete it, look in AWS for what is left over, by the tags "
     "stagingrefresh.dev/..."},
};

static const char *advice_for(const char *path)
{
    const char *slash = strrchr(path, '/');
    struct str name = str_of(slash ? slash + 1 : path);

    for (size_t i = 0; i < COUNT_OF(damages); i++)
        if (str_starts(name, damages[i].prefix))
            return damages[i].advice;
    return "it is damaged";
}

/* *ret is NULL when nothing was stored under that path. */
static struct err *load(const char *path, struct json **ret)
{
    AUTO_BUF struct buf text = BUF_MAX(OBJECT_MAX_BYTES);
    AUTO_JSON struct json *json = NULL;
    AUTO_ERR struct err *err = file_read(path, &text);

    if (err && err_kind(err) == ERR_NOT_FOUND) {
        *ret = NULL;
        return NULL;
    }
    TRY(TAKE(err));
    err = json_parse(buf_str(&text), NULL, &json);
    if (!err && json_is(json, JSON_OBJECT)) {
        *ret = TAKE(json);
        return NULL;
    }
    return err_new(ERR_INVALID, "%s: %s (%s)", path, advice_for(path),
                   err ? err_text(err) : "no JSON object");
}

/* --- the interface --- */

static struct err *read_object(struct objects *self, const struct env *env, const struct object_id *id,
                               struct json **ret)
{
    struct objects_file *file = file_of(self);
    const struct entry *entry;

    (void)env;
    LOCK_SCOPE(&file->lock);
    entry = find(file, id);
    *ret = entry ? json_copy(entry->json) : NULL;
    return NULL;
}

static void each_object(struct objects *self, enum object_kind kind, const char *group, objects_see_fn *see,
                        void *arg)
{
    struct objects_file *file = file_of(self);

    LOCK_SCOPE(&file->lock);
    for (size_t i = 0; i < file->count; i++) {
        const struct entry *entry = &file->entries[i];

        if (entry->id.kind == kind && objects_is_in_group(kind, entry->json, group) && !see(arg, entry->json))
            return;
    }
}

static void grow_version(struct json *object)
{
    struct json *meta = json_edit(object, "metadata");
    int64_t version = 0;
    AUTO_FREE char *text = NULL;

    str_to_int(str_of(json_get_text(meta, "resourceVersion", "0")), &version);
    text = xasprintf("%lld", (long long)version + 1);
    json_set_text(meta, "resourceVersion", text);
}

static struct err *store(const char *path, const struct json *object)
{
    AUTO_BUF struct buf text = BUF_MAX(OBJECT_MAX_BYTES);

    json_print_pretty(object, &text);
    buf_addc(&text, '\n');
    if (text.overflow)
        return err_new(ERR_INVALID, "%s: the object has grown too large", path);
    return file_replace(path, buf_str(&text), 0600);
}

/* Whether a write that follows from `object` still holds: nobody changed the version it was read in, or, for
 * a status, only an annotation came in between. */
static bool still_holds(const struct entry *entry, const struct json *object, bool is_status)
{
    if (text_equal(json_get_text(entry->json, "metadata.resourceVersion", ""),
                   json_get_text(object, "metadata.resourceVersion", "")))
        return true;
    return is_status && json_equal(json_member(entry->json, "status"), json_member(object, "status"));
}

/* Takes the entry for one writer. *ret_base is a copy of what it is to change, yours. */
static struct err *begin_write(struct objects_file *file, const struct json *object, bool is_status,
                               struct entry **ret, struct json **ret_base)
{
    const struct object_id id = id_of(object);
    struct entry *entry;

    LOCK_SCOPE(&file->lock);
    entry = find(file, &id);
    if (!entry)
        return err_new(ERR_NOT_FOUND, "%s %s is not there", object_kind_name(id.kind), id.name);
    if (entry->is_written || !still_holds(entry, object, is_status))
        return err_new(ERR_CONFLICT, "%s %s was changed in between", object_kind_name(id.kind), id.name);
    entry->is_written = true;
    *ret = entry;
    *ret_base = json_copy(entry->json);
    return NULL;
}

static void end_write(struct objects_file *file, struct entry *entry, struct json *newer)
{
    struct json *older = newer;

    LOCK_SCOPE(&file->lock);
    if (newer) {
        older = entry->json;
        entry->json = newer;
        entry->id = id_of(newer);
    }
    json_free(older);
    entry->is_written = false;
}

/* Sets one member, `in` the object ("metadata") or the object itself (NULL); value is taken over. On disk
 * first: what was read back once can never be lost. */
static struct err *write_member(struct objects_file *file, const struct json *object, const char *in,
                                const char *name, struct json *value, struct json **ret)
{
    AUTO_JSON struct json *owned = value;
    AUTO_JSON struct json *newer = NULL;
    struct entry *entry = NULL;
    struct err *err;

    TRY(begin_write(file, object, text_equal(name, "status"), &entry, &newer));
    json_set(in ? json_edit(newer, in) : newer, name, TAKE(owned));
    grow_version(newer);
    err = store(entry->path, newer);
    if (!err)
        *ret = json_copy(newer);
    end_write(file, entry, err ? NULL : TAKE(newer));
    return err;
}

static struct err *write_status(struct objects *self, const struct env *env, const struct json *object,
                                const struct json *status, struct json **ret)
{
    (void)env;
    return write_member(file_of(self), object, NULL, "status", json_copy(status), ret);
}

static struct err *set_finalizer(struct objects *self, const struct env *env, const struct json *object,
                                 bool present, struct json **ret)
{
    struct json *after = json_new_array();
    bool had = false;

    (void)env;
    json_each (item, json_at(object, "metadata.finalizers")) {
        bool is_ours = text_equal(json_get_text(item, NULL, ""), FINALIZER);

        had = had || is_ours;
        if (!is_ours)
            json_append(after, json_copy(item));
    }
    if (had == present) {
        json_free(after);
        *ret = json_copy(object);
        return NULL;
    }
    if (present)
        json_append_text(after, FINALIZER);
    return write_member(file_of(self), object, "metadata", "finalizers", after, ret);
}

static struct err *read_leftovers(struct objects *self, const struct env *env, struct json **ret)
{
    AUTO_FREE char *path = xasprintf("%s/leftovers.json", file_of(self)->dir);

    (void)env;
    return load(path, ret);
}

static struct err *replace_leftovers(struct objects *self, const struct env *env, const char *path,
                                     const struct json *document)
{
    AUTO_JSON struct json *present = NULL;
    AUTO_JSON struct json *newer = json_copy(document);

    TRY(read_leftovers(self, env, &present));
    if (!text_equal(json_get_text(present, "metadata.resourceVersion", ""),
                    json_get_text(document, "metadata.resourceVersion", "")))
        return err_new(ERR_CONFLICT, "%s was changed in between", path);
    if (!json_member(newer, "metadata"))
        json_set(newer, "metadata", json_new_object());
    grow_version(newer);
    return store(path, newer);
}

/* True when the list is the caller's alone, until it is given back. */
static bool take_leftovers(struct objects_file *file, bool taken)
{
    LOCK_SCOPE(&file->lock);
    if (taken && file->leftovers_taken)
        return false;
    file->leftovers_taken = taken;
    return true;
}

static struct err *write_leftovers(struct objects *self, const struct env *env, const struct json *document)
{
    struct objects_file *file = file_of(self);
    AUTO_FREE char *path = xasprintf("%s/leftovers.json", file->dir);
    struct err *err;

    if (!take_leftovers(file, true))
        return err_new(ERR_CONFLICT, "%s is being written by another worker", path);
    err = replace_leftovers(self, env, path, document);
    take_leftovers(file, false);
    return err;
}

/* There is nobody to tell but the log, and whoever emits writes a line of his own. */
static void emit(struct objects *self UNUSED, const struct env *env UNUSED, const struct json *object UNUSED,
                 enum event_severity severity UNUSED, const char *reason UNUSED, const char *note UNUSED)
{
}

static const struct objects_ops ops = {
    .read = read_object,
    .read_live = read_object,
    .each = each_object,
    .write_status = write_status,
    .set_finalizer = set_finalizer,
    .read_leftovers = read_leftovers,
    .write_leftovers = write_leftovers,
    .emit = emit,
};

/* --- bringing in --- */

static char *random_id(struct random *random)
{
    unsigned char bytes[INSTALLATION_BYTES];
    AUTO_BUF struct buf hex = BUF_MAX(2 * sizeof(bytes));

    random_fill(random, bytes, sizeof(bytes));
    buf_add_hex(&hex, bytes, sizeof(bytes));
    return buf_take(&hex);
}

/* Names become names of files. */
static bool is_safe(const char *name)
{
    size_t len = strlen(name);

    return len > 0 && len <= NAME_BYTES_MAX && name[0] != '.' &&
           strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789.-") == len;
}

static struct err *path_of(const struct objects_file *file, const struct object_id *id, char **ret)
{
    bool is_account = id->kind == OBJECT_ACCOUNT;

    if (!is_safe(id->name) || (!is_account && !is_safe(id->namespace)) ||
        strlen(id->name) + strlen(id->namespace) > NAME_BYTES_MAX)
        return err_new(ERR_INVALID, "%s \"%s\": this cannot be a name", object_kind_name(id->kind), id->name);
    if (is_account)
        *ret = xasprintf("%s/awsaccount_%s.json", file->dir, id->name);
    else
        *ret = xasprintf("%s/stagingrefresh_%s_%s.json", file->dir, id->namespace, id->name);
    return NULL;
}

static struct err *add_entry(struct objects_file *file, const char *path, struct json *object)
{
    struct object_id id = id_of(object);
    struct entry *entry;

    LOCK_SCOPE(&file->lock);
    if (find(file, &id)) {
        json_free(object);
        return err_new(ERR_INVALID, "%s: given twice", path);
    }
    if (file->count == OBJECTS_MAX) {
        json_free(object);
        return err_new(ERR_INVALID, "more than %d objects", OBJECTS_MAX);
    }
    entry = &file->entries[file->count++];
    *entry = (struct entry){.path = xstrdup(path), .json = object, .id = id};
    return NULL;
}

struct err *objects_file_put(struct objects *objects, const struct env *env, const struct json *document)
{
    struct objects_file *file = file_of(objects);
    const struct object_id id = id_of(document);
    AUTO_FREE char *uid = random_id(env->random);
    AUTO_FREE char *path = NULL;
    AUTO_JSON struct json *stored = NULL;
    AUTO_JSON struct json *joined = NULL;

    TRY(path_of(file, &id, &path));
    TRY(load(path, &stored));
    TRY(objects_file_join(document, stored, uid, &joined));
    /* On disk at once: tokens in AWS follow from the uid. */
    if (!json_equal(joined, stored)) {
        grow_version(joined);
        TRY(store(path, joined));
    }
    return add_entry(file, path, TAKE(joined));
}

struct err *objects_file_annotate(struct objects *objects, const struct object_id *id, const char *name,
                                  const char *value)
{
    AUTO_JSON struct json *object = NULL;
    AUTO_JSON struct json *written = NULL;
    const struct json *before;
    struct json *after;

    TRY(read_object(objects, NULL, id, &object));
    if (!object)
        return err_new(ERR_NOT_FOUND, "%s %s is not there", object_kind_name(id->kind), id->name);
    before = json_at(object, "metadata.annotations");
    after = before ? json_copy(before) : json_new_object();
    json_set_text(after, name, value);
    return write_member(file_of(objects), object, "metadata", "annotations", after, &written);
}

/* --- opening --- */

static struct err *take_lock(struct objects_file *file)
{
    AUTO_FREE char *path = xasprintf("%s/lock", file->dir);

    file->lock_fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (file->lock_fd < 0)
        return err_errno(ERR_INVALID, errno, "%s", path);
    if (flock(file->lock_fd, LOCK_EX | LOCK_NB) == 0)
        return NULL;
    if (errno == EWOULDBLOCK)
        return err_new(ERR_CONFLICT, "another run uses %s: wait for it, or give another --state-dir",
                       file->dir);
    return err_errno(ERR_INVALID, errno, "lock %s", path);
}

static struct err *learn_installation(struct objects_file *file, const struct env *env)
{
    AUTO_FREE char *path = xasprintf("%s/installation", file->dir);
    AUTO_BUF struct buf text = BUF_MAX(64);
    AUTO_ERR struct err *err = file_read(path, &text);

    if (err && err_kind(err) != ERR_NOT_FOUND)
        return TAKE(err);
    if (err) {
        file->installation = random_id(env->random);
        TRY(file_replace(path, str_of(file->installation), 0600));
    } else {
        file->installation = str_dup(str_trim(buf_str(&text)));
    }
    if (!*file->installation)
        return err_new(ERR_INVALID, "%s is empty: it names what this directory has made in AWS", path);
    file->base.installation = file->installation;
    return NULL;
}

struct err *objects_file_open(const char *dir, const struct env *env, struct objects **ret)
{
    struct objects_file *file = xcalloc(1, sizeof(*file));
    struct err *err;

    file->base.ops = &ops;
    file->dir = xstrdup(dir);
    file->lock_fd = -1;
    pthread_mutex_init(&file->lock, NULL);
    err = dir_create(dir, 0700);
    if (!err)
        err = take_lock(file);
    if (!err)
        err = learn_installation(file, env);
    if (err)
        objects_file_close(&file->base);
    else
        *ret = &file->base;
    return err;
}

void objects_file_close(struct objects *objects)
{
    struct objects_file *file = file_of(objects);

    if (!file)
        return;
    for (size_t i = 0; i < file->count; i++) {
        json_free(file->entries[i].json);
        xfree(file->entries[i].path);
    }
    if (file->lock_fd >= 0)
        close(file->lock_fd);
    pthread_mutex_destroy(&file->lock);
    xfree(file->installation);
    xfree(file->dir);
    xfree(file);
}

char *objects_file_default_dir(const char *xdg_state_home, const char *home, const char *namespace,
                               const char *name)
{
    /* The specification wants a relative path ignored: https://specifications.freedesktop.org/basedir-spec/
     */
    if (!text_is_empty(xdg_state_home) && xdg_state_home[0] == '/')
        return xasprintf("%s/stagingrefresh/%s/%s", xdg_state_home, namespace, name);
    return text_is_empty(home) ? NULL
                               : xasprintf("%s/.local/state/stagingrefresh/%s/%s", home, namespace, name);
}
