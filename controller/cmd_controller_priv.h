/* What the files of `controller` share: one run of the command, from its options to its end. */
#ifndef CONTROLLER_CMD_CONTROLLER_PRIV_H
#define CONTROLLER_CMD_CONTROLLER_PRIV_H

#include <pthread.h>

#include "controller/cmd_common.h"
#include "controller/engine.h"
#include "controller/metrics.h"
#include "controller/serving.h"
#include "controller/signals.h"
#include "pkg/kube/lease.h"

#define LEASE_NAME "stagingrefresh-controller"

struct options {
    const char *kubeconfig, *aws_endpoint_url, *leader_elect_namespace;
    const char *health_address, *metrics_address, *metrics_cert_path;
    int64_t time_scale, workers;
    bool leader_elect;
    int log_level, log_format;
};

enum lead { LEAD_WAITING, LEAD_HELD };

struct controller {
    const struct options *options;
    struct sched *real;   /* network, lease, signals */
    struct sched *scaled; /* the engine */
    struct random *random;
    struct log *log;
    struct stop *stop;
    struct signals *signals;
    struct aws_config aws;
    struct kube_config *kube_config;
    struct kube_client *client;
    struct kube_client *lease_client;
    struct env env; /* of the main thread */
    struct env lease_env;
    struct objects *objects;
    struct engine *engine;
    bool engine_started; /* lock; set by the main thread alone */
    struct metrics *metrics;
    struct serving *serving;
    struct kube_lease *lease; /* set and cleared under lock; the server's thread looks too */
    char *identity;
    struct spot *spot; /* the main thread waits here */
    pthread_mutex_t lock;
    enum lead lead;   /* lock */
    int64_t alive_ms; /* lock; when the main thread last went round */
    bool is_synced;   /* lock */
};

/* A transport at the real pace whose requests to the API server are counted; arg is the controller. */
struct transport *controller_new_transport(void *arg);
/* One for a worker: at the pace of the engine, and shut as long as we may not act. */
struct transport *controller_new_worker_transport(void *arg);

/* --- cmd_controller_work.c --- */

/* From the parts to their end: returns once told to stop and everything has stopped, or with the reason why
 * it cannot go on. */
struct err *controller_work(struct controller *c) MUST_USE;

/* --- cmd_controller_lead.c --- */

/* Where the lease and the list of leftovers are; borrowed. */
const char *controller_namespace(const struct controller *c);

/* The name this process has on the lease: the host's and some chance; yours. */
char *controller_make_identity(struct random *random);
/* Waits for the lease on a thread of its own and wakes the main thread once it is held. The process ends at
 * once when the lease is lost. */
struct err *controller_start_lease(struct controller *c) MUST_USE;
/* Gives the lease back; nothing when it was never asked for. */
void controller_finish_lease(struct controller *c);
/* This process may work: it holds the lease, or none is wanted. */
bool controller_leads(struct controller *c);
/* The same, and the last renewal is so young that nobody else can have taken over. Asked before whatever a
 * worker sends; arg is the controller. */
bool controller_may_act(void *arg);
/* Who holds it is known, us or another: a replica in reserve is ready too. */
bool controller_lease_known(void *arg);
/* The thread that renews the lease goes on trying, or there is none. */
bool controller_lease_lives(void *arg);

/* --- cmd_controller_pages.c --- */

/* Serves health and metrics where the options say. */
struct err *controller_start_serving(struct controller *c) MUST_USE;

#endif
