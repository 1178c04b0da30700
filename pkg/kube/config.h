/* Where the API server is and who we are: a kubeconfig (several files merged as kubectl merges them) or a
 * pod's service account. Rules:
 * https://kubernetes.io/docs/concepts/configuration/organize-cluster-access-kubeconfig/
 *
 * Certificates and keys stay in memory and are never written anywhere; files they come from are read again
 * every five minutes, token files every 50 seconds and after a refusal. Credentials go only over https, or to
 * a loopback address. The proxy is the cluster's own, else the environment's, as in Go. */
#ifndef KUBE_CONFIG_H
#define KUBE_CONFIG_H

#include "pkg/base/env.h"
#include "pkg/base/err.h"
#include "pkg/base/str.h"

/* What the caller knows of flags and environment; nothing here calls getenv(). Everything is optional and,
 * but for `environment`, copied. */
struct kube_config_sources {
    const char *path;                /* --kubeconfig: used alone, must exist */
    const char *context;             /* --context; NULL: current-context */
    const char *kubeconfig_variable; /* $KUBECONFIG: list with ':', missing files are skipped */
    const char *home;                /* $HOME, for ~/.kube/config */
    const char *service_host;        /* $KUBERNETES_SERVICE_HOST */
    const char *service_port;        /* $KUBERNETES_SERVICE_PORT */
    const char *pod_namespace;       /* $POD_NAMESPACE; wins over the service account's file */
    const char *service_account_dir; /* NULL: /var/run/secrets/kubernetes.io/serviceaccount */
    bool is_for_person;              /* as kubectl: ~/.kube/config before the pod's service account */
    bool has_terminal;               /* a person sits at stdin: credential plugins may ask there */
    char *const *environment; /* what credential plugins inherit; borrowed for the life of the config */
};

struct kube_config; /* shared by clients and threads */

/* Tried in order: path, $KUBECONFIG, the pod's service account, ~/.kube/config; is_for_person swaps the last
 * two. A context can be chosen in kubeconfigs only.
 * Errors: ERR_INVALID "file:line: field: what is wrong"; ERR_NOT_FOUND when `path` is not there or nothing is
 * configured. */
struct err *kube_config_load(const struct kube_config_sources *sources, struct kube_config **ret) MUST_USE;
/* One kubeconfig given as text; `name` is what errors call it, relative paths start at its folder. Files it
 * names are read. */
struct err *kube_config_from_text(struct str text, const char *name,
                                  const struct kube_config_sources *sources,
                                  struct kube_config **ret) MUST_USE;
void kube_config_free(struct kube_config *config); /* after all its clients */

const char *kube_config_server(const struct kube_config *config); /* base URL without a slash at the end */
const char *
kube_config_namespace(const struct kube_config *config); /* of the context or the pod; "default" */
const char *
kube_config_origin(const struct kube_config *config); /* for people: "shop.kubeconfig, context staging" */
bool kube_config_is_in_cluster(const struct kube_config *config);
bool kube_config_is_insecure(const struct kube_config *config); /* insecure-skip-tls-verify: say it loudly */

static inline void auto_kube_config(struct kube_config **config)
{
    kube_config_free(*config);
}
#define AUTO_KUBE_CONFIG CLEANUP(auto_kube_config)

#endif
