#include "pkg/base/buf.h"

#include <stdarg.h>

static void release(struct buf *buf, char *data, size_t cap)
{
    if (buf->wipe && data)
        explicit_bzero(data, cap);
    xfree(data);
}

void buf_done(struct buf *buf)
{
    release(buf, buf->data, buf->cap);
    buf->data = NULL;
    buf->len = buf->cap = 0;
}

void buf_reset(struct buf *buf)
{
    if (buf->wipe && buf->data)
        explicit_bzero(buf->data, buf->cap);
    buf->len = 0;
    buf->overflow = false;
    if (buf->data)
        buf->data[0] = '\0';
}

/* False when the maximum forbids it. */
static bool reserve(struct buf *buf, size_t more)
{
    size_t want;
    char *data;

    if (buf->overflow || more > buf->max || buf->len > buf->max - more) {
        buf->overflow = true;
        return false;
    }
    if (buf->len + more + 1 <= buf->cap)
        return true;
    want = buf->cap ? buf->cap * 2 : 64;
    while (want < buf->len + more + 1)
        want *= 2;
    /* Not realloc: it may leave a copy of a secret behind. */
    data = xmalloc(want);
    if (buf->len)
        memcpy(data, buf->data, buf->len);
    release(buf, buf->data, buf->cap);
    buf->data = data;
    buf->cap = want;
    buf->data[buf->len] = '\0';
    return true;
}

void buf_add(struct buf *buf, const void *bytes, size_t len)
{
    if (!reserve(buf, len))
        return;
    if (len)
        memcpy(buf->data + buf->len, bytes, len);
    buf->len += len;
    buf->data[buf->len] = '\0';
}

void buf_add_str(struct buf *buf, struct str text)
{
    buf_add(buf, text.ptr, text.len);
}

void buf_adds(struct buf *buf, const char *text)
{
    buf_add(buf, text, strlen(text));
}

void buf_addc(struct buf *buf, char c)
{
    buf_add(buf, &c, 1);
}

void buf_addf(struct buf *buf, const char *fmt, ...)
{
    va_list args, again;
    int len;

    va_start(args, fmt);
    va_copy(again, args);
    len = vsnprintf(NULL, 0, fmt, args);
    va_end(args);
    if (len >= 0 && reserve(buf, (size_t)len)) {
        vsnprintf(buf->data + buf->len, (size_t)len + 1, fmt, again);
        buf->len += (size_t)len;
    }
    va_end(again);
}

void buf_drop(struct buf *buf, size_t count)
{
    if (!buf->data)
        return;
    if (count > buf->len)
        count = buf->len;
    memmove(buf->data, buf->data + count, buf->len - count + 1);
    buf->len -= count;
}

const char *buf_text(const struct buf *buf)
{
    return buf->data ? buf->data : "";
}

struct str buf_str(const struct buf *buf)
{
    return (struct str){.ptr = buf_text(buf), .len = buf->len};
}

char *buf_take(struct buf *buf)
{
    char *text = buf->data ? TAKE(buf->data) : xstrdup("");

    buf->len = buf->cap = 0;
    return text;
}

static bool is_unreserved(char c)
{
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '_' || c == '.' || c == '~';
}

void buf_add_uri(struct buf *buf, struct str text)
{
    static const char digits[] = "0123456789ABCDEF";

    for (size_t i = 0; i < text.len; i++) {
        unsigned char c = (unsigned char)text.ptr[i];

        if (is_unreserved((char)c))
            buf_addc(buf, (char)c);
        else
            buf_add(buf, (char[]){'%', digits[c >> 4], digits[c & 15]}, 3);
    }
}

void buf_add_hex(struct buf *buf, const void *bytes, size_t len)
{
    static const char digits[] = "0123456789abcdef";
    const unsigned char *p = bytes;

    for (size_t i = 0; i < len; i++)
        buf_add(buf, (char[]){digits[p[i] >> 4], digits[p[i] & 15]}, 2);
}

void buf_add_base64(struct buf *buf, const void *bytes, size_t len)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    const unsigned char *p = bytes;

    for (size_t i = 0; i < len; i += 3) {
        uint32_t v =
            (uint32_t)p[i] << 16 | (i + 1 < len ? (uint32_t)p[i + 1] << 8 : 0) | (i + 2 < len ? p[i + 2] : 0);

        buf_add(buf,
                (char[]){digits[v >> 18], digits[v >> 12 & 63], i + 1 < len ? digits[v >> 6 & 63] : '=',
                         i + 2 < len ? digits[v & 63] : '='},
                4);
    }
}
