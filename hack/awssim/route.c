/* From a request on the wire to a service, an operation and a tree of input. */
#include "hack/awssim/core.h"

const char *sim_request_header(const struct sim_request *request, const char *name)
{
    for (size_t i = 0; i < request->header_count; i++)
        if (str_equal_nocase(str_of(request->headers[i].name), str_of(name)))
            return request->headers[i].value;
    return NULL;
}

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

char *sim_uri_decode(struct str text, bool plus)
{
    char *out = xmalloc(text.len + 1);
    size_t len = 0;

    for (size_t i = 0; i < text.len; i++) {
        char c = text.ptr[i];

        if (c == '%' && i + 2 < text.len && hex_digit(text.ptr[i + 1]) >= 0 &&
            hex_digit(text.ptr[i + 2]) >= 0) {
            c = (char)(hex_digit(text.ptr[i + 1]) * 16 + hex_digit(text.ptr[i + 2]));
            i += 2;
        } else if (plus && c == '+') {
            c = ' ';
        }
        if (c)
            out[len++] = c;
    }
    out[len] = '\0';
    return out;
}

static void cut_pair(struct str pair, bool plus, char **ret_name, char **ret_value)
{
    struct str name = {0}, rest = pair;

    str_cut(&rest, '=', &name);
    *ret_name = sim_uri_decode(name, plus);
    *ret_value = sim_uri_decode(rest.ptr ? rest : STR(""), plus);
}

/* ---- query ---- */

static bool is_number(struct str part)
{
    int64_t number;

    return part.len && part.len < 5 && str_to_int(part, &number) && number > 0;
}

/* The child of `node` called `part`: a member of an object, or a 1-based item of an array that grows by one.
 */
static struct json *tree_child(struct json *node, struct str part, struct json *fresh)
{
    AUTO_JSON struct json *value = fresh;

    if (json_is(node, JSON_ARRAY)) {
        int64_t index = 0;

        if (!str_to_int(part, &index) || index < 1 || (size_t)index > json_count(node) + 1)
            return NULL;
        if ((size_t)index == json_count(node) + 1)
            json_append(node, TAKE(value));
        AUTO_FREE char *path = xasprintf("[%lld]", (long long)index - 1);
        return json_edit(node, path);
    }
    if (!json_is(node, JSON_OBJECT))
        return NULL;
    AUTO_FREE char *name = str_dup(part);
    if (!json_member(node, name))
        json_set(node, name, TAKE(value));
    return json_edit(node, name);
}

static bool tree_put(struct json *root, const char *name, const char *value)
{
    struct str rest = str_of(name), part;
    struct json *node = root;

    while (node && str_cut(&rest, '.', &part)) {
        struct str peek = rest, next = {0};

        bool last = !rest.ptr || !str_cut(&peek, '.', &next);
        node = tree_child(node, part,
                          last              ? json_new_text(value)
                          : is_number(next) ? json_new_array()
                                            : json_new_object());
        if (last)
            return json_is(node, JSON_STRING) && text_equal(json_get_text(node, NULL, ""), value);
    }
    return false;
}

static int compare_names(const void *a, const void *b)
{
    return strverscmp(*(char *const *)a, *(char *const *)b);
}

struct json *sim_query_tree(struct str form)
{
    AUTO_JSON struct json *root = json_new_object();
    struct str rest = form, pair;
    char **names = NULL;
    size_t count = 0;
    bool fits = true;

    /* Sorted, so that the items of a list come in their order whatever the sender's was. */
    while (str_cut(&rest, '&', &pair)) {
        AUTO_FREE char *name = NULL;
        AUTO_FREE char *value = NULL;

        cut_pair(pair, true, &name, &value);
        if (!*name)
            continue;
        names = xgrow(names, count, sizeof(char *));
        names[count++] = xasprintf("%s=%s", name, value);
    }
    if (count)
        qsort(names, count, sizeof(char *), compare_names);
    for (size_t i = 0; i < count; i++) {
        char *equals = strchr(names[i], '=');

        *equals = '\0';
        fits = fits && tree_put(root, names[i], equals + 1);
        xfree(names[i]);
    }
    xfree(names);
    return fits ? TAKE(root) : NULL;
}

static bool route_query(const struct sim_request *request, struct route *route, const char **ret_code,
                        char **ret_message)
{
    route->input = sim_query_tree(request->body);
    const char *action = json_get_text(route->input, "Action", NULL);
    const char *version = json_get_text(route->input, "Version", "");

    if (!action) {
        *ret_code = route->input ? "MissingAction" : "MalformedQueryString";
        *ret_message = xstrdup("The request must contain the parameter Action");
        return false;
    }
    for (size_t i = 0; i < route->service->operation_count; i++)
        if (text_equal(route->service->operations[i].name, action))
            route->operation = &route->service->operations[i];
    if (!route->operation || !text_equal(version, route->service->version)) {
        *ret_code = "InvalidAction";
        *ret_message = xasprintf("Could not find operation %s for version %s", action, version);
        return false;
    }
    json_remove(route->input, "Action");
    json_remove(route->input, "Version");
    return true;
}

/* ---- json ---- */

static bool read_body(const struct sim_request *request, struct route *route, const char **ret_code,
                      char **ret_message)
{
    struct err *err = json_parse(request->body, NULL, &route->input);

    if (!err && (route->service->free_body || json_is(route->input, JSON_OBJECT)))
        return true;
    err_ignore(err, "what matters is that it cannot be read");
    *ret_code = route->service->malformed_code ? route->service->malformed_code : "SerializationException";
    *ret_message = xasprintf("the body is no JSON%s", route->service->free_body ? "" : " object");
    return false;
}

static bool route_json(const struct sim_request *request, struct route *route, const char **ret_code,
                       char **ret_message)
{
    const char *target = sim_request_header(request, "x-amz-target");
    struct str rest = str_of(target), prefix = {0};

    if (target && str_cut(&rest, '.', &prefix) && str_is(prefix, route->service->target_prefix))
        for (size_t i = 0; i < route->service->operation_count; i++)
            if (str_is(rest, route->service->operations[i].name))
                route->operation = &route->service->operations[i];
    if (!route->operation) {
        *ret_code = "UnknownOperationException";
        *ret_message = xasprintf("%s is no operation of %s", target ? target : "(no X-Amz-Target)",
                                 route->service->name);
        return false;
    }
    return read_body(request, route, ret_code, ret_message);
}

/* ---- rest ---- */

/* Cuts at '/', with empty pieces, so that a slash at the end counts. */
static bool match_path(const char *template, struct str path, struct json *labels)
{
    struct str want = str_of(template), have = path, want_piece, have_piece;

    for (;;) {
        bool more = str_cut(&want, '/', &want_piece);

        if (more != str_cut(&have, '/', &have_piece))
            return false;
        if (!more)
            return true;
        if (want_piece.len > 2 && want_piece.ptr[0] == '{') {
            AUTO_FREE char *name = str_dup((struct str){want_piece.ptr + 1, want_piece.len - 2});
            AUTO_FREE char *value = sim_uri_decode(have_piece, false);

            if (!*value)
                return false;
            json_set_text(labels, name, value);
        } else if (!str_equal(want_piece, have_piece)) {
            return false;
        }
    }
}

static const struct operation *find_rest(const struct service *service, const char *method, struct str path,
                                         struct json **ret_labels)
{
    for (size_t i = 0; i < service->operation_count; i++) {
        AUTO_JSON struct json *labels = json_new_object();

        if (!text_equal(service->operations[i].method, method) ||
            !match_path(service->operations[i].path, path, labels))
            continue;
        *ret_labels = TAKE(labels);
        return &service->operations[i];
    }
    return NULL;
}

static void add_query(struct json *input, struct str query)
{
    struct str pair;

    while (str_cut(&query, '&', &pair)) {
        AUTO_FREE char *name = NULL;
        AUTO_FREE char *value = NULL;

        cut_pair(pair, false, &name, &value);
        if (*name)
            json_set_text(input, name, value);
    }
}

static bool route_rest(const struct sim_request *request, struct route *route, const char **ret_code,
                       char **ret_message)
{
    struct str query = str_of(request->target), path = {0};
    AUTO_JSON struct json *labels = NULL;

    str_cut(&query, '?', &path);
    route->operation = find_rest(route->service, request->method, path, &labels);
    if (!route->operation) {
        *ret_code = "UnknownOperationException";
        *ret_message = xasprintf("no operation %s " STR_FMT, request->method, STR_ARG(path));
        return false;
    }
    if (request->body.len && !read_body(request, route, ret_code, ret_message))
        return false;
    if (!request->body.len || route->service->free_body) {
        json_free(route->input);
        route->input = json_new_object();
    }
    json_each (label, labels)
        json_set_copy(route->input, json_key(label), label);
    if (query.ptr)
        add_query(route->input, query);
    return true;
}

typedef bool route_fn(const struct sim_request *request, struct route *route, const char **ret_code,
                      char **ret_message);

static route_fn *const routes[] = {
    [PROTOCOL_QUERY] = route_query,
    [PROTOCOL_JSON] = route_json,
    [PROTOCOL_REST] = route_rest,
};

bool sim_route_find(const struct sim_request *request, const char *service_name, struct route *ret,
                    const char **ret_code, char **ret_message)
{
    ret->service = sim_service_find(service_name);
    if (!ret->service || !ret->service->operation_count) {
        *ret_code = "UnknownOperationException";
        *ret_message = xasprintf("this simulator has no service %s", service_name);
        return false;
    }
    return routes[ret->service->protocol](request, ret, ret_code, ret_message);
}

void sim_route_done(struct route *route)
{
    json_free(route->input);
    *route = (struct route){0};
}
