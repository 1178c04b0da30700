/* URLs taken apart, as far as we need it. */
#ifndef HTTP_URL_H
#define HTTP_URL_H

#include "pkg/base/err.h"
#include "pkg/base/str.h"

struct url {           /* views into the text */
    struct str scheme; /* as written; "http" or "https", any case */
    struct str host;   /* without brackets */
    int port;          /* explicit, or 80/443 */
    bool has_port;     /* it was written */
    bool is_ipv6;
    struct str path;  /* with the leading slash; may be empty */
    struct str query; /* without '?'; may be empty */
};

/* http and https only; no user part, no fragment, no control characters or spaces. ERR_INVALID says what is
 * wrong. */
struct err *url_parse(const char *text, struct url *ret) MUST_USE;
/* 127.0.0.0/8, ::1 or "localhost": the only places where plain http may carry a signature or a token. */
bool url_is_loopback(const struct url *url);

#endif
