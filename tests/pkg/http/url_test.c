#include "pkg/http/url.h"

#include "tests/testing/assertions.h"

static const struct good {
    const char *name, *text, *scheme, *host, *path, *query;
    int port;
    bool has_port, is_ipv6;
} good_rows[] = {
    {.name = "host alone",
     .text = "https://a.b",
     .scheme = "https",
     .host = "a.b",
     .path = "",
     .query = "",
     .port = 443},
    {.name = "http",
     .text = "http://a/",
     .scheme = "http",
     .host = "a",
     .path = "/",
     .query = "",
     .port = 80},
    {.name = "scheme in capitals",
     .text = "HTTPS://A/x",
     .scheme = "HTTPS",
     .host = "A",
     .path = "/x",
     .query = "",
     .port = 443},
    {.name = "port",
     .text = "http://a:8080/x?y=z",
     .scheme = "http",
     .host = "a",
     .path = "/x",
     .query = "y=z",
     .port = 8080,
     .has_port = true},
    {.name = "the default port is seen",
     .text = "http://a:80",
     .scheme = "http",
     .host = "a",
     .path = "",
     .query = "",
     .port = 80,
     .has_port = true},
    {.name = "query without a path",
     .text = "http://a?q",
     .scheme = "http",
     .host = "a",
     .path = "",
     .query = "q",
     .port = 80},
    {.name = "second question mark",
     .text = "http://a/?q?r=/",
     .scheme = "http",
     .host = "a",
     .path = "/",
     .query = "q?r=/",
     .port = 80},
    {.name = "empty query",
     .text = "http://a/?",
     .scheme = "http",
     .host = "a",
     .path = "/",
     .query = "",
     .port = 80},
    {.name = "raw path",
     .text = "http://a//b/../c%2Fd%2f/@:x",
     .scheme = "http",
     .host = "a",
     .path = "//b/../c%2Fd%2f/@:x",
     .query = "",
     .port = 80},
    {.name = "IPv4",
     .text = "http://127.0.0.1:1",
     .scheme = "http",
     .host = "127.0.0.1",
     .path = "",
     .query = "",
     .port = 1,
     .has_port = true},
    {.name = "IPv6",
     .text = "https://[::1]/a",
     .scheme = "https",
     .host = "::1",
     .path = "/a",
     .query = "",
     .port = 443,
     .is_ipv6 = true},
    {.name = "IPv6 and port",
     .text = "https://[fd00::A]:6443",
     .scheme = "https",
     .host = "fd00::A",
     .path = "",
     .query = "",
     .port = 6443,
     .has_port = true,
     .is_ipv6 = true},
    {.name = "underscore in a host",
     .text = "http://my_host/",
     .scheme = "http",
     .host = "my_host",
     .path = "/",
     .query = "",
     .port = 80},
    {.name = "highest port",
     .text = "http://a:65535",
     .scheme = "http",
     .host = "a",
     .path = "",
     .query = "",
     .port = 65535,
     .has_port = true},
};

static void takes_apart(void **state)
{
    const struct good *row = *state;
    struct url url;

    assert_no_err(url_parse(row->text, &url));
    assert_str_equal(url.scheme, row->scheme);
    assert_str_equal(url.host, row->host);
    assert_str_equal(url.path, row->path);
    assert_str_equal(url.query, row->query);
    assert_number(url.port, row->port);
    assert_number(url.has_port, row->has_port);
    assert_number(url.is_ipv6, row->is_ipv6);
}

static const struct bad {
    const char *name, *text, *says;
} bad_rows[] = {
    {.name = "nothing", .text = "", .says = "http:// or https://"},
    {.name = "no text at all", .says = "http:// or https://"},
    {.name = "no scheme", .text = "//a/b", .says = "http:// or https://"},
    {.name = "other scheme", .text = "ftp://a/", .says = "neither http nor https"},
    {.name = "file", .text = "file:///etc/passwd", .says = "neither http nor https"},
    {.name = "empty scheme", .text = "://a", .says = "neither"},
    {.name = "no host", .text = "http:///a", .says = "no host"},
    {.name = "no host but a port", .text = "http://:80/", .says = "no host"},
    {.name = "user part", .text = "http://me:pw@a/", .says = "user part"},
    {.name = "fragment", .text = "http://a/#x", .says = "fragment"},
    {.name = "space", .text = "http://a/b c", .says = "0x20 at offset 10"},
    {.name = "line end", .text = "http://a/b\r\nX: y", .says = "0x0d"},
    {.name = "DEL", .text = "http://a/\x7f", .says = "0x7f"},
    {.name = "not ASCII", .text = "http://a/\xc3\xa9", .says = "0xc3"},
    {.name = "port of no digits", .text = "http://a:", .says = "port \"\""},
    {.name = "port zero", .text = "http://a:0", .says = "port \"0\""},
    {.name = "port too large", .text = "http://a:65536", .says = "port"},
    {.name = "port with a sign", .text = "http://a:+80", .says = "port"},
    {.name = "port minus", .text = "http://a:-1", .says = "port"},
    {.name = "port with letters", .text = "http://a:8x", .says = "port"},
    {.name = "two ports", .text = "http://a:1:2", .says = "port"},
    {.name = "backslash in the host", .text = "http://a\\b/", .says = "has a \"\\\""},
    {.name = "percent in the host", .text = "http://a%2e/", .says = "has a \"%\""},
    {.name = "open bracket", .text = "http://[::1/", .says = "lacks its"},
    {.name = "after the bracket", .text = "http://[::1]x/", .says = "after the host"},
    {.name = "not IPv6", .text = "http://[a.b]/", .says = "IPv6"},
    {.name = "IPv6 zone", .text = "http://[fe80::1%25eth0]/", .says = "IPv6"},
    {.name = "empty brackets", .text = "http://[]/", .says = "IPv6"},
};

static void refuses(void **state)
{
    const struct bad *row = *state;
    struct url url = {.port = 7};

    assert_fails(url_parse(row->text, &url), ERR_INVALID, row->says);
    assert_number(url.port, 7);
}

static const struct loop {
    const char *name, *text;
    bool want;
} loop_rows[] = {
    {.name = "127.0.0.1", .text = "http://127.0.0.1:80/", .want = true},
    {.name = "127.255.0.9", .text = "http://127.255.0.9/", .want = true},
    {.name = "localhost", .text = "http://LocalHost/", .want = true},
    {.name = "::1", .text = "http://[::1]:1/", .want = true},
    {.name = "128.0.0.1", .text = "http://128.0.0.1/", .want = false},
    {.name = "127 in front of a name", .text = "http://127.0.0.1.evil.example/", .want = false},
    {.name = "localhost in front of a name", .text = "http://localhost.evil.example/", .want = false},
    {.name = "too few parts", .text = "http://127.1/", .want = false},
    {.name = "part over 255", .text = "http://127.0.0.256/", .want = false},
    {.name = "five parts", .text = "http://127.0.0.1.1/", .want = false},
    {.name = "trailing dot", .text = "http://127.0.0.1./", .want = false},
    {.name = "mapped IPv6", .text = "http://[::ffff:127.0.0.1]/", .want = false},
    {.name = "zero", .text = "http://0.0.0.0/", .want = false},
};

static void knows_loopback(void **state)
{
    const struct loop *row = *state;
    struct url url;

    assert_no_err(url_parse(row->text, &url));
    assert_number(url_is_loopback(&url), row->want);
}

int main(void)
{
    struct tests tests = {0};

    TEST_ROWS(&tests, takes_apart, good_rows);
    TEST_ROWS(&tests, refuses, bad_rows);
    TEST_ROWS(&tests, knows_loopback, loop_rows);
    return tests_run(&tests, "url");
}
