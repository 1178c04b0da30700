/* How fields.c and fields_write.c reach into a struct by a row of its table. */
#ifndef REFRESH_FIELDS_PRIV_H
#define REFRESH_FIELDS_PRIV_H

#include "pkg/refresh/fields.h"

void *field_at(const struct field *field, const void *item);
size_t *field_count_at(const struct field *field, const void *item);
void *field_pointer(const void *at);
void field_set_pointer(void *at, void *pointer);

#endif
