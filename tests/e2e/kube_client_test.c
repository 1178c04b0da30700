/* pkg/kube against a real API server: what scripts cannot vouch for. Needs $KUBECONFIG of an administrator.
 */
#include <unistd.h>

#include "pkg/http/transport.h"
#include "pkg/kube/events.h"
#include "pkg/kube/lease.h"
#include "pkg/kube/object.h"
#include "pkg/kube/watch.h"
#include "tests/testing/assertions.h"

static const struct kube_resource namespaces = {.version = "v1", .plural = "namespaces", .kind = "Namespace"};
static const struct kube_resource configmaps = {
    .version = "v1", .plural = "configmaps", .kind = "ConfigMap", .namespaced = true};
static const struct kube_resource services = {
    .version = "v1", .plural = "services", .kind = "Service", .namespaced = true};
static const struct kube_resource events_v1 = {
    .group = "events.k8s.io", .version = "v1", .plural = "events", .namespaced = true};
static const struct kube_resource nothing = {
    .group = "nobody.example.com", .version = "v1", .plural = "things", .namespaced = true};

struct world {
    struct env env;
    struct kube_config *config;
    struct kube_client *client;
    char *namespace;
};

static struct json *parse(const char *text)
{
    struct json *value = NULL;

    assert_no_err(json_parse(str_of(text), NULL, &value));
    return value;
}

static int set_up(void **state)
{
    struct world *w = xcalloc(1, sizeof(*w));
    const struct kube_config_sources sources = {.kubeconfig_variable = getenv("KUBECONFIG"),
                                                .home = getenv("HOME")};
    AUTO_JSON struct json *object = parse("{\"metadata\":{\"generateName\":\"kube-client-\"}}"), *made = NULL;

    transport_curl_init();
    w->env.sched = sched_threads_new(1);
    w->env.random = random_system_new();
    w->env.log = log_new(STDERR_FILENO, LOG_LEVEL_WARN, LOG_FORMAT_TEXT, w->env.sched);
    w->env.transport = transport_curl_new(w->env.sched);
    assert_no_err(kube_config_load(&sources, &w->config));
    w->client = kube_client_new(w->config, &(struct kube_client_opts){.user_agent = "kube-client-test/1",
                                                                      .field_manager = "kube-client-test"});
    assert_no_err(
        kube_create(w->client, &w->env, &(struct kube_ref){.resource = &namespaces}, object, &made));
    w->namespace = xstrdup(json_get_text(made, "metadata.name", ""));
    *state = w;
    return 0;
}

static int tear_down(void **state)
{
    struct world *w = *state;

    assert_no_err(kube_delete(w->client, &w->env,
                              &(struct kube_ref){.resource = &namespaces, .name = w->namespace}, NULL));
    kube_client_free(w->client);
    kube_config_free(w->config);
    transport_free(w->env.transport);
    log_free(w->env.log);
    random_free(w->env.random);
    sched_free(w->env.sched);
    xfree(w->namespace);
    xfree(w);
    return 0;
}

static struct kube_ref map_ref(const struct world *w, const char *name)
{
    return (struct kube_ref){.resource = &configmaps, .namespace = w->namespace, .name = name};
}

static struct json *make_map(struct world *w, const char *name)
{
    const struct kube_ref collection = map_ref(w, NULL);
    AUTO_FREE char *text =
        xasprintf("{\"metadata\":{\"name\":\"%s\",\"labels\":{\"family\":\"%.4s\"}},\"data\":{\"a\":\"1\"}}",
                  name, name);
    AUTO_JSON struct json *object = parse(text);
    struct json *made = NULL;

    assert_no_err(kube_create(w->client, &w->env, &collection, object, &made));
    return made;
}

static const char *version_of(const struct json *object)
{
    return json_get_text(object, "metadata.resourceVersion", "");
}

/* --- single calls --- */

static void refusals_have_kinds(void **state)
{
    struct world *w = *state;
    struct kube_ref ref = map_ref(w, "one"), missing = map_ref(w, "no-such"), collection = map_ref(w, NULL);
    const struct kube_ref unknown = {.resource = &nothing, .namespace = w->namespace, .name = "x"};
    AUTO_JSON struct json *made = make_map(w, "one"),
                          *stale = parse("{\"metadata\":{\"resourceVersion\":\"1\"}}"),
                          *bad = parse("{\"data\":{\"a\":1}}"), *answer = NULL;
    struct err *err;

    err = kube_create(w->client, &w->env, &collection, made, NULL);
    assert_non_null(err);
    err_ignore(err, "a resourceVersion in a new object is refused first");
    json_remove(json_edit(made, "metadata"), "resourceVersion");
    err = kube_create(w->client, &w->env, &collection, made, NULL);
    assert_true(err_is_code(err, "AlreadyExists"));
    assert_fails(err, ERR_CONFLICT, NULL);
    err = kube_patch(w->client, &w->env, &ref, &(struct kube_patch){.type = KUBE_PATCH_MERGE, .body = stale},
                     NULL);
    assert_true(err_is_code(err, "Conflict"));
    assert_fails(err, ERR_CONFLICT, NULL);
    assert_fails(kube_get(w->client, &w->env, &missing, &answer), ERR_NOT_FOUND, "no-such");
    err = kube_get(w->client, &w->env, &unknown, &answer);
    assert_true(err_is_code(err, "NotServed"));
    assert_fails(err, ERR_RETRY, NULL);
    assert_fails(kube_patch(w->client, &w->env, &ref,
                            &(struct kube_patch){.type = KUBE_PATCH_MERGE, .body = bad}, NULL),
                 ERR_INVALID, NULL);
    assert_fails(kube_delete(w->client, &w->env, &ref,
                             &(struct kube_delete_opts){.uid = "00000000-0000-0000-0000-000000000000"}),
                 ERR_CONFLICT, NULL);
    assert_no_err(kube_delete(w->client, &w->env, &ref,
                              &(struct kube_delete_opts){.uid = json_get_text(made, "metadata.uid", "")}));
    assert_fails(kube_get(w->client, &w->env, &ref, &answer), ERR_NOT_FOUND, NULL);
}

static void finalizers_hold_and_conflict(void **state)
{
    struct world *w = *state;
    struct kube_ref ref = map_ref(w, "held");
    AUTO_JSON struct json *made = make_map(w, "held"), *held = NULL, *deleting = NULL, *more = NULL,
                          *answer = NULL;

    assert_no_err(kube_add_finalizer(w->client, &w->env, &ref, made, "example.com/one", &held));
    assert_true(kube_has_finalizer(held, "example.com/one"));
    assert_fails(kube_add_finalizer(w->client, &w->env, &ref, made, "example.com/two", NULL), ERR_CONFLICT,
                 NULL);
    assert_no_err(kube_add_finalizer(w->client, &w->env, &ref, held, "example.com/two", &more));
    assert_no_err(kube_delete(w->client, &w->env, &ref, NULL));
    assert_no_err(kube_get(w->client, &w->env, &ref, &deleting));
    assert_fails(kube_add_finalizer(w->client, &w->env, &ref, deleting, "example.com/three", NULL),
                 ERR_INVALID, NULL);
    assert_no_err(kube_remove_finalizer(w->client, &w->env, &ref, deleting, "example.com/one", &answer));
    assert_false(kube_has_finalizer(answer, "example.com/one"));
    assert_fails(kube_remove_finalizer(w->client, &w->env, &ref, deleting, "example.com/two", NULL),
                 ERR_CONFLICT, NULL);
    assert_no_err(kube_remove_finalizer(w->client, &w->env, &ref, answer, "example.com/two", NULL));
    assert_fails(kube_remove_finalizer(w->client, &w->env, &ref, answer, "example.com/two", NULL),
                 ERR_NOT_FOUND, NULL);
}

static void status_goes_through_its_subresource(void **state)
{
    struct world *w = *state;
    const struct kube_ref collection = {.resource = &services, .namespace = w->namespace};
    const struct kube_ref ref = {.resource = &services, .namespace = w->namespace, .name = "s"};
    AUTO_JSON struct json *object =
                              parse("{\"metadata\":{\"name\":\"s\"},\"spec\":{\"clusterIP\":\"None\"}}"),
                          *status = json_new_object(), *made = NULL, *patched = NULL;
    struct json *conditions = json_new_array();

    assert_no_err(kube_create(w->client, &w->env, &collection, object, &made));
    assert_true(kube_set_condition(conditions, &(struct kube_condition){"Ready", "True", "Works", "fine", 1},
                                   sched_wall_ms(w->env.sched)));
    json_set(status, "conditions", conditions);
    assert_no_err(kube_patch_status(w->client, &w->env, &ref, version_of(made), status, &patched));
    assert_text_equal(json_get_text(patched, "status.conditions[0].type", ""), "Ready");
    assert_fails(kube_patch_status(w->client, &w->env, &ref, version_of(made), status, NULL), ERR_CONFLICT,
                 NULL);
}

static void lists_in_pages(void **state)
{
    struct world *w = *state;
    const struct kube_query query = {
        .collection = map_ref(w, NULL), .label_selector = "family=page", .page_size = 3};
    AUTO_JSON struct json *items = NULL;

    for (int i = 0; i < 8; i++) {
        AUTO_FREE char *name = xasprintf("page-%d", i);

        json_free(make_map(w, name));
    }
    assert_no_err(kube_list(w->client, &w->env, &query, &items));
    assert_number(json_count(items), 8);
    assert_text_equal(json_get_text(items, "[7].kind", ""), "ConfigMap");
}

/* --- the watch --- */

struct waiter {
    struct spot *spot;
    struct world *w;
    struct kube_store *store;
};

static void on_change(void *arg, const char *key, enum kube_change change)
{
    (void)key;
    (void)change;
    sched_wake(((struct waiter *)arg)->spot);
}

/* Until the object has this version (NULL: is gone), at most half a minute. */
static bool becomes(struct waiter *waiter, const char *key, const char *version)
{
    int64_t deadline = sched_now_ms(waiter->w->env.sched) + SECONDS(30);

    for (;;) {
        AUTO_KUBE_OBJECT const struct kube_object *object = kube_store_get(waiter->store, key);

        if (text_equal(object ? object->resource_version : NULL, version))
            return true;
        if (sched_park(waiter->spot, deadline) == PARK_TIMEOUT)
            return false;
    }
}

static void a_store_follows_the_server(void **state)
{
    struct world *w = *state;
    struct waiter waiter = {.w = w, .spot = sched_spot_new(w->env.sched), .store = kube_store_new()};
    const struct kube_watch_opts opts = {.query = {.collection = map_ref(w, NULL)}};
    struct env env = w->env;
    struct kube_ref ref = map_ref(w, "watched");
    AUTO_FREE char *key = kube_key(w->namespace, "watched");
    AUTO_JSON struct json *made = make_map(w, "watched"), *patch = parse("{\"data\":{\"a\":\"2\"}}"),
                          *changed = NULL;
    struct kube_watch *watch = NULL;
    struct kube_watch_stats stats;
    int64_t stop_ms;

    env.transport = transport_curl_new(env.sched);
    kube_store_on_change(waiter.store, on_change, &waiter);
    assert_no_err(kube_watch_start(w->client, &env, &opts, waiter.store, &watch));
    assert_true(kube_store_wait_synced(waiter.store, env.sched, NULL, sched_now_ms(env.sched) + SECONDS(30)));
    assert_true(becomes(&waiter, key, version_of(made)));
    assert_no_err(kube_patch(w->client, &w->env, &ref,
                             &(struct kube_patch){.type = KUBE_PATCH_MERGE, .body = patch}, &changed));
    assert_true(becomes(&waiter, key, version_of(changed)));
    assert_no_err(kube_delete(w->client, &w->env, &ref, NULL));
    assert_true(becomes(&waiter, key, NULL));
    kube_store_learn(waiter.store, changed);
    assert_true(becomes(&waiter, key, NULL));
    stats = kube_watch_stats(watch);
    assert_number(stats.streamed + stats.lists, 1); /* one list, in whichever way the server offers */
    stop_ms = sched_now_ms(env.sched);
    kube_watch_stop(watch);
    assert_in_range(sched_now_ms(env.sched) - stop_ms, 0, 1000);
    transport_free(env.transport);
    kube_store_free(waiter.store);
    sched_spot_free(waiter.spot);
}

/* --- lease, events --- */

static void wake(void *spot)
{
    sched_wake(spot);
}

static void a_lease_changes_hands(void **state)
{
    struct world *w = *state;
    struct spot *spot = sched_spot_new(w->env.sched);
    struct kube_lease_opts opts = {
        .namespace = w->namespace, .name = "leader", .identity = "first", .acquired = wake, .arg = spot};
    struct env first_env = w->env, second_env = w->env;
    struct kube_lease *first = NULL, *second = NULL;
    AUTO_FREE char *holder = NULL;

    first_env.transport = transport_curl_new(w->env.sched);
    second_env.transport = transport_curl_new(w->env.sched);
    assert_no_err(kube_lease_start(w->client, &first_env, &opts, &first));
    assert_int_equal(sched_park(spot, sched_now_ms(w->env.sched) + SECONDS(30)), PARK_WOKEN);
    assert_true(kube_lease_age_ms(first) < SECONDS(10));
    opts.identity = "second";
    assert_no_err(kube_lease_start(w->client, &second_env, &opts, &second));
    kube_lease_finish(first);
    assert_int_equal(sched_park(spot, sched_now_ms(w->env.sched) + SECONDS(30)), PARK_WOKEN);
    holder = kube_lease_holder(second);
    assert_text_equal(holder, "second");
    kube_lease_finish(second);
    transport_free(first_env.transport);
    transport_free(second_env.transport);
    sched_spot_free(spot);
}

static void events_are_taken(void **state)
{
    struct world *w = *state;
    struct env env = w->env;
    AUTO_JSON struct json *made = make_map(w, "regarded"), *items = NULL;
    struct kube_events *events;

    json_set_text(made, "apiVersion", "v1");
    json_set_text(made, "kind", "ConfigMap");
    env.transport = transport_curl_new(env.sched);
    events = kube_events_start(
        w->client, &env, &(struct kube_events_opts){.controller = "example.com/tester", .instance = "test"});
    for (int i = 0; i < 3; i++)
        kube_event_emit(events, &(struct kube_event){.regarding = made,
                                                     .severity = KUBE_WARNING,
                                                     .reason = "Tried",
                                                     .action = "Try",
                                                     .note = "we tried"});
    kube_events_stop(events, SECONDS(30));
    transport_free(env.transport);
    assert_no_err(
        kube_list(w->client, &w->env,
                  &(struct kube_query){.collection = {.resource = &events_v1, .namespace = w->namespace},
                                       .field_selector = "reason=Tried"},
                  &items));
    assert_number(json_count(items), 1);
    assert_text_equal(json_get_text(items, "[0].regarding.uid", ""),
                      json_get_text(made, "metadata.uid", "?"));
    assert_number(json_get_int(items, "[0].series.count", 0), 3);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(refusals_have_kinds),
        cmocka_unit_test(finalizers_hold_and_conflict),
        cmocka_unit_test(status_goes_through_its_subresource),
        cmocka_unit_test(lists_in_pages),
        cmocka_unit_test(a_store_follows_the_server),
        cmocka_unit_test(a_lease_changes_hands),
        cmocka_unit_test(events_are_taken),
    };

    return cmocka_run_group_tests_name("e2e/kube_client", tests, set_up, tear_down);
}
