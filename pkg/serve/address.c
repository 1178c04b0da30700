#include "pkg/serve/address.h"

#include <arpa/inet.h>

static struct err *no_address(const char *text)
{
    return err_new(ERR_INVALID, "%s is no address to listen at: HOST:PORT, [IPV6]:PORT or :PORT", text);
}

static bool is_numeric(int family, const char *host)
{
    unsigned char bytes[sizeof(struct in6_addr)];

    return inet_pton(family, host, bytes) == 1;
}

struct err *serve_address_parse(const char *text, struct serve_address *ret)
{
    struct serve_address address = {0};
    const char *colon = strrchr(text, ':');
    struct str host;
    int64_t port;

    if (!colon || !str_to_int(str_of(colon + 1), &port) || port < 0 || port > 65535 || colon[1] == '+')
        return no_address(text);
    address.port = (int)port;
    host = (struct str){.ptr = text, .len = (size_t)(colon - text)};
    if (str_is(host, "localhost"))
        host = STR("127.0.0.1");
    if (str_starts(host, "[") && str_ends(host, "]")) {
        address.is_ipv6 = true;
        host = (struct str){.ptr = host.ptr + 1, .len = host.len - 2};
    }
    if (host.len >= sizeof(address.host))
        return no_address(text);
    memcpy(address.host, host.ptr, host.len);
    if ((host.len || address.is_ipv6) && !is_numeric(address.is_ipv6 ? AF_INET6 : AF_INET, address.host))
        return no_address(text);
    *ret = address;
    return NULL;
}
