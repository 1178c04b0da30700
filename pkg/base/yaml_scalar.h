/* What a scalar of YAML means. Shared by the files of the YAML reader. */
#ifndef BASE_YAML_SCALAR_H
#define BASE_YAML_SCALAR_H

#include "pkg/base/json.h"

/* A plain (unquoted) scalar. *ret_problem is set and NULL returned when it is something that JSON cannot
 * hold. */
struct json *yaml_resolve_plain(const char *text, const char **ret_problem);

#endif
