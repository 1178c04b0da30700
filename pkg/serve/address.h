/* Where to listen, as controllers spell it. */
#ifndef SERVE_ADDRESS_H
#define SERVE_ADDRESS_H

#include "pkg/base/err.h"
#include "pkg/base/str.h"

struct serve_address {
    char host[64]; /* a numeric address; "": all */
    int port;      /* 0: any free one */
    bool is_ipv6;
};

/* "HOST:PORT" with a numeric host, "[IPV6]:PORT", ":PORT"; "localhost" stands for 127.0.0.1. */
struct err *serve_address_parse(const char *text, struct serve_address *ret) MUST_USE;

#endif
