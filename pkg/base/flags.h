/* Command-line flags by a constant table: what is accepted, what an error says and what --help prints come
 * from the same rows. `--name value`, `--name=value`, `-f value` and `-fvalue` mean the same;
 * `--switch=false` turns a switch off. */
#ifndef BASE_FLAGS_H
#define BASE_FLAGS_H

#include "pkg/base/buf.h"
#include "pkg/base/err.h"

enum flag_kind {
    FLAG_TEXT,   /* const char *, borrowed from argv */
    FLAG_TEXTS,  /* struct flag_texts; may be given more than once */
    FLAG_NUMBER, /* int64_t, from min to max */
    FLAG_SWITCH, /* bool */
    FLAG_CHOICE, /* int, the index of one of the choices */
};

struct flag {
    const char *name; /* without the dashes */
    char letter;      /* 0: none */
    enum flag_kind kind;
    size_t offset;     /* in the options struct */
    const char *value; /* what help calls it: "FILE" */
    const char *help;
    const char *const *choices; /* FLAG_CHOICE; ends with NULL */
    int64_t min, max;           /* FLAG_NUMBER */
    bool required;
};

struct flag_table {
    const struct flag *flags;
    size_t count;
    const struct flag *operands; /* FLAG_TEXTS: takes arguments that are no flags, `max` of them; NULL: none
                                    may be there */
};

struct flag_texts {
    const char **items;
    size_t count;
};

/* Fills the options struct, which holds the defaults before; argv has no program and no command. *ret_help is
 * true when --help or -h was met: the rest is not looked at then. ERR_INVALID: unknown flag (with the nearest
 * known one), missing or bad value, an argument that is no flag. Free with flags_done(), also after an error.
 */
struct err *flags_parse(const struct flag_table *table, int argc, char *const *argv, void *options,
                        bool *ret_help) MUST_USE;
void flags_done(const struct flag_table *table, void *options);
/* One line per flag, --help last. */
void flags_help(const struct flag_table *table, struct buf *out);

#endif
