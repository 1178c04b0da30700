#include "controller/preflight_memo.h"

#include "pkg/base/alloc.h"
#include "pkg/base/lock.h"
#include "pkg/base/times.h"
#include "pkg/kube/keymap.h"

#define MEMO_MS MINUTES(5)
/* Some 8 MiB at most; 5,000 objects with tables of their own have about as many in five minutes. */
#define MEMO_MAX 32768

struct remembered {
    struct keymap_node node;
    int64_t until_ms;
    struct remembered *next; /* the one that was added after it */
};

struct preflight_memo {
    pthread_mutex_t lock;
    struct keymap items;                /* lock */
    struct remembered *oldest, *newest; /* lock; all are remembered for equally long: the oldest goes first */
};

struct preflight_memo *preflight_memo_new(void)
{
    struct preflight_memo *memo = xcalloc(1, sizeof(*memo));

    pthread_mutex_init(&memo->lock, NULL);
    return memo;
}

static void forget_oldest(struct preflight_memo *memo)
{
    struct remembered *oldest = memo->oldest;

    memo->oldest = oldest->next;
    if (!memo->oldest)
        memo->newest = NULL;
    keymap_remove(&memo->items, &oldest->node);
    xfree(oldest->node.key);
    xfree(oldest);
}

void preflight_memo_free(struct preflight_memo *memo)
{
    if (!memo)
        return;
    while (memo->oldest)
        forget_oldest(memo);
    keymap_done(&memo->items);
    pthread_mutex_destroy(&memo->lock);
    xfree(memo);
}

bool preflight_memo_has(struct preflight_memo *memo, const char *key, int64_t now_ms)
{
    const struct remembered *item;

    LOCK_SCOPE(&memo->lock);
    item = keymap_find(&memo->items, key);
    return item && item->until_ms > now_ms;
}

void preflight_memo_add(struct preflight_memo *memo, const char *key, int64_t now_ms)
{
    struct remembered *item;

    LOCK_SCOPE(&memo->lock);
    while (memo->oldest && (memo->oldest->until_ms <= now_ms || memo->items.count >= MEMO_MAX))
        forget_oldest(memo);
    if (keymap_find(&memo->items, key)) /* two runs asked at the same time */
        return;
    item = xcalloc(1, sizeof(*item));
    item->node.key = xstrdup(key);
    item->until_ms = now_ms + MEMO_MS;
    keymap_insert(&memo->items, &item->node);
    *(memo->newest ? &memo->newest->next : &memo->oldest) = item;
    memo->newest = item;
}
