/* What the files of `run` share: one run of the command, from its options to its state. */
#ifndef CONTROLLER_CMD_RUN_PRIV_H
#define CONTROLLER_CMD_RUN_PRIV_H

#include <pthread.h>

#include "controller/cmd_run.h"
#include "controller/cmd_run_approval.h"
#include "controller/cmd_run_input.h"
#include "controller/cmd_run_show.h"
#include "controller/engine.h"
#include "controller/signals.h"

enum output { OUTPUT_AUTO, OUTPUT_JSON, OUTPUT_TEXT };

struct options {
    struct flag_texts files;
    const char *state_dir, *kubeconfig, *aws_endpoint_url;
    int64_t time_scale;
    bool approve;
    int output, log_level;
};

struct run {
    const struct options *options;
    const struct process *process;
    struct sched *real;   /* signals and what is shown */
    struct sched *scaled; /* the engine */
    struct random *random;
    struct stop *stop;
    struct signals *signals;
    struct aws_config aws;
    struct kube_config *kube_config; /* NULL: no cluster */
    struct kube_client *client;
    struct run_input input;
    char *dir;
    int log_fd; /* run.log; -1: stderr */
    struct log *log;
    struct env env;
    struct objects *objects;
    struct engine *engine;
    struct show *show;
    char *title;
    char *before;              /* a run that had ended when we came; NULL: none */
    char *approved;            /* the run that somebody has said yes to; NULL: none */
    struct approval *question; /* asked on the terminal and not answered yet; NULL: none */
    struct spot *spot;
    pthread_mutex_t lock;
    struct json **news; /* lock; statuses written, oldest first */
    size_t news_count;  /* lock */
};

struct object_id run_refresh_id(const struct run *run);
/* What is in memory of it now; yours. */
struct json *run_read_refresh(const struct run *run);

/* Everything before the first call: files and settings are read, the state is opened, what is shown begins,
 * and the place where an earlier command left off is found. Errors are the input's. */
struct err *run_open(struct run *run) MUST_USE;

#endif
