#include "pkg/base/digest.h"
#include "pkg/refresh/fields.h"
#include "pkg/refresh/status.h"

void text_replace(char **text, const char *value)
{
    char *fresh = xstrdup_or_null(value); /* value may be the old text, or a part of it */

    xfree(*text);
    *text = fresh;
}

struct database_status *status_database(struct refresh_status *status, const char *name)
{
    for (size_t i = 0; i < status->database_count; i++) {
        if (text_equal(status->databases[i].name, name))
            return &status->databases[i];
    }
    return NULL;
}

struct database_status *status_add_database(struct refresh_status *status, const char *name)
{
    struct database_status *database = status_database(status, name);

    if (!database) {
        database = fields_grow(&status->databases, &status->database_count, sizeof(*database));
        database->name = xstrdup(name);
    }
    return database;
}

struct step_status *status_add_step(struct step_status **steps, size_t *count, const char *name)
{
    struct step_status *step;

    for (size_t i = 0; i < *count; i++) {
        if (text_equal((*steps)[i].name, name))
            return &(*steps)[i];
    }
    step = fields_grow(steps, count, sizeof(*step));
    step->name = xstrdup(name);
    return step;
}

struct copy_status *status_copy(struct refresh_status *status, const char *arn)
{
    for (size_t i = 0; arn && i < status->copy_count; i++) {
        if (text_equal(status->copies[i].arn, arn))
            return &status->copies[i];
    }
    return NULL;
}

struct copy_status *status_add_copy(struct refresh_status *status, const char *arn)
{
    struct copy_status *copy = status_copy(status, arn);

    if (copy)
        return copy;
    copy = fields_grow(&status->copies, &status->copy_count, sizeof(*copy));
    copy->arn = xstrdup(arn);
    return copy;
}

struct place_status *copy_add_place(struct copy_status *copy, const struct parameter_spec *parameter)
{
    struct place_status *place = fields_grow(&copy->places, &copy->place_count, sizeof(*place));

    place->kind = parameter->kind;
    place->target = xstrdup(parameter->target);
    place->key = xstrdup_or_null(parameter->key);
    return place;
}

struct previous_status *status_previous(struct refresh_status *status, const char *kind, const char *name)
{
    for (size_t i = 0; i < status->previous_count; i++) {
        if (text_equal(status->previous[i].kind, kind) && text_equal(status->previous[i].name, name))
            return &status->previous[i];
    }
    return NULL;
}

struct previous_status *status_set_previous(struct refresh_status *status, const char *kind, const char *name)
{
    struct previous_status *previous = status_previous(status, kind, name);

    if (!previous) {
        previous = fields_grow(&status->previous, &status->previous_count, sizeof(*previous));
        previous->kind = xstrdup(kind);
        previous->name = xstrdup(name);
    }
    return previous;
}

/* --- what was answered --- */

#define ANSWERED_MAX 1024 /* bytes; a trigger has at most 256 characters, and so is kept as it is */

char *status_answered(const char *text)
{
    struct str whole = str_of(text);
    char digest[2 * SHA256_BYTES + 1];

    if (whole.len <= ANSWERED_MAX)
        return str_dup(whole);
    sha256_hex(whole, digest);
    struct str head = str_cut_utf8(whole, ANSWERED_MAX - strlen("... sha256:") - 2 * SHA256_BYTES);
    return xasprintf(STR_FMT "... sha256:%s", STR_ARG(head), digest);
}

bool status_is_answered(const char *kept, const char *text)
{
    AUTO_FREE char *answered = status_answered(text);

    return text_equal(kept, answered);
}

/* --- evidence --- */

const char *step_evidence(const struct step_status *step, const char *name)
{
    return json_get_text(json_member(step->evidence, name), NULL, NULL);
}

void step_set_evidence(struct step_status *step, const char *name, const char *value)
{
    if (!step->evidence && !value)
        return;
    if (!step->evidence)
        step->evidence = json_new_object();
    json_set_text(step->evidence, name, value);
    if (!json_count(step->evidence)) {
        json_free(step->evidence);
        step->evidence = NULL;
    }
}

void step_set_evidence_ms(struct step_status *step, const char *name, int64_t ms)
{
    AUTO_FREE char *text = xasprintf("%lld", (long long)ms);

    step_set_evidence(step, name, text);
}

int64_t step_evidence_ms(const struct step_status *step, const char *name, int64_t otherwise)
{
    const char *text = step_evidence(step, name);
    int64_t ms = otherwise;

    return text && str_to_int(str_of(text), &ms) ? ms : otherwise;
}
