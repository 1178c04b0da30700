#include "controller/steps/kube_secret.h"

#include "controller/leftovers.h"
#include "controller/names.h"
#include "controller/steps/secret_text.h"
#include "pkg/base/digest.h"
#include "pkg/kube/client.h"

static const struct kube_resource secrets = {
    .group = "", .version = "v1", .plural = "secrets", .kind = "Secret", .namespaced = true};

static struct kube_ref at(const struct pass *pass, const char *name)
{
    return (struct kube_ref){.resource = &secrets, .namespace = pass->namespace, .name = name};
}

static struct err *read(const struct pass *pass, const char *name, struct json **ret)
{
    const struct kube_ref ref = at(pass, name);

    if (!pass->objects->kube)
        return err_new(ERR_INVALID, "Secret %s needs a cluster, and there is none", name);
    return err_wrap(kube_get_sensitive(pass->objects->kube, pass->env, &ref, ret), "read Secret %s", name);
}

static struct err *decode(const struct json *object, const char *name, const char *key, struct secret **ret)
{
    AUTO_BUF struct buf plain = BUF_SECRET(SECRET_TEXT_MAX);
    const char *encoded = json_get_text(json_member(json_member(object, "data"), key), NULL, NULL);

    if (!encoded)
        return NULL;
    if (!base64_decode(str_of(encoded), &plain))
        return err_new(ERR_INVALID, "key %s of Secret %s is not base64", key, name);
    *ret = secret_new(buf_str(&plain));
    return NULL;
}

struct err *kube_secret_get(const struct pass *pass, const char *name, const char *key, struct secret **ret)
{
    AUTO_JSON struct json *object = NULL;

    TRY(read(pass, name, &object));
    return decode(object, name, key, ret);
}

/* {"stringData": {key: value}}, or {"data": {key: null}} */
static struct json *new_body(const char *key, const struct secret *value)
{
    struct json *body = json_new_object(), *data = json_new_object();

    json_set(data, key, value ? json_new_text(secret_reveal(value).ptr) : json_new_null());
    json_set(body, value ? "stringData" : "data", data);
    return body;
}

struct err *kube_secret_set(const struct pass *pass, const char *name, const char *key,
                            const struct secret *value)
{
    const struct kube_ref ref = at(pass, name);
    AUTO_JSON struct json *body = new_body(key, value);
    const struct kube_patch patch = {.type = KUBE_PATCH_MERGE, .body = body, .sensitive = true};

    if (!pass->objects->kube)
        return err_new(ERR_INVALID, "Secret %s needs a cluster, and there is none", name);
    return err_wrap(kube_patch(pass->objects->kube, pass->env, &ref, &patch, NULL), "write Secret %s", name);
}

/* --- ours --- */

static char *our_name(const struct pass *pass)
{
    return xasprintf("stagingrefresh-%s", pass->spec->series);
}

static char *key_of(const char *run_id, const char *key)
{
    return xasprintf("%s.%s", run_id, key);
}

struct err *kube_secret_kept(const struct pass *pass, const char *key, struct secret **ret)
{
    return kube_secret_kept_by(pass, pass->status->run.id, key, ret);
}

struct err *kube_secret_kept_by(const struct pass *pass, const char *run_id, const char *key,
                                struct secret **ret)
{
    AUTO_FREE char *name = our_name(pass), *full = key_of(run_id, key);
    struct err *err = kube_secret_get(pass, name, full, ret);

    if (err && err_kind(err) == ERR_NOT_FOUND) {
        err_ignore(err, "nothing has been kept yet");
        return NULL;
    }
    return err;
}

/* The owners there are, and this object. */
static struct json *owners_with(const struct pass *pass, const struct json *present)
{
    struct json *owners = json_new_array(), *owner;

    json_each (other, json_at(present, "metadata.ownerReferences")) {
        if (!text_equal(json_get_text(other, "uid", ""), pass->uid))
            json_append(owners, json_copy(other));
    }
    owner = json_new_object();
    json_set_text(owner, "apiVersion", "stagingrefresh.dev/v1alpha1");
    json_set_text(owner, "kind", "StagingRefresh");
    json_set_text(owner, "name", pass->name);
    json_set_text(owner, "uid", pass->uid);
    json_append(owners, owner);
    return owners;
}

static struct err *create(const struct pass *pass, const char *name, const char *key,
                          const struct secret *value)
{
    const struct kube_ref collection = {.resource = &secrets, .namespace = pass->namespace};
    AUTO_JSON struct json *body = new_body(key, value);
    struct json *metadata = json_new_object(), *labels = json_new_object();

    json_set_text(body, "apiVersion", "v1");
    json_set_text(body, "kind", "Secret");
    json_set_text(metadata, "name", name);
    json_set_text(metadata, "namespace", pass->namespace);
    json_set_text(labels, "app.kubernetes.io/managed-by", "stagingrefresh");
    json_set(metadata, "labels", labels);
    json_set(metadata, "ownerReferences", owners_with(pass, NULL));
    json_set(body, "metadata", metadata);
    return err_wrap(kube_create(pass->objects->kube, pass->env, &collection, body, NULL), "create Secret %s",
                    name);
}

char *kube_secret_attempt_key(const struct pass *pass, const char *what)
{
    int64_t attempt = pass->status->run.attempt;

    return attempt > 1 ? xasprintf("%s.%lld", what, (long long)attempt) : xstrdup(what);
}

/* The key without its attempt. */
static struct str without_attempt(const char *key)
{
    const char *dot = strrchr(key, '.');
    int64_t attempt;

    return dot && str_to_int(str_of(dot + 1), &attempt) ? (struct str){.ptr = key, .len = (size_t)(dot - key)}
                                                        : str_of(key);
}

/* --- what is not needed any more --- */

/* {"<run>": true, ...} */
static void add_run(struct json *runs, const char *run_id)
{
    if (!text_is_empty(run_id))
        json_set_bool(runs, run_id, true);
}

/* What can be retried, what is used again, and what it can be switched to. */
static bool add_runs_of(void *arg, const struct json *object)
{
    struct json *runs = arg;

    add_run(runs, json_get_text(object, "status.run.id", NULL));
    add_run(runs, json_get_text(object, "status.run.copiesOf", NULL));
    json_each (copy, json_at(object, "status.copies"))
        add_run(runs, json_get_text(copy, "runID", NULL));
    return true;
}

/* The runs that an object of the series names, this one as it is in memory. */
static struct json *named_runs(const struct pass *pass)
{
    AUTO_FREE char *series = objects_series(pass->namespace, pass->spec->series);
    struct json *runs = json_new_object();

    objects_each(pass->objects, OBJECT_REFRESH, series, add_runs_of, runs);
    add_run(runs, pass->status->run.id);
    add_run(runs, pass->status->run.copies_of);
    for (size_t i = 0; i < pass->status->copy_count; i++)
        add_run(runs, pass->status->copies[i].run_id);
    return runs;
}

/* Those of copies that are kept though their object has gone. */
static struct err *add_runs_of_kept(const struct pass *pass, struct json *runs)
{
    AUTO_LEFTOVERS struct leftovers kept = {0};

    TRY(leftovers_read_kept(pass->objects, pass->env, pass->namespace, pass->spec->series, &kept));
    for (size_t i = 0; i < kept.count; i++)
        add_run(runs, kept.items[i].run_id);
    return NULL;
}

/* {"data": {key: null}} of what belongs to none of these runs. */
static struct json *keys_of_others(const struct json *present, const struct json *runs)
{
    struct json *data = json_new_object();

    json_each (value, json_member(present, "data")) {
        struct str rest = str_of(json_key(value)), run = {0};
        bool is_ours = str_cut(&rest, '.', &run);
        AUTO_FREE char *run_id = str_dup(run);

        if (is_ours && !json_member(runs, run_id))
            json_set(data, json_key(value), json_new_null());
    }
    return data;
}

/* What earlier attempts have kept in place of `key`. */
static void add_keys_of_attempts(const struct json *present, const char *key, struct json *data)
{
    json_each (value, json_member(present, "data")) {
        if (str_equal(without_attempt(json_key(value)), without_attempt(key)))
            json_set(data, json_key(value), json_new_null());
    }
}

/* What belongs to runs that nobody names any more goes, and what is kept anew. */
static struct json *forget_others(const struct pass *pass, const struct json *present, const char *key)
{
    AUTO_JSON struct json *runs = named_runs(pass);
    AUTO_JSON struct json *named_by_none = keys_of_others(present, runs);
    struct err *err = json_count(named_by_none) ? add_runs_of_kept(pass, runs) : NULL;
    struct json *data = err ? json_new_object() : keys_of_others(present, runs);

    err_ignore(err, "what belongs to other runs stays until the next time");
    add_keys_of_attempts(present, key, data);
    return data;
}

/* Only over the version in which the key was not there. */
static struct err *add(const struct pass *pass, const char *name, const struct json *present, const char *key,
                       const struct secret *value)
{
    const struct kube_ref ref = at(pass, name);
    AUTO_JSON struct json *body = new_body(key, value);
    const struct kube_patch patch = {.type = KUBE_PATCH_MERGE, .body = body, .sensitive = true};
    struct json *metadata = json_new_object();

    json_set_text(metadata, "resourceVersion", json_get_text(present, "metadata.resourceVersion", NULL));
    json_set(metadata, "ownerReferences", owners_with(pass, present));
    json_set(body, "metadata", metadata);
    json_set(body, "data", forget_others(pass, present, key));
    return err_wrap(kube_patch(pass->objects->kube, pass->env, &ref, &patch, NULL), "write Secret %s", name);
}

struct err *kube_secret_keep(const struct pass *pass, const char *key, const struct secret *value)
{
    AUTO_FREE char *name = our_name(pass), *full = key_of(pass->status->run.id, key);
    AUTO_JSON struct json *present = NULL;
    struct err *err = read(pass, name, &present);

    if (err && err_kind(err) == ERR_NOT_FOUND) {
        err_ignore(err, "then it is made");
        return create(pass, name, full, value);
    }
    TRY(err);
    if (json_member(json_member(present, "data"), full))
        return err_new(ERR_CONFLICT, "key %s of Secret %s is there already", full, name);
    return add(pass, name, present, full, value);
}
