#include "pkg/refresh/status.h"

#include "pkg/refresh/fields.h"

#define MESSAGE_MAX 1024 /* bytes of a sentence for people */
#define ARN_MAX 2048
#define NOTICES_MAX 32

static const char *const state_names[] = {
    [STEP_WAITING] = "Waiting", [STEP_INTENDED] = "Intended", [STEP_RUNNING] = "Running",
    [STEP_DONE] = "Done",       [STEP_FAILED] = "Failed",     [STEP_SKIPPED] = "Skipped",
    [STEP_UNDONE] = "Undone",
};
static const char *const kind_names[] = {[DATABASE_AURORA] = "Aurora", [DATABASE_DYNAMODB] = "DynamoDB"};
static const char *const role_names[] = {
    [COPY_UNFINISHED] = "Unfinished", [COPY_IN_USE] = "InUse",      [COPY_PREVIOUS] = "Previous",
    [COPY_FAILED] = "Failed",         [COPY_REMOVING] = "Removing",
};
static const char *const place_names[] = {
    [PARAMETER_SSM] = "SSM",
    [PARAMETER_SECRETS_MANAGER] = "SecretsManager",
    [PARAMETER_CONFIG_MAP] = "ConfigMap",
    [PARAMETER_SECRET] = "Secret",
};
static const char *const previous_kinds[] = {"Proxy", "SSM", "SecretsManager", "ConfigMap", "Secret"};
static const char *const condition_names[] = {
    [CONDITION_FALSE] = "False",
    [CONDITION_TRUE] = "True",
    [CONDITION_UNKNOWN] = "Unknown",
};

/* What names something has a maximum; what is for reading is cut. */
/* clang-format off */
#define AT(member) offsetof(struct step_status, member)
static const struct field step_fields[] = {
    {.path = "name",           .kind = FIELD_TEXT,    .offset = AT(name), .required = true, .always = true, .max = 128},
    {.path = "state",          .kind = FIELD_ENUM,    .offset = AT(state), .required = true, .names = NAMES(state_names)},
    {.path = "attempt",        .kind = FIELD_INT,     .offset = AT(attempt)},
    {.path = "externalID",     .kind = FIELD_TEXT,    .offset = AT(external_id), .cut = ARN_MAX},
    {.path = "startTime",      .kind = FIELD_TIME_MS, .offset = AT(start_ms)},
    {.path = "completionTime", .kind = FIELD_TIME_MS, .offset = AT(completion_ms)},
    {.path = "percent",        .kind = FIELD_INT,     .offset = AT(percent), .max = 100},
    {.path = "message",        .kind = FIELD_TEXT,    .offset = AT(message), .cut = MESSAGE_MAX},
    {.path = "evidence",       .kind = FIELD_NOTES,   .offset = AT(evidence), .item_max = 2048},
};
static const struct part step_part = {
    .fields = step_fields, .count = COUNT_OF(step_fields), .size = sizeof(struct step_status), .key = "name",
};
#undef AT

#define AT(member) offsetof(struct database_status, member)
static const struct field database_fields[] = {
    {.path = "name",                 .kind = FIELD_TEXT,    .offset = AT(name), .required = true, .always = true, .max = 63},
    {.path = "recoveryPointARN",     .kind = FIELD_TEXT,    .offset = AT(recovery_point_arn), .cut = ARN_MAX},
    {.path = "copyRecoveryPointARN", .kind = FIELD_TEXT,    .offset = AT(copy_recovery_point_arn), .cut = ARN_MAX},
    {.path = "copyIdentifier",       .kind = FIELD_TEXT,    .offset = AT(copy_identifier), .cut = 255},
    {.path = "copyARN",              .kind = FIELD_TEXT,    .offset = AT(copy_arn), .cut = ARN_MAX},
    {.path = "endpoint",             .kind = FIELD_TEXT,    .offset = AT(endpoint), .cut = 512},
    {.path = "readerEndpoint",       .kind = FIELD_TEXT,    .offset = AT(reader_endpoint), .cut = 512},
    {.path = "port",                 .kind = FIELD_INT,     .offset = AT(port), .max = 65535},
    {.path = "streamARN",            .kind = FIELD_TEXT,    .offset = AT(stream_arn), .cut = ARN_MAX},
    {.path = "engine",               .kind = FIELD_TEXT,    .offset = AT(engine), .cut = 64},
    {.path = "engineVersion",        .kind = FIELD_TEXT,    .offset = AT(engine_version), .cut = 64},
    {.path = "masterUsername",       .kind = FIELD_TEXT,    .offset = AT(master_username), .cut = 128},
    {.path = "percent",              .kind = FIELD_INT,     .offset = AT(percent), .max = 100},
    {.path = "failures",             .kind = FIELD_INT,     .offset = AT(failures), .max = INT32_MAX},
    {.path = "backOffUntil",         .kind = FIELD_TIME_MS, .offset = AT(back_off_until_ms)},
    {.path = "lastError",            .kind = FIELD_TEXT,    .offset = AT(last_error), .cut = MESSAGE_MAX},
    {.path = "steps",                .kind = FIELD_LIST,    .offset = AT(steps), .count_offset = AT(step_count), .max = 32,
     .part = &step_part},
};
static const struct part database_part = {
    .fields = database_fields, .count = COUNT_OF(database_fields), .size = sizeof(struct database_status), .key = "name",
};
#undef AT

#define AT(member) offsetof(struct place_status, member)
static const struct field place_fields[] = {
    {.path = "kind",   .kind = FIELD_ENUM, .offset = AT(kind), .required = true, .names = NAMES(place_names)},
    {.path = "target", .kind = FIELD_TEXT, .offset = AT(target), .required = true, .always = true, .max = 1011},
    {.path = "key",    .kind = FIELD_TEXT, .offset = AT(key), .max = 253},
};
static const struct part place_part = {
    .fields = place_fields, .count = COUNT_OF(place_fields), .size = sizeof(struct place_status),
};
#undef AT

#define AT(member) offsetof(struct copy_status, member)
static const struct field copy_fields[] = {
    {.path = "arn",          .kind = FIELD_TEXT, .offset = AT(arn), .required = true, .always = true, .max = ARN_MAX},
    {.path = "identifier",   .kind = FIELD_TEXT, .offset = AT(identifier), .cut = 255},
    {.path = "kind",         .kind = FIELD_ENUM, .offset = AT(kind), .names = NAMES(kind_names)},
    {.path = "database",     .kind = FIELD_TEXT, .offset = AT(database), .cut = 63},
    {.path = "runID",        .kind = FIELD_TEXT, .offset = AT(run_id), .cut = 63},
    {.path = "role",         .kind = FIELD_ENUM, .offset = AT(role), .required = true, .names = NAMES(role_names)},
    {.path = "restoreJobID", .kind = FIELD_TEXT, .offset = AT(restore_job_id), .cut = 256},
    {.path = "creationTime", .kind = FIELD_TIME, .offset = AT(creation_ms)},
    {.path = "protectedBySettings", .kind = FIELD_BOOL, .offset = AT(protected_by_settings)},
    {.path = "places",       .kind = FIELD_LIST, .offset = AT(places), .count_offset = AT(place_count),
     .max = STATUS_PLACES_MAX, .part = &place_part},
};
static const struct part copy_part = {
    .fields = copy_fields, .count = COUNT_OF(copy_fields), .size = sizeof(struct copy_status), .key = "arn",
};
#undef AT

#define AT(member) offsetof(struct previous_status, member)
static const struct field previous_fields[] = {
    {.path = "kind",    .kind = FIELD_TEXT, .offset = AT(kind), .required = true, .always = true,
     .names = NAMES(previous_kinds)},
    {.path = "name",    .kind = FIELD_TEXT, .offset = AT(name), .required = true, .always = true, .max = 63},
    {.path = "value",   .kind = FIELD_TEXT, .offset = AT(value), .cut = 8192},
    {.path = "version", .kind = FIELD_TEXT, .offset = AT(version), .cut = 256},
};
static const struct part previous_part = {
    .fields = previous_fields, .count = COUNT_OF(previous_fields), .size = sizeof(struct previous_status),
};
#undef AT

#define AT(member) offsetof(struct step_time, member)
static const struct field step_time_fields[] = {
    {.path = "name",    .kind = FIELD_TEXT, .offset = AT(name), .required = true, .always = true, .max = 128},
    {.path = "seconds", .kind = FIELD_INT,  .offset = AT(seconds), .always = true},
};
static const struct part step_time_part = {
    .fields = step_time_fields, .count = COUNT_OF(step_time_fields), .size = sizeof(struct step_time), .key = "name",
};
#undef AT

#define AT(member) offsetof(struct history_entry, member)
static const struct field history_fields[] = {
    {.path = "runID",          .kind = FIELD_TEXT, .offset = AT(run_id), .required = true, .always = true, .cut = 63},
    {.path = "attempt",        .kind = FIELD_INT,  .offset = AT(attempt)},
    {.path = "result",         .kind = FIELD_TEXT, .offset = AT(result), .cut = 64},
    {.path = "startTime",      .kind = FIELD_TIME, .offset = AT(start_ms)},
    {.path = "completionTime", .kind = FIELD_TIME, .offset = AT(completion_ms)},
    {.path = "copiesOf",       .kind = FIELD_TEXT, .offset = AT(copies_of), .cut = 63},
    {.path = "message",        .kind = FIELD_TEXT, .offset = AT(message), .cut = MESSAGE_MAX},
    {.path = "steps",          .kind = FIELD_LIST, .offset = AT(steps), .count_offset = AT(step_count), .max = 512,
     .part = &step_time_part},
};
static const struct part history_part = {
    .fields = history_fields, .count = COUNT_OF(history_fields), .size = sizeof(struct history_entry),
};
#undef AT

#define AT(member) offsetof(struct notice, member)
static const struct field notice_fields[] = {
    {.path = "id",         .kind = FIELD_TEXT,    .offset = AT(id), .required = true, .always = true, .max = 256},
    {.path = "transition", .kind = FIELD_TEXT,    .offset = AT(transition), .required = true, .always = true, .max = 64},
    {.path = "runID",      .kind = FIELD_TEXT,    .offset = AT(run_id), .cut = 63},
    {.path = "attempt",    .kind = FIELD_INT,     .offset = AT(attempt)},
    {.path = "time",       .kind = FIELD_TIME_MS, .offset = AT(time_ms)},
    {.path = "message",    .kind = FIELD_TEXT,    .offset = AT(message), .cut = 512},
    {.path = "pending",    .kind = FIELD_TEXTS,   .offset = AT(pending), .count_offset = AT(pending_count), .max = 4,
     .item_max = 63},
};
static const struct part notice_part = {
    .fields = notice_fields, .count = COUNT_OF(notice_fields), .size = sizeof(struct notice), .key = "id",
};
#undef AT

#define AT(member) offsetof(struct condition, member)
static const struct field condition_fields[] = {
    {.path = "type",               .kind = FIELD_TEXT, .offset = AT(type), .required = true, .always = true, .max = 316},
    {.path = "status",             .kind = FIELD_ENUM, .offset = AT(status), .required = true, .names = NAMES(condition_names)},
    {.path = "observedGeneration", .kind = FIELD_INT,  .offset = AT(observed_generation)},
    {.path = "lastTransitionTime", .kind = FIELD_TIME, .offset = AT(transition_ms), .required = true, .always = true},
    {.path = "reason",             .kind = FIELD_TEXT, .offset = AT(reason), .required = true, .always = true, .cut = 1024},
    {.path = "message",            .kind = FIELD_TEXT, .offset = AT(message), .required = true, .always = true,
     .cut = MESSAGE_MAX},
};
static const struct part condition_part = {
    .fields = condition_fields, .count = COUNT_OF(condition_fields), .size = sizeof(struct condition), .key = "type",
};
#undef AT

#define AT(member) offsetof(struct refresh_status, member)
static const struct field status_fields[] = {
    {.path = "observedGeneration", .kind = FIELD_INT,  .offset = AT(observed_generation)},
    {.path = "phase",              .kind = FIELD_TEXT, .offset = AT(phase), .cut = 64},
    {.path = "progress",           .kind = FIELD_OBJECT},
    {.path = "progress.text",      .kind = FIELD_TEXT, .offset = AT(progress_text), .cut = 128},
    {.path = "progress.estimatedCompletionTime", .kind = FIELD_TIME, .offset = AT(estimated_completion_ms)},
    {.path = "progress.percent",   .kind = FIELD_INT,  .offset = AT(percent), .always = true, .max = 100},
    {.path = "lastHandledTrigger", .kind = FIELD_TEXT, .offset = AT(last_handled_trigger), .cut = 1024},
    {.path = "lastHandledRequest", .kind = FIELD_TEXT, .offset = AT(last_handled_request), .cut = 1024},

    {.path = "run",                   .kind = FIELD_OBJECT},
    {.path = "run.id",                .kind = FIELD_TEXT, .offset = AT(run.id), .required = true, .max = 63},
    {.path = "run.attempt",           .kind = FIELD_INT,  .offset = AT(run.attempt)},
    {.path = "run.trigger",           .kind = FIELD_TEXT, .offset = AT(run.trigger), .cut = 1024},
    {.path = "run.request",           .kind = FIELD_TEXT, .offset = AT(run.request), .cut = 1024},
    {.path = "run.copiesOf",          .kind = FIELD_TEXT, .offset = AT(run.copies_of), .cut = 63},
    {.path = "run.controllerVersion", .kind = FIELD_TEXT, .offset = AT(run.controller_version), .cut = 128},
    {.path = "run.startTime",         .kind = FIELD_TIME, .offset = AT(run.start_ms)},
    {.path = "run.completionTime",    .kind = FIELD_TIME, .offset = AT(run.completion_ms)},
    {.path = "run.approval",          .kind = FIELD_OBJECT},
    {.path = "run.approval.by",       .kind = FIELD_TEXT, .offset = AT(run.approved_by), .required = true, .cut = 1024},
    {.path = "run.approval.time",     .kind = FIELD_TIME, .offset = AT(run.approval_ms), .required = true, .always = true},
    {.path = "run.spec",              .kind = FIELD_JSON, .offset = AT(run.spec)},

    {.path = "databases", .kind = FIELD_LIST, .offset = AT(databases), .count_offset = AT(database_count), .max = 32,
     .part = &database_part},
    {.path = "copies",    .kind = FIELD_LIST, .offset = AT(copies), .count_offset = AT(copy_count), .max = 512,
     .part = &copy_part},
    {.path = "switchover",          .kind = FIELD_OBJECT},
    {.path = "switchover.steps",    .kind = FIELD_LIST, .offset = AT(switchover_steps),
     .count_offset = AT(switchover_step_count), .max = 256, .part = &step_part},
    {.path = "switchover.previous", .kind = FIELD_LIST, .offset = AT(previous), .count_offset = AT(previous_count),
     .max = 128, .part = &previous_part},
    {.path = "history",    .kind = FIELD_LIST, .offset = AT(history), .count_offset = AT(history_count), .max = 10,
     .part = &history_part},
    {.path = "conditions", .kind = FIELD_LIST, .offset = AT(conditions), .count_offset = AT(condition_count), .max = 16,
     .part = &condition_part},
    {.path = "notifications", .kind = FIELD_LIST, .offset = AT(notices), .count_offset = AT(notice_count), .max = NOTICES_MAX,
     .part = &notice_part},
};
#undef AT
/* clang-format on */

const struct part status_part = {
    .fields = status_fields,
    .count = COUNT_OF(status_fields),
    .size = sizeof(struct refresh_status),
};

const char *step_state_name(enum step_state state)
{
    return state_names[state];
}

struct refresh_status *refresh_status_new(void)
{
    return xcalloc(1, sizeof(struct refresh_status));
}

struct err *refresh_status_parse(const struct json *status, struct refresh_status **ret)
{
    AUTO_REFRESH_STATUS struct refresh_status *parsed = refresh_status_new();

    if (status && !json_is(status, JSON_NULL))
        TRY(fields_read(&status_part, status, "status", parsed));
    *ret = TAKE(parsed);
    return NULL;
}

struct json *refresh_status_to_json(const struct refresh_status *status)
{
    struct json *value = fields_write(&status_part, status);

    /* What belongs to no run is not written. */
    if (!status->run.id)
        json_remove(value, "run");
    else if (!status->run.approved_by)
        json_remove(json_edit(value, "run"), "approval");
    return value;
}

void refresh_status_free(struct refresh_status *status)
{
    if (!status)
        return;
    fields_free(&status_part, status);
    xfree(status);
}

/* Empties a list of a status, with all that its entries own. */
static void clear_list(struct refresh_status *status, const char *path)
{
    for (size_t i = 0; i < status_part.count; i++) {
        const struct part only = {.fields = &status_fields[i], .count = 1};

        if (text_equal(status_fields[i].path, path))
            fields_free(&only, status);
    }
}

void status_reset_run(struct refresh_status *status)
{
    clear_list(status, "databases");
    clear_list(status, "switchover.steps");
    clear_list(status, "switchover.previous");
    text_replace(&status->run.copies_of, NULL);
}

const char *status_copies_run(const struct refresh_status *status)
{
    return status->run.copies_of ? status->run.copies_of : status->run.id;
}

char *status_approval(const struct refresh_status *status)
{
    if (status->run.attempt < 2)
        return xstrdup(status->run.id);
    return xasprintf("%s/%lld", status->run.id, (long long)status->run.attempt);
}

void status_remove_copy(struct refresh_status *status, size_t index)
{
    struct copy_status *copy = &status->copies[index];

    fields_free(&copy_part, copy);
    status->copy_count--;
    memmove(copy, copy + 1, (status->copy_count - index) * sizeof(*copy));
}

static void done_history_entry(struct history_entry *entry)
{
    fields_free(&history_part, entry);
}

struct step_time *history_add_step(struct history_entry *entry)
{
    return fields_grow(&entry->steps, &entry->step_count, sizeof(*entry->steps));
}

void history_clear_steps(struct history_entry *entry)
{
    for (size_t i = 0; i < entry->step_count; i++)
        fields_free(&step_time_part, &entry->steps[i]);
    xfree(entry->steps);
    entry->steps = NULL;
    entry->step_count = 0;
}

static void done_condition(struct condition *condition)
{
    fields_free(&condition_part, condition);
}

#define HISTORY_MAX 10

void status_add_history(struct refresh_status *status, const char *run_id, const char *result,
                        const char *message)
{
    struct history_entry entry = {
        .run_id = xstrdup(run_id),
        .result = xstrdup_or_null(result),
        .message = xstrdup_or_null(message),
    };

    if (text_equal(status->run.id, run_id)) {
        entry.attempt = status->run.attempt;
        entry.start_ms = status->run.start_ms;
        entry.completion_ms = status->run.completion_ms;
        entry.copies_of = xstrdup_or_null(status->run.copies_of);
    }
    while (status->history_count >= HISTORY_MAX)
        done_history_entry(&status->history[--status->history_count]);
    (void)fields_grow(&status->history, &status->history_count, sizeof(entry));
    memmove(status->history + 1, status->history, (status->history_count - 1) * sizeof(entry));
    status->history[0] = entry;
}

/* --- notices --- */

static void drop_notice(struct refresh_status *status, size_t index)
{
    fields_free(&notice_part, &status->notices[index]);
    memmove(status->notices + index, status->notices + index + 1,
            (--status->notice_count - index) * sizeof(*status->notices));
}

bool status_add_notice(struct refresh_status *status, const struct notice *notice)
{
    bool is_full = status->notice_count >= NOTICES_MAX;
    struct notice *added;

    if (is_full)
        drop_notice(status, 0);
    added = fields_grow(&status->notices, &status->notice_count, sizeof(*added));
    *added = (struct notice){.id = xstrdup(notice->id),
                             .transition = xstrdup(notice->transition),
                             .run_id = xstrdup_or_null(notice->run_id),
                             .attempt = notice->attempt,
                             .time_ms = notice->time_ms,
                             .message = xstrdup_or_null(notice->message)};
    return is_full;
}

void status_notice_pend(struct notice *notice, const char *name)
{
    notice->pending = xgrow(notice->pending, notice->pending_count, sizeof(*notice->pending));
    notice->pending[notice->pending_count++] = xstrdup(name);
}

static void take_out(struct notice *notice, const char *name)
{
    size_t kept = 0;

    for (size_t i = 0; i < notice->pending_count; i++) {
        if (text_equal(notice->pending[i], name))
            xfree(notice->pending[i]);
        else
            notice->pending[kept++] = notice->pending[i];
    }
    notice->pending_count = kept;
}

void status_notice_settle(struct refresh_status *status, const char *id, const char *name)
{
    for (size_t i = 0; i < status->notice_count; i++) {
        if (!text_equal(status->notices[i].id, id))
            continue;
        take_out(&status->notices[i], name);
        if (!status->notices[i].pending_count)
            drop_notice(status, i);
        return;
    }
}

/* --- conditions --- */

struct condition *status_condition(struct refresh_status *status, const char *type)
{
    for (size_t i = 0; i < status->condition_count; i++) {
        if (text_equal(status->conditions[i].type, type))
            return &status->conditions[i];
    }
    return NULL;
}

void status_set_condition(struct refresh_status *status, const char *type, enum condition_status value,
                          const char *reason, const char *message, int64_t generation, int64_t now_ms)
{
    struct condition *condition = status_condition(status, type);
    AUTO_FREE char *word = condition_reason(reason);
    AUTO_FREE char *sentence = str_dup(str_cut_utf8(str_of(message), MESSAGE_MAX));

    if (!condition) {
        condition = fields_grow(&status->conditions, &status->condition_count, sizeof(*condition));
        condition->type = xstrdup(type);
        condition->transition_ms = now_ms;
    } else if (condition->status != value) {
        condition->transition_ms = now_ms;
    }
    if (condition->status != value || !text_equal(condition->reason, word) || !condition->message ||
        !condition_says_same(condition->message, sentence))
        text_replace(&condition->message, sentence);
    condition->status = value;
    condition->observed_generation = generation;
    text_replace(&condition->reason, word);
}

void status_remove_condition(struct refresh_status *status, const char *type)
{
    struct condition *condition = status_condition(status, type);
    size_t after;

    if (!condition)
        return;
    after = status->condition_count - (size_t)(condition - status->conditions) - 1;
    done_condition(condition);
    memmove(condition, condition + 1, after * sizeof(*condition));
    status->condition_count--;
}
