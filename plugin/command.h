/* The commands of the plugin. */
#ifndef PLUGIN_COMMAND_H
#define PLUGIN_COMMAND_H

#include "plugin/session.h"

struct command {
    const char *name;
    const char *usage;   /* what follows the name: "NAME [FLAGS]" */
    const char *summary; /* one line */
    const char *details; /* paragraphs for --help */
    struct flag_table flags;
    int64_t operands_min;
    enum exit_code (*run)(struct session *session);
};

extern const struct command commands[];
extern const size_t command_count;

#endif
