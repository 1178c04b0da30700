#include "pkg/aws/event.h"

#include "pkg/base/buf.h"
#include "tests/testing/assertions.h"

#define ENVELOPE(type, rest)                                                                               \
    "{\"version\":\"0\",\"id\":\"e1\",\"detail-type\":\"" type "\",\"source\":\"aws.x\",\"account\":\"111" \
    "111111111\",\"time\":\"2026-11-22T16:00:00Z\",\"region\":\"ap-northeast-1\"," rest "}"
#define BACKUP(detail) ENVELOPE("Backup Job State Change", "\"resources\":[],\"detail\":{" detail "}")

struct row {
    const char *name, *body;
    enum aws_event_fault fault;
    const char *want; /* "kind subject account over|under way" */
};

/* clang-format off */
static const struct row rows[] = {
    {"a backup that is done", BACKUP("\"backupJobId\":\"B1\",\"state\":\"COMPLETED\""), AWS_EVENT_FINE,
     "backup_job B1 111111111111 over"},
    {"a backup under way", BACKUP("\"backupJobId\":\"B1\",\"state\":\"RUNNING\",\"percentDone\":10.0"), AWS_EVENT_FINE,
     "backup_job B1 111111111111 under way"},
    {"a state of tomorrow", BACKUP("\"backupJobId\":\"B1\",\"state\":\"CELEBRATING\""), AWS_EVENT_FINE,
     "backup_job B1 111111111111 over"},
    {"no state at all", BACKUP("\"backupJobId\":\"B1\""), AWS_EVENT_FINE, "backup_job B1 111111111111 over"},
    {"a restore says status", ENVELOPE("Restore Job State Change", "\"detail\":{\"restoreJobId\":\"R1\",\"status\":\"FAILED\"}"),
     AWS_EVENT_FINE, "restore_job R1 111111111111 over"},
    {"a restore that begins says state", ENVELOPE("Restore Job State Change", "\"detail\":{\"restoreJobId\":\"R1\",\"state\":\"CREATED\"}"),
     AWS_EVENT_FINE, "restore_job R1 111111111111 under way"},
    {"a copy with an empty object for an ARN",
     ENVELOPE("Copy Job State Change", "\"detail\":{\"copyJobId\":\"C1\",\"state\":\"COMPLETED\",\"destinationRecoveryPointArn\":{}}"),
     AWS_EVENT_FINE, "copy_job C1 111111111111 over"},
    {"a copy that begins has no id", ENVELOPE("Copy Job State Change", "\"detail\":{\"state\":\"CREATED\"}"), AWS_EVENT_MALFORMED, NULL},
    {"a recovery point", ENVELOPE("Recovery Point State Change", "\"resources\":[\"arn:x\"],\"detail\":{\"status\":\"COMPLETED\"}"),
     AWS_EVENT_OTHER_KIND, NULL}, /* nobody knows it before the job's end says it */
    {"a cluster", ENVELOPE("RDS DB Cluster Event", "\"detail\":{\"SourceIdentifier\":\"shop-stg\",\"Message\":\"Reset master credentials\",\"EventID\":\"RDS-EVENT-0016\"}"),
     AWS_EVENT_FINE, "db_cluster shop-stg 111111111111 over"},
    {"an instance", ENVELOPE("RDS DB Instance Event", "\"detail\":{\"SourceIdentifier\":\"shop-stg-a\"}"),
     AWS_EVENT_FINE, "db_instance shop-stg-a 111111111111 over"},
    {"by way of SNS", "{\"Type\":\"Notification\",\"Message\":\"{\\\"detail-type\\\":\\\"RDS DB Instance Event\\\",\\\"account\\\":\\\"1\\\",\\\"region\\\":\\\"r\\\",\\\"detail\\\":{\\\"SourceIdentifier\\\":\\\"a\\\"}}\"}",
     AWS_EVENT_FINE, "db_instance a 1 over"},
    {"SNS with plain words", "{\"Type\":\"Notification\",\"Message\":\"An AWS Backup job was completed\"}", AWS_EVENT_MALFORMED, NULL},
    {"another kind of event", ENVELOPE("EC2 Instance State-change Notification", "\"detail\":{}"), AWS_EVENT_OTHER_KIND, NULL},
    {"a number for an account", "{\"detail-type\":\"Backup Job State Change\",\"account\":1,\"region\":\"r\",\"detail\":{\"backupJobId\":\"b\"}}",
     AWS_EVENT_MALFORMED, NULL},
    {"a number for an id", BACKUP("\"backupJobId\":17,\"state\":\"COMPLETED\""), AWS_EVENT_MALFORMED, NULL},
    {"nothing", "", AWS_EVENT_MALFORMED, NULL},
    {"no JSON", "<xml/>", AWS_EVENT_MALFORMED, NULL},
    {"a list", "[1,2]", AWS_EVENT_MALFORMED, NULL},
    {"half of it", "{\"detail-type\":\"Backup Job State Ch", AWS_EVENT_MALFORMED, NULL},
    {"deep", "[[[[[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]]]]]", AWS_EVENT_MALFORMED, NULL},
};
/* clang-format on */

static void reads_what_aws_sends(void **state UNUSED)
{
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        AUTO_AWS_EVENT struct aws_event event = {0};
        enum aws_event_fault fault = aws_event_parse(str_of(rows[i].body), &event);
        AUTO_FREE char *got = fault == AWS_EVENT_FINE
                                  ? xasprintf("%s %s %s %s", aws_event_kind_name(event.kind), event.subject,
                                              event.account, event.is_over ? "over" : "under way")
                                  : NULL;

        assert_number(fault, rows[i].fault);
        if (got && strstr(rows[i].body, "T16:00:00Z"))
            assert_number(event.time_ms, INT64_C(1795363200000));
        else
            assert_number(event.time_ms, 0);
        assert_text_equal(got, rows[i].want);
    }
}

static void refuses_what_is_too_large(void **state UNUSED)
{
    AUTO_AWS_EVENT struct aws_event event = {0};
    AUTO_BUF struct buf body = BUF_MAX(1024 * 1024);

    buf_adds(&body, "{\"detail-type\":\"");
    while (body.len <= AWS_EVENT_MAX_BYTES)
        buf_adds(&body, "xxxxxxxxxxxxxxxx");
    buf_adds(&body, "\"}");
    assert_number(aws_event_parse(buf_str(&body), &event), AWS_EVENT_TOO_LARGE);
}

static void refuses_a_subject_that_is_too_long(void **state UNUSED)
{
    AUTO_AWS_EVENT struct aws_event event = {0};
    AUTO_BUF struct buf body = BUF_MAX(1024 * 1024);

    buf_adds(&body, "{\"detail-type\":\"Backup Job State Change\",\"account\":\"1\",\"region\":\"r\","
                    "\"detail\":{\"backupJobId\":\"");
    for (int i = 0; i <= AWS_EVENT_TEXT_MAX; i++)
        buf_addc(&body, 'x');
    buf_adds(&body, "\"}}");
    assert_number(aws_event_parse(buf_str(&body), &event), AWS_EVENT_MALFORMED);
}

int main(void)
{
    struct tests tests = {0};

    TEST(&tests, reads_what_aws_sends);
    TEST(&tests, refuses_what_is_too_large);
    TEST(&tests, refuses_a_subject_that_is_too_long);
    return tests_run(&tests, "event");
}
