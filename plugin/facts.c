#include "plugin/facts.h"

bool facts_has_run(const struct refresh_status *status)
{
    return status->run.id != NULL;
}

bool facts_is_active(const struct refresh_status *status)
{
    return status->run.id && !status->run.completion_ms;
}

static const struct step_status *find_row(const struct refresh_status *status, const char *name)
{
    for (size_t i = 0; i < status->switchover_step_count; i++) {
        if (text_equal(status->switchover_steps[i].name, name))
            return &status->switchover_steps[i];
    }
    return NULL;
}

static bool any_cancelled(const struct step_status *rows, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (rows[i].state == STEP_FAILED && text_equal(step_evidence(&rows[i], "reason"), "Cancelled"))
            return true;
    }
    return false;
}

bool facts_is_cancelled(const struct refresh_status *status)
{
    for (size_t i = 0; i < status->database_count; i++) {
        if (any_cancelled(status->databases[i].steps, status->databases[i].step_count))
            return true;
    }
    return any_cancelled(status->switchover_steps, status->switchover_step_count);
}

bool facts_awaits_approval(const struct refresh_status *status)
{
    const struct step_status *row = find_row(status, "Approval");

    return facts_is_active(status) && row && row->state == STEP_RUNNING;
}

/* By the same evidence as the controller: phase and conditions may have moved on to something else. */
bool facts_can_retry(const struct refresh_status *status)
{
    if (!status->run.id || !status->run.completion_ms)
        return false;
    for (size_t i = 0; i < status->history_count; i++) {
        const struct history_entry *entry = &status->history[i];

        if (text_equal(entry->run_id, status->run.id) && entry->attempt == status->run.attempt)
            return text_equal(entry->result, "Failed");
    }
    return false;
}

const struct condition *facts_condition(const struct refresh_status *status, const char *type)
{
    for (size_t i = 0; i < status->condition_count; i++) {
        if (text_equal(status->conditions[i].type, type))
            return &status->conditions[i];
    }
    return NULL;
}

bool facts_is_true(const struct refresh_status *status, const char *type)
{
    const struct condition *condition = facts_condition(status, type);

    return condition && condition->status == CONDITION_TRUE;
}

bool facts_is_superseded(const struct refresh_status *status)
{
    const struct condition *over = facts_condition(status, "SwitchedOver");

    return over && over->status == CONDITION_TRUE && text_equal(over->reason, "Superseded");
}

/* --- kept runs --- */

static struct kept_run *find_kept(struct kept_run *runs, size_t count, const char *id)
{
    for (size_t i = 0; i < count; i++) {
        if (text_equal(runs[i].id, id))
            return &runs[i];
    }
    return NULL;
}

static void count_copy(struct kept_run *run, const struct copy_status *copy)
{
    run->copies++;
    run->is_used = run->is_used || copy->role == COPY_IN_USE;
    if (copy->creation_ms && (!run->creation_ms || copy->creation_ms < run->creation_ms))
        run->creation_ms = copy->creation_ms;
}

static int newest_first(const void *a, const void *b)
{
    const struct kept_run *one = a, *other = b;

    if (one->creation_ms != other->creation_ms)
        return one->creation_ms < other->creation_ms ? 1 : -1;
    return strcmp(other->id, one->id); /* they sort by time */
}

size_t facts_kept_runs(const struct refresh_status *status, struct kept_run ret[KEPT_RUNS_MAX])
{
    size_t count = 0;

    for (size_t i = 0; i < status->copy_count; i++) {
        const struct copy_status *copy = &status->copies[i];
        struct kept_run *run = find_kept(ret, count, copy->run_id);

        if (!copy->run_id || (copy->role != COPY_IN_USE && copy->role != COPY_PREVIOUS))
            continue;
        if (!run) {
            if (count == KEPT_RUNS_MAX)
                continue;
            run = &ret[count++];
            *run = (struct kept_run){.id = copy->run_id};
        }
        count_copy(run, copy);
    }
    qsort(ret, count, sizeof(*ret), newest_first);
    return count;
}

bool facts_is_kept(const struct refresh_status *status, const char *run_id)
{
    struct kept_run runs[KEPT_RUNS_MAX];
    size_t count = facts_kept_runs(status, runs);
    const struct kept_run *run = find_kept(runs, count, run_id);

    return run && run->copies >= status->database_count;
}

const char *facts_previous_run(const struct refresh_status *status)
{
    struct kept_run runs[KEPT_RUNS_MAX];
    size_t count = facts_kept_runs(status, runs);

    for (size_t i = 0; i < count; i++) {
        if (!runs[i].is_used && runs[i].copies >= status->database_count)
            return runs[i].id;
    }
    return NULL;
}

const char *facts_used_run(const struct refresh_status *status)
{
    struct kept_run runs[KEPT_RUNS_MAX];
    size_t count = facts_kept_runs(status, runs);

    for (size_t i = 0; i < count; i++) {
        if (runs[i].is_used)
            return runs[i].id;
    }
    return NULL;
}
