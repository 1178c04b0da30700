/* Whom the AWS client trusts, over real sockets: the system's roots or AWS_CA_BUNDLE, the host's own name, a
 * certificate that has not expired; and nothing that switches this off. */
#include <stdlib.h>
#include <unistd.h>

#include "pkg/aws/client.h"
#include "pkg/aws/dynamodb.h"
#include "pkg/base/files.h"
#include "pkg/http/transport.h"
#include "tests/testing/assertions.h"
#include "tests/testing/loopback.h"

#define TABLE "{\"Table\":{\"TableName\":\"t\",\"TableStatus\":\"ACTIVE\"}}"
#define WHOAMI                                                                                        \
    "<GetCallerIdentityResponse><GetCallerIdentityResult><Arn>arn:aws:iam::222222222222:user/u</Arn>" \
    "<Account>222222222222</Account></GetCallerIdentityResult></GetCallerIdentityResponse>"

enum bundle { NO_BUNDLE, OUR_BUNDLE, OTHER_BUNDLE, MISSING_BUNDLE };

struct row {
    const char *name;
    const char *alt_names;
    int64_t until_s;
    enum bundle bundle;
    const char *setting; /* one more variable */
    const char *fails;   /* NULL: it works */
};

static const struct row rows[] = {
    {.name = "our own bundle", .alt_names = "IP:127.0.0.1", .until_s = 86400, .bundle = OUR_BUNDLE},
    {.name = "the system's roots do not know it",
     .alt_names = "IP:127.0.0.1",
     .until_s = 86400,
     .fails = "trust the issuer by giving its CA bundle"},
    {.name = "another authority",
     .alt_names = "IP:127.0.0.1",
     .until_s = 86400,
     .bundle = OTHER_BUNDLE,
     .fails = "does not hold"},
    {.name = "another host",
     .alt_names = "DNS:dynamodb.ap-northeast-1.amazonaws.com",
     .until_s = 86400,
     .bundle = OUR_BUNDLE,
     .fails = "it is for another name"},
    {.name = "expired",
     .alt_names = "IP:127.0.0.1",
     .until_s = -3600,
     .bundle = OUR_BUNDLE,
     .fails = "has expired; renew it, or set this machine's clock"},
    {.name = "a bundle that is not there",
     .alt_names = "IP:127.0.0.1",
     .until_s = 86400,
     .bundle = MISSING_BUNDLE,
     .fails = "/nonexistent/ca.pem"},
    {.name = "no variable of the command line's or of Python's switches it off",
     .alt_names = "IP:127.0.0.1",
     .until_s = 86400,
     .setting = "AWS_NO_VERIFY_SSL=true",
     .fails = "does not hold"},
};

static void answer(struct loopback *server, void *arg UNUSED)
{
    while (loopback_accept(server)) {
        for (int i = 0; loopback_request(server); i++) {
            const char *body = i ? TABLE : WHOAMI;
            AUTO_FREE char *reply =
                xasprintf("HTTP/1.1 200 OK\r\nContent-Length: %zu\r\n\r\n%s", strlen(body), body);

            loopback_send(server, reply);
        }
    }
}

struct scene {
    struct certificate_pair authority, other, certificate;
    struct loopback *server;
    char dir[40];
    char *bundle;
    struct aws_config config;
    struct env env;
};

static void write_bundle(struct scene *scene, enum bundle which)
{
    const struct certificate_pair *pair = which == OUR_BUNDLE ? &scene->authority : &scene->other;

    snprintf(scene->dir, sizeof(scene->dir), "/tmp/aws_tls_test.XXXXXX");
    assert_non_null(mkdtemp(scene->dir));
    scene->bundle = xasprintf("%s/ca.pem", scene->dir);
    assert_no_err(file_replace(scene->bundle, str_of(pair->certificate), 0600));
}

static void scene_init(struct scene *scene, const struct row *row)
{
    AUTO_FREE char *url = NULL;
    char *entries[] = {xstrdup("AWS_ACCESS_KEY_ID=AKIAEXAMPLE"), xstrdup("AWS_SECRET_ACCESS_KEY=s"), NULL,
                       NULL, NULL};

    *scene = (struct scene){0};
    certificate_authority("test authority", &scene->authority);
    certificate_authority("another", &scene->other);
    certificate_issue(
        &scene->authority,
        &(struct certificate_options){
            .name = "server", .alt_names = row->alt_names, .from_s = -2 * 86400, .until_s = row->until_s},
        &scene->certificate);
    scene->server = loopback_new(&(struct loopback_options){.serve = answer, .tls = &scene->certificate});
    write_bundle(scene, row->bundle);
    url = loopback_url(scene->server, "");
    entries[2] = xasprintf("AWS_ENDPOINT_URL=%s", url);
    entries[3] = row->bundle == NO_BUNDLE
                     ? xstrdup(row->setting ? row->setting : "NO=1")
                     : xasprintf("AWS_CA_BUNDLE=%s",
                                 row->bundle == MISSING_BUNDLE ? "/nonexistent/ca.pem" : scene->bundle);
    assert_no_err(aws_config_from_environ(entries, &scene->config));
    for (size_t i = 0; entries[i]; i++)
        xfree(entries[i]);
    scene->env.sched = sched_threads_new(1);
    scene->env.random = random_system_new();
    scene->env.transport = transport_curl_new(scene->env.sched);
}

static void scene_done(struct scene *scene)
{
    transport_free(scene->env.transport);
    loopback_free(scene->server);
    random_free(scene->env.random);
    sched_free(scene->env.sched);
    aws_config_done(&scene->config);
    unlink(scene->bundle);
    rmdir(scene->dir);
    xfree(scene->bundle);
    certificate_pair_done(&scene->authority);
    certificate_pair_done(&scene->other);
    certificate_pair_done(&scene->certificate);
}

static void trusts_nobody_else(void **state)
{
    const struct row *row = *state;
    AUTO_DYNAMODB_TABLE struct dynamodb_table table = {0};
    struct credentials_cache *identity;
    struct aws_account *account = NULL;
    struct scene scene;
    struct err *err;

    scene_init(&scene, row);
    identity = credentials_default_new(&scene.config);
    assert_no_err(aws_account_new(&(struct aws_account_opts){.account_id = "222222222222",
                                                             .region = "ap-northeast-1",
                                                             .usage = AWS_TARGET,
                                                             .config = &scene.config,
                                                             .identity = identity},
                                  &account));
    err = dynamodb_describe_table(&(struct aws_client){.account = account, .env = &scene.env}, "t", &table);
    if (row->fails)
        assert_fails(err, ERR_INVALID, row->fails);
    else
        assert_no_err(err);
    /* Nothing was said to whom is not trusted. */
    if (row->fails)
        assert_null(loopback_seen(scene.server, 0));
    aws_account_unref(account);
    credentials_cache_free(identity);
    scene_done(&scene);
}

int main(void)
{
    struct tests tests = {0};

    transport_curl_init();
    TEST_ROWS(&tests, trusts_nobody_else, rows);
    return tests_run(&tests, "tls");
}
