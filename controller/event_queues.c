#include "controller/event_queues.h"

#include "controller/event_silence.h"
#include "controller/metrics.h"
#include "pkg/aws/sqs.h"
#include "pkg/base/backoff.h"
#include "pkg/base/lock.h"

/* A queue that answers at once, and empty, does not wait as it was asked: then we do. */
#define EMPTY_ROUND_MS SECONDS(1)
/* While each is full there are more: they are received before any is deleted, in far less than the 30 s after
 * which a message comes again. */
#define BATCHES_MAX 8
/* A blip is no trouble that anybody should read of. */
#define FAILURES_SAID 3

static const struct backoff trouble_backoff = {.base_ms = SECONDS(2), .max_ms = MINUTES(5)};

struct event_queue {
    struct event_queues *owner;
    char *name, *url;            /* the AWSAccount's; immutable, as the next four */
    struct aws_account *account; /* a reference */
    struct env env;              /* of its thread; the stop is its own */
    struct stop_subscription *subscription;
    struct task *task;
    int batch; /* of its thread: how many messages are asked for at once */
    /* owner's lock: */
    bool is_over;      /* the thread has nothing left to do */
    int failures;      /* in a row */
    int64_t turned_ms; /* when the thread last went round */
    enum event_queue_state state;
    char *reason, *message;
    struct event_silence silence;
    struct event_queue *next;
};

struct event_queues {
    struct event_queues_opts opts; /* immutable */
    pthread_mutex_t lock;
    struct event_queue *active; /* lock; at most one per AWSAccount */
    struct event_queue *ending; /* lock; told to stop */
};

struct event_queues *event_queues_new(const struct event_queues_opts *opts)
{
    struct event_queues *queues = xcalloc(1, sizeof(*queues));

    queues->opts = *opts;
    pthread_mutex_init(&queues->lock, NULL);
    return queues;
}

/* --- what a message is worth --- */

static const char *const faults[] = {
    [AWS_EVENT_TOO_LARGE] = "too_large",
    [AWS_EVENT_MALFORMED] = "malformed",
    [AWS_EVENT_OTHER_KIND] = "other_kind",
};

/* Where an event comes from, and whether there is an AWSAccount for it. */
struct origin {
    const struct aws_event *event;
    bool is_known;
};

static bool compare_region(void *arg, const struct json *account)
{
    struct origin *origin = arg;

    origin->is_known = text_equal(json_get_text(account, "spec.region", NULL), origin->event->region);
    return !origin->is_known;
}

static bool is_known(struct objects *objects, const struct aws_event *event)
{
    struct origin origin = {.event = event};

    objects_each(objects, OBJECT_ACCOUNT, event->account, compare_region, &origin);
    return origin.is_known;
}

static void note_heard(struct event_queue *queue, const char *account_id)
{
    LOCK_SCOPE(&queue->owner->lock);
    event_silence_heard(&queue->silence, account_id, sched_now_ms(queue->env.sched));
}

/* NULL: it was of use. */
static const char *pass_on(struct event_queue *queue, const struct aws_event *event)
{
    const struct event_queues_opts *opts = &queue->owner->opts;
    size_t told;

    if (!is_known(opts->objects, event))
        return "foreign";
    note_heard(queue, event->account);
    told = opts->hear(opts->arg, event);
    if (!event->is_over)
        return "no_news";
    if (!told)
        return "nobody_waits";
    LOG_DEBUG(opts->log, "event heard", KV("kind", aws_event_kind_name(event->kind)),
              KV("account", event->account), KV("subject", event->subject), KV_INT("objects", (int64_t)told));
    return NULL;
}

static void take(struct event_queue *queue, const struct sqs_message *message)
{
    struct metrics *metrics = queue->owner->opts.metrics;
    const char *id = aws_account_id(queue->account), *ignored;
    AUTO_AWS_EVENT struct aws_event event = {0};
    enum aws_event_fault fault = aws_event_parse(str_of(message->body), &event);

    metrics_add(metrics, METRIC_EVENTS_RECEIVED, 1,
                LABELS(id, fault == AWS_EVENT_FINE ? aws_event_kind_name(event.kind) : "other"));
    ignored = fault == AWS_EVENT_FINE ? pass_on(queue, &event) : faults[fault];
    if (ignored)
        metrics_add(metrics, METRIC_EVENTS_IGNORED, 1, LABELS(id, ignored));
}

/* --- a round --- */

static void take_all(struct event_queue *queue, const struct sqs_messages *messages)
{
    for (size_t i = 0; i < messages->count; i++)
        take(queue, &messages->items[i]);
}

static struct err *delete_all(struct event_queue *queue, const struct sqs_messages *messages)
{
    const struct aws_client aws = {.account = queue->account, .env = &queue->env};
    size_t left = 0;

    if (!messages->count)
        return NULL;
    TRY(err_wrap(sqs_delete(&aws, queue->url, messages, &left), "delete what was received"));
    if (left)
        LOG_DEBUG(queue->env.log, "some messages were not deleted and come again", KV("account", queue->name),
                  KV_INT("messages", (int64_t)left));
    return NULL;
}

static struct err *receive(struct event_queue *queue, int wait_s, struct sqs_messages *ret)
{
    const struct aws_client aws = {.account = queue->account, .env = &queue->env};
    AUTO_SQS_MESSAGES struct sqs_messages messages = {0};
    struct err *err = sqs_receive(&aws, queue->url, queue->batch, wait_s, &messages);

    /* Ten large messages may be more than an answer may hold. */
    queue->batch = err && err_kind(err) == ERR_INVALID ? 1 : SQS_BATCH_MAX;
    TRY(err);
    take_all(queue, &messages);
    *ret = messages;
    messages = (struct sqs_messages){0};
    return NULL;
}

struct batches {
    struct sqs_messages items[BATCHES_MAX];
    size_t count;
};

static void batches_done(struct batches *batches)
{
    for (size_t i = 0; i < batches->count; i++)
        sqs_messages_done(&batches->items[i]);
}

static struct err *receive_all(struct event_queue *queue, struct batches *ret)
{
    while (ret->count < BATCHES_MAX) {
        struct sqs_messages *batch = &ret->items[ret->count];

        TRY(receive(queue, ret->count ? 0 : SQS_WAIT_MAX_S, batch));
        ret->count++;
        if (batch->count < SQS_BATCH_MAX)
            break;
    }
    return NULL;
}

static struct err *round_of(struct event_queue *queue)
{
    struct sched *sched = queue->env.sched;
    CLEANUP(batches_done) struct batches batches = {0};
    int64_t began_ms = sched_now_ms(sched);
    AUTO_ERR struct err *err = receive_all(queue, &batches);

    for (size_t i = 0; i < batches.count && !stop_requested(queue->env.stop); i++)
        TRY(delete_all(queue, &batches.items[i]));
    if (err || batches.items[0].count)
        return TAKE(err);
    if (!sched_wait_until(sched, queue->env.stop, began_ms + EMPTY_ROUND_MS))
        return err_new(ERR_CANCELED, "stopped");
    return NULL;
}

/* --- how it goes --- */

static void replace(char **text, const char *value)
{
    xfree(*text);
    *text = xstrdup_or_null(value);
}

/* True when people should hear of it. */
static bool note_success(struct event_queue *queue)
{
    LOCK_SCOPE(&queue->owner->lock);
    const char *silent = event_silence_of(&queue->silence, sched_now_ms(queue->env.sched));
    enum event_queue_state state = silent ? EVENT_QUEUE_SILENT : EVENT_QUEUE_WORKS;
    bool news = queue->state != state;

    queue->failures = 0;
    queue->state = state;
    return news;
}

static bool note_failure(struct event_queue *queue, const struct err *err, int *ret_failures)
{
    const char *code = err_remote(err)->code;

    LOCK_SCOPE(&queue->owner->lock);
    *ret_failures = ++queue->failures;
    if (err_kind(err) == ERR_RETRY && queue->failures < FAILURES_SAID)
        return false;
    if (queue->state == EVENT_QUEUE_FAILS && text_equal(queue->reason, code ? code : "NoAnswer"))
        return false;
    queue->state = EVENT_QUEUE_FAILS;
    replace(&queue->reason, code ? code : "NoAnswer");
    replace(&queue->message, err_text(err));
    return true;
}

static void tell(struct event_queue *queue, bool works)
{
    const struct event_queues_opts *opts = &queue->owner->opts;

    metrics_set(opts->metrics, METRIC_EVENT_QUEUE_UP, works, LABELS(aws_account_id(queue->account)));
    opts->changed(opts->arg, queue->name);
}

/* False: told to stop. */
static bool settle(struct event_queue *queue, const struct err *err)
{
    struct sched *sched = queue->env.sched;
    int failures;

    if (err && err_kind(err) == ERR_CANCELED)
        return false;
    if (!err) {
        if (note_success(queue))
            tell(queue, true);
        return true;
    }
    if (note_failure(queue, err, &failures)) {
        LOG_WARN(queue->env.log, "the event queue fails; looking goes on without it",
                 KV("awsaccount", queue->name), KV("error", err_text(err)),
                 KV_IF("request", err_remote(err)->request_id));
        tell(queue, false);
    }
    return sched_wait_until(sched, queue->env.stop,
                            sched_now_ms(sched) +
                                backoff_delay_ms(&trouble_backoff, failures, queue->env.random));
}

static void mark_turn(struct event_queue *queue)
{
    LOCK_SCOPE(&queue->owner->lock);
    queue->turned_ms = sched_now_ms(queue->env.sched);
}

static void run_queue(void *arg)
{
    struct event_queue *queue = arg;
    bool goes_on = true;

    while (goes_on && !stop_requested(queue->env.stop)) {
        AUTO_ERR struct err *err = NULL;

        mark_turn(queue);
        err = round_of(queue);
        goes_on = settle(queue, err);
    }
    LOCK_SCOPE(&queue->owner->lock);
    queue->is_over = true;
}

/* --- beginning and ending --- */

static void pass_stop_on(void *arg)
{
    stop_request(arg);
}

static struct event_queue *queue_new(struct event_queues *queues, const struct account *account,
                                     struct aws_account *aws)
{
    const struct event_queues_opts *opts = &queues->opts;
    struct event_queue *queue = xcalloc(1, sizeof(*queue));

    queue->owner = queues;
    queue->name = xstrdup(account->name);
    queue->url = xstrdup(account->events_queue_url);
    queue->account = aws_account_ref(aws);
    queue->batch = SQS_BATCH_MAX;
    queue->state = EVENT_QUEUE_STARTING;
    queue->env = (struct env){.log = opts->log,
                              .sched = opts->sched,
                              .random = opts->random,
                              .transport = opts->new_transport(opts->new_transport_arg),
                              .stop = stop_new()};
    queue->subscription = stop_subscribe(opts->stop, pass_stop_on, queue->env.stop);
    return queue;
}

/* Waits for its end. */
static void queue_free(struct event_queue *queue)
{
    sched_join(queue->task);
    stop_unsubscribe(queue->subscription);
    stop_free(queue->env.stop);
    transport_free(queue->env.transport);
    aws_account_unref(queue->account);
    xfree(queue->name);
    xfree(queue->url);
    xfree(queue->reason);
    xfree(queue->message);
    event_silence_done(&queue->silence);
    xfree(queue);
}

/* The lock is held. */
static struct event_queue **find(struct event_queues *queues, const char *account_name)
{
    struct event_queue **at = &queues->active;

    while (*at && !text_equal((*at)->name, account_name))
        at = &(*at)->next;
    return at;
}

/* The lock is held. */
static void retire(struct event_queues *queues, struct event_queue **at)
{
    struct event_queue *queue = *at;

    *at = queue->next;
    queue->next = queues->ending;
    queues->ending = queue;
}

static struct event_queue *take_ended(struct event_queues *queues, bool even_running)
{
    LOCK_SCOPE(&queues->lock);
    for (struct event_queue **at = &queues->ending; *at; at = &(*at)->next) {
        struct event_queue *queue = *at;

        if (!queue->is_over && !even_running)
            continue;
        *at = queue->next;
        return queue;
    }
    return NULL;
}

static void reap(struct event_queues *queues, bool even_running)
{
    struct event_queue *queue;

    while ((queue = take_ended(queues, even_running)))
        queue_free(queue);
}

void event_queues_leave(struct event_queues *queues, const char *account_name)
{
    struct event_queue **at;

    reap(queues, false);
    LOCK_SCOPE(&queues->lock);
    at = find(queues, account_name);
    if (!*at)
        return;
    stop_request((*at)->env.stop); /* under the lock: a thread that has ended is freed by whoever looks */
    retire(queues, at);
}

static bool is_followed(struct event_queues *queues, const struct account *account,
                        const struct aws_account *aws)
{
    LOCK_SCOPE(&queues->lock);
    const struct event_queue *queue = *find(queues, account->name);

    return queue && queue->account == aws && text_equal(queue->url, account->events_queue_url);
}

void event_queues_follow(struct event_queues *queues, const struct account *account, struct aws_account *aws)
{
    struct event_queue *queue;

    if (is_followed(queues, account, aws))
        return;
    event_queues_leave(queues, account->name);
    if (!account->events_queue_url || stop_requested(queues->opts.stop))
        return;
    queue = queue_new(queues, account, aws);
    {
        LOCK_SCOPE(&queues->lock);
        queue->next = queues->active;
        queue->turned_ms = sched_now_ms(queue->env.sched);
        queues->active = queue;
        queue->task = sched_spawn(queues->opts.sched, "events", run_queue, queue);
    }
}

void event_queues_stop(struct event_queues *queues)
{
    for (;;) {
        AUTO_FREE char *name = NULL;

        {
            LOCK_SCOPE(&queues->lock);
            name = queues->active ? xstrdup(queues->active->name) : NULL;
        }
        if (!name)
            break;
        event_queues_leave(queues, name);
    }
    reap(queues, true);
}

void event_queues_free(struct event_queues *queues)
{
    if (!queues)
        return;
    pthread_mutex_destroy(&queues->lock);
    xfree(queues);
}

/* --- looking --- */

void event_queue_view_done(struct event_queue_view *view)
{
    xfree(view->reason);
    xfree(view->message);
    xfree(view->silent_account);
    *view = (struct event_queue_view){0};
}

void event_queues_look(struct event_queues *queues, const char *account_name, struct event_queue_view *ret)
{
    LOCK_SCOPE(&queues->lock);
    const struct event_queue *queue = *find(queues, account_name);

    *ret = (struct event_queue_view){.state = queue ? queue->state : EVENT_QUEUE_NONE};
    if (ret->state == EVENT_QUEUE_FAILS) {
        ret->reason = xstrdup_or_null(queue->reason);
        ret->message = xstrdup_or_null(queue->message);
    }
    if (ret->state == EVENT_QUEUE_SILENT)
        ret->silent_account =
            xstrdup_or_null(event_silence_of(&queue->silence, sched_now_ms(queue->env.sched)));
}

int64_t event_queues_silent_ms(struct event_queues *queues)
{
    LOCK_SCOPE(&queues->lock);
    int64_t now_ms = sched_now_ms(queues->opts.sched), longest_ms = 0;

    for (const struct event_queue *queue = queues->active; queue; queue = queue->next)
        if (now_ms - queue->turned_ms > longest_ms)
            longest_ms = now_ms - queue->turned_ms;
    return longest_ms;
}

void event_queues_job_ended(struct event_queues *queues, const char *account_name, const char *job_account_id,
                            int64_t took_ms)
{
    LOCK_SCOPE(&queues->lock);
    struct event_queue *queue = *find(queues, account_name);

    if (queue)
        event_silence_job_ended(&queue->silence, job_account_id, took_ms, sched_now_ms(queues->opts.sched));
}

bool event_queues_work(struct event_queues *queues, const char *account_name)
{
    LOCK_SCOPE(&queues->lock);
    const struct event_queue *queue = *find(queues, account_name);

    return queue && (queue->state == EVENT_QUEUE_WORKS || queue->state == EVENT_QUEUE_SILENT) &&
           !queue->failures;
}
