/* Which object of this process has a series: at most one at a time. Series are "namespace/series", holders
 * "namespace/name". All calls take about as long however many there are. Thread-safe. */
#ifndef CONTROLLER_SERIES_CLAIMS_H
#define CONTROLLER_SERIES_CLAIMS_H

#include <stdbool.h>

struct series_claims;

struct series_claims *series_claims_new(void);
void series_claims_free(struct series_claims *claims);
/* True when it was free or is held by this holder already. */
bool series_claims_take(struct series_claims *claims, const char *series, const char *holder);
/* All that the holder has. */
void series_claims_release(struct series_claims *claims, const char *holder);
char *series_claims_holder(struct series_claims *claims, const char *series); /* yours; NULL: nobody */
/* Somebody else wants it; without a holder nothing happens. Forgotten with the claim. */
void series_claims_ask(struct series_claims *claims, const char *series, const char *asker);
char *series_claims_asker(struct series_claims *claims, const char *series); /* the last one; yours; NULL */

#endif
