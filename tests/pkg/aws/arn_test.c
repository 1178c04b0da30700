#include "pkg/aws/arn.h"

#include "tests/testing/assertions.h"

struct row {
    const char *name, *in;
    const char *service, *region, *account, *resource;
    const char *type, *rest; /* arn_name() */
};

static const struct row good[] = {
    {"cluster", "arn:aws:rds:r1:111111111111:cluster:shop", "rds", "r1", "111111111111", "cluster:shop",
     "cluster", "shop"},
    {"table", "arn:aws-cn:dynamodb:cn-north-1:1:table/t", "dynamodb", "cn-north-1", "1", "table/t", "table",
     "t"},
    {"role without a Region", "arn:aws:iam::111111111111:role/path/name", "iam", "", "111111111111",
     "role/path/name", "role", "path/name"},
    {"snapshot with colons", "arn:aws:rds:r:a:cluster-snapshot:awsbackup:job-1", "rds", "r", "a",
     "cluster-snapshot:awsbackup:job-1", "cluster-snapshot", "awsbackup:job-1"},
    {"another type", "arn:aws:rds:r:a:cluster-snapshot:x", "rds", "r", "a", "cluster-snapshot:x", "cluster",
     ""},
};

static const struct row bad[] = {
    {.name = "empty", .in = ""},
    {.name = "no ARN", .in = "shop"},
    {.name = "five parts", .in = "arn:aws:rds:r:a"},
    {.name = "no partition", .in = "arn::rds:r:a:x"},
    {.name = "no service", .in = "arn:aws::r:a:x"},
    {.name = "no resource", .in = "arn:aws:rds:r:a:"},
    {.name = "another prefix", .in = "urn:aws:rds:r:a:x"},
};

static void parses(void **state)
{
    const struct row *row = *state;
    struct arn arn;

    assert_no_err(arn_parse(row->in, &arn));
    assert_str_equal(arn.service, row->service);
    assert_str_equal(arn.region, row->region);
    assert_str_equal(arn.account, row->account);
    assert_str_equal(arn.resource, row->resource);
    assert_str_equal(arn_name(&arn, row->type), row->rest);
}

static void refuses(void **state)
{
    const struct row *row = *state;
    struct arn arn;

    assert_fails(arn_parse(row->in, &arn), ERR_INVALID, "not an ARN");
}

static void builds_with_the_partition(void **state)
{
    AUTO_FREE char *cluster = arn_of_db_cluster("ap-northeast-1", "1", "shop");
    AUTO_FREE char *table = arn_of_table("cn-north-1", "2", "t");
    AUTO_FREE char *vault = arn_of_backup_vault("us-gov-west-1", "3", "v");

    (void)state;
    assert_text_equal(cluster, "arn:aws:rds:ap-northeast-1:1:cluster:shop");
    assert_text_equal(table, "arn:aws-cn:dynamodb:cn-north-1:2:table/t");
    assert_text_equal(vault, "arn:aws-us-gov:backup:us-gov-west-1:3:backup-vault:v");
}

int main(void)
{
    struct tests tests = {0};

    TEST_ROWS(&tests, parses, good);
    TEST_ROWS(&tests, refuses, bad);
    TEST(&tests, builds_with_the_partition);
    return tests_run(&tests, "arn");
}
