/* A transport with a gate: nothing is sent any more once the process may not act. For workers, whose calls
 * change things: election alone is no fence, since a process that was frozen wakes in the middle of a pass
 * and goes on before it learns that it leads no more. What was sent before the gate closed is finished; that
 * no second effect follows is the matter of tokens and of resourceVersions. */
#ifndef CONTROLLER_TRANSPORT_GATED_H
#define CONTROLLER_TRANSPORT_GATED_H

#include "pkg/http/transport.h"

/* Takes `inner` over. `may_send` is asked before each request, on the thread that sends, and must not wait;
 * when it says no the request fails with ERR_RETRY. */
struct transport *gated_transport_new(struct transport *inner, bool (*may_send)(void *arg), void *arg);

#endif
