/* Whether the run that somebody asked for is over. A pure function of the object. */
#ifndef PLUGIN_VERDICT_H
#define PLUGIN_VERDICT_H

#include "plugin/facts.h"

struct awaited {
    const char *request; /* the value of run-requested that asked for it */
    const char *before;  /* the run that was the last one then; "" for none */
};

enum verdict_kind { VERDICT_GOES_ON, VERDICT_SUCCEEDED, VERDICT_FAILED };
struct verdict {
    enum verdict_kind kind;
    const char *sentence; /* why; lives as long as the status */
};

struct verdict verdict_of(const struct json *object, const struct refresh_status *status,
                          const struct awaited *awaited);

#endif
