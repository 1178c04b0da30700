#include "controller/pace.h"

#include "controller/pass.h"
#include "controller/rows.h"
#include "controller/succession.h"

#define EXPECTED_EVIDENCE "expectedMs"

int64_t pace_ms(const struct pace_signs *signs)
{
    int64_t wanted_ms;

    if (signs->percent > 0 && signs->percent < 100) /* a quarter of what is left by its own figure */
        wanted_ms = signs->age_ms * (100 - signs->percent) / signs->percent / 4;
    else if (signs->expected_ms > signs->age_ms) /* ... by the last time */
        wanted_ms = (signs->expected_ms - signs->age_ms) / 4;
    else if (signs->expected_ms) /* overdue: soon, then with patience */
        wanted_ms = (signs->age_ms - signs->expected_ms) / 4;
    else
        wanted_ms = signs->age_ms / 20;
    for (int64_t pace = 8 * PACE_MIN_MS; pace > PACE_MIN_MS; pace /= 2) {
        if (wanted_ms >= pace)
            return pace;
    }
    return PACE_MIN_MS;
}

static char *name_of(const char *database, const char *step)
{
    return database ? xasprintf("%s/%s", database, step) : xstrdup(step);
}

void pace_expect(const struct stage *stage)
{
    AUTO_FREE char *name = name_of(stage->database ? stage->database->name : NULL, stage->row->name);
    int64_t took_ms = succession_step_ms(stage->pass->objects, stage->pass->object, name);

    if (took_ms)
        step_set_evidence_ms(stage->row, EXPECTED_EVIDENCE, took_ms);
}

int64_t stage_pace_ms(const struct stage *stage)
{
    const struct pace_signs signs = {
        .age_ms = stage_age_ms(stage),
        .percent = stage->row->percent,
        .expected_ms = step_evidence_ms(stage->row, EXPECTED_EVIDENCE, 0),
    };

    return pace_ms(&signs);
}

int64_t stage_jitter_ms(const struct stage *stage, int64_t after_ms)
{
    return after_ms + (int64_t)random_below(stage->pass->env->random, (uint64_t)(after_ms / 10) + 1);
}

int64_t pace_remembered_ms(const struct refresh_status *status, const char *database, const char *step)
{
    AUTO_FREE char *name = name_of(database, step);

    for (size_t i = 0; i < status->history_count; i++) {
        const struct history_entry *entry = &status->history[i];

        for (size_t k = 0; k < entry->step_count; k++) {
            if (text_equal(entry->steps[k].name, name))
                return entry->steps[k].seconds * 1000;
        }
    }
    return 0;
}

static void remember(struct history_entry *entry, struct sched *sched, const char *database,
                     const struct step_status *row)
{
    int64_t took_ms;
    struct step_time *time;

    if (row->state != STEP_DONE || !row->start_ms || !row->completion_ms)
        return;
    took_ms = sched_elapsed_ms(sched, row->start_ms) - sched_elapsed_ms(sched, row->completion_ms);
    if (took_ms < 0)
        return;
    time = history_add_step(entry);
    time->name = name_of(database, row->name);
    time->seconds = (took_ms + 999) / 1000;
}

void pace_remember(struct refresh_status *status, struct sched *sched)
{
    if (!status->history_count)
        return;
    for (size_t i = 0; i < status->history_count; i++)
        history_clear_steps(&status->history[i]);
    for (size_t i = 0; i < status->database_count; i++) {
        const struct database_status *database = &status->databases[i];

        for (size_t k = 0; k < database->step_count; k++)
            remember(&status->history[0], sched, database->name, &database->steps[k]);
    }
    for (size_t i = 0; i < status->switchover_step_count; i++)
        remember(&status->history[0], sched, NULL, &status->switchover_steps[i]);
}
