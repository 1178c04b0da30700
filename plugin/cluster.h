/* The few calls that the commands make, with refusals told as sentences: what is not allowed, and who could
 * allow it. */
#ifndef PLUGIN_CLUSTER_H
#define PLUGIN_CLUSTER_H

#include "pkg/kube/client.h"

extern const struct kube_resource cluster_refreshes;

/* Borrows everything. For one thread. */
struct cluster {
    struct kube_client *client;
    const struct env *env;
};

/* ERR_NOT_FOUND names the refreshes that are there. */
struct err *cluster_get(const struct cluster *cluster, const char *namespace, const char *name,
                        struct json **ret) MUST_USE;
/* An array; namespace NULL: of all. */
struct err *cluster_list(const struct cluster *cluster, const char *namespace,
                         struct json **ret_items) MUST_USE;
/* What the API server calls whoever asks; yours. Needs Kubernetes 1.28. */
struct err *cluster_whoami(const struct cluster *cluster, char **ret_user) MUST_USE;
/* Sets annotations on condition that the object is still the version at hand; ERR_CONFLICT otherwise. */
struct err *cluster_annotate(const struct cluster *cluster, const struct json *object,
                             const struct json *annotations) MUST_USE;

#endif
