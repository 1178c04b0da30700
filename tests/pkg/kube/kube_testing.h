/* A client on a script, for the tests of this folder. Everything here is static: one test, one executable. */
#ifndef KUBE_TESTING_H
#define KUBE_TESTING_H

#include <unistd.h>

#include "pkg/base/files.h"
#include "pkg/kube/client.h"
#include "tests/testing/testing_env.h"

static const struct kube_resource widgets UNUSED = {
    .group = "example.com", .version = "v1", .plural = "widgets", .kind = "Widget", .namespaced = true};
static const struct kube_ref widget_x UNUSED = {.resource = &widgets, .namespace = "n", .name = "x"};

struct kube_test {
    struct testing_env base;
    struct kube_config *config;
    struct kube_client *client;
};

#define KUBE_TEST_TOKEN_FILE "tokenFile"

static char *kube_test_token_path(void)
{
    return xasprintf("%s/kube-test-token-%d", SR_BINARY_DIR, (int)getpid());
}

UNUSED static void kube_test_write_token(const char *token)
{
    AUTO_FREE char *path = kube_test_token_path();

    assert_no_err(file_replace(path, str_of(token), 0600));
}

/* `token_from` NULL: the token "t0ken" is in the kubeconfig itself. */
UNUSED static void kube_test_init(struct kube_test *t, uint64_t seed, const struct exchange *rows,
                                  size_t count, const char *token_from)
{
    AUTO_FREE char *path = kube_test_token_path();
    AUTO_FREE char *user = token_from ? xasprintf("tokenFile: %s", path) : xstrdup("token: t0ken");
    AUTO_FREE char *text =
        xasprintf("current-context: c\n"
                  "contexts: [{name: c, context: {cluster: k, user: u}}]\n"
                  "clusters: [{name: k, cluster: {server: 'https://api.example:6443/base/'}}]\n"
                  "users: [{name: u, user: {%s}}]\n",
                  user);

    *t = (struct kube_test){0};
    testing_env_init(&t->base, seed, rows, count, NULL);
    if (!t->base.script) {
        t->base.script = script_new(NULL, 0, NULL);
        t->base.env.transport = script_transport(t->base.script);
    }
    assert_no_err(kube_config_from_text(str_of(text), "test.kubeconfig", NULL, &t->config));
    t->client = kube_client_new(
        t->config, &(struct kube_client_opts){.user_agent = "unit/1", .field_manager = "tester"});
}

UNUSED static void kube_test_done(struct kube_test *t)
{
    AUTO_FREE char *path = kube_test_token_path();

    kube_client_free(t->client);
    kube_config_free(t->config);
    unlink(path);
    testing_env_done(&t->base);
}

#endif
