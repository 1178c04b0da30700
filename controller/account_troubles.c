#include "controller/account_troubles.h"

#include "pkg/base/lock.h"
#include "pkg/base/times.h"
#include "pkg/kube/keymap.h"
#include "pkg/refresh/status.h"

#define LASTS_MS MINUTES(5)

struct trouble {
    struct keymap_node node; /* by the account's name */
    char *uid;
    int64_t generation;
    int64_t since_ms; /* no look has succeeded since */
    char *reason;     /* of the last look */
    int64_t same_ms;  /* since when it is this one */
    bool is_stalled;  /* a refusal has lasted: said so */
};

struct account_troubles {
    pthread_mutex_t lock;
    struct keymap items; /* lock; struct trouble */
};

struct account_troubles *account_troubles_new(void)
{
    struct account_troubles *troubles = xcalloc(1, sizeof(*troubles));

    pthread_mutex_init(&troubles->lock, NULL);
    return troubles;
}

/* The lock is held. */
static void drop(struct account_troubles *troubles, struct trouble *trouble)
{
    keymap_remove(&troubles->items, &trouble->node);
    xfree(trouble->node.key);
    xfree(trouble->uid);
    xfree(trouble->reason);
    xfree(trouble);
}

void account_troubles_free(struct account_troubles *troubles)
{
    struct trouble *trouble;

    if (!troubles)
        return;
    while ((trouble = keymap_next(&troubles->items, NULL)))
        drop(troubles, trouble);
    keymap_done(&troubles->items);
    pthread_mutex_destroy(&troubles->lock);
    xfree(troubles);
}

void account_troubles_forget(struct account_troubles *troubles, const char *account_name)
{
    struct trouble *trouble;

    LOCK_SCOPE(&troubles->lock);
    trouble = keymap_find(&troubles->items, account_name);
    if (trouble)
        drop(troubles, trouble);
}

char *account_trouble_reason(const struct err *err)
{
    const char *code = err_remote(err)->code;

    if (!err_is_refusal(err))
        return xstrdup(ACCOUNT_UNREACHABLE);
    return condition_reason(code ? code : "CredentialsNotUsable");
}

/* The lock is held. Another version of the account begins anew. */
static struct trouble *trouble_of(struct account_troubles *troubles, const struct account *account,
                                  int64_t now_ms)
{
    struct trouble *trouble = keymap_find(&troubles->items, account->name);

    if (trouble && text_equal(trouble->uid, account->uid) && trouble->generation == account->generation)
        return trouble;
    if (trouble)
        drop(troubles, trouble);
    trouble = xcalloc(1, sizeof(*trouble));
    trouble->node.key = xstrdup(account->name);
    trouble->uid = xstrdup_or_null(account->uid);
    trouble->generation = account->generation;
    trouble->since_ms = now_ms;
    keymap_insert(&troubles->items, &trouble->node);
    return trouble;
}

static enum account_verdict judge(const struct trouble *trouble, const struct account_said *said,
                                  bool is_refusal, int64_t now_ms)
{
    bool is_said = text_equal(said->ready, "False") && text_equal(said->reason, trouble->reason);
    bool is_same = now_ms - trouble->same_ms >= LASTS_MS;

    if (is_refusal && (is_same || is_said))
        return ACCOUNT_STALLED;
    if (text_equal(said->ready, "True") && now_ms - trouble->since_ms < LASTS_MS)
        return ACCOUNT_AS_SAID;
    if (text_equal(said->ready, "False") && trouble->is_stalled && !is_same)
        return ACCOUNT_AS_SAID;
    return ACCOUNT_UNKNOWN;
}

enum account_verdict account_troubles_add(struct account_troubles *troubles, const struct account *account,
                                          const struct account_said *said, const struct err *err,
                                          int64_t now_ms)
{
    AUTO_FREE char *reason = account_trouble_reason(err);
    struct trouble *trouble;
    enum account_verdict verdict;

    LOCK_SCOPE(&troubles->lock);
    trouble = trouble_of(troubles, account, now_ms);
    if (!text_equal(trouble->reason, reason)) {
        xfree(trouble->reason);
        trouble->reason = TAKE(reason);
        trouble->same_ms = now_ms;
    }
    verdict = judge(trouble, said, err_is_refusal(err), now_ms);
    if (verdict != ACCOUNT_AS_SAID)
        trouble->is_stalled = verdict == ACCOUNT_STALLED;
    return verdict;
}
