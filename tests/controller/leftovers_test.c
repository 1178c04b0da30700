#include "controller/leftovers.h"

#include "tests/testing/assertions.h"

/* A place that keeps one document, and lets somebody else write first now and then. */
struct place {
    struct objects base;
    struct json *document;
    int writes, rivals; /* so many writes meet another's */
};

static struct err *read_place(struct objects *self, const struct env *env UNUSED, struct json **ret)
{
    const struct place *place = (const struct place *)self;

    *ret = place->document ? json_copy(place->document) : NULL;
    return NULL;
}

static struct err *write_place(struct objects *self, const struct env *env UNUSED,
                               const struct json *document)
{
    struct place *place = (struct place *)self;
    AUTO_FREE char *version = xasprintf("%d", ++place->writes);

    if (place->rivals-- > 0)
        return err_new(ERR_CONFLICT, "somebody was faster");
    json_free(place->document);
    place->document = json_copy(document);
    json_set_text(json_edit(place->document, "metadata"), "resourceVersion", version);
    return NULL;
}

static const struct objects_ops ops = {.read_leftovers = read_place, .write_leftovers = write_place};

static int setup(void **state)
{
    struct place *place = xcalloc(1, sizeof(*place));

    place->base.ops = &ops;
    *state = place;
    return 0;
}

static int teardown(void **state)
{
    struct place *place = *state;

    json_free(place->document);
    xfree(place);
    return 0;
}

static struct leftover *add_job(struct leftovers *list, const char *database, const char *job_id)
{
    struct leftover *item = leftovers_append(list);

    *item = (struct leftover){.kind = LEFTOVER_RESTORE_JOB,
                              .database_kind = DATABASE_AURORA,
                              .namespace = xstrdup("staging"),
                              .name = xstrdup("shop"),
                              .uid = xstrdup("u-1"),
                              .series = xstrdup("shop"),
                              .run_id = xstrdup("20261122-160000-aaaaa"),
                              .database = xstrdup(database),
                              .account = xstrdup("staging"),
                              .account_id = xstrdup("222222222222"),
                              .job_id = xstrdup_or_null(job_id),
                              .identifier = xstrdup("shop-stg-20261122-160000-aaaaa"),
                              .may_unprotect = true,
                              .since_ms = INT64_C(1795363200000),
                              .left_ms = INT64_C(1795363260000)};
    item->parameters = xcalloc(1, sizeof(*item->parameters));
    item->parameter_count = 1;
    item->parameters[0] = (struct parameter_spec){
        .kind = PARAMETER_SECRETS_MANAGER, .target = xstrdup("shop/stg/app"), .key = xstrdup("DB_HOST")};
    return item;
}

static size_t entries(const struct place *place)
{
    return json_count(json_member(place->document, "data"));
}

static void an_entry_comes_back_as_it_was(void **state UNUSED)
{
    AUTO_LEFTOVERS struct leftovers list = {0};
    AUTO_LEFTOVER struct leftover back = {0};
    AUTO_JSON struct json *value = leftover_to_json(add_job(&list, "main", "job-1"));
    AUTO_JSON struct json *again = NULL;

    assert_no_err(leftover_parse(value, &back));
    again = leftover_to_json(&back);
    assert_true(json_equal(value, again));
    assert_string_equal(back.parameters[0].key, "DB_HOST");
    assert_true(back.may_unprotect);
    assert_number(back.since_ms, INT64_C(1795363200000));
}

/* --- what must not name the copy --- */

struct written_row {
    const char *name;
    const char *run_id; /* of the copy */
    int64_t start_ms;   /* of the parameter's row */
    bool unwritten;     /* in the cluster */
};

static const struct written_row written_rows[] = {
    {"the switchover has not begun", "r2", 0, true},
    {"it has begun", "r2", 1, false},
    {"a copy of an earlier run", "r1", 0, false},
};

static void what_no_run_has_written_is_known(void **state)
{
    const struct written_row *row = *state;
    struct parameter_spec parameters[] = {
        {.name = (char[]){"a"},
         .kind = PARAMETER_CONFIG_MAP,
         .target = (char[]){"app"},
         .key = (char[]){"HOST"}},
        {.name = (char[]){"b"}, .kind = PARAMETER_SSM, .target = (char[]){"/b"}},
    };
    struct refresh_spec spec = {.target = (char[]){"staging"},
                                .series = (char[]){"shop"},
                                .parameters = parameters,
                                .parameter_count = COUNT_OF(parameters)};
    AUTO_REFRESH_STATUS struct refresh_status *status = refresh_status_new();
    AUTO_LEFTOVERS struct leftovers list = {0};
    AUTO_LEFTOVER struct leftover back = {0};
    struct pass pass = {
        .namespace = "staging", .name = "shop", .uid = "u", .spec = &spec, .live = &spec, .status = status};
    struct copy_status *copy = status_add_copy(status, "arn");

    status->run.id = xstrdup("r2");
    copy->identifier = xstrdup("stg-r");
    copy->database = xstrdup("main");
    copy->run_id = xstrdup(row->run_id);
    status_add_step(&status->switchover_steps, &status->switchover_step_count, "Parameters/a")->start_ms =
        row->start_ms;
    leftovers_of_object(&pass, true, &list);
    assert_number(list.count, 1);
    AUTO_JSON struct json *value = leftover_to_json(&list.items[0]);
    assert_no_err(leftover_parse(value, &back));
    assert_number(back.parameter_count, 2);
    assert_number(back.parameters[0].unwritten, row->unwritten);
    assert_false(back.parameters[1].unwritten);
}

struct bad_row {
    const char *name, *text;
};

static const struct bad_row bad_rows[] = {
    {.name = "not an object", .text = "7"},
    {.name = "another kind", .text = "{\"kind\": \"Bucket\"}"},
    {.name = "nobody's", .text = "{\"kind\": \"Copy\", \"account\": \"staging\"}"},
    {.name = "a copy of no name",
     .text = "{\"kind\": \"Copy\", \"account\": \"a\", \"namespace\": \"n\", \"series\": \"s\", \"runID\": "
             "\"r\", "
             "\"database\": \"d\"}"},
    {.name = "a parameter of no kind",
     .text =
         "{\"kind\": \"RestoreJob\", \"account\": \"a\", \"namespace\": \"n\", \"series\": \"s\", \"runID\": "
         "\"r\", \"database\": \"d\", \"parameters\": [{\"kind\": \"x\", \"target\": \"t\"}]}"},
};

static void what_is_no_entry_is_refused(void **state)
{
    const struct bad_row *row = *state;
    AUTO_JSON struct json *value = NULL;
    AUTO_LEFTOVER struct leftover item = {0};
    AUTO_ERR struct err *err = NULL;

    assert_no_err(json_parse(str_of(row->text), NULL, &value));
    err = leftover_parse(value, &item);
    assert_err_kind(err, ERR_INVALID);
}

static void the_same_thing_is_one_entry(void **state)
{
    struct place *place = *state;
    AUTO_LEFTOVERS struct leftovers list = {0};
    AUTO_LEFTOVERS struct leftovers found = {0};

    add_job(&list, "main", NULL);
    add_job(&list, "other", "job-2");
    assert_no_err(leftovers_write(&place->base, NULL, &list));
    assert_number((int64_t)entries(place), 2);
    add_job(&found, "main", "job-1"); /* its id is known now */
    assert_no_err(leftovers_write(&place->base, NULL, &found));
    assert_number((int64_t)entries(place), 2);
    assert_number(place->writes, 1);
}

static void a_rival_is_given_way(void **state)
{
    struct place *place = *state;
    AUTO_LEFTOVERS struct leftovers list = {0};

    add_job(&list, "main", "job-1");
    place->rivals = 3;
    assert_no_err(leftovers_write(&place->base, NULL, &list));
    assert_number((int64_t)entries(place), 1);
}

static void a_change_holds_only_for_what_was_read(void **state)
{
    struct place *place = *state;
    AUTO_LEFTOVERS struct leftovers list = {0};
    AUTO_FREE char *key = leftover_key(add_job(&list, "main", "job-1"));
    struct leftover_change change = {.key = key, .before = "something else", .after = NULL};
    const char *text;

    assert_no_err(leftovers_write(&place->base, NULL, &list));
    assert_no_err(leftovers_change(&place->base, NULL, &change, 1));
    assert_number((int64_t)entries(place), 1);
    text = json_get_text(json_member(json_member(place->document, "data"), key), NULL, NULL);
    change.before = text;
    assert_no_err(leftovers_change(&place->base, NULL, &change, 1));
    assert_number((int64_t)entries(place), 0);
}

static void a_full_list_takes_no_more(void **state)
{
    struct place *place = *state;
    AUTO_LEFTOVERS struct leftovers list = {0};
    AUTO_ERR struct err *err = NULL;

    for (int i = 0; i <= LEFTOVERS_MAX; i++) {
        AUTO_FREE char *database = xasprintf("db-%d", i);

        add_job(&list, database, "job");
    }
    err = leftovers_write(&place->base, NULL, &list);
    assert_err_kind(err, ERR_INVALID);
    assert_number(place->writes, 0);
}

/* --- copies that are kept --- */

static struct leftover *add_kept(struct leftovers *list, const char *uid, const char *series, const char *arn)
{
    struct leftover *item = add_job(list, "main", "job-1");

    item->kind = LEFTOVER_KEPT_COPY;
    text_replace(&item->uid, uid);
    text_replace(&item->series, series);
    item->arn = xstrdup(arn);
    item->resource = xstrdup("shop");
    item->prefix = xstrdup("shop-stg");
    item->created_ms = INT64_C(1795363100000);
    return item;
}

static void a_kept_copy_waits_for_its_series(void **state)
{
    struct place *place = *state;
    AUTO_LEFTOVERS struct leftovers list = {0};
    AUTO_LEFTOVERS struct leftovers again = {0};
    AUTO_LEFTOVERS struct leftovers found = {0};
    AUTO_LEFTOVERS struct leftovers none = {0};

    add_kept(&list, "u-1", "shop", "arn:1");
    add_kept(&list, "u-1", "other", "arn:2");
    add_kept(&again, "u-2", "shop", "arn:1"); /* whoever it was that knew of it */
    assert_no_err(leftovers_write(&place->base, NULL, &list));
    assert_no_err(leftovers_write(&place->base, NULL, &again));
    assert_number((int64_t)entries(place), 2);
    assert_no_err(leftovers_read_kept(&place->base, NULL, "staging", "shop", &found));
    assert_number((int64_t)found.count, 1);
    assert_text_equal(found.items[0].arn, "arn:1");
    assert_text_equal(found.items[0].resource, "shop");
    assert_text_equal(found.items[0].prefix, "shop-stg");
    assert_number(found.items[0].created_ms, INT64_C(1795363100000));
    assert_no_err(leftovers_drop(&place->base, NULL, &found));
    assert_no_err(leftovers_drop(&place->base, NULL, &found));
    assert_no_err(leftovers_read_kept(&place->base, NULL, "staging", "shop", &none));
    assert_number((int64_t)none.count, 0);
    assert_number((int64_t)entries(place), 1);
}

static void what_is_kept_leaves_room_for_the_rest(void **state)
{
    struct place *place = *state;
    AUTO_LEFTOVERS struct leftovers kept = {0};
    AUTO_LEFTOVERS struct leftovers one_more = {0};
    AUTO_LEFTOVERS struct leftovers rest = {0};
    AUTO_ERR struct err *err = NULL;

    for (int i = 0; i < LEFTOVERS_MAX / LEFTOVERS_KEPT_PART; i++) {
        AUTO_FREE char *arn = xasprintf("arn:%d", i);

        add_kept(&kept, "u-1", "shop", arn);
    }
    add_kept(&one_more, "u-1", "shop", "arn:more");
    add_job(&rest, "main", "job-1");
    assert_no_err(leftovers_write(&place->base, NULL, &kept));
    err = leftovers_write(&place->base, NULL, &one_more);
    assert_err_kind(err, ERR_INVALID);
    assert_no_err(leftovers_write(&place->base, NULL, &rest));
    assert_number((int64_t)entries(place), LEFTOVERS_MAX / LEFTOVERS_KEPT_PART + 1);
}

int main(void)
{
    struct tests tests = {0};

    TEST(&tests, an_entry_comes_back_as_it_was);
    TEST_ROWS(&tests, what_no_run_has_written_is_known, written_rows);
    TEST_ROWS(&tests, what_is_no_entry_is_refused, bad_rows);
    tests.set_up = setup;
    tests.tear_down = teardown;
    TEST(&tests, the_same_thing_is_one_entry);
    TEST(&tests, a_rival_is_given_way);
    TEST(&tests, a_change_holds_only_for_what_was_read);
    TEST(&tests, a_full_list_takes_no_more);
    TEST(&tests, a_kept_copy_waits_for_its_series);
    TEST(&tests, what_is_kept_leaves_room_for_the_rest);
    return tests_run(&tests, "leftovers");
}
