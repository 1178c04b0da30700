/* Every list that comes in pages: empty pages with more behind them, and pages that never end. */
#include "pkg/aws/application_autoscaling.h"
#include "pkg/aws/backup.h"
#include "pkg/aws/dynamodb.h"
#include "pkg/aws/protocol.h"
#include "pkg/aws/rds.h"
#include "pkg/aws/rds_proxy.h"
#include "pkg/aws/ssm.h"
#include "tests/pkg/aws/fixture.h"

#define TABLE_ARN "arn:aws:dynamodb:ap-northeast-1:222222222222:table/t"

/* Each gives how many items there were. */
typedef struct err *list_fn(const struct aws_client *aws, size_t *ret);

/* The name of a function that lists, the type of the list, and how it is freed. */
#define LIST(fn, call, type, done)                                   \
    static struct err *fn(const struct aws_client *aws, size_t *ret) \
    {                                                                \
        CLEANUP(done) struct type list = {0};                        \
                                                                     \
        TRY(call);                                                   \
        *ret = list.count;                                           \
        return NULL;                                                 \
    }

LIST(backups, backup_list_backups(aws, NULL, &list), backup_jobs, backup_jobs_done)
LIST(copies, backup_list_copies(aws, NULL, &list), backup_jobs, backup_jobs_done)
LIST(restores, backup_list_restores(aws, NULL, &list), backup_jobs, backup_jobs_done)
LIST(points, backup_list_recovery_points(aws, "v", NULL, &list), recovery_points, recovery_points_done)
LIST(point_tags, backup_list_point_tags(aws, "arn:aws:backup:r:1:recovery-point:p", &list), aws_tags,
     aws_tags_done)
LIST(table_tags, dynamodb_list_tags(aws, TABLE_ARN, &list), aws_tags, aws_tags_done)
LIST(clusters, rds_list_clusters(aws, &list), rds_clusters, rds_clusters_done)
LIST(instances, rds_list_instances(aws, NULL, &list), rds_instances, rds_instances_done)
LIST(events, rds_list_cluster_events(aws, "c", TESTING_WALL_MS, &list), rds_events, rds_events_done)
LIST(proxies, rds_proxy_list(aws, &list), rds_proxies, rds_proxies_done)
LIST(targets, rds_proxy_list_targets(aws, "p", &list), rds_proxy_targets, rds_proxy_targets_done)

static struct err *classes(const struct aws_client *aws, size_t *ret)
{
    const struct rds_cluster like = {.engine = (char[]){"aurora-mysql"}, .engine_version = (char[]){"8"}};
    bool is_orderable = false;
    struct err *err = rds_class_is_orderable(aws, &like, "db.r6g.large", &is_orderable);

    *ret = is_orderable;
    return err;
}

static struct err *parameters(const struct aws_client *aws, size_t *ret)
{
    struct ssm_description description = {0};
    struct err *err = ssm_describe_parameter(aws, "/p", &description);

    *ret = !err;
    ssm_description_done(&description);
    return err;
}

static struct err *scaling(const struct aws_client *aws, size_t *ret)
{
    AUTO_AUTOSCALING struct autoscaling found = {0};

    TRY(autoscaling_describe(aws, "t", NULL, 0, &found));
    *ret = found.policy_count ? found.policy_count : found.target_count;
    return NULL;
}

struct list_row {
    const char *name; /* of the operation */
    list_fn *list;
    const char *page;           /* `$` is where the token is */
    const char *item;           /* what stands at its `@` */
    const char *before, *after; /* answers around it; NULL: none */
};

#define JSON(member) "{\"" member "\":[@]$}"
#define XML(op, list) "<" op "Response><" op "Result><" list ">@</" list ">$</" op "Result></" op "Response>"
#define A_TARGET \
    "{\"ResourceId\":\"table/t\",\"ScalableDimension\":\"d\",\"MinCapacity\":1,\"MaxCapacity\":2}"

static const struct list_row lists[] = {
    {"ListBackupJobs", backups, JSON("BackupJobs"), .item = "{\"BackupJobId\":\"a\"}"},
    {"ListCopyJobs", copies, JSON("CopyJobs"), .item = "{\"CopyJobId\":\"a\"}"},
    {"ListRestoreJobs", restores, JSON("RestoreJobs"), .item = "{\"RestoreJobId\":\"a\"}"},
    {"ListRecoveryPointsByBackupVault", points, JSON("RecoveryPoints"),
     .item = "{\"RecoveryPointArn\":\"a\"}"},
    {"ListTags", point_tags, "{\"Tags\":{@}$}", .item = "\"k\":\"v\""},
    {"ListTagsOfResource", table_tags, JSON("Tags"), .item = "{\"Key\":\"k\",\"Value\":\"v\"}"},
    {"DescribeParameters", parameters, JSON("Parameters"), .item = "{\"Type\":\"String\"}"},
    {"DescribeScalableTargets", scaling, JSON("ScalableTargets"), .item = A_TARGET, .after = "{}"},
    {"DescribeScalingPolicies", scaling, JSON("ScalingPolicies"), .item = "{\"PolicyName\":\"p\"}",
     .before = "{\"ScalableTargets\":[" A_TARGET "]}"},
    {"DescribeDBClusters", clusters, XML("DescribeDBClusters", "DBClusters"),
     .item = "<DBCluster><DBClusterIdentifier>a</DBClusterIdentifier></DBCluster>"},
    {"DescribeDBInstances", instances, XML("DescribeDBInstances", "DBInstances"),
     .item = "<DBInstance><DBInstanceIdentifier>a</DBInstanceIdentifier></DBInstance>"},
    {"DescribeEvents", events, XML("DescribeEvents", "Events"),
     .item = "<Event><Message>a</Message></Event>"},
    {"DescribeDBProxies", proxies, XML("DescribeDBProxies", "DBProxies"),
     .item = "<member><DBProxyName>a</DBProxyName></member>"},
    {"DescribeDBProxyTargets", targets, XML("DescribeDBProxyTargets", "Targets"),
     .item = "<member><Type>a</Type></member>"},
    {"DescribeOrderableDBInstanceOptions", classes,
     XML("DescribeOrderableDBInstanceOptions", "OrderableDBInstanceOptions"),
     .item = "<OrderableDBInstanceOption><Engine>a</Engine></OrderableDBInstanceOption>"},
};

/* One page. `token` NULL: the last. */
static char *page_of(const struct list_row *row, bool has_item, const char *token)
{
    AUTO_BUF struct buf text = BUF_MAX(4 * KIB);
    bool is_xml = row->page[0] == '<';

    for (const char *c = row->page; *c; c++) {
        if (*c == '@')
            buf_adds(&text, has_item ? row->item : "");
        else if (*c == '$' && token)
            buf_addf(&text, is_xml ? "<Marker>%s</Marker>" : ",\"NextToken\":\"%s\"", token);
        else if (*c != '$')
            buf_addc(&text, *c);
    }
    return buf_take(&text);
}

static void begin(struct fixture *f, const struct list_row *row, const struct exchange *pages, size_t count)
{
    static struct exchange before;

    before = (struct exchange){.reply = row->before};
    fixture_init(f, AWS_TARGET, &before, row->before ? 1 : 0);
    script_add(f->t.script, pages, count);
}

/* A page may be empty although there are more. */
static void goes_on_after_empty_pages(void **state)
{
    const struct list_row *row = *state;
    AUTO_FREE char *first = page_of(row, false, "t1"), *second = page_of(row, false, "t2"),
                   *last = page_of(row, true, NULL);
    const struct exchange pages[] = {
        {.reply = first}, {.reply = second}, {.reply = last}, {.reply = row->after}};
    struct fixture f;
    size_t count = 0, after = row->after ? 1 : 0;

    begin(&f, row, pages, 3 + after);
    assert_no_err(row->list(&f.aws, &count));
    assert_number((int64_t)count, 1);
    for (size_t i = 0; i < 2; i++) {
        const struct sent *sent = script_sent(f.t.script, script_sent_count(f.t.script) - 2 - after + i);

        /* The token that was given is handed back, in the body or in the path. */
        assert_true(strstr(sent->body ? sent->body : "", i ? "t2" : "t1") ||
                    strstr(sent->url, i ? "t2" : "t1"));
    }
    fixture_done(&f);
}

/* Half a list proves nothing, and nobody turns pages for ever. */
static void sees_that_pages_go_round(void **state)
{
    static const char *const tokens[] = {"t1", "t2", "t3"};
    const struct list_row *row = *state;
    AUTO_FREE char *fails = xasprintf("%s: the same page came twice", row->name);

    for (size_t length = 1; length <= COUNT_OF(tokens); length++) {
        struct exchange pages[16] = {0};
        char *texts[COUNT_OF(tokens)] = {0};
        struct fixture f;
        size_t count = 0;

        for (size_t i = 0; i < length; i++)
            texts[i] = page_of(row, false, tokens[i]);
        for (size_t i = 0; i < COUNT_OF(pages); i++)
            pages[i] = (struct exchange){.reply = texts[i % length]};
        begin(&f, row, pages, COUNT_OF(pages));
        assert_fails(row->list(&f.aws, &count), ERR_RETRY, fails);
        xfree(script_take_faults(f.t.script)); /* the pages that were not asked for any more */
        fixture_done(&f);
        for (size_t i = 0; i < length; i++)
            xfree(texts[i]);
    }
}

static void ends_after_too_many(void **state UNUSED)
{
    AUTO_AWS_PAGES struct aws_pages pages = {.op = AWS_OP_LIST_BACKUP_JOBS};
    struct err *err = NULL;

    while (!err)
        err = aws_pages_next(&pages, 0, xasprintf("t%d", pages.read));
    assert_number(pages.read, 2001);
    assert_fails(err, ERR_RETRY, "backup ListBackupJobs: there is no end after 2000 pages");
    aws_pages_done(&pages);
    pages.op = AWS_OP_LIST_BACKUP_JOBS;
    assert_fails(aws_pages_next(&pages, 20001, NULL), ERR_INVALID, "longer than 20000 items");
}

int main(void)
{
    struct tests tests = {0};

    TEST_ROWS(&tests, goes_on_after_empty_pages, lists);
    TEST_ROWS(&tests, sees_that_pages_go_round, lists);
    TEST(&tests, ends_after_too_many);
    return tests_run(&tests, "pages");
}
