#include "pkg/base/alloc.h"

#include <malloc.h>
#include <stdint.h>
#include <unistd.h>

static void *or_die(void *ptr)
{
    if (!ptr) {
        static const char text[] = "out of memory\n";

        if (write(STDERR_FILENO, text, sizeof(text) - 1) < 0)
            abort();
        abort();
    }
    return ptr;
}

void *xmalloc(size_t size)
{
    return or_die(malloc(size ? size : 1));
}

void *xcalloc(size_t count, size_t size)
{
    return or_die(calloc(count ? count : 1, size ? size : 1));
}

void *xrealloc(void *old, size_t size)
{
    return or_die(realloc(old, size ? size : 1));
}

char *xstrdup(const char *text)
{
    return or_die(strdup(text));
}

char *xstrdup_or_null(const char *text)
{
    return text ? xstrdup(text) : NULL;
}

char *xstrndup(const char *text, size_t len)
{
    char *copy = xmalloc(len + 1);

    if (len)
        memcpy(copy, text, len);
    copy[len] = '\0';
    return copy;
}

char *xvasprintf(const char *fmt, va_list args)
{
    char *text = NULL;

    if (vasprintf(&text, fmt, args) < 0)
        text = NULL;
    return or_die(text);
}

char *xasprintf(const char *fmt, ...)
{
    va_list args;
    char *text;

    va_start(args, fmt);
    text = xvasprintf(fmt, args);
    va_end(args);
    return text;
}

void *xgrow(void *items, size_t count, size_t size)
{
    if (count && (count & (count - 1)))
        return items;
    if (count > SIZE_MAX / 2 / size)
        or_die(NULL);
    return xrealloc(items, (count ? count * 2 : 1) * size);
}

void xfree(void *ptr)
{
    free(ptr);
}

void *xrealloc_wiped(void *old, size_t size)
{
    size_t kept = old ? malloc_usable_size(old) : 0;
    void *block = xmalloc(size);

    if (kept)
        memcpy(block, old, kept < size ? kept : size);
    xfree_wiped(old);
    return block;
}

void xfree_wiped(void *ptr)
{
    if (ptr)
        explicit_bzero(ptr, malloc_usable_size(ptr));
    free(ptr);
}
