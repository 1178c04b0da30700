#include "controller/event_silence.h"

#include "pkg/base/alloc.h"
#include "pkg/base/str.h"
#include "pkg/base/times.h"

#define LONG_ENOUGH_MS MINUTES(15)
#define LATE_MAX_MS MINUTES(10)
/* A single event may be lost. */
#define JOBS_MIN 3

struct event_sender {
    char *account_id;
    int64_t heard_ms; /* -1: never */
    int jobs;         /* that ended unheard of, in a row */
    int64_t since_ms; /* the first of these */
};

void event_silence_done(struct event_silence *silence)
{
    for (size_t i = 0; i < silence->count; i++)
        xfree(silence->senders[i].account_id);
    xfree(silence->senders);
    *silence = (struct event_silence){0};
}

static struct event_sender *find_or_add(struct event_silence *silence, const char *account_id)
{
    struct event_sender *sender;

    for (size_t i = 0; i < silence->count; i++) {
        if (text_equal(silence->senders[i].account_id, account_id))
            return &silence->senders[i];
    }
    silence->senders = xgrow(silence->senders, silence->count, sizeof(*silence->senders));
    sender = &silence->senders[silence->count++];
    *sender = (struct event_sender){.account_id = xstrdup(account_id), .heard_ms = -1};
    return sender;
}

void event_silence_heard(struct event_silence *silence, const char *account_id, int64_t now_ms)
{
    struct event_sender *sender = find_or_add(silence, account_id);

    sender->heard_ms = now_ms;
    sender->jobs = 0;
}

void event_silence_job_ended(struct event_silence *silence, const char *account_id, int64_t took_ms,
                             int64_t now_ms)
{
    struct event_sender *sender = find_or_add(silence, account_id);

    if (took_ms < LONG_ENOUGH_MS || (sender->heard_ms >= 0 && now_ms - sender->heard_ms <= took_ms))
        return;
    if (!sender->jobs++)
        sender->since_ms = now_ms;
}

const char *event_silence_of(const struct event_silence *silence, int64_t now_ms)
{
    for (size_t i = 0; i < silence->count; i++) {
        const struct event_sender *sender = &silence->senders[i];

        if (sender->jobs >= JOBS_MIN && now_ms - sender->since_ms >= LATE_MAX_MS)
            return sender->account_id;
    }
    return NULL;
}
