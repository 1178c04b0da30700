/* What a person can do next about a refresh: a sentence, and the command that does it. */
#ifndef PLUGIN_ADVICE_H
#define PLUGIN_ADVICE_H

#include "plugin/facts.h"

struct advice {
    const char *text;
    char *command; /* NULL: there is none */
};
#define ADVICE_MAX 4
struct advices {
    struct advice items[ADVICE_MAX];
    size_t count;
};

/* `object` is the refresh of this status. The most pressing first. */
struct advices advices_of(const struct json *object, const struct refresh_status *status);
void advices_done(struct advices *advices);
#define AUTO_ADVICES CLEANUP(advices_done)

#endif
