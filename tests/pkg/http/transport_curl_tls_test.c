/* TLS and proxies of the libcurl transport. */
#include "tests/pkg/http/curl_fixture.h"

/* --- TLS --- */

static void serve_tls(const char *alt_names, int64_t until_s)
{
    certificate_authority("test authority", &f.authority);
    certificate_issue(&f.authority,
                      &(struct certificate_options){
                          .name = "server", .alt_names = alt_names, .from_s = -2 * 86400, .until_s = until_s},
                      &f.certificate);
    f.server = loopback_new(&(struct loopback_options){
        .serve = answer, .arg = (void *)(uintptr_t)OK_EMPTY, .tls = &f.certificate});
}

static struct err *get_tls(struct http_tls tls)
{
    if (!tls.ca_pem.len && !tls.insecure_skip_verify && !tls.ca_file)
        tls.ca_pem = str_of(f.authority.certificate);
    return call((struct http_request){.tls = &tls}, "/");
}

static void tls_trusts_own_authority(void **state)
{
    (void)state;
    serve_tls("IP:127.0.0.1", 86400);
    assert_no_err(get_tls((struct http_tls){0}));
    assert_no_err(get_tls((struct http_tls){0}));
    assert_number(loopback_connections(f.server), 1);
}

static void tls_unknown_authority(void **state)
{
    (void)state;
    serve_tls("IP:127.0.0.1", 86400);
    assert_fails(get("/"), ERR_INVALID, "trust the issuer by giving its CA bundle");
}

static void tls_other_authority(void **state)
{
    (void)state;
    serve_tls("IP:127.0.0.1", 86400);
    certificate_authority("another", &f.client_authority);
    assert_fails(get_tls((struct http_tls){.ca_pem = str_of(f.client_authority.certificate)}), ERR_INVALID,
                 "does not hold");
}

/* A connection that was trusted in one way is not used for a request that trusts in another. */
static void tls_does_not_share_trust(void **state)
{
    (void)state;
    serve_tls("IP:127.0.0.1", 86400);
    assert_no_err(get_tls((struct http_tls){.insecure_skip_verify = true}));
    assert_fails(get("/"), ERR_INVALID, "does not hold");
    assert_no_err(get_tls((struct http_tls){0}));
}

static void tls_wrong_host(void **state)
{
    (void)state;
    serve_tls("DNS:shop.example", 86400);
    assert_fails(get_tls((struct http_tls){0}), ERR_INVALID, "it is for another name");
}

static void tls_server_name(void **state)
{
    AUTO_FREE char *host = NULL;

    (void)state;
    serve_tls("DNS:shop.example", 86400);
    assert_no_err(get_tls((struct http_tls){.server_name = "shop.example"}));
    host = xasprintf("Host: 127.0.0.1:%d\r\n", loopback_port(f.server));
    assert_text_contains(loopback_seen(f.server, 0), host);
    assert_text_contains(loopback_seen(f.server, 0), "GET / HTTP/1.1\r\n");
    assert_fails(get_tls((struct http_tls){.server_name = "other.example"}), ERR_INVALID,
                 "it is for another name");
}

static void tls_expired(void **state)
{
    (void)state;
    serve_tls("IP:127.0.0.1", -86400);
    assert_fails(get_tls((struct http_tls){0}), ERR_INVALID,
                 "has expired; renew it, or set this machine's clock");
}

static void tls_unchecked(void **state)
{
    (void)state;
    serve_tls("DNS:shop.example", -86400);
    assert_no_err(get_tls((struct http_tls){.insecure_skip_verify = true}));
}

static void tls_broken_bundle(void **state)
{
    (void)state;
    serve_tls("IP:127.0.0.1", 86400);
    assert_fails(get_tls((struct http_tls){.ca_pem = STR("not PEM")}), ERR_INVALID,
                 "read the CA bundle for 127.0.0.1:");
}

static void tls_missing_bundle(void **state)
{
    (void)state;
    serve_tls("IP:127.0.0.1", 86400);
    assert_fails(get_tls((struct http_tls){.ca_file = "/nonexistent/ca.pem"}), ERR_INVALID,
                 "/nonexistent/ca.pem");
}

static void tls_to_plain_server(void **state)
{
    AUTO_FREE char *url = NULL;

    (void)state;
    serve_with(answer_and_hang_up, OK_EMPTY);
    url = xasprintf("https://127.0.0.1:%d/", loopback_port(f.server));
    assert_fails(http_call(f.transport,
                           &(struct http_request){.method = "GET", .url = url, .timeout_ms = 200}, f.stop,
                           &f.reply),
                 ERR_RETRY, "TLS handshake with 127.0.0.1:");
}

static void tls_client_certificate(void **state)
{
    struct http_tls tls;

    (void)state;
    certificate_authority("test authority", &f.authority);
    certificate_authority("client authority", &f.client_authority);
    certificate_issue(&f.authority,
                      &(struct certificate_options){.name = "server", .alt_names = "IP:127.0.0.1"},
                      &f.certificate);
    certificate_issue(&f.client_authority, &(struct certificate_options){.name = "client"}, &f.client);
    f.server = loopback_new(&(struct loopback_options){.serve = answer,
                                                       .arg = (void *)(uintptr_t)OK_EMPTY,
                                                       .tls = &f.certificate,
                                                       .client_ca = &f.client_authority});
    tls = (struct http_tls){.ca_pem = str_of(f.authority.certificate),
                            .cert_pem = str_of(f.client.certificate),
                            .key_pem = str_of(f.client.key)};
    tls.key_pem = str_of(f.authority.key);
    assert_fails(get_tls(tls), ERR_INVALID, "use the client certificate and key for 127.0.0.1:");
    tls.key_pem = str_of(f.client.key);
    assert_no_err(get_tls(tls));
    assert_fails(get_tls((struct http_tls){0}), ERR_RETRY, "127.0.0.1:");
}

/* --- proxies --- */

static void uses_proxy(void **state)
{
    AUTO_FREE char *proxy = NULL;

    (void)state;
    serve_with(answer, OK_EMPTY);
    proxy = loopback_url(f.server, "");
    assert_no_err(call((struct http_request){.url = "http://shop.example/a", .proxy_url = proxy}, ""));
    assert_text_contains(loopback_seen(f.server, 0), "GET http://shop.example/a HTTP/1.1\r\n");
}

static void proxy_refuses_tunnel(void **state)
{
    AUTO_FREE char *proxy = NULL;

    (void)state;
    serve_with(answer_and_hang_up, "HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n");
    proxy = loopback_url(f.server, "");
    assert_fails(call((struct http_request){.url = "https://shop.example/a", .proxy_url = proxy}, ""),
                 ERR_RETRY, "shop.example:443");
    assert_text_contains(loopback_seen(f.server, 0), "CONNECT shop.example:443 HTTP/1.1\r\n");
}

/* Neither that it cannot be connected to nor its silence is the server's. */
static void blames_the_proxy(void **state)
{
    AUTO_FREE char *proxy = NULL, *silent = NULL, *refused = NULL;
    struct http_request request = {
        .method = "GET", .url = "https://shop.example/a", .connect_timeout_ms = 50};

    (void)state;
    serve_with(never_answer, NULL);
    request.proxy_url = proxy = loopback_url(f.server, "");
    silent = xasprintf("shop.example:443 by the proxy at 127.0.0.1:%d: timed out", loopback_port(f.server));
    refused = xasprintf("connect to shop.example:443 by the proxy at 127.0.0.1:%d: Connection refused",
                        loopback_port(f.server));
    assert_fails(http_call(f.transport, &request, f.stop, &f.reply), ERR_RETRY, silent);
    loopback_free(TAKE(f.server));
    assert_fails(http_call(f.transport, &request, f.stop, &f.reply), ERR_RETRY, refused);
}

/* A SOCKS proxy that leads to itself, wherever it is asked to. */
static void answer_behind_socks(struct loopback *server, void *arg)
{
    static const char greeting[] = {5, 0}, connected[] = {5, 0, 0, 1, 127, 0, 0, 1, 0, 80};

    while (loopback_accept(server)) {
        loopback_send_bytes(server, greeting, sizeof(greeting));
        loopback_send_bytes(server, connected, sizeof(connected));
        while (loopback_request(server))
            loopback_send(server, arg);
    }
}

static const struct socks_row {
    const char *name, *scheme;
} socks_rows[] = {
    {.name = "socks5 looks names up", .scheme = "socks5"},
    {.name = "so does socks5h", .scheme = "socks5h"},
    {.name = "in any case", .scheme = "SOCKS5"},
};

static void leaves_names_to_a_socks_proxy(void **state)
{
    const struct socks_row *row = *state;
    AUTO_FREE char *proxy = NULL;

    assert_number(set_up(NULL), 0);
    serve_with(answer_behind_socks, OK_EMPTY);
    proxy = xasprintf("%s://127.0.0.1:%d", row->scheme, loopback_port(f.server));
    assert_no_err(
        call((struct http_request){.url = "http://known-to-nobody.invalid/a", .proxy_url = proxy}, ""));
    assert_number(f.reply.status, 200);
    assert_number(tear_down(NULL), 0);
}

int main(void)
{
    struct tests tests = {0};

    transport_curl_init();
    TEST_ROWS(&tests, leaves_names_to_a_socks_proxy, socks_rows);
    tests.set_up = set_up;
    tests.tear_down = tear_down;
    TEST(&tests, tls_trusts_own_authority);
    TEST(&tests, tls_unknown_authority);
    TEST(&tests, tls_other_authority);
    TEST(&tests, tls_does_not_share_trust);
    TEST(&tests, tls_wrong_host);
    TEST(&tests, tls_server_name);
    TEST(&tests, tls_expired);
    TEST(&tests, tls_unchecked);
    TEST(&tests, tls_broken_bundle);
    TEST(&tests, tls_missing_bundle);
    TEST(&tests, tls_to_plain_server);
    TEST(&tests, tls_client_certificate);
    TEST(&tests, uses_proxy);
    TEST(&tests, proxy_refuses_tunnel);
    TEST(&tests, blames_the_proxy);
    return tests_run(&tests, "transport_curl_tls");
}
