#include "pkg/aws/observer.h"

#include <stdlib.h>

#include "pkg/aws/account.h"
#include "pkg/base/lock.h"

#define KINDS (RESTORE_JOB + 1)
#define MIN_AGE_MS SECONDS(5)
/* Long lists are read less often: about a page a second at the most. */
#define PAGE_ITEMS 1000
#define PAGE_MS SECONDS(1)
/* Who has not asked for so long is not interested any more. */
#define INTEREST_MS MINUTES(10)
/* In how many fresh lists a job may be missing before we stop reading lists for it. */
#define MISSES_MAX 3
/* A list that is refused stays refused for a while. */
#define REFUSED_MS MINUTES(10)
/* After a list could not be read, what is at hand has to do. */
#define QUIET_MS SECONDS(10)
#define STALE_MAX_MS MINUTES(5)

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

/* What is known of the jobs of one kind; all under the observer's lock. Times are monotonic. */
struct board {
    struct backup_jobs jobs; /* by id */
    int64_t taken_ms;        /* when reading them began */
    bool is_taken;
    int64_t refused_until_ms, quiet_until_ms;
    struct interest *interests;
    size_t interest_count;
    bool in_flight;
    struct waiter *waiters;
};

struct observer {
    pthread_mutex_t lock;
    struct board boards[KINDS]; /* lock */
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
    for (size_t i = 0; i < KINDS; i++) {
        struct board *board = &observer->boards[i];

        backup_jobs_done(&board->jobs);
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

static struct interest *take_interest(struct board *board, const struct observer_query *query, int64_t now_ms)
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

static void lose_interest(struct observer *observer, const struct observer_query *query)
{
    LOCK_SCOPE(&observer->lock);
    struct board *board = &observer->boards[query->kind];
    struct interest *interest = find_interest(board, query->id);

    if (!interest)
        return;
    xfree(interest->id);
    *interest = board->interests[--board->interest_count];
}

void observer_hint(struct aws_account *account, enum backup_job_kind kind, const char *id)
{
    struct observer *observer = aws_account_observer(account);

    LOCK_SCOPE(&observer->lock);
    struct interest *interest = find_interest(&observer->boards[kind], id);

    if (interest)
        interest->is_hinted = true;
}

/* --- reading the list --- */

static int by_id(const void *a, const void *b)
{
    return strcmp(((const struct backup_job *)a)->id, ((const struct backup_job *)b)->id);
}

static const struct backup_job *find_job(const struct board *board, const char *id)
{
    const struct backup_job key = {.id = (char *)(uintptr_t)id};

    if (!board->jobs.count)
        return NULL;
    return bsearch(&key, board->jobs.items, board->jobs.count, sizeof(key), by_id);
}

static int64_t min_age_ms(const struct board *board)
{
    int64_t pages = (int64_t)board->jobs.count / PAGE_ITEMS + 1;

    return pages * PAGE_MS > MIN_AGE_MS ? pages * PAGE_MS : MIN_AGE_MS;
}

static int64_t oldest_interest_ms(struct observer *observer, enum backup_job_kind kind, int64_t now_ms)
{
    LOCK_SCOPE(&observer->lock);
    struct board *board = &observer->boards[kind];
    int64_t oldest_ms = 0;

    drop_stale_interests(board, now_ms);
    for (size_t i = 0; i < board->interest_count; i++) {
        if (i == 0 || board->interests[i].since_ms < oldest_ms)
            oldest_ms = board->interests[i].since_ms;
    }
    return oldest_ms;
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

/* Takes the jobs over. */
static void post(struct observer *observer, enum backup_job_kind kind, struct backup_jobs *jobs,
                 int64_t began_ms)
{
    if (jobs->count)
        qsort(jobs->items, jobs->count, sizeof(*jobs->items), by_id);

    LOCK_SCOPE(&observer->lock);
    struct board *board = &observer->boards[kind];

    backup_jobs_done(&board->jobs);
    board->jobs = *jobs;
    *jobs = (struct backup_jobs){0};
    board->taken_ms = began_ms;
    board->is_taken = true;
    board->in_flight = false;
    wake_waiters(board);
}

static void post_failure(struct observer *observer, enum backup_job_kind kind, const struct err *err,
                         int64_t now_ms)
{
    LOCK_SCOPE(&observer->lock);
    struct board *board = &observer->boards[kind];

    board->in_flight = false;
    if (err_kind(err) == ERR_RETRY)
        board->quiet_until_ms = now_ms + QUIET_MS;
    else if (err_kind(err) != ERR_CANCELED)
        board->refused_until_ms = now_ms + REFUSED_MS;
    wake_waiters(board);
}

/* We are the one who reads the list. */
static struct err *fly(struct observer *observer, const struct aws_client *aws, enum backup_job_kind kind)
{
    static struct err *(*const lists[KINDS])(
        const struct aws_client *aws, const struct backup_jobs_filter *filter, struct backup_jobs *ret) = {
        [BACKUP_JOB] = backup_list_backups,
        [COPY_JOB] = backup_list_copies,
        [RESTORE_JOB] = backup_list_restores,
    };
    int64_t began_ms = sched_now_ms(aws->env->sched);
    AUTO_BACKUP_JOBS struct backup_jobs jobs = {0};
    struct err *err = lists[kind](
        aws, &(struct backup_jobs_filter){.created_after_ms = oldest_interest_ms(observer, kind, began_ms)},
        &jobs);

    if (!err) {
        post(observer, kind, &jobs, began_ms);
        return NULL;
    }
    post_failure(observer, kind, err, sched_now_ms(aws->env->sched));
    if (err_kind(err) == ERR_CANCELED)
        return err;
    LOG_DEBUG(aws->env->log, "a list of jobs could not be read", KV("account", aws_account_id(aws->account)),
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

static void leave(struct observer *observer, enum backup_job_kind kind, struct waiter *waiter)
{
    LOCK_SCOPE(&observer->lock);

    for (struct waiter **at = &observer->boards[kind].waiters; *at; at = &(*at)->next) {
        if (*at == waiter) {
            *at = waiter->next;
            return;
        }
    }
}

/* `waiter` is in the list already. */
static struct err *wait_for_flight(struct observer *observer, const struct aws_client *aws,
                                   enum backup_job_kind kind, struct waiter *waiter)
{
    struct stop *stop = aws->env->stop;
    struct stop_subscription *subscription = stop_subscribe(stop, wake_spot, waiter->spot);

    while (!is_done(observer, waiter) && !stop_requested(stop))
        sched_park(waiter->spot, NEVER_MS);
    stop_unsubscribe(subscription);
    leave(observer, kind, waiter);
    if (stop_requested(stop))
        return err_new(ERR_CANCELED, "stopped while waiting for a list of jobs");
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
    const struct observer_query *query;
    int64_t now_ms;
    bool has_flown; /* a list was read, or failed to be, while we were here */
    struct waiter waiter;
    struct backup_job *ret;
    int64_t expires_ms;
};

static int64_t allowed_age_ms(const struct board *board, const struct look *look)
{
    int64_t min_ms = min_age_ms(board), age_ms = look->query->max_age_ms;

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

/* Decides under the lock where the answer comes from. */
static enum way choose(struct observer *observer, struct look *look)
{
    LOCK_SCOPE(&observer->lock);
    struct board *board = &observer->boards[look->query->kind];
    struct interest *interest = take_interest(board, look->query, look->now_ms);
    int64_t age_ms = board->is_taken ? look->now_ms - board->taken_ms : NEVER_MS;
    bool is_fresh = age_ms < allowed_age_ms(board, look) || (look->has_flown && board->is_taken);
    const struct backup_job *job = is_fresh ? find_job(board, look->query->id) : NULL;

    if (interest->is_hinted) {
        interest->is_hinted = false;
        return DESCRIBE;
    }
    if (job) {
        interest->misses = 0;
        /* Lists lag, and the end must be certain. */
        if (backup_state_is_final(job->state))
            return DESCRIBE;
        backup_job_copy(job, look->ret);
        look->expires_ms = look->query->max_age_ms - age_ms;
        return TAKE_LISTED;
    }
    /* For one job alone a list is no cheaper. */
    if (board->interest_count == 1 || look->now_ms < board->refused_until_ms ||
        interest->misses >= MISSES_MAX)
        return DESCRIBE;
    if (!is_fresh || age_ms >= min_age_ms(board))
        return read_anew(board, look);
    interest->misses++;
    return DESCRIBE;
}

static struct err *describe(struct observer *observer, const struct aws_client *aws, struct look *look)
{
    static struct err *(*const describes[KINDS])(const struct aws_client *aws, const char *id,
                                                 struct backup_job *ret) = {
        [BACKUP_JOB] = backup_describe_backup,
        [COPY_JOB] = backup_describe_copy,
        [RESTORE_JOB] = backup_describe_restore,
    };

    TRY(describes[look->query->kind](aws, look->query->id, look->ret));
    if (backup_state_is_final(look->ret->state))
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

struct err *observer_look(const struct aws_client *aws, const struct observer_query *query,
                          struct backup_job *ret, int64_t *ret_expires_ms)
{
    struct observer *observer = aws_account_observer(aws->account);
    struct look look = {.query = query, .ret = ret};
    struct err *err = NULL;
    bool has_looked = false;

    if (text_is_empty(query->id))
        return err_new(ERR_INVALID, "a job must be named");
    look.waiter.spot = sched_spot_new(aws->env->sched);
    while (!err && !has_looked)
        err = look_once(observer, aws, &look, &has_looked);
    sched_spot_free(look.waiter.spot);
    TRY(err);
    *ret_expires_ms = look.expires_ms > SECONDS(1) ? look.expires_ms : SECONDS(1);
    return NULL;
}
