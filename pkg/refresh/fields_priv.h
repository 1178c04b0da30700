/* How fields*.c reach into a struct by a row of its table, and read one value. */
#ifndef REFRESH_FIELDS_PRIV_H
#define REFRESH_FIELDS_PRIV_H

#include "pkg/refresh/fields.h"

void *field_at(const struct field *field, const void *item);
size_t *field_count_at(const struct field *field, const void *item);
void *field_pointer(const void *at);
void field_set_pointer(void *at, void *pointer);

/* Reads a value of any kind but a list; of a part, it only sees that it is an object. Errors have no path. */
struct err *field_read_value(const struct field *field, const struct json *value, void *item) MUST_USE;
struct err *field_check_text(const struct field *field, const struct json *value, int64_t max) MUST_USE;
struct err *field_check_entries(const struct field *field, const struct json *value) MUST_USE;
struct err *field_expected(const char *type) MUST_USE; /* "expected string" */

#endif
