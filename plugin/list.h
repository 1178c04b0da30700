/* Refreshes as a table, one line each, with what a person should know of it at the end. A pure function. */
#ifndef PLUGIN_LIST_H
#define PLUGIN_LIST_H

#include "pkg/base/buf.h"
#include "pkg/base/json.h"

struct list_view {
    const struct json *const *objects; /* StagingRefreshes */
    size_t count;
    int64_t now_ms; /* wall clock */
    int width;      /* columns; 0: lines are not cut */
    bool color;
    bool namespaces; /* of more than one: they have a column */
};

/* Appends the table; gives the number of lines. */
size_t list_render(const struct list_view *view, struct buf *out);

#endif
