#include "controller/objects_kube.h"

#include "controller/objects_kube_priv.h"
#include "pkg/kube/client.h"
#include "tests/testing/testing_env.h"

#define PATH "/apis/stagingrefresh.dev/v1alpha1/namespaces/staging/stagingrefreshes/shop"
#define ACCOUNTS "/apis/stagingrefresh.dev/v1alpha1/awsaccounts"
#define REFRESHES "/apis/stagingrefresh.dev/v1alpha1/stagingrefreshes"

/* generation, uid, annotations, resourceVersion and phase of the one refresh. */
#define SHOP_AS(generation, uid, annotations, version, phase)                                           \
    "{\"apiVersion\":\"stagingrefresh.dev/v1alpha1\",\"kind\":\"StagingRefresh\","                      \
    "\"metadata\":{\"name\":\"shop\",\"namespace\":\"staging\",\"uid\":\"" uid                          \
    "\",\"generation\":" generation ",\"annotations\":{" annotations "},\"resourceVersion\":\"" version \
    "\"},"                                                                                              \
    "\"spec\":{\"sourceRef\":{\"name\":\"production\"}},\"status\":{\"phase\":\"" phase "\"}}"
#define SHOP(version, phase) SHOP_AS("1", "u1", "", version, phase)
#define ACCOUNT(generation, version, ready)                                                             \
    "{\"apiVersion\":\"stagingrefresh.dev/v1alpha1\",\"kind\":\"AWSAccount\","                          \
    "\"metadata\":{\"name\":\"production\",\"uid\":\"u2\",\"generation\":" generation                   \
    ",\"resourceVersion\":\"" version "\"},\"status\":{\"conditions\":[{\"type\":\"Ready\",\"status\":" \
    "\"" ready "\"}]}}"
#define STATUS(code, reason) \
    "{\"kind\":\"Status\",\"message\":\"m\",\"reason\":\"" reason "\",\"code\":" code "}"

#define PATCH_ON(version)                                               \
    .method = "PATCH", .path = PATH "/status?*",                        \
    .body_json = "{\"metadata\":{\"resourceVersion\":\"" version "\"}," \
                 "\"status\":{\"phase\":\"B\"}}"
#define CONFLICT .status = 409, .reply = STATUS("409", "Conflict")

struct fixture {
    struct testing_env base;
    struct kube_config *config;
    struct kube_client *client;
    struct objects *objects;
};

static struct transport *new_transport(void *arg)
{
    struct fixture *t = arg;

    return script_transport(t->base.script);
}

static void init(struct fixture *t, const struct exchange *rows, size_t count, bool any_order)
{
    static const char text[] = "current-context: c\n"
                               "contexts: [{name: c, context: {cluster: k, user: u}}]\n"
                               "clusters: [{name: k, cluster: {server: 'https://api.example:6443'}}]\n"
                               "users: [{name: u, user: {token: t0ken}}]\n";

    testing_env_init(&t->base, 1, rows, count, &(struct script_options){.any_order = any_order});
    assert_no_err(kube_config_from_text(STR(text), "test", NULL, &t->config));
    t->client = kube_client_new(t->config, &(struct kube_client_opts){.field_manager = "stagingrefresh"});
    t->objects = objects_kube_new(&(struct objects_kube_opts){
        .client = t->client, .env = &t->base.env, .new_transport = new_transport, .new_transport_arg = t});
}

static void done(struct fixture *t)
{
    objects_kube_free(t->objects);
    kube_client_free(t->client);
    kube_config_free(t->config);
    testing_env_done(&t->base);
}

static struct json *parsed(const char *text)
{
    struct json *value = NULL;

    assert_no_err(json_parse(str_of(text), NULL, &value));
    return value;
}

static const struct object_id shop = {.kind = OBJECT_REFRESH, .namespace = "staging", .name = "shop"};

/* --- writing status --- */

#define STEPS_MAX 8

/* clang-format off */
static const struct write_row {
    const char *name;
    struct exchange steps[STEPS_MAX];
    bool fails;
    enum err_kind want_kind;
    const char *want_version; /* written; of the next read when it failed */
    struct exchange then;     /* what the next read asks; nothing: it reads the store */
} write_rows[] = {
    {.name = "the difference, on the version at hand",
     .steps = {{PATCH_ON("5"), .headers = {"content-type: application/merge-patch+json"}, .reply = SHOP("6", "B")}},
     .want_version = "6"},
    {.name = "somebody changed the spec in between",
     .steps = {{PATCH_ON("5"), CONFLICT},
               {.method = "GET", .path = PATH, .reply = SHOP_AS("2", "u1", "", "7", "A")},
               {PATCH_ON("7"), .reply = SHOP_AS("2", "u1", "", "8", "B")}},
     .want_version = "8"},
    {.name = "somebody changed the status in between",
     .steps = {{PATCH_ON("5"), CONFLICT}, {.method = "GET", .path = PATH, .reply = SHOP("7", "C")}},
     .fails = true, .want_kind = ERR_CONFLICT, .want_version = "7"},
    {.name = "it is another object by now",
     .steps = {{PATCH_ON("5"), CONFLICT}, {.method = "GET", .path = PATH, .reply = SHOP_AS("1", "u9", "", "7", "A")}},
     .fails = true, .want_kind = ERR_CONFLICT, .want_version = "7"},
    {.name = "it is gone by now",
     .steps = {{PATCH_ON("5"), CONFLICT}, {.method = "GET", .path = PATH, .status = 404, .reply = STATUS("404", "NotFound")}},
     .fails = true, .want_kind = ERR_CONFLICT, .want_version = "5"},
    {.name = "it changes faster than we write",
     .steps = {{PATCH_ON("5"), CONFLICT}, {.method = "GET", .path = PATH, .reply = SHOP("6", "A")},
               {PATCH_ON("6"), CONFLICT}, {.method = "GET", .path = PATH, .reply = SHOP("7", "A")},
               {PATCH_ON("7"), CONFLICT}, {.method = "GET", .path = PATH, .reply = SHOP("8", "A")},
               {PATCH_ON("8"), CONFLICT}},
     .fails = true, .want_kind = ERR_CONFLICT, .want_version = "8"},
    {.name = "an answer was lost and the write had happened",
     .steps = {{PATCH_ON("5"), .fail = "reset"}, {.method = "GET", .path = PATH, .reply = SHOP("6", "B")}},
     .want_version = "6"},
    {.name = "an answer was lost and the write had not happened",
     .steps = {{PATCH_ON("5"), .fail = "reset"}, {.method = "GET", .path = PATH, .reply = SHOP("5", "A")}},
     .fails = true, .want_kind = ERR_RETRY, .want_version = "5"},
    {.name = "an answer was lost and nothing can be learned: the next read asks the server",
     .steps = {{PATCH_ON("5"), .fail = "reset"}, {.method = "GET", .path = PATH, .fail = "reset"}},
     .fails = true, .want_kind = ERR_RETRY, .want_version = "6",
     .then = {.method = "GET", .path = PATH, .reply = SHOP("6", "B")}},
    {.name = "a time-out of the server is a lost answer",
     .steps = {{PATCH_ON("5"), .status = 504, .reply = STATUS("504", "Timeout")},
               {.method = "GET", .path = PATH, .reply = SHOP("6", "B")}},
     .want_version = "6"},
    {.name = "a conflict with our own write, whose answer was lost before",
     .steps = {{PATCH_ON("5"), CONFLICT}, {.method = "GET", .path = PATH, .reply = SHOP("6", "B")}},
     .want_version = "6"},
    {.name = "a refusal is given as it is",
     .steps = {{PATCH_ON("5"), .status = 403, .reply = STATUS("403", "Forbidden")}},
     .fails = true, .want_kind = ERR_DENIED, .want_version = "5"},
};
/* clang-format on */

static void learn_shop(struct fixture *t)
{
    AUTO_JSON struct json *live = NULL;

    assert_no_err(objects_read_live(t->objects, &t->base.env, &shop, &live));
}

static void writes(void **state)
{
    const struct write_row *row = *state;
    struct exchange rows[STEPS_MAX + 2] = {{.method = "GET", .path = PATH, .reply = SHOP("5", "A")}};
    size_t count = 1;
    AUTO_JSON struct json *object = parsed(SHOP("5", "A"));
    AUTO_JSON struct json *status = parsed("{\"phase\":\"B\"}");
    AUTO_JSON struct json *written = NULL;
    AUTO_JSON struct json *read = NULL;
    struct fixture t;
    struct err *err;

    while (row->steps[count - 1].method)
        rows[count] = row->steps[count - 1], count++;
    if (row->then.method)
        rows[count++] = row->then;
    init(&t, rows, count, false);
    learn_shop(&t);
    err = objects_write_status(t.objects, &t.base.env, object, status, &written);
    if (row->fails) {
        assert_fails(err, row->want_kind, NULL);
    } else {
        assert_no_err(err);
        assert_text_equal(json_get_text(written, "metadata.resourceVersion", ""), row->want_version);
        assert_text_equal(json_get_text(written, "status.phase", ""), "B");
    }
    assert_no_err(objects_read(t.objects, &t.base.env, &shop, &read));
    assert_text_equal(json_get_text(read, "metadata.resourceVersion", ""), row->want_version);
    done(&t);
}

static void writes_nothing_when_nothing_changed(void **state)
{
    static const struct exchange rows[] = {{.method = "GET", .path = PATH, .reply = SHOP("5", "A")}};
    AUTO_JSON struct json *object = parsed(SHOP("5", "A"));
    AUTO_JSON struct json *written = NULL;
    struct fixture t;

    (void)state;
    init(&t, rows, COUNT_OF(rows), false);
    learn_shop(&t);
    assert_no_err(
        objects_write_status(t.objects, &t.base.env, object, json_member(object, "status"), &written));
    assert_null(written);
    done(&t);
}

/* --- the finalizer --- */

#define HELD(version)                                                                                 \
    "{\"apiVersion\":\"stagingrefresh.dev/v1alpha1\",\"kind\":\"StagingRefresh\",\"metadata\":{"      \
    "\"name\":\"shop\",\"namespace\":\"staging\",\"uid\":\"u1\",\"resourceVersion\":\"" version "\"," \
    "\"finalizers\":[\"stagingrefresh.dev/cleanup\"]}}"

/* clang-format off */
static const struct finalizer_row {
    const char *name;
    const char *object;
    bool present;
    struct exchange steps[3];
    bool fails;
    const char *want_version;
} finalizer_rows[] = {
    {.name = "added", .object = SHOP("5", "A"), .present = true,
     .steps = {{.method = "PATCH", .path = PATH "?*", .reply = HELD("6")}}, .want_version = "6"},
    {.name = "there already", .object = HELD("5"), .present = true, .want_version = "5"},
    {.name = "removed", .object = HELD("5"), .present = false,
     .steps = {{.method = "PATCH", .path = PATH "?*", .reply = SHOP("6", "A")}}, .want_version = "6"},
    {.name = "removed, the answer was lost, and the object went with it", .object = HELD("5"), .present = false,
     .steps = {{.method = "PATCH", .path = PATH "?*", .fail = "reset"},
               {.method = "GET", .path = PATH, .status = 404, .reply = STATUS("404", "NotFound")}},
     .want_version = "5"},
    {.name = "added, the answer was lost, and it is there", .object = SHOP("5", "A"), .present = true,
     .steps = {{.method = "PATCH", .path = PATH "?*", .fail = "reset"}, {.method = "GET", .path = PATH, .reply = HELD("6")}},
     .want_version = "6"},
    {.name = "added, the answer was lost, and it is not there", .object = SHOP("5", "A"), .present = true,
     .steps = {{.method = "PATCH", .path = PATH "?*", .fail = "reset"},
               {.method = "GET", .path = PATH, .reply = SHOP("5", "A")}},
     .fails = true},
};
/* clang-format on */

static void sets_finalizers(void **state)
{
    const struct finalizer_row *row = *state;
    AUTO_JSON struct json *object = parsed(row->object);
    AUTO_JSON struct json *written = NULL;
    struct fixture t;
    size_t count = 0;
    struct err *err;

    while (count < COUNT_OF(row->steps) && row->steps[count].method)
        count++;
    init(&t, row->steps, count, false);
    err = objects_set_finalizer(t.objects, &t.base.env, object, row->present, &written);
    if (row->fails) {
        assert_fails(err, ERR_RETRY, NULL);
    } else {
        assert_no_err(err);
        assert_text_equal(json_get_text(written, "metadata.resourceVersion", ""), row->want_version);
    }
    done(&t);
}

/* --- the first look --- */

#define EMPTY_LIST "{\"kind\":\"List\",\"metadata\":{\"resourceVersion\":\"1\"},\"items\":[]}"

/* clang-format off */
static const struct probe_row {
    const char *name;
    struct exchange steps[3];
    bool fails;
    enum err_kind want_kind;
    const char *want;
} probe_rows[] = {
    {.name = "both kinds are served",
     .steps = {{.method = "GET", .path = ACCOUNTS "?*", .reply = EMPTY_LIST},
               {.method = "GET", .path = REFRESHES "?*", .reply = EMPTY_LIST},
               {.method = "GET", .path = "/api/v1/namespaces/kube-system", .reply = "{\"metadata\":{\"uid\":\"this-cluster\"}}"}},
     .want = "this-cluster"},
    {.name = "the definitions are not installed",
     .steps = {{.method = "GET", .path = ACCOUNTS "?*", .status = 404, .reply = "404 page not found\n"}},
     .fails = true, .want_kind = ERR_NOT_FOUND, .want = "its CustomResourceDefinition is not installed"},
    {.name = "not allowed to look",
     .steps = {{.method = "GET", .path = ACCOUNTS "?*", .status = 403, .reply = STATUS("403", "Forbidden")}},
     .fails = true, .want_kind = ERR_DENIED, .want = "list awsaccounts"},
};
/* clang-format on */

static void probes(void **state)
{
    const struct probe_row *row = *state;
    struct fixture t;
    size_t count = 0;
    struct err *err;

    while (count < COUNT_OF(row->steps) && row->steps[count].method)
        count++;
    init(&t, row->steps, count, false);
    err = objects_kube_probe(t.objects, &t.base.env);
    if (row->fails) {
        assert_fails(err, row->want_kind, row->want);
    } else {
        assert_no_err(err);
        assert_text_equal(t.objects->installation, row->want);
    }
    done(&t);
}

/* --- what the engine is told --- */

struct heard {
    struct buf text; /* only one watch speaks at a time here: the seeded scheduler passes one baton */
    struct sched *sched;
    int64_t split_ms; /* what comes before goes to early */
    struct buf early;
};

static void hear(void *arg, const struct object_id *id, enum work_priority priority)
{
    struct heard *heard = arg;

    buf_addf(heard->sched && sched_now_ms(heard->sched) < heard->split_ms ? &heard->early : &heard->text,
             "%s%s%s ", id->kind == OBJECT_ACCOUNT ? "account " : "", id->name,
             priority == WORK_URGENT ? "!" : "");
}

/* What a watch begins with. */
#define LIST(item) LIST_OF("{\"type\":\"ADDED\",\"object\":" item "}\n")
#define LIST_OF(events)                                        \
    events "{\"type\":\"BOOKMARK\",\"object\":{\"metadata\":{" \
           "\"resourceVersion\":\"5\",\"annotations\":{"       \
           "\"k8s.io/initial-events-end\":\"true\"}}}}\n"
#define EVENT(object) "{\"type\":\"MODIFIED\",\"object\":" object "}\n"
#define REQUESTED "\"stagingrefresh.dev/run-requested\":\"again\""

/* A refresh of a controller that was here before, and what one that nobody has looked at yet lacks. */
#define HANDLED(version, annotations, observed)                                                           \
    "{\"apiVersion\":\"stagingrefresh.dev/v1alpha1\",\"kind\":\"StagingRefresh\","                        \
    "\"metadata\":{\"name\":\"shop\",\"namespace\":\"staging\",\"uid\":\"u1\",\"generation\":3,"          \
    "\"annotations\":{" annotations "},\"resourceVersion\":\"" version                                    \
    "\"},\"spec\":{\"sourceRef\":{\"name\":\"production\"}},\"status\":{\"observedGeneration\":" observed \
    ",\"lastHandledRequest\":\"again\"}}"

static void expect_heard(struct fixture *t, struct heard *heard, int64_t at_ms, const char *want)
{
    assert_true(sched_wait_until(t->base.env.sched, NULL, at_ms));
    assert_text_equal(buf_text(&heard->text), want);
    buf_reset(&heard->text);
}

static void tells_what_is_news(void **state)
{
    const struct exchange rows[] = {
        {.method = "GET",
         .path = REFRESHES "?*watch=*",
         CHUNKS({.bytes = LIST(SHOP("5", "A"))}, {.after_ms = 2000, .bytes = EVENT(SHOP("6", "B"))},
                {.after_ms = 1000, .bytes = EVENT(SHOP_AS("1", "u1", REQUESTED, "7", "B"))},
                {.after_ms = 1000, .bytes = EVENT(SHOP_AS("1", "u1", REQUESTED, "8", "wiped"))},
                {.after_ms = 1000, .bytes = EVENT(SHOP_AS("2", "u1", REQUESTED, "9", "wiped"))},
                {.idle = true})},
        {.method = "GET",
         .path = ACCOUNTS "?*watch=*",
         CHUNKS({.bytes = LIST(ACCOUNT("1", "3", "Unknown"))},
                {.after_ms = 6000, .bytes = EVENT(ACCOUNT("1", "10", "True"))},
                {.after_ms = 1000, .bytes = EVENT(ACCOUNT("1", "11", "Unknown"))},
                {.after_ms = 1000, .bytes = EVENT(ACCOUNT("1", "12", "False"))},
                {.after_ms = 1000, .bytes = EVENT(ACCOUNT("1", "13", "True"))},
                {.after_ms = 1000, .bytes = EVENT(ACCOUNT("2", "14", "Unknown"))}, {.idle = true})},
        {PATCH_ON("5"), .reply = SHOP("6", "B")},
    };
    AUTO_JSON struct json *object = parsed(SHOP("5", "A"));
    AUTO_JSON struct json *status = parsed("{\"phase\":\"B\"}");
    AUTO_JSON struct json *written = NULL;
    struct heard heard = {.text = BUF_MAX(4 * KIB)};
    struct fixture t;
    int64_t start_ms;

    (void)state;
    init(&t, rows, COUNT_OF(rows), true);
    start_ms = sched_now_ms(t.base.env.sched);
    assert_no_err(objects_kube_start(t.objects, hear, &heard));
    assert_true(objects_kube_wait_synced(t.objects, NEVER_MS));
    buf_reset(&heard.text);
    assert_no_err(objects_write_status(t.objects, &t.base.env, object, status, &written));
    expect_heard(&t, &heard, start_ms + 2500, "");       /* our own write came back */
    expect_heard(&t, &heard, start_ms + 3500, "shop! "); /* an annotation of ours */
    expect_heard(&t, &heard, start_ms + 4500, "shop ");  /* somebody else wrote the status */
    expect_heard(&t, &heard, start_ms + 5500, "shop! "); /* another generation */
    expect_heard(&t, &heard, start_ms + 6500, "account production! shop "); /* usable now */
    expect_heard(&t, &heard, start_ms + 7500, "account production ");       /* nobody waits for that */
    expect_heard(&t, &heard, start_ms + 8500, "account production ");
    expect_heard(&t, &heard, start_ms + 9500, "account production! shop ");
    expect_heard(&t, &heard, start_ms + 10500, "account production! shop "); /* another generation */
    objects_kube_resync(t.objects);
    expect_heard(&t, &heard, start_ms + 10600,
                 "account production! shop! "); /* nobody has looked at them yet */
    objects_kube_stop(t.objects);
    buf_done(&heard.text);
    done(&t);
}

/* The watch and the answer to our write come on two connections. */
/* clang-format off */
static const struct echo_row {
    const char *name;
    struct chunk events[3];
    struct exchange patch;
    const char *meanwhile, *after; /* what is told before the answer is there, and afterwards */
} echo_rows[] = {
    {.name = "after its answer", .events = {{.after_ms = 3000, .bytes = EVENT(SHOP("6", "B"))}, {.idle = true}},
     .patch = {PATCH_ON("5"), .delay_ms = 1000, .reply = SHOP("6", "B")}, .meanwhile = "", .after = ""},
    {.name = "before its answer", .events = {{.after_ms = 500, .bytes = EVENT(SHOP("6", "B"))}, {.idle = true}},
     .patch = {PATCH_ON("5"), .delay_ms = 1000, .reply = SHOP("6", "B")}, .meanwhile = "", .after = ""},
    {.name = "before its answer, and somebody wrote after it",
     .events = {{.after_ms = 500, .bytes = EVENT(SHOP("6", "B")) EVENT(SHOP("7", "wiped"))}, {.idle = true}},
     .patch = {PATCH_ON("5"), .delay_ms = 1000, .reply = SHOP("6", "B")}, .meanwhile = "", .after = "shop "},
    {.name = "somebody asks for something meanwhile",
     .events = {{.after_ms = 500, .bytes = EVENT(SHOP_AS("1", "u1", REQUESTED, "7", "B"))}, {.idle = true}},
     .patch = {PATCH_ON("5"), .delay_ms = 1000, .reply = SHOP("6", "B")}, .meanwhile = "shop! ", .after = ""},
    {.name = "the write fails", .events = {{.after_ms = 500, .bytes = EVENT(SHOP("6", "wiped"))}, {.idle = true}},
     .patch = {PATCH_ON("5"), .delay_ms = 1000, .status = 403, .reply = STATUS("403", "Forbidden")},
     .meanwhile = "", .after = "shop "},
};
/* clang-format on */

static void keeps_echoes_to_itself(void **state)
{
    const struct echo_row *row = *state;
    struct chunk chunks[4] = {
        {.bytes = LIST(SHOP("5", "A"))}, row->events[0], row->events[1], row->events[2]};
    const struct exchange rows[] = {
        {.method = "GET", .path = REFRESHES "?*watch=*", .chunks = chunks, .chunk_count = 3},
        {.method = "GET",
         .path = ACCOUNTS "?*watch=*",
         CHUNKS({.bytes = LIST(ACCOUNT("1", "3", "True"))}, {.idle = true})},
        row->patch,
    };
    AUTO_JSON struct json *object = parsed(SHOP("5", "A"));
    AUTO_JSON struct json *status = parsed("{\"phase\":\"B\"}");
    AUTO_JSON struct json *written = NULL;
    struct heard heard = {.text = BUF_MAX(4 * KIB), .early = BUF_MAX(4 * KIB)};
    struct fixture t;
    int64_t start_ms;

    init(&t, rows, COUNT_OF(rows), true);
    start_ms = sched_now_ms(t.base.env.sched);
    assert_no_err(objects_kube_start(t.objects, hear, &heard));
    assert_true(objects_kube_wait_synced(t.objects, NEVER_MS));
    buf_reset(&heard.text);
    heard.split_ms = start_ms + 900;
    heard.sched = t.base.env.sched;
    err_free(objects_write_status(t.objects, &t.base.env, object, status, &written));
    assert_true(sched_now_ms(t.base.env.sched) >= start_ms + 1000);
    expect_heard(&t, &heard, start_ms + 4000, row->after);
    assert_text_equal(buf_text(&heard.early), row->meanwhile);
    objects_kube_stop(t.objects);
    buf_done(&heard.text);
    buf_done(&heard.early);
    done(&t);
}

/* Over months there are many of them. */
static void remembers_nothing_of_what_has_gone(void **state)
{
    const struct exchange rows[] = {
        {.method = "GET",
         .path = REFRESHES "?*watch=*",
         CHUNKS({.bytes = LIST(HELD("5"))},
                {.after_ms = 500, .bytes = "{\"type\":\"DELETED\",\"object\":" SHOP("6", "A") "}\n"},
                {.idle = true})},
        {.method = "GET", .path = ACCOUNTS "?*watch=*", CHUNKS({.bytes = LIST_OF("")}, {.idle = true})},
        {.method = "PATCH", .path = PATH "?*", .delay_ms = 1000, .reply = SHOP("6", "A")},
    };
    AUTO_JSON struct json *object = parsed(HELD("5"));
    AUTO_JSON struct json *written = NULL;
    struct heard heard = {.text = BUF_MAX(4 * KIB)};
    struct fixture t;

    (void)state;
    init(&t, rows, COUNT_OF(rows), true);
    assert_no_err(objects_kube_start(t.objects, hear, &heard));
    assert_true(objects_kube_wait_synced(t.objects, NEVER_MS));
    assert_no_err(objects_set_finalizer(t.objects, &t.base.env, object, false, &written));
    assert_number(collection_tracked(&((struct objects_kube *)t.objects)->collections[OBJECT_REFRESH]), 0);
    objects_kube_stop(t.objects);
    buf_done(&heard.text);
    done(&t);
}

/* What was asked for while no controller was there is not a re-check. */
static const struct first_row {
    const char *name, *shop, *want;
} first_rows[] = {
    {.name = "looked at already", .shop = HANDLED("5", "", "3"), .want = "shop "},
    {.name = "its request too", .shop = HANDLED("5", REQUESTED, "3"), .want = "shop "},
    {.name = "never looked at", .shop = SHOP_AS("1", "u1", "", "5", "A"), .want = "shop! "},
    {.name = "changed since", .shop = HANDLED("5", "", "2"), .want = "shop! "},
    {.name = "asked since",
     .shop = HANDLED("5", "\"stagingrefresh.dev/run-requested\":\"anew\"", "3"),
     .want = "shop! "},
};

static void tells_what_it_finds(void **state)
{
    const struct first_row *row = *state;
    AUTO_FREE char *list = xasprintf(LIST("%s"), row->shop);
    const struct chunk chunks[] = {{.bytes = list}, {.idle = true}};
    const struct exchange rows[] = {
        {.method = "GET", .path = REFRESHES "?*watch=*", .chunks = chunks, .chunk_count = COUNT_OF(chunks)},
        {.method = "GET", .path = ACCOUNTS "?*watch=*", CHUNKS({.bytes = LIST_OF("")}, {.idle = true})},
    };
    struct heard heard = {.text = BUF_MAX(4 * KIB)};
    struct fixture t;
    int64_t now_ms;

    init(&t, rows, COUNT_OF(rows), true);
    assert_no_err(objects_kube_start(t.objects, hear, &heard));
    assert_true(objects_kube_wait_synced(t.objects, NEVER_MS));
    now_ms = sched_now_ms(t.base.env.sched);
    expect_heard(&t, &heard, now_ms + 10, row->want);
    objects_kube_resync(t.objects);
    expect_heard(&t, &heard, now_ms + 20, row->want);
    objects_kube_stop(t.objects);
    buf_done(&heard.text);
    done(&t);
}

/* --- a replica in reserve that begins to work: its watch has heard of shop at 5, and of nothing since --- */

#define LISTED_AT(version, items) "{\"metadata\":{\"resourceVersion\":\"" version "\"},\"items\":[" items "]}"
#define LISTS_REFRESHES .method = "GET", .path = REFRESHES "?limit=*"

/* clang-format off */
static const struct refresh_row {
    const char *name;
    struct exchange list;
    struct chunk late; /* what the watch brings after a second */
    bool fails;
    const char *want; /* the version that is read in the end; "": there is no such object */
} refresh_rows[] = {
    {.name = "changed since", .list = {LISTS_REFRESHES, .reply = LISTED_AT("20", SHOP("9", "B"))},
     .late = {.idle = true}, .want = "9"},
    {.name = "gone since", .list = {LISTS_REFRESHES, .reply = LISTED_AT("20", "")}, .late = {.idle = true}, .want = ""},
    {.name = "the watch comes with what was before",
     .list = {LISTS_REFRESHES, .reply = LISTED_AT("20", SHOP("9", "C"))},
     .late = {.after_ms = 1000, .bytes = EVENT(SHOP("8", "B"))}, .want = "9"},
    {.name = "gone, and the watch comes with what was before",
     .list = {LISTS_REFRESHES, .reply = LISTED_AT("20", "")},
     .late = {.after_ms = 1000, .bytes = EVENT(SHOP("8", "B"))}, .want = ""},
    {.name = "another of the name, and the watch comes with what was before",
     .list = {LISTS_REFRESHES, .reply = LISTED_AT("20", SHOP_AS("1", "u9", "", "15", "A"))},
     .late = {.after_ms = 1000, .bytes = "{\"type\":\"DELETED\",\"object\":" SHOP("8", "B") "}\n"}, .want = "15"},
    {.name = "the watch is faster than the list",
     .list = {LISTS_REFRESHES, .delay_ms = 2000, .reply = LISTED_AT("8", SHOP("7", "B"))},
     .late = {.after_ms = 1000, .bytes = EVENT(SHOP("12", "C"))}, .want = "12"},
    {.name = "the server is in trouble",
     .list = {LISTS_REFRESHES, .status = 500, .reply = STATUS("500", "InternalError")}, .late = {.idle = true},
     .fails = true, .want = "5"},
    {.name = "a list of a past state",
     .list = {LISTS_REFRESHES, .reply = LISTED_AT("4", SHOP("4", "Z"))}, .late = {.idle = true},
     .fails = true, .want = "5"},
};
/* clang-format on */

static void reads_everything_anew(void **state)
{
    const struct refresh_row *row = *state;
    const struct chunk chunks[] = {{.bytes = LIST(SHOP("5", "A"))}, row->late, {.idle = true}};
    const struct exchange rows[] = {
        {.method = "GET", .path = REFRESHES "?*watch=*", .chunks = chunks, .chunk_count = COUNT_OF(chunks)},
        {.method = "GET", .path = ACCOUNTS "?*watch=*", CHUNKS({.bytes = LIST_OF("")}, {.idle = true})},
        {.method = "GET", .path = ACCOUNTS "?limit=*", .reply = LISTED_AT("20", "")},
        row->list,
    };
    AUTO_JSON struct json *object = NULL;
    struct heard heard = {.text = BUF_MAX(4 * KIB)};
    struct fixture t;
    struct err *err;

    init(&t, rows, COUNT_OF(rows), true);
    assert_no_err(objects_kube_start(t.objects, hear, &heard));
    assert_true(objects_kube_wait_synced(t.objects, NEVER_MS));
    err = objects_kube_refresh(t.objects, &t.base.env);
    if (row->fails)
        assert_fails(err, ERR_RETRY, "list stagingrefreshes");
    else
        assert_no_err(err);
    assert_true(sched_wait_until(t.base.env.sched, NULL, sched_now_ms(t.base.env.sched) + 3000));
    assert_no_err(objects_read(t.objects, &t.base.env, &shop, &object));
    assert_text_equal(json_get_text(object, "metadata.resourceVersion", ""), row->want);
    objects_kube_stop(t.objects);
    buf_done(&heard.text);
    done(&t);
}

/* --- groups --- */

#define IN_SERIES(namespace, name, series)                                                                 \
    "{\"type\":\"ADDED\",\"object\":{\"apiVersion\":\"stagingrefresh.dev/v1alpha1\",\"kind\":"             \
    "\"StagingRefresh\",\"metadata\":{\"name\":\"" name                                                    \
    "\",\"namespace\":\"" namespace "\",\"uid\":\"" name "\",\"resourceVersion\":\"2\"},\"spec\":{" series \
                                    "}}}\n"

struct shown {
    struct buf names;
    const struct json *first;
    size_t enough; /* 0: never */
};

static bool show(void *arg, const struct json *object)
{
    struct shown *shown = arg;

    if (!shown->names.len)
        shown->first = object;
    buf_addf(&shown->names, "%s ", json_get_text(object, "metadata.name", ""));
    return !shown->enough || --shown->enough;
}

/* clang-format off */
static const struct group_row {
    const char *name, *group;
    size_t enough;
    const char *want;
} group_rows[] = {
    {.name = "one series of one namespace", .group = "staging/nightly", .want = "shop-1 shop-2 "},
    {.name = "the name is the series of those who say nothing", .group = "staging/alone", .want = "alone "},
    {.name = "nobody", .group = "staging/none", .want = ""},
    {.name = "all of the kind", .group = NULL, .want = "shop-1 alone shop-1 shop-2 "},
    {.name = "the first is enough", .group = "staging/nightly", .enough = 1, .want = "shop-1 "},
};
/* clang-format on */

static void shows_groups(void **state)
{
    const struct group_row *row = *state;
    const struct exchange rows[] = {
        {.method = "GET",
         .path = REFRESHES "?*watch=*",
         CHUNKS({.bytes = IN_SERIES("staging", "shop-1", "\"series\":\"nightly\"")
                     IN_SERIES("staging", "alone", "") IN_SERIES("qa", "shop-1", "\"series\":\"nightly\"")
                         LIST_OF(IN_SERIES("staging", "shop-2", "\"series\":\"nightly\""))},
                {.idle = true})},
        {.method = "GET",
         .path = ACCOUNTS "?*watch=*",
         CHUNKS({.bytes = LIST(ACCOUNT("1", "3", "True"))}, {.idle = true})},
    };
    struct heard heard = {.text = BUF_MAX(4 * KIB)};
    struct shown shown = {.names = BUF_MAX(1 * KIB), .enough = row->enough};
    struct shown again = {.names = BUF_MAX(1 * KIB), .enough = row->enough};
    struct fixture t;

    init(&t, rows, COUNT_OF(rows), true);
    assert_no_err(objects_kube_start(t.objects, hear, &heard));
    assert_true(objects_kube_wait_synced(t.objects, NEVER_MS));
    objects_each(t.objects, OBJECT_REFRESH, row->group, show, &shown);
    assert_text_equal(buf_text(&shown.names), row->want);
    objects_each(t.objects, OBJECT_REFRESH, row->group, show, &again);
    assert_ptr_equal(shown.first, again.first); /* the stored one: nobody copies */
    objects_kube_stop(t.objects);
    buf_done(&shown.names);
    buf_done(&again.names);
    buf_done(&heard.text);
    done(&t);
}

int main(void)
{
    struct tests tests = {0};

    TEST_ROWS(&tests, writes, write_rows);
    TEST(&tests, writes_nothing_when_nothing_changed);
    TEST_ROWS(&tests, sets_finalizers, finalizer_rows);
    TEST_ROWS(&tests, probes, probe_rows);
    TEST(&tests, tells_what_is_news);
    TEST_ROWS(&tests, keeps_echoes_to_itself, echo_rows);
    TEST(&tests, remembers_nothing_of_what_has_gone);
    TEST_ROWS(&tests, tells_what_it_finds, first_rows);
    TEST_ROWS(&tests, reads_everything_anew, refresh_rows);
    TEST_ROWS(&tests, shows_groups, group_rows);
    return tests_run(&tests, "objects_kube");
}
