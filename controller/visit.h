/* One pass over one StagingRefresh, as the parts of reconcile.c hand it round: what was read, and the one
 * write. reconcile.c decides what is to be done; visit_begin.c starts a run, visit_pending.c says that it
 * will, visit_series.c and visit_line.c say who may, visit_advance.c goes on with one and ends it,
 * visit_requests.c does what people ask for by annotation, visit_retry.c goes on with one that failed,
 * visit_idle.c and visit_drift.c look round in between, visit_succession.c minds the runs that other objects
 * of the series have had, visit_expire.c says when an object goes by itself, visit_delete.c clears up when it
 * goes. */
#ifndef CONTROLLER_VISIT_H
#define CONTROLLER_VISIT_H

#include "controller/actor.h"
#include "controller/admit.h"
#include "controller/engine.h"
#include "controller/runner.h"
#include "controller/summary.h"

struct visit {
    struct engine *engine;
    const struct env *env; /* its log names the run */
    struct env own_env;
    const struct log *unnamed; /* names the object alone */
    struct log *log;           /* env's */
    char *run;                 /* that the lines of the log name; NULL: none */
    struct objects *objects;
    struct json *object; /* NULL: there is none of that name */
    struct refresh_status *status;
    bool status_fault;         /* it could not be read; only for an object that is going away */
    struct refresh_spec *live; /* NULL: cannot be read */
    struct err *live_fault;    /* why not */
    struct summary_input summary;
    const char *namespace, *name, *uid, *request;
    char *holder; /* "namespace/name": who holds a series */
    struct actor actor;
    char *actor_run;   /* the run that it was made for */
    char *switch_to;   /* the run whose copies are asked for; NULL: a run of its own */
    bool is_beginning; /* the next pass, which comes at once, goes on with the start of a run */
    /* visit_tell.c */
    char **settled; /* the courier's keys of what was told */
    size_t settled_count;
    bool has_told, has_complained;
    bool has_recorded; /* the write holds notices that a pass has to read */
};

struct err *visit_init(struct visit *visit, struct engine *engine, const struct env *env,
                       const struct object_id *id) MUST_USE;
void visit_done(struct visit *visit);

/* From now on the lines of the log name this run and attempt; NULL: none. */
void visit_name_run(struct visit *visit, const char *run_id, int64_t attempt);
/* Puts our finalizer on the object when it is not there yet: *ret_written, and the pass is over. Before
 * anything outside is touched. */
struct err *visit_hold(struct visit *visit, struct requeue *ret, bool *ret_written) MUST_USE;
/* The one write of a pass; what became otherwise by it is told (transitions.h). */
struct err *visit_write(struct visit *visit) MUST_USE;
/* Nothing can start until a person changes something: written. */
struct err *visit_stall(struct visit *visit, const char *reason, const char *message, int64_t after_ms,
                        struct requeue *ret) MUST_USE;
/* What is no transition of the status: an event, and a line in the log. */
void visit_announce(const struct visit *visit, enum event_severity severity, const char *reason,
                    const char *note);
/* A warning, once per process and text; takes `text` over, NULL is nothing. */
void visit_say_once(struct visit *visit, const char *reason, char *text);
/* The client of an account; account NULL leaves it untouched. *ret_account is a reference of yours. */
struct err *visit_client(struct visit *visit, const struct account *account, struct aws_account **ret_account,
                         struct aws_client *ret) MUST_USE;
/* Without clients. */
struct pass visit_pass(const struct visit *visit, struct refresh_spec *spec, const struct accounts *accounts);
char *visit_series_key(const struct visit *visit, const struct refresh_spec *spec); /* yours */

/* visit_begin.c */
bool visit_is_wanted(const struct visit *visit); /* a trigger or a request that was not handled */
/* Into the status in memory: they are answered. */
void visit_mark_handled(struct visit *visit);
struct err *visit_begin(struct visit *visit, struct requeue *ret) MUST_USE;

/* visit_pending.c */
/* Says that a run is asked for, when this is not to be read yet: *ret_written, and the pass is over. */
struct err *visit_pend(struct visit *visit, struct requeue *ret, bool *ret_written) MUST_USE;
/* Not all is in place: nothing starts. */
struct err *visit_fail_preflight(struct visit *visit, const char *failures, int64_t after_ms,
                                 struct requeue *ret) MUST_USE;
/* Takes over what has kept a run from beginning and may pass, NULL is nothing; gives it back once it is said
 * in the status of an object that waits for its run. */
struct err *visit_say_trouble(struct visit *visit, struct err *trouble) MUST_USE;
/* The status as it was read, without what was laid out in memory since. */
struct err *visit_read_again(struct visit *visit) MUST_USE;

/* visit_line.c */
/* An object whose first trigger it is gives way to a younger one of its series: *ret_given, its run never
 * begins, and the pass is over. Another trigger gives way to nobody. */
struct err *visit_give_way(struct visit *visit, struct requeue *ret, bool *ret_given) MUST_USE;
/* The oldest of the objects that wait for the series and are older than this one; yours, NULL: none. */
char *visit_find_older(const struct visit *visit);

/* By the time of creation, and among those of one second by name. */
bool visit_is_older(const struct json *a, const struct json *b);

/* visit_series.c */
/* What visit_is_wanted() says, of another object. */
bool visit_object_wants_run(const struct json *object);
/* At the end of each pass: the series is let go, unless a run is under way or about to begin. Whatever has
 * kept a run from beginning, others need not wait for it. */
void visit_leave_series(const struct visit *visit);
/* False: somebody else has the series, and this has been said. */
struct err *visit_take_series(struct visit *visit, struct requeue *ret, bool *ret_taken) MUST_USE;
/* The object whose run is to take the place of the one under way, which was not cancelled yet; yours, NULL:
 * none. It may be the same object. */
struct err *visit_find_successor(struct visit *visit, const struct refresh_spec *spec, char **ret) MUST_USE;
/* Another run of this object was asked for, while one is under way, that is not to begin after it. */
bool visit_is_forbidden(const struct visit *visit);
struct err *visit_forbid(struct visit *visit, struct requeue *ret) MUST_USE;

/* visit_advance.c */
struct err *visit_advance(struct visit *visit, struct requeue *ret) MUST_USE;
/* One pass of the runner, written and announced. */
struct err *visit_go_on(struct visit *visit, struct refresh_spec *spec, const struct accounts *accounts,
                        struct requeue *ret) MUST_USE;
/* Into the status in memory. */
void visit_end_run(struct visit *visit, const struct report *report);

/* visit_requests.c */
/* What asks for nothing as things stand: said, and remembered where it might mean something later. */
void visit_say_stale(struct visit *visit);
struct err *visit_cancel(struct visit *visit, const struct refresh_spec *spec, struct requeue *ret) MUST_USE;
/* Another run takes the place of this one. *ret_done: it was cancelled, and the pass is over; else nothing is
 * left to be cancelled, and it is about to end by itself. */
struct err *visit_replace(struct visit *visit, const struct refresh_spec *spec, struct requeue *ret,
                          bool *ret_done) MUST_USE;
/* What was asked for is in the status: written and said; the next pass goes on. */
struct err *visit_write_request(struct visit *visit, const char *reason, const char *note,
                                struct requeue *ret) MUST_USE;
/* By something that does not begin a run of its own. Sets switch_to. */
bool visit_is_asked(struct visit *visit);

/* visit_retry.c */
struct err *visit_retry(struct visit *visit, struct requeue *ret) MUST_USE;

/* visit_idle.c */
/* No run is under way or asked for: what was said of the last one still holds, and an object whose time is
 * over is deleted. */
struct err *visit_idle(struct visit *visit, struct requeue *ret) MUST_USE;

/* visit_expire.c */
#define CONDITION_EXPIRY_HELD "ExpiryHeld" /* there only while it is True */
/* Its time is over: deletes it, unless it alone knows of copies that are kept. Then *ret_held, and a
 * condition in memory says so. */
struct err *visit_expire(struct visit *visit, struct requeue *ret, bool *ret_held) MUST_USE;

/* visit_orphans.c */
/* Which copies of the status are kept and no other object of the series has taken over, or no younger one; an
 * array of yours. Objects that are going away do not count. */
bool *visit_find_orphans(const struct visit *visit, const struct refresh_spec *spec, bool younger_only);

/* visit_delete.c */
/* The object is going away: nothing new starts, what exists is removed, what cannot be yet goes into the list
 * of leftovers, and the finalizer goes after ten minutes at the most. */
struct err *visit_delete(struct visit *visit, struct requeue *ret) MUST_USE;

/* visit_succession.c */
bool visit_has_succeeded(const struct visit *visit); /* its last run */
/* Whether staging is a later run's, another object's; into the status in memory. Once so, it stays so until
 * the object has another run. */
bool visit_is_superseded(struct visit *visit);
/* A run begins or goes on, and is laid out in the status in memory: what is known of earlier runs of the
 * series is put there, as the objects that know it may go. */
void visit_look_back(struct visit *visit, const struct refresh_spec *spec);
/* A run has switched staging over: objects that had done so before are to hear of it. */
void visit_tell_earlier(const struct visit *visit);

/* visit_drift.c */
void visit_watch_drift(struct visit *visit, struct requeue *ret);

/* visit_tell.c: what is recorded goes to the courier; what it has done goes off the list. */
void visit_tell(struct visit *visit);
/* Before the write: what it makes happen. After it: what need not be known any more. */
struct err *visit_record_notices(struct visit *visit) MUST_USE;
void visit_forget_told(struct visit *visit);

#endif
