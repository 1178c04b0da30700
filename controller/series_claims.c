#include "controller/series_claims.h"

#include "pkg/base/lock.h"
#include "pkg/base/str.h"
#include "pkg/kube/keymap.h"

struct claim {
    struct keymap_node node; /* by series */
    struct holder *holder;
    char *asker;        /* NULL: nobody asks for it */
    struct claim *next; /* of the same holder */
};

/* Exists as long as it has claims. */
struct holder {
    struct keymap_node node; /* by name */
    struct claim *first;
};

struct series_claims {
    pthread_mutex_t lock;
    struct keymap claims;  /* lock */
    struct keymap holders; /* lock */
};

struct series_claims *series_claims_new(void)
{
    struct series_claims *claims = xcalloc(1, sizeof(*claims));

    pthread_mutex_init(&claims->lock, NULL);
    return claims;
}

static void free_claim(struct series_claims *claims, struct claim *claim)
{
    keymap_remove(&claims->claims, &claim->node);
    xfree(claim->node.key);
    xfree(claim->asker);
    xfree(claim);
}

static void free_holder(struct series_claims *claims, struct holder *holder)
{
    while (holder->first) {
        struct claim *claim = holder->first;

        holder->first = claim->next;
        free_claim(claims, claim);
    }
    keymap_remove(&claims->holders, &holder->node);
    xfree(holder->node.key);
    xfree(holder);
}

void series_claims_free(struct series_claims *claims)
{
    struct holder *holder;

    if (!claims)
        return;
    while ((holder = keymap_next(&claims->holders, NULL)))
        free_holder(claims, holder);
    keymap_done(&claims->claims);
    keymap_done(&claims->holders);
    pthread_mutex_destroy(&claims->lock);
    xfree(claims);
}

static struct holder *get_holder(struct series_claims *claims, const char *name)
{
    struct holder *holder = keymap_find(&claims->holders, name);

    if (holder)
        return holder;
    holder = xcalloc(1, sizeof(*holder));
    holder->node.key = xstrdup(name);
    keymap_insert(&claims->holders, &holder->node);
    return holder;
}

bool series_claims_take(struct series_claims *claims, const char *series, const char *holder)
{
    struct claim *claim;

    LOCK_SCOPE(&claims->lock);
    claim = keymap_find(&claims->claims, series);
    if (claim)
        return text_equal(claim->holder->node.key, holder);
    claim = xcalloc(1, sizeof(*claim));
    claim->node.key = xstrdup(series);
    claim->holder = get_holder(claims, holder);
    claim->next = claim->holder->first;
    claim->holder->first = claim;
    keymap_insert(&claims->claims, &claim->node);
    return true;
}

void series_claims_release(struct series_claims *claims, const char *holder)
{
    struct holder *found;

    LOCK_SCOPE(&claims->lock);
    found = keymap_find(&claims->holders, holder);
    if (found)
        free_holder(claims, found);
}

char *series_claims_holder(struct series_claims *claims, const char *series)
{
    const struct claim *claim;

    LOCK_SCOPE(&claims->lock);
    claim = keymap_find(&claims->claims, series);
    return claim ? xstrdup(claim->holder->node.key) : NULL;
}

void series_claims_ask(struct series_claims *claims, const char *series, const char *asker)
{
    struct claim *claim;

    LOCK_SCOPE(&claims->lock);
    claim = keymap_find(&claims->claims, series);
    if (!claim)
        return;
    xfree(claim->asker);
    claim->asker = xstrdup(asker);
}

char *series_claims_asker(struct series_claims *claims, const char *series)
{
    const struct claim *claim;

    LOCK_SCOPE(&claims->lock);
    claim = keymap_find(&claims->claims, series);
    return claim ? xstrdup_or_null(claim->asker) : NULL;
}
