/* Unknown fields in files. */
#include "pkg/base/yaml.h"
#include "pkg/refresh/spec.h"
#include "tests/testing/assertions.h"

#define ACCOUNT_HEAD "apiVersion: stagingrefresh.dev/v1alpha1\nkind: AWSAccount\nmetadata: {name: a}\n"
#define REFRESH_HEAD "apiVersion: stagingrefresh.dev/v1alpha1\nkind: StagingRefresh\nmetadata: {name: a}\n"

struct row {
    const char *name, *text;
    const char *want; /* NULL: nothing unknown */
};

/* clang-format off */
static const struct row rows[] = {
    {.name = "known fields", .text = REFRESH_HEAD "spec:\n  series: a\n  databases: [{name: a, aurora: {restore: {tags: {any: thing}}}}]\n"},
    {.name = "one letter is missing", .text = REFRESH_HEAD "spec:\n  databases:\n  - name: a\n  - name: b\n    auora: {}\n",
     .want = "f.yaml:8: spec.databases[1].auora: unknown field, did you mean \"aurora\"?"},
    {.name = "two letters swapped", .text = REFRESH_HEAD "spec:\n  tragetRef: {name: a}\n",
     .want = "f.yaml:5: spec.tragetRef: unknown field, did you mean \"targetRef\"?"},
    {.name = "another case", .text = ACCOUNT_HEAD "spec:\n  accountId: \"1\"\n",
     .want = "f.yaml:5: spec.accountId: unknown field, did you mean \"accountID\"?"},
    {.name = "in an object of a part", .text = REFRESH_HEAD "spec:\n  databases:\n  - name: a\n    dynamodb:\n      restore:\n        encryption: {tpye: x}\n",
     .want = "f.yaml:9: spec.databases[0].dynamodb.restore.encryption.tpye: unknown field, did you mean \"type\"?"},
    {.name = "at the top", .text = REFRESH_HEAD "specs: {}\n", .want = "f.yaml:4: specs: unknown field, did you mean \"spec\"?"},
    {.name = "in metadata", .text = "kind: AWSAccount\nmetadata:\n  naem: a\n",
     .want = "f.yaml:3: metadata.naem: unknown field, did you mean \"name\"?"},
    {.name = "in a grant", .text = ACCOUNT_HEAD "spec:\n  grants:\n  - resources:\n    - types: x\n",
     .want = "f.yaml:7: spec.grants[0].resources[0].types: unknown field, did you mean \"type\"?"},
    {.name = "in a window", .text = REFRESH_HEAD "spec: {switchover: {window: {tz: UTC}}}\n",
     .want = "f.yaml:4: spec.switchover.window.tz: unknown field, did you mean \"to\"?"},
    {.name = "in the wrong place", .text = REFRESH_HEAD "spec:\n  clusterIdentifier: shop\n",
     .want = "f.yaml:5: spec.clusterIdentifier: unknown field, did you mean spec.databases[].aurora.clusterIdentifier?"},
    {.name = "like nothing", .text = REFRESH_HEAD "spec:\n  colour: blue\n", .want = "f.yaml:5: spec.colour: unknown field"},
    {.name = "labels and annotations are free", .text = "kind: AWSAccount\nmetadata: {labels: {a: b}, annotations: {c/d: e}}\n"},
    {.name = "status is the controller's", .text = REFRESH_HEAD "status: {whatever: 1}\n"},
    {.name = "wrong types are the parser's", .text = REFRESH_HEAD "spec: {databases: 1, switchover: [], hooks: {beforeSwitchover: {}}}\n"},
    {.name = "other kinds are not ours", .text = "kind: ConfigMap\ndata: {a: b}\n"},
    {.name = "no object at all", .text = "- 1\n"},
};
/* clang-format on */

static void finds_unknown_fields(void **state)
{
    const struct row *row = *state;
    AUTO_YAML struct yaml_docs docs = {0};
    AUTO_ERR struct err *err = NULL;

    assert_no_err(yaml_parse(str_of(row->text), "f.yaml", NULL, &docs));
    assert_number(docs.count, 1);
    err = refresh_check_known(docs.items[0]);
    if (!row->want) {
        assert_no_err(err);
        return;
    }
    assert_err_kind(err, ERR_INVALID);
    assert_text_equal(err_text(err), row->want);
}

int main(void)
{
    struct tests tests = {0};

    TEST_ROWS(&tests, finds_unknown_fields, rows);
    return tests_run(&tests, "known");
}
