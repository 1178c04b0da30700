#include "pkg/refresh/spec.h"

#include "pkg/base/times.h"
#include "pkg/refresh/spec_parts.h"

static const char *const policies[] = {[POLICY_AUTOMATIC] = "Automatic", [POLICY_MANUAL] = "Manual"};
static const char *const differences[] = {[DIFFERENCES_REPORT] = "Report", [DIFFERENCES_FAIL] = "Fail"};
static const char *const deletion_policies[] = {[DELETION_RETAIN] = "Retain", [DELETION_DELETE] = "Delete"};
static const char *const concurrency_policies[] = {
    [CONCURRENCY_QUEUE] = "Queue",
    [CONCURRENCY_FORBID] = "Forbid",
    [CONCURRENCY_REPLACE] = "Replace",
};

#define AT(member) offsetof(struct refresh_spec, member)

/* clang-format off */
static const struct field spec_fields[] = {
    {.path = "sourceRef",      .kind = FIELD_OBJECT},
    {.path = "sourceRef.name", .kind = FIELD_TEXT, .offset = AT(source), .required = true, .max = 253,
     .shape = &shape_subdomain},
    {.path = "targetRef",      .kind = FIELD_OBJECT, .required = true},
    {.path = "targetRef.name", .kind = FIELD_TEXT, .offset = AT(target), .required = true, .max = 253,
     .shape = &shape_subdomain},
    {.path = "series",  .kind = FIELD_TEXT, .offset = AT(series), .max = 63, .shape = &shape_series},
    {.path = "trigger", .kind = FIELD_TEXT, .offset = AT(live.trigger), .live = true, .max = 256},
    {.path = "suspend", .kind = FIELD_BOOL, .offset = AT(live.suspend), .live = true},

    {.path = "databases", .kind = FIELD_LIST, .offset = AT(databases), .count_offset = AT(database_count),
     .required = true, .min = 1, .max = 32, .part = &database_part},

    {.path = "hooks",                  .kind = FIELD_OBJECT},
    {.path = "hooks.beforeSwitchover", .kind = FIELD_LIST, .offset = AT(before_hooks),
     .count_offset = AT(before_hook_count), .max = 8, .part = &hook_part},
    {.path = "hooks.afterSwitchover",  .kind = FIELD_LIST, .offset = AT(after_hooks),
     .count_offset = AT(after_hook_count), .max = 8, .part = &hook_part},

    {.path = "switchover",              .kind = FIELD_OBJECT, .required = true},
    {.path = "switchover.policy",       .kind = FIELD_ENUM, .offset = AT(live.policy), .live = true, .required = true,
     .names = NAMES(policies)},
    {.path = "switchover.window",       .kind = FIELD_PART, .offset = AT(live.window), .live = true, .part = &window_part},
    {.path = "switchover.differences",  .kind = FIELD_ENUM, .offset = AT(differences), .names = NAMES(differences),
     .otherwise = DIFFERENCES_REPORT},
    {.path = "switchover.proxies",      .kind = FIELD_LIST, .offset = AT(proxies), .count_offset = AT(proxy_count),
     .max = 16, .part = &proxy_part},
    {.path = "switchover.parameters",   .kind = FIELD_LIST, .offset = AT(parameters),
     .count_offset = AT(parameter_count), .max = 64, .part = &parameter_part},
    {.path = "switchover.applications", .kind = FIELD_LIST, .offset = AT(applications),
     .count_offset = AT(application_count), .max = 32, .part = &application_part},

    {.path = "concurrencyPolicy", .kind = FIELD_ENUM, .offset = AT(concurrency), .names = NAMES(concurrency_policies),
     .otherwise = CONCURRENCY_QUEUE},
    {.path = "backoffLimit", .kind = FIELD_INT, .offset = AT(live.backoff_limit), .live = true, .max = 20, .otherwise = 2},

    {.path = "timeouts", .kind = FIELD_OBJECT, .live = true},
    {DURATION_ROW("timeouts.backup",     AT(live.timeouts.backup_ms),     HOURS(4)),  .live = true},
    {DURATION_ROW("timeouts.copy",       AT(live.timeouts.copy_ms),       HOURS(8)),  .live = true},
    {DURATION_ROW("timeouts.restore",    AT(live.timeouts.restore_ms),    HOURS(8)),  .live = true},
    {DURATION_ROW("timeouts.switchover", AT(live.timeouts.switchover_ms), HOURS(1)),  .live = true},
    {DURATION_ROW("timeouts.approval",   AT(live.timeouts.approval_ms),   HOURS(72)), .live = true},

    {.path = "retention", .kind = FIELD_OBJECT, .live = true},
    {.path = "retention.previousCopies",    .kind = FIELD_INT, .offset = AT(live.retention.previous_copies),
     .live = true, .max = 5, .otherwise = 1},
    {.path = "retention.failedCopies",      .kind = FIELD_INT, .offset = AT(live.retention.failed_copies),
     .live = true, .max = 5, .otherwise = 0},
    {.path = "retention.recoveryPoints",    .kind = FIELD_INT, .offset = AT(live.retention.recovery_points),
     .live = true, .min = 1, .max = 100, .otherwise = 2},
    {.path = "retention.recoveryPointDays", .kind = FIELD_INT, .offset = AT(live.retention.recovery_point_days),
     .live = true, .min = 1, .max = 3650, .otherwise = 14},

    {.path = "deletionPolicy", .kind = FIELD_ENUM, .offset = AT(live.deletion_policy), .live = true,
     .names = NAMES(deletion_policies), .otherwise = DELETION_RETAIN},
    {.path = "ttlSecondsAfterFinished", .kind = FIELD_INT, .offset = AT(live.ttl_seconds_after_finished), .live = true,
     .otherwise = -1},
    {.path = "notifications", .kind = FIELD_LIST, .offset = AT(live.notifications), .count_offset = AT(live.notification_count),
     .live = true, .max = 4, .part = &notification_part},
};
/* clang-format on */

const struct part spec_part = {
    .fields = spec_fields,
    .count = COUNT_OF(spec_fields),
    .size = sizeof(struct refresh_spec),
    .check = spec_check,
};

/* The series names tags and locks: it is a name of 63 characters at most, the object's may be longer. */
static struct err *default_series(struct refresh_spec *spec, const char *name)
{
    if (spec->series)
        return NULL;
    if (text_is_empty(name))
        return err_new(ERR_INVALID, "spec.series: required, the object has no name");
    if (strlen(name) > 63 || !shape_fits(&shape_series, str_of(name)))
        return err_new(ERR_INVALID, "spec.series: required, metadata.name cannot stand for it");
    spec->series = xstrdup(name);
    return NULL;
}

struct err *refresh_spec_parse(const struct json *spec, const char *name, struct refresh_spec **ret)
{
    AUTO_REFRESH_SPEC struct refresh_spec *parsed = xcalloc(1, sizeof(*parsed));

    TRY(fields_read(&spec_part, spec, "spec", parsed));
    TRY(default_series(parsed, name));
    if (!parsed->live.trigger)
        parsed->live.trigger = xstrdup("");
    *ret = TAKE(parsed);
    return NULL;
}

void refresh_spec_free(struct refresh_spec *spec)
{
    if (!spec)
        return;
    fields_free(&spec_part, spec);
    xfree(spec);
}

const struct database_spec *refresh_database(const struct refresh_spec *spec, const char *name)
{
    for (size_t i = 0; i < spec->database_count; i++) {
        if (text_equal(spec->databases[i].name, name))
            return &spec->databases[i];
    }
    return NULL;
}

bool refresh_same_frozen(const struct json *spec_a, const struct json *spec_b)
{
    AUTO_JSON struct json *a = json_copy(spec_a), *b = json_copy(spec_b);

    fields_normalise_frozen(&spec_part, a);
    fields_normalise_frozen(&spec_part, b);
    return json_equal(a, b);
}
