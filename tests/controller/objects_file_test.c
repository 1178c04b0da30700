#include "controller/objects_file.h"

#include "pkg/base/files.h"
#include "tests/testing/testing_env.h"

#include <dirent.h>
#include <sys/stat.h>
#include <unistd.h>

struct fixture {
    struct testing_env base;
    char dir[64];
};

static const struct object_id shop = {.kind = OBJECT_REFRESH, .namespace = "staging", .name = "shop"};

static void init(struct fixture *t)
{
    snprintf(t->dir, sizeof(t->dir), "/tmp/objects-file-XXXXXX");
    testing_env_init(&t->base, 1, NULL, 0, NULL);
    assert_non_null(mkdtemp(t->dir));
}

static void done(struct fixture *t)
{
    DIR *dir = opendir(t->dir);
    const struct dirent *found;

    assert_non_null(dir);
    while ((found = readdir(dir)))
        unlinkat(dirfd(dir), found->d_name, 0);
    closedir(dir);
    rmdir(t->dir);
    testing_env_done(&t->base);
}

static struct json *parsed(const char *text)
{
    struct json *value = NULL;

    assert_no_err(json_parse(str_of(text), NULL, &value));
    return value;
}

#define DOCUMENT(spec)                                                             \
    "{\"apiVersion\":\"stagingrefresh.dev/v1alpha1\",\"kind\":\"StagingRefresh\"," \
    "\"metadata\":{\"name\":\"shop\",\"namespace\":\"staging\"},\"spec\":{" spec "}}"
#define ACCOUNT_DOCUMENT(spec)                                                 \
    "{\"apiVersion\":\"stagingrefresh.dev/v1alpha1\",\"kind\":\"AWSAccount\"," \
    "\"metadata\":{\"name\":\"staging\"},\"spec\":{" spec "}}"

static struct objects *open_with(struct fixture *t, const char *document)
{
    AUTO_JSON struct json *value = parsed(document);
    struct objects *objects = NULL;

    assert_no_err(objects_file_open(t->dir, &t->base.env, &objects));
    assert_no_err(objects_file_put(objects, &t->base.env, value));
    return objects;
}

static struct json *read_shop(struct fixture *t, struct objects *objects)
{
    struct json *object = NULL;

    assert_no_err(objects_read(objects, &t->base.env, &shop, &object));
    assert_non_null(object);
    return object;
}

static struct json *write_phase(struct fixture *t, struct objects *objects, const char *status_text)
{
    AUTO_JSON struct json *object = read_shop(t, objects);
    AUTO_JSON struct json *status = parsed(status_text);
    struct json *written = NULL;

    assert_no_err(objects_write_status(objects, &t->base.env, object, status, &written));
    return written;
}

static void keeps_an_object_across_runs(void **state)
{
    struct fixture t;
    struct objects *objects;
    struct json *before, *after;
    AUTO_FREE char *installation = NULL;

    (void)state;
    init(&t);
    objects = open_with(&t, DOCUMENT("\"trigger\":\"a\""));
    installation = xstrdup(objects->installation);
    assert_number((int64_t)strlen(installation), 16);
    assert_false(objects->grants_apply);
    before = write_phase(&t, objects, "{\"phase\":\"Copying\"}");
    objects_file_close(objects);

    objects = open_with(&t, DOCUMENT("\"trigger\":\"a\""));
    after = read_shop(&t, objects);
    assert_text_equal(objects->installation, installation);
    assert_true(json_equal(before, after));
    assert_number(json_get_int(after, "metadata.generation", 0), 1);
    json_free(before);
    json_free(after);
    objects_file_close(objects);
    done(&t);
}

static void counts_generations(void **state)
{
    struct fixture t;
    struct objects *objects;
    AUTO_JSON struct json *first = NULL;
    AUTO_JSON struct json *second = NULL;

    (void)state;
    init(&t);
    objects = open_with(&t, DOCUMENT("\"trigger\":\"a\""));
    first = write_phase(&t, objects, "{\"phase\":\"Copying\"}");
    objects_file_close(objects);
    objects = open_with(&t, DOCUMENT("\"trigger\":\"b\""));
    second = read_shop(&t, objects);
    assert_number(json_get_int(second, "metadata.generation", 0), 2);
    assert_text_equal(json_get_text(second, "metadata.uid", "?"), json_get_text(first, "metadata.uid", "!"));
    assert_text_equal(json_get_text(second, "status.phase", ""), "Copying");
    assert_text_equal(json_get_text(second, "spec.trigger", ""), "b");
    objects_file_close(objects);
    done(&t);
}

static void keeps_a_second_run_out(void **state)
{
    struct fixture t;
    struct objects *objects, *second = NULL;

    (void)state;
    init(&t);
    objects = open_with(&t, DOCUMENT("\"trigger\":\"a\""));
    assert_fails(objects_file_open(t.dir, &t.base.env, &second), ERR_CONFLICT, "another run uses");
    objects_file_close(objects);
    assert_no_err(objects_file_open(t.dir, &t.base.env, &second));
    objects_file_close(second);
    done(&t);
}

static void writes_only_on_the_newest_version(void **state)
{
    struct fixture t;
    struct objects *objects;
    AUTO_JSON struct json *old = NULL;
    AUTO_JSON struct json *status = parsed("{\"phase\":\"B\"}");
    AUTO_JSON struct json *written = NULL;

    (void)state;
    init(&t);
    objects = open_with(&t, DOCUMENT("\"trigger\":\"a\""));
    old = read_shop(&t, objects);
    json_free(write_phase(&t, objects, "{\"phase\":\"A\"}"));
    assert_fails(objects_write_status(objects, &t.base.env, old, status, &written), ERR_CONFLICT,
                 "changed in between");
    objects_file_close(objects);
    done(&t);
}

static void keeps_what_is_on_disk_when_a_write_fails(void **state)
{
    struct fixture t;
    struct objects *objects;
    AUTO_JSON struct json *object = NULL;
    AUTO_JSON struct json *status = parsed("{\"phase\":\"B\"}");
    AUTO_JSON struct json *written = NULL;
    AUTO_JSON struct json *after = NULL;
    AUTO_FREE char *moved = NULL;

    (void)state;
    init(&t);
    moved = xasprintf("%s-moved", t.dir);
    objects = open_with(&t, DOCUMENT("\"trigger\":\"a\""));
    object = write_phase(&t, objects, "{\"phase\":\"A\"}");
    assert_int_equal(rename(t.dir, moved), 0);
    assert_fails(objects_write_status(objects, &t.base.env, object, status, &written), ERR_INVALID, NULL);
    assert_int_equal(rename(moved, t.dir), 0);
    after = read_shop(&t, objects);
    assert_true(json_equal(after, object));
    assert_no_err(objects_write_status(objects, &t.base.env, object, status, &written));
    objects_file_close(objects);
    done(&t);
}

static void annotates(void **state)
{
    struct fixture t;
    struct objects *objects;
    AUTO_JSON struct json *object = NULL;

    (void)state;
    init(&t);
    objects = open_with(&t, DOCUMENT("\"trigger\":\"a\""));
    assert_no_err(objects_file_annotate(objects, &shop, "stagingrefresh.dev/run-requested", "r1"));
    objects_file_close(objects);
    objects = open_with(&t, DOCUMENT("\"trigger\":\"a\""));
    object = read_shop(&t, objects);
    assert_json_equal(json_at(object, "metadata.annotations"),
                      "{\"stagingrefresh.dev/run-requested\":\"r1\"}");
    objects_file_close(objects);
    done(&t);
}

/* What a worker means to write still follows from what it read; the annotation is not lost either. */
static void writes_a_status_over_an_annotation(void **state)
{
    struct fixture t;
    struct objects *objects;
    AUTO_JSON struct json *read = NULL;
    AUTO_JSON struct json *status = parsed("{\"phase\":\"B\"}");
    AUTO_JSON struct json *written = NULL;

    (void)state;
    init(&t);
    objects = open_with(&t, DOCUMENT("\"trigger\":\"a\""));
    read = read_shop(&t, objects);
    assert_no_err(objects_file_annotate(objects, &shop, "stagingrefresh.dev/approve", "r1"));
    assert_no_err(objects_write_status(objects, &t.base.env, read, status, &written));
    assert_text_equal(json_get_text(written, "status.phase", ""), "B");
    assert_json_equal(json_at(written, "metadata.annotations"), "{\"stagingrefresh.dev/approve\":\"r1\"}");
    objects_file_close(objects);
    done(&t);
}

static bool count_object(void *arg, const struct json *object UNUSED)
{
    ++*(int *)arg;
    return true;
}

static const struct group_row {
    const char *name;
    enum object_kind kind;
    const char *group;
    int want;
} group_rows[] = {
    {.name = "its series", .kind = OBJECT_REFRESH, .group = "staging/shop", .want = 1},
    {.name = "another namespace", .kind = OBJECT_REFRESH, .group = "qa/shop"},
    {.name = "an account by its id", .kind = OBJECT_ACCOUNT, .group = "222222222222", .want = 1},
    {.name = "all of a kind", .kind = OBJECT_ACCOUNT, .group = NULL, .want = 1},
};

static void shows_groups(void **state)
{
    const struct group_row *row = *state;
    AUTO_JSON struct json *account = parsed(ACCOUNT_DOCUMENT("\"accountID\":\"222222222222\""));
    struct objects *objects;
    struct fixture t;
    int count = 0;

    init(&t);
    objects = open_with(&t, DOCUMENT("\"trigger\":\"a\""));
    assert_no_err(objects_file_put(objects, &t.base.env, account));
    objects_each(objects, row->kind, row->group, count_object, &count);
    assert_number(count, row->want);
    objects_file_close(objects);
    done(&t);
}

static void sets_the_finalizer(void **state)
{
    struct fixture t;
    struct objects *objects;
    AUTO_JSON struct json *object = NULL;
    AUTO_JSON struct json *held = NULL;
    AUTO_JSON struct json *again = NULL;
    AUTO_JSON struct json *freed = NULL;

    (void)state;
    init(&t);
    objects = open_with(&t, DOCUMENT("\"trigger\":\"a\""));
    object = read_shop(&t, objects);
    assert_no_err(objects_set_finalizer(objects, &t.base.env, object, true, &held));
    assert_json_equal(json_at(held, "metadata.finalizers"), "[\"stagingrefresh.dev/cleanup\"]");
    assert_no_err(objects_set_finalizer(objects, &t.base.env, held, true, &again));
    assert_true(json_equal(held, again));
    assert_no_err(objects_set_finalizer(objects, &t.base.env, again, false, &freed));
    assert_json_equal(json_at(freed, "metadata.finalizers"), "[]");
    objects_file_close(objects);
    done(&t);
}

/* --- documents that are refused --- */

/* clang-format off */
static const struct refused_row {
    const char *name;
    const char *before; /* NULL: nothing */
    const char *document;
    const char *want;
} refused_rows[] = {
    {.name = "another target", .before = DOCUMENT("\"targetRef\":{\"name\":\"a\"}"), .document = DOCUMENT("\"targetRef\":{\"name\":\"b\"}"),
     .want = "spec.targetRef.name: cannot change from \"a\" to \"b\""},
    {.name = "another series", .before = DOCUMENT(""), .document = DOCUMENT("\"series\":\"other\""),
     .want = "spec.series: cannot change from \"shop\" to \"other\""},
    {.name = "another account", .before = ACCOUNT_DOCUMENT("\"accountID\":\"1\""), .document = ACCOUNT_DOCUMENT("\"accountID\":\"2\""),
     .want = "spec.accountID: cannot change"},
    {.name = "another Region", .before = ACCOUNT_DOCUMENT("\"region\":\"1\""), .document = ACCOUNT_DOCUMENT("\"region\":\"2\""),
     .want = "spec.region: cannot change"},
    {.name = "another usage", .before = ACCOUNT_DOCUMENT("\"usage\":\"1\""), .document = ACCOUNT_DOCUMENT("\"usage\":\"2\""),
     .want = "spec.usage: cannot change"},
    {.name = "a name that is a path", .want = "this cannot be a name",
     .document = "{\"kind\":\"StagingRefresh\",\"metadata\":{\"name\":\"../x\",\"namespace\":\"n\"},\"spec\":{}}"},
    {.name = "a namespace that is a path", .want = "this cannot be a name",
     .document = "{\"kind\":\"StagingRefresh\",\"metadata\":{\"name\":\"x\",\"namespace\":\"..\"},\"spec\":{}}"},
    {.name = "no name", .document = "{\"kind\":\"AWSAccount\",\"spec\":{}}", .want = "this cannot be a name"},
};
/* clang-format on */

static void refuses(void **state)
{
    const struct refused_row *row = *state;
    AUTO_JSON struct json *document = parsed(row->document);
    struct objects *objects = NULL;
    struct fixture t;

    init(&t);
    if (row->before)
        objects_file_close(open_with(&t, row->before));
    assert_no_err(objects_file_open(t.dir, &t.base.env, &objects));
    assert_fails(objects_file_put(objects, &t.base.env, document), ERR_INVALID, row->want);
    objects_file_close(objects);
    done(&t);
}

/* The series' default is the name: writing it out changes nothing. */
static void takes_a_default_for_the_same(void **state)
{
    struct fixture t;

    (void)state;
    init(&t);
    objects_file_close(open_with(&t, DOCUMENT("")));
    objects_file_close(open_with(&t, DOCUMENT("\"series\":\"shop\"")));
    done(&t);
}

static const struct broken_row {
    const char *name, *file, *content, *advice;
} broken_rows[] = {
    {.name = "a refresh that was cut",
     .file = "stagingrefresh_staging_shop.json",
     .content = "{",
     .advice = "record of the run: put back a copy"},
    {.name = "a refresh that is empty",
     .file = "stagingrefresh_staging_shop.json",
     .content = "",
     .advice = "give another --state-dir"},
    {.name = "a refresh that is a list",
     .file = "stagingrefresh_staging_shop.json",
     .content = "[]",
     .advice = "no JSON object"},
    {.name = "an account", .file = "awsaccount_staging.json", .content = "{", .advice = "delete it"},
    {.name = "leftovers",
     .file = "leftovers.json",
     .content = "{\"items\": [",
     .advice = "still to be removed from AWS"},
};

static struct err *open_all(const struct fixture *t, struct objects **ret)
{
    AUTO_JSON struct json *refresh = parsed(DOCUMENT(""));
    AUTO_JSON struct json *account = parsed(ACCOUNT_DOCUMENT(""));
    AUTO_JSON struct json *leftovers = NULL;

    TRY(objects_file_open(t->dir, &t->base.env, ret));
    TRY(objects_file_put(*ret, &t->base.env, account));
    TRY(objects_file_put(*ret, &t->base.env, refresh));
    return objects_read_leftovers(*ret, &t->base.env, &leftovers);
}

/* It says which file, and what becomes of it. */
static void refuses_a_file_that_is_broken(void **state)
{
    const struct broken_row *row = *state;
    AUTO_FREE char *path = NULL;
    AUTO_ERR struct err *err = NULL;
    struct objects *objects = NULL;
    struct fixture t;

    init(&t);
    path = xasprintf("%s/%s", t.dir, row->file);
    assert_no_err(file_replace(path, str_of(row->content), 0600));
    err = open_all(&t, &objects);
    assert_non_null(err);
    assert_int_equal(err_kind(err), ERR_INVALID);
    assert_text_contains(err_text(err), row->file);
    assert_text_contains(err_text(err), row->advice);
    objects_file_close(objects);
    done(&t);
}

/* What the advice about an account promises. */
static void makes_an_account_again(void **state)
{
    AUTO_FREE char *path = NULL;
    struct objects *objects = NULL;
    struct fixture t;

    (void)state;
    init(&t);
    path = xasprintf("%s/awsaccount_staging.json", t.dir);
    assert_no_err(open_all(&t, &objects));
    objects_file_close(objects);
    assert_int_equal(unlink(path), 0);
    assert_no_err(open_all(&t, &objects));
    objects_file_close(objects);
    done(&t);
}

/* --- where state lies --- */

static const struct dir_row {
    const char *name, *xdg, *home, *want;
} dir_rows[] = {
    {.name = "the folder for state", .xdg = "/s", .home = "/h", .want = "/s/stagingrefresh/n/x"},
    {.name = "home", .home = "/h", .want = "/h/.local/state/stagingrefresh/n/x"},
    {.name = "a relative folder is ignored",
     .xdg = "s",
     .home = "/h",
     .want = "/h/.local/state/stagingrefresh/n/x"},
    {.name = "nowhere", .want = NULL},
};

static void finds_the_default_folder(void **state)
{
    const struct dir_row *row = *state;
    AUTO_FREE char *got = objects_file_default_dir(row->xdg, row->home, "n", "x");

    assert_text_equal(got, row->want);
}

int main(void)
{
    struct tests tests = {0};

    TEST(&tests, keeps_an_object_across_runs);
    TEST(&tests, counts_generations);
    TEST(&tests, keeps_a_second_run_out);
    TEST(&tests, writes_only_on_the_newest_version);
    TEST(&tests, keeps_what_is_on_disk_when_a_write_fails);
    TEST(&tests, annotates);
    TEST(&tests, writes_a_status_over_an_annotation);
    TEST_ROWS(&tests, shows_groups, group_rows);
    TEST(&tests, sets_the_finalizer);
    TEST_ROWS(&tests, refuses, refused_rows);
    TEST(&tests, takes_a_default_for_the_same);
    TEST_ROWS(&tests, refuses_a_file_that_is_broken, broken_rows);
    TEST(&tests, makes_an_account_again);
    TEST_ROWS(&tests, finds_the_default_folder, dir_rows);
    return tests_run(&tests, "objects_file");
}
