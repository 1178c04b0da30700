#include "pkg/http/url.h"

static bool is_alnum(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

static bool is_hex(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

/* Visible ASCII throughout: whatever else is meant must be percent-encoded by whoever wrote the URL. */
static struct err *check_bytes(struct str text)
{
    for (size_t i = 0; i < text.len; i++) {
        unsigned char c = (unsigned char)text.ptr[i];

        if (c <= 0x20 || c >= 0x7f)
            return err_new(ERR_INVALID, "URL has a byte 0x%02x at offset %zu that must be percent-encoded", c,
                           i);
        if (c == '#')
            return err_new(ERR_INVALID, "URL has a fragment (\"#\" at offset %zu)", i);
    }
    return NULL;
}

static struct err *cut_scheme(struct str *rest, struct url *url)
{
    const char *end = rest->len ? memmem(rest->ptr, rest->len, "://", 3) : NULL;

    if (!end)
        return err_new(ERR_INVALID, "URL \"" STR_FMT "\" does not begin with http:// or https://",
                       STR_ARG(*rest));
    url->scheme = (struct str){.ptr = rest->ptr, .len = (size_t)(end - rest->ptr)};
    *rest = str_from(*rest, url->scheme.len + 3);
    if (str_equal_nocase(url->scheme, STR("http")))
        url->port = 80;
    else if (str_equal_nocase(url->scheme, STR("https")))
        url->port = 443;
    else
        return err_new(ERR_INVALID, "URL scheme \"" STR_FMT "\" is neither http nor https",
                       STR_ARG(url->scheme));
    return NULL;
}

static struct err *check_name(struct str host)
{
    if (!host.len)
        return err_new(ERR_INVALID, "URL has no host");
    if (host.len > 255)
        return err_new(ERR_INVALID, "URL host is longer than 255 bytes");
    for (size_t i = 0; i < host.len; i++) {
        char c = host.ptr[i];

        if (!is_alnum(c) && c != '-' && c != '.' && c != '_')
            return err_new(ERR_INVALID, "URL host \"" STR_FMT "\" has a \"%c\"", STR_ARG(host), c);
    }
    return NULL;
}

static struct err *check_ipv6(struct str host)
{
    bool colon = false;

    for (size_t i = 0; i < host.len; i++) {
        char c = host.ptr[i];

        colon = colon || c == ':';
        if (!is_hex(c) && c != ':' && c != '.')
            return err_new(ERR_INVALID, "URL host \"[" STR_FMT "]\" is not an IPv6 address", STR_ARG(host));
    }
    if (!colon || host.len > 45)
        return err_new(ERR_INVALID, "URL host \"[" STR_FMT "]\" is not an IPv6 address", STR_ARG(host));
    return NULL;
}

static struct err *parse_port(struct str text, struct url *url)
{
    int64_t port = 0;

    if (!text.len || text.len > 5 || text.ptr[0] == '+' || !str_to_int(text, &port) || port < 1 ||
        port > 65535)
        return err_new(ERR_INVALID, "URL port \"" STR_FMT "\" is not a number from 1 to 65535",
                       STR_ARG(text));
    url->port = (int)port;
    url->has_port = true;
    return NULL;
}

/* `after` is what follows the host: nothing, or a colon and the port. */
static struct err *parse_after_host(struct str after, struct url *url)
{
    if (!after.len)
        return NULL;
    if (after.ptr[0] != ':')
        return err_new(ERR_INVALID, "URL has \"" STR_FMT "\" after the host", STR_ARG(after));
    return parse_port(str_from(after, 1), url);
}

static struct err *parse_authority(struct str authority, struct url *url)
{
    const char *end;

    if (authority.len && memchr(authority.ptr, '@', authority.len))
        return err_new(ERR_INVALID, "URL has a user part; credentials do not belong there");
    if (str_starts(authority, "[")) {
        end = memchr(authority.ptr, ']', authority.len);
        if (!end)
            return err_new(ERR_INVALID, "URL host \"" STR_FMT "\" lacks its \"]\"", STR_ARG(authority));
        url->host = (struct str){.ptr = authority.ptr + 1, .len = (size_t)(end - authority.ptr) - 1};
        url->is_ipv6 = true;
        TRY(check_ipv6(url->host));
        return parse_after_host(str_from(authority, url->host.len + 2), url);
    }
    end = authority.len ? memchr(authority.ptr, ':', authority.len) : NULL;
    url->host =
        (struct str){.ptr = authority.ptr, .len = end ? (size_t)(end - authority.ptr) : authority.len};
    TRY(check_name(url->host));
    return parse_after_host(str_from(authority, url->host.len), url);
}

struct err *url_parse(const char *text, struct url *ret)
{
    struct str rest = str_of(text);
    struct url url = {0};
    size_t authority = 0, path;

    TRY(check_bytes(rest));
    TRY(cut_scheme(&rest, &url));
    while (authority < rest.len && rest.ptr[authority] != '/' && rest.ptr[authority] != '?')
        authority++;
    TRY(parse_authority((struct str){.ptr = rest.ptr, .len = authority}, &url));
    rest = str_from(rest, authority);
    for (path = 0; path < rest.len && rest.ptr[path] != '?';)
        path++;
    url.path = (struct str){.ptr = rest.ptr, .len = path};
    url.query = str_from(rest, path + 1);
    *ret = url;
    return NULL;
}

/* Dotted decimal only: "127.1" and "0x7f.1" are spellings that nobody needs. */
static bool is_loopback_ipv4(struct str host)
{
    struct str part;
    int64_t number = 0;
    int parts = 0;

    while (str_cut(&host, '.', &part)) {
        if (!part.len || part.len > 3 || !str_to_int(part, &number) || number < 0 || number > 255 ||
            !(part.ptr[0] >= '0' && part.ptr[0] <= '9') || (parts == 0 && number != 127))
            return false;
        parts++;
    }
    return parts == 4;
}

bool url_is_loopback(const struct url *url)
{
    if (url->is_ipv6)
        return str_is(url->host, "::1");
    return str_equal_nocase(url->host, STR("localhost")) || is_loopback_ipv4(url->host);
}
