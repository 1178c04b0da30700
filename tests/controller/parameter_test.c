/* A parameter of SSM that is put back when it, or what it held before, is not there any more. */
#include "controller/steps/steps.h"

#include "tests/pkg/aws/fixture.h"

/* Of a constant where a struct owns its text; nothing frees it here. */
#define TEXT(literal) ((char *)(uintptr_t)(literal))
#define IS(value) \
    "{\"Parameter\":{\"Name\":\"/host\",\"Type\":\"String\",\"Value\":\"" value "\",\"Version\":3}}"

struct row {
    const char *name;
    struct exchange exchanges[4];
    const char *error;   /* NULL: it is done */
    const char *message; /* then */
};

static const struct row rows[] = {
    {.name = "the parameter is gone",
     .exchanges =
         {{.body_contains = {"\"/host\""}, .status = 400, .reply = "{\"__type\":\"ParameterNotFound\"}"},
          {.body_contains = {"\"/host\""}, .status = 400, .reply = "{\"__type\":\"ParameterNotFound\"}"}},
     .message = "/host is not there any more"},
    {.name = "what it held before is gone",
     .exchanges = {{.body_contains = {"\"/host\""}, .reply = IS("new")},
                   {.body_contains = {"\"/host:2\""},
                    .status = 400,
                    .reply = "{\"__type\":\"ParameterVersionNotFound\"}"},
                   {.body_contains = {"\"/host\""}, .reply = IS("new")}},
     .error = "read parameter /host:2"},
    {.name = "somebody else has written it",
     .exchanges = {{.body_contains = {"\"/host\""}, .reply = IS("theirs")}},
     .message = "somebody else"},
    {.name = "it may not be read",
     .exchanges = {{.status = 400, .reply = "{\"__type\":\"AccessDeniedException\"}"}},
     .error = "AccessDenied"},
};

static size_t count_of(const struct row *row)
{
    size_t count = 0;

    while (count < COUNT_OF(row->exchanges) && (row->exchanges[count].reply || row->exchanges[count].status))
        count++;
    return count;
}

static void is_put_back(void **state)
{
    const struct row *row = *state;
    struct parameter_spec parameter = {
        .name = TEXT("db-host"), .value = TEXT("new"), .kind = PARAMETER_SSM, .target = TEXT("/host")};
    struct refresh_spec spec = {.parameters = &parameter, .parameter_count = 1};
    AUTO_REFRESH_STATUS struct refresh_status *status = refresh_status_new();
    struct step_status step = {.name = TEXT("Parameters/db-host"), .state = STEP_DONE};
    AUTO_OUTCOME struct outcome out = {0};
    struct fixture f;

    fixture_init(&f, AWS_TARGET, row->exchanges, count_of(row));
    status->run.id = xstrdup("20261122-160000-abcde");
    text_replace(&status_set_previous(status, "SSM", "db-host")->version, "2");
    struct pass pass = {.env = &f.t.env, .spec = &spec, .status = status, .target = f.aws};
    struct stage stage = {.pass = &pass, .row = &step};

    AUTO_ERR struct err *err = parameter_undo(&stage, &out);
    assert_text_contains(err ? err_text(err) : out.message, row->error ? row->error : row->message);
    assert_true((err != NULL) == (row->error != NULL));
    fixture_done(&f);
}

int main(void)
{
    struct tests tests = {0};

    TEST_ROWS(&tests, is_put_back, rows);
    return tests_run(&tests, "parameter");
}
