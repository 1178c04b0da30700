/* What an object's runs have made that goes with it, read from its status: the rows of the pipelines and the
 * list of copies. Nothing is asked of AWS here. */
#include "controller/copies.h"
#include "controller/names.h"
#include "controller/places.h"
#include "controller/rows.h"
#include "controller/source_grants.h"

/* One database, while its rows are read. */
struct trace {
    struct pass *pass;
    const struct database_spec *database;
    struct database_status *status;
    struct leftovers *list;
};

static bool has_succeeded(struct refresh_status *status)
{
    const struct condition *end = status_condition(status, "Succeeded");

    return status->run.completion_ms && end && end->status == CONDITION_TRUE;
}

static struct step_status *row_of(struct database_status *database, const char *name)
{
    for (size_t i = 0; i < database->step_count; i++) {
        if (text_equal(database->steps[i].name, name))
            return &database->steps[i];
    }
    return NULL;
}

/* It may have been started, and no end of it was seen. */
static bool is_open(const struct step_status *row)
{
    return row && row->start_ms && row->state != STEP_DONE && row->state != STEP_SKIPPED &&
           row->state != STEP_WAITING;
}

static bool is_done(const struct step_status *row)
{
    return row && row->state == STEP_DONE;
}

/* Of the run under way: it has begun to write the parameter, or may have. */
static bool is_written(const struct pass *pass, const struct parameter_spec *parameter)
{
    AUTO_FREE char *name = xasprintf("Parameters/%s", parameter->name ? parameter->name : "");

    for (size_t i = 0; i < pass->status->switchover_step_count; i++) {
        const struct step_status *row = &pass->status->switchover_steps[i];

        if (text_equal(row->name, name))
            return row->start_ms != 0;
    }
    return false;
}

/* `copy` NULL: one that is not made yet. */
static void add_parameters(const struct pass *pass, const struct copy_status *copy, struct leftover *item)
{
    /* What earlier runs have written is not known any more. */
    bool is_new = text_equal(item->run_id, pass->status->run.id) && !pass->status->run.copies_of;
    AUTO_PLACES struct places places = {0};

    places_add_spec(&places, pass->spec);
    places_add_spec(&places, pass->live);
    if (copy)
        places_add_remembered(&places, copy->places, copy->place_count);
    for (size_t i = 0; i < places.count; i++) {
        const struct parameter_spec *place = &places.items[i];
        bool in_cluster = place->kind == PARAMETER_CONFIG_MAP || place->kind == PARAMETER_SECRET;

        item->parameters = xgrow(item->parameters, item->parameter_count, sizeof(*item->parameters));
        item->parameters[item->parameter_count++] = (struct parameter_spec){
            .kind = place->kind,
            .target = xstrdup(place->target),
            .key = xstrdup_or_null(place->key),
            .unwritten = in_cluster && is_new && !is_written(pass, place),
        };
    }
}

/* `usage`: whose account it is in. */
static struct leftover *add(const struct pass *pass, enum leftover_kind kind, enum account_usage usage,
                            struct leftovers *list)
{
    bool on_target = usage == USAGE_TARGET;
    const struct account *account = on_target ? pass->target_account : pass->source_account;
    const char *name = on_target ? pass->spec->target : pass->spec->source;
    struct leftover *item;

    if (!name)
        return NULL;
    item = leftovers_append(list);
    *item = (struct leftover){
        .kind = kind,
        .namespace = xstrdup(pass->namespace),
        .name = xstrdup(pass->name),
        .uid = xstrdup(pass->uid),
        .series = xstrdup(pass->spec->series),
        .account = xstrdup(name),
        .account_id = xstrdup_or_null(account ? account->account_id : NULL),
        .vault = xstrdup_or_null(account ? account->vault_name : NULL),
        .left_ms = pass->now_ms,
    };
    return item;
}

static struct leftover *add_of(const struct trace *trace, enum leftover_kind kind, enum account_usage usage)
{
    struct leftover *item = add(trace->pass, kind, usage, trace->list);

    if (!item)
        return NULL;
    item->run_id = xstrdup(trace->pass->status->run.id);
    item->database = xstrdup(trace->database->name);
    item->database_kind = trace->database->kind;
    return item;
}

/* --- of a run that has not succeeded --- */

static char *resource_of(const struct trace *trace)
{
    const struct account *account = trace->pass->source_account;

    return account ? source_database_arn(account, trace->database) : NULL;
}

static void add_backup_job(const struct trace *trace, struct step_status *row)
{
    const struct step_table *pipeline = workflow_pipeline(trace->database->kind);
    const struct account *account = trace->pass->source_account;
    const struct stage stage = {
        .pass = trace->pass, .step = &pipeline->steps[0], .row = row, .database = trace->database};
    struct leftover *item = add_of(trace, LEFTOVER_BACKUP_JOB, USAGE_SOURCE);
    char token[TOKEN_MAX];

    if (!item)
        return;
    name_token(&stage, token);
    item->job_id = xstrdup_or_null(row->external_id);
    item->since_ms = row->start_ms;
    item->token = xstrdup(token);
    item->role_arn = xstrdup_or_null(account ? account->service_role_arn : NULL);
    item->source_arn = resource_of(trace);
}

static void add_copy_job(const struct trace *trace, const struct step_status *row)
{
    const struct account *target = trace->pass->target_account;
    struct leftover *item = add_of(trace, LEFTOVER_COPY_JOB, USAGE_SOURCE);

    if (!item)
        return;
    item->job_id = xstrdup_or_null(row->external_id);
    item->since_ms = row->start_ms;
    item->destination = xstrdup(trace->pass->spec->target);
    item->destination_id = xstrdup_or_null(target ? target->account_id : NULL);
    item->source_arn = xstrdup_or_null(trace->status->recovery_point_arn);
    item->point_is_ours = trace->database->from == FROM_NEW;
}

static void add_restore_job(const struct trace *trace, const struct step_status *row)
{
    struct leftover *item =
        trace->status->copy_identifier ? add_of(trace, LEFTOVER_RESTORE_JOB, USAGE_TARGET) : NULL;

    if (!item)
        return;
    item->job_id = xstrdup_or_null(row->external_id);
    item->since_ms = row->start_ms;
    item->source_arn = xstrdup_or_null(trace->status->copy_recovery_point_arn);
    item->identifier = xstrdup(trace->status->copy_identifier);
    add_parameters(trace->pass, NULL, item);
}

static void add_point(const struct trace *trace, enum account_usage usage, const char *arn)
{
    struct leftover *item = arn ? add_of(trace, LEFTOVER_RECOVERY_POINT, usage) : NULL;

    if (item)
        item->arn = xstrdup(arn);
}

/* What was there before the run is nobody's to remove: its row was skipped. */
static void add_points(const struct trace *trace)
{
    if (is_done(row_of(trace->status, "Copy")))
        add_point(trace, USAGE_TARGET, trace->status->copy_recovery_point_arn);
    if (is_done(row_of(trace->status, "Backup")))
        add_point(trace, USAGE_SOURCE, trace->status->recovery_point_arn);
}

/* In the order in which things hang on each other: what is made from a thing comes before it. */
static void add_jobs(const struct trace *trace)
{
    struct step_status *backup = row_of(trace->status, "Backup");
    const struct step_status *copy = row_of(trace->status, "Copy"),
                             *restore = row_of(trace->status, "Restore");

    if (is_open(restore))
        add_restore_job(trace, restore);
    if (is_open(copy))
        add_copy_job(trace, copy);
    if (is_open(backup))
        add_backup_job(trace, backup);
}

/* --- copies --- */

static void add_copy(const struct pass *pass, const struct copy_status *copy, enum leftover_kind kind,
                     struct leftovers *list)
{
    const struct copy_line line = copies_line_of(refresh_database(pass->spec, copy->database));
    struct leftover *item = copy->identifier ? add(pass, kind, USAGE_TARGET, list) : NULL;

    if (!item)
        return;
    item->run_id = xstrdup(copy->run_id ? copy->run_id : "");
    item->database = xstrdup(copy->database ? copy->database : "");
    item->database_kind = copy->kind;
    item->job_id = xstrdup_or_null(copy->restore_job_id);
    item->arn = xstrdup_or_null(copy->arn);
    item->identifier = xstrdup(copy->identifier);
    item->resource = xstrdup_or_null(line.kind == copy->kind ? line.resource : NULL);
    item->prefix = xstrdup_or_null(line.prefix);
    item->created_ms = copy->creation_ms;
    item->may_unprotect = copy->protected_by_settings;
    add_parameters(pass, copy, item);
}

static bool is_kept(const struct copy_status *copy)
{
    return copy->role == COPY_IN_USE || copy->role == COPY_PREVIOUS;
}

void leftovers_of_object(struct pass *pass, bool everything, struct leftovers *ret)
{
    struct refresh_status *status = pass->status;
    bool in_vain = !has_succeeded(status);

    for (size_t i = 0; i < status->copy_count; i++) {
        bool stays = !everything && is_kept(&status->copies[i]);

        add_copy(pass, &status->copies[i], stays ? LEFTOVER_KEPT_COPY : LEFTOVER_COPY, ret);
    }
    for (size_t i = 0; i < status->database_count; i++) {
        const struct trace trace = {.pass = pass,
                                    .database = refresh_database(pass->spec, status->databases[i].name),
                                    .status = &status->databases[i],
                                    .list = ret};

        if (!trace.database)
            continue;
        if (in_vain)
            add_jobs(&trace);
        if (in_vain || everything)
            add_points(&trace);
    }
}
