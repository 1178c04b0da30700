/* One run of the plugin: what it was given, and its connection to the API server. */
#ifndef PLUGIN_SESSION_H
#define PLUGIN_SESSION_H

#include "pkg/base/flags.h"
#include "pkg/base/process.h"
#include "plugin/cluster.h"

enum exit_code { EXIT_DONE = 0, EXIT_FAILED = 1, EXIT_BAD_INPUT = 2 };
enum output { OUTPUT_TEXT, OUTPUT_JSON };

struct options {
    const char *kubeconfig, *context, *namespace;
    const char *timeout; /* Go's syntax; NULL: none */
    bool all_namespaces, watch, wait;
    int output;
    struct flag_texts operands;
};

struct session {
    const struct process *process;
    const struct options *options;
    const char *namespace; /* of the flags or the context */
    struct sched *sched;
    struct random *random;
    struct stop *stop;
    struct log *log;
    struct env env;
    struct kube_config *config;
    struct kube_client *client;
    struct cluster cluster;
    bool is_live; /* stdout is a terminal that can be drawn on */
    bool color, utf8;
};

/* Close it after an error too. */
struct err *session_open(struct session *session, const struct process *process,
                         const struct options *options) MUST_USE;
void session_close(struct session *session);

/* "error: <text>" on stderr. */
void session_say(const char *fmt, ...) PRINTF_LIKE(1, 2);
/* Says the error, frees it, and gives the code back. */
enum exit_code session_fail(enum exit_code code, struct err *err);

#endif
