/* Who we are at this moment, as an immutable value shared by the calls that use it; fetched again when its
 * source may have changed. One fetch at a time; others go on with the old value while it still holds, else
 * they wait. Ages are wall-clock time: threads with different schedulers share this. */
#ifndef KUBE_CREDENTIALS_H
#define KUBE_CREDENTIALS_H

#include "pkg/base/env.h"
#include "pkg/base/secret.h"
#include "pkg/http/transport.h"

struct kube_config;
struct kube_credentials;

struct kube_identity {
    struct secret *token; /* NULL: none */
    struct http_tls tls;
};

struct kube_credentials *kube_credentials_new(const struct kube_config *config); /* borrowed */
void kube_credentials_free(struct kube_credentials *credentials);

/* A reference of yours. Errors: ERR_RETRY when a file or plugin failed, ERR_INVALID when what it gave is of
 * no use. */
struct err *kube_credentials_get(struct kube_credentials *credentials, const struct env *env,
                                 const struct kube_identity **ret) MUST_USE;
void kube_identity_unref(const struct kube_identity *identity);
/* The server said 401 to `identity`. True when a fresh one may be had (or has been fetched since): try again
 * once. */
bool kube_credentials_refuse(struct kube_credentials *credentials, const struct kube_identity *identity);

static inline void auto_kube_identity(const struct kube_identity **identity)
{
    kube_identity_unref(*identity);
}
#define AUTO_KUBE_IDENTITY CLEANUP(auto_kube_identity)

#endif
