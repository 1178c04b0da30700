/* Whole files, with caps; descriptors are close-on-exec. */
#ifndef BASE_FILES_H
#define BASE_FILES_H

#include "pkg/base/buf.h"
#include "pkg/base/err.h"

/* Appends the file to out, whose maximum is the cap. ERR_NOT_FOUND when it is not there, ERR_INVALID when it
 * is too large. */
struct err *file_read(const char *path, struct buf *out) MUST_USE;
/* Replaces the file so that a crash leaves the old or the new one whole (temporary file, fsync, rename, fsync
 * of the folder). */
struct err *file_replace(const char *path, struct str content, int mode) MUST_USE;
struct err *dir_create(const char *path, int mode) MUST_USE; /* with parents; there already is fine */

#endif
