/* What has passed a preflight lately need not be asked again: many runs share vaults, keys and groups. Each
 * check is remembered for five minutes. Thread-safe. */
#ifndef CONTROLLER_PREFLIGHT_MEMO_H
#define CONTROLLER_PREFLIGHT_MEMO_H

#include <stdbool.h>
#include <stdint.h>

struct preflight_memo;

struct preflight_memo *preflight_memo_new(void);
void preflight_memo_free(struct preflight_memo *memo);
/* `key`: all that the outcome of a check depends on. Times are the scheduler's. */
bool preflight_memo_has(struct preflight_memo *memo, const char *key, int64_t now_ms);
/* When there are too many, the oldest makes room. */
void preflight_memo_add(struct preflight_memo *memo, const char *key, int64_t now_ms);

#endif
