/* The health pages of Kubernetes: /healthz, /livez, /readyz; below each one page per check (/readyz/caches);
 * ?verbose lists the checks, ?exclude=NAME leaves one out. 200 when all hold, else 500. What is wrong is not
 * said: the pages are open to everybody, the log is not. */
#ifndef SERVE_HEALTH_H
#define SERVE_HEALTH_H

#include "pkg/serve/serve.h"

struct health_check {
    const char *name;
    bool (*holds)(void *arg); /* on the server's thread; must be short */
    void *arg;
};

struct health_page {
    const char *name; /* "readyz" */
    const struct health_check *checks;
    size_t count;
};

/* False: the path is none of these pages; the answer is as it was. */
bool health_answer(const struct health_page *pages, size_t count, const struct serve_request *request,
                   struct serve_answer *answer);

#endif
