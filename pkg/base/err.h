/* Errors as values: NULL is success. An error has a kind, decided once at the boundary that saw the fact, and
 * a sentence; wrapping only puts context in front. Whoever holds one owns it: return it, wrap it, or
 * err_free() it with a reason. */
#ifndef BASE_ERR_H
#define BASE_ERR_H

#include <stdbool.h>
#include <stdint.h>

#include "pkg/base/alloc.h"

enum err_kind {
    ERR_RETRY,     /* may work later without anybody's help */
    ERR_CONFLICT,  /* somebody else changed it first: look again */
    ERR_NOT_FOUND, /* the thing named is not there */
    ERR_DENIED,    /* not allowed: a person must grant something */
    ERR_INVALID,   /* the input is wrong: a person must change it */
    ERR_CANCELED,  /* we were told to stop */
};

struct err;

struct err *err_new(enum err_kind kind, const char *fmt, ...) MUST_USE PRINTF_LIKE(2, 3)
    __attribute__((returns_nonnull));

/* "context: cause"; takes err and gives it back changed. err_wrap(NULL, ...) is NULL. */
struct err *err_wrap(struct err *err, const char *fmt, ...) MUST_USE PRINTF_LIKE(2, 3);

/* The same sentence and facts as another kind, where it would mean something else to whoever asked; takes err
 * and gives it back changed. err_set_kind(NULL, ...) is NULL. */
struct err *err_set_kind(struct err *err, enum err_kind kind) MUST_USE;

/* The facts that came with a remote refusal; all optional, strings are copied. Sets them on err and gives it
 * back. */
struct err_remote {
    const char *service;    /* "backup" */
    const char *operation;  /* "StartCopyJob" */
    const char *code;       /* "AccessDeniedException", or a Kubernetes reason */
    const char *message;    /* the server's own words */
    const char *request_id; /* to quote to support */
    int http_status;        /* 0: no answer came */
    int64_t retry_after_ms; /* 0: the server did not say */
};
struct err *err_set_remote(struct err *err, const struct err_remote *remote) MUST_USE
    __attribute__((returns_nonnull));

enum err_kind err_kind(const struct err *err);
const char *err_text(const struct err *err);                /* the whole sentence; lives as long as err */
const struct err_remote *err_remote(const struct err *err); /* never NULL; members may be */
bool err_is_code(const struct err *err, const char *code);  /* remote code equals `code` */
/* Whoever was asked has answered no, and will again until a person has done something: not found, denied or
 * invalid. */
bool err_is_refusal(const struct err *err);
const char *err_kind_name(enum err_kind kind);

void err_free(struct err *err);
/* Drops an error on purpose; `why` is for the reader. */
void err_ignore(struct err *err, const char *why);

static inline void auto_err(struct err **err)
{
    err_free(*err);
}
#define AUTO_ERR CLEANUP(auto_err)

/* The only macro that may return. */
#define TRY(expr)                      \
    do {                               \
        struct err *try_err_ = (expr); \
        if (try_err_)                  \
            return try_err_;           \
    } while (0)

/* Text of errno without strerror's shared buffer: err_errno(ERR_RETRY, errno, "open %s", path). */
struct err *err_errno(enum err_kind kind, int number, const char *fmt, ...) MUST_USE PRINTF_LIKE(3, 4)
    __attribute__((returns_nonnull));

#endif
