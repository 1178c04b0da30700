#include "pkg/refresh/spec_parts.h"

struct err *template_scan(const char *text,
                          struct err *(*visit)(void *arg, const char *name, struct str plain), void *arg)
{
    struct str rest = str_of(text);

    while (rest.len) {
        const char *dollar = memchr(rest.ptr, '$', rest.len);
        size_t plain = dollar ? (size_t)(dollar - rest.ptr) : rest.len;
        const char *close;
        AUTO_FREE char *name = NULL;

        if (dollar && plain + 1 < rest.len && dollar[1] == '(') {
            TRY(visit(arg, NULL, (struct str){.ptr = rest.ptr, .len = plain}));
            rest = str_from(rest, plain + 2);
            close = memchr(rest.ptr, ')', rest.len);
            if (!close)
                return err_new(ERR_INVALID, "\"$(\" without \")\"; write \"$$\" for a dollar sign");
            name = xstrndup(rest.ptr, (size_t)(close - rest.ptr));
            TRY(visit(arg, name, (struct str){0}));
            rest = str_from(rest, strlen(name) + 1);
        } else {
            /* The dollar sign itself, and not the second one of a pair. */
            TRY(visit(arg, NULL, (struct str){.ptr = rest.ptr, .len = plain + (dollar != NULL)}));
            rest = str_from(rest, plain + (dollar != NULL));
            if (dollar && rest.len && rest.ptr[0] == '$')
                rest = str_from(rest, 1);
        }
    }
    return NULL;
}

struct expansion {
    const struct template_value *values;
    size_t count;
    struct buf *out;
};

static struct err *expand_piece(void *arg, const char *name, struct str plain)
{
    struct expansion *expansion = arg;

    if (!name) {
        buf_add_str(expansion->out, plain);
        return NULL;
    }
    for (size_t i = 0; i < expansion->count; i++) {
        if (text_equal(expansion->values[i].name, name) && expansion->values[i].value) {
            buf_adds(expansion->out, expansion->values[i].value);
            return NULL;
        }
    }
    return err_new(ERR_INVALID, "$(%.*s): no such value", SHOWN(name));
}

struct err *template_expand(const char *text, const struct template_value *values, size_t count,
                            struct buf *out)
{
    struct expansion expansion = {.values = values, .count = count, .out = out};

    return template_scan(text, expand_piece, &expansion);
}
