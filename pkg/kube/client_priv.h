/* What the files of the client share with each other and with the watch. */
#ifndef KUBE_CLIENT_PRIV_H
#define KUBE_CLIENT_PRIV_H

#include "pkg/kube/client.h"

/* A reply that is not a success, as an error (see client.h). */
struct err *kube_reply_error(const struct http_reply *reply) MUST_USE;

/* Another client of the same config, `suffix` appended to its user agent. */
struct kube_client *kube_client_copy(const struct kube_client *client, const char *suffix);
/* Only for a client that nobody else uses. */
void kube_client_set_timeout(struct kube_client *client, int64_t timeout_ms);

/* Pages of one snapshot, one after the other. */
struct kube_page_visitor {
    struct err *(*page)(void *arg, const struct kube_page *page);
    void (*restart)(void *arg); /* forget what was seen: the list begins again */
    void *arg;
};
struct err *kube_list_each(struct kube_client *client, const struct env *env, const struct kube_query *query,
                           const struct kube_page_visitor *visitor) MUST_USE;
/* A copy of an item with apiVersion and kind filled in. */
struct json *kube_page_item(const struct json *item, const struct kube_resource *resource);

#endif
