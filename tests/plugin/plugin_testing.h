/* StagingRefreshes for the tests of the plugin, as little as will do. Everything here is static: one test,
 * one executable. */
#ifndef PLUGIN_TESTING_H
#define PLUGIN_TESTING_H

#include "pkg/refresh/status.h"
#include "tests/testing/assertions.h"

#define START "\"startTime\":\"2026-11-22T16:00:00Z\""
#define END "\"completionTime\":\"2026-11-22T16:01:00Z\""
#define NOW_MS INT64_C(1795363505000) /* five minutes and five seconds after START */

#define ROW(name, state, more) "{\"name\":\"" name "\",\"state\":\"" state "\",\"attempt\":1" more "}"
#define DONE(name) ROW(name, "Done", "," START "," END)
#define WAITING(name) ROW(name, "Waiting", "")
#define MESSAGE(text) ",\"message\":\"" text "\""
#define DATABASE(name, percent, rows) "{\"name\":\"" name "\",\"percent\":" percent ",\"steps\":[" rows "]}"
#define ACTIVE_RUN "\"run\":{\"id\":\"r2\",\"attempt\":1," START "}"
#define ENDED_RUN "\"run\":{\"id\":\"r2\",\"attempt\":1," START "," END "}"
#define COPY(database, run, role, time)                                                                      \
    "{\"arn\":\"arn:" database ":" run "\",\"identifier\":\"" database "-" run "\",\"database\":\"" database \
    "\",\"runID\":\"" run "\",\"role\":\"" role "\",\"creationTime\":\"" time "\"}"
#define OLD "2026-11-20T16:00:05Z"
#define NEW "2026-11-22T16:00:05Z"
#define CONDITION(type, status, reason, message)                                                        \
    "{\"type\":\"" type "\",\"status\":\"" status "\",\"reason\":\"" reason "\",\"message\":\"" message \
    "\",\"lastTransitionTime\":\"2026-11-22T16:00:00Z\",\"observedGeneration\":1}"
#define HISTORY(run, result, more) \
    "{\"runID\":\"" run "\",\"attempt\":1,\"result\":\"" result "\"," START "," END more "}"
#define STATUS(phase, text, run, more) \
    "{\"phase\":\"" phase "\",\"observedGeneration\":1,\"progress\":{\"text\":\"" text "\"}," run more "}"
#define DATABASES(list) ",\"databases\":[" list "]"
#define SWITCHOVER(list) ",\"switchover\":{\"steps\":[" list "]}"
#define COPIES(list) ",\"copies\":[" list "]"
#define CONDITIONS(list) ",\"conditions\":[" list "]"
#define PAST(list) ",\"history\":[" list "]"

/* `status` NULL: a fresh object. `more` are members of the object, behind a comma. */
UNUSED static struct json *object_of(const char *status, const char *metadata)
{
    AUTO_FREE char *text =
        xasprintf("{\"apiVersion\":\"stagingrefresh.dev/v1alpha1\",\"kind\":\"StagingRefresh\","
                  "\"metadata\":{\"namespace\":\"staging\",\"name\":\"shop\",\"uid\":\"u\","
                  "\"resourceVersion\":\"7\",\"generation\":1%s},\"spec\":{}%s%s}",
                  metadata ? metadata : "", status ? ",\"status\":" : "", status ? status : "");
    struct json *object = NULL;

    assert_no_err(json_parse(str_of(text), NULL, &object));
    return object;
}

UNUSED static struct refresh_status *status_of(const struct json *object)
{
    struct refresh_status *status = NULL;

    assert_no_err(refresh_status_parse(json_member(object, "status"), &status));
    return status;
}

#endif
