/* Asks a credential plugin (kubeconfig's users[].user.exec) for credentials.
 * https://kubernetes.io/docs/reference/access-authn-authz/authentication/#client-go-credential-plugins */
#ifndef KUBE_PLUGIN_H
#define KUBE_PLUGIN_H

#include "pkg/base/env.h"
#include "pkg/base/err.h"
#include "pkg/base/secret.h"

struct kube_config;

struct kube_plugin_answer {
    struct secret *token;
    char *cert_pem;
    struct secret *key_pem;
    int64_t expires_ms; /* wall clock; NEVER_MS: as long as the process lives */
};
void kube_plugin_answer_done(struct kube_plugin_answer *answer);

/* Runs config->plugin. ERR_INVALID: there is no such program, or its answer is not an ExecCredential;
 * ERR_RETRY: it failed or took longer than a minute. */
struct err *kube_plugin_ask(const struct kube_config *config, const struct env *env,
                            struct kube_plugin_answer *ret) MUST_USE;
/* The answer's text alone, for tests. */
struct err *kube_plugin_parse(struct str text, const char *api_version,
                              struct kube_plugin_answer *ret) MUST_USE;

#endif
