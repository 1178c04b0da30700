#include "plugin/list.h"

#include "tests/plugin/plugin_testing.h"

#define ROWS_MAX 3

/* clang-format off */
static const struct row {
    const char *name;
    const char *statuses[ROWS_MAX]; /* "": a fresh object */
    bool namespaces;
    int width;
    const char *want;
} rows[] = {
    {.name = "none", .want = "NAME   PHASE   PROGRESS   RUN   TIME   NOTE\n"},
    {.name = "new and old", .statuses = {"", STATUS("Succeeded", "100%", ENDED_RUN, CONDITIONS(CONDITION("Ready", "True", "R", "fine")))},
     .want = "NAME   PHASE       PROGRESS   RUN   TIME    NOTE\n"
             "shop   New\n"
             "shop   Succeeded   100%       r2    1m00s\n"},
    {.name = "what a person should know",
     .statuses = {STATUS("AwaitingApproval", "95%", ACTIVE_RUN, SWITCHOVER(ROW("Approval", "Running", "," START))),
                  STATUS("Failed", "40%", ENDED_RUN, CONDITIONS(CONDITION("Stalled", "True", "R", "no such vault"))),
                  STATUS("Succeeded", "100%", ENDED_RUN, CONDITIONS(CONDITION("Drifted", "True", "R", "changed")))},
     .namespaces = true,
     .want = "NAMESPACE   NAME   PHASE              PROGRESS   RUN   TIME    NOTE\n"
             "staging     shop   AwaitingApproval   95%        r2    5m05s   waits for approval\n"
             "staging     shop   Failed             40%        r2    1m00s   no such vault\n"
             "staging     shop   Succeeded          100%       r2    1m00s   changed\n"},
    {.name = "nonsense in a status", .statuses = {"{\"phase\":7}"},
     .want = "NAME   PHASE   PROGRESS   RUN   TIME   NOTE\n"
             "shop                                   its status cannot be read: status.phase: expected string\n"},
    {.name = "cut", .statuses = {STATUS("Failed", "40%", ENDED_RUN, CONDITIONS(CONDITION("Stalled", "True", "R", "no such vault")))}, .width = 48,
     .want = "NAME   PHASE    PROGRESS   RUN   TIME    NOTE\n"
             "shop   Failed   40%        r2    1m00s   no suc\n"},
};
/* clang-format on */

static void lists(void **state)
{
    const struct row *row = *state;
    struct json *objects[ROWS_MAX] = {0};
    const struct json *items[ROWS_MAX];
    struct list_view view = {
        .objects = items, .now_ms = NOW_MS, .namespaces = row->namespaces, .width = row->width};
    AUTO_BUF struct buf out = BUF_MAX(64 * KIB);

    for (; view.count < ROWS_MAX && row->statuses[view.count]; view.count++) {
        const char *status = row->statuses[view.count];

        items[view.count] = objects[view.count] = object_of(*status ? status : NULL, NULL);
    }
    assert_number((int64_t)list_render(&view, &out), (int64_t)view.count + 1);
    assert_text_equal(buf_text(&out), row->want);
    for (size_t i = 0; i < ROWS_MAX; i++)
        json_free(objects[i]);
}

int main(void)
{
    struct tests tests = {0};

    TEST_ROWS(&tests, lists, rows);
    return tests_run(&tests, "list");
}
