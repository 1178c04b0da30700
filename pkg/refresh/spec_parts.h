/* The tables of the parts of a StagingRefresh's spec, one file each. Private to pkg/refresh. */
#ifndef REFRESH_SPEC_PARTS_H
#define REFRESH_SPEC_PARTS_H

#include "pkg/refresh/fields.h"
#include "pkg/refresh/spec.h"

/* A duration as Kubernetes' users write it, at most "99999h99999m99999s". */
#define DURATION_ROW(path_, offset_, otherwise_)                                                        \
    .path = (path_), .kind = FIELD_DURATION, .offset = (offset_), .otherwise = (otherwise_), .max = 24, \
    .shape = &shape_duration

extern const struct part database_part;     /* struct database_spec */
extern const struct part password_part;     /* struct password_spec */
extern const struct part hook_part;         /* struct hook_spec */
extern const struct part window_part;       /* struct window_spec */
extern const struct part proxy_part;        /* struct proxy_spec */
extern const struct part parameter_part;    /* struct parameter_spec */
extern const struct part application_part;  /* struct application_spec */
extern const struct part notification_part; /* struct notification_spec */

/* What concerns more than one part: names that must exist or differ, templates, the two accounts. */
struct err *spec_check(void *item, const struct json *value, const char *where) MUST_USE;

/* Calls `visit` for each "$(name)" of a template, and "$$" and plain text with name NULL; stops at the first
 * error. ERR_INVALID when a "$(" is not closed. */
struct err *template_scan(const char *text,
                          struct err *(*visit)(void *arg, const char *name, struct str plain),
                          void *arg) MUST_USE;

#endif
