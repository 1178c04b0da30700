/* How a document that a person wrote and what an earlier run stored of the same object become one. */
#ifndef CONTROLLER_OBJECTS_FILE_JOIN_H
#define CONTROLLER_OBJECTS_FILE_JOIN_H

#include "controller/objects.h"

/* `stored` NULL: it is new, gets `uid` and generation 1. Otherwise uid, status, finalizers and our own
 * annotation stay, and the generation grows when the spec has changed. ERR_INVALID when a field has changed
 * that never can. */
struct err *objects_file_join(const struct json *document, const struct json *stored, const char *uid,
                              struct json **ret) MUST_USE;

#endif
