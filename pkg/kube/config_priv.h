/* What config.c found out and credentials.c and client.c use. */
#ifndef KUBE_CONFIG_PRIV_H
#define KUBE_CONFIG_PRIV_H

#include "pkg/base/buf.h"
#include "pkg/base/json.h"
#include "pkg/base/secret.h"
#include "pkg/base/yaml.h"
#include "pkg/http/transport.h"
#include "pkg/kube/config.h"

struct kube_credentials;

/* https://kubernetes.io/docs/reference/access-authn-authz/authentication/#client-go-credential-plugins */
struct kube_plugin {
    char *api_version;
    char *command;
    char **args; /* NULL-terminated, without the command itself */
    size_t arg_count;
    struct json *env; /* array of {name, value} */
    bool provide_cluster_info;
    bool is_interactive;         /* may use the terminal */
    struct json *cluster_config; /* the cluster's extension of that name; NULL: none */
    char *install_hint;
};

struct kube_config {
    char *server;
    char *namespace;
    char *origin;
    bool is_in_cluster;

    /* How to reach it. */
    bool insecure;
    bool disable_compression;
    char *tls_server_name;
    char *proxy_url; /* as it was written; NULL: it was not */
    char *ca_file;   /* read again now and then; else ca_pem */
    char *ca_pem;

    /* Who we are; any of these may be there. */
    char *cert_file, *key_file;
    char *cert_pem;
    struct secret *key_pem;
    char *token_file; /* wins over token while it can be read */
    struct secret *token;
    struct kube_plugin *plugin; /* asked only when there is neither token nor certificate */
    struct http_header *impersonate;
    size_t impersonate_count;

    char *const *environment;
    bool has_terminal;
    struct kube_credentials *credentials;
};

/* What a request to the server goes through: NULL: what the environment says; "": nothing. As in Go, the
 * environment's proxy is not for loopback addresses.
 * https://pkg.go.dev/net/http#ProxyFromEnvironment */
const char *config_proxy_url(const struct kube_config *config);

/* A place in a kubeconfig, for errors. */
struct config_node {
    const struct yaml_doc *doc;
    const struct json *json;
};

/* "file:line: field: what" */
struct err *config_fault(struct config_node at, const char *field, const char *fmt, ...) MUST_USE
    PRINTF_LIKE(3, 4);
/* A member that is a text; NULL when absent, null or empty. It lives in the document. */
struct err *config_get_text(struct config_node at, const char *name, const char **ret) MUST_USE;
/* `path` as seen from the folder of the file that it was written in. */
char *config_path(const struct yaml_doc *doc, const char *path);

/* Decodes one entry's "cluster" and "user" into the config. */
struct err *config_read_cluster(struct kube_config *config, struct config_node cluster) MUST_USE;
struct err *config_read_user(struct kube_config *config, struct config_node user) MUST_USE;

/* Appends the file, which must look like PEM. */
struct err *config_read_pem(const char *path, struct buf *out) MUST_USE;
void kube_plugin_free(struct kube_plugin *plugin);

#endif
