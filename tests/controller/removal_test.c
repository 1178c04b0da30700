/* What is removed, what is left alone, and why. Each row is one look: the exchanges it must come to, and what
 * it says. */
#include "controller/removal.h"

#include "pkg/kube/client.h"
#include "tests/pkg/aws/fixture.h"

#define SERIES "inst/staging/shop"
#define ID "stg-20261122-030000-k7x4q"
#define CLUSTER_ARN "arn:aws:rds:ap-northeast-1:222222222222:cluster:" ID
#define TABLE_ARN "arn:aws:dynamodb:ap-northeast-1:222222222222:table/" ID

#define RDS .host = "rds.ap-northeast-1.amazonaws.com", .method = "POST", .path = "/"
#define DYNAMODB .host = "dynamodb.ap-northeast-1.amazonaws.com", .method = "POST", .path = "/"
#define BACKUP .host = "backup.ap-northeast-1.amazonaws.com"
#define ASKS(action) .body_contains = {"Action=" action "&"}
#define TARGET(op) .headers = {"x-amz-target: DynamoDB_20120810." op}
#define ANSWER(op, result) "<" op "Response><" op "Result>" result "</" op "Result></" op "Response>"
#define REFUSAL(code, text) \
    "<ErrorResponse><Error><Code>" code "</Code><Message>" text "</Message></Error></ErrorResponse>"
#define TAG(key, value) "<Tag><Key>stagingrefresh.dev/" key "</Key><Value>" value "</Value></Tag>"
#define OURS(self) "<TagList>" TAG("self", self) TAG("series", SERIES) "</TagList>"

/* --- clusters --- */

#define CLUSTER(status, more, tags)                                                                      \
    {                                                                                                    \
        RDS, ASKS("DescribeDBClusters"),                                                                 \
            .reply =                                                                                     \
                ANSWER("DescribeDBClusters", "<DBClusters><DBCluster><DBClusterIdentifier>" ID           \
                                             "</DBClusterIdentifier><DBClusterArn>" CLUSTER_ARN          \
                                             "</DBClusterArn><Status>" status "</Status>"                \
                                             "<ClusterCreateTime>2026-11-22T04:00:00Z</"                 \
                                             "ClusterCreateTime>" more tags "</DBCluster></DBClusters>") \
    }
#define NO_CLUSTER                                                                                     \
    {                                                                                                  \
        RDS, ASKS("DescribeDBClusters"), .status = 404, .reply = REFUSAL("DBClusterNotFoundFault", "") \
    }
#define PROXIES(list)                                                               \
    {                                                                               \
        RDS, ASKS("DescribeDBProxies"),                                             \
            .reply = ANSWER("DescribeDBProxies", "<DBProxies>" list "</DBProxies>") \
    }
#define PROXY(name) "<member><DBProxyName>" name "</DBProxyName></member>"
#define POINTS_AT(cluster)                                                                         \
    {                                                                                              \
        RDS, ASKS("DescribeDBProxyTargets"),                                                       \
            .reply = ANSWER("DescribeDBProxyTargets",                                              \
                            "<Targets><member><Type>TRACKED_CLUSTER</Type><RdsResourceId>" cluster \
                            "</RdsResourceId></member></Targets>")                                 \
    }
#define INSTANCES(list)                                                                   \
    {                                                                                     \
        RDS, ASKS("DescribeDBInstances"),                                                 \
            .reply = ANSWER("DescribeDBInstances", "<DBInstances>" list "</DBInstances>") \
    }
#define INSTANCE(id, status, tags)                                                             \
    "<DBInstance><DBInstanceIdentifier>" id "</DBInstanceIdentifier><DBInstanceStatus>" status \
    "</DBInstanceStatus>" tags "</DBInstance>"
#define MEMBERS                                                    \
    "<DBClusterMembers><DBClusterMember><DBInstanceIdentifier>" ID \
    "-a</DBInstanceIdentifier><IsClusterWriter>true</IsClusterWriter></DBClusterMember></DBClusterMembers>"
#define DELETES_INSTANCE(id)                                                              \
    {                                                                                     \
        RDS,                                                                              \
            .body_contains = {"Action=DeleteDBInstance&", "DBInstanceIdentifier=" id "&", \
                              "SkipFinalSnapshot=true"},                                  \
            .reply = ANSWER("DeleteDBInstance", "")                                       \
    }
#define DELETES_CLUSTER \
    RDS, .body_contains = {"Action=DeleteDBCluster&", "DBClusterIdentifier=" ID "&", "SkipFinalSnapshot=true"}
#define RESTORE_JOB(arn)                                                                                    \
    {                                                                                                       \
        BACKUP, .path = "/restore-jobs/R-1",                                                                \
                .reply = "{\"RestoreJobId\":\"R-1\",\"Status\":\"COMPLETED\",\"CreatedResourceArn\":\"" arn \
                         "\",\"CreationDate\":1795316400,\"CompletionDate\":1795320300}"                    \
    }

#define RUNNING_JOB                                                                                       \
    {                                                                                                     \
        BACKUP, .path = "/restore-jobs/R-1", .reply = "{\"RestoreJobId\":\"R-1\",\"Status\":\"RUNNING\"}" \
    }

#define ROWS_MAX 8

struct row {
    const char *name;
    bool is_table, may_unprotect;
    const char *refused; /* by may_change, with this text */
    struct exchange exchanges[ROWS_MAX];
    enum removal_state state;
    const char *says;
    enum err_kind kind; /* with: */
    const char *fails;
    const char *point; /* NULL: POINT */
};

/* Somebody between us and AWS. */
#define PROXYS_PAGE(code) \
    .status = code, .reply = "<html><body>There is nothing here</body></html>", .times = 3

static const struct row copy_rows[] = {
    {.name = "no cluster", .exchanges = {NO_CLUSTER}, .state = REMOVAL_GONE, .says = "is gone"},
    {.name = "no word of AWS on a cluster",
     .exchanges = {{RDS, ASKS("DescribeDBClusters"), PROXYS_PAGE(404)}},
     .kind = ERR_RETRY,
     .fails = "rds DescribeDBClusters: HTTP status 404"},
    {.name = "a cluster on its way",
     .exchanges = {CLUSTER("deleting", "", "")},
     .state = REMOVAL_RUNNING,
     .says = "is being deleted"},
    {.name = "readers first, then the writer",
     .exchanges = {CLUSTER("available", MEMBERS, OURS(ID)), PROXIES(PROXY("p")), POINTS_AT("other"),
                   INSTANCES(INSTANCE(ID "-a", "available", OURS(ID "-a"))
                                 INSTANCE(ID "-b", "available", OURS(ID "-b"))),
                   DELETES_INSTANCE(ID "-b"), DELETES_INSTANCE(ID "-a")},
     .state = REMOVAL_RUNNING,
     .says = "deleting the instances"},
    {.name = "the cluster as soon as all instances are going",
     .exchanges = {CLUSTER("available", MEMBERS, OURS(ID)),
                   PROXIES(""),
                   INSTANCES(INSTANCE(ID "-a", "deleting", OURS(ID "-a"))),
                   {DELETES_CLUSTER, .reply = ANSWER("DeleteDBCluster", "")}},
     .state = REMOVAL_RUNNING,
     .says = "deleting cluster"},
    {.name = "an instance that is not there yet",
     .exchanges = {CLUSTER("available", MEMBERS, OURS(ID)),
                   PROXIES(""),
                   INSTANCES(INSTANCE(ID "-a", "creating", OURS(ID "-a"))),
                   {RDS, ASKS("DeleteDBInstance"), .status = 400,
                    .reply = REFUSAL("InvalidDBInstanceState", "is creating")}},
     .state = REMOVAL_RUNNING,
     .says = "is creating"},
    {.name = "a cluster that somebody has added an instance to",
     .exchanges = {CLUSTER("available", MEMBERS, OURS(ID)), PROXIES(""),
                   INSTANCES(INSTANCE(ID "-a", "available", OURS(ID "-a"))
                                 INSTANCE("debug", "available", ""))},
     .state = REMOVAL_FOREIGN,
     .says = "instance debug"},
    {.name = "a proxy of nobody's spec points at it",
     .exchanges = {CLUSTER("available", "", OURS(ID)), PROXIES(PROXY("p") PROXY("q")), POINTS_AT("other"),
                   POINTS_AT(ID)},
     .state = REMOVAL_IN_USE,
     .says = "proxy q points at it"},
    {.name = "proxies that may not be listed",
     .exchanges = {CLUSTER("available", "", OURS(ID)),
                   {RDS, ASKS("DescribeDBProxies"), .status = 403, .reply = REFUSAL("AccessDenied", "no")}},
     .state = REMOVAL_BLOCKED,
     .says = "AccessDenied"},
    {.name = "a point-in-time restore that carries our tags",
     .exchanges = {CLUSTER("available", "", OURS("stg-another"))},
     .state = REMOVAL_FOREIGN,
     .says = "is not known to be ours"},
    {.name = "a copy of another series",
     .exchanges = {CLUSTER("available", "",
                           "<TagList>" TAG("self", ID) TAG("series", "inst/other/shop") "</TagList>")},
     .state = REMOVAL_FOREIGN,
     .says = "is not known to be ours"},
    {.name = "our deletion protection is lifted first",
     .may_unprotect = true,
     .exchanges = {CLUSTER("available", "<DeletionProtection>true</DeletionProtection>", OURS(ID)),
                   PROXIES(""),
                   {RDS, .body_contains = {"Action=ModifyDBCluster&", "DeletionProtection=false"},
                    .reply = ANSWER("ModifyDBCluster", "")}},
     .state = REMOVAL_RUNNING,
     .says = "lifting the deletion protection"},
    {.name = "somebody else's deletion protection",
     .exchanges = {CLUSTER("available", "<DeletionProtection>true</DeletionProtection>", OURS(ID)),
                   PROXIES("")},
     .state = REMOVAL_IN_USE,
     .says = "somebody wants to keep it"},
    {.name = "a delete that is refused for good",
     .exchanges = {CLUSTER("available", "", OURS(ID)),
                   PROXIES(""),
                   INSTANCES(""),
                   {DELETES_CLUSTER, .status = 403, .reply = REFUSAL("AccessDenied", "not allowed")}},
     .state = REMOVAL_BLOCKED,
     .says = "not allowed"},
    {.name = "a cluster that is busy",
     .exchanges = {CLUSTER("backing-up", "", OURS(ID)),
                   PROXIES(""),
                   INSTANCES(""),
                   {DELETES_CLUSTER, .status = 400,
                    .reply = REFUSAL("InvalidDBClusterStateFault", "not available")}},
     .state = REMOVAL_RUNNING,
     .says = "not available"},
    {.name = "the object has changed meanwhile",
     .refused = "another run has begun",
     .exchanges = {CLUSTER("available", "", OURS(ID)), PROXIES(""), INSTANCES("")}},
};

static const struct row untagged_rows[] = {
    {.name = "what our restore job has made is tagged first",
     .exchanges = {CLUSTER("available", "", ""),
                   RESTORE_JOB(CLUSTER_ARN),
                   {RDS,
                    .body_contains = {"Action=AddTagsToResource&", "stagingrefresh.dev%2Fself", "Value=" ID},
                    .reply = ANSWER("AddTagsToResource", "")}},
     .state = REMOVAL_RUNNING,
     .says = "marking as ours"},
    {.name = "what is still being restored",
     .exchanges = {NO_CLUSTER, RUNNING_JOB},
     .state = REMOVAL_RUNNING,
     .says = "still being restored"},
    {.name = "what is still being restored and seen already",
     .exchanges = {CLUSTER("creating", "", ""), RUNNING_JOB},
     .state = REMOVAL_RUNNING,
     .says = "still being restored"},
    {.name = "what was restored and is gone",
     .exchanges = {NO_CLUSTER, RESTORE_JOB(CLUSTER_ARN)},
     .state = REMOVAL_GONE,
     .says = "is gone"},
    {.name = "no word of AWS on a restore that may go on",
     .exchanges = {NO_CLUSTER,
                   {BACKUP, .path = "/restore-jobs/R-1", .status = 400, .reply = "<html></html>"}},
     .state = REMOVAL_BLOCKED,
     .says = "backup DescribeRestoreJob: HTTP status 400"},
    {.name = "a job that AWS says it cannot have",
     .exchanges = {NO_CLUSTER,
                   {BACKUP, .path = "/restore-jobs/R-1", .status = 400,
                    .reply_headers = {"x-amzn-ErrorType: InvalidParameterValueException"}, .reply = "{}"}},
     .state = REMOVAL_GONE,
     .says = "is gone"},
    {.name = "what our restore job has not made",
     .exchanges = {CLUSTER("available", "", ""), RESTORE_JOB(CLUSTER_ARN "-2")},
     .state = REMOVAL_FOREIGN,
     .says = "is not known to be ours"},
    {.name = "a job that AWS has forgotten",
     .exchanges = {CLUSTER("available", "", ""),
                   {BACKUP, .path = "/restore-jobs/R-1", .status = 400,
                    .reply_headers = {"x-amzn-ErrorType: ResourceNotFoundException"}, .reply = "{}"}},
     .state = REMOVAL_FOREIGN,
     .says = "is not known to be ours"},
    /* 2026-11-22T04:45:00Z was the end of the job. */
    {.name = "one of that name that was made later",
     .exchanges = {{RDS, ASKS("DescribeDBClusters"),
                    .reply = ANSWER("DescribeDBClusters",
                                    "<DBClusters><DBCluster><DBClusterIdentifier>" ID
                                    "</DBClusterIdentifier><DBClusterArn>" CLUSTER_ARN
                                    "</DBClusterArn><Status>available</Status><ClusterCreateTime>"
                                    "2026-11-23T04:00:00Z</ClusterCreateTime></DBCluster></DBClusters>")},
                   RESTORE_JOB(CLUSTER_ARN)},
     .state = REMOVAL_FOREIGN,
     .says = "is not known to be ours"},
};

/* --- tables --- */

#define TABLE(status, more)                                                           \
    {                                                                                 \
        DYNAMODB, TARGET("DescribeTable"),                                            \
            .reply = "{\"Table\":{\"TableName\":\"" ID "\",\"TableArn\":\"" TABLE_ARN \
                     "\",\"TableStatus\":\"" status "\"" more "}}"                    \
    }
#define TABLE_TAGS(self)                                                                      \
    {                                                                                         \
        DYNAMODB, TARGET("ListTagsOfResource"),                                               \
            .reply = "{\"Tags\":[{\"Key\":\"stagingrefresh.dev/self\",\"Value\":\"" self      \
                     "\"},{\"Key\":\"stagingrefresh.dev/series\",\"Value\":\"" SERIES "\"}]}" \
    }

static const struct row table_rows[] = {
    {.name = "no table",
     .exchanges = {{DYNAMODB, .status = 400, .reply = "{\"__type\":\"x#ResourceNotFoundException\"}"}},
     .state = REMOVAL_GONE,
     .says = "is gone"},
    {.name = "no word of AWS on a table",
     .exchanges = {{DYNAMODB, TARGET("DescribeTable"), PROXYS_PAGE(404)}},
     .kind = ERR_RETRY,
     .fails = "dynamodb DescribeTable: HTTP status 404"},
    {.name = "a table on its way",
     .exchanges = {TABLE("DELETING", "")},
     .state = REMOVAL_RUNNING,
     .says = "is being deleted"},
    {.name = "a table of ours",
     .exchanges = {TABLE("ACTIVE", ""),
                   TABLE_TAGS(ID),
                   {DYNAMODB, TARGET("DeleteTable"), .body_json = "{\"TableName\":\"" ID "\"}",
                    .reply = "{}"}},
     .state = REMOVAL_RUNNING,
     .says = "deleting table"},
    {.name = "a table with another name in its tag",
     .exchanges = {TABLE("ACTIVE", ""), TABLE_TAGS("stg-other")},
     .state = REMOVAL_FOREIGN,
     .says = "is not known to be ours"},
    {.name = "a busy table",
     .exchanges = {TABLE("UPDATING", ""),
                   TABLE_TAGS(ID),
                   {DYNAMODB, TARGET("DeleteTable"), .status = 400,
                    .reply = "{\"__type\":\"x#ResourceInUseException\",\"message\":\"UPDATING\"}"}},
     .state = REMOVAL_RUNNING,
     .says = "UPDATING"},
    {.name = "a table whose protection is ours",
     .may_unprotect = true,
     .exchanges = {TABLE("ACTIVE", ",\"DeletionProtectionEnabled\":true"),
                   TABLE_TAGS(ID),
                   {DYNAMODB, TARGET("UpdateTable"),
                    .body_json = "{\"TableName\":\"" ID "\",\"DeletionProtectionEnabled\":false}",
                    .reply = "{\"TableDescription\":{}}"}},
     .state = REMOVAL_RUNNING,
     .says = "lifting the deletion protection"},
    {.name = "a table that somebody protects",
     .exchanges = {TABLE("ACTIVE", ",\"DeletionProtectionEnabled\":true"), TABLE_TAGS(ID)},
     .state = REMOVAL_IN_USE,
     .says = "somebody wants to keep it"},
};

/* --- recovery points --- */

#define POINT "arn:aws:backup:ap-northeast-1:222222222222:recovery-point:1"
#define POINT_PATH                                                                                    \
    "/backup-vaults/v/recovery-points/arn%3Aaws%3Abackup%3Aap-northeast-1%3A222222222222%3Arecovery-" \
    "point%3A1"
#define POINT_IS(status, more)                                                                    \
    {                                                                                             \
        BACKUP, .method = "GET", .path = POINT_PATH,                                              \
                .reply = "{\"RecoveryPointArn\":\"" POINT "\",\"Status\":\"" status "\"" more "}" \
    }
#define POINT_TAGS(series)                                                                          \
    {                                                                                               \
        BACKUP, .method = "GET", .path = "/tags/*",                                                 \
                .reply = "{\"Tags\":{\"stagingrefresh.dev/recovery-point-series\":\"" series "\"}}" \
    }

#define SNAPSHOT "arn:aws:rds:ap-northeast-1:222222222222:cluster-snapshot:awsbackup:job-1"
#define SNAPSHOT_PATH                                                                     \
    "/backup-vaults/v/recovery-points/arn%3Aaws%3Ards%3Aap-northeast-1%3A222222222222%3A" \
    "cluster-snapshot%3Aawsbackup%3Ajob-1"
#define TABLE_BACKUP "arn:aws:dynamodb:ap-northeast-1:222222222222:table/t/backup/01"

static const struct row point_rows[] = {
    {.name = "no recovery point",
     .exchanges = {{BACKUP, .path = POINT_PATH, .status = 400,
                    .reply_headers = {"x-amzn-ErrorType: ResourceNotFoundException"}, .reply = "{}"}},
     .state = REMOVAL_GONE,
     .says = "is gone"},
    {.name = "no word of AWS on a recovery point",
     .exchanges = {{BACKUP, .path = POINT_PATH, PROXYS_PAGE(404)}},
     .kind = ERR_RETRY,
     .fails = "backup DescribeRecoveryPoint: HTTP status 404"},
    {.name = "AWS Backup at an address that does not have it",
     .exchanges = {{BACKUP, .path = POINT_PATH, .status = 404,
                    .reply_headers = {"x-amzn-ErrorType: UnknownOperationException"}, .reply = "{}"}},
     .state = REMOVAL_BLOCKED,
     .says = "UnknownOperationException"},
    {.name = "one on its way",
     .exchanges = {POINT_IS("DELETING", "")},
     .state = REMOVAL_RUNNING,
     .says = "is DELETING"},
    {.name = "one of ours",
     .exchanges = {POINT_IS("COMPLETED", ""),
                   POINT_TAGS(SERIES),
                   {BACKUP, .method = "DELETE", .path = POINT_PATH}},
     .state = REMOVAL_RUNNING,
     .says = "deleting recovery point"},
    {.name = "one of ours that is a snapshot of RDS",
     .point = SNAPSHOT,
     .exchanges = {{BACKUP, .path = SNAPSHOT_PATH,
                    .reply = "{\"RecoveryPointArn\":\"" SNAPSHOT "\",\"Status\":\"COMPLETED\"}"},
                   {RDS, ASKS("ListTagsForResource"),
                    .reply = ANSWER("ListTagsForResource",
                                    "<TagList>" TAG("recovery-point-series", SERIES) "</TagList>")},
                   {BACKUP, .method = "DELETE", .path = SNAPSHOT_PATH}},
     .state = REMOVAL_RUNNING,
     .says = "deleting recovery point"},
    {.name = "a backup of DynamoDB's, whose tags nobody tells",
     .point = TABLE_BACKUP,
     .exchanges = {{BACKUP, .path = "/backup-vaults/v/recovery-points/*",
                    .reply = "{\"RecoveryPointArn\":\"" TABLE_BACKUP "\",\"Status\":\"COMPLETED\"}"}},
     .state = REMOVAL_FOREIGN,
     .says = "is not ours"},
    {.name = "one of production's own",
     .exchanges = {POINT_IS("COMPLETED", ""), {BACKUP, .path = "/tags/*", .reply = "{}"}},
     .state = REMOVAL_FOREIGN,
     .says = "is not ours"},
    {.name = "one of another installation",
     .exchanges = {POINT_IS("COMPLETED", ""), POINT_TAGS("other/staging/shop")},
     .state = REMOVAL_FOREIGN,
     .says = "is not ours"},
    {.name = "one that a backup plan made",
     .exchanges = {POINT_IS("COMPLETED", ",\"CreatedBy\":{\"BackupPlanId\":\"plan\"}"), POINT_TAGS(SERIES)},
     .state = REMOVAL_FOREIGN,
     .says = "is not ours"},
    {.name = "one that a job uses",
     .exchanges = {POINT_IS("COMPLETED", ""),
                   POINT_TAGS(SERIES),
                   {BACKUP, .method = "DELETE", .path = POINT_PATH, .status = 400,
                    .reply_headers = {"x-amzn-ErrorType: InvalidResourceStateException"},
                    .reply = "{\"Message\":\"used by another action\"}"}},
     .state = REMOVAL_IN_USE,
     .says = "used by another action"},
    {.name = "one that AWS could not delete",
     .exchanges = {POINT_IS("EXPIRED", ",\"StatusMessage\":\"lacks permission\""),
                   POINT_TAGS(SERIES),
                   {BACKUP, .method = "DELETE", .path = POINT_PATH}},
     .state = REMOVAL_BLOCKED,
     .says = "lacks permission"},
    {.name = "one behind a lock",
     .exchanges = {POINT_IS("COMPLETED", ""),
                   POINT_TAGS(SERIES),
                   {BACKUP, .method = "DELETE", .path = POINT_PATH, .status = 403,
                    .reply_headers = {"x-amzn-ErrorType: AccessDeniedException"},
                    .reply = "{\"Message\":\"locked\"}"}},
     .state = REMOVAL_BLOCKED,
     .says = "locked"},
};

/* --- playing a row --- */

static struct err *may_change(const void *arg)
{
    const struct row *row = arg;

    return row->refused ? err_new(ERR_CONFLICT, "%s", row->refused) : NULL;
}

static size_t exchange_count(const struct row *row)
{
    size_t count = 0;

    while (count < ROWS_MAX && (row->exchanges[count].host || row->exchanges[count].path))
        count++;
    return count;
}

static void play(const struct row *row, const struct removal_copy *copy)
{
    AUTO_REMOVAL struct removal got = {0};
    struct remover by = {.series = SERIES, .may_change = may_change, .arg = row};
    struct fixture f;
    struct err *err;

    fixture_init(&f, AWS_TARGET, row->exchanges, exchange_count(row));
    by.aws = f.aws;
    err = copy ? removal_of_copy(&by, copy, &got)
               : removal_of_recovery_point(&by, "v", row->point ? row->point : POINT, &got);
    if (row->refused) {
        assert_fails(err, ERR_CONFLICT, row->refused);
    } else if (row->fails) {
        assert_fails(err, row->kind, row->fails);
    } else {
        assert_no_err(err);
        assert_text_contains(got.message, row->says);
        assert_number(got.state, row->state);
        assert_true((got.state == REMOVAL_RUNNING) == (got.after_ms > 0));
    }
    fixture_done(&f);
}

static void looks_at_a_cluster(void **state)
{
    const struct row *row = *state;

    play(row, &(struct removal_copy){
                  .kind = DATABASE_AURORA, .identifier = ID, .may_unprotect = row->may_unprotect});
}

static void looks_at_a_cluster_without_tags(void **state)
{
    play(*state, &(struct removal_copy){
                     .kind = DATABASE_AURORA, .identifier = ID, .arn = CLUSTER_ARN, .restore_job_id = "R-1"});
}

static void looks_at_a_table(void **state)
{
    const struct row *row = *state;

    play(row, &(struct removal_copy){.kind = DATABASE_DYNAMODB,
                                     .identifier = ID,
                                     .arn = TABLE_ARN,
                                     .may_unprotect = row->may_unprotect});
}

static void looks_at_a_recovery_point(void **state)
{
    play(*state, NULL);
}

/* --- what was not seen is not gone --- */

static void lose_credentials(struct fixture *f)
{
    xfree(TAKE(f->config.access_key_id));
    secret_free(TAKE(f->config.secret_access_key));
    f->config.role_arn = xstrdup("arn:aws:iam::222222222222:role/r");
    f->config.web_identity_token_file = xstrdup("/nowhere/token");
}

/* The controller has no credentials any more, as its token file is away. */
static void keeps_what_it_may_not_ask_about(void **state UNUSED)
{
    const struct removal_copy cluster = {.kind = DATABASE_AURORA, .identifier = ID},
                              table = {.kind = DATABASE_DYNAMODB, .identifier = ID};
    static const struct row anything = {.name = "anything"};
    AUTO_REMOVAL struct removal got = {0};
    struct fixture f;

    fixture_init_bare(&f, AWS_TARGET, NULL, 0);
    lose_credentials(&f);
    const struct remover by = {.aws = f.aws, .series = SERIES, .may_change = may_change, .arg = &anything};

    assert_fails(removal_of_copy(&by, &cluster, &got), ERR_DENIED, "/nowhere/token: No such file");
    assert_fails(removal_of_copy(&by, &table, &got), ERR_DENIED, "/nowhere/token: No such file");
    assert_fails(removal_of_recovery_point(&by, "v", POINT, &got), ERR_DENIED,
                 "/nowhere/token: No such file");
    fixture_done(&f);
}

/* --- parameters --- */

static void a_parameter_of_the_present_spec_keeps_a_copy(void **state)
{
    static const struct exchange rows[] = {
        TABLE("ACTIVE", ""),
        TABLE_TAGS(ID),
        {.host = "ssm.ap-northeast-1.amazonaws.com",
         .reply = "{\"Parameter\":{\"Name\":\"/a\",\"Value\":\"" ID "-2\",\"Version\":1}}"},
        {.host = "ssm.ap-northeast-1.amazonaws.com",
         .reply = "{\"Parameter\":{\"Name\":\"/b\",\"Value\":\"table=" ID "\",\"Version\":1}}"},
    };
    struct parameter_spec a = {.kind = PARAMETER_SSM, .target = (char[]){"/a"}},
                          b = {.kind = PARAMETER_SSM, .target = (char[]){"/b"}};
    struct refresh_spec frozen = {.parameters = &a, .parameter_count = 1},
                        live = {.parameters = &b, .parameter_count = 1};
    const struct removal_copy copy = {.kind = DATABASE_DYNAMODB, .identifier = ID};
    static const struct row anything = {.name = "anything"};
    AUTO_REMOVAL struct removal got = {0};
    struct fixture f;

    (void)state;
    FIXTURE(f, rows);
    const struct pass pass = {.env = &f.t.env, .spec = &frozen, .live = &live, .target = f.aws};
    const struct remover by = {
        .aws = f.aws, .series = SERIES, .pass = &pass, .may_change = may_change, .arg = &anything};

    assert_no_err(removal_of_copy(&by, &copy, &got));
    assert_number(got.state, REMOVAL_IN_USE);
    assert_text_contains(got.message, "parameter /b names it");
    fixture_done(&f);
}

/* The namespace is gone, and the rights in it. */
struct denied_row {
    const char *name;
    bool unwritten;
    enum removal_state state;
    const char *says;
};

static const struct denied_row denied_rows[] = {
    {"a ConfigMap that no run has written", true, REMOVAL_RUNNING, "deleting table"},
    {"a ConfigMap that a run has written", false, REMOVAL_BLOCKED, "may not read it"},
};

#define KUBECONFIG                                                                \
    "current-context: c\ncontexts: [{name: c, context: {cluster: k, user: u}}]\n" \
    "clusters: [{name: k, cluster: {server: 'https://api.example:6443'}}]\n"      \
    "users: [{name: u, user: {token: t}}]\n"

static void what_may_not_be_read(void **state)
{
    static const struct exchange rows[] = {
        TABLE("ACTIVE", ""),
        TABLE_TAGS(ID),
        {.host = "api.example",
         .path = "/api/v1/namespaces/staging/configmaps/app",
         .status = 403,
         .reply =
             "{\"kind\":\"Status\",\"code\":403,\"reason\":\"Forbidden\",\"message\":\"may not read it\"}"},
        {DYNAMODB, TARGET("DeleteTable"), .reply = "{}"},
    };
    const struct denied_row *row = *state;
    struct parameter_spec parameter = {.kind = PARAMETER_CONFIG_MAP,
                                       .target = (char[]){"app"},
                                       .key = (char[]){"TABLE"},
                                       .unwritten = row->unwritten};
    struct refresh_spec spec = {.parameters = &parameter, .parameter_count = 1};
    const struct removal_copy copy = {.kind = DATABASE_DYNAMODB, .identifier = ID};
    static const struct row anything = {.name = "anything"};
    AUTO_REMOVAL struct removal got = {0};
    struct kube_config *config = NULL;
    struct objects objects = {0};
    struct fixture f;

    fixture_init(&f, AWS_TARGET, rows, row->unwritten ? COUNT_OF(rows) : COUNT_OF(rows) - 1);
    assert_no_err(kube_config_from_text(str_of(KUBECONFIG), "kubeconfig", NULL, &config));
    objects.kube = kube_client_new(config, &(struct kube_client_opts){.user_agent = "unit"});
    const struct pass pass = {
        .env = &f.t.env, .objects = &objects, .namespace = "staging", .spec = &spec, .target = f.aws};
    const struct remover by = {
        .aws = f.aws, .series = SERIES, .pass = &pass, .may_change = may_change, .arg = &anything};

    assert_no_err(removal_of_copy(&by, &copy, &got));
    assert_number(got.state, row->state);
    assert_text_contains(got.message, row->says);
    kube_client_free(objects.kube);
    kube_config_free(config);
    fixture_done(&f);
}

static void whose_protection_it_is(void **state UNUSED)
{
    const struct copy_status theirs = {.database = (char[]){"main"}, .kind = DATABASE_AURORA},
                             ours = {.database = (char[]){"sessions"},
                                     .kind = DATABASE_DYNAMODB,
                                     .protected_by_settings = true};

    assert_false(removal_copy_of(&theirs).may_unprotect);
    assert_true(removal_copy_of(&ours).may_unprotect);
}

int main(void)
{
    struct tests tests = {0};

    TEST_ROWS(&tests, looks_at_a_cluster, copy_rows);
    TEST_ROWS(&tests, looks_at_a_cluster_without_tags, untagged_rows);
    TEST_ROWS(&tests, looks_at_a_table, table_rows);
    TEST_ROWS(&tests, looks_at_a_recovery_point, point_rows);
    TEST(&tests, keeps_what_it_may_not_ask_about);
    TEST(&tests, a_parameter_of_the_present_spec_keeps_a_copy);
    TEST_ROWS(&tests, what_may_not_be_read, denied_rows);
    TEST(&tests, whose_protection_it_is);
    return tests_run(&tests, "removal");
}
