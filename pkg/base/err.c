#include "pkg/base/err.h"

struct err {
    enum err_kind kind;
    char *text;
    struct err_remote remote; /* strings owned */
};

static void free_const(const char *text)
{
    xfree((void *)(uintptr_t)text);
}

static void clear_remote(struct err_remote *remote)
{
    free_const(remote->service);
    free_const(remote->operation);
    free_const(remote->code);
    free_const(remote->message);
    free_const(remote->request_id);
    *remote = (struct err_remote){0};
}

static struct err *new_with_text(enum err_kind kind, char *text)
{
    struct err *err = xcalloc(1, sizeof(*err));

    err->kind = kind;
    err->text = text;
    return err;
}

struct err *err_new(enum err_kind kind, const char *fmt, ...)
{
    va_list args;
    char *text;

    va_start(args, fmt);
    text = xvasprintf(fmt, args);
    va_end(args);
    return new_with_text(kind, text);
}

struct err *err_wrap(struct err *err, const char *fmt, ...)
{
    AUTO_FREE char *context = NULL;
    va_list args;
    char *text;

    if (!err)
        return NULL;
    va_start(args, fmt);
    context = xvasprintf(fmt, args);
    va_end(args);
    text = xasprintf("%s: %s", context, err->text);
    xfree(err->text);
    err->text = text;
    return err;
}

struct err *err_set_kind(struct err *err, enum err_kind kind)
{
    if (err)
        err->kind = kind;
    return err;
}

struct err *err_errno(enum err_kind kind, int number, const char *fmt, ...)
{
    AUTO_FREE char *context = NULL;
    const char *name = strerrordesc_np(number);
    va_list args;

    va_start(args, fmt);
    context = xvasprintf(fmt, args);
    va_end(args);
    return err_new(kind, "%s: %s", context, name ? name : "unknown error");
}

struct err *err_set_remote(struct err *err, const struct err_remote *remote)
{
    struct err_remote copy = {
        .service = xstrdup_or_null(remote->service),
        .operation = xstrdup_or_null(remote->operation),
        .code = xstrdup_or_null(remote->code),
        .message = xstrdup_or_null(remote->message),
        .request_id = xstrdup_or_null(remote->request_id),
        .http_status = remote->http_status,
        .retry_after_ms = remote->retry_after_ms,
    };

    clear_remote(&err->remote);
    err->remote = copy;
    return err;
}

enum err_kind err_kind(const struct err *err)
{
    return err->kind;
}

const char *err_text(const struct err *err)
{
    return err->text;
}

const struct err_remote *err_remote(const struct err *err)
{
    return &err->remote;
}

bool err_is_code(const struct err *err, const char *code)
{
    return err && err->remote.code && strcmp(err->remote.code, code) == 0;
}

bool err_is_refusal(const struct err *err)
{
    switch (err_kind(err)) {
    case ERR_NOT_FOUND:
    case ERR_DENIED:
    case ERR_INVALID:
        return true;
    case ERR_RETRY:
    case ERR_CONFLICT:
    case ERR_CANCELED:
        break;
    }
    return false;
}

const char *err_kind_name(enum err_kind kind)
{
    static const char *const names[] = {
        [ERR_RETRY] = "retry",   [ERR_CONFLICT] = "conflict", [ERR_NOT_FOUND] = "not found",
        [ERR_DENIED] = "denied", [ERR_INVALID] = "invalid",   [ERR_CANCELED] = "canceled",
    };

    return names[kind];
}

void err_free(struct err *err)
{
    if (!err)
        return;
    clear_remote(&err->remote);
    xfree(err->text);
    xfree(err);
}

void err_ignore(struct err *err, const char *why)
{
    (void)why;
    err_free(err);
}
