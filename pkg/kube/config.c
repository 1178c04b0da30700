#include "pkg/kube/config.h"

#include "pkg/base/files.h"
#include "pkg/http/url.h"
#include "pkg/kube/config_priv.h"
#include "pkg/kube/credentials.h"

#define FILES_MAX 32

/* Kubeconfigs in order of precedence: whatever is looked up comes from the first that has it. */
struct files {
    struct yaml_docs docs[FILES_MAX]; /* each with one document or none */
    const char *first;                /* what errors call all of them */
    size_t count;
};

static void files_done(struct files *files)
{
    for (size_t i = 0; i < files->count; i++)
        yaml_docs_done(&files->docs[i]);
}

static const struct yaml_doc *doc_of(const struct files *files, size_t index)
{
    return files->docs[index].count ? files->docs[index].items[0] : NULL;
}

static struct err *check_file(const struct yaml_docs *docs, const char *name)
{
    if (docs->count > 1)
        return err_new(ERR_INVALID, "%s: more than one document", name);
    if (docs->count && !json_is(yaml_root(docs->items[0]), JSON_OBJECT))
        return err_new(ERR_INVALID, "%s:1: not a kubeconfig", name);
    return NULL;
}

/* --- looking things up --- */

static struct err *check_list(struct config_node list, const char *name)
{
    if (list.json && !json_is(list.json, JSON_ARRAY) && !json_is(list.json, JSON_NULL))
        return config_fault(list, name, "expected a list");
    json_each (item, list.json) {
        if (!json_get_text(item, "name", NULL))
            return config_fault((struct config_node){list.doc, item}, name, "an entry has no name");
    }
    return NULL;
}

static struct err *find_in_list(struct config_node list, const char *name, const char *wanted,
                                struct config_node *ret)
{
    struct config_node found = {0};

    TRY(check_list(list, name));
    json_each (item, list.json) {
        if (!text_equal(json_get_text(item, "name", NULL), wanted))
            continue;
        if (found.json)
            return config_fault((struct config_node){list.doc, item}, name, "\"%s\" is there twice", wanted);
        found = (struct config_node){list.doc, item};
    }
    *ret = found;
    return NULL;
}

/* ret->json is NULL when no file has it. */
static struct err *find_named(const struct files *files, const char *list, const char *name,
                              struct config_node *ret)
{
    *ret = (struct config_node){0};
    for (size_t i = 0; i < files->count && !ret->json; i++) {
        const struct yaml_doc *doc = doc_of(files, i);

        if (doc)
            TRY(find_in_list((struct config_node){doc, json_member(yaml_root(doc), list)}, list, name, ret));
    }
    return NULL;
}

static const char *current_context(const struct files *files)
{
    for (size_t i = 0; i < files->count; i++) {
        const struct yaml_doc *doc = doc_of(files, i);
        const char *name = doc ? json_get_text(yaml_root(doc), "current-context", "") : "";

        if (*name)
            return name;
    }
    return NULL;
}

/* The entry's settings (its member `part`), which the context named. */
static struct err *find_part(const struct files *files, struct config_node context, const char *part,
                             const char *list, struct config_node *ret)
{
    struct config_node entry;
    const char *name;

    *ret = (struct config_node){0};
    TRY(config_get_text(context, part, &name));
    if (!name)
        return NULL;
    TRY(find_named(files, list, name, &entry));
    if (!entry.json)
        return config_fault(context, part, "no entry \"%s\" under %s", name, list);
    if (!json_is(json_member(entry.json, part), JSON_OBJECT))
        return config_fault(entry, part, "missing");
    *ret = (struct config_node){entry.doc, json_member(entry.json, part)};
    return NULL;
}

/* --- what came out --- */

static bool has_credentials(const struct kube_config *config)
{
    return config->token || config->token_file || config->cert_pem || config->plugin;
}

static struct err *check_server(const struct kube_config *config)
{
    struct url url;

    TRY(url_parse(config->server, &url));
    if (url.query.len)
        return err_new(ERR_INVALID, "a query has no place in it");
    if (str_equal_nocase(url.scheme, STR("http")) && !url_is_loopback(&url) && has_credentials(config))
        return err_new(ERR_INVALID, "credentials go over https only, or to a loopback address");
    return NULL;
}

static struct err *read_context(struct kube_config *config, const struct files *files,
                                struct config_node context)
{
    struct config_node cluster, user;
    const char *namespace;
    struct err *err;

    TRY(find_part(files, context, "cluster", "clusters", &cluster));
    TRY(find_part(files, context, "user", "users", &user));
    if (!cluster.json)
        return config_fault(context, "cluster", "missing");
    TRY(config_get_text(context, "namespace", &namespace));
    config->namespace = xstrdup(namespace ? namespace : "default");
    if (user.json)
        TRY(config_read_user(config, user));
    TRY(config_read_cluster(config, cluster));
    err = check_server(config);
    if (err) {
        AUTO_ERR struct err *cause = err;

        return config_fault((struct config_node){cluster.doc, json_member(cluster.json, "server")}, "server",
                            "%s", err_text(cause));
    }
    return NULL;
}

static struct kube_config *config_new(const struct kube_config_sources *sources)
{
    struct kube_config *config = xcalloc(1, sizeof(*config));

    config->environment = sources ? sources->environment : NULL;
    config->has_terminal = sources && sources->has_terminal;
    config->credentials = kube_credentials_new(config);
    return config;
}

static struct err *resolve(const struct files *files, const struct kube_config_sources *sources,
                           struct kube_config **ret)
{
    const char *name =
        sources && !text_is_empty(sources->context) ? sources->context : current_context(files);
    AUTO_KUBE_CONFIG struct kube_config *config = NULL;
    struct config_node context;

    if (!name)
        return err_new(ERR_INVALID, "%s: current-context: missing, and no context was asked for",
                       files->first);
    TRY(find_named(files, "contexts", name, &context));
    if (!context.json)
        return err_new(ERR_INVALID, "%s: there is no context \"%s\"", files->first, name);
    if (!json_is(json_member(context.json, "context"), JSON_OBJECT))
        return config_fault(context, "context", "missing");
    config = config_new(sources);
    config->origin = xasprintf("%s, context %s", yaml_name(context.doc), name);
    TRY(read_context(config, files, (struct config_node){context.doc, json_member(context.json, "context")}));
    *ret = TAKE(config);
    return NULL;
}

struct err *kube_config_from_text(struct str text, const char *name,
                                  const struct kube_config_sources *sources, struct kube_config **ret)
{
    CLEANUP(files_done) struct files files = {.first = name};

    TRY(yaml_parse(text, name, NULL, &files.docs[0]));
    files.count = 1;
    TRY(check_file(&files.docs[0], name));
    return resolve(&files, sources, ret);
}

/* --- where to look --- */

static struct err *add_file(struct files *files, const char *path)
{
    if (files->count == FILES_MAX)
        return err_new(ERR_INVALID, "more than %d kubeconfig files", FILES_MAX);
    TRY(yaml_read_file(path, NULL, &files->docs[files->count]));
    return check_file(&files->docs[files->count++], path);
}

static struct err *load_file(const char *path, const struct kube_config_sources *sources,
                             struct kube_config **ret)
{
    CLEANUP(files_done) struct files files = {.first = path};

    TRY(add_file(&files, path));
    return resolve(&files, sources, ret);
}

static bool listed_before(const char *list, struct str piece)
{
    struct str rest = str_of(list), other;

    while (str_cut(&rest, ':', &other) && other.ptr != piece.ptr) {
        if (str_equal(other, piece))
            return true;
    }
    return false;
}

static struct err *load_list(const struct kube_config_sources *sources, struct kube_config **ret)
{
    CLEANUP(files_done) struct files files = {.first = sources->kubeconfig_variable};
    struct str rest = str_of(sources->kubeconfig_variable), piece;

    while (str_cut(&rest, ':', &piece)) {
        AUTO_FREE char *path = str_dup(piece);
        struct err *err;

        if (!piece.len || listed_before(sources->kubeconfig_variable, piece))
            continue;
        err = add_file(&files, path);
        if (err && err_kind(err) == ERR_NOT_FOUND)
            err_ignore(err, "files of the list may be missing");
        else
            TRY(err);
    }
    if (!files.count)
        return err_new(ERR_NOT_FOUND, "none of the files in KUBECONFIG is there: %s",
                       sources->kubeconfig_variable);
    return resolve(&files, sources, ret);
}

static char *pod_namespace(const struct kube_config_sources *sources, const char *dir)
{
    AUTO_FREE char *path = xasprintf("%s/namespace", dir);
    AUTO_BUF struct buf text = BUF_MAX(1024);
    struct str trimmed;

    if (!text_is_empty(sources->pod_namespace))
        return xstrdup(sources->pod_namespace);
    err_ignore(file_read(path, &text), "the default will do");
    trimmed = str_trim(buf_str(&text));
    return trimmed.len ? str_dup(trimmed) : xstrdup("default");
}

static struct err *load_in_cluster(const struct kube_config_sources *sources, struct kube_config **ret)
{
    const char *dir = text_is_empty(sources->service_account_dir)
                          ? "/var/run/secrets/kubernetes.io/serviceaccount"
                          : sources->service_account_dir;
    AUTO_KUBE_CONFIG struct kube_config *config = config_new(sources);
    AUTO_BUF struct buf ca = BUF_MAX(MIB);
    bool is_ipv6 = strchr(sources->service_host, ':') != NULL;

    if (!text_is_empty(sources->context))
        return err_new(ERR_INVALID, "context %s: a pod's service account has no contexts; give a kubeconfig",
                       sources->context);
    config->is_in_cluster = true;
    config->origin = xasprintf("service account in %s", dir);
    config->server = xasprintf(is_ipv6 ? "https://[%s]:%s" : "https://%s:%s", sources->service_host,
                               sources->service_port);
    config->token_file = xasprintf("%s/token", dir);
    config->ca_file = xasprintf("%s/ca.crt", dir);
    config->namespace = pod_namespace(sources, dir);
    TRY(err_wrap(config_read_pem(config->ca_file, &ca), "service account"));
    config->ca_pem = buf_take(&ca);
    TRY(err_wrap(check_server(config), "KUBERNETES_SERVICE_HOST"));
    *ret = TAKE(config);
    return NULL;
}

static bool is_in_pod(const struct kube_config_sources *sources)
{
    return !text_is_empty(sources->service_host) && !text_is_empty(sources->service_port);
}

/* ERR_NOT_FOUND when it is not there. */
static struct err *load_home(const struct kube_config_sources *sources, struct kube_config **ret)
{
    AUTO_FREE char *path = NULL;

    if (text_is_empty(sources->home))
        return err_new(ERR_NOT_FOUND, "there is no home directory");
    path = xasprintf("%s/.kube/config", sources->home);
    return load_file(path, sources, ret);
}

struct err *kube_config_load(const struct kube_config_sources *sources, struct kube_config **ret)
{
    struct err *err;

    if (!text_is_empty(sources->path))
        return load_file(sources->path, sources, ret);
    if (!text_is_empty(sources->kubeconfig_variable))
        return load_list(sources, ret);
    if (is_in_pod(sources) && !sources->is_for_person)
        return load_in_cluster(sources, ret);
    err = load_home(sources, ret);
    if (!err || err_kind(err) != ERR_NOT_FOUND)
        return err;
    if (!is_in_pod(sources))
        return err_wrap(err, "no cluster: give --kubeconfig, set KUBECONFIG or run in a pod");
    err_ignore(err, "there is the pod's");
    return load_in_cluster(sources, ret);
}

void kube_config_free(struct kube_config *config)
{
    if (!config)
        return;
    kube_credentials_free(config->credentials);
    kube_plugin_free(config->plugin);
    for (size_t i = 0; i < config->impersonate_count; i++) {
        xfree((void *)(uintptr_t)config->impersonate[i].name);
        xfree((void *)(uintptr_t)config->impersonate[i].value);
    }
    xfree(config->impersonate);
    secret_free(config->token);
    secret_free(config->key_pem);
    xfree(config->token_file);
    xfree(config->cert_pem);
    xfree(config->cert_file);
    xfree(config->key_file);
    xfree(config->ca_pem);
    xfree(config->ca_file);
    xfree(config->proxy_url);
    xfree(config->tls_server_name);
    xfree(config->origin);
    xfree(config->namespace);
    xfree(config->server);
    xfree(config);
}

const char *config_proxy_url(const struct kube_config *config)
{
    AUTO_ERR struct err *err = NULL;
    struct url url;

    if (config->proxy_url)
        return config->proxy_url;
    err = url_parse(config->server, &url);
    return !err && url_is_loopback(&url) ? "" : NULL;
}

const char *kube_config_server(const struct kube_config *config)
{
    return config->server;
}

const char *kube_config_namespace(const struct kube_config *config)
{
    return config->namespace;
}

const char *kube_config_origin(const struct kube_config *config)
{
    return config->origin;
}

bool kube_config_is_in_cluster(const struct kube_config *config)
{
    return config->is_in_cluster;
}

bool kube_config_is_insecure(const struct kube_config *config)
{
    return config->insecure;
}
