/* The terminal at stdout: what it can do, and a picture that is drawn again in place. */
#ifndef BASE_TERMINAL_H
#define BASE_TERMINAL_H

#include "pkg/base/buf.h"
#include "pkg/base/process.h"

/* stdout is a terminal whose cursor can be moved. */
bool terminal_is_live(const struct process *process);
/* Nobody has said otherwise. https://no-color.org */
bool terminal_wants_color(const struct process *process);
/* The locale's encoding, by the variables in the order in which the C library looks at them. */
bool terminal_takes_utf8(const struct process *process);

/* Columns (80 when nobody knows) and rows (0 when nobody knows). */
void terminal_measure(int *ret_columns, int *ret_rows);

/* Appends what takes the cursor back to the first of the `lines` above it, and clears everything below. */
void terminal_add_erase(size_t lines, struct buf *out);
/* Appends at most `columns` characters of a text; what could move the cursor becomes a space. */
void terminal_add_text(const char *text, int columns, struct buf *out);

/* Writes it to stdout, at once. */
void terminal_print(const struct buf *out);

#endif
