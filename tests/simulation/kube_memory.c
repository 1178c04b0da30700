#include "tests/simulation/kube_memory.h"

#include "pkg/base/digest.h"
#include "pkg/http/url.h"

static struct kube_memory *memory_of(struct transport *transport)
{
    return (struct kube_memory *)(void *)((char *)transport - offsetof(struct kube_memory, transport));
}

static void answer(struct http_reply *ret, int status, const struct json *body)
{
    ret->status = status;
    ret->body = BUF_MAX(MIB);
    json_print(body, &ret->body);
    http_reply_add_header(ret, STR("content-type"), STR("application/json"));
}

static void refuse(struct http_reply *ret, int status, const char *reason)
{
    AUTO_JSON struct json *body = json_new_object();

    json_set_text(body, "kind", "Status");
    json_set_text(body, "reason", reason);
    json_set_text(body, "message", reason);
    json_set_int(body, "code", status);
    answer(ret, status, body);
}

static void fold_string_data(struct json *object)
{
    AUTO_JSON struct json *plain = json_copy(json_member(object, "stringData"));
    struct json *data;

    if (!plain)
        return;
    if (!json_member(object, "data"))
        json_set(object, "data", json_new_object());
    data = json_edit(object, "data");
    json_each (item, plain) {
        AUTO_BUF struct buf encoded = BUF_MAX(64 * KIB);
        const char *text = json_get_text(item, NULL, "");

        buf_add_base64(&encoded, text, strlen(text));
        json_set_text(data, json_key(item), buf_text(&encoded));
    }
    json_remove(object, "stringData");
}

/* Takes the object over. */
static void store(struct kube_memory *memory, const char *path, struct json *object)
{
    AUTO_FREE char *version = xasprintf("%lld", (long long)++memory->version);

    fold_string_data(object);
    if (!json_member(object, "metadata"))
        json_set(object, "metadata", json_new_object());
    json_set_text(json_edit(object, "metadata"), "resourceVersion", version);
    json_set(memory->objects, path, object);
}

static void patch(struct kube_memory *memory, const char *path, const struct json *body,
                  struct http_reply *ret)
{
    const struct json *present = json_member(memory->objects, path);
    const char *on = json_get_text(body, "metadata.resourceVersion", NULL);

    if (on && !text_equal(on, json_get_text(present, "metadata.resourceVersion", NULL))) {
        refuse(ret, 409, "Conflict");
        return;
    }
    store(memory, path, json_merge_patch(json_copy(present), body));
    answer(ret, 200, json_member(memory->objects, path));
}

static void create(struct kube_memory *memory, const char *path, const struct json *body,
                   struct http_reply *ret)
{
    AUTO_FREE char *full = xasprintf("%s/%s", path, json_get_text(body, "metadata.name", ""));

    if (json_member(memory->objects, full)) {
        refuse(ret, 409, "AlreadyExists");
        return;
    }
    store(memory, full, json_copy(body));
    answer(ret, 201, json_member(memory->objects, full));
}

static void serve(struct kube_memory *memory, const struct http_request *request, const char *path,
                  struct http_reply *ret)
{
    AUTO_JSON struct json *body = NULL;

    if (request->body.len)
        assert_no_err(json_parse(request->body, NULL, &body));
    if (text_equal(request->method, "POST"))
        create(memory, path, body, ret);
    else if (!json_member(memory->objects, path))
        refuse(ret, 404, "NotFound");
    else if (text_equal(request->method, "PATCH"))
        patch(memory, path, body, ret);
    else
        answer(ret, 200, json_member(memory->objects, path));
}

static struct err *call(struct transport *self, const struct http_request *request, struct stop *stop UNUSED,
                        struct http_reply *ret)
{
    struct kube_memory *memory = memory_of(self);
    struct str rest = str_of(strstr(request->url, "://") + 3), host, path;

    str_cut(&rest, '/', &host);
    str_cut(&rest, '?', &path);
    AUTO_FREE char *text = xasprintf("/" STR_FMT, STR_ARG(path));
    serve(memory, request, text, ret);
    if (text_equal(request->method, "GET"))
        return NULL;
    memory->writes++;
    if (memory->lose && --memory->lose == 0) {
        http_reply_done(ret);
        return err_new(ERR_RETRY, "the connection is gone");
    }
    return NULL;
}

static const struct transport_ops ops = {.call = call};

void kube_memory_init(struct kube_memory *memory)
{
    static const char text[] = "current-context: c\n"
                               "contexts: [{name: c, context: {cluster: k, user: u}}]\n"
                               "clusters: [{name: k, cluster: {server: 'https://api.example:6443'}}]\n"
                               "users: [{name: u, user: {token: t0ken}}]\n";

    *memory = (struct kube_memory){.transport.ops = &ops, .objects = json_new_object()};
    testing_env_init(&memory->base, 1, NULL, 0, NULL);
    memory->base.env.transport = &memory->transport;
    assert_no_err(kube_config_from_text(STR(text), "test", NULL, &memory->config));
    memory->client =
        kube_client_new(memory->config, &(struct kube_client_opts){.field_manager = "stagingrefresh"});
}

void kube_memory_done(struct kube_memory *memory)
{
    kube_client_free(memory->client);
    kube_config_free(memory->config);
    memory->base.env.transport = NULL;
    testing_env_done(&memory->base);
    json_free(memory->objects);
}

void kube_memory_put(struct kube_memory *memory, const char *path, const char *text)
{
    struct json *object = NULL;

    assert_no_err(json_parse(str_of(text), NULL, &object));
    store(memory, path, object);
}

void kube_memory_remove(struct kube_memory *memory, const char *path)
{
    json_remove(memory->objects, path);
}

const struct json *kube_memory_get(const struct kube_memory *memory, const char *path)
{
    return json_member(memory->objects, path);
}

char *kube_memory_secret(const struct kube_memory *memory, const char *name, const char *key)
{
    AUTO_FREE char *path = xasprintf("/api/v1/namespaces/staging/secrets/%s", name);
    const struct json *data = json_member(json_member(memory->objects, path), "data");
    const char *encoded = json_get_text(json_member(data, key), NULL, NULL);
    AUTO_BUF struct buf plain = BUF_MAX(64 * KIB);

    if (!encoded)
        return NULL;
    assert_true(base64_decode(str_of(encoded), &plain));
    return xstrdup(buf_text(&plain));
}
