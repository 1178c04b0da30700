#include "pkg/base/process.h"

#include <string.h>

const char *process_variable(const struct process *process, const char *name)
{
    size_t len = strlen(name);

    for (char *const *entry = process->environment; entry && *entry; entry++) {
        if (strncmp(*entry, name, len) == 0 && (*entry)[len] == '=')
            return (*entry)[len + 1] ? *entry + len + 1 : NULL;
    }
    return NULL;
}
