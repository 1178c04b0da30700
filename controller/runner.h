/* One runner for all tables: finds the rows that are due, writes intents or acts, and turns outcomes into
 * states. */
#ifndef CONTROLLER_RUNNER_H
#define CONTROLLER_RUNNER_H

#include "controller/looks.h"
#include "controller/pass.h"

enum run_end { RUN_GOES_ON, RUN_SUCCEEDED, RUN_FAILED };

/* What people should hear of once the status is written. */
struct happening {
    enum event_severity severity;
    char *reason, *note;
};

struct report {
    bool recorded;    /* intents were written into the status: write it and come again at once, nothing was
                         started */
    int64_t after_ms; /* when something is due again */
    enum run_end end;
    char *fail_reason, *fail_message; /* RUN_FAILED */
    char *blocked_reason,
        *blocked_message; /* the same refusal for five minutes: a person must do something */
    struct happening *happenings;
    size_t happening_count;
};
void report_done(struct report *report);
#define AUTO_REPORT CLEANUP(report_done)

/* Every row of the run, all WAITING: written when the run starts. */
void runner_lay_out(struct refresh_status *status, const struct refresh_spec *spec);
/* One pass over the run. ERR_CONFLICT and ERR_CANCELED end it, and nothing may be written; other errors of
 * steps are kept in their rows. */
struct err *runner_advance(struct pass *pass, struct looks *looks, struct report *ret) MUST_USE;

#endif
