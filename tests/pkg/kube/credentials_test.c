#include "pkg/kube/credentials.h"

#include <sys/stat.h>
#include <unistd.h>

#include "pkg/base/child.h"
#include "pkg/base/files.h"
#include "pkg/kube/config_priv.h"
#include "pkg/kube/plugin.h"
#include "tests/pkg/kube/kube_testing.h"
#include "tests/testing/certificates.h"

/* --- token files --- */

static void assert_token(struct kube_test *t, const char *want)
{
    AUTO_KUBE_IDENTITY const struct kube_identity *identity = NULL;

    assert_no_err(kube_credentials_get(t->config->credentials, &t->base.env, &identity));
    assert_str_equal(secret_reveal(identity->token), want);
}

static void pass_time(struct kube_test *t, int64_t for_ms)
{
    assert_true(sched_wait_until(t->base.env.sched, NULL, sched_now_ms(t->base.env.sched) + for_ms));
}

static void remove_token(void)
{
    AUTO_FREE char *path = kube_test_token_path();

    unlink(path);
}

static void a_token_file_is_read_again(void **state)
{
    struct kube_test t;

    (void)state;
    kube_test_write_token("one\n");
    kube_test_init(&t, 1, NULL, 0, KUBE_TEST_TOKEN_FILE);
    assert_token(&t, "one");
    kube_test_write_token("two");
    pass_time(&t, SECONDS(40));
    assert_token(&t, "one");
    pass_time(&t, SECONDS(11));
    assert_token(&t, "two");
    kube_test_done(&t);
}

static void an_unreadable_token_file_keeps_the_old_token(void **state)
{
    struct kube_test t;

    (void)state;
    kube_test_write_token("one");
    kube_test_init(&t, 1, NULL, 0, KUBE_TEST_TOKEN_FILE);
    assert_token(&t, "one");
    remove_token();
    pass_time(&t, SECONDS(60));
    assert_token(&t, "one");
    kube_test_write_token(" ");
    pass_time(&t, SECONDS(60));
    assert_token(&t, "one");
    kube_test_write_token("two");
    pass_time(&t, SECONDS(9));
    assert_token(&t, "one");
    pass_time(&t, SECONDS(2));
    assert_token(&t, "two");
    kube_test_done(&t);
}

static void without_any_token_it_fails(void **state)
{
    const struct kube_identity *identity = NULL;
    struct kube_test t;

    (void)state;
    remove_token();
    kube_test_init(&t, 1, NULL, 0, KUBE_TEST_TOKEN_FILE);
    assert_fails(kube_credentials_get(t.config->credentials, &t.base.env, &identity), ERR_RETRY,
                 "credentials: ");
    kube_test_done(&t);
}

static void only_what_was_refused_is_renewed(void **state)
{
    const struct kube_identity *first = NULL, *second = NULL;
    struct kube_test t;

    (void)state;
    kube_test_write_token("one");
    kube_test_init(&t, 1, NULL, 0, KUBE_TEST_TOKEN_FILE);
    assert_no_err(kube_credentials_get(t.config->credentials, &t.base.env, &first));
    kube_test_write_token("two");
    assert_true(kube_credentials_refuse(t.config->credentials, first));
    assert_no_err(kube_credentials_get(t.config->credentials, &t.base.env, &second));
    assert_str_equal(secret_reveal(second->token), "two");
    kube_test_write_token("three");
    assert_true(kube_credentials_refuse(t.config->credentials, first));
    assert_token(&t, "two");
    kube_identity_unref(first);
    kube_identity_unref(second);
    kube_test_done(&t);
}

/* --- certificate files --- */

static char *file_path(const char *name)
{
    return xasprintf("%s/kube-test-%s-%d", SR_BINARY_DIR, name, (int)getpid());
}

static void write_file(const char *name, const char *text)
{
    AUTO_FREE char *path = file_path(name);

    assert_no_err(file_replace(path, str_of(text), 0600));
}

static void remove_file(const char *name)
{
    AUTO_FREE char *path = file_path(name);

    unlink(path);
}

static struct kube_config *config_with_files(void)
{
    AUTO_FREE char *cert = file_path("cert"), *key = file_path("key");
    AUTO_FREE char *text =
        xasprintf("current-context: c\n"
                  "contexts: [{name: c, context: {cluster: k, user: u}}]\n"
                  "clusters: [{name: k, cluster: {server: 'https://api.example:6443'}}]\n"
                  "users: [{name: u, user: {client-certificate: '%s', client-key: '%s'}}]\n",
                  cert, key);
    struct kube_config *config = NULL;

    assert_no_err(kube_config_from_text(str_of(text), "test.kubeconfig", NULL, &config));
    return config;
}

static void assert_certificate(struct kube_config *config, const struct env *env,
                               const struct certificate_pair *want)
{
    AUTO_KUBE_IDENTITY const struct kube_identity *identity = NULL;

    assert_no_err(kube_credentials_get(config->credentials, env, &identity));
    assert_str_equal(identity->tls.cert_pem, want->certificate);
    assert_str_equal(identity->tls.key_pem, want->key);
}

/* Two files are never replaced at one moment. */
static void a_key_that_is_not_replaced_yet_keeps_the_old_pair(void **state)
{
    struct certificate_pair old, fresh;
    struct kube_config *config;
    struct kube_test t;

    (void)state;
    kube_test_init(&t, 1, NULL, 0, NULL);
    certificate_authority("old", &old);
    certificate_authority("fresh", &fresh);
    write_file("cert", old.certificate);
    write_file("key", old.key);
    config = config_with_files();
    assert_certificate(config, &t.base.env, &old);
    write_file("cert", fresh.certificate);
    pass_time(&t, MINUTES(5) + 10);
    assert_certificate(config, &t.base.env, &old);
    write_file("key", fresh.key);
    pass_time(&t, SECONDS(11));
    assert_certificate(config, &t.base.env, &fresh);
    kube_config_free(config);
    remove_file("cert");
    remove_file("key");
    certificate_pair_done(&old);
    certificate_pair_done(&fresh);
    kube_test_done(&t);
}

/* --- what a plugin answers --- */

#define CREDENTIAL(status) \
    "{\"apiVersion\":\"client.authentication.k8s.io/v1\",\"kind\":\"ExecCredential\",\"status\":" status "}"

static const struct answer_row {
    const char *name, *text;
    const char *token, *cert, *key, *fails;
    int64_t expires_ms;
} answer_rows[] = {
    {.name = "token", .text = CREDENTIAL("{\"token\":\"t\"}"), .token = "t", .expires_ms = NEVER_MS},
    {.name = "token with an end",
     .text = CREDENTIAL("{\"token\":\"t\",\"expirationTimestamp\":\"2026-11-22T16:00:00Z\"}"),
     .token = "t",
     .expires_ms = TESTING_WALL_MS},
    {.name = "certificate",
     .text = CREDENTIAL("{\"clientCertificateData\":\"c\",\"clientKeyData\":\"k\"}"),
     .cert = "c",
     .key = "k",
     .expires_ms = NEVER_MS},
    {.name = "nothing", .text = CREDENTIAL("{}"), .fails = "neither a token nor a certificate"},
    {.name = "half a pair",
     .text = CREDENTIAL("{\"token\":\"t\",\"clientKeyData\":\"k\"}"),
     .fails = "one half"},
    {.name = "odd time",
     .text = CREDENTIAL("{\"token\":\"t\",\"expirationTimestamp\":\"soon\"}"),
     .fails = "expirationTimestamp"},
    {.name = "no status",
     .text = "{\"apiVersion\":\"client.authentication.k8s.io/v1\",\"kind\":\"ExecCredential\"}",
     .fails = "no status"},
    {.name = "other version",
     .text = "{\"apiVersion\":\"client.authentication.k8s.io/"
             "v1beta1\",\"kind\":\"ExecCredential\",\"status\":{\"token\":\"t\"}}",
     .fails = "not of version"},
    {.name = "other kind", .text = "{\"kind\":\"Pod\"}", .fails = "not an ExecCredential"},
    {.name = "not JSON, and not quoted", .text = "Please log in: s3cret", .fails = "not JSON"},
};

static void reads_a_plugins_answer(void **state)
{
    const struct answer_row *row = *state;
    CLEANUP(kube_plugin_answer_done) struct kube_plugin_answer answer = {0};
    struct err *err = kube_plugin_parse(str_of(row->text), "client.authentication.k8s.io/v1", &answer);

    if (row->fails) {
        if (err)
            assert_text_lacks(err_text(err), "s3cret");
        assert_fails(err, ERR_INVALID, row->fails);
        return;
    }
    assert_no_err(err);
    assert_str_equal(answer.token ? secret_reveal(answer.token) : STR(""), row->token ? row->token : "");
    assert_text_equal(answer.cert_pem, row->cert);
    assert_str_equal(answer.key_pem ? secret_reveal(answer.key_pem) : STR(""), row->key ? row->key : "");
    assert_number(answer.expires_ms, row->expires_ms);
}

/* --- programs: with plain threads, because they do not wait for a baton --- */

struct outside {
    struct env env;
};

static struct outside outside_new(void)
{
    struct outside outside = {
        .env = {.sched = sched_threads_new(1), .random = random_seeded_new(1), .stop = stop_new()}};

    return outside;
}

static void outside_free(struct outside *outside)
{
    sched_free(outside->env.sched);
    random_free(outside->env.random);
    stop_free(outside->env.stop);
}

static const struct child_row {
    const char *name, *script;
    const char *typed; /* at our own stdin, which it may use then */
    int64_t timeout_ms;
    bool stopped;
    const char *want, *fails;
    enum err_kind kind;
} child_rows[] = {
    {.name = "what it writes", .script = "printf 'a\\nb'; echo noise >&2", .want = "a\nb"},
    {.name = "its environment", .script = "printf \"$GREETING\"", .want = "hello"},
    {.name = "stdin is empty", .script = "cat; printf end", .want = "end"},
    {.name = "more than a pipe holds",
     .script = "head -c 100000 /dev/zero | tr '\\0' x | wc -c | tr -d '\\n'; head -c 70000 /dev/zero | tr "
               "'\\0' ' ' | tail -c 1",
     .want = "100000 "},
    {.name = "a grandchild that keeps the pipe", .script = "sleep 2 & printf hi", .want = "hi"},
    {.name = "exit status", .script = "exit 3", .fails = "exit status 3", .kind = ERR_RETRY},
    {.name = "signal", .script = "kill -9 $$", .fails = "killed by signal 9", .kind = ERR_RETRY},
    {.name = "too much",
     .script = "head -c 300000 /dev/zero | tr '\\0' x",
     .fails = "wrote more than",
     .kind = ERR_INVALID},
    {.name = "too slow",
     .script = "sleep 60",
     .timeout_ms = 50,
     .fails = "no answer within",
     .kind = ERR_RETRY},
    {.name = "too slow, with children",
     .script = "sleep 60 & wait",
     .timeout_ms = 50,
     .fails = "no answer within",
     .kind = ERR_RETRY},
    {.name = "it may ask",
     .script = "read name; printf \"hello $name\"",
     .typed = "me\n",
     .want = "hello me"},
    {.name = "it asks, and nobody answers",
     .script = "sleep 60",
     .typed = "",
     .timeout_ms = 50,
     .fails = "no answer within",
     .kind = ERR_RETRY},
    {.name = "stopped", .script = "sleep 60", .stopped = true, .fails = "stopped", .kind = ERR_CANCELED},
};

/* Gives what stdin was. */
static int type_at_stdin(const char *text)
{
    int fds[2], before = dup(STDIN_FILENO);

    assert_int_equal(pipe(fds), 0);
    assert_int_equal(write(fds[1], text, strlen(text)), strlen(text));
    close(fds[1]);
    assert_int_equal(dup2(fds[0], STDIN_FILENO), STDIN_FILENO);
    close(fds[0]);
    return before;
}

static void runs_a_program(void **state)
{
    const struct child_row *row = *state;
    char *const argv[] = {(char[]){"sh"}, (char[]){"-c"}, xstrdup(row->script), NULL};
    char *const environment[] = {(char[]){"GREETING=hello"}, (char[]){"PATH=/usr/bin:/bin"}, NULL};
    const struct child child = {.command = "sh",
                                .argv = argv,
                                .environment = environment,
                                .is_interactive = row->typed,
                                .timeout_ms = row->timeout_ms ? row->timeout_ms : SECONDS(60)};
    struct outside outside = outside_new();
    AUTO_BUF struct buf out = BUF_MAX(200000);
    int stdin_before = -1;
    struct err *err;

    if (row->stopped)
        stop_request(outside.env.stop);
    if (row->typed)
        stdin_before = type_at_stdin(row->typed);
    err = child_output(&outside.env, &child, &out);
    if (row->typed) {
        assert_int_equal(dup2(stdin_before, STDIN_FILENO), STDIN_FILENO);
        close(stdin_before);
    }
    xfree(argv[2]);
    outside_free(&outside);
    if (row->fails) {
        assert_fails(err, row->kind, row->fails);
        return;
    }
    assert_no_err(err);
    assert_text_equal(buf_text(&out), row->want);
}

static void a_missing_program_is_said(void **state)
{
    char *const argv[] = {(char[]){"x"}, NULL};
    const struct child child = {
        .command = "/no/such/program", .argv = argv, .environment = argv + 1, .timeout_ms = 1000};
    struct outside outside = outside_new();
    AUTO_BUF struct buf out = BUF_MAX(100);

    (void)state;
    assert_fails(child_output(&outside.env, &child, &out), ERR_NOT_FOUND, "/no/such/program");
    outside_free(&outside);
}

/* --- plugins --- */

static char *plugin_script(void)
{
    return xasprintf("%s/kube-plugin-%d", SR_BINARY_DIR, (int)getpid());
}

/* A plugin that notes every run, and gives "token-<runs>". */
static struct kube_config *config_with_plugin(const char *more)
{
    AUTO_FREE char *path = plugin_script(), *runs = xasprintf("%s.runs", path);
    AUTO_FREE char *script =
        xasprintf("#!/bin/sh\n"
                  "echo \"$KUBERNETES_EXEC_INFO\" >>'%s'\n"
                  "n=$(grep -c . '%s')\n"
                  "echo '{\"apiVersion\":\"client.authentication.k8s.io/v1\",\"kind\":\"ExecCredential\","
                  "\"status\":{\"token\":\"token-'$n'\"}}'\n",
                  runs, runs);
    AUTO_FREE char *text =
        xasprintf("current-context: c\n"
                  "contexts: [{name: c, context: {cluster: k, user: u}}]\n"
                  "clusters: [{name: k, cluster: {server: 'https://h', tls-server-name: inner}}]\n"
                  "users: [{name: u, user: {%sexec: {apiVersion: client.authentication.k8s.io/v1, "
                  "interactiveMode: Never,"
                  " command: '%s', provideClusterInfo: true}}}]\n",
                  more, path);
    struct kube_config *config = NULL;

    unlink(runs);
    assert_no_err(file_replace(path, str_of(script), 0700));
    assert_no_err(kube_config_from_text(str_of(text), "k",
                                        &(struct kube_config_sources){.environment = environ}, &config));
    return config;
}

static char *plugin_runs(void)
{
    AUTO_FREE char *path = plugin_script(), *runs = xasprintf("%s.runs", path);
    AUTO_BUF struct buf text = BUF_MAX(64 * KIB);

    err_ignore(file_read(runs, &text), "no run, no file");
    unlink(path);
    unlink(runs);
    return xstrdup(buf_text(&text));
}

struct asker {
    struct kube_config *config;
    struct env env;
    char *token;
};

static void ask(void *arg)
{
    struct asker *asker = arg;
    AUTO_KUBE_IDENTITY const struct kube_identity *identity = NULL;
    struct err *err = kube_credentials_get(asker->config->credentials, &asker->env, &identity);

    asker->token = xstrdup(err ? err_text(err) : secret_reveal(identity->token).ptr);
    err_free(err);
}

static void many_askers_one_run(void **state)
{
    struct outside outside = outside_new();
    struct kube_config *config = config_with_plugin("");
    struct asker askers[6];
    struct task *tasks[6];
    AUTO_FREE char *runs = NULL;

    (void)state;
    for (size_t i = 0; i < 6; i++) {
        askers[i] = (struct asker){.config = config, .env = outside.env};
        tasks[i] = sched_spawn(outside.env.sched, "asker", ask, &askers[i]);
    }
    for (size_t i = 0; i < 6; i++)
        sched_join(tasks[i]);
    runs = plugin_runs();
    kube_config_free(config);
    outside_free(&outside);
    for (size_t i = 0; i < 6; i++) {
        assert_text_equal(askers[i].token, "token-1");
        xfree(askers[i].token);
    }
    assert_json_text_equal(
        runs, "{\"apiVersion\":\"client.authentication.k8s.io/v1\",\"kind\":\"ExecCredential\",\"spec\":{"
              "\"interactive\":false,\"cluster\":{\"server\":\"https://h\",\"tls-server-name\":\"inner\"}}}");
}

static void a_refused_plugin_token_is_asked_for_again(void **state)
{
    struct outside outside = outside_new();
    struct kube_config *config = config_with_plugin("");
    const struct kube_identity *first = NULL, *second = NULL;
    AUTO_FREE char *runs = NULL;

    (void)state;
    assert_no_err(kube_credentials_get(config->credentials, &outside.env, &first));
    assert_true(kube_credentials_refuse(config->credentials, first));
    assert_no_err(kube_credentials_get(config->credentials, &outside.env, &second));
    runs = plugin_runs();
    assert_str_equal(secret_reveal(first->token), "token-1");
    assert_str_equal(secret_reveal(second->token), "token-2");
    kube_identity_unref(first);
    kube_identity_unref(second);
    kube_config_free(config);
    outside_free(&outside);
}

static void a_token_makes_the_plugin_needless(void **state)
{
    struct outside outside = outside_new();
    struct kube_config *config = config_with_plugin("token: t, ");
    const struct kube_identity *identity = NULL;
    AUTO_FREE char *runs = NULL;

    (void)state;
    assert_no_err(kube_credentials_get(config->credentials, &outside.env, &identity));
    runs = plugin_runs();
    assert_text_equal(runs, "");
    assert_false(kube_credentials_refuse(config->credentials, identity));
    kube_identity_unref(identity);
    kube_config_free(config);
    outside_free(&outside);
}

int main(void)
{
    struct tests tests = {0};

    TEST(&tests, a_token_file_is_read_again);
    TEST(&tests, an_unreadable_token_file_keeps_the_old_token);
    TEST(&tests, without_any_token_it_fails);
    TEST(&tests, only_what_was_refused_is_renewed);
    TEST(&tests, a_key_that_is_not_replaced_yet_keeps_the_old_pair);
    TEST_ROWS(&tests, reads_a_plugins_answer, answer_rows);
    TEST_ROWS(&tests, runs_a_program, child_rows);
    TEST(&tests, a_missing_program_is_said);
    TEST(&tests, many_askers_one_run);
    TEST(&tests, a_refused_plugin_token_is_asked_for_again);
    TEST(&tests, a_token_makes_the_plugin_needless);
    return tests_run(&tests, "pkg/kube/credentials");
}
