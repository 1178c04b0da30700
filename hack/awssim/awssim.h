/* The simulator's core: a request goes in, a reply comes out. No socket, thread or clock inside; what it does
 * is fixed by the world file, the seed and the calls. One caller at a time. README.md says what it simulates.
 */
#ifndef AWSSIM_AWSSIM_H
#define AWSSIM_AWSSIM_H

#include <stdint.h>

#include "pkg/base/buf.h"
#include "pkg/base/err.h"
#include "pkg/base/str.h"

struct sim;

struct sim_options {
    struct str world;       /* text of the world file */
    const char *world_name; /* what errors call it */
    int64_t world_ms;       /* the world clock's first reading; relative times of the file count from here */
    uint64_t seed;          /* identifiers, and faults with a probability */
};

/* Errors: ERR_INVALID "shop.yaml:12: accounts[0].backup.vaults[1].name: ...". */
struct err *awssim_new(const struct sim_options *options, struct sim **ret_sim) MUST_USE;
void awssim_free(struct sim *sim);

struct sim_header {
    const char *name; /* any case */
    const char *value;
};

enum sim_attempt {
    SIM_FIRST,
    SIM_AGAIN, /* a long poll looks again: nothing is counted, no fault strikes */
    SIM_LAST,  /* its time is over: the answer is what there is */
};

struct sim_request {
    const char *method;
    const char *target; /* as it was sent, still encoded: "/backup-vaults/a%3Ab?x=1" */
    const struct sim_header *headers;
    size_t header_count;
    struct str body;
    enum sim_attempt attempt;
};

enum sim_drop {
    SIM_KEEP,         /* deliver the reply */
    SIM_DROP_REQUEST, /* close the connection; nothing was done */
    SIM_DROP_REPLY,   /* close the connection; it was done */
};

/* Everything in it is owned by the reply. */
struct sim_reply {
    int status;
    struct sim_header *headers; /* without Content-Length, Date and Connection: those are the carrier's */
    size_t header_count;
    char *body; /* NUL-terminated */
    size_t body_len;
    int64_t delay_ms; /* real time that the carrier waits before it delivers or drops */
    enum sim_drop drop;
    /* Above zero: a long poll that has nothing yet, and there is no reply. The carrier hands in the same
     * request again, as SIM_AGAIN when a watch (below) was woken or its world clock has reached look_ms, as
     * SIM_LAST when so much real time has passed since the first attempt. */
    int64_t wait_ms;
    int64_t look_ms; /* NEVER_MS: only when woken */
};

/* `wall_ms` is the real time of day (signatures, credential expiry), `world_ms` the world clock, which never
 * goes back. Requests below /_sim/ come here too. */
void awssim_handle(struct sim *sim, const struct sim_request *request, int64_t wall_ms, int64_t world_ms,
                   struct sim_reply *ret);
void sim_reply_done(struct sim_reply *reply);

/* Whom to wake when a long poll that told to look at `look_ms` may look earlier: at the end of any request
 * that brought a message, or made the world's next change come sooner. wake() must not call the simulator.
 * The carrier owns the watch and takes it away before it looks again; both under what serialises the
 * requests.
 */
struct sim_watch {
    void (*wake)(void *arg);
    void *arg;
    int64_t look_ms;
    struct sim_watch *next; /* the simulator's */
};
void awssim_watch(struct sim *sim, struct sim_watch *watch);
void awssim_unwatch(struct sim *sim, struct sim_watch *watch);

#endif
