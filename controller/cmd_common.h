/* What the commands have in common: how main.c finds them, and how flags and environment become settings. */
#ifndef CONTROLLER_CMD_COMMON_H
#define CONTROLLER_CMD_COMMON_H

#include "pkg/aws/config.h"
#include "pkg/base/env.h"
#include "pkg/base/flags.h"
#include "pkg/base/process.h"
#include "pkg/http/transport.h"
#include "pkg/kube/client.h"

enum exit_code { EXIT_DONE = 0, EXIT_FAILED = 1, EXIT_BAD_INPUT = 2, EXIT_INTERRUPTED = 130 };

struct command {
    const char *name;
    const char *summary; /* one line */
    const char *details; /* paragraphs for --help */
    struct flag_table flags;
    size_t options_size;
    const void *defaults; /* of that size; NULL: all zero */
    enum exit_code (*run)(const struct process *process, const void *options);
};
extern const struct command controller_command;
extern const struct command run_command;
extern const struct command plan_command, preflight_command, policies_command;

/* "stagingrefresh: <text>" on stderr. */
void command_say(const char *fmt, ...) PRINTF_LIKE(1, 2);
/* Says the error, frees it, and gives the code back. */
enum exit_code command_fail(enum exit_code code, struct err *err);

extern const char *const log_level_names[];  /* by enum log_level; for FLAG_CHOICE */
extern const char *const log_format_names[]; /* by enum log_format */

/* AWS settings: the environment, then the profile, and the flag over all. `endpoint_url` may be NULL. */
struct err *command_aws_config(const struct process *process, const char *endpoint_url,
                               struct aws_config *ret) MUST_USE;
/* The API server: the file of --kubeconfig, or where kubectl would look (NULL). */
struct err *command_kube_config(const struct process *process, const char *path,
                                struct kube_config **ret) MUST_USE;
/* A client of the API server with our names in it. `timeout_ms` 0: the default. */
struct kube_client *command_kube_client(struct kube_config *config, int64_t timeout_ms);

/* For options that want one; arg is the sched. */
struct transport *command_new_transport(void *arg);

/* Developers' flag: how many times faster than the real one the controller's clock runs. */
#define TIME_SCALE_MAX 100000

#endif
