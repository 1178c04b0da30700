/* The controller's side: a cache that lags, writes that hold for one version, a watch. */
#include "tests/simulation/chance.h"
#include "tests/simulation/objects_memory_priv.h"
#include "tests/simulation/schema.h"

#define API_TIMEOUT_MS SECONDS(30)
#define REBASES_MAX 3

/* What a client knows of one record: versions before `floor` are never shown again. */
struct view {
    size_t floor;    /* count of versions that are seen for sure */
    size_t notified; /* count of versions that the watch has told of */
    bool uncertain;  /* a write may have been done: the cache is not good enough before a live read */
};

struct memory_client {
    struct objects base;
    struct memory *memory;
    struct lifetime *life;
    struct spot *spot;  /* of the one who watches */
    struct view *views; /* as many as there are records */
    size_t count;
};

/* --- the client's cache --- */

static struct memory_client *client_of(struct objects *objects)
{
    return (struct memory_client *)objects;
}

static struct view *view_of(struct memory_client *client, size_t index)
{
    size_t wanted = client->memory->count;

    if (client->count < wanted) {
        client->views = xrealloc(client->views, wanted * sizeof(*client->views));
        memset(client->views + client->count, 0, (wanted - client->count) * sizeof(*client->views));
        client->count = wanted;
    }
    return &client->views[index];
}

/* How many versions of the record the cache has seen by now. */
static size_t seen(struct memory_client *client, size_t index)
{
    const struct record *record = client->memory->records[index];
    struct view *view = view_of(client, index);
    int64_t now_ms = sched_now_ms(client->memory->opts.sched);

    /* In order: a version that was held up holds up the later ones. */
    while (view->floor < record->count && record->versions[view->floor].visible_ms <= now_ms)
        view->floor++;
    return view->floor;
}

static void see_all(struct memory_client *client, size_t index)
{
    view_of(client, index)->floor = client->memory->records[index]->count;
    view_of(client, index)->uncertain = false;
}

static const struct json *cached(struct memory_client *client, size_t index)
{
    size_t count = seen(client, index);

    return count ? client->memory->records[index]->versions[count - 1].object : NULL;
}

/* --- calls --- */

enum trouble { TROUBLE_NONE, TROUBLE_BUSY, TROUBLE_ERROR, TROUBLE_ERROR_AFTER, TROUBLE_LATE };

enum write_kind { WRITE_NOTHING, WRITE_STATUS, WRITE_FINALIZER };

struct api_call {
    struct memory_client *client;
    struct object_id id;
    enum write_kind kind;
    const struct json *base;   /* what is at hand */
    const char *version;       /* the write holds only for this one */
    const struct json *status; /* WRITE_STATUS */
    bool present;              /* WRITE_FINALIZER */
    enum trouble trouble;
    bool conflict, done; /* what came of it */
    char *refusal;       /* why it is not a valid object; NULL: it is */
    struct json *result; /* what was there at that moment, or was written; NULL: no object */
};

static struct json *with_finalizer(const struct json *object, bool present)
{
    struct json *after = json_copy(object), *list = json_new_array();

    json_each (item, json_at(object, "metadata.finalizers")) {
        if (!text_equal(json_get_text(item, NULL, NULL), FINALIZER))
            json_append(list, json_copy(item));
    }
    if (present)
        json_append_text(list, FINALIZER);
    json_set(json_edit(after, "metadata"), "finalizers", list);
    return after;
}

static bool may_go(const struct json *object)
{
    return json_at(object, "metadata.deletionTimestamp") &&
           !json_count(json_at(object, "metadata.finalizers"));
}

static void meddle(struct memory *memory, const struct object_id *id)
{
    AUTO_FREE char *patch = NULL;

    if (!chance_per_mille(memory->opts.sched, memory->opts.meddle_per_mille))
        return;
    patch = xasprintf("{\"metadata\":{\"labels\":{\"touched\":\"%lld\"}}}", (long long)memory->revision);
    memory_patch(memory, id, patch);
}

static struct json *changed(const struct api_call *call, const struct json *present)
{
    struct json *after;

    if (call->kind == WRITE_FINALIZER)
        return with_finalizer(present, call->present);
    after = json_new_object(); /* without a copy of the old status on the way: it is the bulk of the object */
    json_each (member, present) {
        if (!text_equal(json_key(member), "status"))
            json_set_copy(after, json_key(member), member);
    }
    json_set_copy(after, "status", call->status);
    return after;
}

static int64_t serve(void *arg)
{
    struct api_call *call = arg;
    struct memory *memory = call->client->memory;
    struct record *record = memory_find(memory, &call->id);
    const struct json *present;

    if (call->kind != WRITE_NOTHING)
        meddle(memory, &call->id);
    present = memory_newest(record);
    if (call->kind == WRITE_NOTHING || !present) {
        call->result = json_copy(present);
        return 0;
    }
    call->conflict = !text_equal(memory_version_text(present), call->version) ||
                     !text_equal(json_get_text(present, "metadata.uid", ""),
                                 json_get_text(call->base, "metadata.uid", ""));
    if (call->conflict)
        return 0;
    if (call->kind == WRITE_STATUS && !call->refusal)
        call->refusal = schema_refusal(call->id.kind, call->status);
    if (call->refusal)
        return 0;
    struct json *after = changed(call, present);
    bool goes = may_go(after);
    memory_store(memory, record, after, call->client);
    call->result = json_copy(after);
    call->done = true;
    if (goes)
        memory_store(memory, record, NULL, NULL);
    return 0;
}

static int64_t serve_in_trouble(void *arg)
{
    const struct api_call *call = arg;

    if (call->trouble == TROUBLE_BUSY || call->trouble == TROUBLE_ERROR)
        return 0;
    return serve(arg) + (call->trouble == TROUBLE_LATE ? 2 * API_TIMEOUT_MS : 0);
}

/* What the answer says, if it is not the one that was hoped for. */
static struct err *refusal(struct api_call *call)
{
    static const struct err_remote busy = {.service = "kubernetes",
                                           .code = "TooManyRequests",
                                           .http_status = 429,
                                           .retry_after_ms = SECONDS(1)},
                                   error = {
                                       .service = "kubernetes", .code = "InternalError", .http_status = 500};

    switch (call->trouble) {
    case TROUBLE_BUSY:
        return err_set_remote(err_new(ERR_RETRY, "429 TooManyRequests"), &busy);
    case TROUBLE_ERROR:
    case TROUBLE_ERROR_AFTER:
        json_free(TAKE(call->result));
        return err_set_remote(err_new(ERR_RETRY, "500 InternalError"), &error);
    case TROUBLE_NONE:
    case TROUBLE_LATE:
        break;
    }
    return NULL;
}

static struct err *api_call(struct api_call *call)
{
    struct sched *sched = call->client->memory->opts.sched;

    call->trouble = TROUBLE_NONE;
    if (chance_per_mille(sched, call->client->memory->opts.trouble_per_mille))
        call->trouble = (enum trouble)chance_between(sched, TROUBLE_BUSY, TROUBLE_LATE);
    switch (lifetime_call(
        call->client->life,
        &(struct lifetime_call){.timeout_ms = API_TIMEOUT_MS, .deed = serve_in_trouble, .arg = call})) {
    case CALL_CUT:
        json_free(TAKE(call->result));
        return err_new(ERR_CANCELED, "stopped while waiting for the API server");
    case CALL_TIMED_OUT:
        json_free(TAKE(call->result));
        return err_new(ERR_RETRY, "read from the API server: timed out");
    case CALL_ANSWERED:
        break;
    }
    return refusal(call);
}

static struct err *client_read_live(struct objects *objects, const struct env *env UNUSED,
                                    const struct object_id *id, struct json **ret)
{
    struct memory_client *client = client_of(objects);
    struct api_call call = {.client = client, .id = *id};
    size_t index = memory_find_index(client->memory, id);

    TRY(api_call(&call));
    *ret = call.result;
    /* Others may have written while the answer was under way; then the cache is ahead of it, which is fine.
     */
    if (index != SIZE_MAX)
        see_all(client, index);
    return NULL;
}

static struct err *client_read(struct objects *objects, const struct env *env, const struct object_id *id,
                               struct json **ret)
{
    struct memory_client *client = client_of(objects);
    size_t index = memory_find_index(client->memory, id);

    if (stop_requested(lifetime_stop(client->life)))
        return err_new(ERR_CANCELED, "stopping");
    if (index == SIZE_MAX) {
        *ret = NULL;
        return NULL;
    }
    if (view_of(client, index)->uncertain)
        return client_read_live(objects, env, id, ret);
    *ret = json_copy(cached(client, index));
    return NULL;
}

static void client_each(struct objects *objects, enum object_kind kind, const char *group,
                        objects_see_fn *see, void *arg)
{
    struct memory_client *client = client_of(objects);

    for (size_t i = 0; i < client->memory->count; i++) {
        const struct json *object = client->memory->records[i]->kind == kind ? cached(client, i) : NULL;

        if (object && objects_is_in_group(kind, object, group) && !see(arg, object))
            return;
    }
}

/* One try; without an answer nobody knows what became of it. */
static struct err *write_once(struct api_call *call, struct json **ret)
{
    static const struct err_remote invalid = {.service = "kubernetes", .code = "Invalid", .http_status = 422};
    struct sched *sched = call->client->memory->opts.sched;
    bool lost = chance_per_mille(sched, call->client->memory->opts.lost_answer_per_mille);

    call->conflict = false;
    if (!lost || chance_per_mille(sched, 500)) /* else the request did not arrive */
        TRY(api_call(call));
    if (lost) {
        json_free(TAKE(call->result));
        return err_new(ERR_RETRY,
                       "read from the API server: the connection was closed before an answer came");
    }
    if (call->conflict)
        return err_new(ERR_CONFLICT, "%s was changed by somebody else", call->id.name);
    if (call->refusal)
        return err_set_remote(err_new(ERR_INVALID, "422 Invalid: status.%s", call->refusal), &invalid);
    if (!call->result)
        return err_new(ERR_NOT_FOUND, "%s is not there any more", call->id.name);
    *ret = TAKE(call->result);
    return NULL;
}

static bool is_in_place(const struct api_call *call, const struct json *live)
{
    AUTO_JSON struct json *wanted = call->kind == WRITE_FINALIZER ? changed(call, call->base) : NULL;

    if (call->kind == WRITE_STATUS)
        return json_equal(json_member(live, "status"), call->status);
    return json_equal(json_at(live, "metadata.finalizers"), json_at(wanted, "metadata.finalizers"));
}

static bool may_have_happened(const struct err *err)
{
    int status = err_remote(err)->http_status;

    return err_kind(err) == ERR_RETRY && (status == 0 || status >= 500);
}

/* By the rules of objects_kube_write.c: a lost answer is looked up, and an edit that left the status alone
 * does not void what is to be written. On success (NULL and no version) it is in place and *ret is the
 * object. */
static struct err *settle(struct api_call *call, struct err *failure, char **ret_version, struct json **ret)
{
    AUTO_ERR struct err *err = failure;
    AUTO_JSON struct json *live = NULL;
    size_t index = memory_find_index(call->client->memory, &call->id);
    bool conflict = err_kind(err) == ERR_CONFLICT;

    if (!conflict && !may_have_happened(err))
        return TAKE(err);
    view_of(call->client, index)->uncertain = true;
    AUTO_ERR struct err *trouble = client_read_live(&call->client->base, NULL, &call->id, &live);
    if (trouble || !live ||
        !text_equal(json_get_text(live, "metadata.uid", ""), json_get_text(call->base, "metadata.uid", "")))
        return TAKE(err);
    if (is_in_place(call, live)) {
        *ret = TAKE(live);
        return NULL;
    }
    if (conflict && json_equal(json_member(live, "status"), json_member(call->base, "status"))) {
        *ret_version = xstrdup(memory_version_text(live));
        return NULL;
    }
    return TAKE(err);
}

static struct err *api_write(struct api_call *call, struct json **ret)
{
    AUTO_FREE char *version = xstrdup(memory_version_text(call->base));
    AUTO_JSON struct json *written = NULL;

    for (int rebases = 0; !written; rebases++) {
        AUTO_FREE char *newer = NULL;

        call->version = version;
        AUTO_ERR struct err *err = write_once(call, &written);
        if (!err)
            break;
        if (rebases == REBASES_MAX)
            return TAKE(err);
        TRY(settle(call, TAKE(err), &newer, &written));
        if (newer) {
            xfree(version);
            version = TAKE(newer);
        }
    }
    see_all(call->client, memory_find_index(call->client->memory, &call->id));
    *ret = TAKE(written);
    return NULL;
}

static struct object_id id_of_object(const struct json *object)
{
    return (struct object_id){.kind = text_equal(json_get_text(object, "kind", NULL), "AWSAccount")
                                          ? OBJECT_ACCOUNT
                                          : OBJECT_REFRESH,
                              .namespace = json_get_text(object, "metadata.namespace", ""),
                              .name = json_get_text(object, "metadata.name", "")};
}

static struct err *client_write_status(struct objects *objects, const struct env *env UNUSED,
                                       const struct json *object, const struct json *status,
                                       struct json **ret)
{
    struct api_call call = {.client = client_of(objects),
                            .id = id_of_object(object),
                            .kind = WRITE_STATUS,
                            .base = object,
                            .status = status};
    struct err *err = call.client->memory->refuses_status
                          ? err_new(ERR_INVALID, "status: the server does not take it")
                          : api_write(&call, ret);

    xfree(call.refusal);
    return err;
}

static struct err *client_set_finalizer(struct objects *objects, const struct env *env UNUSED,
                                        const struct json *object, bool present, struct json **ret)
{
    struct api_call call = {.client = client_of(objects),
                            .id = id_of_object(object),
                            .kind = WRITE_FINALIZER,
                            .base = object,
                            .present = present};

    return api_write(&call, ret);
}

static void client_emit(struct objects *objects, const struct env *env UNUSED, const struct json *object,
                        enum event_severity severity, const char *reason, const char *note)
{
    if (!lifetime_is_killed(client_of(objects)->life))
        buf_addf(&client_of(objects)->memory->events, "%s %s %s: %s\n",
                 severity == EVENT_WARNING ? "Warning" : "Normal", json_get_text(object, "metadata.name", ""),
                 reason, note);
}

void memory_client_wake(struct memory_client *client)
{
    sched_wake(client->spot);
}

struct memory_client *memory_client_new(struct memory *memory, struct lifetime *life)
{
    static const struct objects_ops ops = {
        .read = client_read,
        .read_live = client_read_live,
        .each = client_each,
        .write_status = client_write_status,
        .set_finalizer = client_set_finalizer,
        .remove = memory_client_remove,
        .read_leftovers = memory_client_read_leftovers,
        .write_leftovers = memory_client_write_leftovers,
        .emit = client_emit,
    };
    struct memory_client *client = xcalloc(1, sizeof(*client));

    client->base = (struct objects){
        .ops = &ops, .installation = "11111111-2222-3333-4444-555555555555", .grants_apply = true};
    client->memory = memory;
    client->life = life;
    client->spot = sched_spot_new(memory->opts.sched);
    memory->client = client;
    return client;
}

void memory_client_free(struct memory_client *client)
{
    if (!client)
        return;
    if (client->memory->client == client)
        client->memory->client = NULL;
    for (size_t i = 0; i < client->memory->count; i++) {
        struct record *record = client->memory->records[i];

        for (size_t v = 0; v < record->count; v++) {
            if (record->versions[v].author == client)
                record->versions[v].author = NULL;
        }
    }
    sched_spot_free(client->spot);
    xfree(client->views);
    xfree(client);
}

struct memory *memory_client_memory(struct objects *objects)
{
    return client_of(objects)->memory;
}

struct lifetime *memory_client_life(struct objects *objects)
{
    return client_of(objects)->life;
}

struct objects *memory_client_objects(struct memory_client *client)
{
    return &client->base;
}

/* --- the watch --- */

/* Whether the cache has something new to tell of this record. */
static bool take_news(struct memory_client *client, size_t index)
{
    const struct record *record = client->memory->records[index];
    size_t count = seen(client, index);
    struct view *view = view_of(client, index);
    bool news = false;

    for (; view->notified < count; view->notified++) {
        const struct version *version = &record->versions[view->notified];

        news = news || version->author != client || version->shown;
    }
    return news;
}

static int64_t next_news_ms(struct memory_client *client)
{
    int64_t next_ms = NEVER_MS;

    for (size_t i = 0; i < client->memory->count; i++) {
        const struct record *record = client->memory->records[i];
        size_t count = seen(client, i);

        if (count < record->count && record->versions[count].visible_ms < next_ms)
            next_ms = record->versions[count].visible_ms;
    }
    return next_ms;
}

static void wake_spot(void *spot)
{
    sched_wake(spot);
}

bool memory_client_watch(struct memory_client *client, struct object_id *ret_id)
{
    struct stop *stop = lifetime_stop(client->life);
    struct stop_subscription *subscription = stop_subscribe(stop, wake_spot, client->spot);
    bool found = false;

    while (!found && !stop_requested(stop)) {
        for (size_t i = 0; !found && i < client->memory->count; i++) {
            found = take_news(client, i);
            if (found)
                *ret_id = memory_id_of(client->memory->records[i]);
        }
        if (!found)
            sched_park(client->spot, next_news_ms(client));
    }
    stop_unsubscribe(subscription);
    return found;
}
