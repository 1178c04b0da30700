/* Carries events to those who want to hear of them, on threads of its own, so that no pass ever waits for a
 * stranger's server. It remembers nothing across a crash: what is to be told stands in the objects' status,
 * and whoever reads it there asks again. Thread-safe. */
#ifndef CONTROLLER_COURIER_H
#define CONTROLLER_COURIER_H

#include "controller/objects.h"
#include "pkg/aws/client.h"
#include "pkg/http/transport.h"
#include "pkg/refresh/spec.h"

struct metrics;

struct courier_opts {
    struct sched *sched; /* borrowed, as all of these */
    struct random *random;
    struct log *log;
    struct stop *stop;
    struct metrics *metrics;                       /* may be NULL */
    struct transport *(*new_transport)(void *arg); /* one for each thread; freed here */
    void *new_transport_arg;
    /* What courier_look() says is another thing now; from a courier's thread, no lock held. */
    void (*changed)(void *arg, const struct object_id *id);
    void *arg;
};

struct courier;

struct courier *courier_new(const struct courier_opts *opts);
/* The stop must have been requested, or deliveries under way run their course (ten seconds). */
void courier_stop(struct courier *courier);
void courier_free(struct courier *courier); /* stopped; NULL is fine */

/* Copied, but for the account, of which a reference is taken. */
struct errand {
    const char *key; /* of the event and of whom it is for */
    struct object_id object;
    enum notification_kind kind;
    const char *target;          /* a bus or a URL */
    struct aws_account *account; /* EVENT_BRIDGE: whose bus */
    const char *run_id; /* EVENT_BRIDGE: in whose name it is put, with the object's; NULL: no run's */
    const char *transition;
    const struct json *event;
    int64_t since_ms; /* wall clock: an hour later, and after three tries, it is given up */
};
/* Nothing when it is known already. */
void courier_send(struct courier *courier, const struct errand *errand);

enum errand_state { ERRAND_UNKNOWN, ERRAND_UNDER_WAY, ERRAND_FAILING, ERRAND_DELIVERED, ERRAND_GIVEN_UP };
/* *ret_fault: what came back last, of FAILING and GIVEN_UP; yours, else NULL. */
enum errand_state courier_look(struct courier *courier, const char *key, char **ret_fault);
/* Its end is written down. */
void courier_forget(struct courier *courier, const char *key);

#endif
