#include "plugin/request.h"

#include "tests/pkg/kube/kube_testing.h"
#include "tests/plugin/plugin_testing.h"

/* --- what it comes to --- */

#define AWAITING \
    STATUS("AwaitingApproval", "95%", ACTIVE_RUN, SWITCHOVER(ROW("Approval", "Running", "," START)))
#define AWAITING_AGAIN                                                                   \
    STATUS("AwaitingApproval", "95%", "\"run\":{\"id\":\"r2\",\"attempt\":3," START "}", \
           SWITCHOVER(ROW("Approval", "Running", "," START)))
#define COPYING STATUS("Copying", "40%", ACTIVE_RUN, SWITCHOVER(WAITING("Approval")))
#define APPROVED                                                                                          \
    STATUS("SwitchingOver", "95%",                                                                        \
           "\"run\":{\"id\":\"r2\",\"attempt\":1," START ",\"approval\":{\"by\":\"kate\",\"time\":\"" NEW \
           "\"}}",                                                                                        \
           SWITCHOVER(DONE("Approval")))
#define FAILED STATUS("Failed", "40%", ENDED_RUN, PAST(HISTORY("r2", "Failed", "")))
#define SUCCEEDED                                                                                          \
    STATUS(                                                                                                \
        "Succeeded", "100%", ENDED_RUN,                                                                    \
        DATABASES(DATABASE("main", "100", DONE("Backup")) "," DATABASE("sessions", "100", DONE("Backup"))) \
            PAST(HISTORY("r2", "Succeeded", "") "," HISTORY("r1", "Failed", "")) COPIES(KEPT))
#define KEPT                                                                                      \
    COPY("main", "r0", "Previous", OLD)                                                           \
    "," COPY("main", "r1", "Previous", OLD) "," COPY("sessions", "r1", "Previous", OLD) "," COPY( \
        "main", "r2", "InUse", NEW) "," COPY("sessions", "r2", "InUse", NEW)
#define A(name) "\"stagingrefresh.dev/" name "\":"

/* clang-format off */
static const struct plan_row {
    const char *name;
    enum request_kind kind;
    const char *status, *run;
    const char *want, *refusal, *said; /* annotations; parts of the sentences */
} plan_rows[] = {
    {.name = "run", .kind = REQUEST_RUN, .status = SUCCEEDED, .want = "{" A("run-requested") "\"new\"}", .said = "a run of shop is asked for"},
    {.name = "the first run", .kind = REQUEST_RUN, .want = "{" A("run-requested") "\"new\"}"},
    {.name = "run after a run", .kind = REQUEST_RUN, .status = COPYING, .want = "{" A("run-requested") "\"new\"}", .said = "it begins after run r2"},
    {.name = "approve", .kind = REQUEST_APPROVE, .status = AWAITING, .want = "{" A("approve") "\"r2\"," A("approved-by") "\"kate\"}",
     .said = "run r2 of shop is approved by kate"},
    {.name = "approve a later attempt", .kind = REQUEST_APPROVE, .status = AWAITING_AGAIN,
     .want = "{" A("approve") "\"r2/3\"," A("approved-by") "\"kate\"}"},
    {.name = "approve too early", .kind = REQUEST_APPROVE, .status = COPYING, .refusal = "nothing waits for approval: run r2 is Copying"},
    {.name = "approve twice", .kind = REQUEST_APPROVE, .status = APPROVED, .refusal = "run r2 is SwitchingOver, and was approved by kate"},
    {.name = "approve nothing", .kind = REQUEST_APPROVE, .status = SUCCEEDED, .refusal = "no run of shop is under way"},
    {.name = "retry", .kind = REQUEST_RETRY, .status = FAILED, .want = "{" A("retry") "\"r2/1\"}", .said = "attempt 2 of run r2 is asked for"},
    {.name = "retry too early", .kind = REQUEST_RETRY, .status = COPYING, .refusal = "run r2 is under way"},
    {.name = "retry a success", .kind = REQUEST_RETRY, .status = SUCCEEDED, .refusal = "has not failed: kubectl stagingrefresh run shop -n staging"},
    {.name = "retry nothing", .kind = REQUEST_RETRY, .refusal = "has not failed"},
    {.name = "cancel", .kind = REQUEST_CANCEL, .status = COPYING, .want = "{" A("cancel") "\"r2/1\"}", .said = "run r2 is to be cancelled"},
    {.name = "cancel nothing", .kind = REQUEST_CANCEL, .status = FAILED, .refusal = "no run of shop is under way"},
    {.name = "switch to the previous one, by its id", .kind = REQUEST_SWITCH, .status = SUCCEEDED, .run = "previous",
     .want = "{" A("switch-to") "\"r1/new\"}", .said = "staging is to go onto the copies of run r1"},
    {.name = "switch to a run", .kind = REQUEST_SWITCH, .status = SUCCEEDED, .run = "r1", .want = "{" A("switch-to") "\"r1/new\"}"},
    {.name = "set again what is in use", .kind = REQUEST_SWITCH, .status = SUCCEEDED, .run = "r2", .want = "{" A("switch-to") "\"r2/new\"}"},
    {.name = "not every database is kept", .kind = REQUEST_SWITCH, .status = SUCCEEDED, .run = "r0",
     .refusal = "no copies of r0 are kept for every database; runs of which copies are kept: r2 (in use), "},
    {.name = "switch to nothing", .kind = REQUEST_SWITCH, .status = FAILED, .run = "previous", .refusal = "kept: none"},
    {.name = "switch during a run", .kind = REQUEST_SWITCH, .status = COPYING, .run = "previous", .refusal = "wait for its end, or cancel it"},
};
/* clang-format on */

static void assert_part(const char *got, const char *part)
{
    if (!part)
        return;
    if (!got || !strstr(got, part))
        assert_text_equal(got, part);
}

static void plans(void **state)
{
    const struct plan_row *row = *state;
    AUTO_JSON struct json *object = object_of(row->status, NULL);
    AUTO_REFRESH_STATUS struct refresh_status *status = status_of(object);
    const struct request request = {
        .kind = row->kind, .namespace = "staging", .name = "shop", .run = row->run, .unique = "new"};
    AUTO_REQUEST_PLAN struct request_plan plan = request_plan(&request, status, "kate");
    AUTO_FREE char *annotations = plan.annotations ? json_to_text(plan.annotations) : NULL;

    assert_text_equal(annotations, row->want);
    assert_part(plan.refusal, row->refusal);
    assert_part(plan.said, row->said);
    assert_number(plan.refusal != NULL, row->refusal != NULL);
}

/* --- sending --- */

#define PATH "/base/apis/stagingrefresh.dev/v1alpha1/namespaces/staging/stagingrefreshes/shop*"
#define LIST "/base/apis/stagingrefresh.dev/v1alpha1/namespaces/staging/stagingrefreshes?*"
#define REVIEWS "/base/apis/authentication.k8s.io/v1/selfsubjectreviews*"
#define OBJECT(version, status)                                                                           \
    "{\"apiVersion\":\"stagingrefresh.dev/"                                                               \
    "v1alpha1\",\"kind\":\"StagingRefresh\",\"metadata\":{\"namespace\":"                                 \
    "\"staging\",\"name\":\"shop\",\"uid\":\"u\",\"resourceVersion\":\"" version "\"},\"status\":" status \
    "}"
#define REFUSED(code, reason, message)                                                     \
    .status = code, .reply = "{\"kind\":\"Status\",\"status\":\"Failure\",\"code\":" #code \
                             ",\"reason\":\"" reason "\",\"message\":\"" message           \
                             "\",\"details\":{\"name\":\"shop\"}}"
#define KATE                                                           \
    {                                                                  \
        .method = "POST", .path = REVIEWS, .status = 201,              \
        .reply = "{\"status\":{\"userInfo\":{\"username\":\"kate\"}}}" \
    }
#define OTHER_RUN                                                                        \
    STATUS("AwaitingApproval", "95%", "\"run\":{\"id\":\"r3\",\"attempt\":1," START "}", \
           SWITCHOVER(ROW("Approval", "Running", "," START)))

#define EXCHANGES_MAX 6
/* clang-format off */
static const struct send_row {
    const char *name;
    enum request_kind kind;
    const char *run;
    struct exchange exchanges[EXCHANGES_MAX];
    enum err_kind kind_of_failure;
    const char *fails; /* part of the text; NULL: it does not */
} send_rows[] = {
    {.name = "approval under one's own name, for the version that was read", .kind = REQUEST_APPROVE,
     .exchanges = {{.method = "GET", .path = PATH, .reply = OBJECT("7", AWAITING)}, KATE,
                   {.method = "PATCH", .path = PATH, .headers = {"application/merge-patch+json"}, .reply = "{}",
                    .body_json = "{\"metadata\":{\"resourceVersion\":\"7\",\"annotations\":{" A("approve") "\"r2\"," A("approved-by") "\"kate\"}}}"}}},
    {.name = "progress was written in between", .kind = REQUEST_APPROVE,
     .exchanges = {{.method = "GET", .path = PATH, .reply = OBJECT("7", AWAITING)}, KATE,
                   {.method = "PATCH", .path = PATH, REFUSED(409, "Conflict", "modified")},
                   {.method = "GET", .path = PATH, .reply = OBJECT("8", AWAITING)},
                   {.method = "PATCH", .path = PATH, .body_contains = {"\"resourceVersion\":\"8\""}, .reply = "{}"}}},
    {.name = "another run in between: not what was seen", .kind = REQUEST_APPROVE, .kind_of_failure = ERR_CONFLICT, .fails = "another run has begun meanwhile",
     .exchanges = {{.method = "GET", .path = PATH, .reply = OBJECT("7", AWAITING)}, KATE,
                   {.method = "PATCH", .path = PATH, REFUSED(409, "Conflict", "modified")},
                   {.method = "GET", .path = PATH, .reply = OBJECT("8", OTHER_RUN)}}},
    {.name = "somebody else was faster", .kind = REQUEST_APPROVE, .kind_of_failure = ERR_INVALID, .fails = "was approved by kate",
     .exchanges = {{.method = "GET", .path = PATH, .reply = OBJECT("7", AWAITING)}, KATE,
                   {.method = "PATCH", .path = PATH, REFUSED(409, "Conflict", "modified")},
                   {.method = "GET", .path = PATH, .reply = OBJECT("8", APPROVED)}}},
    {.name = "nothing waits: nobody is asked for a name", .kind = REQUEST_APPROVE, .kind_of_failure = ERR_INVALID, .fails = "nothing waits for approval",
     .exchanges = {{.method = "GET", .path = PATH, .reply = OBJECT("7", COPYING)}}},
    {.name = "may not approve", .kind = REQUEST_APPROVE, .kind_of_failure = ERR_DENIED, .fails = "--clusterrole=stagingrefresh-approve",
     .exchanges = {{.method = "GET", .path = PATH, .reply = OBJECT("7", AWAITING)}, KATE,
                   {.method = "PATCH", .path = PATH, REFUSED(403, "Forbidden", "denied request: ... who may update stagingrefreshes/approve in namespace staging; kate may not")}}},
    {.name = "may not change", .kind = REQUEST_CANCEL, .kind_of_failure = ERR_DENIED, .fails = "--clusterrole=edit",
     .exchanges = {{.method = "GET", .path = PATH, .reply = OBJECT("7", COPYING)},
                   {.method = "PATCH", .path = PATH, REFUSED(403, "Forbidden", "User kate cannot patch resource stagingrefreshes")}}},
    {.name = "may not look", .kind = REQUEST_CANCEL, .kind_of_failure = ERR_DENIED, .fails = "--clusterrole=view",
     .exchanges = {{.method = "GET", .path = PATH, REFUSED(403, "Forbidden", "User kate cannot get resource stagingrefreshes")}}},
    {.name = "not installed", .kind = REQUEST_RUN, .kind_of_failure = ERR_RETRY, .fails = "this cluster has no StagingRefreshes",
     .exchanges = {{.method = "GET", .path = PATH, .status = 404, .reply_headers = {"content-type: text/plain"}, .reply = "404 page not found\n"}}},
    {.name = "no such refresh", .kind = REQUEST_RUN, .kind_of_failure = ERR_NOT_FOUND, .fails = "there is no StagingRefresh shop in namespace staging; there are: ledger, web",
     .exchanges = {{.method = "GET", .path = PATH, REFUSED(404, "NotFound", "not found")},
                   {.method = "GET", .path = LIST, .reply = "{\"metadata\":{\"resourceVersion\":\"1\"},\"items\":[{\"metadata\":{\"name\":\"ledger\"}},{\"metadata\":{\"name\":\"web\"}}]}"}}},
    {.name = "retry names the attempt", .kind = REQUEST_RETRY,
     .exchanges = {{.method = "GET", .path = PATH, .reply = OBJECT("7", FAILED)},
                   {.method = "PATCH", .path = PATH, .reply = "{}", .body_json = "{\"metadata\":{\"resourceVersion\":\"7\",\"annotations\":{" A("retry") "\"r2/1\"}}}"}}},
    {.name = "switch-to names the run", .kind = REQUEST_SWITCH, .run = "previous",
     .exchanges = {{.method = "GET", .path = PATH, .reply = OBJECT("7", SUCCEEDED)},
                   {.method = "PATCH", .path = PATH, .reply = "{}", .body_json = "{\"metadata\":{\"resourceVersion\":\"7\",\"annotations\":{" A("switch-to") "\"r1/new\"}}}"}}},
};
/* clang-format on */

static void sends(void **state)
{
    const struct send_row *row = *state;
    const struct request request = {
        .kind = row->kind, .namespace = "staging", .name = "shop", .run = row->run, .unique = "new"};
    AUTO_JSON struct json *before = NULL;
    AUTO_FREE char *said = NULL;
    struct cluster cluster;
    struct kube_test t;
    size_t count = 0;

    while (count < EXCHANGES_MAX && row->exchanges[count].method)
        count++;
    kube_test_init(&t, 1, row->exchanges, count, NULL);
    cluster = (struct cluster){.client = t.client, .env = &t.base.env};
    if (row->fails) {
        assert_fails(request_send(&cluster, &request, &said, &before), row->kind_of_failure, row->fails);
    } else {
        assert_no_err(request_send(&cluster, &request, &said, &before));
        assert_text_equal(json_get_text(before, "metadata.name", ""), "shop");
        assert_non_null(said);
    }
    kube_test_done(&t);
}

int main(void)
{
    struct tests tests = {0};

    TEST_ROWS(&tests, plans, plan_rows);
    TEST_ROWS(&tests, sends, send_rows);
    return tests_run(&tests, "request");
}
