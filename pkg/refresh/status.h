/* The status of a StagingRefresh as plain structs, to and from JSON. Written by the controller alone; sizes
 * are bounded when it is written. Text members are owned and NULL when absent; times are wall-clock
 * milliseconds, 0 when absent. */
#ifndef REFRESH_STATUS_H
#define REFRESH_STATUS_H

#include "pkg/base/err.h"
#include "pkg/base/json.h"
#include "pkg/refresh/spec.h"

enum step_state {
    STEP_WAITING,
    STEP_INTENDED,
    STEP_RUNNING,
    STEP_DONE,
    STEP_FAILED,
    STEP_SKIPPED,
    STEP_UNDONE
};

struct step_status {
    char *name;
    enum step_state state;
    int64_t attempt; /* 1-based */
    char *external_id;
    int64_t start_ms; /* when the intent was written */
    int64_t completion_ms;
    int64_t percent;
    char *message;         /* cut to 1,024 bytes when written */
    struct json *evidence; /* object of short texts: what the step must remember; NULL when empty */
};

struct database_status {
    char *name;
    char *recovery_point_arn;      /* in the source's vault */
    char *copy_recovery_point_arn; /* in the target's vault */
    char *copy_identifier;         /* cluster or table name of the copy */
    char *copy_arn;
    char *endpoint, *reader_endpoint;
    int64_t port;
    char *stream_arn;
    char *engine, *engine_version, *master_username;
    int64_t percent;  /* of the pipeline that is behind it */
    int64_t failures; /* errors in a row; back-off grows with them */
    int64_t back_off_until_ms;
    char *last_error; /* of the pass that failed last; NULL after success */
    struct step_status *steps;
    size_t step_count;
};

/* Where a parameter of a StagingRefresh is written: may name a copy. */
struct place_status {
    enum parameter_kind kind;
    char *target, *key; /* as in struct parameter_spec */
};

enum copy_role { COPY_UNFINISHED, COPY_IN_USE, COPY_PREVIOUS, COPY_FAILED, COPY_REMOVING };
struct copy_status {
    char *arn, *identifier, *database, *run_id, *restore_job_id;
    enum database_kind kind;
    enum copy_role role;
    int64_t creation_ms;
    bool protected_by_settings; /* the step Settings turns its deletion protection on: it is ours to lift */
    struct place_status
        *places;        /* of other objects, from which it was taken over; the spec has none of them */
    size_t place_count; /* at most STATUS_PLACES_MAX */
};
#define STATUS_PLACES_MAX 128

struct previous_status { /* what a proxy or parameter held before; secret contents never */
    char *kind;          /* Proxy, SSM, SecretsManager, ConfigMap, Secret */
    char *name;          /* of the spec's entry */
    char *value;         /* target cluster, ConfigMap content */
    char *version;       /* SSM version, Secrets Manager version id */
};

struct run_status {
    char *id; /* NULL: there has been no run yet */
    int64_t attempt;
    char *trigger, *request;
    char *copies_of; /* a switch-to: the run whose copies it puts staging onto; NULL: its own */
    char *controller_version;
    int64_t start_ms, completion_ms; /* completion: any end */
    char *approved_by;
    int64_t approval_ms;
    struct json *spec; /* frozen */
};

struct step_time {
    char *name;      /* "main/Backup", "Proxies/shop-stg" */
    int64_t seconds; /* from its intent to its end */
};

struct history_entry {
    char *run_id, *result, *message;
    char *copies_of; /* as in run_status */
    int64_t attempt, start_ms, completion_ms;
    struct step_time *steps; /* of the newest one that succeeded only */
    size_t step_count;
};
struct step_time *history_add_step(struct history_entry *entry);
void history_clear_steps(struct history_entry *entry);

/* What others are still to be told, recorded with what it is about: whatever crashes, it is told once or
 * more.
 */
struct notice {
    char *id; /* the same whenever it is told again */
    char *transition;
    char *run_id; /* NULL: of no run */
    int64_t attempt, time_ms;
    char *message;
    char **pending; /* names of spec.notifications that have not taken it */
    size_t pending_count;
};

enum condition_status { CONDITION_FALSE, CONDITION_TRUE, CONDITION_UNKNOWN };
struct condition {
    char *type, *reason, *message;
    enum condition_status status;
    int64_t observed_generation, transition_ms;
};

struct refresh_status {
    int64_t observed_generation;
    char *phase;
    int64_t percent;
    char *progress_text;
    int64_t estimated_completion_ms;
    char *last_handled_trigger,
        *last_handled_request; /* NULL: nothing handled yet ("" was handled when "") */
    struct run_status run;
    struct database_status *databases;
    size_t database_count;
    struct copy_status *copies;
    size_t copy_count;
    struct step_status *switchover_steps;
    size_t switchover_step_count;
    struct previous_status *previous;
    size_t previous_count;
    struct history_entry *history; /* newest first, at most ten */
    size_t history_count;
    struct condition *conditions;
    size_t condition_count;
    struct notice *notices; /* oldest first */
    size_t notice_count;
};

/* `status` may be NULL (a fresh object). ERR_INVALID when somebody else wrote nonsense into it. */
struct err *refresh_status_parse(const struct json *status, struct refresh_status **ret) MUST_USE;
struct json *refresh_status_to_json(const struct refresh_status *status);
struct refresh_status *refresh_status_new(void);
void refresh_status_free(struct refresh_status *status);

struct database_status *status_database(struct refresh_status *status, const char *name);
struct database_status *status_add_database(struct refresh_status *status, const char *name);
struct step_status *status_add_step(struct step_status **steps, size_t *count, const char *name);
struct copy_status *status_copy(struct refresh_status *status, const char *arn); /* NULL: none */
struct copy_status *status_add_copy(struct refresh_status *status, const char *arn);
struct place_status *copy_add_place(struct copy_status *copy, const struct parameter_spec *parameter);
void status_remove_copy(struct refresh_status *status, size_t index);
struct previous_status *status_previous(struct refresh_status *status, const char *kind,
                                        const char *name); /* NULL: none */
struct previous_status *status_set_previous(struct refresh_status *status, const char *kind,
                                            const char *name);
void status_add_history(struct refresh_status *status, const char *run_id, const char *result,
                        const char *message);
/* Clears databases and switchover (rows of a finished run), for a new run. Copies and history stay. */
void status_reset_run(struct refresh_status *status);

/* The run whose copies the last run puts staging onto. */
const char *status_copies_run(const struct refresh_status *status);
/* What the annotation that approves the run under way holds: "<run>", from the second attempt on
 * "<run>/<attempt>"; yours. */
char *status_approval(const struct refresh_status *status);
/* A notice at the end, with nobody to be told yet. True: the oldest had to go for it. */
bool status_add_notice(struct refresh_status *status, const struct notice *notice);
void status_notice_pend(struct notice *notice, const char *name);
/* `name` has taken it, or never will; a notice that nobody is to be told any more goes. Later ones move. */
void status_notice_settle(struct refresh_status *status, const char *id, const char *name);

/* What is kept of a text that somebody asked by, once it is answered, to know it again: the text, or when it
 * is long its beginning and a digest of the whole. Yours. */
char *status_answered(const char *text);
bool status_is_answered(const char *kept, const char *text); /* kept NULL: nothing was answered yet */

/* Evidence of a step: short texts by name. value NULL removes. */
/* Of the row Approval: the run has a copy that an earlier approval did not mean. */
#define EVIDENCE_NEW_COPY "newCopy"
const char *step_evidence(const struct step_status *step, const char *name);
void step_set_evidence(struct step_status *step, const char *name, const char *value);
void step_set_evidence_ms(struct step_status *step, const char *name, int64_t ms);
int64_t step_evidence_ms(const struct step_status *step, const char *name, int64_t otherwise);

const char *step_state_name(enum step_state state);

/* What the API server takes as the reason of a condition, made of any code or name: "not found" becomes
 * NotFound, and nothing at all Unknown. Yours. */
char *condition_reason(const char *code);
/* The messages tell of the same, though of another try: only the request ids in them differ. NULL is "". */
bool condition_says_same(const char *a, const char *b);
/* The first request id in a message; yours, NULL: there is none. */
char *condition_request(const char *message);

/* Conventions of metav1.Condition: the transition time moves only when the status changes, order is stable.
 * The reason may be any code; a message that says the same again does not replace the one that is there, so
 * that trouble which lasts is written once. */
struct condition *status_condition(struct refresh_status *status, const char *type); /* NULL: none */
void status_set_condition(struct refresh_status *status, const char *type, enum condition_status value,
                          const char *reason, const char *message, int64_t generation, int64_t now_ms);
void status_remove_condition(struct refresh_status *status, const char *type);

/* Replaces an owned text. */
void text_replace(char **text, const char *value);

static inline void auto_refresh_status(struct refresh_status **status)
{
    refresh_status_free(*status);
}
#define AUTO_REFRESH_STATUS CLEANUP(auto_refresh_status)

#endif
