/* Which recovery points of a vault go, when AWS does not tell all about them. */
#include "controller/names.h"
#include "controller/steps/steps.h"
#include "tests/pkg/aws/fixture.h"
#include "tests/testing/assertions.h"

#define BACKUP .host = "backup.ap-northeast-1.amazonaws.com"
#define RDS .host = "rds.ap-northeast-1.amazonaws.com", .method = "POST"
#define POINT(n) "arn:aws:rds:ap-northeast-1:" FIXTURE_ACCOUNT ":cluster-snapshot:awsbackup:job-" #n
#define TABLE_BACKUP "arn:aws:dynamodb:ap-northeast-1:" FIXTURE_ACCOUNT ":table/t/backup/01"
/* The larger, the newer. */
#define LISTED(arn, n) \
    "{\"RecoveryPointArn\":\"" arn "\",\"Status\":\"COMPLETED\",\"CreationDate\":179531640" #n "}"
#define LISTS(points)                                                           \
    {                                                                           \
        BACKUP, .method = "GET", .path = "/backup-vaults/v/recovery-points/?*", \
                .reply = "{\"RecoveryPoints\":[" points "]}"                    \
    }
#define OF(n) .body_contains = {"Action=ListTagsForResource&", "awsbackup%3Ajob-" #n}
#define TAGS_ARE(n, series)                                                                               \
    {                                                                                                     \
        RDS, OF(n),                                                                                       \
            .reply = "<ListTagsForResourceResponse><ListTagsForResourceResult><TagList><Tag><"            \
                     "Key>" TAG_POINT_SERIES "</Key><Value>" series                                       \
                     "</Value></Tag></TagList></ListTagsForResourceResult></ListTagsForResourceResponse>" \
    }
#define OURS(n) TAGS_ARE(n, "here/n/s")
#define REFUSES(n, http_status, code)                                                                   \
    {                                                                                                   \
        RDS, OF(n), .status = http_status,                                                              \
                    .reply = "<ErrorResponse><Error><Code>" code "</Code><Message>no</Message></Error>" \
                             "</ErrorResponse>"                                                         \
    }
#define DESCRIBES(n)                                                                  \
    {                                                                                 \
        BACKUP, .method = "GET", .path = "/backup-vaults/v/recovery-points/*job-" #n, \
                .reply = LISTED(POINT(n), 1)                                          \
    }
#define DELETES(n)                                                                      \
    {                                                                                   \
        BACKUP, .method = "DELETE", .path = "/backup-vaults/v/recovery-points/*job-" #n \
    }
#define NOTHING LISTS("")
#define EXCHANGES_MAX 16

/* Asked three times, as what may pass by itself is. */
#define FAILS(n) \
    REFUSES(n, 500, "InternalFailure"), REFUSES(n, 500, "InternalFailure"), REFUSES(n, 500, "InternalFailure")

static const struct row {
    const char *name;
    struct exchange exchanges[EXCHANGES_MAX]; /* the source's vault, then the target's */
    const char *says;
    bool again;
} rows[] = {
    {.name = "one of two goes",
     .exchanges = {LISTS(LISTED(POINT(1), 1) "," LISTED(POINT(2), 2)), OURS(2), OURS(1), DESCRIBES(1),
                   OURS(1), DELETES(1), NOTHING},
     .says = "deleting recovery point " POINT(1),
     .again = true},
    {.name = "one that may not be looked at stays, and the others go",
     .exchanges = {LISTS(LISTED(POINT(1), 1) "," LISTED(POINT(2), 2) "," LISTED(POINT(3), 3)), OURS(3),
                   REFUSES(2, 403, "AccessDenied"), OURS(1), DESCRIBES(1), OURS(1), DELETES(1), NOTHING},
     .says = "read the tags of recovery point " POINT(2),
     .again = true},
    {.name = "one that AWS cannot tell about now",
     .exchanges = {LISTS(LISTED(POINT(1), 1) "," LISTED(POINT(2), 2) "," LISTED(POINT(3), 3)), OURS(3),
                   FAILS(2), OURS(1), DESCRIBES(1), OURS(1), DELETES(1), NOTHING},
     .says = "read the tags of recovery point " POINT(2),
     .again = true},
    {.name = "nothing to be done but by a person",
     .exchanges = {LISTS(LISTED(POINT(1), 1)), REFUSES(1, 403, "AccessDenied"), NOTHING},
     .says = "not removed, to be tried again by the next run: read the tags of recovery point " POINT(1)},
    {.name = "one that has just gone",
     .exchanges = {LISTS(LISTED(POINT(1), 1)), REFUSES(1, 404, "DBClusterSnapshotNotFoundFault"), NOTHING},
     .says = "what is not kept is gone, or going"},
    {.name = "a backup of DynamoDB's is nobody's",
     .exchanges = {LISTS(LISTED(TABLE_BACKUP, 3) "," LISTED(POINT(1), 1) "," LISTED(POINT(2), 2)), OURS(2),
                   OURS(1), DESCRIBES(1), OURS(1), DELETES(1), NOTHING},
     .says = "deleting recovery point " POINT(1),
     .again = true},
    {.name = "one that may not be looked at any more before it goes",
     .exchanges = {LISTS(LISTED(POINT(1), 1) "," LISTED(POINT(2), 2) "," LISTED(POINT(3), 3)), OURS(3),
                   OURS(2), DESCRIBES(2), REFUSES(2, 404, "DBClusterSnapshotNotFoundFault"), OURS(1),
                   DESCRIBES(1), OURS(1), DELETES(1), NOTHING},
     .says = "deleting recovery point " POINT(1),
     .again = true},
};

/* --- the pass --- */

static struct err *read_live(struct objects *self UNUSED, const struct env *env UNUSED,
                             const struct object_id *id UNUSED, struct json **ret)
{
    return json_parse(str_of("{\"metadata\":{\"uid\":\"u\"},\"status\":{\"run\":{\"id\":\"r\"}}}"), NULL,
                      ret);
}

static void see_none(struct objects *self UNUSED, enum object_kind kind UNUSED, const char *group UNUSED,
                     objects_see_fn *see UNUSED, void *arg UNUSED)
{
}

static size_t exchange_count(const struct row *row)
{
    size_t count = 0;

    while (count < EXCHANGES_MAX && row->exchanges[count].host)
        count++;
    return count;
}

static void looks_at_recovery_points(void **state)
{
    static const struct objects_ops ops = {.read_live = read_live, .each = see_none};
    const struct row *row = *state;
    struct objects objects = {.ops = &ops, .installation = "here"};
    struct account account = {.account_id = (char[]){FIXTURE_ACCOUNT},
                              .region = (char[]){FIXTURE_REGION},
                              .vault_name = (char[]){"v"}};
    struct database_spec database = {
        .name = (char[]){"main"}, .kind = DATABASE_AURORA, .aurora.cluster_identifier = (char[]){"shop"}};
    struct refresh_spec spec = {.series = (char[]){"s"},
                                .databases = &database,
                                .database_count = 1,
                                .live.retention.recovery_points = 1};
    struct step_status step = {.state = STEP_RUNNING};
    AUTO_OUTCOME struct outcome out = {0};
    struct fixture f;

    fixture_init(&f, AWS_TARGET, row->exchanges, exchange_count(row));
    struct pass pass = {.env = &f.t.env,
                        .objects = &objects,
                        .namespace = "n",
                        .name = "o",
                        .uid = "u",
                        .spec = &spec,
                        .status = refresh_status_new(),
                        .source_account = &account,
                        .target_account = &account,
                        .source = f.aws,
                        .target = f.aws,
                        .now_ms = TESTING_WALL_MS};
    struct stage stage = {.pass = &pass, .row = &step};

    pass.status->run.id = xstrdup("r");
    assert_no_err(retention_act(&stage, &out));
    assert_text_contains(out.message, row->says);
    assert_number(out.verdict, row->again ? VERDICT_WAIT : VERDICT_DONE);
    refresh_status_free(pass.status);
    json_free(step.evidence);
    xfree(step.message);
    fixture_done(&f);
}

int main(void)
{
    struct tests tests = {0};

    TEST_ROWS(&tests, looks_at_recovery_points, rows);
    return tests_run(&tests, "retention");
}
