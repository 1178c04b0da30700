/* What `run` is given: files with AWSAccounts and one StagingRefresh. Everything that can be known without a
 * call is checked here, and a mistake is reported as "file:line: field: what is wrong". */
#ifndef CONTROLLER_CMD_RUN_INPUT_H
#define CONTROLLER_CMD_RUN_INPUT_H

#include "controller/objects.h"
#include "pkg/refresh/account.h"
#include "pkg/refresh/spec.h"

struct run_input {
    struct json *refresh; /* the document; metadata.namespace is filled in */
    struct json *source;  /* the AWSAccounts it names; NULL when it needs none */
    struct json *target;
    struct refresh_spec *spec;
    char *ignored; /* "Namespace staging, ConfigMap shop": what is in the files and not ours; NULL: nothing */
};

/* ERR_INVALID or ERR_NOT_FOUND (no such file). `has_cluster`: fields that need one are fine. */
struct err *run_input_read(const char *const *files, size_t count, bool has_cluster,
                           struct run_input *ret) MUST_USE;
void run_input_done(struct run_input *input);
#define AUTO_RUN_INPUT CLEANUP(run_input_done)

#endif
