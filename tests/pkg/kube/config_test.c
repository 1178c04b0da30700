#include "pkg/kube/config.h"

#include <sys/stat.h>
#include <unistd.h>

#include "pkg/base/files.h"
#include "pkg/base/secret.h"
#include "pkg/kube/config_priv.h"
#include "tests/testing/assertions.h"

#define CA "-----BEGIN CERTIFICATE-----\nY2E=\n-----END CERTIFICATE-----\n"
#define CERT "-----BEGIN CERTIFICATE-----\nY2VydA==\n-----END CERTIFICATE-----\n"
#define KEY "-----BEGIN PRIVATE KEY-----\na2V5\n-----END PRIVATE KEY-----\n"

/* A folder of files for one test. */
struct folder {
    char *path;
};

static struct folder folder_new(void)
{
    struct folder folder = {.path = xasprintf("%s/kubeconfig-XXXXXX", SR_BINARY_DIR)};

    assert_non_null(mkdtemp(folder.path));
    return folder;
}

static void folder_write(const struct folder *folder, const char *name, const char *content)
{
    AUTO_FREE char *path = xasprintf("%s/%s", folder->path, name);

    assert_no_err(file_replace(path, str_of(content), 0600));
}

static void folder_free(struct folder *folder)
{
    static const char *const names[] = {"a",       "b",     "c",      "ca.pem",    "cert.pem",
                                        "key.pem", "token", "ca.crt", "namespace", ".kube/config"};
    AUTO_FREE char *kube = xasprintf("%s/.kube", folder->path);

    for (size_t i = 0; i < COUNT_OF(names); i++) {
        AUTO_FREE char *path = xasprintf("%s/%s", folder->path, names[i]);

        unlink(path);
    }
    rmdir(kube);
    assert_int_equal(rmdir(folder->path), 0);
    xfree(folder->path);
}

/* "server namespace token" */
static char *summary(const struct kube_config *config)
{
    return xasprintf("%s %s %s", kube_config_server(config), kube_config_namespace(config),
                     config->token ? secret_reveal(config->token).ptr : "-");
}

/* --- one text --- */

#define CONTEXT "current-context: c\ncontexts:\n- {name: c, context: {cluster: k, user: u}}\n"
#define CLUSTER "clusters:\n- {name: k, cluster: {server: https://h}}\n"
#define USER "users:\n- {name: u, user: {token: t}}\n"
#define WITH_USER(user) CONTEXT CLUSTER "users:\n- name: u\n  user: " user "\n"
#define WITH_CLUSTER(cluster) CONTEXT USER "clusters:\n- name: k\n  cluster: " cluster "\n"
#define EXEC(more) "{exec: {apiVersion: client.authentication.k8s.io/v1, interactiveMode: Never" more "}}"

static const struct text_row {
    const char *name, *text;
    const char *want;  /* summary */
    const char *fails; /* or what the error says */
} text_rows[] = {
    {.name = "plain", .text = CONTEXT CLUSTER USER, .want = "https://h default t"},
    {.name = "JSON is YAML",
     .text = "{\"current-context\":\"c\",\"contexts\":[{\"name\":\"c\",\"context\":{\"cluster\":\"k\","
             "\"namespace\":\"n\"}}],"
             "\"clusters\":[{\"name\":\"k\",\"cluster\":{\"server\":\"https://h:6443/p/\"}}]}",
     .want = "https://h:6443/p n -"},
    {.name = "anchors",
     .text =
         CONTEXT "clusters:\n- {name: k, cluster: &k {server: https://h}}\n- {name: l, cluster: *k}\n" USER,
     .want = "https://h default t"},
    {.name = "unknown keys are nobody's business",
     .text = "x: 1\n" CONTEXT CLUSTER "users:\n- {name: u, user: {token: t, extra: [1]}}\n",
     .want = "https://h default t"},
    {.name = "token is trimmed", .text = WITH_USER("{token: \" t\\n\"}"), .want = "https://h default t"},
    {.name = "http to loopback with a token",
     .text = WITH_CLUSTER("{server: 'http://127.0.0.1:8001'}"),
     .want = "http://127.0.0.1:8001 default t"},
    {.name = "http elsewhere without credentials",
     .text = "current-context: c\ncontexts:\n- {name: c, context: {cluster: k}}\nclusters:\n- {name: k, "
             "cluster: {server: 'http://h'}}\n",
     .want = "http://h default -"},

    {.name = "empty", .text = "", .fails = "k: current-context: missing"},
    {.name = "no current context", .text = "contexts: []\n", .fails = "k: current-context: missing"},
    {.name = "unknown context",
     .text = "current-context: z\ncontexts: []\n",
     .fails = "there is no context \"z\""},
    {.name = "not YAML", .text = "a: [", .fails = "k:"},
    {.name = "a list", .text = "- a\n", .fails = "k:1: not a kubeconfig"},
    {.name = "two documents", .text = CONTEXT "---\na: 1\n", .fails = "more than one document"},
    {.name = "contexts is a text",
     .text = "current-context: c\n\ncontexts: x\n",
     .fails = "k:3: contexts: expected a list"},
    {.name = "entry without a name",
     .text = "current-context: c\ncontexts:\n- {context: {}}\n",
     .fails = "k:3: contexts: an entry has no name"},
    {.name = "name twice",
     .text = "current-context: c\ncontexts:\n- {name: c, context: {}}\n- {name: c, context: {}}\n",
     .fails = "k:4: contexts: \"c\" is there twice"},
    {.name = "context without a cluster",
     .text = "current-context: c\ncontexts:\n- name: c\n  context: {}\n",
     .fails = "k:4: cluster: missing"},
    {.name = "namespace is no text",
     .text =
         "current-context: c\ncontexts:\n- name: c\n  context:\n    cluster: k\n    namespace: no\n" CLUSTER,
     .fails = "k:6: namespace: expected a string"},
    {.name = "unknown cluster", .text = CONTEXT USER, .fails = "k:3: cluster: no entry \"k\" under clusters"},
    {.name = "unknown user", .text = CONTEXT CLUSTER, .fails = "k:3: user: no entry \"u\" under users"},
    {.name = "no server", .text = WITH_CLUSTER("{}"), .fails = "k:8: server: missing"},
    {.name = "server is a number",
     .text = WITH_CLUSTER("\n    server: 5"),
     .fails = "k:9: server: expected a string"},
    {.name = "server without a scheme",
     .text = WITH_CLUSTER("\n    server: h:6443"),
     .fails = "k:9: server: "},
    {.name = "server with a query",
     .text = WITH_CLUSTER("\n    server: https://h/?a=b"),
     .fails = "k:9: server: a query has no place"},
    {.name = "token over http",
     .text = WITH_CLUSTER("\n    server: http://h"),
     .fails = "k:9: server: credentials go over https only"},
    {.name = "insecure is a text",
     .text = WITH_CLUSTER("{server: https://h, insecure-skip-tls-verify: \"true\"}"),
     .fails = "insecure-skip-tls-verify: expected true or false"},
    {.name = "roots are not base64",
     .text = WITH_CLUSTER("\n    server: https://h\n    certificate-authority-data: '***'"),
     .fails = "k:10: certificate-authority-data: not base64"},
    {.name = "roots are not PEM",
     .text = WITH_CLUSTER("\n    server: https://h\n    certificate-authority-data: aGVsbG8="),
     .fails = "k:10: certificate-authority-data: not PEM"},
    {.name = "roots and insecure",
     .text = WITH_CLUSTER("\n    server: https://h\n    insecure-skip-tls-verify: true\n    "
                          "certificate-authority-data: LS0tLS1CRUdJTiBYLS0tLS0="),
     .fails = "k:10: insecure-skip-tls-verify: cannot be set together"},
    {.name = "roots in no file",
     .text = WITH_CLUSTER("\n    server: https://h\n    certificate-authority: /no/such"),
     .fails = "k:10: certificate-authority: "},
    {.name = "certificate without a key",
     .text = WITH_USER("\n    client-certificate-data: LS0tLS1CRUdJTiBYLS0tLS0="),
     .fails = "client-key: missing"},
    {.name = "key without a certificate",
     .text = WITH_USER("\n    client-key-data: LS0tLS1CRUdJTiBYLS0tLS0="),
     .fails = "client-certificate: missing"},
    {.name = "basic authentication",
     .text = WITH_USER("\n    username: a\n    password: b"),
     .fails = "k:9: username: basic authentication"},
    {.name = "auth-provider",
     .text = WITH_USER("\n    auth-provider: {name: gcp}"),
     .fails = "k:9: auth-provider: no longer part"},
    {.name = "groups without a user",
     .text = WITH_USER("{token: t, as-groups: [g]}"),
     .fails = "as: missing"},
    {.name = "groups is a text",
     .text = WITH_USER("{token: t, as: a, as-groups: g}"),
     .fails = "as-groups: expected a list"},
    {.name = "plugin",
     .text = WITH_USER(EXEC(", command: c, args: [a], env: [{name: E, value: v}]")),
     .want = "https://h default -"},
    {.name = "plugin without a command", .text = WITH_USER(EXEC("")), .fails = "exec.command: missing"},
    {.name = "plugin of an old version",
     .text = WITH_USER("{exec: {apiVersion: client.authentication.k8s.io/v1alpha1, command: c}}"),
     .fails = "exec.apiVersion: expected"},
    {.name = "plugin that wants a terminal",
     .text = WITH_USER(
         "{exec: {apiVersion: client.authentication.k8s.io/v1, command: c, interactiveMode: Always}}"),
     .fails = "exec.interactiveMode: Always"},
    {.name = "plugin without a mode",
     .text = WITH_USER("{exec: {apiVersion: client.authentication.k8s.io/v1, command: c}}"),
     .fails = "exec.interactiveMode: missing"},
    {.name = "plugin of v1beta1 without a mode",
     .text = WITH_USER("{exec: {apiVersion: client.authentication.k8s.io/v1beta1, command: c}}"),
     .want = "https://h default -"},
    {.name = "plugin with odd arguments",
     .text = WITH_USER(EXEC(", command: c, args: [1]")),
     .fails = "exec.args: expected a string"},
    {.name = "plugin over http",
     .text = CONTEXT "users:\n- {name: u, user: " EXEC(
         ", command: c") "}\nclusters:\n- {name: k, cluster: {server: 'http://h'}}\n",
     .fails = "credentials go over https only"},
};

static void reads_a_text(void **state)
{
    const struct text_row *row = *state;
    AUTO_KUBE_CONFIG struct kube_config *config = NULL;
    struct err *err = kube_config_from_text(str_of(row->text), "k", NULL, &config);
    AUTO_FREE char *got = NULL;

    if (row->fails) {
        assert_fails(err, ERR_INVALID, row->fails);
        assert_null(config);
        return;
    }
    assert_no_err(err);
    got = summary(config);
    assert_text_equal(got, row->want);
}

static void another_context_may_be_asked_for(void **state)
{
    static const char text[] = CONTEXT "- {name: d, context: {cluster: l, namespace: m}}\n" CLUSTER
                                       "- {name: l, cluster: {server: https://l}}\n" USER;
    AUTO_KUBE_CONFIG struct kube_config *config = NULL;
    AUTO_FREE char *got = NULL;

    (void)state;
    assert_no_err(
        kube_config_from_text(str_of(text), "k", &(struct kube_config_sources){.context = "d"}, &config));
    got = summary(config);
    assert_text_equal(got, "https://l m -");
    assert_text_equal(kube_config_origin(config), "k, context d");
}

/* With and without a person at the terminal. */
static const struct asking_row {
    const char *name, *mode;
    bool has_terminal, want, fails;
} asking_rows[] = {
    {.name = "never", .mode = "Never", .has_terminal = true},
    {.name = "if there is one, and there is", .mode = "IfAvailable", .has_terminal = true, .want = true},
    {.name = "if there is one, and there is none", .mode = "IfAvailable"},
    {.name = "always, and there is one", .mode = "Always", .has_terminal = true, .want = true},
    {.name = "always, and there is none", .mode = "Always", .fails = true},
};

static void plugins_may_ask_a_person(void **state)
{
    const struct asking_row *row = *state;
    AUTO_FREE char *text = xasprintf(
        CONTEXT CLUSTER "users:\n- name: u\n  user: {exec: {apiVersion: client.authentication.k8s.io/v1, "
                        "command: c, interactiveMode: %s}}\n",
        row->mode);
    AUTO_KUBE_CONFIG struct kube_config *config = NULL;
    struct err *err = kube_config_from_text(
        str_of(text), "k", &(struct kube_config_sources){.has_terminal = row->has_terminal}, &config);

    if (row->fails) {
        assert_fails(err, ERR_INVALID, "there is no terminal to use");
        return;
    }
    assert_no_err(err);
    assert_int_equal(config->plugin->is_interactive, row->want);
}

static void reads_impersonation(void **state)
{
    static const char text[] =
        WITH_USER("{token: t, as: jane, as-uid: '7', as-groups: [g, h], as-user-extra: {'a/b': ['x', 'y']}}");
    static const char *const want[][2] = {{"Impersonate-User", "jane"},     {"Impersonate-Uid", "7"},
                                          {"Impersonate-Group", "g"},       {"Impersonate-Group", "h"},
                                          {"Impersonate-Extra-a%2Fb", "x"}, {"Impersonate-Extra-a%2Fb", "y"}};
    AUTO_KUBE_CONFIG struct kube_config *config = NULL;

    (void)state;
    assert_no_err(kube_config_from_text(str_of(text), "k", NULL, &config));
    assert_number(config->impersonate_count, COUNT_OF(want));
    for (size_t i = 0; i < COUNT_OF(want); i++) {
        assert_text_equal(config->impersonate[i].name, want[i][0]);
        assert_text_equal(config->impersonate[i].value, want[i][1]);
    }
}

/* --- files --- */

static const struct merge_row {
    const char *name;
    const char *a, *b; /* contents; NULL: not there */
    const char *list;  /* with @ for the folder */
    const char *want, *fails;
    enum err_kind kind;
} merge_rows[] = {
    {.name = "one file", .a = CONTEXT CLUSTER USER, .list = "@/a", .want = "https://h default t"},
    {.name = "parts from several files",
     .a = CONTEXT,
     .b = CLUSTER USER,
     .list = "@/a:@/b",
     .want = "https://h default t"},
    {.name = "the first file with a name wins whole",
     .a = CONTEXT "clusters:\n- {name: k, cluster: {server: https://first}}\n" USER,
     .b = "clusters:\n- {name: k, cluster: {server: https://second, tls-server-name: x}}\n",
     .list = "@/a:@/b",
     .want = "https://first default t"},
    {.name = "the first current context wins",
     .a = "current-context: c\n",
     .b = "current-context: z\n" CLUSTER USER
          "contexts:\n- {name: c, context: {cluster: k, user: u, namespace: shop}}\n",
     .list = "@/a:@/b",
     .want = "https://h shop t"},
    {.name = "missing files are skipped",
     .b = CONTEXT CLUSTER USER,
     .list = "@/a:@/b",
     .want = "https://h default t"},
    {.name = "duplicates and empty pieces are skipped",
     .a = CONTEXT CLUSTER USER,
     .list = ":@/a::@/a:",
     .want = "https://h default t"},
    {.name = "an empty file among them",
     .a = "",
     .b = CONTEXT CLUSTER USER,
     .list = "@/a:@/b",
     .want = "https://h default t"},
    {.name = "none is there", .list = "@/a:@/b", .fails = "none of the files", .kind = ERR_NOT_FOUND},
    {.name = "a broken file is an error",
     .a = "a: [",
     .b = CONTEXT CLUSTER USER,
     .list = "@/a:@/b",
     .fails = "/a:",
     .kind = ERR_INVALID},
    {.name = "the line is of its own file",
     .a = CONTEXT CLUSTER,
     .b = "\n\nusers:\n- name: u\n  user: {username: x}\n",
     .list = "@/a:@/b",
     .fails = "/b:5: username",
     .kind = ERR_INVALID},
};

static char *expand(const char *list, const char *folder)
{
    AUTO_BUF struct buf text = BUF_MAX(4096);

    for (; *list; list++) {
        if (*list == '@')
            buf_adds(&text, folder);
        else
            buf_addc(&text, *list);
    }
    return xstrdup(buf_text(&text));
}

static void merges_files(void **state)
{
    const struct merge_row *row = *state;
    struct folder folder = folder_new();
    AUTO_FREE char *list = expand(row->list, folder.path), *got = NULL;
    AUTO_KUBE_CONFIG struct kube_config *config = NULL;
    struct err *err;

    if (row->a)
        folder_write(&folder, "a", row->a);
    if (row->b)
        folder_write(&folder, "b", row->b);
    err = kube_config_load(&(struct kube_config_sources){.kubeconfig_variable = list,
                                                         .service_host = "never",
                                                         .service_port = "1"},
                           &config);
    folder_free(&folder);
    if (row->fails) {
        assert_fails(err, row->kind, row->fails);
        return;
    }
    assert_no_err(err);
    got = summary(config);
    assert_text_equal(got, row->want);
}

static void paths_start_at_their_own_file(void **state)
{
    struct folder folder = folder_new();
    AUTO_FREE char *path = xasprintf("%s/a", folder.path), *want = xasprintf("%s/token", folder.path);
    AUTO_KUBE_CONFIG struct kube_config *config = NULL;

    (void)state;
    folder_write(
        &folder, "a",
        CONTEXT
        "clusters:\n- {name: k, cluster: {server: https://h, certificate-authority: ca.pem}}\n"
        "users:\n- {name: u, user: {client-certificate: cert.pem, client-key: key.pem, tokenFile: token}}\n");
    folder_write(&folder, "ca.pem", CA);
    folder_write(&folder, "cert.pem", CERT);
    folder_write(&folder, "key.pem", KEY);
    assert_no_err(kube_config_load(&(struct kube_config_sources){.path = path}, &config));
    folder_free(&folder);
    assert_text_equal(config->ca_pem, CA);
    assert_text_equal(config->cert_pem, CERT);
    assert_str_equal(secret_reveal(config->key_pem), KEY);
    assert_text_equal(config->token_file, want);
}

static void a_flag_names_one_file_that_must_be_there(void **state)
{
    AUTO_KUBE_CONFIG struct kube_config *config = NULL;

    (void)state;
    assert_fails(
        kube_config_load(&(struct kube_config_sources){.path = "/no/such", .kubeconfig_variable = "/neither"},
                         &config),
        ERR_NOT_FOUND, "/no/such");
}

static void nothing_configured_says_what_to_do(void **state)
{
    AUTO_KUBE_CONFIG struct kube_config *config = NULL;

    (void)state;
    assert_fails(kube_config_load(&(struct kube_config_sources){0}, &config), ERR_NOT_FOUND, "--kubeconfig");
    assert_fails(kube_config_load(&(struct kube_config_sources){.home = "/no/such"}, &config), ERR_NOT_FOUND,
                 "--kubeconfig");
}

/* --- in a pod --- */

static const struct pod_row {
    const char *name, *host, *namespace_file, *namespace_variable;
    const char *want_server, *want_namespace;
} pod_rows[] = {
    {.name = "IPv4",
     .host = "10.0.0.1",
     .namespace_file = "shop\n",
     .want_server = "https://10.0.0.1:443",
     .want_namespace = "shop"},
    {.name = "IPv6",
     .host = "fd00::1",
     .namespace_file = "shop",
     .want_server = "https://[fd00::1]:443",
     .want_namespace = "shop"},
    {.name = "the variable wins",
     .host = "10.0.0.1",
     .namespace_file = "shop",
     .namespace_variable = "mine",
     .want_server = "https://10.0.0.1:443",
     .want_namespace = "mine"},
    {.name = "no namespace anywhere",
     .host = "10.0.0.1",
     .want_server = "https://10.0.0.1:443",
     .want_namespace = "default"},
};

static void reads_the_service_account(void **state)
{
    const struct pod_row *row = *state;
    struct folder folder = folder_new();
    const struct kube_config_sources sources = {.service_host = row->host,
                                                .service_port = "443",
                                                .pod_namespace = row->namespace_variable,
                                                .service_account_dir = folder.path,
                                                .home = "/no/such"};
    AUTO_KUBE_CONFIG struct kube_config *config = NULL;

    folder_write(&folder, "ca.crt", CA);
    if (row->namespace_file)
        folder_write(&folder, "namespace", row->namespace_file);
    assert_no_err(kube_config_load(&sources, &config));
    folder_free(&folder);
    assert_text_equal(kube_config_server(config), row->want_server);
    assert_text_equal(kube_config_namespace(config), row->want_namespace);
    assert_true(kube_config_is_in_cluster(config));
}

/* Which of the two a program takes, and a person's tool. */
static const struct order_row {
    const char *name;
    bool is_for_person, has_home;
    const char *context, *fails;
    bool want_in_cluster;
} order_rows[] = {
    {.name = "a program takes the pod's", .has_home = true, .want_in_cluster = true},
    {.name = "a person's tool takes the kubeconfig", .is_for_person = true, .has_home = true},
    {.name = "a person's tool, without a kubeconfig", .is_for_person = true, .want_in_cluster = true},
    {.name = "a context of the kubeconfig", .is_for_person = true, .has_home = true, .context = "c"},
    {.name = "a context that is not in it",
     .is_for_person = true,
     .has_home = true,
     .context = "d",
     .fails = "\"d\""},
    {.name = "a pod has no contexts", .context = "c", .has_home = true, .fails = "no contexts"},
    {.name = "a pod has no contexts, for a person neither",
     .is_for_person = true,
     .context = "c",
     .fails = "no contexts"},
};

static void takes_the_pod_or_the_kubeconfig(void **state)
{
    const struct order_row *row = *state;
    struct folder pod = folder_new(), home = folder_new();
    AUTO_FREE char *dir = xasprintf("%s/.kube", home.path);
    const struct kube_config_sources sources = {.service_host = "10.0.0.1",
                                                .service_port = "443",
                                                .service_account_dir = pod.path,
                                                .home = home.path,
                                                .is_for_person = row->is_for_person,
                                                .context = row->context};
    AUTO_KUBE_CONFIG struct kube_config *config = NULL;
    struct err *err;

    folder_write(&pod, "ca.crt", CA);
    assert_int_equal(mkdir(dir, 0700), 0);
    if (row->has_home)
        folder_write(&home, ".kube/config",
                     CONTEXT "clusters:\n- {name: k, cluster: {server: https://h}}\n"
                             "users:\n- {name: u, user: {}}\n");
    err = kube_config_load(&sources, &config);
    folder_free(&pod);
    folder_free(&home);
    if (row->fails) {
        assert_fails(err, ERR_INVALID, row->fails);
        return;
    }
    assert_no_err(err);
    assert_int_equal(kube_config_is_in_cluster(config), row->want_in_cluster);
}

int main(void)
{
    struct tests tests = {0};

    TEST_ROWS(&tests, reads_a_text, text_rows);
    TEST(&tests, another_context_may_be_asked_for);
    TEST_ROWS(&tests, plugins_may_ask_a_person, asking_rows);
    TEST(&tests, reads_impersonation);
    TEST_ROWS(&tests, merges_files, merge_rows);
    TEST(&tests, paths_start_at_their_own_file);
    TEST(&tests, a_flag_names_one_file_that_must_be_there);
    TEST(&tests, nothing_configured_says_what_to_do);
    TEST_ROWS(&tests, reads_the_service_account, pod_rows);
    TEST_ROWS(&tests, takes_the_pod_or_the_kubeconfig, order_rows);
    return tests_run(&tests, "pkg/kube/config");
}
