/* The two kinds of entry in a kubeconfig that carry settings: clusters and users. */
#include "pkg/base/digest.h"
#include "pkg/base/files.h"
#include "pkg/kube/config_priv.h"

#define PEM_MAX MIB
#define ARGS_MAX 256

struct err *config_fault(struct config_node at, const char *field, const char *fmt, ...)
{
    AUTO_FREE char *text = NULL;
    va_list args;

    va_start(args, fmt);
    text = xvasprintf(fmt, args);
    va_end(args);
    return err_new(ERR_INVALID, "%s:%d: %s: %s", yaml_name(at.doc), yaml_line(at.doc, at.json), field, text);
}

char *config_path(const struct yaml_doc *doc, const char *path)
{
    const char *name = yaml_name(doc), *slash = strrchr(name, '/');

    if (*path == '/' || !slash)
        return xstrdup(path);
    return xasprintf("%.*s/%s", (int)(slash - name), name, path);
}

/* A member of `at`, or `at` itself (for the line) when it is not there. */
static struct config_node member(struct config_node at, const char *name)
{
    const struct json *found = json_member(at.json, name);

    return (struct config_node){.doc = at.doc, .json = found ? found : at.json};
}

struct err *config_get_text(struct config_node at, const char *name, const char **ret)
{
    const struct json *found = json_member(at.json, name);

    *ret = NULL;
    if (!found || json_is(found, JSON_NULL))
        return NULL;
    if (!json_is(found, JSON_STRING))
        return config_fault(member(at, name), name, "expected a string");
    *ret = json_get_text(found, NULL, NULL);
    if (text_is_empty(*ret))
        *ret = NULL;
    return NULL;
}

static struct err *get_bool(struct config_node at, const char *name, bool *ret)
{
    const struct json *found = json_member(at.json, name);

    *ret = false;
    if (!found || json_is(found, JSON_NULL))
        return NULL;
    if (!json_is(found, JSON_BOOL))
        return config_fault(member(at, name), name, "expected true or false");
    *ret = json_get_bool(found, NULL, false);
    return NULL;
}

static struct err *get_owned(struct config_node at, const char *name, char **ret)
{
    const char *text;

    TRY(config_get_text(at, name, &text));
    *ret = xstrdup_or_null(text);
    return NULL;
}

struct err *config_read_pem(const char *path, struct buf *out)
{
    TRY(file_read(path, out));
    if (!str_contains(buf_str(out), "-----BEGIN "))
        return err_new(ERR_INVALID, "%s is not PEM", path);
    return NULL;
}

/* `<name>-data` (base64 of PEM) wins over the file `<name>`. The file's path is kept, so that it can be read
 * again. */
static struct err *get_pem(struct config_node at, const char *name, struct buf *ret_pem, char **ret_file)
{
    AUTO_FREE char *data_name = xasprintf("%s-data", name);
    const char *data, *path;

    TRY(config_get_text(at, data_name, &data));
    TRY(config_get_text(at, name, &path));
    if (data) {
        if (!base64_decode(str_of(data), ret_pem))
            return config_fault(member(at, data_name), data_name, "not base64");
        if (!str_contains(buf_str(ret_pem), "-----BEGIN "))
            return config_fault(member(at, data_name), data_name, "not PEM");
    } else if (path) {
        *ret_file = config_path(at.doc, path);
        AUTO_ERR struct err *err = config_read_pem(*ret_file, ret_pem);

        if (err)
            return config_fault(member(at, name), name, "%s", err_text(err));
    }
    return NULL;
}

/* --- clusters --- */

static const struct json *find_extension(struct config_node cluster, const char *name)
{
    json_each (extension, json_member(cluster.json, "extensions")) {
        if (text_equal(json_get_text(extension, "name", NULL), name))
            return json_member(extension, "extension");
    }
    return NULL;
}

struct err *config_read_cluster(struct kube_config *config, struct config_node at)
{
    AUTO_BUF struct buf ca = BUF_MAX(PEM_MAX);
    const struct json *extension = find_extension(at, "client.authentication.k8s.io/exec");
    size_t len;

    TRY(get_owned(at, "server", &config->server));
    TRY(get_owned(at, "tls-server-name", &config->tls_server_name));
    TRY(get_owned(at, "proxy-url", &config->proxy_url));
    TRY(get_bool(at, "insecure-skip-tls-verify", &config->insecure));
    TRY(get_bool(at, "disable-compression", &config->disable_compression));
    TRY(get_pem(at, "certificate-authority", &ca, &config->ca_file));
    if (!config->server)
        return config_fault(at, "server", "missing");
    for (len = strlen(config->server); len && config->server[len - 1] == '/'; len--)
        config->server[len - 1] = '\0';
    if (config->insecure && ca.len)
        return config_fault(member(at, "insecure-skip-tls-verify"), "insecure-skip-tls-verify",
                            "cannot be set together with a certificate authority");
    if (ca.len)
        config->ca_pem = buf_take(&ca);
    if (extension && config->plugin)
        config->plugin->cluster_config = json_copy(extension);
    return NULL;
}

/* --- users --- */

static struct err *read_certificate(struct kube_config *config, struct config_node at)
{
    AUTO_BUF struct buf cert = BUF_MAX(PEM_MAX);
    AUTO_BUF struct buf key = BUF_SECRET(64 * KIB - 1);

    TRY(get_pem(at, "client-certificate", &cert, &config->cert_file));
    TRY(get_pem(at, "client-key", &key, &config->key_file));
    if (key.overflow)
        return config_fault(at, "client-key", "too large");
    if (!cert.len != !key.len)
        return config_fault(at, cert.len ? "client-key" : "client-certificate",
                            "missing, but its other half is there");
    if (!cert.len)
        return NULL;
    config->cert_pem = buf_take(&cert);
    config->key_pem = secret_new(buf_str(&key));
    return NULL;
}

static struct err *read_token(struct kube_config *config, struct config_node at)
{
    const char *token, *file;

    TRY(config_get_text(at, "token", &token));
    TRY(config_get_text(at, "tokenFile", &file));
    if (token)
        config->token = secret_new(str_trim(str_of(token)));
    if (file)
        config->token_file = config_path(at.doc, file);
    return NULL;
}

static void add_impersonation(struct kube_config *config, char *header, const char *value)
{
    config->impersonate = xgrow(config->impersonate, config->impersonate_count, sizeof(*config->impersonate));
    config->impersonate[config->impersonate_count++] =
        (struct http_header){.name = header, .value = xstrdup(value)};
}

static struct err *add_values(struct kube_config *config, struct config_node list, const char *field,
                              const char *header)
{
    if (list.json && !json_is(list.json, JSON_ARRAY) && !json_is(list.json, JSON_NULL))
        return config_fault(list, field, "expected a list of strings");
    json_each (value, list.json) {
        const char *text = json_get_text(value, NULL, NULL);

        if (!text || strpbrk(text, "\r\n"))
            return config_fault(list, field, "expected a list of strings");
        add_impersonation(config, xstrdup(header), text);
    }
    return NULL;
}

static struct err *read_extra(struct kube_config *config, struct config_node at)
{
    json_each (list, json_member(at.json, "as-user-extra")) {
        AUTO_BUF struct buf header = BUF_MAX(1024);

        buf_adds(&header, "Impersonate-Extra-");
        buf_add_uri(&header, str_of(json_key(list)));
        if (header.overflow)
            return config_fault(at, "as-user-extra", "key is too long");
        TRY(add_values(config, (struct config_node){at.doc, list}, "as-user-extra", buf_text(&header)));
    }
    return NULL;
}

static struct err *read_impersonation(struct kube_config *config, struct config_node at)
{
    const char *user, *uid;

    TRY(config_get_text(at, "as", &user));
    TRY(config_get_text(at, "as-uid", &uid));
    if ((user && strpbrk(user, "\r\n")) || (uid && strpbrk(uid, "\r\n")))
        return config_fault(at, "as", "holds a line break");
    if (user)
        add_impersonation(config, xstrdup("Impersonate-User"), user);
    if (uid)
        add_impersonation(config, xstrdup("Impersonate-Uid"), uid);
    TRY(add_values(config, (struct config_node){at.doc, json_member(at.json, "as-groups")}, "as-groups",
                   "Impersonate-Group"));
    TRY(read_extra(config, at));
    if (config->impersonate_count && !user)
        return config_fault(at, "as", "missing, but groups, uid or extra are there");
    return NULL;
}

static struct err *read_args(struct kube_plugin *plugin, struct config_node at)
{
    const struct json *args = json_member(at.json, "args");

    plugin->args = xcalloc(ARGS_MAX + 1, sizeof(*plugin->args));
    if (!args || json_is(args, JSON_NULL))
        return NULL;
    if (!json_is(args, JSON_ARRAY) || json_count(args) > ARGS_MAX)
        return config_fault(member(at, "args"), "exec.args", "expected a list of at most %d strings",
                            ARGS_MAX);
    json_each (arg, args) {
        if (!json_is(arg, JSON_STRING))
            return config_fault((struct config_node){at.doc, arg}, "exec.args", "expected a string");
        plugin->args[plugin->arg_count++] = xstrdup(json_get_text(arg, NULL, ""));
    }
    return NULL;
}

static struct err *read_plugin_env(struct kube_plugin *plugin, struct config_node at)
{
    const struct json *list = json_member(at.json, "env");

    plugin->env = json_new_array();
    json_each (variable, list) {
        const char *name = json_get_text(variable, "name", "");

        if (!*name || strchr(name, '=') || !json_get_text(variable, "value", NULL))
            return config_fault((struct config_node){at.doc, variable}, "exec.env", "expected {name, value}");
        json_append(plugin->env, json_copy(variable));
    }
    return NULL;
}

static struct err *read_interactive(struct kube_plugin *plugin, struct config_node at, bool has_terminal)
{
    const char *mode;

    TRY(config_get_text(at, "interactiveMode", &mode));
    if (!mode && text_equal(plugin->api_version, "client.authentication.k8s.io/v1"))
        return config_fault(at, "exec.interactiveMode", "missing");
    if (mode && text_equal(mode, "Always") && !has_terminal)
        return config_fault(member(at, "interactiveMode"), "exec.interactiveMode",
                            "Always: there is no terminal to use");
    if (mode && !text_equal(mode, "Never") && !text_equal(mode, "IfAvailable") && !text_equal(mode, "Always"))
        return config_fault(member(at, "interactiveMode"), "exec.interactiveMode",
                            "expected Never, IfAvailable or Always");
    plugin->is_interactive = has_terminal && !text_equal(mode, "Never");
    return NULL;
}

static struct err *read_plugin(struct kube_config *config, struct config_node at)
{
    struct kube_plugin *plugin = config->plugin = xcalloc(1, sizeof(*plugin));
    const char *command;

    TRY(get_owned(at, "apiVersion", &plugin->api_version));
    TRY(config_get_text(at, "command", &command));
    TRY(get_owned(at, "installHint", &plugin->install_hint));
    TRY(get_bool(at, "provideClusterInfo", &plugin->provide_cluster_info));
    if (!command)
        return config_fault(at, "exec.command", "missing");
    plugin->command = strchr(command, '/') ? config_path(at.doc, command) : xstrdup(command);
    if (!text_equal(plugin->api_version, "client.authentication.k8s.io/v1") &&
        !text_equal(plugin->api_version, "client.authentication.k8s.io/v1beta1"))
        return config_fault(member(at, "apiVersion"), "exec.apiVersion",
                            "expected client.authentication.k8s.io/v1 or v1beta1");
    TRY(read_interactive(plugin, at, config->has_terminal));
    TRY(read_args(plugin, at));
    return read_plugin_env(plugin, at);
}

struct err *config_read_user(struct kube_config *config, struct config_node at)
{
    static const struct {
        const char *field, *why;
    } refused[] = {
        {"auth-provider", "no longer part of Kubernetes; use an exec plugin"},
        {"username", "basic authentication is no longer served by Kubernetes"},
        {"password", "basic authentication is no longer served by Kubernetes"},
    };

    for (size_t i = 0; i < COUNT_OF(refused); i++) {
        const struct json *found = json_member(at.json, refused[i].field);

        if (found && !json_is(found, JSON_NULL))
            return config_fault(member(at, refused[i].field), refused[i].field, "%s", refused[i].why);
    }
    TRY(read_certificate(config, at));
    TRY(read_token(config, at));
    TRY(read_impersonation(config, at));
    if (json_is(json_member(at.json, "exec"), JSON_OBJECT))
        return read_plugin(config, member(at, "exec"));
    return NULL;
}

void kube_plugin_free(struct kube_plugin *plugin)
{
    if (!plugin)
        return;
    for (size_t i = 0; i < plugin->arg_count; i++)
        xfree(plugin->args[i]);
    xfree(plugin->args);
    xfree(plugin->api_version);
    xfree(plugin->command);
    xfree(plugin->install_hint);
    json_free(plugin->env);
    json_free(plugin->cluster_config);
    xfree(plugin);
}
