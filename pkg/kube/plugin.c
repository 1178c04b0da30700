#include "pkg/kube/plugin.h"

#include "pkg/base/child.h"
#include "pkg/base/digest.h"
#include "pkg/kube/config_priv.h"

#define ANSWER_MAX MIB
#define TIMEOUT_MS MINUTES(1)
/* A person signs in at a browser, or looks for the phone. */
#define PERSON_TIMEOUT_MS MINUTES(10)

void kube_plugin_answer_done(struct kube_plugin_answer *answer)
{
    secret_free(answer->token);
    secret_free(answer->key_pem);
    xfree(answer->cert_pem);
    *answer = (struct kube_plugin_answer){0};
}

/* --- the answer --- */

static struct err *read_status(const struct json *status, struct kube_plugin_answer *answer)
{
    const char *token = json_get_text(status, "token", ""),
               *expires = json_get_text(status, "expirationTimestamp", "");
    const char *cert = json_get_text(status, "clientCertificateData", "");
    const char *key = json_get_text(status, "clientKeyData", "");

    if (!*token && !*cert && !*key)
        return err_new(ERR_INVALID, "status has neither a token nor a certificate");
    if (!*cert != !*key)
        return err_new(ERR_INVALID, "status has one half of certificate and key only");
    answer->expires_ms = NEVER_MS;
    if (*expires && !time_parse(str_of(expires), &answer->expires_ms))
        return err_new(ERR_INVALID, "status.expirationTimestamp is not a time");
    if (*token)
        answer->token = secret_new(str_of(token));
    if (*cert) {
        answer->cert_pem = xstrdup(cert);
        answer->key_pem = secret_new(str_of(key));
    }
    return NULL;
}

struct err *kube_plugin_parse(struct str text, const char *api_version, struct kube_plugin_answer *ret)
{
    AUTO_JSON struct json *answer = NULL;
    CLEANUP(kube_plugin_answer_done) struct kube_plugin_answer found = {0};
    struct err *err = json_parse(text, &(struct json_limits){.max_bytes = ANSWER_MAX}, &answer);

    if (err) {
        err_ignore(err, "its text might quote a secret");
        return err_new(ERR_INVALID, "the answer is not JSON");
    }
    if (!text_equal(json_get_text(answer, "kind", NULL), "ExecCredential"))
        return err_new(ERR_INVALID, "the answer is not an ExecCredential");
    if (!text_equal(json_get_text(answer, "apiVersion", NULL), api_version))
        return err_new(ERR_INVALID, "the answer is not of version %s", api_version);
    if (!json_is(json_member(answer, "status"), JSON_OBJECT))
        return err_new(ERR_INVALID, "the answer has no status");
    TRY(read_status(json_member(answer, "status"), &found));
    *ret = found;
    found = (struct kube_plugin_answer){0};
    return NULL;
}

/* --- the question --- */

static struct json *cluster_info(const struct kube_config *config)
{
    struct json *cluster = json_new_object();
    AUTO_BUF struct buf ca = BUF_MAX(2 * MIB);

    json_set_text(cluster, "server", config->server);
    json_set_text(cluster, "tls-server-name", config->tls_server_name);
    if (config->insecure)
        json_set_bool(cluster, "insecure-skip-tls-verify", true);
    if (config->ca_pem) {
        buf_add_base64(&ca, config->ca_pem, strlen(config->ca_pem));
        json_set_text(cluster, "certificate-authority-data", buf_text(&ca));
    }
    json_set_text(cluster, "proxy-url", config->proxy_url);
    if (config->disable_compression)
        json_set_bool(cluster, "disable-compression", true);
    if (config->plugin->cluster_config)
        json_set_copy(cluster, "config", config->plugin->cluster_config);
    return cluster;
}

static char *exec_info(const struct kube_config *config)
{
    AUTO_JSON struct json *info = json_new_object();
    struct json *spec = json_new_object();

    json_set_text(info, "apiVersion", config->plugin->api_version);
    json_set_text(info, "kind", "ExecCredential");
    json_set_bool(spec, "interactive", config->plugin->is_interactive);
    if (config->plugin->provide_cluster_info)
        json_set(spec, "cluster", cluster_info(config));
    json_set(info, "spec", spec);
    return json_to_text(info);
}

struct texts {
    char **items; /* NULL-terminated once finished */
    size_t count;
};

static void texts_add(struct texts *texts, char *text)
{
    texts->items = xgrow(texts->items, texts->count, sizeof(*texts->items));
    texts->items[texts->count++] = text;
}

static void texts_done(struct texts *texts)
{
    for (size_t i = 0; i < texts->count; i++)
        wipe_free(texts->items[i]);
    xfree(texts->items);
}

static bool names_variable(const char *variable, const char *name)
{
    size_t len = strlen(name);

    return strncmp(variable, name, len) == 0 && variable[len] == '=';
}

static bool is_replaced(const struct json *env, const char *variable)
{
    json_each (ours, env) {
        if (names_variable(variable, json_get_text(ours, "name", "")))
            return true;
    }
    return names_variable(variable, "KUBERNETES_EXEC_INFO");
}

static struct texts environment_of(const struct kube_config *config)
{
    AUTO_FREE char *info = exec_info(config);
    struct texts texts = {0};

    for (char *const *at = config->environment; at && *at; at++) {
        if (!is_replaced(config->plugin->env, *at))
            texts_add(&texts, xstrdup(*at));
    }
    json_each (ours, config->plugin->env) {
        texts_add(&texts,
                  xasprintf("%s=%s", json_get_text(ours, "name", ""), json_get_text(ours, "value", "")));
    }
    texts_add(&texts, xasprintf("KUBERNETES_EXEC_INFO=%s", info));
    texts_add(&texts, NULL);
    return texts;
}

static struct texts arguments_of(const struct kube_plugin *plugin)
{
    struct texts texts = {0};

    texts_add(&texts, xstrdup(plugin->command));
    for (size_t i = 0; i < plugin->arg_count; i++)
        texts_add(&texts, xstrdup(plugin->args[i]));
    texts_add(&texts, NULL);
    return texts;
}

static struct err *run_plugin(const struct kube_config *config, const struct env *env, struct buf *out)
{
    CLEANUP(texts_done) struct texts environment = environment_of(config);
    CLEANUP(texts_done) struct texts arguments = arguments_of(config->plugin);
    const struct child child = {
        .command = config->plugin->command,
        .argv = arguments.items,
        .environment = environment.items,
        .is_interactive = config->plugin->is_interactive,
        .timeout_ms = config->plugin->is_interactive ? PERSON_TIMEOUT_MS : TIMEOUT_MS,
    };

    return child_output(env, &child, out);
}

struct err *kube_plugin_ask(const struct kube_config *config, const struct env *env,
                            struct kube_plugin_answer *ret)
{
    const struct kube_plugin *plugin = config->plugin;
    AUTO_BUF struct buf out = BUF_SECRET(ANSWER_MAX);
    struct err *err = run_plugin(config, env, &out);

    if (err && err_kind(err) == ERR_NOT_FOUND) {
        AUTO_ERR struct err *cause = err;

        return err_new(ERR_INVALID, "credential plugin: %s%s%s", err_text(cause),
                       plugin->install_hint ? "; " : "", plugin->install_hint ? plugin->install_hint : "");
    }
    TRY(err_wrap(err, "credential plugin"));
    return err_wrap(kube_plugin_parse(buf_str(&out), plugin->api_version, ret), "credential plugin %s",
                    plugin->command);
}
