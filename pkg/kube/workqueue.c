#include "pkg/kube/workqueue.h"

#include "pkg/base/alloc.h"
#include "pkg/base/lock.h"
#include "pkg/kube/keymap.h"

#define NOT_WAITING SIZE_MAX
#define SOON_MS INT64_C(5) /* doubled each time */
#define SOON_TIMES 4

/* Everything about one key; exists as long as any of it differs from the initial state. */
struct item {
    struct keymap_node node;
    bool is_dirty;      /* needs work: queued, or to be queued when the worker is done */
    bool is_processing; /* with a worker */
    enum work_priority priority;
    enum work_priority taken_as; /* its priority when it was handed out */
    int64_t since_ms;            /* queued, or handed out */
    struct item *next;           /* in its line, while dirty and not processing */
    struct item *prev;
    int failures;
    size_t heap_at; /* index in the heap, or NOT_WAITING */
    int64_t due_ms;
    enum work_priority due_priority;
};

struct line {
    struct item *first, *last;
    int64_t count;
};

/* Somebody who waits for a key. */
struct waiter {
    struct spot *spot;
    enum work_priority least; /* what he takes */
};

struct workqueue {
    pthread_mutex_t lock;
    struct sched *sched;        /* immutable */
    struct workqueue_opts opts; /* immutable */
    struct keymap items;        /* lock, as all below */
    struct line lines[WORK_URGENT + 1];
    struct item **heap; /* earliest first */
    size_t heap_count;
    struct waiter *waiters; /* in workqueue_get(), longest first */
    size_t waiter_count;
    struct spot **drainers; /* in workqueue_drain() */
    size_t drainer_count;
    int64_t processing;
    bool is_shut_down;
    struct workqueue_stats totals;
};

struct workqueue *workqueue_new(struct sched *sched, const struct workqueue_opts *opts)
{
    struct workqueue *queue = xcalloc(1, sizeof(*queue));

    pthread_mutex_init(&queue->lock, NULL);
    queue->sched = sched;
    if (opts)
        queue->opts = *opts;
    if (queue->opts.base_delay_ms <= 0)
        queue->opts.base_delay_ms = 5;
    if (queue->opts.max_delay_ms <= 0)
        queue->opts.max_delay_ms = SECONDS(1000);
    if (!queue->opts.max_keys)
        queue->opts.max_keys = 100000;
    return queue;
}

static void free_item(struct item *item)
{
    xfree(item->node.key);
    xfree(item);
}

void workqueue_free(struct workqueue *queue)
{
    struct item *item;

    if (!queue)
        return;
    while ((item = keymap_next(&queue->items, NULL))) {
        keymap_remove(&queue->items, &item->node);
        free_item(item);
    }
    keymap_done(&queue->items);
    xfree(queue->heap);
    xfree(queue->waiters);
    xfree(queue->drainers);
    pthread_mutex_destroy(&queue->lock);
    xfree(queue);
}

/* --- items --- */

static struct item *item_of(struct workqueue *queue, const char *key)
{
    struct item *item = keymap_find(&queue->items, key);

    if (item)
        return item;
    if (queue->items.count >= queue->opts.max_keys) {
        queue->totals.dropped++;
        return NULL;
    }
    item = xcalloc(1, sizeof(*item));
    item->node.key = xstrdup(key);
    item->heap_at = NOT_WAITING;
    keymap_insert(&queue->items, &item->node);
    return item;
}

static void release_if_idle(struct workqueue *queue, struct item *item)
{
    if (item->is_dirty || item->is_processing || item->failures || item->heap_at != NOT_WAITING)
        return;
    keymap_remove(&queue->items, &item->node);
    free_item(item);
}

/* --- the two lines --- */

static void line_append(struct workqueue *queue, struct item *item)
{
    struct line *line = &queue->lines[item->priority];

    item->next = NULL;
    item->prev = line->last;
    if (line->last)
        line->last->next = item;
    else
        line->first = item;
    line->last = item;
    line->count++;
}

static void line_remove(struct workqueue *queue, struct item *item)
{
    struct line *line = &queue->lines[item->priority];

    *(item->prev ? &item->prev->next : &line->first) = item->next;
    *(item->next ? &item->next->prev : &line->last) = item->prev;
    line->count--;
}

static int64_t ready_count(const struct workqueue *queue)
{
    return queue->lines[WORK_URGENT].count + queue->lines[WORK_ROUTINE].count;
}

/* --- waiters: whoever is taken from the list looks again --- */

static void remove_waiter(struct workqueue *queue, size_t at)
{
    queue->waiter_count--;
    memmove(queue->waiters + at, queue->waiters + at + 1,
            (queue->waiter_count - at) * sizeof(*queue->waiters));
}

/* For a key of that priority: who takes nothing less comes first, the others have more to do. */
static void wake_one(struct workqueue *queue, enum work_priority priority)
{
    size_t best = SIZE_MAX;

    for (size_t i = 0; i < queue->waiter_count; i++) {
        const struct waiter *waiter = &queue->waiters[i];

        if (waiter->least <= priority && (best == SIZE_MAX || waiter->least > queue->waiters[best].least))
            best = i;
    }
    if (best == SIZE_MAX)
        return;
    sched_wake(queue->waiters[best].spot);
    remove_waiter(queue, best);
}

static void wake_all(struct workqueue *queue)
{
    for (size_t i = 0; i < queue->waiter_count; i++)
        sched_wake(queue->waiters[i].spot);
    queue->waiter_count = 0;
}

/* Somebody who was woken for one key may have taken another, or may not take this one. */
static void wake_next(struct workqueue *queue)
{
    if (queue->lines[WORK_URGENT].first)
        wake_one(queue, WORK_URGENT);
    if (queue->lines[WORK_ROUTINE].first)
        wake_one(queue, WORK_ROUTINE);
}

static void wake_drainers(struct workqueue *queue)
{
    if (ready_count(queue) || queue->processing)
        return;
    for (size_t i = 0; i < queue->drainer_count; i++)
        sched_wake(queue->drainers[i]);
}

static void list_add(struct spot ***list, size_t *count, struct spot *spot)
{
    *list = xgrow(*list, *count, sizeof(**list));
    (*list)[(*count)++] = spot;
}

static void list_remove(struct spot **list, size_t *count, const struct spot *spot)
{
    for (size_t i = 0; i < *count; i++) {
        if (list[i] == spot) {
            (*count)--;
            memmove(list + i, list + i + 1, (*count - i) * sizeof(*list));
            return;
        }
    }
}

/* --- adding --- */

static void make_ready(struct workqueue *queue, struct item *item)
{
    item->since_ms = sched_now_ms(queue->sched);
    queue->totals.adds++;
    line_append(queue, item);
    wake_one(queue, item->priority);
}

static void add(struct workqueue *queue, struct item *item, enum work_priority priority)
{
    if (item->is_dirty && priority <= item->priority)
        return;
    if (item->is_dirty && !item->is_processing) {
        line_remove(queue, item);
        item->priority = priority;
        line_append(queue, item);
        wake_one(queue, priority);
        return;
    }
    item->priority = priority;
    if (item->is_dirty)
        return;
    item->is_dirty = true;
    if (!item->is_processing)
        make_ready(queue, item);
}

void workqueue_add(struct workqueue *queue, const char *key, enum work_priority priority)
{
    struct item *item;

    LOCK_SCOPE(&queue->lock);
    if (queue->is_shut_down || !(item = item_of(queue, key)))
        return;
    add(queue, item, priority);
}

/* --- delays: a binary heap by due time --- */

static void heap_place(struct workqueue *queue, size_t at, struct item *item)
{
    queue->heap[at] = item;
    item->heap_at = at;
}

static void heap_up(struct workqueue *queue, size_t at)
{
    struct item *item = queue->heap[at];

    while (at > 0 && queue->heap[(at - 1) / 2]->due_ms > item->due_ms) {
        heap_place(queue, at, queue->heap[(at - 1) / 2]);
        at = (at - 1) / 2;
    }
    heap_place(queue, at, item);
}

static void heap_down(struct workqueue *queue, size_t at)
{
    struct item *item = queue->heap[at];

    for (;;) {
        size_t child = 2 * at + 1;

        if (child + 1 < queue->heap_count && queue->heap[child + 1]->due_ms < queue->heap[child]->due_ms)
            child++;
        if (child >= queue->heap_count || queue->heap[child]->due_ms >= item->due_ms)
            break;
        heap_place(queue, at, queue->heap[child]);
        at = child;
    }
    heap_place(queue, at, item);
}

static struct item *heap_pop(struct workqueue *queue)
{
    struct item *first = queue->heap[0];

    first->heap_at = NOT_WAITING;
    if (--queue->heap_count) {
        heap_place(queue, 0, queue->heap[queue->heap_count]);
        heap_down(queue, 0);
    }
    return first;
}

static void add_later(struct workqueue *queue, struct item *item, int64_t due_ms, enum work_priority priority)
{
    if (item->heap_at == NOT_WAITING) {
        queue->heap = xgrow(queue->heap, queue->heap_count, sizeof(*queue->heap));
        item->due_ms = due_ms;
        item->due_priority = priority;
        heap_place(queue, queue->heap_count, item);
        heap_up(queue, queue->heap_count++);
    } else {
        if (priority > item->due_priority)
            item->due_priority = priority;
        if (due_ms < item->due_ms) {
            item->due_ms = due_ms;
            heap_up(queue, item->heap_at);
        }
    }
    /* Those who wait know the old earliest time only. */
    if (item->heap_at == 0)
        wake_all(queue);
}

static int64_t due_at(const struct workqueue *queue, int64_t after_ms)
{
    int64_t now = sched_now_ms(queue->sched);

    return after_ms > NEVER_MS - 1 - now ? NEVER_MS - 1 : now + after_ms;
}

static void add_after(struct workqueue *queue, struct item *item, int64_t after_ms,
                      enum work_priority priority)
{
    if (after_ms <= 0)
        add(queue, item, priority);
    else
        add_later(queue, item, due_at(queue, after_ms), priority);
}

void workqueue_add_after(struct workqueue *queue, const char *key, int64_t after_ms,
                         enum work_priority priority)
{
    struct item *item;

    LOCK_SCOPE(&queue->lock);
    if (queue->is_shut_down || !(item = item_of(queue, key)))
        return;
    add_after(queue, item, after_ms, priority);
}

static int64_t back_off_ms(const struct workqueue *queue, int failures)
{
    int64_t delay = queue->opts.base_delay_ms;

    for (int i = 1; i < failures && delay < queue->opts.max_delay_ms; i++)
        delay *= 2;
    return delay < queue->opts.max_delay_ms ? delay : queue->opts.max_delay_ms;
}

/* The first `soon` failures are tried again after moments. */
static int64_t retry(struct workqueue *queue, const char *key, int soon, int64_t at_least_ms,
                     enum work_priority priority)
{
    struct item *item;
    int64_t delay;

    LOCK_SCOPE(&queue->lock);
    if (queue->is_shut_down || !(item = item_of(queue, key)))
        return 0;
    if (item->failures < INT32_MAX)
        item->failures++;
    queue->totals.retries++;
    delay =
        item->failures <= soon ? SOON_MS << (item->failures - 1) : back_off_ms(queue, item->failures - soon);
    if (delay < at_least_ms)
        delay = at_least_ms;
    add_after(queue, item, delay, priority);
    return delay;
}

int64_t workqueue_add_rate_limited(struct workqueue *queue, const char *key, int64_t at_least_ms,
                                   enum work_priority priority)
{
    return retry(queue, key, 0, at_least_ms, priority);
}

int64_t workqueue_add_soon(struct workqueue *queue, const char *key, enum work_priority priority)
{
    return retry(queue, key, SOON_TIMES, 0, priority);
}

void workqueue_forget(struct workqueue *queue, const char *key)
{
    LOCK_SCOPE(&queue->lock);
    struct item *item = keymap_find(&queue->items, key);

    if (!item)
        return;
    item->failures = 0;
    release_if_idle(queue, item);
}

int workqueue_failures(struct workqueue *queue, const char *key)
{
    LOCK_SCOPE(&queue->lock);
    const struct item *item = keymap_find(&queue->items, key);

    return item ? item->failures : 0;
}

/* --- handing out --- */

static void promote_due(struct workqueue *queue)
{
    int64_t now = sched_now_ms(queue->sched);

    while (queue->heap_count && queue->heap[0]->due_ms <= now) {
        struct item *item = heap_pop(queue);

        add(queue, item, item->due_priority);
    }
}

static bool take_ready(struct workqueue *queue, enum work_priority least, int64_t *ret_queued_ms,
                       char **ret_key)
{
    struct item *item = queue->lines[WORK_URGENT].first;
    int64_t now = sched_now_ms(queue->sched);

    if (!item && least == WORK_ROUTINE)
        item = queue->lines[WORK_ROUTINE].first;
    if (!item)
        return false;
    line_remove(queue, item);
    item->taken_as = item->priority;
    item->is_dirty = false;
    item->is_processing = true;
    queue->processing++;
    queue->totals.handed_out++;
    *ret_queued_ms = now - item->since_ms;
    queue->totals.queued_ms += *ret_queued_ms;
    item->since_ms = now;
    *ret_key = xstrdup(item->node.key);
    return true;
}

static void forget_waiter(struct workqueue *queue, const struct spot *spot)
{
    for (size_t i = 0; i < queue->waiter_count; i++) {
        if (queue->waiters[i].spot == spot) {
            remove_waiter(queue, i);
            return;
        }
    }
}

enum got { GOT_KEY, GOT_END, GOT_NOTHING };

/* Registers the spot when there is nothing, under the same lock: no add can slip between. *ret_ms: how long
 * the key has waited, or until when there is nothing. */
static enum got try_get(struct workqueue *queue, const struct waiter *waiter, int64_t *ret_ms, char **ret_key)
{
    bool got;

    LOCK_SCOPE(&queue->lock);
    forget_waiter(queue, waiter->spot);
    promote_due(queue);
    got = take_ready(queue, waiter->least, ret_ms, ret_key);
    wake_next(queue);
    if (got)
        return GOT_KEY;
    if (queue->is_shut_down)
        return GOT_END;
    queue->waiters = xgrow(queue->waiters, queue->waiter_count, sizeof(*queue->waiters));
    queue->waiters[queue->waiter_count++] = *waiter;
    *ret_ms = queue->heap_count ? queue->heap[0]->due_ms : NEVER_MS;
    return GOT_NOTHING;
}

bool workqueue_get_at_least(struct workqueue *queue, enum work_priority least, char **ret_key)
{
    const struct waiter waiter = {.spot = sched_spot_new(queue->sched), .least = least};
    int64_t ms = NEVER_MS;
    enum got got;

    while ((got = try_get(queue, &waiter, &ms, ret_key)) == GOT_NOTHING)
        (void)sched_park(waiter.spot, ms);
    sched_spot_free(waiter.spot);
    if (got == GOT_KEY && queue->opts.queued)
        queue->opts.queued(queue->opts.arg, ms);
    return got == GOT_KEY;
}

bool workqueue_get(struct workqueue *queue, char **ret_key)
{
    return workqueue_get_at_least(queue, WORK_ROUTINE, ret_key);
}

enum work_priority workqueue_taken_as(struct workqueue *queue, const char *key)
{
    LOCK_SCOPE(&queue->lock);
    const struct item *item = keymap_find(&queue->items, key);

    return item ? item->taken_as : WORK_ROUTINE;
}

static bool end_work(struct workqueue *queue, const char *key, int64_t *ret_worked_ms)
{
    LOCK_SCOPE(&queue->lock);
    struct item *item = keymap_find(&queue->items, key);

    if (!item || !item->is_processing)
        return false;
    *ret_worked_ms = sched_now_ms(queue->sched) - item->since_ms;
    queue->totals.work_ms += *ret_worked_ms;
    item->is_processing = false;
    queue->processing--;
    if (item->is_dirty)
        make_ready(queue, item);
    else
        release_if_idle(queue, item);
    wake_drainers(queue);
    return true;
}

void workqueue_done(struct workqueue *queue, const char *key)
{
    int64_t worked_ms;

    if (end_work(queue, key, &worked_ms) && queue->opts.worked)
        queue->opts.worked(queue->opts.arg, worked_ms);
}

/* --- the end --- */

static void drop_delayed(struct workqueue *queue)
{
    while (queue->heap_count)
        release_if_idle(queue, heap_pop(queue));
}

static void drop_ready(struct workqueue *queue)
{
    struct item *item;

    while ((item = queue->lines[WORK_URGENT].first) || (item = queue->lines[WORK_ROUTINE].first)) {
        line_remove(queue, item);
        item->is_dirty = false;
        release_if_idle(queue, item);
    }
}

void workqueue_shut_down(struct workqueue *queue)
{
    LOCK_SCOPE(&queue->lock);
    queue->is_shut_down = true;
    drop_delayed(queue);
    wake_all(queue);
}

static void forget_repeats(struct workqueue *queue)
{
    for (struct item *i = keymap_next(&queue->items, NULL); i; i = keymap_next(&queue->items, &i->node)) {
        if (i->is_processing)
            i->is_dirty = false;
    }
}

void workqueue_shut_down_now(struct workqueue *queue)
{
    LOCK_SCOPE(&queue->lock);
    queue->is_shut_down = true;
    drop_delayed(queue);
    drop_ready(queue);
    forget_repeats(queue);
    wake_all(queue);
    wake_drainers(queue);
}

static bool is_drained(struct workqueue *queue)
{
    LOCK_SCOPE(&queue->lock);
    return !ready_count(queue) && !queue->processing;
}

bool workqueue_drain(struct workqueue *queue, int64_t deadline_ms)
{
    struct spot *spot = sched_spot_new(queue->sched);

    {
        LOCK_SCOPE(&queue->lock);
        list_add(&queue->drainers, &queue->drainer_count, spot);
    }
    while (!is_drained(queue) && sched_now_ms(queue->sched) < deadline_ms)
        (void)sched_park(spot, deadline_ms);
    {
        LOCK_SCOPE(&queue->lock);
        list_remove(queue->drainers, &queue->drainer_count, spot);
    }
    sched_spot_free(spot);
    return is_drained(queue);
}

struct workqueue_stats workqueue_stats(struct workqueue *queue)
{
    LOCK_SCOPE(&queue->lock);
    struct workqueue_stats stats = queue->totals;
    int64_t now = sched_now_ms(queue->sched);

    stats.depth = ready_count(queue);
    stats.depth_routine = queue->lines[WORK_ROUTINE].count;
    stats.waiting = (int64_t)queue->heap_count;
    stats.processing = queue->processing;
    for (struct item *i = keymap_next(&queue->items, NULL); i; i = keymap_next(&queue->items, &i->node)) {
        if (!i->is_processing)
            continue;
        stats.unfinished_ms += now - i->since_ms;
        if (now - i->since_ms > stats.longest_ms)
            stats.longest_ms = now - i->since_ms;
    }
    return stats;
}
