#include "pkg/aws/event.h"

#include "pkg/base/json.h"
#include "pkg/base/times.h"

struct shape {
    const char *detail_type;
    const char *name;
    const char *subject;   /* path */
    const char *states[2]; /* paths; the two spellings of AWS */
};

/* clang-format off */
static const struct shape shapes[AWS_EVENT_KIND_COUNT] = {
    [AWS_EVENT_BACKUP_JOB]     = {.detail_type = "Backup Job State Change", .name = "backup_job",
                                  .subject = "detail.backupJobId", .states = {"detail.state", "detail.status"}},
    [AWS_EVENT_COPY_JOB]       = {.detail_type = "Copy Job State Change", .name = "copy_job",
                                  .subject = "detail.copyJobId", .states = {"detail.state", "detail.status"}},
    [AWS_EVENT_RESTORE_JOB]    = {.detail_type = "Restore Job State Change", .name = "restore_job",
                                  .subject = "detail.restoreJobId", .states = {"detail.status", "detail.state"}},
    [AWS_EVENT_DB_CLUSTER]     = {.detail_type = "RDS DB Cluster Event", .name = "db_cluster",
                                  .subject = "detail.SourceIdentifier"},
    [AWS_EVENT_DB_INSTANCE]    = {.detail_type = "RDS DB Instance Event", .name = "db_instance",
                                  .subject = "detail.SourceIdentifier"},
};
/* clang-format on */

/* States of jobs that others follow. One that is not known is taken for news. */
static const char *const under_way[] = {"CREATED", "CREATING", "PENDING", "RUNNING", "ABORTING", "DELETING"};

static const struct json_limits limits = {.max_bytes = AWS_EVENT_MAX_BYTES, .max_depth = 16};

const char *aws_event_kind_name(enum aws_event_kind kind)
{
    return shapes[kind].name;
}

void aws_event_done(struct aws_event *event)
{
    xfree(event->account);
    xfree(event->region);
    xfree(event->subject);
    *event = (struct aws_event){0};
}

static bool is_over(const struct json *event, const struct shape *shape)
{
    const char *state = NULL;

    for (size_t i = 0; i < COUNT_OF(shape->states) && shape->states[i] && !state; i++)
        state = json_get_text(event, shape->states[i], NULL);
    for (size_t i = 0; state && i < COUNT_OF(under_way); i++) {
        if (str_equal_nocase(str_of(state), str_of(under_way[i])))
            return false;
    }
    return true;
}

static int64_t time_of(const struct json *event)
{
    int64_t wall_ms = 0;

    return time_parse(str_of(json_get_text(event, "time", "")), &wall_ms) ? wall_ms : 0;
}

static const struct shape *shape_of(const struct json *event)
{
    const char *detail_type = json_get_text(event, "detail-type", NULL);

    for (size_t i = 0; i < COUNT_OF(shapes); i++) {
        if (text_equal(shapes[i].detail_type, detail_type))
            return &shapes[i];
    }
    return NULL;
}

static bool is_usable(const char *text)
{
    return !text_is_empty(text) && strlen(text) <= AWS_EVENT_TEXT_MAX;
}

static enum aws_event_fault read_event(const struct json *event, struct aws_event *ret)
{
    const struct shape *shape = shape_of(event);
    const char *account = json_get_text(event, "account", NULL),
               *region = json_get_text(event, "region", NULL);
    const char *subject;

    if (!json_is(json_member(event, "detail-type"), JSON_STRING))
        return AWS_EVENT_MALFORMED;
    if (!shape)
        return AWS_EVENT_OTHER_KIND;
    subject = json_get_text(event, shape->subject, NULL);
    if (!is_usable(account) || !is_usable(region) || !is_usable(subject))
        return AWS_EVENT_MALFORMED;
    *ret = (struct aws_event){
        .kind = (enum aws_event_kind)(shape - shapes),
        .account = xstrdup(account),
        .region = xstrdup(region),
        .subject = xstrdup(subject),
        .time_ms = time_of(event),
        .is_over = is_over(event, shape),
    };
    return AWS_EVENT_FINE;
}

static enum aws_event_fault parse(struct str text, struct json **ret)
{
    struct err *err;

    if (text.len > AWS_EVENT_MAX_BYTES)
        return AWS_EVENT_TOO_LARGE;
    err = json_parse(text, &limits, ret);
    if (!err)
        return AWS_EVENT_FINE;
    err_ignore(err, "somebody else's bytes");
    return AWS_EVENT_MALFORMED;
}

enum aws_event_fault aws_event_parse(struct str body, struct aws_event *ret)
{
    AUTO_JSON struct json *outer = NULL;
    AUTO_JSON struct json *inner = NULL;
    enum aws_event_fault fault = parse(body, &outer);
    const struct json *message = json_member(outer, "Message");

    if (fault != AWS_EVENT_FINE)
        return fault;
    if (json_member(outer, "detail-type") || !message)
        return read_event(outer, ret);
    if (json_is(message, JSON_OBJECT))
        return read_event(message, ret);
    fault = parse(str_of(json_get_text(message, NULL, "")), &inner);
    return fault == AWS_EVENT_FINE ? read_event(inner, ret) : fault;
}
