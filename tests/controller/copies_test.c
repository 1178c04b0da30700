/* Which copy is in use, which was, which is to go. Copies are written as "main:r1:InUse@100": database, run,
 * role, time of creation. */
#include "controller/copies.h"

#include "controller/pass.h"
#include "tests/testing/assertions.h"

static const char *const roles[] = {
    [COPY_UNFINISHED] = "Unfinished", [COPY_IN_USE] = "InUse",      [COPY_PREVIOUS] = "Previous",
    [COPY_FAILED] = "Failed",         [COPY_REMOVING] = "Removing",
};

static enum copy_role role_of(struct str name)
{
    for (size_t i = 0; i < COUNT_OF(roles); i++) {
        if (str_is(name, roles[i]))
            return (enum copy_role)i;
    }
    fail_msg("no role");
    return COPY_FAILED;
}

static void add_copy(struct refresh_status *status, struct str text)
{
    struct str database = {0}, run = {0}, role = {0};
    struct copy_status *copy;
    AUTO_FREE char *arn = NULL;

    str_cut(&text, ':', &database);
    str_cut(&text, ':', &run);
    str_cut(&text, '@', &role);
    arn = xasprintf("arn:" STR_FMT ":" STR_FMT, STR_ARG(database), STR_ARG(run));
    copy = status_add_copy(status, arn);
    copy->database = str_dup(database);
    copy->run_id = str_dup(run);
    copy->role = role_of(role);
    assert_true(str_to_int(text, &copy->creation_ms));
}

static struct refresh_status *status_of(const char *run, const char *copies)
{
    struct refresh_status *status = refresh_status_new();
    struct str rest = str_of(copies), piece = {0};

    status->run.id = xstrdup(run);
    while (rest.len && str_cut(&rest, ' ', &piece))
        add_copy(status, piece);
    return status;
}

static char *text_of(const struct refresh_status *status)
{
    AUTO_BUF struct buf text = BUF_MAX(4 * KIB);

    for (size_t i = 0; i < status->copy_count; i++)
        buf_addf(&text, "%s%s:%s:%s@%lld", i ? " " : "", status->copies[i].database, status->copies[i].run_id,
                 roles[status->copies[i].role], (long long)status->copies[i].creation_ms);
    return buf_take(&text);
}

/* --- booking --- */

struct book_row {
    const char *name, *before;
    bool succeeded;
    const char *used; /* ARN of what database main has switched to */
    const char *after;
};

static const struct book_row book_rows[] = {
    {"the first run", "main:r2:Unfinished@2", true, "arn:main:r2", "main:r2:InUse@2"},
    {"what was in use is previous", "main:r1:InUse@1 main:r2:Unfinished@2", true, "arn:main:r2",
     "main:r1:Previous@1 main:r2:InUse@2"},
    {"a run that failed changes nothing of what is in use", "main:r1:InUse@1 main:r2:Unfinished@2", false,
     "arn:main:r2", "main:r1:InUse@1 main:r2:Failed@2"},
    {"back to an older one", "main:r0:Previous@0 main:r1:InUse@1", true, "arn:main:r0",
     "main:r0:InUse@0 main:r1:Previous@1"},
    {"a database that the run does not carry", "main:r1:InUse@1 side:r1:InUse@1 main:r2:Unfinished@2", true,
     "arn:main:r2", "main:r1:Previous@1 side:r1:InUse@1 main:r2:InUse@2"},
    {"what is being removed stays so", "main:r0:Removing@0 main:r2:Unfinished@2", true, "arn:main:r2",
     "main:r0:Removing@0 main:r2:InUse@2"},
    {"a copy of nobody's run was made in vain", "main:r1:Unfinished@1 main:r2:Unfinished@2", true,
     "arn:main:r2", "main:r1:Failed@1 main:r2:InUse@2"},
    {"again", "main:r1:Previous@1 main:r2:InUse@2", true, "arn:main:r2",
     "main:r1:Previous@1 main:r2:InUse@2"},
};

static void books(void **state)
{
    const struct book_row *row = *state;
    AUTO_REFRESH_STATUS struct refresh_status *status = status_of("r2", row->before);
    AUTO_FREE char *got = NULL;

    text_replace(&status_add_database(status, "main")->copy_arn, row->used);
    copies_book(status, row->succeeded);
    got = text_of(status);
    assert_text_equal(got, row->after);
}

/* --- marking --- */

struct mark_row {
    const char *name, *before;
    int64_t previous, failed;
    const char *kept_run, *after;
};

#define THREE "main:r1:Previous@1 main:r2:Previous@2 main:r3:InUse@3"
#define FAILURES "main:f1:Failed@1 main:f2:Failed@2"

static const struct mark_row mark_rows[] = {
    {"none is kept", THREE, 0, 0, NULL, "main:r1:Removing@1 main:r2:Removing@2 main:r3:InUse@3"},
    {"the newest is kept", THREE, 1, 0, NULL, "main:r1:Removing@1 main:r2:Previous@2 main:r3:InUse@3"},
    {"two are kept", THREE, 2, 0, NULL, THREE},
    {"what is in use stays, however old", "main:r1:InUse@1 main:r2:Previous@2 main:r3:Previous@3", 1, 0, NULL,
     "main:r1:InUse@1 main:r2:Removing@2 main:r3:Previous@3"},
    {"each database by itself", "main:r1:Previous@1 side:r1:Previous@1 side:r2:Previous@2", 1, 0, NULL,
     "main:r1:Previous@1 side:r1:Removing@1 side:r2:Previous@2"},
    {"failed ones have a number of their own", FAILURES " main:r1:Previous@1", 1, 1, NULL,
     "main:f1:Removing@1 main:f2:Failed@2 main:r1:Previous@1"},
    {"no failed one", FAILURES, 1, 0, NULL, "main:f1:Removing@1 main:f2:Removing@2"},
    {"the run that failed last can be retried", FAILURES, 1, 0, "f2", "main:f1:Removing@1 main:f2:Failed@2"},
    {"and does not count", FAILURES " main:f3:Failed@3", 1, 1, "f3",
     "main:f1:Removing@1 main:f2:Failed@2 main:f3:Failed@3"},
    {"made in the same second", "main:r1:Previous@1 main:r2:Previous@1", 1, 0, NULL,
     "main:r1:Removing@1 main:r2:Previous@1"},
    {"what is being made is left alone", "main:r1:Unfinished@1", 0, 0, NULL, "main:r1:Unfinished@1"},
};

static void marks(void **state)
{
    const struct mark_row *row = *state;
    const struct retention keep = {.previous_copies = row->previous, .failed_copies = row->failed};
    AUTO_REFRESH_STATUS struct refresh_status *status = status_of("r9", row->before);
    AUTO_FREE char *got = NULL;

    copies_mark(status, &keep, row->kept_run);
    got = text_of(status);
    assert_text_equal(got, row->after);
}

/* --- adopting --- */

static void takes_over_what_other_objects_have_made(void **state)
{
    struct database_spec ours[] = {{.name = (char[]){"main"}, .kind = DATABASE_AURORA},
                                   {.name = (char[]){"side"}, .kind = DATABASE_AURORA}},
                         theirs[] = {ours[0], ours[1]};
    const struct refresh_spec spec = {.databases = ours, .database_count = 2},
                              other_spec = {.databases = theirs, .database_count = 2};
    AUTO_REFRESH_STATUS struct refresh_status *succeeded = status_of("r2", "main:r2:InUse@2");
    AUTO_REFRESH_STATUS struct refresh_status *failed = status_of("r2", "main:r2:Failed@2");
    AUTO_REFRESH_STATUS struct refresh_status *other =
        status_of("r1", "main:r0:Previous@0 main:f1:Failed@1 main:u1:Unfinished@1 main:r1:InUse@1 "
                        "main:r2:Previous@2 side:r1:InUse@1 gone:r1:InUse@1");
    const struct copies_owner owner = {.status = other, .spec = &other_spec};
    AUTO_FREE char *after_success = NULL;
    AUTO_FREE char *after_failure = NULL;

    (void)state;
    theirs[1].aurora.cluster_identifier = (char[]){"another"}; /* whoever uses its copies is not known here */
    other->copies[0].protected_by_settings = true;
    copies_adopt(succeeded, &spec, &owner, true);
    copies_adopt(succeeded, &spec, &owner, true);
    after_success = text_of(succeeded);
    assert_text_equal(after_success, "main:r2:InUse@2 main:r0:Previous@0 main:f1:Failed@1 main:u1:Failed@1 "
                                     "main:r1:Previous@1");
    assert_true(succeeded->copies[1].protected_by_settings);
    assert_false(succeeded->copies[2].protected_by_settings);
    copies_adopt(failed, &spec, &owner, false);
    after_failure = text_of(failed);
    assert_text_equal(after_failure, "main:r2:Failed@2 main:f1:Failed@1 main:u1:Failed@1");
}

/* --- handing over --- */

static const struct hand_over_row {
    const char *name, *before, *later, *after;
} hand_over_rows[] = {
    {"a later copy is in use", "main:r1:InUse@1", "main:r2:InUse@2", "main:r1:Previous@1"},
    {"none is", "main:r1:InUse@1", "main:r1:Previous@1 main:r2:Failed@2", "main:r1:InUse@1"},
    {"the same one is", "main:r1:InUse@1", "main:r2:Previous@2 main:r1:InUse@1", "main:r1:InUse@1"},
    {"a database that the later run does not carry", "main:r1:InUse@1 gone:r1:InUse@1", "main:r2:InUse@2",
     "main:r1:Previous@1 gone:r1:InUse@1"},
    {"another source under the same name", "side:r1:InUse@1", "side:r2:InUse@2", "side:r1:InUse@1"},
    {"other roles stay", "main:r0:Removing@0 main:f1:Failed@1 main:r1:InUse@1", "main:r2:InUse@2",
     "main:r0:Removing@0 main:f1:Failed@1 main:r1:Previous@1"},
};

static void hands_over_what_a_later_run_has_replaced(void **state)
{
    const struct hand_over_row *row = *state;
    struct database_spec ours[] = {{.name = (char[]){"main"}, .kind = DATABASE_AURORA},
                                   {.name = (char[]){"side"}, .kind = DATABASE_AURORA}},
                         theirs[] = {ours[0], ours[1]};
    const struct refresh_spec spec = {.databases = ours, .database_count = 2},
                              later_spec = {.databases = theirs, .database_count = 2};
    AUTO_REFRESH_STATUS struct refresh_status *status = status_of("r1", row->before);
    AUTO_REFRESH_STATUS struct refresh_status *later = status_of("r2", row->later);
    AUTO_FREE char *got = NULL;

    theirs[1].aurora.cluster_identifier = (char[]){"another"};
    copies_hand_over(status, &spec, later, &later_spec);
    got = text_of(status);
    assert_text_equal(got, row->after);
}

static char *places_of(const struct copy_status *copy)
{
    AUTO_BUF struct buf text = BUF_MAX(KIB);

    for (size_t i = 0; i < copy->place_count; i++)
        buf_addf(&text, "%s%s", i ? " " : "", copy->places[i].target);
    return buf_take(&text);
}

#define SSM(path)                                                  \
    {                                                              \
        .kind = PARAMETER_SSM, .target = (char *)(uintptr_t)(path) \
    }

/* Of the other, as it is and as it ran, and of those before it; not one's own. */
static void remembers_where_the_others_write(void **state UNUSED)
{
    struct database_spec main = {.name = (char[]){"main"}, .kind = DATABASE_AURORA};
    struct parameter_spec ours[] = {SSM("/a")}, theirs[] = {SSM("/a"), SSM("/b")}, before[] = {SSM("/c")},
                          left[] = {SSM("/a"), SSM("/e")};
    struct parameter_spec earlier = SSM("/d");
    struct refresh_spec spec = {.databases = &main,
                                .database_count = 1,
                                .parameters = ours,
                                .parameter_count = 1},
                        other_spec = spec, frozen = spec;
    AUTO_REFRESH_STATUS struct refresh_status *status = status_of("r2", "main:r2:InUse@2");
    AUTO_REFRESH_STATUS struct refresh_status *other = status_of("r1", "main:r1:InUse@1");
    const struct copies_owner owner = {.status = other, .spec = &other_spec, .frozen = &frozen};
    const struct leftover kept = {.namespace = NULL,
                                  .arn = (char[]){"arn:main:r1"},
                                  .database = main.name,
                                  .database_kind = DATABASE_AURORA,
                                  .parameters = left,
                                  .parameter_count = COUNT_OF(left)};
    AUTO_FREE char *got = NULL;

    other_spec.parameters = theirs;
    other_spec.parameter_count = COUNT_OF(theirs);
    frozen.parameters = before;
    copy_add_place(&other->copies[0], &earlier);
    for (int i = 0; i < 2; i++) {
        copies_adopt(status, &spec, &owner, true);
        copies_adopt_kept(status, &spec, &kept);
    }
    assert_number((int64_t)status->copy_count, 2);
    got = places_of(&status->copies[1]);
    assert_text_equal(got, "/d /b /c /e");
}

/* --- taken over --- */

struct heir_row {
    const char *name, *theirs;
    bool of_same_line, taken_over;
};

static const struct heir_row heir_rows[] = {
    {"it is on the other's list", "main:r1:Previous@1 main:r2:InUse@2", true, true},
    {"it is being removed by the other", "main:r1:Removing@1", true, true},
    {"the other has let it go", "main:r2:InUse@2", true, true},
    {"the other has not succeeded", "main:r2:Failed@2", true, false},
    {"the other uses an older one", "main:r0:InUse@0", true, false},
    {"the other has another database", "side:r2:InUse@2", true, false},
    {"the other is of another line", "main:r2:InUse@2", false, false},
    {"of another line, but on its list", "main:r1:Previous@1", false, true},
    {"the other knows of nothing", "", true, false},
};

static void knows_what_another_object_has_taken_over(void **state)
{
    const struct heir_row *row = *state;
    struct database_spec ours = {.name = (char[]){"main"}, .kind = DATABASE_AURORA}, theirs = ours;
    const struct refresh_spec spec = {.databases = &ours, .database_count = 1},
                              other_spec = {.databases = &theirs, .database_count = 1};
    AUTO_REFRESH_STATUS struct refresh_status *status = status_of("r1", "main:r1:InUse@1");
    AUTO_REFRESH_STATUS struct refresh_status *other = status_of("r2", row->theirs);

    if (!row->of_same_line)
        theirs.aurora.cluster_identifier = (char[]){"another"};
    assert_int_equal(copies_are_taken_over(&status->copies[0], &spec, other, &other_spec), row->taken_over);
}

/* --- restores that were given up --- */

static void books_what_a_job_will_still_make(void **state)
{
    AUTO_REFRESH_STATUS struct refresh_status *status = status_of("r2", "");
    struct database_spec database = {.name = (char[]){"main"}, .kind = DATABASE_AURORA};
    const struct refresh_spec spec = {.databases = &database, .database_count = 1};
    const struct account target = {.account_id = (char[]){"222222222222"}, .region = (char[]){"eu-west-1"}};
    struct database_status *row = status_add_database(status, "main");
    struct step_status *restore;

    (void)state;
    row->copy_identifier = xstrdup("stg-r2");
    for (size_t i = 0; i < workflow_pipeline(DATABASE_AURORA)->count; i++)
        status_add_step(&row->steps, &row->step_count, workflow_pipeline(DATABASE_AURORA)->steps[i].name);
    restore = status_add_step(&row->steps, &row->step_count, "Restore");
    restore->state = STEP_FAILED;
    restore->external_id = xstrdup("R-1");
    step_set_evidence(restore, "reason", "RestoreFailed");
    copies_book_unseen(status, &spec, &target);
    assert_number((int64_t)status->copy_count, 0);
    step_set_evidence(restore, "reason", "TimedOut");
    copies_book_unseen(status, &spec, &target);
    copies_book_unseen(status, &spec, &target);
    assert_number((int64_t)status->copy_count, 1);
    assert_text_equal(status->copies[0].arn, "arn:aws:rds:eu-west-1:222222222222:cluster:stg-r2");
    assert_text_equal(status->copies[0].restore_job_id, "R-1");
    assert_number(status->copies[0].role, COPY_FAILED);
}

int main(void)
{
    struct tests tests = {0};

    TEST_ROWS(&tests, books, book_rows);
    TEST_ROWS(&tests, marks, mark_rows);
    TEST(&tests, takes_over_what_other_objects_have_made);
    TEST_ROWS(&tests, hands_over_what_a_later_run_has_replaced, hand_over_rows);
    TEST(&tests, remembers_where_the_others_write);
    TEST_ROWS(&tests, knows_what_another_object_has_taken_over, heir_rows);
    TEST(&tests, books_what_a_job_will_still_make);
    return tests_run(&tests, "copies");
}
