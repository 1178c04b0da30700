/* Requests that people make of a refresh: what is asked for, whether it makes sense as things stand, and the
 * annotations that say it. Each carries the run it was read for, so that one that comes too late asks for
 * nothing. What the annotations mean: docs/kubectl.md. */
#ifndef PLUGIN_REQUEST_H
#define PLUGIN_REQUEST_H

#include "plugin/cluster.h"
#include "plugin/facts.h"

enum request_kind { REQUEST_RUN, REQUEST_APPROVE, REQUEST_RETRY, REQUEST_CANCEL, REQUEST_SWITCH };

struct request {
    enum request_kind kind;
    const char *namespace, *name; /* of the refresh */
    const char *run;              /* SWITCH: which one, or "previous" */
    const char *unique;           /* a text that was never used before */
};

/* What it comes to for one version of the object. */
struct request_plan {
    char *refusal;            /* NULL: go on */
    struct json *annotations; /* to be set */
    char *said;               /* what has then been asked for, as a sentence */
};
/* `user` is for APPROVE. Pure. */
struct request_plan request_plan(const struct request *request, const struct refresh_status *status,
                                 const char *user);
void request_plan_done(struct request_plan *plan);
#define AUTO_REQUEST_PLAN CLEANUP(request_plan_done)

/* Reads the refresh, plans, and writes; again when somebody wrote in between, as long as it is the same
 * attempt of the same run. *ret_said is a sentence, *ret_before the object as it was just before; both yours.
 * ERR_INVALID: it makes no sense as things stand, and nothing was written. */
struct err *request_send(const struct cluster *cluster, const struct request *request, char **ret_said,
                         struct json **ret_before) MUST_USE;

#endif
