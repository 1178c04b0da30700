#include "pkg/aws/observer.h"

#include <stdlib.h>

#include "pkg/aws/account.h"
#include "pkg/aws/observer_priv.h"
#include "pkg/aws/session.h"
#include "pkg/base/lock.h"

#define MIN_AGE_MS SECONDS(5)
/* Who has not asked for so long is not interested any more. */
#define INTEREST_MS MINUTES(10)
/* In how many fresh lists something may be missing before we stop reading lists for it. */
#define MISSES_MAX 3
/* A list that is refused stays refused for a while. */
#define REFUSED_MS MINUTES(10)
/* After a list could not be read, or while it is, what is at hand has to do. */
#define QUIET_MS SECONDS(10)
#define STALE_MAX_MS MINUTES(5)

/* What somebody asks; see the header. */
struct query {
    enum sight_kind kind;
    const char *id;
    int64_t since_ms, max_age_ms, not_before_ms;
};

struct interest {
    char *id;
    int64_t since_ms; /* wall clock */
    int64_t asked_ms; /* monotonic */
    int misses;
    bool is_hinted; /* there may be news */
};

struct waiter { /* on the waiting thread's stack */
    struct spot *spot;
    struct waiter *next;
    bool is_done;
};

/* What is known of the things of one kind; all under the observer's lock. Times are monotonic. */
struct board {
    struct sights sights;  /* by id */
    int64_t taken_ms;      /* when reading them began */
    int64_t taken_wall_ms; /* the same on the wall clock */
    bool is_taken;
    int64_t refused_until_ms, quiet_until_ms;
    struct interest *interests;
    size_t interest_count;
    bool in_flight;
    struct waiter *waiters;
};

struct observer {
    pthread_mutex_t lock;
    struct board boards[SIGHT_KINDS]; /* lock */
};

struct observer *observer_new(void)
{
    struct observer *observer = xcalloc(1, sizeof(*observer));

    pthread_mutex_init(&observer->lock, NULL);
    return observer;
}

void observer_free(struct observer *observer)
{
    if (!observer)
        return;
    for (int i = 0; i < SIGHT_KINDS; i++) {
        struct board *board = &observer->boards[i];

        sights_done(sight_ops_of((enum sight_kind)i), &board->sights);
        for (size_t k = 0; k < board->interest_count; k++)
            xfree(board->interests[k].id);
        xfree(board->interests);
    }
    pthread_mutex_destroy(&observer->lock);
    xfree(observer);
}

/* --- who is interested in what --- */

static void drop_stale_interests(struct board *board, int64_t now_ms)
{
    size_t kept = 0;

    for (size_t i = 0; i < board->interest_count; i++) {
        if (now_ms - board->interests[i].asked_ms <= INTEREST_MS)
            board->interests[kept++] = board->interests[i];
        else
            xfree(board->interests[i].id);
    }
    board->interest_count = kept;
}

static struct interest *find_interest(struct board *board, const char *id)
{
    for (size_t i = 0; i < board->interest_count; i++) {
        if (text_equal(board->interests[i].id, id))
            return &board->interests[i];
    }
    return NULL;
}

static struct interest *take_interest(struct board *board, const struct query *query, int64_t now_ms)
{
    struct interest *interest = find_interest(board, query->id);

    if (!interest) {
        board->interests = xgrow(board->interests, board->interest_count, sizeof(*board->interests));
        interest = &board->interests[board->interest_count++];
        *interest = (struct interest){.id = xstrdup(query->id), .since_ms = query->since_ms};
    }
    interest->asked_ms = now_ms;
    return interest;
}

static void lose_interest(struct observer *observer, const struct query *query)
{
    LOCK_SCOPE(&observer->lock);
    struct board *board = &observer->boards[query->kind];
    struct interest *interest = find_interest(board, query->id);

    if (!interest)
        return;
    xfree(interest->id);
    *interest = board->interests[--board->interest_count];
}

static void hint(struct aws_account *account, enum sight_kind kind, const char *id)
{
    struct observer *observer = aws_account_observer(account);

    LOCK_SCOPE(&observer->lock);
    struct interest *interest = find_interest(&observer->boards[kind], id);

    if (interest)
        interest->is_hinted = true;
}

void observer_hint(struct aws_account *account, enum backup_job_kind kind, const char *id)
{
    hint(account, (enum sight_kind)kind, id);
}

void observer_hint_cluster(struct aws_account *account, const char *id)
{
    hint(account, SIGHT_CLUSTER, id);
    hint(account, SIGHT_MEMBERS, id);
}

void observer_hint_instance(struct aws_account *account, const char *id)
{
    struct observer *observer = aws_account_observer(account);

    LOCK_SCOPE(&observer->lock);
    struct board *board = &observer->boards[SIGHT_MEMBERS];

    for (size_t i = 0; i < board->interest_count; i++) {
        if (rds_is_named_after(id, board->interests[i].id))
            board->interests[i].is_hinted = true;
    }
}

/* --- reading the list --- */

static void *item_at(const struct sight_ops *ops, const struct sights *sights, size_t index)
{
    return (char *)sights->items + index * ops->size;
}

static int by_id(const void *a, const void *b, void *ops)
{
    const struct sight_ops *of = ops;

    return strcmp(of->id_of(a), of->id_of(b));
}

/* NULL: not in the list. */
static const void *find_item(const struct sight_ops *ops, const struct board *board, const char *id)
{
    size_t from = 0, to = board->sights.count;

    while (from < to) {
        size_t middle = from + (to - from) / 2;
        const void *item = item_at(ops, &board->sights, middle);
        int order = strcmp(id, ops->id_of(item));

        if (!order)
            return item;
        if (order < 0)
            to = middle;
        else
            from = middle + 1;
    }
    return NULL;
}

/* Long lists are read less often. */
static int64_t min_age_ms(const struct sight_ops *ops, const struct board *board)
{
    int64_t pages = (int64_t)board->sights.count / ops->page_items + 1;

    return pages * ops->page_ms > MIN_AGE_MS ? pages * ops->page_ms : MIN_AGE_MS;
}

/* What all who are interested want; the ids are the wish's own. */
static struct sight_wish make_wish(struct observer *observer, enum sight_kind kind, int64_t now_ms)
{
    LOCK_SCOPE(&observer->lock);
    struct board *board = &observer->boards[kind];
    struct sight_wish wish = {0};
    const char **ids;

    drop_stale_interests(board, now_ms);
    ids = xcalloc(board->interest_count + 1, sizeof(*ids));
    for (size_t i = 0; i < board->interest_count; i++) {
        if (i == 0 || board->interests[i].since_ms < wish.since_ms)
            wish.since_ms = board->interests[i].since_ms;
        ids[wish.id_count++] = xstrdup(board->interests[i].id);
    }
    wish.ids = ids;
    return wish;
}

static void wish_done(struct sight_wish *wish)
{
    for (size_t i = 0; i < wish->id_count; i++)
        xfree((char *)(uintptr_t)wish->ids[i]);
    xfree((void *)(uintptr_t)wish->ids);
}

static void wake_waiters(struct board *board)
{
    /* Woken under the lock: a waiter looks under it too, so that its spot lives until then. */
    while (board->waiters) {
        struct waiter *waiter = board->waiters;

        board->waiters = waiter->next;
        waiter->is_done = true;
        sched_wake(waiter->spot);
    }
}

/* When a list was begun. */
struct moment {
    int64_t now_ms, wall_ms;
};

/* Takes the list over. */
static void post(struct observer *observer, enum sight_kind kind, struct sights *sights,
                 const struct moment *began)
{
    const struct sight_ops *ops = sight_ops_of(kind);

    if (sights->count)
        qsort_r(sights->items, sights->count, ops->size, by_id, (void *)(uintptr_t)ops);

    LOCK_SCOPE(&observer->lock);
    struct board *board = &observer->boards[kind];

    sights_done(ops, &board->sights);
    board->sights = *sights;
    board->taken_ms = began->now_ms;
    board->taken_wall_ms = began->wall_ms;
    board->is_taken = true;
    board->in_flight = false;
    wake_waiters(board);
}

/* The list itself is refused, or too long; not the credentials to ask for it. */
static bool is_refusal(const struct err *err)
{
    const struct err_remote *remote = err_remote(err);

    if (err_kind(err) == ERR_RETRY)
        return false;
    return err_kind(err) == ERR_INVALID || (remote->http_status && !text_equal(remote->service, "sts"));
}

static void post_failure(struct observer *observer, enum sight_kind kind, const struct err *err,
                         int64_t now_ms)
{
    LOCK_SCOPE(&observer->lock);
    struct board *board = &observer->boards[kind];

    board->in_flight = false;
    if (is_refusal(err))
        board->refused_until_ms = now_ms + REFUSED_MS;
    else if (err_kind(err) != ERR_CANCELED)
        board->quiet_until_ms = now_ms + QUIET_MS;
    wake_waiters(board);
}

/* We are the one who reads the list. */
static struct err *fly(struct observer *observer, const struct aws_client *aws, enum sight_kind kind)
{
    const struct moment began = {sched_now_ms(aws->env->sched), sched_wall_ms(aws->env->sched)};
    CLEANUP(wish_done) struct sight_wish wish = make_wish(observer, kind, began.now_ms);
    struct sights sights = {0};
    struct err *err = sight_ops_of(kind)->list(aws, &wish, &sights);

    if (!err) {
        post(observer, kind, &sights, &began);
        return NULL;
    }
    post_failure(observer, kind, err, sched_now_ms(aws->env->sched));
    if (err_kind(err) == ERR_CANCELED)
        return err;
    LOG_DEBUG(aws->env->log, "a list could not be read", KV("account", aws_account_id(aws->account)),
              KV("error", err_text(err)));
    err_ignore(err, "an older list or Describe has to do");
    return NULL;
}

/* --- waiting for somebody else's list --- */

static void wake_spot(void *spot)
{
    sched_wake(spot);
}

static bool is_done(struct observer *observer, const struct waiter *waiter)
{
    LOCK_SCOPE(&observer->lock);

    return waiter->is_done;
}

static void leave(struct observer *observer, enum sight_kind kind, struct waiter *waiter)
{
    LOCK_SCOPE(&observer->lock);

    for (struct waiter **at = &observer->boards[kind].waiters; *at; at = &(*at)->next) {
        if (*at == waiter) {
            *at = waiter->next;
            return;
        }
    }
}

/* `waiter` is in the list already. A list of many pages, from a service that has us wait, takes long: then
 * what is at hand, or Describe, has to do. */
static struct err *wait_for_flight(struct observer *observer, const struct aws_client *aws,
                                   enum sight_kind kind, struct waiter *waiter)
{
    struct stop *stop = aws->env->stop;
    struct stop_subscription *subscription = stop_subscribe(stop, wake_spot, waiter->spot);
    int64_t deadline_ms = sched_now_ms(aws->env->sched) + AWS_WAIT_MAX_MS;
    bool is_late = false;

    while (!is_done(observer, waiter) && !stop_requested(stop) && !is_late)
        is_late = sched_park(waiter->spot, deadline_ms) == PARK_TIMEOUT;
    stop_unsubscribe(subscription);
    leave(observer, kind, waiter);
    if (stop_requested(stop))
        return err_new(ERR_CANCELED, "stopped while waiting for a list");
    return NULL;
}

/* --- looking --- */

enum way {
    TAKE_LISTED, /* *ret is filled in */
    DESCRIBE,
    FLY,
    WAIT,
};

struct look {
    const struct query *query;
    const struct sight_ops *ops;
    int64_t now_ms;
    bool has_flown; /* a list was read, failed to be, or went on being, while we were here */
    struct waiter waiter;
    bool is_hinted; /* Describe was called for by a hint */
    void *ret;
    int64_t expires_ms, taken_wall_ms;
};

static int64_t allowed_age_ms(const struct board *board, const struct look *look)
{
    int64_t min_ms = min_age_ms(look->ops, board), age_ms = look->query->max_age_ms;

    if (look->now_ms < board->quiet_until_ms)
        return STALE_MAX_MS;
    return age_ms > min_ms ? age_ms : min_ms;
}

static enum way read_anew(struct board *board, struct look *look)
{
    if (look->has_flown || look->now_ms < board->quiet_until_ms)
        return DESCRIBE;
    if (!board->in_flight) {
        board->in_flight = true;
        return FLY;
    }
    look->waiter.is_done = false;
    look->waiter.next = board->waiters;
    board->waiters = &look->waiter;
    return WAIT;
}

/* False: the list was begun before the asker's own last change, and knows nothing of it. */
static bool knows_of_change(const struct board *board, const struct look *look)
{
    return !look->query->not_before_ms || board->taken_wall_ms > look->query->not_before_ms;
}

/* When something newer can be had. */
static int64_t expiry_ms(const struct board *board, const struct look *look)
{
    int64_t min_ms = min_age_ms(look->ops, board), max_ms = look->query->max_age_ms;
    int64_t left_ms = (max_ms > min_ms ? max_ms : min_ms) - (look->now_ms - board->taken_ms);
    int64_t quiet_ms = board->quiet_until_ms - look->now_ms;

    return quiet_ms > left_ms ? quiet_ms : left_ms;
}

static void take_listed(const struct board *board, const void *item, struct look *look)
{
    look->ops->copy(item, look->ret);
    look->expires_ms = expiry_ms(board, look);
    look->taken_wall_ms = board->taken_wall_ms;
}

/* Decides under the lock where the answer comes from. */
static enum way choose(struct observer *observer, struct look *look)
{
    LOCK_SCOPE(&observer->lock);
    struct board *board = &observer->boards[look->query->kind];
    struct interest *interest = take_interest(board, look->query, look->now_ms);
    int64_t age_ms = board->is_taken ? look->now_ms - board->taken_ms : NEVER_MS;
    bool is_fresh = age_ms < (look->has_flown ? STALE_MAX_MS : allowed_age_ms(board, look)) &&
                    knows_of_change(board, look);
    const void *item = is_fresh ? find_item(look->ops, board, look->query->id) : NULL;

    if (interest->is_hinted) {
        interest->is_hinted = false;
        look->is_hinted = true;
        return DESCRIBE;
    }
    if (item) {
        interest->misses = 0;
        /* Lists lag, and the end must be certain. */
        if (look->ops->needs_proof(item))
            return DESCRIBE;
        take_listed(board, item, look);
        return TAKE_LISTED;
    }
    /* For one alone a list is no cheaper. */
    if (board->interest_count == 1 || look->now_ms < board->refused_until_ms ||
        interest->misses >= MISSES_MAX)
        return DESCRIBE;
    if (age_ms >= min_age_ms(look->ops, board))
        return read_anew(board, look);
    interest->misses += is_fresh;
    return DESCRIBE;
}

/* Nothing came of it. */
static void hint_again(struct observer *observer, const struct query *query)
{
    LOCK_SCOPE(&observer->lock);
    struct interest *interest = find_interest(&observer->boards[query->kind], query->id);

    if (interest)
        interest->is_hinted = true;
}

static struct err *describe(struct observer *observer, const struct aws_client *aws, struct look *look)
{
    struct err *err;

    look->taken_wall_ms = sched_wall_ms(aws->env->sched);
    err = look->ops->describe(aws, look->query->id, look->ret);
    if (err && look->is_hinted)
        hint_again(observer, look->query);
    TRY(err);
    if (look->ops->is_over(look->ret))
        lose_interest(observer, look->query);
    look->expires_ms = look->query->max_age_ms;
    return NULL;
}

static struct err *look_once(struct observer *observer, const struct aws_client *aws, struct look *look,
                             bool *ret_has_looked)
{
    enum way way;

    look->now_ms = sched_now_ms(aws->env->sched);
    way = choose(observer, look);
    *ret_has_looked = way == TAKE_LISTED || way == DESCRIBE;
    if (way == DESCRIBE)
        return describe(observer, aws, look);
    if (way == TAKE_LISTED)
        return NULL;
    look->has_flown = true;
    return way == FLY ? fly(observer, aws, look->query->kind)
                      : wait_for_flight(observer, aws, look->query->kind, &look->waiter);
}

static struct err *look_at(const struct aws_client *aws, const struct query *query, void *ret,
                           struct observation *ret_seen)
{
    struct observer *observer = aws_account_observer(aws->account);
    struct look look = {.query = query, .ops = sight_ops_of(query->kind), .ret = ret};
    struct err *err = NULL;
    bool has_looked = false;

    if (text_is_empty(query->id))
        return err_new(ERR_INVALID, "what is to be looked at must be named");
    look.waiter.spot = sched_spot_new(aws->env->sched);
    while (!err && !has_looked)
        err = look_once(observer, aws, &look, &has_looked);
    sched_spot_free(look.waiter.spot);
    TRY(err);
    ret_seen->expires_ms = look.expires_ms > SECONDS(1) ? look.expires_ms : SECONDS(1);
    ret_seen->taken_ms = look.taken_wall_ms;
    return NULL;
}

struct err *observer_look(const struct aws_client *aws, const struct observer_query *query,
                          struct backup_job *ret, int64_t *ret_expires_ms)
{
    struct observation seen;

    TRY(look_at(aws,
                &(struct query){.kind = (enum sight_kind)query->kind,
                                .id = query->id,
                                .since_ms = query->since_ms,
                                .max_age_ms = query->max_age_ms},
                ret, &seen));
    *ret_expires_ms = seen.expires_ms;
    return NULL;
}

struct err *observer_cluster(const struct aws_client *aws, const struct observer_rds_query *query,
                             struct rds_cluster *ret, struct observation *ret_seen)
{
    return look_at(aws,
                   &(struct query){.kind = SIGHT_CLUSTER,
                                   .id = query->cluster_id,
                                   .max_age_ms = query->max_age_ms,
                                   .not_before_ms = query->not_before_ms},
                   ret, ret_seen);
}

struct err *observer_instances(const struct aws_client *aws, const struct observer_rds_query *query,
                               struct rds_instances *ret, struct observation *ret_seen)
{
    struct sight_members members = {0};

    TRY(look_at(aws,
                &(struct query){.kind = SIGHT_MEMBERS,
                                .id = query->cluster_id,
                                .max_age_ms = query->max_age_ms,
                                .not_before_ms = query->not_before_ms},
                &members, ret_seen));
    *ret = members.instances;
    xfree(members.cluster_id);
    return NULL;
}
