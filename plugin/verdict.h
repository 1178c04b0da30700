/* Whether the run that somebody asked for is over. A pure function of the object. */
#ifndef PLUGIN_VERDICT_H
#define PLUGIN_VERDICT_H

#include "pkg/base/times.h"
#include "plugin/facts.h"

struct awaited {
    const char *request; /* the value of run-requested that asked for it */
    const char *before;  /* the run that was the last one then; "" for none */
    const char *stalled; /* why the refresh was stalled then; NULL: it was not */
    int64_t waited_ms;   /* since then */
};

enum verdict_kind { VERDICT_GOES_ON, VERDICT_SUCCEEDED, VERDICT_FAILED };
struct verdict {
    enum verdict_kind kind;
    const char *sentence; /* why; lives as long as the status */
};

/* What stalled a refresh before somebody asked is an answer only when it still stands after that time: the
 * controller tries again first. */
#define VERDICT_OLD_ANSWER_MS SECONDS(30)

struct verdict verdict_of(const struct json *object, const struct refresh_status *status,
                          const struct awaited *awaited);

#endif
