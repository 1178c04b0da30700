#include "controller/requests.h"

#include "controller/names.h"
#include "controller/rows.h"

#define CANCELLED "Cancelled" /* the reason of a row */
#define APPROVAL "Approval"

const char *request_value(const struct json *object, const char *name)
{
    AUTO_FREE char *key = xasprintf(ANNOTATION("%s"), name);

    return json_get_text(json_member(json_at(object, "metadata.annotations"), key), NULL, "");
}

static bool is_active(const struct refresh_status *status)
{
    return status->run.id && !status->run.completion_ms;
}

static char *with_attempt(const struct refresh_status *status)
{
    return xasprintf("%s/%lld", status->run.id ? status->run.id : "", (long long)status->run.attempt);
}

/* --- what was answered: kept as evidence of the row that stands for what people say, which every run has ---
 */

static struct step_status *memory_row(const struct refresh_status *status)
{
    for (size_t i = 0; i < status->switchover_step_count; i++) {
        if (text_equal(status->switchover_steps[i].name, APPROVAL))
            return &status->switchover_steps[i];
    }
    return NULL;
}

static bool was_answered(const struct refresh_status *status, const char *kind, const char *value)
{
    const struct step_status *row = memory_row(status);

    return row && status_is_answered(step_evidence(row, kind), value);
}

static void remember(struct refresh_status *status, const char *kind, const char *value)
{
    AUTO_FREE char *kept = value ? status_answered(value) : NULL;

    if (memory_row(status))
        step_set_evidence(memory_row(status), kind, kept);
}

static const char *const kinds[] = {"cancel", "switch-to"};

void requests_forget(struct refresh_status *status, const struct json *object)
{
    for (size_t i = 0; i < COUNT_OF(kinds); i++) {
        if (!*request_value(object, kinds[i]))
            remember(status, kinds[i], NULL);
    }
}

char *requests_take_answered(const struct refresh_status *status)
{
    return memory_row(status) ? xstrdup_or_null(step_evidence(memory_row(status), "switch-to")) : NULL;
}

void requests_put_answered(struct refresh_status *status, const char *switched_to)
{
    remember(status, "switch-to", switched_to);
}

/* --- cancel --- */

static bool names_run(const struct refresh_status *status, const char *value)
{
    AUTO_FREE char *attempt = with_attempt(status);

    return status->run.id && (text_equal(value, status->run.id) || text_equal(value, attempt));
}

bool request_cancels(const struct refresh_status *status, const struct json *object)
{
    const char *value = request_value(object, "cancel");

    return is_active(status) && names_run(status, value) && !was_answered(status, "cancel", value);
}

static void skip(struct step_status *row, const char *message)
{
    row->state = STEP_SKIPPED;
    text_replace(&row->message, message);
}

static bool is_last(const struct step_status *row)
{
    const struct step *step = workflow_switchover_step(row->name);

    return step && step->at_end;
}

static void cancel_row(struct step_status *row, int64_t now_ms)
{
    AUTO_FREE char *message = NULL;

    if (row_is_under_way(row) && row->external_id)
        message = xasprintf("cancelled on request; %s is left to itself", row->external_id);
    row->state = STEP_FAILED;
    row->completion_ms = now_ms;
    text_replace(&row->message, message ? message : "cancelled on request");
    step_set_evidence(row, "reason", CANCELLED);
}

/* True when the database is through, so that the switchover is what is left to cancel. */
static bool cancel_database(struct database_status *database, const struct step_table *pipeline,
                            int64_t now_ms)
{
    for (size_t i = 0; i < database->step_count; i++) {
        struct step_status *row = &database->steps[i];
        bool runs_out = i < pipeline->count && pipeline->steps[i].runs_out;

        if (row_is_passed(row) || (runs_out && row_is_under_way(row) && i + 1 < database->step_count))
            continue; /* the row behind it bears the mark */
        if (!row_is_over(row))
            cancel_row(row, now_ms);
        return false;
    }
    return true;
}

static void cancel_switchover(struct refresh_status *status, int64_t now_ms)
{
    for (size_t i = 0; i < status->switchover_step_count; i++) {
        struct step_status *row = &status->switchover_steps[i];

        if (row_is_over(row))
            continue;
        if (is_last(row)) /* nothing is left that could be put back */
            skip(row, "cancelled on request: the next run goes on with it");
        else
            cancel_row(row, now_ms);
        break;
    }
}

void request_cancel(struct refresh_status *status, const struct refresh_spec *spec, const char *value,
                    int64_t now_ms)
{
    bool through = true;

    for (size_t i = 0; i < status->database_count; i++) {
        const struct database_spec *database = refresh_database(spec, status->databases[i].name);

        if (database)
            through =
                cancel_database(&status->databases[i], workflow_pipeline(database->kind), now_ms) && through;
    }
    if (through)
        cancel_switchover(status, now_ms);
    remember(status, "cancel", value);
}

static bool has_cancelled_row(const struct step_status *rows, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const char *reason = rows[i].state == STEP_FAILED ? step_evidence(&rows[i], "reason") : NULL;

        if (reason && text_equal(reason, CANCELLED))
            return true;
    }
    return false;
}

bool request_is_cancelled(const struct refresh_status *status)
{
    bool found = has_cancelled_row(status->switchover_steps, status->switchover_step_count);

    for (size_t i = 0; i < status->database_count; i++)
        found = found || has_cancelled_row(status->databases[i].steps, status->databases[i].step_count);
    return found;
}

void request_abandon(struct refresh_status *status, int64_t now_ms)
{
    bool through = true;

    for (size_t i = 0; i < status->database_count; i++) {
        struct database_status *database = &status->databases[i];

        for (size_t k = 0; k < database->step_count; k++) {
            through = through && row_is_passed(&database->steps[k]);
            if (row_is_under_way(&database->steps[k]))
                cancel_row(&database->steps[k], now_ms);
        }
    }
    if (through)
        cancel_switchover(status, now_ms);
}

/* --- retry --- */

bool request_retries(const struct refresh_status *status, const struct json *object)
{
    AUTO_FREE char *present = with_attempt(status);
    bool failed = false;

    for (size_t i = 0; i < status->history_count && !failed; i++)
        failed = text_equal(status->history[i].run_id, status->run.id) &&
                 status->history[i].attempt == status->run.attempt &&
                 text_equal(status->history[i].result, "Failed");
    return status->run.id && status->run.completion_ms && failed &&
           text_equal(request_value(object, "retry"), present);
}

/* What the row that stands for what people say must not forget. */
static const char *const lasting[] = {"cancel", "switch-to", EVIDENCE_NEW_COPY};

static void start_over(struct step_status *row)
{
    AUTO_JSON struct json *evidence = TAKE(row->evidence);

    row->state = STEP_WAITING;
    row->attempt++;
    row->start_ms = 0;
    row->completion_ms = 0;
    row->percent = 0;
    text_replace(&row->external_id, NULL);
    text_replace(&row->message, NULL);
    for (size_t i = 0; i < COUNT_OF(lasting); i++)
        step_set_evidence(row, lasting[i], json_get_text(json_member(evidence, lasting[i]), NULL, NULL));
}

/* What was restored is used again if it is still there; else it is restored anew, and this is told. */
static bool retry_database(struct refresh_status *status, struct database_status *database,
                           const struct step_table *pipeline)
{
    struct copy_status *copy = status_copy(status, database->copy_arn);
    bool again = false;

    for (size_t i = 0; i < database->step_count; i++) {
        struct step_status *row = &database->steps[i];
        bool makes_copy = i < pipeline->count && pipeline->steps[i].runs_out;

        if (makes_copy && row->state == STEP_DONE) {
            again = !copy || copy->role == COPY_REMOVING;
            if (copy && copy->role == COPY_FAILED)
                copy->role = COPY_UNFINISHED;
        }
        if (row->state == STEP_FAILED || (again && row->state != STEP_WAITING && row->state != STEP_SKIPPED))
            start_over(row);
    }
    return again;
}

/* Of rows that have passed: it was open then; nobody was asked then; it has nothing left to do. */
static bool is_passing(const struct refresh_status *status, const struct step_status *row)
{
    return text_equal(row->name, "Window") || (text_equal(row->name, APPROVAL) && !status->run.approved_by) ||
           is_last(row);
}

/* A new copy has passed nothing that the old one has: no hook has masked it, and nobody has approved it. */
static void retry_switchover(struct refresh_status *status, bool has_new_copy)
{
    for (size_t i = 0; i < status->switchover_step_count; i++) {
        struct step_status *row = &status->switchover_steps[i];
        bool again = row->state == STEP_DONE && (has_new_copy || is_passing(status, row));

        if (row->state == STEP_FAILED || row->state == STEP_UNDONE || again)
            start_over(row);
    }
    if (has_new_copy) {
        text_replace(&status->run.approved_by, NULL);
        status->run.approval_ms = 0;
        remember(status, EVIDENCE_NEW_COPY, "true");
    }
}

void request_retry(struct refresh_status *status, const struct refresh_spec *spec)
{
    bool has_new_copy = false;

    for (size_t i = 0; i < status->database_count; i++) {
        const struct database_spec *database = refresh_database(spec, status->databases[i].name);

        if (database)
            has_new_copy = retry_database(status, &status->databases[i], workflow_pipeline(database->kind)) ||
                           has_new_copy;
    }
    retry_switchover(status, has_new_copy);
    status->run.attempt++;
    status->run.completion_ms = 0;
}

/* --- switch-to --- */

static bool is_kept(const struct copy_status *copy)
{
    return copy->role == COPY_IN_USE || copy->role == COPY_PREVIOUS;
}

const struct copy_status *request_kept_copy(const struct refresh_status *status, const char *run_id,
                                            const char *database)
{
    for (size_t i = 0; i < status->copy_count; i++) {
        const struct copy_status *copy = &status->copies[i];

        if (is_kept(copy) && text_equal(copy->run_id, run_id) && text_equal(copy->database, database))
            return copy;
    }
    return NULL;
}

const char *request_switch(const struct refresh_status *status, const struct json *object)
{
    const char *value = request_value(object, "switch-to");

    return *value && !is_active(status) && !was_answered(status, "switch-to", value) ? value : NULL;
}

char *request_refuse_switch(struct refresh_status *status, const struct json *object)
{
    const char *value = request_value(object, "switch-to");

    if (!*value || !is_active(status) || was_answered(status, "switch-to", value))
        return NULL;
    remember(status, "switch-to", value);
    return xasprintf(
        "switch-to \"%.64s\": run %s is under way; ask again when it has ended (with a slash and "
        "another text behind the run), or cancel it first",
        value, status->run.id);
}

/* The newest that staging does not use; NULL: none. */
static const char *previous_run(const struct refresh_status *status)
{
    const struct copy_status *newest = NULL;

    for (size_t i = 0; i < status->copy_count; i++) {
        const struct copy_status *copy = &status->copies[i];

        if (copy->role == COPY_PREVIOUS && (!newest || copy->creation_ms > newest->creation_ms))
            newest = copy;
    }
    return newest ? newest->run_id : NULL;
}

/* "20261122-..., 20261022-..." */
static char *kept_runs(const struct refresh_status *status)
{
    AUTO_BUF struct buf text = BUF_MAX(512);

    for (size_t i = 0; i < status->copy_count; i++) {
        const char *run_id = status->copies[i].run_id;

        if (is_kept(&status->copies[i]) && run_id && !str_contains(buf_str(&text), run_id))
            buf_addf(&text, "%s%s", text.len ? ", " : "", run_id);
    }
    return text.len ? buf_take(&text) : xstrdup("none");
}

/* What stands before the slash; what follows only makes the request another one. */
static char *switched_run(const char *value)
{
    struct str rest = str_of(value), run = {0};

    str_cut(&rest, '/', &run);
    return str_dup(run);
}

char *request_switch_run(struct refresh_status *status, const struct refresh_spec *spec, const char *value,
                         char **ret_refusal)
{
    AUTO_FREE char *asked = switched_run(value);
    const char *run_id = text_equal(asked, "previous") ? previous_run(status) : asked;
    AUTO_FREE char *kept = kept_runs(status);

    for (size_t i = 0; run_id && i < spec->database_count; i++) {
        if (request_kept_copy(status, run_id, spec->databases[i].name))
            continue;
        *ret_refusal =
            xasprintf("switch-to \"%.64s\": no copy of database %s is kept of that run; runs of which "
                      "copies are kept: %s",
                      value, spec->databases[i].name, kept);
        return NULL;
    }
    if (!run_id)
        *ret_refusal = xstrdup("switch-to \"previous\": no previous copies are kept");
    return xstrdup_or_null(run_id);
}

void request_lay_out_switch(struct refresh_status *status, const char *run_id)
{
    AUTO_FREE char *kept = xasprintf("the copy of run %s is used again", run_id);

    text_replace(&status->run.copies_of, run_id);
    for (size_t i = 0; i < status->database_count; i++) {
        struct database_status *database = &status->databases[i];
        const struct copy_status *copy = request_kept_copy(status, run_id, database->name);

        text_replace(&database->copy_identifier, copy ? copy->identifier : NULL);
        text_replace(&database->copy_arn, copy ? copy->arn : NULL);
        for (size_t k = 0; k < database->step_count; k++)
            skip(&database->steps[k], kept);
    }
    for (size_t i = 0; i < status->switchover_step_count; i++) {
        struct step_status *row = &status->switchover_steps[i];
        const struct step *step = workflow_switchover_step(row->name);

        if (step && !step->undo)
            skip(row, "not needed: a person has asked for these copies");
    }
}

/* --- what is not answered --- */

/* A retry that was answered, for attempts have gone on since. */
static bool names_earlier_attempt(const struct refresh_status *status, const char *value)
{
    struct str rest = str_of(value), run = {0};
    int64_t attempt = 0;

    return status->run.id && str_cut(&rest, '/', &run) && str_is(run, status->run.id) &&
           str_to_int(rest, &attempt) && attempt < status->run.attempt;
}

char *request_staleness(const struct refresh_status *status, const struct json *object, const char *name)
{
    const char *value = request_value(object, name);
    AUTO_FREE char *present = with_attempt(status);

    if (!*value || was_answered(status, name, value))
        return NULL;
    if (text_equal(name, "cancel") && !(is_active(status) && names_run(status, value)))
        return xasprintf("cancel \"%.64s\" asks for nothing: %s%s", value,
                         is_active(status) ? "the run under way is " : "no run is under way",
                         is_active(status) ? status->run.id : "");
    if (text_equal(name, "retry") && !is_active(status) && !names_earlier_attempt(status, value) &&
        !request_retries(status, object))
        return xasprintf("retry \"%.80s\" asks for nothing: %s%s", value,
                         status->run.id
                             ? "only the last attempt of a run that failed can be retried; the last one is "
                             : "there has been no run",
                         status->run.id ? present : "");
    return NULL;
}
