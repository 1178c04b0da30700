#include "controller/copies.h"

#include "controller/pass.h"
#include "controller/places.h"
#include "pkg/aws/arn.h"

#define ADOPTED_MAX 256 /* of the 512 that the status has room for */

static bool is_used(const struct refresh_status *status, const struct copy_status *copy)
{
    for (size_t i = 0; i < status->database_count; i++) {
        if (text_equal(status->databases[i].copy_arn, copy->arn))
            return true;
    }
    return false;
}

/* The run has put a copy of that database into use. A database that is not in the spec any more may still be
 * used by what the spec does not name any more either. */
static bool is_replaced(const struct refresh_status *status, const struct copy_status *copy)
{
    for (size_t i = 0; i < status->database_count; i++) {
        if (text_equal(status->databases[i].name, copy->database))
            return status->databases[i].copy_arn != NULL;
    }
    return false;
}

void copies_book(struct refresh_status *status, bool succeeded)
{
    for (size_t i = 0; i < status->copy_count; i++) {
        struct copy_status *copy = &status->copies[i];
        bool of_this_run = text_equal(copy->run_id, status->run.id);

        if (succeeded && is_used(status, copy))
            copy->role = COPY_IN_USE;
        else if (copy->role == COPY_REMOVING)
            continue;
        else if (of_this_run || copy->role == COPY_UNFINISHED)
            copy->role = COPY_FAILED;
        else if (succeeded && copy->role == COPY_IN_USE && is_replaced(status, copy))
            copy->role = COPY_PREVIOUS;
    }
}

/* --- restores that were given up --- */

static bool is_known(const struct refresh_status *status, const char *arn)
{
    for (size_t i = 0; i < status->copy_count; i++) {
        if (text_equal(status->copies[i].arn, arn))
            return true;
    }
    return false;
}

struct made {
    const char *arn;
    enum database_kind kind;
};

/* Its job may go on: it had one, and it was not the job that failed. */
static bool was_given_up(const struct step_status *row)
{
    const char *reason = step_evidence(row, "reason");

    return row->state == STEP_FAILED && row->external_id &&
           (text_equal(reason, "TimedOut") || text_equal(reason, "Cancelled"));
}

static void book_unseen(struct refresh_status *status, const struct database_status *database,
                        const struct step_status *row, const struct made *made)
{
    struct copy_status *copy;

    if (is_known(status, made->arn))
        return;
    copy = status_add_copy(status, made->arn);
    text_replace(&copy->identifier, database->copy_identifier);
    text_replace(&copy->database, database->name);
    text_replace(&copy->run_id, status->run.id);
    text_replace(&copy->restore_job_id, row->external_id);
    copy->kind = made->kind;
    copy->role = COPY_FAILED;
    copy->creation_ms = row->start_ms;
}

static void book_unseen_of(struct refresh_status *status, const struct database_status *database,
                           enum database_kind kind, const struct account *target)
{
    const struct step_table *pipeline = workflow_pipeline(kind);
    AUTO_FREE char *arn =
        kind == DATABASE_AURORA
            ? arn_of_db_cluster(target->region, target->account_id, database->copy_identifier)
            : arn_of_table(target->region, target->account_id, database->copy_identifier);

    for (size_t k = 0; k < database->step_count && k < pipeline->count; k++) {
        if (pipeline->steps[k].runs_out && was_given_up(&database->steps[k]))
            book_unseen(status, database, &database->steps[k], &(struct made){.arn = arn, .kind = kind});
    }
}

void copies_book_unseen(struct refresh_status *status, const struct refresh_spec *spec,
                        const struct account *target)
{
    for (size_t i = 0; i < status->database_count; i++) {
        const struct database_status *database = &status->databases[i];
        const struct database_spec *of = refresh_database(spec, database->name);

        if (of && database->copy_identifier)
            book_unseen_of(status, database, of->kind, target);
    }
}

/* --- other objects of the series --- */

struct copy_line copies_line_of(const struct database_spec *database)
{
    if (!database)
        return (struct copy_line){0};
    if (database->kind == DATABASE_AURORA)
        return (struct copy_line){.kind = DATABASE_AURORA,
                                  .resource = database->aurora.cluster_identifier,
                                  .prefix = database->aurora.identifier_prefix};
    return (struct copy_line){.kind = DATABASE_DYNAMODB,
                              .resource = database->dynamodb.table_name,
                              .prefix = database->dynamodb.table_name_prefix};
}

/* The same database of the same source under the same prefix: else whoever uses it is not known here. */
static bool is_same_line(struct copy_line a, struct copy_line b)
{
    return a.kind == b.kind && text_equal(a.resource, b.resource) && text_equal(a.prefix, b.prefix);
}

static bool is_of_same_line(const struct database_spec *a, const struct database_spec *b)
{
    return a && b && is_same_line(copies_line_of(a), copies_line_of(b));
}

static bool is_adopted(enum copy_role *role, bool succeeded)
{
    if (*role == COPY_UNFINISHED)
        *role = COPY_FAILED; /* no other object has a run under way */
    if (*role == COPY_IN_USE)
        *role = COPY_PREVIOUS;
    return succeeded || *role != COPY_PREVIOUS;
}

static struct copy_status *find_copy(struct refresh_status *status, const char *arn)
{
    for (size_t i = 0; i < status->copy_count; i++) {
        if (text_equal(status->copies[i].arn, arn))
            return &status->copies[i];
    }
    return NULL;
}

static struct copy_status *adopt(struct refresh_status *status, const struct copy_status *from,
                                 enum copy_role role)
{
    struct copy_status *copy = status_add_copy(status, from->arn);

    text_replace(&copy->identifier, from->identifier);
    text_replace(&copy->database, from->database);
    text_replace(&copy->run_id, from->run_id);
    text_replace(&copy->restore_job_id, from->restore_job_id);
    copy->kind = from->kind;
    copy->role = role;
    copy->creation_ms = from->creation_ms;
    copy->protected_by_settings = from->protected_by_settings;
    return copy;
}

/* Places that the spec does not write are remembered; those that are already are among them. */
static void remember(struct copy_status *copy, const struct refresh_spec *spec, const struct places *places)
{
    AUTO_PLACES struct places known = {0};

    places_add_spec(&known, spec);
    for (size_t i = 0; i < places->count && copy->place_count < STATUS_PLACES_MAX; i++) {
        places_add_remembered(&known, copy->places, copy->place_count);
        if (!places_have(&known, &places->items[i]))
            copy_add_place(copy, &places->items[i]);
    }
}

/* A copy of which not all can be remembered stays the other's. */
static bool has_room(const struct refresh_status *status, const struct places *places)
{
    return status->copy_count < ADOPTED_MAX && places->count <= STATUS_PLACES_MAX;
}

void copies_adopt(struct refresh_status *status, const struct refresh_spec *spec,
                  const struct copies_owner *other, bool succeeded)
{
    for (size_t i = 0; i < other->status->copy_count; i++) {
        const struct copy_status *from = &other->status->copies[i];
        struct copy_status *copy = find_copy(status, from->arn);
        enum copy_role role = from->role;
        AUTO_PLACES struct places places = {0};

        places_add_remembered(&places, from->places, from->place_count);
        places_add_spec(&places, other->spec);
        places_add_spec(&places, other->frozen);
        if (!copy && from->database && has_room(status, &places) &&
            is_of_same_line(refresh_database(spec, from->database),
                            refresh_database(other->spec, from->database)) &&
            is_adopted(&role, succeeded))
            copy = adopt(status, from, role);
        if (copy)
            remember(copy, spec, &places);
    }
}

/* The other object's run has put something else in its place. */
static bool is_followed(const struct refresh_status *later, const struct copy_status *copy)
{
    bool followed = false;

    for (size_t i = 0; i < later->copy_count; i++) {
        const struct copy_status *other = &later->copies[i];

        if (other->role != COPY_IN_USE || !text_equal(other->database, copy->database))
            continue;
        if (text_equal(other->arn, copy->arn))
            return false;
        followed = true;
    }
    return followed;
}

void copies_hand_over(struct refresh_status *status, const struct refresh_spec *spec,
                      const struct refresh_status *later, const struct refresh_spec *later_spec)
{
    for (size_t i = 0; i < status->copy_count; i++) {
        struct copy_status *copy = &status->copies[i];

        if (copy->role == COPY_IN_USE && copy->database && is_followed(later, copy) &&
            is_of_same_line(refresh_database(spec, copy->database),
                            refresh_database(later_spec, copy->database)))
            copy->role = COPY_PREVIOUS;
    }
}

void copies_adopt_kept(struct refresh_status *status, const struct refresh_spec *spec,
                       const struct leftover *item)
{
    const struct database_spec *database = refresh_database(spec, item->database);
    const struct copy_line line = {
        .kind = item->database_kind, .resource = item->resource, .prefix = item->prefix};
    const struct places places = {.items = item->parameters, .count = item->parameter_count};
    const struct copy_status from = {.arn = item->arn,
                                     .identifier = item->identifier,
                                     .database = item->database,
                                     .run_id = item->run_id,
                                     .restore_job_id = item->job_id,
                                     .kind = item->database_kind,
                                     .creation_ms = item->created_ms,
                                     .protected_by_settings = item->may_unprotect};
    struct copy_status *copy = find_copy(status, item->arn);

    if (!copy && database && has_room(status, &places) && is_same_line(copies_line_of(database), line))
        copy = adopt(status, &from, COPY_PREVIOUS);
    if (copy)
        remember(copy, spec, &places);
}

bool copies_are_known(const struct refresh_status *status, const char *arn)
{
    return is_known(status, arn);
}

/* Its Retention has looked at what there was before, and taken it over. */
static bool has_succeeded_since(const struct refresh_status *other, const struct copy_status *copy)
{
    for (size_t i = 0; i < other->copy_count; i++) {
        const struct copy_status *its = &other->copies[i];

        if (its->role == COPY_IN_USE && text_equal(its->database, copy->database) &&
            its->creation_ms > copy->creation_ms)
            return true;
    }
    return false;
}

bool copies_are_taken_over(const struct copy_status *copy, const struct refresh_spec *spec,
                           const struct refresh_status *other, const struct refresh_spec *other_spec)
{
    if (is_known(other, copy->arn))
        return true;
    return copy->database && has_succeeded_since(other, copy) &&
           is_of_same_line(refresh_database(spec, copy->database),
                           refresh_database(other_spec, copy->database));
}

/* --- what is to go --- */

static bool is_newer(const struct copy_status *a, const struct copy_status *b)
{
    if (a->creation_ms != b->creation_ms)
        return a->creation_ms > b->creation_ms;
    return strcmp(a->arn, b->arn) > 0;
}

/* How many of the same kind are newer. */
static int64_t newer_than(const struct refresh_status *status, const struct copy_status *copy,
                          const char *kept_run)
{
    int64_t count = 0;

    for (size_t i = 0; i < status->copy_count; i++) {
        const struct copy_status *other = &status->copies[i];

        count += other->role == copy->role && text_equal(other->database, copy->database) &&
                 !(kept_run && text_equal(other->run_id, kept_run)) && is_newer(other, copy);
    }
    return count;
}

static bool is_beyond(const struct refresh_status *status, const struct copy_status *copy,
                      const struct retention *keep, const char *kept_run)
{
    if (kept_run && text_equal(copy->run_id, kept_run))
        return false;
    if (copy->role == COPY_PREVIOUS)
        return newer_than(status, copy, kept_run) >= keep->previous_copies;
    return copy->role == COPY_FAILED && newer_than(status, copy, kept_run) >= keep->failed_copies;
}

void copies_mark(struct refresh_status *status, const struct retention *keep, const char *kept_run)
{
    AUTO_FREE bool *beyond = xcalloc(status->copy_count + 1, sizeof(*beyond));

    for (size_t i = 0; i < status->copy_count; i++)
        beyond[i] = is_beyond(status, &status->copies[i], keep, kept_run);
    for (size_t i = 0; i < status->copy_count; i++) {
        if (beyond[i])
            status->copies[i].role = COPY_REMOVING;
    }
}
