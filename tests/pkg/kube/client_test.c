#include "pkg/kube/client.h"

#include "tests/pkg/kube/kube_testing.h"
#include "tests/testing/testing_env.h"

/* --- paths --- */

static const struct kube_resource core = {
    .version = "v1", .plural = "configmaps", .kind = "ConfigMap", .namespaced = true};
static const struct kube_resource nodes = {.version = "v1", .plural = "nodes", .kind = "Node"};
static const struct kube_resource secrets = {
    .version = "v1", .plural = "secrets", .kind = "Secret", .namespaced = true};

static const struct path_row {
    const char *name;
    struct kube_ref ref;
    const char *want; /* the URL, or the start of the error */
    bool fails;
} path_rows[] = {
    {.name = "core",
     .ref = {&core, "n", "x", NULL},
     .want = "https://api.example:6443/base/api/v1/namespaces/n/configmaps/x"},
    {.name = "cluster-scoped",
     .ref = {&nodes, NULL, "x", NULL},
     .want = "https://api.example:6443/base/api/v1/nodes/x"},
    {.name = "group",
     .ref = {&widgets, "n", "x", NULL},
     .want = "https://api.example:6443/base/apis/example.com/v1/namespaces/n/widgets/x"},
    {.name = "subresource",
     .ref = {&widgets, "n", "x", "status"},
     .want = "https://api.example:6443/base/apis/example.com/v1/namespaces/n/widgets/x/status"},
    {.name = "escaped",
     .ref = {&widgets, "n", "a b?c&d#e:f", NULL},
     .want = "https://api.example:6443/base/apis/example.com/v1/namespaces/n/widgets/a%20b%3Fc%26d%23e%3Af"},
    {.name = "slash", .ref = {&widgets, "n", "a/b", NULL}, .fails = true, .want = "cannot be a name"},
    {.name = "percent", .ref = {&widgets, "n", "a%2fb", NULL}, .fails = true, .want = "cannot be a name"},
    {.name = "dot", .ref = {&widgets, "n", ".", NULL}, .fails = true, .want = "cannot be a name"},
    {.name = "two dots", .ref = {&widgets, "..", "x", NULL}, .fails = true, .want = "cannot be a namespace"},
    {.name = "empty", .ref = {&widgets, "n", "", NULL}, .fails = true, .want = "needs a name"},
    {.name = "no namespace", .ref = {&widgets, NULL, "x", NULL}, .fails = true, .want = "which namespace?"},
    {.name = "a namespace too many",
     .ref = {&nodes, "n", "x", NULL},
     .fails = true,
     .want = "not in a namespace"},
};

static void makes_paths(void **state)
{
    const struct path_row *row = *state;
    const struct exchange exchanges[] = {{.method = "GET", .url = row->want, .reply = "{}"}};
    AUTO_JSON struct json *got = NULL;
    struct kube_test t;

    kube_test_init(&t, 1, exchanges, row->fails ? 0 : 1, NULL);
    if (row->fails)
        assert_fails(kube_get(t.client, &t.base.env, &row->ref, &got), ERR_INVALID, row->want);
    else
        assert_no_err(kube_get(t.client, &t.base.env, &row->ref, &got));
    kube_test_done(&t);
}

/* --- through which proxy --- */

#define ENVIRONMENT NULL /* whatever it says */
#define NONE ""

static const struct proxy_row {
    const char *name, *cluster, *want;
} proxy_rows[] = {
    {.name = "any server", .cluster = "server: 'https://api.example:6443'", .want = ENVIRONMENT},
    {.name = "a loopback address", .cluster = "server: 'https://127.0.0.1:6443'", .want = NONE},
    {.name = "another one", .cluster = "server: 'https://127.9.8.7'", .want = NONE},
    {.name = "that of IPv6", .cluster = "server: 'https://[::1]:6443/base'", .want = NONE},
    {.name = "its name", .cluster = "server: 'https://LocalHost:6443'", .want = NONE},
    {.name = "a name that begins like it",
     .cluster = "server: 'https://localhost.example'",
     .want = ENVIRONMENT},
    {.name = "the cluster's own",
     .cluster = "server: 'https://api.example', proxy-url: 'http://proxy.example:3128'",
     .want = "http://proxy.example:3128"},
    {.name = "the cluster's own, to a loopback address",
     .cluster = "server: 'https://127.0.0.1:6443', proxy-url: 'socks5://127.0.0.1:1080'",
     .want = "socks5://127.0.0.1:1080"},
};

static void see_proxy(const struct http_request *request, void *arg)
{
    *(char **)arg = xstrdup_or_null(request->proxy_url);
}

static void chooses_a_proxy(void **state)
{
    const struct proxy_row *row = *state;
    AUTO_FREE char *seen = NULL;
    const struct exchange rows[] = {{.method = "GET", .reply = "{}", .on_request = see_proxy, .arg = &seen}};
    AUTO_FREE char *text = xasprintf("current-context: c\n"
                                     "contexts: [{name: c, context: {cluster: k}}]\n"
                                     "clusters: [{name: k, cluster: {%s}}]\n",
                                     row->cluster);
    AUTO_JSON struct json *got = NULL;
    struct kube_config *config = NULL;
    struct kube_client *client;
    struct testing_env env;

    TESTING_ENV_INIT(&env, 1, rows);
    assert_no_err(kube_config_from_text(str_of(text), "test", NULL, &config));
    client = kube_client_new(config, &(struct kube_client_opts){0});
    assert_no_err(kube_get(client, &env.env, &widget_x, &got));
    kube_client_free(client);
    kube_config_free(config);
    testing_env_done(&env);
    assert_text_equal(seen, row->want);
}

/* --- refusals --- */

#define STATUS(code, reason, more)                                                       \
    "{\"kind\":\"Status\",\"status\":\"Failure\",\"message\":\"m\",\"reason\":\"" reason \
    "\",\"code\":" code more "}"

static const struct refusal_row {
    const char *name;
    struct exchange exchange;
    enum err_kind want_kind;
    const char *want_code;
    int64_t want_after_ms;
} refusal_rows[] = {
    {.name = "400",
     .exchange = {.status = 400, .reply = STATUS("400", "BadRequest", "")},
     .want_kind = ERR_INVALID,
     .want_code = "BadRequest"},
    {.name = "401",
     .exchange = {.status = 401, .reply = STATUS("401", "Unauthorized", "")},
     .want_kind = ERR_DENIED,
     .want_code = "Unauthorized"},
    {.name = "403",
     .exchange = {.status = 403, .reply = STATUS("403", "Forbidden", "")},
     .want_kind = ERR_DENIED,
     .want_code = "Forbidden"},
    {.name = "403 namespace is going",
     .exchange = {.status = 403,
                  .reply = STATUS("403", "Forbidden",
                                  ",\"details\":{\"causes\":[{\"reason\":\"NamespaceTerminating\"}]}")},
     .want_kind = ERR_DENIED,
     .want_code = "NamespaceTerminating"},
    {.name = "404",
     .exchange = {.status = 404, .reply = STATUS("404", "NotFound", ",\"details\":{\"name\":\"x\"}")},
     .want_kind = ERR_NOT_FOUND,
     .want_code = "NotFound"},
    {.name = "404 plain",
     .exchange = {.status = 404,
                  .reply_headers = {"content-type: text/plain"},
                  .reply = "404 page not found\n"},
     .want_kind = ERR_RETRY,
     .want_code = "NotServed"},
    {.name = "404 resource",
     .exchange = {.status = 404,
                  .reply = "{\"kind\":\"Status\",\"message\":\"the server could not find the requested "
                           "resource\",\"reason\":\"NotFound\",\"details\":{},\"code\":404}"},
     .want_kind = ERR_RETRY,
     .want_code = "NotServed"},
    {.name = "404 page of a proxy",
     .exchange = {.status = 404, .reply = "<html>not here</html>"},
     .want_kind = ERR_RETRY,
     .want_code = "NotServed"},
    {.name = "405",
     .exchange = {.status = 405, .reply = STATUS("405", "MethodNotAllowed", "")},
     .want_kind = ERR_INVALID,
     .want_code = "MethodNotAllowed"},
    {.name = "409 stale",
     .exchange = {.status = 409, .reply = STATUS("409", "Conflict", "")},
     .want_kind = ERR_CONFLICT,
     .want_code = "Conflict"},
    {.name = "409 there already",
     .exchange = {.status = 409, .reply = STATUS("409", "AlreadyExists", "")},
     .want_kind = ERR_CONFLICT,
     .want_code = "AlreadyExists"},
    {.name = "410",
     .exchange = {.status = 410, .reply = STATUS("410", "Expired", "")},
     .want_kind = ERR_RETRY,
     .want_code = "Expired"},
    {.name = "410 of old",
     .exchange = {.status = 410, .reply = STATUS("410", "Gone", "")},
     .want_kind = ERR_RETRY,
     .want_code = "Expired"},
    {.name = "413",
     .exchange = {.status = 413, .reply = STATUS("413", "RequestEntityTooLarge", "")},
     .want_kind = ERR_INVALID,
     .want_code = "RequestEntityTooLarge"},
    {.name = "422",
     .exchange = {.status = 422, .reply = STATUS("422", "Invalid", "")},
     .want_kind = ERR_INVALID,
     .want_code = "Invalid"},
    {.name = "429",
     .exchange = {.status = 429, .reply = STATUS("429", "TooManyRequests", "")},
     .want_kind = ERR_RETRY,
     .want_code = "TooManyRequests",
     .want_after_ms = 1000},
    {.name = "429 by header, which wins",
     .exchange = {.status = 429,
                  .reply_headers = {"Retry-After: 7"},
                  .reply = STATUS("429", "TooManyRequests", ",\"details\":{\"retryAfterSeconds\":3}")},
     .want_kind = ERR_RETRY,
     .want_code = "TooManyRequests",
     .want_after_ms = 7000},
    {.name = "429 by body",
     .exchange = {.status = 429,
                  .reply = STATUS("429", "TooManyRequests", ",\"details\":{\"retryAfterSeconds\":3}")},
     .want_kind = ERR_RETRY,
     .want_code = "TooManyRequests",
     .want_after_ms = 3000},
    {.name = "500 without a reason",
     .exchange = {.status = 500, .reply = STATUS("500", "", "")},
     .want_kind = ERR_RETRY,
     .want_code = "InternalError"},
    {.name = "502 of a proxy",
     .exchange = {.status = 502, .reply = "<html>\x01\xff</html>"},
     .want_kind = ERR_RETRY,
     .want_code = "UnknownError"},
    {.name = "503",
     .exchange = {.status = 503, .reply = ""},
     .want_kind = ERR_RETRY,
     .want_code = "ServiceUnavailable"},
    {.name = "504 not there yet",
     .exchange = {.status = 504,
                  .reply = STATUS("504", "Timeout",
                                  ",\"details\":{\"retryAfterSeconds\":1,\"causes\":[{\"reason\":"
                                  "\"ResourceVersionTooLarge\"}]}")},
     .want_kind = ERR_RETRY,
     .want_code = "ResourceVersionTooLarge",
     .want_after_ms = 1000},
    {.name = "302",
     .exchange = {.status = 302, .reply = ""},
     .want_kind = ERR_RETRY,
     .want_code = "UnknownError"},
    {.name = "418",
     .exchange = {.status = 418, .reply = ""},
     .want_kind = ERR_INVALID,
     .want_code = "UnknownError"},
    {.name = "not JSON",
     .exchange = {.reply = "<html>log in</html>"},
     .want_kind = ERR_RETRY,
     .want_code = NULL},
    {.name = "no answer",
     .exchange = {.fail = "connection reset"},
     .want_kind = ERR_RETRY,
     .want_code = NULL},
};

static void says_what_was_refused(void **state)
{
    const struct refusal_row *row = *state;
    struct json *got = NULL;
    struct kube_test t;
    struct err *err;

    kube_test_init(&t, 1, &row->exchange, 1, NULL);
    err = kube_get(t.client, &t.base.env, &widget_x, &got);
    assert_non_null(err);
    assert_err_contains(err, "GET /apis/example.com/v1/namespaces/n/widgets/x: ");
    assert_err_kind(err, row->want_kind);
    assert_text_equal(err_remote(err)->code, row->want_code);
    assert_number(err_remote(err)->retry_after_ms, row->want_after_ms);
    if (row->want_code)
        assert_number(err_remote(err)->http_status, row->exchange.status);
    assert_null(got);
    err_free(err);
    kube_test_done(&t);
}

static void a_long_refusal_is_cut(void **state)
{
    AUTO_BUF struct buf status = BUF_MAX(MIB);
    struct exchange exchange = {.status = 422};
    struct kube_test t;
    struct err *err;

    (void)state;
    buf_adds(&status, "{\"kind\":\"Status\",\"reason\":\"Invalid\",\"code\":422,\"message\":\"");
    for (int i = 0; i < 10000; i++)
        buf_adds(&status, "field ");
    buf_adds(&status, "\"}");
    exchange.reply = buf_text(&status);
    kube_test_init(&t, 1, &exchange, 1, NULL);
    err = kube_get(t.client, &t.base.env, &widget_x, NULL);
    assert_err_kind(err, ERR_INVALID);
    assert_true(strlen(err_text(err)) < 3000);
    err_free(err);
    kube_test_done(&t);
}

/* --- writes --- */

static void writes_name_their_manager(void **state)
{
    static const struct exchange exchanges[] = {
        {.method = "POST",
         .path = "/base/apis/example.com/v1/namespaces/n/widgets?fieldManager=tester",
         .headers = {"content-type: application/json", "user-agent: unit/1", "authorization: Bearer t0ken"},
         .body_json = "{\"a\":1}",
         .status = 201,
         .reply = "{\"b\":2}"},
        {.method = "PUT",
         .path = "/base/apis/example.com/v1/namespaces/n/widgets/x?fieldManager=tester",
         .reply = "{}"},
        {.method = "PATCH",
         .path = "/base/apis/example.com/v1/namespaces/n/widgets/x?fieldManager=tester",
         .headers = {"content-type: application/merge-patch+json"},
         .reply = "{}"},
        {.method = "PATCH",
         .path = "/base/apis/example.com/v1/namespaces/n/widgets/x?fieldManager=tester",
         .headers = {"content-type: application/json-patch+json"},
         .reply = "{}"},
        {.method = "DELETE",
         .path = "/base/apis/example.com/v1/namespaces/n/widgets/x",
         .body_json = "{\"apiVersion\":\"v1\",\"kind\":\"DeleteOptions\",\"preconditions\":{\"uid\":\"u\","
                      "\"resourceVersion\":\"5\"},"
                      "\"propagationPolicy\":\"Background\"}",
         .reply = "{\"kind\":\"Status\",\"status\":\"Success\"}"},
        {.method = "DELETE",
         .path = "/base/apis/example.com/v1/namespaces/n/widgets/x",
         .body = "",
         .reply = "{}"},
    };
    const struct kube_ref collection = {.resource = &widgets, .namespace = "n"};
    AUTO_JSON struct json *object = NULL, *answer = NULL;
    struct kube_test t;

    (void)state;
    kube_test_init(&t, 1, exchanges, COUNT_OF(exchanges), NULL);
    assert_no_err(json_parse(STR("{\"a\":1}"), NULL, &object));
    assert_no_err(kube_create(t.client, &t.base.env, &collection, object, &answer));
    assert_json_equal(answer, "{\"b\":2}");
    assert_no_err(kube_replace(t.client, &t.base.env, &widget_x, object, NULL));
    assert_no_err(kube_patch(t.client, &t.base.env, &widget_x,
                             &(struct kube_patch){.type = KUBE_PATCH_MERGE, .body = object}, NULL));
    assert_no_err(kube_patch(t.client, &t.base.env, &widget_x,
                             &(struct kube_patch){.type = KUBE_PATCH_JSON, .body = object}, NULL));
    assert_no_err(kube_delete(
        t.client, &t.base.env, &widget_x,
        &(struct kube_delete_opts){.uid = "u", .resource_version = "5", .propagation = "Background"}));
    assert_no_err(kube_delete(t.client, &t.base.env, &widget_x, NULL));
    assert_fails(kube_delete(t.client, &t.base.env, &collection, NULL), ERR_INVALID, "needs a name");
    kube_test_done(&t);
}

static void secrets_are_sensitive(void **state)
{
    static const struct exchange exchanges[] = {{.reply = "{}"}, {.reply = "{}"}};
    AUTO_JSON struct json *first = NULL, *second = NULL;
    struct kube_test t;

    (void)state;
    kube_test_init(&t, 1, exchanges, 2, NULL);
    assert_no_err(kube_get(t.client, &t.base.env, &(struct kube_ref){&secrets, "n", "x", NULL}, &first));
    assert_no_err(kube_get(t.client, &t.base.env, &widget_x, &second));
    assert_true(script_sent(t.base.script, 0)->sensitive);
    assert_false(script_sent(t.base.script, 1)->sensitive);
    kube_test_done(&t);
}

static void a_warning_is_logged_once(void **state)
{
    static const struct exchange exchanges[] = {
        {.reply_headers = {"Warning: 299 - \"v1 is old\""}, .reply = "{}", .times = 2},
        {.reply_headers = {"Warning: 299 - \"v2 is odd\""}, .reply = "{}"},
    };
    struct kube_test t;
    AUTO_FREE char *log = NULL;

    (void)state;
    kube_test_init(&t, 1, exchanges, COUNT_OF(exchanges), NULL);
    for (int i = 0; i < 3; i++)
        assert_no_err(kube_get(t.client, &t.base.env, &widget_x, NULL));
    log = testing_env_log(&t.base);
    assert_text_contains(log, "v1 is old");
    assert_text_contains(log, "v2 is odd");
    assert_null(strstr(strstr(log, "v1 is old") + 1, "v1 is old"));
    assert_text_lacks(log, "t0ken");
    kube_test_done(&t);
}

/* --- lists --- */

#define PAGE(version, next, items) \
    "{\"metadata\":{\"resourceVersion\":\"" version "\",\"continue\":\"" next "\"},\"items\":[" items "]}"

static void lists_page_by_page(void **state)
{
    static const struct exchange exchanges[] = {
        {.path = "/base/apis/example.com/v1/namespaces/n/widgets?labelSelector=a%3Db&limit=2",
         .reply = PAGE("7", "t/1", "{\"i\":1},{\"i\":2}")},
        {.path = "/base/apis/example.com/v1/namespaces/n/widgets?labelSelector=a%3Db&limit=2&continue=t%2F1",
         .reply = PAGE("7", "", "{\"i\":3,\"kind\":\"Own\",\"apiVersion\":\"v\"}")},
    };
    const struct kube_query query = {
        .collection = {.resource = &widgets, .namespace = "n"}, .label_selector = "a=b", .page_size = 2};
    AUTO_JSON struct json *items = NULL;
    struct kube_test t;

    (void)state;
    kube_test_init(&t, 1, exchanges, COUNT_OF(exchanges), NULL);
    assert_no_err(kube_list(t.client, &t.base.env, &query, &items));
    assert_json_equal(items, "[{\"i\":1,\"apiVersion\":\"example.com/v1\",\"kind\":\"Widget\"},"
                             "{\"i\":2,\"apiVersion\":\"example.com/v1\",\"kind\":\"Widget\"},"
                             "{\"i\":3,\"kind\":\"Own\",\"apiVersion\":\"v\"}]");
    kube_test_done(&t);
}

static void an_expired_page_means_one_whole_list(void **state)
{
    static const struct exchange exchanges[] = {
        {.path = "*?limit=500", .reply = PAGE("7", "t", "{\"i\":1}")},
        {.path = "*?limit=500&continue=t", .status = 410, .reply = STATUS("410", "Expired", "")},
        {.path = "/base/apis/example.com/v1/widgets", .reply = PAGE("9", "", "{\"i\":1},{\"i\":2}")},
    };
    const struct kube_query query = {.collection = {.resource = &widgets}};
    AUTO_JSON struct json *items = NULL;
    struct kube_test t;

    (void)state;
    kube_test_init(&t, 1, exchanges, COUNT_OF(exchanges), NULL);
    assert_no_err(kube_list(t.client, &t.base.env, &query, &items));
    assert_number(json_count(items), 2);
    kube_test_done(&t);
}

static void asks_for_a_version_once(void **state)
{
    static const struct exchange exchanges[] = {
        {.path = "*?limit=500&resourceVersion=12&resourceVersionMatch=NotOlderThan",
         .reply = PAGE("12", "t", "")},
        {.path = "*?limit=500&continue=t", .reply = PAGE("12", "", "")},
        {.path = "*?limit=500&resourceVersion=0", .reply = PAGE("12", "", "")},
        {.path = "*?limit=500", .reply = "{\"kind\":\"Widget\"}"},
    };
    struct kube_query query = {.collection = {.resource = &widgets}, .resource_version = "12"};
    AUTO_JSON struct json *first = NULL, *second = NULL, *third = NULL;
    struct kube_test t;

    (void)state;
    kube_test_init(&t, 1, exchanges, COUNT_OF(exchanges), NULL);
    assert_no_err(kube_list(t.client, &t.base.env, &query, &first));
    query.resource_version = "0";
    assert_no_err(kube_list(t.client, &t.base.env, &query, &second));
    query.resource_version = NULL;
    assert_fails(kube_list(t.client, &t.base.env, &query, &third), ERR_RETRY, "not a list");
    kube_test_done(&t);
}

/* --- fresh credentials after a refusal --- */

static const struct refused_row {
    const char *name;
    const char
        *token_then; /* in the file by the time of the second call; NULL: the token is not from a file */
    struct exchange first, second;
    size_t want_calls;
    bool fails;
} refused_rows[] = {
    {.name = "rotated token",
     .token_then = "new",
     .want_calls = 2,
     .first = {.headers = {"authorization: Bearer old"},
               .status = 401,
               .reply = STATUS("401", "Unauthorized", "")},
     .second = {.headers = {"authorization: Bearer new"}, .reply = "{}"}},
    {.name = "only one retry",
     .token_then = "new",
     .want_calls = 2,
     .fails = true,
     .first = {.status = 401, .reply = STATUS("401", "Unauthorized", "")},
     .second = {.status = 401, .reply = STATUS("401", "Unauthorized", "")}},
    {.name = "nothing fresh to be had",
     .want_calls = 1,
     .fails = true,
     .first = {.status = 401, .reply = STATUS("401", "Unauthorized", "")}},
    {.name = "taken for nobody",
     .token_then = "new",
     .want_calls = 2,
     .first = {.status = 403,
               .reply = "{\"kind\":\"Status\",\"reason\":\"Forbidden\",\"message\":\"User "
                        "\\\"system:anonymous\\\" cannot get\",\"code\":403}"},
     .second = {.headers = {"authorization: Bearer new"}, .reply = "{}"}},
    {.name = "forbidden is final",
     .token_then = "new",
     .want_calls = 1,
     .fails = true,
     .first = {.status = 403, .reply = STATUS("403", "Forbidden", "")}},
};

static void rotate(const struct http_request *request, void *arg)
{
    (void)request;
    if (arg)
        kube_test_write_token(arg);
}

static void answers_a_refusal_with_fresh_credentials(void **state)
{
    const struct refused_row *row = *state;
    struct exchange exchanges[] = {row->first, row->second};
    struct kube_test t;
    struct err *err;

    exchanges[0].on_request = rotate;
    exchanges[0].arg = (void *)(uintptr_t)row->token_then;
    if (row->token_then)
        kube_test_write_token("old");
    kube_test_init(&t, 1, exchanges, row->want_calls, row->token_then ? KUBE_TEST_TOKEN_FILE : NULL);
    err = kube_get(t.client, &t.base.env, &widget_x, NULL);
    assert_number(script_sent_count(t.base.script), row->want_calls);
    if (row->fails)
        assert_fails(err, ERR_DENIED, NULL);
    else
        assert_no_err(err);
    kube_test_done(&t);
}

/* --- a server that is busy --- */

#define BUSY(after)                                              \
    {                                                            \
        .status = 429, .reply_headers = {"Retry-After: " after}, \
        .reply = STATUS("429", "TooManyRequests", "")            \
    }

static struct err *do_get(struct kube_test *t)
{
    return kube_get(t->client, &t->base.env, &widget_x, NULL);
}

static struct err *do_list(struct kube_test *t)
{
    const struct kube_query query = {.collection = {.resource = &widgets}};
    AUTO_KUBE_PAGE struct kube_page page = {0};

    return kube_list_page(t->client, &t->base.env, &query, NULL, &page);
}

static struct err *do_create(struct kube_test *t)
{
    const struct kube_ref collection = {.resource = &widgets, .namespace = "n"};
    AUTO_JSON struct json *object = json_new_object();

    return kube_create(t->client, &t->base.env, &collection, object, NULL);
}

static struct err *do_replace(struct kube_test *t)
{
    AUTO_JSON struct json *object = json_new_object();

    return kube_replace(t->client, &t->base.env, &widget_x, object, NULL);
}

static struct err *do_patch(struct kube_test *t)
{
    AUTO_JSON struct json *object = json_new_object();

    return kube_patch(t->client, &t->base.env, &widget_x,
                      &(struct kube_patch){.type = KUBE_PATCH_MERGE, .body = object}, NULL);
}

static struct err *do_delete(struct kube_test *t)
{
    return kube_delete(t->client, &t->base.env, &widget_x, NULL);
}

static const struct busy_row {
    const char *name, *method;
    struct err *(*act)(struct kube_test *t);
    struct exchange rows[5];
    int64_t least_ms, after_ms; /* how long it took at least; what the error asks, 0: it went well */
} busy_rows[] = {
    {"GET waits", "GET", do_get, {BUSY("1"), {.reply = "{}"}}, 1000, 0},
    {"a list waits",
     "GET",
     do_list,
     {BUSY("1"), {.reply = "{\"metadata\":{\"resourceVersion\":\"1\"},\"items\":[]}"}},
     1000,
     0},
    {"POST waits", "POST", do_create, {BUSY("1"), {.status = 201, .reply = "{}"}}, 1000, 0},
    {"PUT waits", "PUT", do_replace, {BUSY("1"), {.reply = "{}"}}, 1000, 0},
    {"PATCH waits", "PATCH", do_patch, {BUSY("1"), {.reply = "{}"}}, 1000, 0},
    {"DELETE waits", "DELETE", do_delete, {BUSY("1"), {.reply = "{}"}}, 1000, 0},
    {"two seconds in total", "PATCH", do_patch, {BUSY("1"), BUSY("1")}, 1000, 1000},
    {"more than that is for the caller to wait", "PATCH", do_patch, {BUSY("9")}, 0, 9000},
    {"not for ever at no wait", "GET", do_get, {BUSY("0"), BUSY("0"), BUSY("0"), BUSY("0")}, 0, 1000},
    {"without a header the caller waits",
     "PATCH",
     do_patch,
     {{.status = 429, .reply = STATUS("429", "TooManyRequests", "")}},
     0,
     1000},
};

static void a_busy_server_is_waited_for(void **state)
{
    const struct busy_row *row = *state;
    struct exchange rows[COUNT_OF(row->rows)];
    size_t count = 0;
    struct kube_test t;
    struct err *err;
    int64_t start_ms, took_ms;

    for (; count < COUNT_OF(rows) && (row->rows[count].status || row->rows[count].reply); count++) {
        rows[count] = row->rows[count];
        rows[count].method = row->method;
    }
    kube_test_init(&t, 3, rows, count, NULL);
    start_ms = sched_now_ms(t.base.env.sched);
    err = row->act(&t);
    took_ms = sched_now_ms(t.base.env.sched) - start_ms;
    assert_in_range(took_ms, row->least_ms, row->least_ms + 1000);
    if (row->after_ms) {
        assert_number(err_remote(err)->retry_after_ms, row->after_ms);
        assert_fails(err, ERR_RETRY, "TooManyRequests");
    } else {
        assert_no_err(err);
    }
    kube_test_done(&t);
}

static char fresh_token[] = "new";

/* What an attempt has taken is not there for the next one. */
static const struct slow_row {
    const char *name;
    struct exchange first;
} slow_rows[] = {
    {.name = "busy", .first = {.status = 429, .reply_headers = {"Retry-After: 1"}, .reply = "{}"}},
    {.name = "refused", .first = {.status = 401, .reply = "{}", .on_request = rotate, .arg = fresh_token}},
};

static void a_call_takes_no_more_than_its_time(void **state)
{
    const struct slow_row *row = *state;
    struct exchange rows[] = {row->first, {.reply = "{}", .delay_ms = SECONDS(20)}};
    struct kube_test t;
    int64_t start_ms;

    rows[0].delay_ms = SECONDS(20);
    kube_test_write_token("old");
    kube_test_init(&t, 3, rows, COUNT_OF(rows), KUBE_TEST_TOKEN_FILE);
    start_ms = sched_now_ms(t.base.env.sched);
    assert_fails(do_get(&t), ERR_RETRY, NULL);
    assert_number(sched_now_ms(t.base.env.sched) - start_ms, SECONDS(30));
    kube_test_done(&t);
}

static void dawdle(const struct http_request *request UNUSED, void *arg)
{
    struct sched *sched = arg;

    assert_true(sched_wait_until(sched, NULL, sched_now_ms(sched) + MINUTES(5)));
}

/* Time that is scaled runs faster than the transport's. */
static void an_answer_after_its_time_is_an_answer(void **state UNUSED)
{
    struct exchange rows[] = {{.reply = "{}", .on_request = dawdle}};
    struct kube_test t;

    kube_test_write_token("old");
    kube_test_init(&t, 3, NULL, 0, KUBE_TEST_TOKEN_FILE);
    rows[0].arg = t.base.env.sched;
    script_add(t.base.script, rows, COUNT_OF(rows));
    assert_no_err(do_get(&t));
    kube_test_done(&t);
}

int main(void)
{
    struct tests tests = {0};

    TEST_ROWS(&tests, makes_paths, path_rows);
    TEST_ROWS(&tests, chooses_a_proxy, proxy_rows);
    TEST_ROWS(&tests, says_what_was_refused, refusal_rows);
    TEST(&tests, a_long_refusal_is_cut);
    TEST(&tests, writes_name_their_manager);
    TEST(&tests, secrets_are_sensitive);
    TEST(&tests, a_warning_is_logged_once);
    TEST(&tests, lists_page_by_page);
    TEST(&tests, an_expired_page_means_one_whole_list);
    TEST(&tests, asks_for_a_version_once);
    TEST_ROWS(&tests, answers_a_refusal_with_fresh_credentials, refused_rows);
    TEST_ROWS(&tests, a_busy_server_is_waited_for, busy_rows);
    TEST_ROWS(&tests, a_call_takes_no_more_than_its_time, slow_rows);
    TEST(&tests, an_answer_after_its_time_is_an_answer);
    return tests_run(&tests, "pkg/kube/client");
}
