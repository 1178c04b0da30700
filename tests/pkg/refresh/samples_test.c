/* What people copy is what we read: the samples hold no unknown field, parse, and use nothing that is not
 * there yet. */
#include <glob.h>

#include "pkg/base/yaml.h"
#include "pkg/refresh/account.h"
#include "pkg/refresh/spec.h"
#include "tests/testing/assertions.h"

struct row {
    const char *name, *file;
    size_t accounts, refreshes;
};

static const struct row rows[] = {
    {.name = "shop.yaml", .file = "manifests/samples/shop.yaml", .accounts = 2, .refreshes = 1},
    {.name = "shop-cluster.yaml",
     .file = "manifests/samples/shop-cluster.yaml",
     .accounts = 2,
     .refreshes = 1},
};

static void try_account(const struct json *object)
{
    AUTO_ACCOUNT struct account *account = NULL;

    assert_no_err(account_parse(object, &account));
}

static void try_refresh(const struct json *object)
{
    AUTO_REFRESH_SPEC struct refresh_spec *spec = NULL;

    assert_no_err(
        refresh_spec_parse(json_member(object, "spec"), json_get_text(object, "metadata.name", NULL), &spec));
}

static void samples_are_good(void **state)
{
    const struct row *row = *state;
    AUTO_FREE char *path = xasprintf("%s/%s", SR_SOURCE_DIR, row->file);
    AUTO_YAML struct yaml_docs docs = {0};
    size_t accounts = 0, refreshes = 0;

    assert_no_err(yaml_read_file(path, NULL, &docs));
    for (size_t i = 0; i < docs.count; i++) {
        const struct json *object = yaml_root(docs.items[i]);
        const char *kind = json_get_text(object, "kind", "");

        assert_no_err(refresh_check_known(docs.items[i]));
        if (text_equal(kind, "AWSAccount")) {
            try_account(object);
            accounts++;
        } else if (text_equal(kind, "StagingRefresh")) {
            try_refresh(object);
            refreshes++;
        }
    }
    assert_number((int64_t)accounts, (int64_t)row->accounts);
    assert_number((int64_t)refreshes, (int64_t)row->refreshes);
}

/* What the API server is to accept is not stalled afterwards. */
static void what_the_schema_accepts_is_read(void **state UNUSED)
{
    glob_t found = {0};

    assert_int_equal(glob(SR_SOURCE_DIR "/tests/e2e/crds/good/*.yaml", 0, NULL, &found), 0);
    for (size_t i = 0; i < found.gl_pathc; i++) {
        AUTO_YAML struct yaml_docs docs = {0};

        assert_no_err(yaml_read_file(found.gl_pathv[i], NULL, &docs));
        for (size_t k = 0; k < docs.count; k++) {
            const struct json *object = yaml_root(docs.items[k]);

            if (text_equal(json_get_text(object, "kind", ""), "AWSAccount"))
                try_account(object);
            else
                try_refresh(object);
        }
    }
    assert_true(found.gl_pathc > 0);
    globfree(&found);
}

int main(void)
{
    struct tests tests = {0};

    TEST_ROWS(&tests, samples_are_good, rows);
    TEST(&tests, what_the_schema_accepts_is_read);
    return tests_run(&tests, "samples");
}
