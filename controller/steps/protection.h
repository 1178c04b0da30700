/* Whose deletion protection a copy has. What the step Settings has turned on is lifted when the copy is to go
 * (removal.h); what anybody else has turned on keeps the copy. So ours is in the status before it is there.
 */
#ifndef CONTROLLER_STEPS_PROTECTION_H
#define CONTROLLER_STEPS_PROTECTION_H

#include "controller/pass.h"

/* Before it is turned on. True: that is written down with this pass, and done in the next one. */
bool protection_record(struct stage *stage);
/* All is set: what could not be turned on is not ours. */
void protection_settle(struct stage *stage, bool is_on);

#endif
