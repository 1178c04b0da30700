/* Memory that never fails: on exhaustion the process ends, because an untested recovery path is worse than a
 * restart. In exchange every input that reaches us has a cap somewhere. */
#ifndef BASE_ALLOC_H
#define BASE_ALLOC_H

#include <stdarg.h>
#include <stddef.h>

#define MUST_USE __attribute__((warn_unused_result))
#define PRINTF_LIKE(fmt, args) __attribute__((format(printf, fmt, args)))
#define CLEANUP(fn) __attribute__((cleanup(fn), unused)) /* unused but for its end: that is its use */
#define UNUSED __attribute__((unused))
#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

/* Ownership leaves a pointer variable: gives its value and leaves NULL. */
#define TAKE(ptr)                       \
    __extension__({                     \
        __typeof__(ptr) taken_ = (ptr); \
        (ptr) = NULL;                   \
        taken_;                         \
    })

void *xmalloc(size_t size) __attribute__((malloc, returns_nonnull, alloc_size(1)));
void *xcalloc(size_t count, size_t size) __attribute__((malloc, returns_nonnull, alloc_size(1, 2)));
void *xrealloc(void *old, size_t size) __attribute__((returns_nonnull, alloc_size(2)));
char *xstrdup(const char *text) __attribute__((malloc, returns_nonnull, nonnull(1)));
char *xstrndup(const char *text, size_t len) __attribute__((malloc, returns_nonnull));
char *xasprintf(const char *fmt, ...) __attribute__((malloc, returns_nonnull)) PRINTF_LIKE(1, 2);
char *xvasprintf(const char *fmt, va_list args) __attribute__((malloc, returns_nonnull)) PRINTF_LIKE(1, 0);

/* NULL stays NULL. */
char *xstrdup_or_null(const char *text);

/* Makes room for one more item of `size` bytes in an array of `count` items: reallocates at powers of two. */
void *xgrow(void *items, size_t count, size_t size);

/* One allocation of ours freed; NULL is fine. */
void xfree(void *ptr);

/* For libraries that are handed secrets: blocks of ours that are wiped before they are given back. NULL is
 * fine. */
void *xrealloc_wiped(void *old, size_t size) __attribute__((returns_nonnull, alloc_size(2)));
void xfree_wiped(void *ptr);

static inline void auto_free(void *ptr)
{
    xfree(*(void **)ptr);
}
/* AUTO_FREE char *name = ...; freed at the end of the scope, on every path. */
#define AUTO_FREE CLEANUP(auto_free)

#endif
