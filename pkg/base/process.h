/* What a process was given. main() alone looks at it; everybody else is handed this. */
#ifndef BASE_PROCESS_H
#define BASE_PROCESS_H

struct process {
    char *const *environment; /* "NAME=value" up to NULL */
};

/* NULL when it is not set or empty. Inside the environment. */
const char *process_variable(const struct process *process, const char *name);

#endif
