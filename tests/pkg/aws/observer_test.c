#include "pkg/aws/observer.h"

#include "tests/pkg/aws/fixture.h"

#define BACKUP .host = "backup.ap-northeast-1.amazonaws.com", .method = "GET"
#define LIST BACKUP, .path = "/backup-jobs/?createdAfter=2026-11-22T15%3A00%3A00Z&maxResults=1000"
#define DESCRIBE(id) BACKUP, .path = "/backup-jobs/" id
#define JOB(id, state) "{\"BackupJobId\":\"" id "\",\"State\":\"" state "\",\"PercentDone\":\"10.0\"}"
#define JOBS(list) "{\"BackupJobs\":[" list "]}"
#define SINCE_MS (TESTING_WALL_MS - HOURS(1))

static struct err *look_at(struct fixture *f, const char *id, int64_t max_age_ms, struct backup_job *job,
                           int64_t *expires_ms)
{
    return observer_look(&f->aws,
                         &(struct observer_query){
                             .kind = BACKUP_JOB, .id = id, .since_ms = SINCE_MS, .max_age_ms = max_age_ms},
                         job, expires_ms);
}

/* Looks, and says what came in one text: "RUNNING 15000". */
static void assert_look(struct fixture *f, const char *id, const char *want)
{
    AUTO_BACKUP_JOB struct backup_job job = {0};
    AUTO_FREE char *got = NULL;
    int64_t expires_ms = 0;

    assert_no_err(look_at(f, id, SECONDS(15), &job, &expires_ms));
    got = xasprintf("%s %s %lld", job.id, job.state_text, (long long)expires_ms);
    assert_text_equal(got, want);
}

static void pass_time(struct fixture *f, int64_t ms)
{
    sched_wait_until(f->t.env.sched, NULL, sched_now_ms(f->t.env.sched) + ms);
}

static void describes_a_job_alone(void **state UNUSED)
{
    static const struct exchange rows[] = {{DESCRIBE("A"), .reply = JOB("A", "CREATED")},
                                           {DESCRIBE("A"), .reply = JOB("A", "RUNNING")},
                                           {DESCRIBE("A"), .reply = JOB("A", "COMPLETED")}};
    struct fixture f;

    FIXTURE(f, rows);
    assert_look(&f, "A", "A CREATED 15000");
    pass_time(&f, SECONDS(15));
    assert_look(&f, "A", "A RUNNING 15000");
    assert_look(&f, "A", "A COMPLETED 15000");
    fixture_done(&f);
}

static void lists_once_for_many(void **state UNUSED)
{
    static const struct exchange rows[] = {
        {DESCRIBE("A"), .reply = JOB("A", "RUNNING")},
        {LIST, .reply = JOBS(JOB("C", "RUNNING") "," JOB("A", "RUNNING") "," JOB("B", "PENDING"))},
        /* Too old by now. */
        {LIST, .reply = JOBS(JOB("A", "RUNNING") "," JOB("B", "RUNNING") "," JOB("C", "COMPLETED"))},
        /* The end is never believed of a list. */
        {DESCRIBE("C"), .reply = JOB("C", "COMPLETED")},
    };
    struct fixture f;

    FIXTURE(f, rows);
    assert_look(&f, "A", "A RUNNING 15000");
    assert_look(&f, "B", "B PENDING 15000");
    pass_time(&f, SECONDS(6));
    assert_look(&f, "C", "C RUNNING 9000");
    assert_look(&f, "A", "A RUNNING 9000");
    pass_time(&f, SECONDS(9));
    assert_look(&f, "A", "A RUNNING 15000");
    assert_look(&f, "B", "B RUNNING 15000");
    assert_look(&f, "C", "C COMPLETED 15000");
    fixture_done(&f);
}

/* Lists lag: what was just started may be in none of them. */
static void describes_what_no_list_knows(void **state UNUSED)
{
    static const struct exchange rows[] = {
        {DESCRIBE("A"), .reply = JOB("A", "RUNNING")},
        {LIST, .reply = JOBS(JOB("A", "RUNNING"))},
        {DESCRIBE("B"), .reply = JOB("B", "CREATED")},
        {LIST, .reply = "{}"},
        {DESCRIBE("B"), .reply = JOB("B", "CREATED")},
        {LIST, .reply = "{\"BackupJobs\":[]}"},
        {DESCRIBE("B"), .reply = JOB("B", "CREATED")},
        {DESCRIBE("B"), .reply = JOB("B", "CREATED"), .times = 3},
    };
    struct fixture f;

    FIXTURE(f, rows);
    assert_look(&f, "A", "A RUNNING 15000");
    for (int i = 0; i < 6; i++) {
        assert_look(&f, "B", "B CREATED 15000");
        pass_time(&f, SECONDS(15));
    }
    fixture_done(&f);
}

static void does_without_a_list_that_is_refused(void **state UNUSED)
{
    static const struct exchange rows[] = {
        {DESCRIBE("A"), .reply = JOB("A", "RUNNING")},
        {LIST, .status = 403, .reply = "{\"Message\":\"no\"}",
         .reply_headers = {"x-amzn-errortype: AccessDeniedException"}},
        {DESCRIBE("B"), .reply = JOB("B", "RUNNING"), .times = 2},
    };
    struct fixture f;

    FIXTURE(f, rows);
    assert_look(&f, "A", "A RUNNING 15000");
    assert_look(&f, "B", "B RUNNING 15000");
    pass_time(&f, MINUTES(1));
    assert_look(&f, "B", "B RUNNING 15000");
    fixture_done(&f);
}

/* What is at hand has to do for a while, rather than a Describe for each. */
static void uses_an_old_list_when_no_new_one_comes(void **state UNUSED)
{
    static const struct exchange rows[] = {
        {DESCRIBE("A"), .reply = JOB("A", "RUNNING")},
        {LIST, .reply = JOBS(JOB("A", "RUNNING") "," JOB("B", "RUNNING"))},
        {LIST, .fail = "connection reset", .times = 3},
    };
    struct fixture f;

    FIXTURE(f, rows);
    assert_look(&f, "A", "A RUNNING 15000");
    assert_look(&f, "B", "B RUNNING 15000");
    pass_time(&f, SECONDS(20));
    {
        AUTO_BACKUP_JOB struct backup_job job = {0};
        int64_t expires_ms;

        assert_no_err(look_at(&f, "A", SECONDS(15), &job, &expires_ms));
        assert_text_equal(job.state_text, "RUNNING");
        /* Until then nothing newer is to be had. */
        assert_in_range(expires_ms, SECONDS(8), SECONDS(10));
    }
    fixture_done(&f);
}

#define STS .host = "sts.ap-northeast-1.amazonaws.com", .method = "POST", .path = "/"

/* Whoever did not let us in has refused no list. */
static void does_not_blame_the_list_for_the_credentials(void **state UNUSED)
{
    static const struct exchange rows[] = {
        {DESCRIBE("A"), .reply = JOB("A", "RUNNING")},
        {LIST, .status = 403, .reply = "{\"Message\":\"old\"}",
         .reply_headers = {"x-amzn-errortype: ExpiredTokenException"}},
        {STS, .status = 403,
         .reply = "<ErrorResponse><Error><Code>InvalidClientTokenId</Code></Error></ErrorResponse>"},
        {STS, .reply = WHOAMI_REPLY(FIXTURE_ACCOUNT)},
        {DESCRIBE("B"), .reply = JOB("B", "RUNNING")},
        {LIST, .reply = JOBS(JOB("A", "RUNNING") "," JOB("B", "RUNNING"))},
    };
    struct fixture f;

    FIXTURE(f, rows);
    assert_look(&f, "A", "A RUNNING 15000");
    assert_look(&f, "B", "B RUNNING 15000");
    pass_time(&f, SECONDS(15));
    assert_look(&f, "B", "B RUNNING 15000");
    fixture_done(&f);
}

/* A Describe that failed has told nothing. */
static void a_hint_lasts_until_it_has_looked(void **state UNUSED)
{
    static const struct exchange rows[] = {
        {DESCRIBE("A"), .reply = JOB("A", "RUNNING")},
        {LIST, .reply = JOBS(JOB("A", "RUNNING") "," JOB("B", "RUNNING"))},
        {DESCRIBE("B"), .fail = "connection reset", .times = 3},
        {DESCRIBE("B"), .reply = JOB("B", "COMPLETED")},
    };
    AUTO_BACKUP_JOB struct backup_job job = {0};
    AUTO_ERR struct err *err = NULL;
    int64_t expires_ms;
    struct fixture f;

    FIXTURE(f, rows);
    assert_look(&f, "A", "A RUNNING 15000");
    assert_look(&f, "B", "B RUNNING 15000");
    observer_hint(f.account, BACKUP_JOB, "B");
    err = look_at(&f, "B", SECONDS(15), &job, &expires_ms);
    assert_int_equal(err_kind(err), ERR_RETRY);
    assert_look(&f, "B", "B COMPLETED 15000");
    fixture_done(&f);
}

/* However fresh what is known. */
static void a_hint_makes_it_look_at_aws(void **state UNUSED)
{
    static const struct exchange rows[] = {
        {DESCRIBE("A"), .reply = JOB("A", "RUNNING")},
        {LIST, .reply = JOBS(JOB("A", "RUNNING") "," JOB("B", "RUNNING"))},
        {DESCRIBE("B"), .reply = JOB("B", "COMPLETED")},
    };
    struct fixture f;

    FIXTURE(f, rows);
    assert_look(&f, "A", "A RUNNING 15000");
    assert_look(&f, "B", "B RUNNING 15000");
    observer_hint(f.account, BACKUP_JOB, "B");
    observer_hint(f.account, COPY_JOB, "A");           /* another kind */
    observer_hint(f.account, BACKUP_JOB, "not known"); /* nobody asks for it */
    assert_look(&f, "A", "A RUNNING 15000");
    assert_look(&f, "B", "B COMPLETED 15000");
    fixture_done(&f);
}

/* --- clusters and their instances --- */

#define RDS .host = "rds.ap-northeast-1.amazonaws.com", .method = "POST", .path = "/"
#define FORM(action, rest) "Action=" action "&Version=2014-10-31" rest
#define BY_NAME(id)             \
    FORM("DescribeDBInstances", \
         "&Filters.Filter.1.Name=db-cluster-id&Filters.Filter.1.Values.Value.1=" id "&MaxRecords=100")
#define BY_NAMES                                                                                         \
    FORM("DescribeDBInstances", "&Filters.Filter.1.Name=db-cluster-id&Filters.Filter.1.Values.Value.1=a" \
                                "&Filters.Filter.1.Values.Value.2=b&MaxRecords=100")
#define INSTANCE(cluster, status)                                                                         \
    "<DBInstance><DBInstanceIdentifier>" cluster "-1</DBInstanceIdentifier><DBClusterIdentifier>" cluster \
    "</DBClusterIdentifier><DBInstanceStatus>" status "</DBInstanceStatus></DBInstance>"
#define INSTANCES(list)                                                          \
    "<DescribeDBInstancesResponse><DescribeDBInstancesResult><DBInstances>" list \
    "</DBInstances></DescribeDBInstancesResult></DescribeDBInstancesResponse>"

static void assert_instances(struct fixture *f, const char *cluster, int64_t not_before_ms, const char *want)
{
    AUTO_RDS_INSTANCES struct rds_instances there = {0};
    AUTO_FREE char *got = NULL;
    struct observation seen = {0};

    assert_no_err(observer_instances(&f->aws,
                                     &(struct observer_rds_query){.cluster_id = cluster,
                                                                  .max_age_ms = SECONDS(15),
                                                                  .not_before_ms = not_before_ms},
                                     &there, &seen));
    got = xasprintf("%zu %s %lld", there.count, there.count ? there.items[0].status : "-",
                    (long long)seen.expires_ms);
    assert_text_equal(got, want);
}

static void lists_instances_once_for_many(void **state UNUSED)
{
    static const struct exchange rows[] = {
        {RDS, .body = BY_NAME("a"), .reply = INSTANCES(INSTANCE("a", "creating"))},
        {RDS, .body = BY_NAMES, .reply = INSTANCES(INSTANCE("b", "creating") INSTANCE("a", "creating"))},
        {RDS, .body = BY_NAMES, .reply = INSTANCES(INSTANCE("a", "available") INSTANCE("b", "creating"))},
        /* The end of the wait is asked for by name. */
        {RDS, .body = BY_NAME("a"), .reply = INSTANCES(INSTANCE("a", "available"))},
        {RDS, .body = BY_NAMES, .reply = INSTANCES(INSTANCE("b", "backing-up"))},
        {RDS, .body = BY_NAME("b"), .reply = INSTANCES(INSTANCE("b", "backing-up"))},
    };
    struct fixture f;

    FIXTURE(f, rows);
    assert_instances(&f, "a", 0, "1 creating 15000");
    assert_instances(&f, "b", 0, "1 creating 15000");
    assert_instances(&f, "a", 0, "1 creating 15000");
    pass_time(&f, SECONDS(15));
    assert_instances(&f, "a", 0, "1 available 15000");
    assert_instances(&f, "b", 0, "1 creating 15000");
    pass_time(&f, SECONDS(15));
    assert_instances(&f, "b", 0, "1 backing-up 15000");
    fixture_done(&f);
}

/* A list that was begun before the asker's own change shows the world before it. */
static void reads_after_its_own_write(void **state UNUSED)
{
    static const struct exchange rows[] = {
        {RDS, .body = BY_NAME("a"), .reply = INSTANCES("")},
        {RDS, .body = BY_NAMES, .reply = INSTANCES(INSTANCE("b", "creating"))},
        /* In no list yet. */
        {RDS, .body = BY_NAME("a"), .reply = INSTANCES(INSTANCE("a", "creating"))},
        /* Changed since the list. */
        {RDS, .body = BY_NAME("b"), .reply = INSTANCES(INSTANCE("b", "modifying"))},
        {RDS, .body = BY_NAMES, .reply = INSTANCES(INSTANCE("a", "creating") INSTANCE("b", "modifying"))},
    };
    struct fixture f;
    int64_t changed_ms;

    FIXTURE(f, rows);
    assert_instances(&f, "a", 0, "0 - 15000");
    assert_instances(&f, "b", 0, "1 creating 15000");
    assert_instances(&f, "a", 0, "1 creating 15000");
    pass_time(&f, SECONDS(1));
    changed_ms = sched_wall_ms(f.t.env.sched);
    assert_instances(&f, "b", changed_ms, "1 modifying 15000");
    pass_time(&f, SECONDS(15));
    assert_instances(&f, "b", changed_ms, "1 modifying 15000");
    fixture_done(&f);
}

static void a_hint_makes_it_look_at_instances(void **state UNUSED)
{
    static const struct exchange rows[] = {
        {RDS, .body = BY_NAME("a"), .reply = INSTANCES(INSTANCE("a", "creating"))},
        {RDS, .body = BY_NAMES, .reply = INSTANCES(INSTANCE("a", "creating") INSTANCE("b", "creating"))},
        {RDS, .body = BY_NAME("b"), .reply = INSTANCES(INSTANCE("b", "available"))},
        {RDS, .body = BY_NAME("a"), .reply = INSTANCES(INSTANCE("a", "available"))},
    };
    struct fixture f;

    FIXTURE(f, rows);
    assert_instances(&f, "a", 0, "1 creating 15000");
    assert_instances(&f, "b", 0, "1 creating 15000");
    observer_hint_instance(f.account, "b-1");
    observer_hint_instance(f.account, "aa-1"); /* of another cluster */
    assert_instances(&f, "a", 0, "1 creating 15000");
    assert_instances(&f, "b", 0, "1 available 15000");
    observer_hint_cluster(f.account, "a");
    assert_instances(&f, "a", 0, "1 available 15000");
    fixture_done(&f);
}

/* With all that a cluster can have several of. */
#define CLUSTER(id, status)                                                                        \
    "<DBCluster><DBClusterIdentifier>" id "</DBClusterIdentifier><Status>" status "</Status>"      \
    "<DBClusterMembers><DBClusterMember><DBInstanceIdentifier>" id "-1</DBInstanceIdentifier>"     \
    "</DBClusterMember></DBClusterMembers>"                                                        \
    "<VpcSecurityGroups><VpcSecurityGroupMembership><VpcSecurityGroupId>sg-1</VpcSecurityGroupId>" \
    "</VpcSecurityGroupMembership></VpcSecurityGroups>"                                            \
    "<EnabledCloudwatchLogsExports><member>postgresql</member></EnabledCloudwatchLogsExports>"     \
    "<TagList><Tag><Key>team</Key><Value>shop</Value></Tag></TagList></DBCluster>"
#define CLUSTERS(list)                                                        \
    "<DescribeDBClustersResponse><DescribeDBClustersResult><DBClusters>" list \
    "</DBClusters></DescribeDBClustersResult></DescribeDBClustersResponse>"

static void assert_cluster(struct fixture *f, const char *id, const char *want)
{
    AUTO_RDS_CLUSTER struct rds_cluster cluster = {0};
    struct observation seen = {0};

    assert_no_err(observer_cluster(
        &f->aws, &(struct observer_rds_query){.cluster_id = id, .max_age_ms = SECONDS(15)}, &cluster, &seen));
    assert_text_equal(cluster.status, want);
    assert_true(aws_texts_have(&cluster.security_group_ids, "sg-1"));
    assert_true(aws_texts_have(&cluster.log_exports, "postgresql"));
    assert_text_equal(aws_tags_get(&cluster.tags, "team"), "shop");
    assert_text_equal(cluster.members[0].instance_id, text_equal(id, "a") ? "a-1" : "b-1");
}

/* What came from a list is the asker's own. */
static void clusters_of_a_list_are_copies(void **state UNUSED)
{
    static const struct exchange rows[] = {
        {RDS, .body_contains = {"DBClusterIdentifier=a"}, .reply = CLUSTERS(CLUSTER("a", "available"))},
        {RDS, .body_contains = {"Filters"},
         .reply = CLUSTERS(CLUSTER("a", "available") CLUSTER("b", "available")), .times = 2},
    };
    struct fixture f;

    FIXTURE(f, rows);
    assert_cluster(&f, "a", "available");
    for (int i = 0; i < 2; i++) {
        assert_cluster(&f, "b", "available");
        assert_cluster(&f, "a", "available");
        pass_time(&f, SECONDS(20));
    }
    fixture_done(&f);
}

static void a_cluster_without_a_name_is_passed_over(void **state UNUSED)
{
    static const struct exchange rows[] = {
        {RDS, .body_contains = {"DBClusterIdentifier=a"}, .reply = CLUSTERS(CLUSTER("a", "available"))},
        {RDS, .body_contains = {"Filters"},
         .reply = CLUSTERS("<DBCluster><Status>available</Status></DBCluster>" CLUSTER("b", "available"))},
    };
    struct fixture f;

    FIXTURE(f, rows);
    assert_cluster(&f, "a", "available");
    assert_cluster(&f, "b", "available");
    fixture_done(&f);
}

static void a_hint_makes_it_look_at_the_cluster(void **state UNUSED)
{
    static const struct exchange rows[] = {
        {RDS, .body_contains = {"DBClusterIdentifier=a"}, .reply = CLUSTERS(CLUSTER("a", "available"))},
        {RDS, .body_contains = {"Filters"},
         .reply = CLUSTERS(CLUSTER("a", "available") CLUSTER("b", "available"))},
        {RDS, .body_contains = {"DBClusterIdentifier=a"}, .reply = CLUSTERS(CLUSTER("a", "modifying"))},
    };
    struct fixture f;

    FIXTURE(f, rows);
    assert_cluster(&f, "a", "available");
    assert_cluster(&f, "b", "available");
    assert_cluster(&f, "a", "available");
    observer_hint_cluster(f.account, "a");
    assert_cluster(&f, "a", "modifying");
    assert_cluster(&f, "b", "available");
    fixture_done(&f);
}

/* --- many threads --- */

#define CROWD 8

struct looker {
    struct fixture *f;
    const char *id;
    struct err *err;
    struct backup_job job;
};

static void look_once(void *arg)
{
    struct looker *looker = arg;
    int64_t expires_ms;

    looker->err = look_at(looker->f, looker->id, SECONDS(15), &looker->job, &expires_ms);
}

static void has_one_list_in_flight(void **state UNUSED)
{
    static const struct exchange rows[] = {
        {DESCRIBE("A"), .reply = JOB("A", "RUNNING")},
        {LIST, .delay_ms = 500, .reply = JOBS(JOB("A", "RUNNING") "," JOB("B", "RUNNING"))},
    };
    struct looker lookers[CROWD] = {0};
    struct task *tasks[CROWD];
    struct fixture f;

    memset(&f, 0, sizeof(f));
    fixture_init(&f, AWS_TARGET, rows, COUNT_OF(rows));
    assert_look(&f, "A", "A RUNNING 15000");
    for (size_t i = 0; i < CROWD; i++) {
        lookers[i] = (struct looker){.f = &f, .id = i % 2 ? "A" : "B"};
        /* The first to ask for B makes it two. */
        tasks[i] = sched_spawn(f.t.env.sched, "looker", look_once, &lookers[i]);
        if (i == 0)
            pass_time(&f, 1);
    }
    for (size_t i = 0; i < CROWD; i++) {
        sched_join(tasks[i]);
        assert_no_err(lookers[i].err);
        assert_text_equal(lookers[i].job.id, lookers[i].id);
        backup_job_done(&lookers[i].job);
    }
    fixture_done(&f);
}

/* A worker is not kept by somebody else's list. */
static void does_not_wait_long_for_a_list(void **state UNUSED)
{
    static const struct exchange rows[] = {
        {DESCRIBE("A"), .reply = JOB("A", "RUNNING")},
        {LIST, .delay_ms = SECONDS(10), .reply = JOBS(JOB("A", "RUNNING") "," JOB("B", "RUNNING"))},
        {DESCRIBE("C"), .reply = JOB("C", "RUNNING")},
    };
    struct looker slow = {.id = "B"}, waiting = {.id = "C"};
    struct task *tasks[2];
    struct fixture f;

    FIXTURE(f, rows);
    slow.f = waiting.f = &f;
    assert_look(&f, "A", "A RUNNING 15000");
    tasks[0] = sched_spawn(f.t.env.sched, "slow", look_once, &slow);
    pass_time(&f, 1);
    tasks[1] = sched_spawn(f.t.env.sched, "waiting", look_once, &waiting);
    pass_time(&f, SECONDS(3));
    assert_text_equal(waiting.job.id, "C");
    assert_text_equal(slow.job.id, NULL);
    sched_join(tasks[0]);
    sched_join(tasks[1]);
    assert_no_err(waiting.err);
    assert_no_err(slow.err);
    assert_text_equal(slow.job.id, "B");
    backup_job_done(&waiting.job);
    backup_job_done(&slow.job);
    fixture_done(&f);
}

/* What is hours old is not taken for the present, even when nothing newer can be read. */
static void takes_no_list_that_is_too_old(void **state UNUSED)
{
    static const struct exchange rows[] = {
        {DESCRIBE("A"), .reply = JOB("A", "RUNNING")},
        {LIST, .reply = JOBS(JOB("A", "RUNNING") "," JOB("B", "RUNNING"))},
        {DESCRIBE("A"), .reply = JOB("A", "RUNNING")},
        {LIST, .status = 403, .reply = "{\"Message\":\"no\"}",
         .reply_headers = {"x-amzn-errortype: AccessDeniedException"}},
        {DESCRIBE("B"), .reply = JOB("B", "COMPLETED")},
    };
    struct fixture f;

    FIXTURE(f, rows);
    assert_look(&f, "A", "A RUNNING 15000");
    assert_look(&f, "B", "B RUNNING 15000");
    pass_time(&f, HOURS(1));
    observer_hint(f.account, BACKUP_JOB, "A");
    assert_look(&f, "A", "A RUNNING 15000");
    assert_look(&f, "B", "B COMPLETED 15000");
    fixture_done(&f);
}

int main(void)
{
    struct tests tests = {0};

    TEST(&tests, describes_a_job_alone);
    TEST(&tests, lists_once_for_many);
    TEST(&tests, describes_what_no_list_knows);
    TEST(&tests, does_without_a_list_that_is_refused);
    TEST(&tests, uses_an_old_list_when_no_new_one_comes);
    TEST(&tests, a_hint_makes_it_look_at_aws);
    TEST(&tests, does_not_blame_the_list_for_the_credentials);
    TEST(&tests, a_hint_lasts_until_it_has_looked);
    TEST(&tests, clusters_of_a_list_are_copies);
    TEST(&tests, a_cluster_without_a_name_is_passed_over);
    TEST(&tests, lists_instances_once_for_many);
    TEST(&tests, reads_after_its_own_write);
    TEST(&tests, a_hint_makes_it_look_at_instances);
    TEST(&tests, a_hint_makes_it_look_at_the_cluster);
    TEST(&tests, has_one_list_in_flight);
    TEST(&tests, does_not_wait_long_for_a_list);
    TEST(&tests, takes_no_list_that_is_too_old);
    return tests_run(&tests, "observer");
}
