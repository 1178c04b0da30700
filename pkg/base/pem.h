/* PEM texts of certificates and keys, as far as one must look into them. */
#ifndef BASE_PEM_H
#define BASE_PEM_H

#include <stdbool.h>

#include "pkg/base/str.h"

/* Whether `key` is the private key of the first certificate in `cert`. False also when one of them cannot be
 * read. */
bool pem_is_pair(struct str cert, struct str key);

#endif
