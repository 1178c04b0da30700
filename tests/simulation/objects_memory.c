#include "tests/simulation/chance.h"
#include "tests/simulation/objects_memory_priv.h"

#define EVENTS_MAX (16 * MIB)

struct memory *memory_new(const struct memory_opts *opts)
{
    struct memory *memory = xcalloc(1, sizeof(*memory));

    memory->opts = *opts;
    memory->events = BUF_MAX(EVENTS_MAX);
    return memory;
}

static void free_record(struct record *record)
{
    for (size_t i = 0; i < record->count; i++)
        json_free(record->versions[i].object);
    xfree(record->versions);
    xfree(record->namespace);
    xfree(record->name);
    xfree(record);
}

void memory_free(struct memory *memory)
{
    if (!memory)
        return;
    for (size_t i = 0; i < memory->count; i++)
        free_record(memory->records[i]);
    xfree(memory->records);
    buf_done(&memory->events);
    json_free(memory->leftovers);
    xfree(memory);
}

/* --- records --- */

size_t memory_find_index(const struct memory *memory, const struct object_id *id)
{
    for (size_t i = 0; i < memory->count; i++) {
        const struct record *record = memory->records[i];

        if (record->kind == id->kind && text_equal(record->namespace, id->namespace) &&
            text_equal(record->name, id->name))
            return i;
    }
    return SIZE_MAX;
}

struct record *memory_find(const struct memory *memory, const struct object_id *id)
{
    size_t index = memory_find_index(memory, id);

    return index == SIZE_MAX ? NULL : memory->records[index];
}

struct object_id memory_id_of(const struct record *record)
{
    return (struct object_id){.kind = record->kind, .namespace = record->namespace, .name = record->name};
}

struct json *memory_newest(const struct record *record)
{
    return record && record->count ? record->versions[record->count - 1].object : NULL;
}

static struct record *add_record(struct memory *memory, const struct object_id *id)
{
    struct record *record = xcalloc(1, sizeof(*record));

    record->kind = id->kind;
    record->namespace = xstrdup(id->namespace);
    record->name = xstrdup(id->name);
    memory->records = xgrow(memory->records, memory->count, sizeof(struct record *));
    memory->records[memory->count++] = record;
    return record;
}

const char *memory_version_text(const struct json *object)
{
    return json_get_text(object, "metadata.resourceVersion", "");
}

/* Takes over `object`. */
void memory_store(struct memory *memory, struct record *record, struct json *object,
                  const struct memory_client *author)
{
    struct sched *sched = memory->opts.sched;
    int64_t lag_ms = memory->opts.lag_max_ms ? chance_between(sched, 0, memory->opts.lag_max_ms) : 0;
    const struct object_id id = memory_id_of(record);
    struct version version = {.object = object,
                              .author = author,
                              .visible_ms = sched_now_ms(sched) + lag_ms,
                              .shown = !author || chance_per_mille(sched, memory->opts.own_events_per_mille)};

    if (object) {
        AUTO_FREE char *revision = xasprintf("%lld", (long long)++memory->revision);

        json_set_text(json_edit(object, "metadata"), "resourceVersion", revision);
    }
    record->versions = xgrow(record->versions, record->count, sizeof(version));
    record->versions[record->count++] = version;
    if (memory->client)
        memory_client_wake(memory->client);
    if (memory->on_write)
        memory->on_write(memory->on_write_arg, &id);
}

/* --- people --- */

void memory_create(struct memory *memory, const struct json *manifest)
{
    const struct object_id id = {.kind = text_equal(json_get_text(manifest, "kind", NULL), "AWSAccount")
                                             ? OBJECT_ACCOUNT
                                             : OBJECT_REFRESH,
                                 .namespace = json_get_text(manifest, "metadata.namespace", ""),
                                 .name = json_get_text(manifest, "metadata.name", "")};
    struct record *record = memory_find(memory, &id);
    AUTO_FREE char *uid = xasprintf("00000000-0000-4000-8000-%012lld", (long long)++memory->uids);
    struct json *object = json_copy(manifest);
    struct json *metadata = json_edit(object, "metadata");
    char now[TIME_TEXT_MAX];

    time_rfc3339(sched_wall_ms(memory->opts.sched), now);
    json_set_text(metadata, "uid", uid);
    json_set_text(metadata, "creationTimestamp", now);
    json_set_int(metadata, "generation", 1);
    memory_store(memory, record ? record : add_record(memory, &id), object, NULL);
}

void memory_refuse_status(struct memory *memory)
{
    memory->refuses_status = true;
}

bool memory_patch(struct memory *memory, const struct object_id *id, const char *patch)
{
    struct record *record = memory_find(memory, id);
    const struct json *before = memory_newest(record);
    AUTO_JSON struct json *change = NULL;
    struct json *after;

    if (!before)
        return false;
    struct err *err = json_parse(str_of(patch), NULL, &change);
    if (err) {
        fprintf(stderr, "memory_patch: %s\n", err_text(err));
        abort();
    }
    after = json_merge_patch(json_copy(before), change);
    if (!json_equal(json_member(before, "spec"), json_member(after, "spec")))
        json_set_int(json_edit(after, "metadata"), "generation",
                     json_get_int(before, "metadata.generation", 0) + 1);
    memory_store(memory, record, after, NULL);
    return true;
}

void memory_delete(struct memory *memory, const struct object_id *id)
{
    struct record *record = memory_find(memory, id);
    const struct json *before = memory_newest(record);
    struct json *after;
    char now[TIME_TEXT_MAX];

    if (!before || json_at(before, "metadata.deletionTimestamp"))
        return;
    if (!json_count(json_at(before, "metadata.finalizers"))) {
        memory_store(memory, record, NULL, NULL);
        return;
    }
    time_rfc3339(sched_wall_ms(memory->opts.sched), now);
    after = json_copy(before);
    json_set_text(json_edit(after, "metadata"), "deletionTimestamp", now);
    json_set_int(json_edit(after, "metadata"), "generation",
                 json_get_int(before, "metadata.generation", 0) + 1);
    memory_store(memory, record, after, NULL);
}

const struct json *memory_get(const struct memory *memory, const struct object_id *id)
{
    return memory_newest(memory_find(memory, id));
}

size_t memory_version_count(const struct memory *memory, const struct object_id *id)
{
    const struct record *record = memory_find(memory, id);

    return record ? record->count : 0;
}

const struct json *memory_version(const struct memory *memory, const struct object_id *id, size_t index)
{
    const struct record *record = memory_find(memory, id);

    return record && index < record->count ? record->versions[index].object : NULL;
}

void memory_on_write(struct memory *memory, void (*fn)(void *arg, const struct object_id *id), void *arg)
{
    memory->on_write = fn;
    memory->on_write_arg = arg;
}

const char *memory_events(const struct memory *memory)
{
    return buf_text(&memory->events);
}
