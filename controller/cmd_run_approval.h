/* Approval of the switchover when there is no cluster whose users could give it: whoever runs the command is
 * asked on the terminal. */
#ifndef CONTROLLER_CMD_RUN_APPROVAL_H
#define CONTROLLER_CMD_RUN_APPROVAL_H

#include <stdbool.h>

#include "pkg/base/json.h"

/* Whether the run has come to the point where it waits for approval, and nothing but that. */
bool approval_is_awaited(const struct json *object);

enum approval_answer { APPROVAL_OPEN, APPROVAL_GIVEN, APPROVAL_REFUSED };
/* "y" and "yes" approve, in any case and with space around them; anything else does not. */
enum approval_answer approval_read(const char *line);

/* A question on the process's terminal. */
struct approval;

/* NULL: there is no terminal to ask on. */
struct approval *approval_open(void);
/* What has been typed so far; never waits. The end of the input refuses. */
enum approval_answer approval_poll(struct approval *approval);
void approval_close(struct approval *approval); /* NULL is fine */

#endif
