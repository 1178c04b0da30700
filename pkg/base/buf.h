/* A growing byte buffer with a maximum named at birth. Always NUL-terminated. Past the maximum it stops
 * taking bytes and remembers that (sticky), so that a caller appends freely and asks once at the end. */
#ifndef BASE_BUF_H
#define BASE_BUF_H

#include <stdbool.h>

#include "pkg/base/alloc.h"
#include "pkg/base/str.h"

#define KIB (1024u)
#define MIB (1024u * 1024u)

struct buf {
    char *data; /* NULL while empty and never grown; use buf_text() */
    size_t len;
    size_t cap;
    size_t max;
    bool overflow;
    bool wipe; /* zeroed before memory is given back, also when it grows */
};

#define BUF_MAX(max_bytes) ((struct buf){.max = (max_bytes)})
#define BUF_SECRET(max_bytes) ((struct buf){.max = (max_bytes), .wipe = true})

void buf_done(struct buf *buf);
void buf_reset(struct buf *buf); /* empties, keeps the memory and clears the overflow */
void buf_add(struct buf *buf, const void *bytes, size_t len);
void buf_add_str(struct buf *buf, struct str text);
void buf_adds(struct buf *buf, const char *text);
void buf_addc(struct buf *buf, char c);
void buf_addf(struct buf *buf, const char *fmt, ...) PRINTF_LIKE(2, 3);
/* Drops the first `count` bytes (a consumer of a stream). */
void buf_drop(struct buf *buf, size_t count);
const char *buf_text(const struct buf *buf); /* never NULL */
struct str buf_str(const struct buf *buf);
char *buf_take(struct buf *buf); /* NUL-terminated text, yours; buf is empty again */

/* Percent-encoding of everything but A-Za-z0-9-_.~ (RFC 3986 unreserved). */
void buf_add_uri(struct buf *buf, struct str text);
void buf_add_hex(struct buf *buf, const void *bytes, size_t len); /* lower case */
void buf_add_base64(struct buf *buf, const void *bytes, size_t len);

#define AUTO_BUF CLEANUP(buf_done)

#endif
