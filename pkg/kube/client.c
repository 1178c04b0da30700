#include "pkg/kube/client.h"

#include "pkg/base/lock.h"
#include "pkg/base/secret.h"
#include "pkg/kube/client_priv.h"
#include "pkg/kube/config_priv.h"
#include "pkg/kube/credentials.h"
#include "pkg/kube/keymap.h"

#define URL_MAX (64 * KIB)
#define BODY_MAX (3 * MIB) /* the server takes no more */
#define WARNINGS_MAX 256
#define PAGE_SIZE 500
#define NO_PAGES SIZE_MAX
#define PATIENCE_MS SECONDS(2) /* with a server that is busy, per call */
#define TRIES_MAX 4            /* it may ask for no wait at all */

struct kube_client {
    struct kube_config *config; /* immutable, as all down to the lock */
    char *user_agent;
    char *field_manager;
    struct kube_client_opts opts;
    pthread_mutex_t lock;
    struct keymap warnings; /* lock; texts that were logged */
};

/* One request before credentials are known. */
struct call {
    const char *method;
    struct buf url;
    bool has_query;
    const char *content_type; /* of body; NULL: no body */
    struct buf body;
    size_t max_reply_bytes;
    int64_t timeout_ms;
    bool sensitive;
    bool accept_gzip;
};

static void call_done(struct call *call)
{
    buf_done(&call->url);
    buf_done(&call->body);
}
#define AUTO_CALL CLEANUP(call_done)

struct kube_client *kube_client_new(struct kube_config *config, const struct kube_client_opts *opts)
{
    struct kube_client *client = xcalloc(1, sizeof(*client));

    client->config = config;
    if (opts)
        client->opts = *opts;
    client->user_agent = xstrdup(client->opts.user_agent ? client->opts.user_agent : "kube-client");
    client->field_manager = xstrdup_or_null(client->opts.field_manager);
    if (!client->opts.timeout_ms)
        client->opts.timeout_ms = SECONDS(30);
    if (!client->opts.max_object_bytes)
        client->opts.max_object_bytes = 4 * MIB;
    if (!client->opts.max_list_bytes)
        client->opts.max_list_bytes = 64 * MIB;
    pthread_mutex_init(&client->lock, NULL);
    return client;
}

struct kube_client *kube_client_copy(const struct kube_client *client, const char *suffix)
{
    AUTO_FREE char *user_agent = xasprintf("%s%s", client->user_agent, suffix);
    struct kube_client_opts opts = client->opts;

    opts.user_agent = user_agent;
    opts.field_manager = client->field_manager;
    return kube_client_new(client->config, &opts);
}

void kube_client_set_timeout(struct kube_client *client, int64_t timeout_ms)
{
    client->opts.timeout_ms = timeout_ms;
}

void kube_client_free(struct kube_client *client)
{
    struct keymap_node *node;

    if (!client)
        return;
    while ((node = keymap_next(&client->warnings, NULL))) {
        keymap_remove(&client->warnings, node);
        xfree(node->key);
        xfree(node);
    }
    keymap_done(&client->warnings);
    pthread_mutex_destroy(&client->lock);
    xfree(client->user_agent);
    xfree(client->field_manager);
    xfree(client);
}

struct kube_config *kube_client_config(const struct kube_client *client)
{
    return client->config;
}

/* --- URLs --- */

/* What the API server itself takes as a segment of a path. */
static struct err *add_segment(struct buf *url, const char *segment, const char *what)
{
    if (text_is_empty(segment) || text_equal(segment, ".") || text_equal(segment, "..") ||
        strpbrk(segment, "/%"))
        return err_new(ERR_INVALID, "\"%.100s\" cannot be a %s", segment ? segment : "", what);
    buf_addc(url, '/');
    buf_add_uri(url, str_of(segment));
    return NULL;
}

static struct err *add_path(struct buf *url, const struct kube_ref *ref)
{
    const struct kube_resource *resource = ref->resource;

    if (text_is_empty(resource->group)) {
        buf_adds(url, "/api");
    } else {
        buf_adds(url, "/apis");
        TRY(add_segment(url, resource->group, "group"));
    }
    TRY(add_segment(url, resource->version, "version"));
    if (!text_is_empty(ref->namespace)) {
        if (!resource->namespaced)
            return err_new(ERR_INVALID, "%s are not in a namespace", resource->plural);
        buf_adds(url, "/namespaces");
        TRY(add_segment(url, ref->namespace, "namespace"));
    } else if (resource->namespaced && ref->name) {
        return err_new(ERR_INVALID, "%s %s: which namespace?", resource->plural, ref->name);
    }
    TRY(add_segment(url, resource->plural, "resource"));
    if (ref->name)
        TRY(add_segment(url, ref->name, "name"));
    if (ref->subresource)
        TRY(add_segment(url, ref->subresource, "subresource"));
    return NULL;
}

static void add_query(struct call *call, const char *name, const char *value)
{
    if (text_is_empty(value))
        return;
    buf_addc(&call->url, call->has_query ? '&' : '?');
    call->has_query = true;
    buf_addf(&call->url, "%s=", name);
    buf_add_uri(&call->url, str_of(value));
}

static void add_query_number(struct call *call, const char *name, int64_t value)
{
    AUTO_FREE char *text = xasprintf("%lld", (long long)value);

    add_query(call, name, text);
}

static struct call call_to(const struct kube_client *client, const char *method)
{
    struct call call = {
        .method = method,
        .url = BUF_MAX(URL_MAX),
        .body = BUF_MAX(BODY_MAX),
        .max_reply_bytes = client->opts.max_object_bytes,
        .timeout_ms = client->opts.timeout_ms,
    };

    buf_adds(&call.url, client->config->server);
    return call;
}

static bool holds_secrets(const struct kube_resource *resource)
{
    return text_is_empty(resource->group) && text_equal(resource->plural, "secrets");
}

static struct err *address(struct call *call, const struct kube_ref *ref)
{
    TRY(add_path(&call->url, ref));
    call->sensitive = holds_secrets(ref->resource);
    if (call->sensitive)
        call->body.wipe = true;
    return NULL;
}

/* --- one exchange --- */

#define HEADERS_MAX 4

struct headers {
    struct http_header *items;
    size_t count;
    struct buf bearer;
};

static void headers_done(struct headers *headers)
{
    xfree(headers->items);
    buf_done(&headers->bearer);
}

static void add_header(struct headers *headers, const char *name, const char *value)
{
    headers->items[headers->count++] = (struct http_header){.name = name, .value = value};
}

static struct headers headers_for(const struct kube_client *client, const struct call *call,
                                  const struct kube_identity *identity)
{
    const struct kube_config *config = client->config;
    struct headers headers = {.bearer = BUF_SECRET(128 * KIB)};

    headers.items = xcalloc(HEADERS_MAX + config->impersonate_count, sizeof(*headers.items));
    add_header(&headers, "Accept", "application/json");
    add_header(&headers, "User-Agent", client->user_agent);
    if (call->content_type)
        add_header(&headers, "Content-Type", call->content_type);
    if (identity->token) {
        buf_adds(&headers.bearer, "Bearer ");
        buf_add_str(&headers.bearer, secret_reveal(identity->token));
        add_header(&headers, "Authorization", buf_text(&headers.bearer));
    }
    for (size_t i = 0; i < config->impersonate_count; i++)
        add_header(&headers, config->impersonate[i].name, config->impersonate[i].value);
    return headers;
}

static struct err *exchange(struct kube_client *client, const struct env *env, const struct call *call,
                            const struct kube_identity *identity, struct http_reply *ret_reply,
                            struct http_stream **ret_stream)
{
    CLEANUP(headers_done) struct headers headers = headers_for(client, call, identity);
    const struct http_request request = {
        .method = call->method,
        .url = buf_text(&call->url),
        .headers = headers.items,
        .header_count = headers.count,
        .body = buf_str(&call->body),
        .timeout_ms = call->timeout_ms,
        .max_reply_bytes = call->max_reply_bytes,
        .tls = &identity->tls,
        .proxy_url = config_proxy_url(client->config),
        .sensitive = call->sensitive,
        .accept_gzip = call->accept_gzip && !client->config->disable_compression,
    };

    if (ret_stream)
        return http_open(env->transport, &request, env->stop, ret_reply, ret_stream);
    return http_call(env->transport, &request, env->stop, ret_reply);
}

/* True when this text was not there before. */
static bool is_new_warning(struct kube_client *client, const char *text)
{
    struct keymap_node *node;

    LOCK_SCOPE(&client->lock);
    if (client->warnings.count >= WARNINGS_MAX || keymap_find(&client->warnings, text))
        return false;
    node = xcalloc(1, sizeof(*node));
    node->key = xstrdup(text);
    keymap_insert(&client->warnings, node);
    return true;
}

/* Nobody above sees the reply's headers, so the server's words to the operator are passed on here. */
static void log_warnings(struct kube_client *client, const struct env *env, const struct http_reply *reply)
{
    for (size_t i = 0; i < reply->header_count; i++) {
        const char *value = reply->headers[i].value;

        if (text_equal(reply->headers[i].name, "warning") && is_new_warning(client, value))
            LOG_WARN(env->log, "warning from the API server", KV("warning", value));
    }
}

/* Refused for who we are: 401, or 403 as nobody although we did say who we are. */
static bool is_credential_fault(const struct http_reply *reply, const struct kube_identity *identity)
{
    if (reply->status == 401)
        return true;
    return reply->status == 403 && (identity->token || identity->tls.cert_pem.len) &&
           str_contains(buf_str(&reply->body), "system:anonymous");
}

static bool is_success(int status)
{
    return status >= 200 && status < 300;
}

static struct err *try_once(struct kube_client *client, const struct env *env, const struct call *call,
                            struct http_reply *reply, struct http_stream **ret_stream, bool *ret_again)
{
    AUTO_KUBE_IDENTITY const struct kube_identity *identity = NULL;

    TRY(kube_credentials_get(client->config->credentials, env, &identity));
    TRY(exchange(client, env, call, identity, reply, ret_stream));
    *ret_again = is_credential_fault(reply, identity) &&
                 kube_credentials_refuse(client->config->credentials, identity);
    return NULL;
}

/* A refusal for stale credentials is answered once with fresh ones, as far as there is time: nothing was done
 * yet. */
static struct err *perform(struct kube_client *client, const struct env *env, const struct call *call,
                           struct http_reply *reply, struct http_stream **ret_stream)
{
    struct call attempt = *call; /* borrows */
    int64_t end_ms = sched_now_ms(env->sched) + call->timeout_ms;
    bool again = false;

    TRY(try_once(client, env, &attempt, reply, ret_stream, &again));
    attempt.timeout_ms = end_ms - sched_now_ms(env->sched);
    if (again && attempt.timeout_ms > 0) {
        http_reply_done(reply);
        *reply = (struct http_reply){0};
        if (ret_stream)
            http_close(TAKE(*ret_stream));
        TRY(try_once(client, env, &attempt, reply, ret_stream, &again));
    }
    log_warnings(client, env, reply);
    return NULL;
}

/* For how long a 429 asks us to wait, and a little longer so that not all come back together; NEVER_MS when
 * that is more than we have left, or when somebody else than the API server may be speaking. */
static int64_t busy_ms(const struct env *env, const struct http_reply *reply, int64_t left_ms)
{
    const char *text = reply->status == 429 ? http_reply_header(reply, "retry-after") : NULL;
    int64_t asked_s, asked_ms;

    if (!text || !str_to_int(str_trim(str_of(text)), &asked_s) || asked_s < 0 || asked_s > 60)
        return NEVER_MS;
    asked_ms = SECONDS(asked_s) + (int64_t)random_below(env->random, 250);
    return asked_ms <= left_ms ? asked_ms : NEVER_MS;
}

/* As perform(), with patience. All attempts and what is waited between them are within the call's time. */
static struct err *perform_patiently(struct kube_client *client, const struct env *env,
                                     const struct call *call, struct http_reply *reply)
{
    struct call attempt = *call; /* borrows */
    int64_t left_ms = PATIENCE_MS < call->timeout_ms / 2 ? PATIENCE_MS : call->timeout_ms / 2;
    int64_t end_ms = sched_now_ms(env->sched) + call->timeout_ms;

    for (int tries = 1;; tries++) {
        int64_t wait_ms;

        TRY(perform(client, env, &attempt, reply, NULL));
        wait_ms = busy_ms(env, reply, left_ms);
        if (wait_ms == NEVER_MS || tries == TRIES_MAX)
            return NULL;
        attempt.timeout_ms = end_ms - sched_now_ms(env->sched) - wait_ms;
        if (attempt.timeout_ms <= 0)
            return NULL;
        if (!sched_wait_until(env->sched, env->stop, sched_now_ms(env->sched) + wait_ms))
            return err_new(ERR_CANCELED, "stopped while waiting for a busy API server");
        left_ms -= wait_ms;
        http_reply_done(reply);
        *reply = (struct http_reply){0};
    }
}

static const char *path_of(const struct kube_client *client, const struct call *call)
{
    return buf_text(&call->url) + strlen(client->config->server);
}

static struct err *describe(struct err *err, const struct kube_client *client, const struct call *call)
{
    const char *path = path_of(client, call);

    return err_wrap(err, "%s %.*s", call->method, (int)strcspn(path, "?"), path);
}

static struct err *check_call(const struct call *call)
{
    if (call->url.overflow)
        return err_new(ERR_INVALID, "the URL is longer than %zu bytes", call->url.max);
    if (call->body.overflow)
        return err_new(ERR_INVALID, "the object is larger than %zu bytes", call->body.max);
    return NULL;
}

static struct err *run(struct kube_client *client, const struct env *env, const struct call *call,
                       struct json **ret)
{
    AUTO_REPLY struct http_reply reply = {0};
    const struct json_limits limits = {.max_bytes = call->max_reply_bytes};
    struct err *err;

    TRY(check_call(call));
    err = perform_patiently(client, env, call, &reply);
    if (!err && !is_success(reply.status))
        err = kube_reply_error(&reply);
    if (!err && ret) {
        err = json_parse(buf_str(&reply.body), &limits, ret);
        if (err) {
            err_ignore(err, "where it stops being JSON is of no interest");
            err = err_new(ERR_RETRY, "the answer (%d) is not JSON", reply.status);
        }
    }
    return describe(err, client, call);
}

/* --- reading --- */

static struct err *get(struct kube_client *client, const struct env *env, const struct kube_ref *ref,
                       bool sensitive, struct json **ret)
{
    AUTO_CALL struct call call = call_to(client, "GET");

    if (text_is_empty(ref->name))
        return err_new(ERR_INVALID, "GET of %s needs a name", ref->resource->plural);
    TRY(address(&call, ref));
    call.sensitive |= sensitive;
    return run(client, env, &call, ret);
}

struct err *kube_get(struct kube_client *client, const struct env *env, const struct kube_ref *ref,
                     struct json **ret)
{
    return get(client, env, ref, /* sensitive= */ false, ret);
}

struct err *kube_get_sensitive(struct kube_client *client, const struct env *env, const struct kube_ref *ref,
                               struct json **ret)
{
    return get(client, env, ref, /* sensitive= */ true, ret);
}

struct err *kube_get_path(struct kube_client *client, const struct env *env, const char *path,
                          struct json **ret)
{
    AUTO_CALL struct call call = call_to(client, "GET");

    if (*path != '/' || strpbrk(path, " \t\r\n#"))
        return err_new(ERR_INVALID, "\"%.100s\" is not a path", path);
    buf_adds(&call.url, path);
    return run(client, env, &call, ret);
}

/* What list and watch share. */
static struct err *select_collection(struct call *call, const struct kube_query *query)
{
    TRY(address(call, &query->collection));
    add_query(call, "labelSelector", query->label_selector);
    add_query(call, "fieldSelector", query->field_selector);
    return NULL;
}

static void add_list_query(struct call *call, const struct kube_query *query, const char *token)
{
    bool has_version = !text_is_empty(query->resource_version);

    if (query->page_size != NO_PAGES)
        add_query_number(call, "limit", query->page_size ? (int64_t)query->page_size : PAGE_SIZE);
    add_query(call, "continue", token);
    if (token || !has_version)
        return;
    add_query(call, "resourceVersion", query->resource_version);
    if (!text_equal(query->resource_version, "0"))
        add_query(call, "resourceVersionMatch", "NotOlderThan");
}

struct err *kube_list_page(struct kube_client *client, const struct env *env, const struct kube_query *query,
                           const char *token, struct kube_page *ret)
{
    AUTO_CALL struct call call = call_to(client, "GET");
    AUTO_JSON struct json *list = NULL;
    const char *version, *next;

    TRY(select_collection(&call, query));
    add_list_query(&call, query, token);
    call.max_reply_bytes = client->opts.max_list_bytes;
    call.accept_gzip = true;
    TRY(run(client, env, &call, &list));
    version = json_get_text(list, "metadata.resourceVersion", "");
    next = json_get_text(list, "metadata.continue", "");
    if (!*version || (json_member(list, "items") && !json_is(json_member(list, "items"), JSON_ARRAY) &&
                      !json_is(json_member(list, "items"), JSON_NULL)))
        return describe(err_new(ERR_RETRY, "the answer is not a list"), client, &call);
    *ret = (struct kube_page){.list = TAKE(list), .resource_version = version, .next = *next ? next : NULL};
    return NULL;
}

void kube_page_done(struct kube_page *page)
{
    json_free(page->list);
    *page = (struct kube_page){0};
}

struct json *kube_page_item(const struct json *item, const struct kube_resource *resource)
{
    struct json *copy = json_copy(item);

    if (resource->kind && json_is(copy, JSON_OBJECT) && !json_member(copy, "kind")) {
        AUTO_FREE char *version = text_is_empty(resource->group)
                                      ? xstrdup(resource->version)
                                      : xasprintf("%s/%s", resource->group, resource->version);

        json_set_text(copy, "apiVersion", version);
        json_set_text(copy, "kind", resource->kind);
    }
    return copy;
}

struct err *kube_list_each(struct kube_client *client, const struct env *env, const struct kube_query *query,
                           const struct kube_page_visitor *visitor)
{
    AUTO_FREE char *token = NULL;
    struct kube_query whole = *query;

    do {
        AUTO_KUBE_PAGE struct kube_page page = {0};
        struct err *err = kube_list_page(client, env, &whole, token, &page);

        /* The snapshot of the first page is gone: what is left would be of another one. */
        if (err && token && err_is_code(err, "Expired")) {
            err_ignore(err, "taken again, in one piece");
            xfree(TAKE(token));
            visitor->restart(visitor->arg);
            whole.page_size = NO_PAGES;
            TRY(kube_list_page(client, env, &whole, NULL, &page));
        } else {
            TRY(err);
        }
        TRY(visitor->page(visitor->arg, &page));
        xfree(token);
        token = xstrdup_or_null(page.next);
    } while (token);
    return NULL;
}

struct collected {
    const struct kube_resource *resource;
    struct json *items;
};

static void collect_restart(void *arg)
{
    struct collected *collected = arg;

    json_free(collected->items);
    collected->items = json_new_array();
}

static struct err *collect_page(void *arg, const struct kube_page *page)
{
    struct collected *collected = arg;

    json_each (item, json_member(page->list, "items")) {
        json_append(collected->items, kube_page_item(item, collected->resource));
    }
    return NULL;
}

struct err *kube_list(struct kube_client *client, const struct env *env, const struct kube_query *query,
                      struct json **ret_items)
{
    struct collected collected = {.resource = query->collection.resource, .items = json_new_array()};
    struct kube_page_visitor visitor = {.page = collect_page, .restart = collect_restart, .arg = &collected};
    struct err *err = kube_list_each(client, env, query, &visitor);

    if (err)
        json_free(collected.items);
    else
        *ret_items = collected.items;
    return err;
}

struct err *kube_watch_open(struct kube_client *client, const struct env *env, const struct kube_query *query,
                            int64_t timeout_ms, struct http_stream **ret)
{
    AUTO_CALL struct call call = call_to(client, "GET");
    AUTO_REPLY struct http_reply reply = {0};
    struct http_stream *stream = NULL;
    struct err *err;

    TRY(select_collection(&call, query));
    add_query(&call, "watch", "1");
    add_query(&call, "allowWatchBookmarks", "true");
    if (query->initial_events) {
        add_query(&call, "sendInitialEvents", "true");
        add_query(&call, "resourceVersionMatch", "NotOlderThan");
    } else {
        add_query(&call, "resourceVersion", query->resource_version);
    }
    add_query_number(&call, "timeoutSeconds", timeout_ms / 1000);
    TRY(check_call(&call));
    err = perform(client, env, &call, &reply, &stream);
    if (!err && reply.status != 200) {
        http_close(stream);
        err = is_success(reply.status) ? err_new(ERR_RETRY, "a watch was answered with %d", reply.status)
                                       : kube_reply_error(&reply);
    }
    if (err)
        return describe(err, client, &call);
    *ret = stream;
    return NULL;
}

bool kube_ends_initial_events(const struct json *bookmark)
{
    const struct json *annotations = json_at(bookmark, "metadata.annotations");

    return text_equal(json_get_text(json_member(annotations, "k8s.io/initial-events-end"), NULL, NULL),
                      "true");
}

/* --- writing --- */

static void write_body(struct kube_client *client, struct call *call, const char *content_type,
                       const struct json *body)
{
    call->content_type = content_type;
    json_print(body, &call->body);
    add_query(call, "fieldManager", client->field_manager);
}

struct err *kube_create(struct kube_client *client, const struct env *env, const struct kube_ref *collection,
                        const struct json *object, struct json **ret)
{
    AUTO_CALL struct call call = call_to(client, "POST");

    if (collection->resource->namespaced && text_is_empty(collection->namespace))
        return err_new(ERR_INVALID, "POST of %s needs a namespace", collection->resource->plural);
    TRY(address(&call, collection));
    write_body(client, &call, "application/json", object);
    return run(client, env, &call, ret);
}

static struct err *check_named(const char *method, const struct kube_ref *ref)
{
    if (text_is_empty(ref->name))
        return err_new(ERR_INVALID, "%s of %s needs a name", method, ref->resource->plural);
    return NULL;
}

struct err *kube_replace(struct kube_client *client, const struct env *env, const struct kube_ref *ref,
                         const struct json *object, struct json **ret)
{
    AUTO_CALL struct call call = call_to(client, "PUT");

    TRY(check_named(call.method, ref));
    TRY(address(&call, ref));
    write_body(client, &call, "application/json", object);
    return run(client, env, &call, ret);
}

struct err *kube_patch(struct kube_client *client, const struct env *env, const struct kube_ref *ref,
                       const struct kube_patch *patch, struct json **ret)
{
    static const char *const types[] = {
        [KUBE_PATCH_MERGE] = "application/merge-patch+json",
        [KUBE_PATCH_JSON] = "application/json-patch+json",
    };
    AUTO_CALL struct call call = call_to(client, "PATCH");

    TRY(check_named(call.method, ref));
    TRY(address(&call, ref));
    if (patch->sensitive)
        call.sensitive = call.body.wipe = true;
    write_body(client, &call, types[patch->type], patch->body);
    return run(client, env, &call, ret);
}

static struct json *delete_options(const struct kube_delete_opts *opts)
{
    struct json *body = json_new_object();

    json_set_text(body, "apiVersion", "v1");
    json_set_text(body, "kind", "DeleteOptions");
    if (opts->uid || opts->resource_version) {
        struct json *preconditions = json_new_object();

        json_set_text(preconditions, "uid", opts->uid);
        json_set_text(preconditions, "resourceVersion", opts->resource_version);
        json_set(body, "preconditions", preconditions);
    }
    json_set_text(body, "propagationPolicy", opts->propagation);
    return body;
}

struct err *kube_delete(struct kube_client *client, const struct env *env, const struct kube_ref *ref,
                        const struct kube_delete_opts *opts)
{
    AUTO_CALL struct call call = call_to(client, "DELETE");
    AUTO_JSON struct json *body = opts ? delete_options(opts) : NULL;

    TRY(check_named(call.method, ref));
    TRY(address(&call, ref));
    if (body) {
        call.content_type = "application/json";
        json_print(body, &call.body);
    }
    return run(client, env, &call, NULL);
}
