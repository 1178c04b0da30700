#include "pkg/serve/health.h"

#include "tests/testing/assertions.h"

static bool holds(void *arg)
{
    return arg == NULL;
}

static char broken;

static const struct health_check ready_checks[] = {
    {.name = "caches", .holds = holds},
    {.name = "lease", .holds = holds, .arg = &broken},
};
static const struct health_check live_checks[] = {
    {.name = "workers", .holds = holds},
    {.name = "main", .holds = holds},
};
static const struct health_page pages[] = {
    {.name = "readyz", .checks = ready_checks, .count = COUNT_OF(ready_checks)},
    {.name = "livez", .checks = live_checks, .count = COUNT_OF(live_checks)},
    {.name = "healthz"},
};

static const struct row {
    const char *name, *path, *query;
    int status; /* 0: none of its pages */
    const char *body;
} rows[] = {
    {"fine", "/livez", "", 200, "ok"},
    {"no checks", "/healthz", "", 200, "ok"},
    {"a slash behind", "/livez/", "", 200, "ok"},
    {"told at length", "/livez", "verbose", 200, "[+]workers ok\n[+]main ok\nlivez check passed\n"},
    {"with a value", "/livez", "verbose=true", 200, "[+]workers ok\n[+]main ok\nlivez check passed\n"},
    {"not fine", "/readyz", "", 500, "[+]caches ok\n[-]lease failed: reason withheld\nreadyz check failed\n"},
    {"without it", "/readyz", "exclude=lease", 200, "ok"},
    {"without it, at length", "/readyz", "exclude=lease&verbose", 200,
     "[+]caches ok\n[+]lease excluded: ok\nreadyz check passed\n"},
    {"without another", "/readyz", "exclude=leas", 500,
     "[+]caches ok\n[-]lease failed: reason withheld\nreadyz check failed\n"},
    {"one that holds", "/readyz/caches", "", 200, "ok"},
    {"one that does not", "/readyz/lease", "", 500, "[-]lease failed: reason withheld\n"},
    {"one that is not there", "/readyz/nothing", "", 0, ""},
    {"deeper", "/readyz/caches/more", "", 0, ""},
    {"another page", "/metrics", "", 0, ""},
    {"the beginning of a name", "/ready", "", 0, ""},
    {"nothing", "/", "", 0, ""},
};

static void answers(void **state)
{
    const struct row *row = *state;
    struct serve_answer answer = {.status = 200, .body = BUF_MAX(KIB)};
    bool found = health_answer(pages, COUNT_OF(pages),
                               &(struct serve_request){.path = row->path, .query = row->query}, &answer);

    assert_number(found ? answer.status : 0, row->status);
    assert_text_equal(buf_text(&answer.body), row->body);
    buf_done(&answer.body);
}

int main(void)
{
    struct tests tests = {0};

    TEST_ROWS(&tests, answers, rows);
    return tests_run(&tests, "health");
}
