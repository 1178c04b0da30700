/* Keys by one name: a spec may say an alias, AWS answers with the key's ARN. */
#ifndef CONTROLLER_STEPS_KEY_ARN_H
#define CONTROLLER_STEPS_KEY_ARN_H

#include "pkg/aws/client.h"

/* The ARN of the key that `name` means: an alias (its name or ARN) is looked up, anything else is taken as it
 * is. NULL stays NULL. Yours. */
struct err *key_arn(const struct aws_client *aws, const char *name, char **ret) MUST_USE;

#endif
