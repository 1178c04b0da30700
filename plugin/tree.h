/* A refresh as a tree: its databases and their steps, the switchover and its entries, what staging uses, what
 * is kept, what is wrong, and what can be done next. A pure function of what it is given. */
#ifndef PLUGIN_TREE_H
#define PLUGIN_TREE_H

#include "pkg/refresh/progress.h"

struct tree_view {
    const struct json *object;           /* the StagingRefresh */
    const struct refresh_status *status; /* parsed of it */
    int64_t now_ms;                      /* wall clock */
    int width;                           /* columns; 0: lines are not cut */
    bool color;
    bool utf8; /* glyphs and branches; else plain ASCII */
};

/* Appends the tree; every line ends in a newline. Gives the number of lines. */
size_t tree_render(const struct tree_view *view, struct buf *out);
/* The same facts for programs. */
struct json *tree_to_json(const struct tree_view *view);

#endif
