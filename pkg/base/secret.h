/* Bytes that must not be seen: wiped when freed, accepted by no log or format function, out only through
 * secret_reveal(), whose callers fit one grep. Cap: 64 KiB. */
#ifndef BASE_SECRET_H
#define BASE_SECRET_H

#include "pkg/base/str.h"

struct secret;

struct secret *secret_new(struct str bytes); /* copies; wipe your own copy yourself (buf with .wipe) */
struct secret *secret_copy(const struct secret *secret);
void secret_free(struct secret *secret);
struct str secret_reveal(const struct secret *secret); /* NUL-terminated; lives as long as the secret */
bool secret_equal(const struct secret *a, const struct secret *b); /* constant time */

/* Wipes a NUL-terminated text of ours and frees it. */
void wipe_free(char *text);

static inline void auto_secret(struct secret **secret)
{
    secret_free(*secret);
}
#define AUTO_SECRET CLEANUP(auto_secret)

#endif
