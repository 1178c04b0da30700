/* One pass over one StagingRefresh: what steps are given, and what they give back.
 *
 * A pass either records or acts, never both (reconcile.c decides which). Steps look at the world and change
 * it; they write only into the status in memory. The runner alone turns outcomes into states, events and
 * waits; the worker alone logs. */
#ifndef CONTROLLER_PASS_H
#define CONTROLLER_PASS_H

#include "controller/objects.h"
#include "pkg/aws/client.h"
#include "pkg/refresh/account.h"
#include "pkg/refresh/spec.h"
#include "pkg/refresh/status.h"

enum verdict {
    VERDICT_WAIT,   /* started or still under way: look again after after_ms */
    VERDICT_DONE,   /* the step has reached its end */
    VERDICT_FAILED, /* this attempt is over and did not reach it */
};

struct outcome {
    enum verdict verdict;
    int64_t after_ms;
    bool retryable;  /* FAILED: another attempt may help */
    bool is_crowded; /* and retryable: too much was under way at once, which passes by itself */
    char *reason;    /* FAILED: CamelCase, for conditions */
    char *message;   /* what is being waited for, or what went wrong and what to do; owned */
    char *warning_reason, *warning; /* what people should hear besides; owned, NULL: nothing */
};

struct outcome outcome_done(const char *fmt, ...) PRINTF_LIKE(1, 2);
struct outcome outcome_wait(int64_t after_ms, const char *fmt, ...) PRINTF_LIKE(2, 3);
struct outcome outcome_failed(const char *reason, const char *fmt, ...) PRINTF_LIKE(2, 3);
struct outcome outcome_retryable(const char *reason, const char *fmt, ...) PRINTF_LIKE(2, 3);
/* Adds a warning for people to an outcome. */
void outcome_warn(struct outcome *outcome, const char *reason, const char *text);
void outcome_reset(struct outcome *outcome);
#define AUTO_OUTCOME CLEANUP(outcome_reset)

struct pass {
    const struct env *env;
    struct objects *objects;
    const struct json *object; /* as last written */
    const char *namespace, *name, *uid;
    int64_t generation;
    struct refresh_spec *spec;       /* frozen */
    const struct refresh_spec *live; /* the object's present spec; NULL when it cannot be read */
    struct refresh_status *status;
    const struct account *source_account; /* may be NULL */
    const struct account *target_account;
    struct aws_client source; /* account NULL when there is no source */
    struct aws_client target;
    int64_t now_ms;    /* wall clock at the start of the pass */
    bool hears_events; /* the target's event queue can be read */
};

/* What one step works on: a database of the pipeline or an entry of the switchover. */
struct stage {
    struct pass *pass;
    const struct step *step;
    struct step_status *row;
    const struct database_spec *database; /* pipeline */
    struct database_status *copy;         /* pipeline: what is known of this database and its copy */
    size_t index;                         /* switchover: which proxy, parameter or application */
    int64_t watched_ms; /* how long this process has been looking: time in which nobody did is no evidence */
    int64_t heard_ms;   /* how long ago there was a hint of news; NEVER_MS: there was none */
    bool is_told;       /* there was a hint that it is under way: there will be one of its end, most likely */
};

/* Why acting twice on one intent does no harm. */
enum repeat {
    REPEAT_TOKEN,        /* the service knows the token of this intent */
    REPEAT_NAME,         /* what is made has a name that follows from run and attempt */
    REPEAT_LOOK,         /* reads first and acts only when it must */
    REPEAT_ONCE_OR_MORE, /* it may happen again, and whoever asked for it has said that this is fine */
};

struct step {
    const char *name;
    enum repeat repeat;
    int64_t timeout_ms; /* from the intent; 0: taken from the spec by `timeout_of` */
    int64_t (*timeout_of)(const struct timeouts *timeouts);
    int weight;        /* share of the pipeline's percentage */
    const char *phase; /* for people */
    /* Looks whether the row could do its work, before the first row of the switchover changes anything: what
     * is wrong would else show when staging is half switched. Changes nothing, remembers nothing. Optional.
     */
    struct err *(*rehearse)(struct stage *stage);
    /* Looks at what the intent must remember and writes it into row and copy; starts nothing. May make the
     * row SKIPPED. Optional. */
    struct err *(*intend)(struct stage *stage);
    /* Starts (row INTENDED) or observes (row RUNNING). An error means: nothing was decided, come again. */
    struct err *(*act)(struct stage *stage, struct outcome *out);
    /* Puts back what the row has changed, when the switchover is given up; LOOK whatever `repeat` says, and
     * called until it is DONE, or FAILED: it cannot be put back, and is left as it is. Rows are undone from
     * the last step to the first. NULL: nothing to put back. */
    struct err *(*undo)(struct stage *stage, struct outcome *out);
    bool may_be_gone; /* what `undo` does not find (ERR_NOT_FOUND) needs no putting back; else that is an
                         error as any other */
    bool undo_last;   /* after all others: who reads the others' work must read it again when it has been put
                         back */
    bool every_pass;  /* looks at the object alone, so it does so in every pass: an edit counts at once */
    bool runs_out;    /* when the run is cancelled it goes on to its end: what it makes must be known to be
                         deleted one day */
    bool at_end;   /* the last row of every run, also of one that has failed, once all is put back; it fails
                      no run, and nothing is put back after it has begun */
    bool in_order; /* its rows run one after the other, not side by side */
    /* Switchover steps: one row per entry of the spec. NULL name: the step has one row, named as itself. */
    size_t (*entry_count)(const struct refresh_spec *spec);
    const char *(*entry_name)(const struct refresh_spec *spec, size_t index);
};

struct step_table {
    const struct step *steps;
    size_t count;
};

/* The workflow, readable in one place: workflow.c. */
const struct step_table *workflow_pipeline(enum database_kind kind);
const struct step_table *workflow_switchover(void);
/* The step that a row of the switchover belongs to ("Proxies/shop-stg", "Window"); NULL: none of ours. */
const struct step *workflow_switchover_step(const char *row_name);
/* Some step's phase. */
bool workflow_is_phase(const char *text);
/* How many rows a switchover step has for this spec, and what one is called: "Proxies/shop-stg"; yours. */
size_t workflow_entry_count(const struct step *step, const struct refresh_spec *spec);
char *workflow_row_name(const struct step *step, const struct refresh_spec *spec, size_t index);

/* Milliseconds since the row's intent, on the scaled clock. */
int64_t stage_age_ms(const struct stage *stage);
/* Writes the row state RUNNING with the id the service gave. */
void stage_started(struct stage *stage, const char *external_id);

/* Before a delete or a deregister: reads the object live and refuses (ERR_CONFLICT, ERR_CANCELED) unless it
 * is still the same object, not being deleted (unless it was when the pass began), and the run under way is
 * this one. */
struct err *pass_check_live(const struct pass *pass) MUST_USE;

#endif
