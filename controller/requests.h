/* Requests that people make by annotation, besides run-requested and approve: what each asks for, and what
 * that does to the status. They name what they mean, so that one that was left over is stale; what has been
 * answered is remembered with the run. Nothing here calls anybody, and no annotation is ever written.
 *
 *   cancel: <run> or <run>/<attempt>   a run under way ends as soon as it can, and its switchover is put back
 *   retry: <run>/<attempt>             a run that failed goes on, with a new attempt of what failed
 *   switch-to: <run> or "previous"     staging uses the kept copies of that run; "<run>/<text>" is the
 *                                      same, for asking once more */
#ifndef CONTROLLER_REQUESTS_H
#define CONTROLLER_REQUESTS_H

#include "controller/pass.h"

/* "" when the object does not ask. */
const char *request_value(const struct json *object, const char *name);

/* A request that was answered and is not there any more may come again. */
void requests_forget(struct refresh_status *status, const struct json *object);

/* The run under way is meant, and was not cancelled by these words before. */
bool request_cancels(const struct refresh_status *status, const struct json *object);
/* Marks the rows: what has not begun never will; jobs that AWS cannot stop are left to themselves, but a
 * restore goes on to its end, so that what it makes is known; a switchover under way has failed, and is
 * therefore put back. */
void request_cancel(struct refresh_status *status, const struct refresh_spec *spec, const char *value,
                    int64_t now_ms);

/* The run was cancelled, by whomever, since it began or was retried. */
bool request_is_cancelled(const struct refresh_status *status);
/* The object goes away: nothing goes on to its end, no restore either. Jobs that AWS is running stay in their
 * rows; a switchover under way has failed, and is therefore put back. */
void request_abandon(struct refresh_status *status, int64_t now_ms);

/* The run that failed last is meant, and this attempt of it. */
bool request_retries(const struct refresh_status *status, const struct json *object);
/* Rows that failed or were undone wait again, under the next attempt; the run is under way. A copy that is
 * not in the status any more, or is being removed, is restored anew: then hooks and approval are due again,
 * too. */
void request_retry(struct refresh_status *status, const struct refresh_spec *spec);

/* What is asked for, as long as it was not answered; NULL: nothing. Inside the object. */
const char *request_switch(const struct refresh_status *status, const struct json *object);
/* One that comes while a run is under way: answered at once, by a sentence of yours; NULL: there is none, or
 * it was answered before. It would mean other copies by the end of the run. */
char *request_refuse_switch(struct refresh_status *status, const struct json *object);
/* The run whose copies are meant: yours, or NULL and a sentence (*ret_refusal, yours) why there is none. */
char *request_switch_run(struct refresh_status *status, const struct refresh_spec *spec, const char *value,
                         char **ret_refusal);
/* The copy that is kept of that run and database; NULL: none. */
const struct copy_status *request_kept_copy(const struct refresh_status *status, const char *run_id,
                                            const char *database);
/* After a run was laid out: only the switchover's changes are left to do, and databases carry the kept
 * copies' names. */
void request_lay_out_switch(struct refresh_status *status, const char *run_id);
/* Carries what was answered over to the next run: take before it is laid out, and put after. */
char *requests_take_answered(const struct refresh_status *status); /* may be NULL; yours */
void requests_put_answered(struct refresh_status *status, const char *switched_to);

/* Why a request that is there asks for nothing: a sentence, yours; NULL when there is nothing to say. */
char *request_staleness(const struct refresh_status *status, const struct json *object, const char *name);

#endif
