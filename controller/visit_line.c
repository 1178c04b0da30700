/* Those who wait for their first run, or their turn, in a series. A CronJob makes an object each night: when
 * several of them have waited in vain, only what the youngest asks for is worth its run. Who asks again is
 * not one of those. Whoever waits for the series itself has its turn by age. */
#include "controller/visit.h"

/* What one object looks for among the others of its series. */
struct line {
    const struct visit *visit;
    const char *created, *obstacle; /* obstacle: why it is stalled; NULL: it is not */
    char *younger;                  /* that has begun, or waits as this one does */
    char *oldest, *oldest_created;  /* that waits for the series, and is older than this one */
};

static void line_done(struct line *line)
{
    xfree(line->younger);
    xfree(line->oldest);
    xfree(line->oldest_created);
}

static const char *created_of(const struct json *object)
{
    return json_get_text(object, "metadata.creationTimestamp", "");
}

static bool is_before(const char *created_a, const char *name_a, const char *created_b, const char *name_b)
{
    int order = strcmp(created_a, created_b);

    return order < 0 || (order == 0 && strcmp(name_a, name_b) < 0);
}

bool visit_is_older(const struct json *a, const struct json *b)
{
    return is_before(created_of(a), json_get_text(a, "metadata.name", ""), created_of(b),
                     json_get_text(b, "metadata.name", ""));
}

static const char *obstacle_of(const struct json *object)
{
    if (!text_equal(json_get_text(object, "status.phase", ""), "Stalled"))
        return NULL;
    json_each (condition, json_at(object, "status.conditions")) {
        if (text_equal(json_get_text(condition, "type", ""), "Stalled"))
            return json_get_text(condition, "reason", NULL);
    }
    return NULL;
}

/* One that something else stands in the way of may wait for ever. */
static bool waits_likewise(const struct line *line, const struct json *object)
{
    const char *phase = json_get_text(object, "status.phase", "");

    if (!visit_object_wants_run(object))
        return false;
    if (text_equal(phase, "Stalled"))
        return line->obstacle && text_equal(line->obstacle, obstacle_of(object));
    return text_equal(phase, "Pending") || text_equal(phase, "Queued");
}

static void compare(struct line *line, const struct json *object)
{
    const char *name = json_get_text(object, "metadata.name", ""), *created = created_of(object);

    if (is_before(line->created, line->visit->name, created, name)) {
        if (!line->younger && (*json_get_text(object, "status.run.id", "") || waits_likewise(line, object)))
            line->younger = xstrdup(name);
        return;
    }
    if (!text_equal(json_get_text(object, "status.phase", ""), "Queued") || !visit_object_wants_run(object) ||
        (line->oldest && is_before(line->oldest_created, line->oldest, created, name)))
        return;
    text_replace(&line->oldest, name);
    text_replace(&line->oldest_created, created);
}

static bool see(void *arg, const struct json *object)
{
    struct line *line = arg;

    if (!text_equal(json_get_text(object, "metadata.uid", ""), line->visit->uid) &&
        !json_at(object, "metadata.deletionTimestamp") && *created_of(object))
        compare(line, object);
    return true;
}

static void look(const struct visit *visit, struct line *ret)
{
    AUTO_FREE char *series = visit_series_key(visit, visit->live);

    *ret = (struct line){
        .visit = visit, .created = created_of(visit->object), .obstacle = obstacle_of(visit->object)};
    if (*ret->created)
        objects_each(visit->objects, OBJECT_REFRESH, series, see, ret);
}

char *visit_find_older(const struct visit *visit)
{
    CLEANUP(line_done) struct line line = {0};

    look(visit, &line);
    return TAKE(line.oldest);
}

/* What asks again after an answer is asked by somebody who knows of the others. */
static bool is_first_asked(const struct refresh_status *status)
{
    return !status->run.id && !status->last_handled_trigger && !status->last_handled_request;
}

struct err *visit_give_way(struct visit *visit, struct requeue *ret, bool *ret_given)
{
    CLEANUP(line_done) struct line line = {0};
    AUTO_FREE char *message = NULL;

    *ret_given = false;
    if (!is_first_asked(visit->status) || !visit_is_wanted(visit))
        return NULL;
    look(visit, &line);
    if (!line.younger)
        return NULL;
    *ret_given = true;
    message = xasprintf("Not started: %s is younger and is of the same series %s; another trigger asks again",
                        line.younger, visit->live->series);
    visit_mark_handled(visit);
    return visit_stall(visit, REASON_SUPERSEDED, message, 0, ret);
}
