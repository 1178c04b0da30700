/* The list of leftovers in memory, and deletions that the controller asks for: never cached, conditional as
 * the rest, and without answers at times. */
#include "tests/simulation/chance.h"
#include "tests/simulation/objects_memory_priv.h"

#define API_TIMEOUT_MS SECONDS(30)

enum deed { READ_LEFTOVERS, WRITE_LEFTOVERS, REMOVE_OBJECT };

struct leftovers_call {
    struct memory *memory;
    enum deed deed;
    const struct json *given; /* a document, or the object to be removed */
    bool conflict;
    struct json *result;
};

static const char *version_of(const struct json *document)
{
    return json_get_text(document, "metadata.resourceVersion", "");
}

static void write_document(struct leftovers_call *call)
{
    struct memory *memory = call->memory;
    AUTO_FREE char *revision = NULL;
    struct json *after;

    call->conflict = !text_equal(version_of(memory->leftovers), version_of(call->given));
    if (call->conflict)
        return;
    revision = xasprintf("%lld", (long long)++memory->revision);
    after = json_copy(call->given);
    json_set_text(json_edit(after, "metadata"), "resourceVersion", revision);
    json_free(memory->leftovers);
    memory->leftovers = after;
}

static void remove_object(struct leftovers_call *call)
{
    const struct object_id id = {.kind = OBJECT_REFRESH,
                                 .namespace = json_get_text(call->given, "metadata.namespace", ""),
                                 .name = json_get_text(call->given, "metadata.name", "")};
    const struct json *present = memory_get(call->memory, &id);

    call->conflict = present && !text_equal(version_of(present), version_of(call->given));
    if (present && !call->conflict)
        memory_delete(call->memory, &id);
}

static int64_t serve(void *arg)
{
    struct leftovers_call *call = arg;

    switch (call->deed) {
    case READ_LEFTOVERS:
        call->result = call->memory->leftovers ? json_copy(call->memory->leftovers) : NULL;
        break;
    case WRITE_LEFTOVERS:
        write_document(call);
        break;
    case REMOVE_OBJECT:
        remove_object(call);
        break;
    }
    return 0;
}

static struct err *make_call(struct objects *objects, struct leftovers_call *call)
{
    struct lifetime *life = memory_client_life(objects);
    struct sched *sched = call->memory->opts.sched;
    bool lost =
        call->deed != READ_LEFTOVERS && chance_per_mille(sched, call->memory->opts.lost_answer_per_mille);
    enum call_end end = lifetime_call(
        life, &(struct lifetime_call){.timeout_ms = API_TIMEOUT_MS, .deed = serve, .arg = call});

    if (end != CALL_ANSWERED || lost)
        json_free(TAKE(call->result));
    if (end == CALL_CUT)
        return err_new(ERR_CANCELED, "stopped while waiting for the API server");
    if (end == CALL_TIMED_OUT || lost)
        return err_new(ERR_RETRY, "read from the API server: no answer came");
    return call->conflict ? err_new(ERR_CONFLICT, "it was changed by somebody else") : NULL;
}

struct err *memory_client_read_leftovers(struct objects *objects, const struct env *env UNUSED,
                                         struct json **ret)
{
    struct leftovers_call call = {.memory = memory_client_memory(objects), .deed = READ_LEFTOVERS};

    TRY(make_call(objects, &call));
    *ret = call.result;
    return NULL;
}

struct err *memory_client_write_leftovers(struct objects *objects, const struct env *env UNUSED,
                                          const struct json *document)
{
    struct leftovers_call call = {
        .memory = memory_client_memory(objects), .deed = WRITE_LEFTOVERS, .given = document};

    return make_call(objects, &call);
}

struct err *memory_client_remove(struct objects *objects, const struct env *env UNUSED,
                                 const struct json *object)
{
    struct leftovers_call call = {
        .memory = memory_client_memory(objects), .deed = REMOVE_OBJECT, .given = object};

    return make_call(objects, &call);
}

size_t memory_leftover_count(const struct memory *memory)
{
    return json_count(json_member(memory->leftovers, "data"));
}

const struct json *memory_leftovers(const struct memory *memory)
{
    return memory->leftovers;
}
