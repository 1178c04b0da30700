/* The event queues of Target accounts (AWSAccount spec.events): a thread for each, which waits in it for
 * messages and passes on what they hint at. A hint says where to look, never what is there; whatever else is
 * in a queue is counted, deleted and forgotten. When a queue fails, observing goes on without it.
 *
 * A queue belongs to one controller: who else reads from it takes its hints away. Thread-safe. */
#ifndef CONTROLLER_EVENT_QUEUES_H
#define CONTROLLER_EVENT_QUEUES_H

#include "controller/objects.h"
#include "pkg/aws/client.h"
#include "pkg/aws/event.h"
#include "pkg/http/transport.h"
#include "pkg/refresh/account.h"

struct metrics;

struct event_queues_opts {
    struct objects *objects; /* which accounts are known; borrowed, as all of these */
    struct sched *sched;
    struct random *random;
    struct log *log;
    struct stop *stop;       /* the engine's */
    struct metrics *metrics; /* may be NULL */
    /* A transport of its own for each queue; freed here. */
    struct transport *(*new_transport)(void *arg);
    void *new_transport_arg;
    /* From a queue's thread, no lock held. Gives how many objects look because of the event: none when what
     * it is about is only under way. */
    size_t (*hear)(void *arg, const struct aws_event *event);
    /* What event_queues_look() says of this AWSAccount is another thing now. */
    void (*changed)(void *arg, const char *account_name);
    void *arg;
};

struct event_queues;

struct event_queues *event_queues_new(const struct event_queues_opts *opts);
/* Ends all threads; within a second, whatever they wait for. */
void event_queues_stop(struct event_queues *queues);
void event_queues_free(struct event_queues *queues); /* stopped; NULL is fine */

/* Reads the queue that the AWSAccount names from now on, and no other for it; none when it names none. Calls
 * of workers for the same account follow one another. */
void event_queues_follow(struct event_queues *queues, const struct account *account, struct aws_account *aws);
/* The AWSAccount is gone or must not be used. */
void event_queues_leave(struct event_queues *queues, const char *account_name);

enum event_queue_state {
    EVENT_QUEUE_NONE,
    EVENT_QUEUE_STARTING,
    EVENT_QUEUE_WORKS,
    EVENT_QUEUE_SILENT, /* it can be read, but the events of an account do not come */
    EVENT_QUEUE_FAILS,
};
struct event_queue_view {
    enum event_queue_state state;
    char *reason, *message; /* of FAILS; owned */
    char *silent_account;   /* of SILENT: its id; owned */
};
void event_queue_view_done(struct event_queue_view *view);
#define AUTO_EVENT_QUEUE_VIEW CLEANUP(event_queue_view_done)
void event_queues_look(struct event_queues *queues, const char *account_name, struct event_queue_view *ret);
/* A job of an account has ended that took so long: then its events should come to this queue. */
void event_queues_job_ended(struct event_queues *queues, const char *account_name, const char *job_account_id,
                            int64_t took_ms);
/* How long ago the thread of a queue went round, the longest of all; a round takes some five minutes at most.
 */
int64_t event_queues_silent_ms(struct event_queues *queues);
/* The last receive went well. */
bool event_queues_work(struct event_queues *queues, const char *account_name);

#endif
