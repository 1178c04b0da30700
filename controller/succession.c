#include "controller/succession.h"

#include "controller/pass.h"

struct kin {
    const struct json *object;
    bool only_others;
    bool (*see)(void *arg, const struct json *other); /* as objects_see_fn */
    void *arg;
};

static bool is_same(const struct json *a, const struct json *b, const char *path)
{
    return text_equal(json_get_text(a, path, ""), json_get_text(b, path, ""));
}

static bool see_kin(void *arg, const struct json *other)
{
    const struct kin *kin = arg;

    if (!is_same(other, kin->object, "spec.targetRef.name") ||
        (kin->only_others && is_same(other, kin->object, "metadata.uid")))
        return true;
    return kin->see(kin->arg, other);
}

static void each_kin(struct objects *objects, struct kin kin)
{
    AUTO_FREE char *series = objects_group(OBJECT_REFRESH, kin.object);

    objects_each(objects, OBJECT_REFRESH, series, see_kin, &kin);
}

static bool is_active(const struct json *object)
{
    return *json_get_text(object, "status.run.id", "") && !json_at(object, "status.run.completionTime");
}

/* --- what came when --- */

static int64_t time_of(const struct json *json, const char *path)
{
    int64_t ms = 0;

    (void)time_parse(str_of(json_get_text(json, path, "")), &ms);
    return ms;
}

/* Texts are the object's. */
struct success {
    int64_t end_ms, start_ms;
    const char *run_id; /* NULL: none */
};

/* No two runs of a series overlap; within the same second anything goes that is the same for everybody. */
static bool is_later(const struct success *a, const struct success *b)
{
    if (a->end_ms != b->end_ms)
        return a->end_ms > b->end_ms;
    if (a->start_ms != b->start_ms)
        return a->start_ms > b->start_ms;
    return strcmp(a->run_id ? a->run_id : "", b->run_id ? b->run_id : "") > 0;
}

static bool is_in_use(const struct json *copy)
{
    return text_equal(json_get_text(copy, "role", ""), "InUse");
}

/* What the history has forgotten in favour of ten failures: staging was switched over soon after that. */
static struct success success_by_copies(const struct json *object)
{
    struct success newest = {0};

    json_each (copy, json_at(object, "status.copies")) {
        const struct success made = {.end_ms = time_of(copy, "creationTime"),
                                     .run_id = json_get_text(copy, "runID", NULL)};

        if (is_in_use(copy) && made.run_id && is_later(&made, &newest))
            newest = made;
    }
    return newest;
}

/* Of the history, which has the newest first. */
static bool has_succeeded(const struct json *entry)
{
    return text_equal(json_get_text(entry, "result", ""), "Succeeded");
}

static struct success success_in(const struct json *entry)
{
    return (struct success){.end_ms = time_of(entry, "completionTime"),
                            .start_ms = time_of(entry, "startTime"),
                            .run_id = json_get_text(entry, "runID", NULL)};
}

static struct success success_of(const struct json *object)
{
    json_each (entry, json_at(object, "status.history")) {
        if (has_succeeded(entry))
            return success_in(entry);
    }
    return success_by_copies(object);
}

/* --- what was done --- */

struct use {
    const char *database, *kind;
    struct success last;
    char *run_id, *identifier; /* of the last; NULL: none yet */
};

/* When a copy came into use: its run's end, or that of the last one that went back onto it. */
static struct success use_of(const struct json *object, const struct json *copy)
{
    const char *run_id = json_get_text(copy, "runID", "");

    json_each (entry, json_at(object, "status.history")) {
        if (text_equal(json_get_text(entry, "copiesOf", json_get_text(entry, "runID", "")), run_id) &&
            has_succeeded(entry))
            return success_in(entry);
    }
    return (struct success){.end_ms = time_of(copy, "creationTime"), .run_id = run_id};
}

static void keep_use(struct use *use, const struct json *copy, const struct success *success)
{
    if (!is_later(success, &use->last))
        return;
    text_replace(&use->run_id, success->run_id);
    text_replace(&use->identifier, json_get_text(copy, "identifier", NULL));
    use->last = *success;
    use->last.run_id = use->run_id;
}

static bool see_uses(void *arg, const struct json *other)
{
    struct use *use = arg;

    json_each (copy, json_at(other, "status.copies")) {
        const struct success success = use_of(other, copy);

        if (is_in_use(copy) && text_equal(json_get_text(copy, "database", ""), use->database) &&
            text_equal(json_get_text(copy, "kind", ""), use->kind))
            keep_use(use, copy, &success);
    }
    return true;
}

char *succession_copy_in_use(struct objects *objects, const struct json *object, const char *database,
                             enum database_kind kind)
{
    struct use use = {.database = database, .kind = database_kind_name(kind)};

    each_kin(objects, (struct kin){.object = object, .see = see_uses, .arg = &use});
    xfree(use.run_id);
    return use.identifier;
}

struct took {
    const char *step; /* NULL: the whole run */
    bool goes_back;   /* of whole runs */
    int64_t end_ms, took_ms;
};

static int64_t step_ms(const struct json *entry, const char *step)
{
    json_each (time, json_member(entry, "steps")) {
        if (text_equal(json_get_text(time, "name", ""), step))
            return json_get_int(time, "seconds", 0) * 1000;
    }
    return 0;
}

static int64_t took_ms(const struct took *took, const struct json *entry)
{
    const struct success success = success_in(entry);

    if (took->step)
        return step_ms(entry, took->step);
    return !json_at(entry, "copiesOf") == !took->goes_back ? success.end_ms - success.start_ms : 0;
}

static bool see_times(void *arg, const struct json *other)
{
    struct took *took = arg;

    json_each (entry, json_at(other, "status.history")) {
        int64_t ms = has_succeeded(entry) ? took_ms(took, entry) : 0, end_ms = success_in(entry).end_ms;

        if (ms <= 0)
            continue;
        if (end_ms > took->end_ms) {
            took->end_ms = end_ms;
            took->took_ms = ms;
        }
        break;
    }
    return true;
}

int64_t succession_run_ms(struct objects *objects, const struct json *object, bool goes_back)
{
    struct took took = {.goes_back = goes_back};

    each_kin(objects, (struct kin){.object = object, .see = see_times, .arg = &took});
    return took.took_ms;
}

int64_t succession_step_ms(struct objects *objects, const struct json *object, const char *step)
{
    struct took took = {.step = step};

    each_kin(objects, (struct kin){.object = object, .see = see_times, .arg = &took});
    return took.took_ms;
}

/* --- who came later --- */

struct later {
    struct success last; /* of `found`, or of the object that asks */
    struct json *found;
};

static bool keep_later(void *arg, const struct json *other)
{
    struct later *later = arg;
    struct success success = success_of(other);

    if (!success.run_id || !is_later(&success, &later->last))
        return true;
    json_free(later->found);
    later->found = json_copy(other);
    later->last = success_of(later->found);
    return true;
}

void succession_find_later(struct objects *objects, const struct json *object, struct successor *ret)
{
    struct later later = {.last = success_of(object)};

    *ret = (struct successor){0};
    if (!later.last.run_id)
        return;
    each_kin(objects, (struct kin){.object = object, .only_others = true, .see = keep_later, .arg = &later});
    if (later.found)
        *ret = (struct successor){.run_id = xstrdup(later.last.run_id), .object = later.found};
}

void successor_done(struct successor *successor)
{
    xfree(successor->run_id);
    json_free(successor->object);
    *successor = (struct successor){0};
}

/* --- what goes on --- */

static bool has_touched_staging(const struct json *object)
{
    json_each (row, json_at(object, "status.switchover.steps")) {
        const struct step *step = workflow_switchover_step(json_get_text(row, "name", ""));
        const char *state = json_get_text(row, "state", "");

        if (step && step->undo && !text_equal(state, step_state_name(STEP_WAITING)) &&
            !text_equal(state, step_state_name(STEP_SKIPPED)))
            return true;
    }
    return false;
}

static bool is_not_changing(void *arg, const struct json *other)
{
    bool *changing = arg;

    *changing = is_active(other) && has_touched_staging(other);
    return !*changing;
}

bool succession_is_changing(struct objects *objects, const struct json *object)
{
    bool changing = false;

    each_kin(objects,
             (struct kin){.object = object, .only_others = true, .see = is_not_changing, .arg = &changing});
    return changing;
}

static bool keep_user(void *names, const struct json *other)
{
    bool uses = false;

    json_each (copy, json_at(other, "status.copies"))
        uses = uses || is_in_use(copy);
    if (uses && !is_active(other))
        json_append(names, json_new_text(json_get_text(other, "metadata.name", "")));
    return true;
}

struct json *succession_others_in_use(struct objects *objects, const struct json *object)
{
    struct json *names = json_new_array();

    each_kin(objects, (struct kin){.object = object, .only_others = true, .see = keep_user, .arg = names});
    return names;
}
