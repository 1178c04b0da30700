/* When a run is over, as `run` sees it: a pure function of the object, for the command and its tests. */
#ifndef CONTROLLER_CMD_RUN_H
#define CONTROLLER_CMD_RUN_H

#include "controller/cmd_common.h"
#include "pkg/base/json.h"

struct run_verdict {
    bool is_over;
    enum exit_code code;
    const char *sentence; /* inside the object; NULL: none but the result itself */
};

/* `before` names a run that had ended when the command began, and whose end is old news; NULL: none. */
struct run_verdict run_judge(const struct json *object, const char *before);
/* Whether the object asks for a run that has not begun: by its trigger, its annotation, or because there was
 * none yet. */
bool run_is_wanted(const struct json *object);

#endif
