#include "tests/simulation/lifetime.h"

#include "pkg/base/alloc.h"
#include "tests/simulation/chance.h"

/* No lock: the scheduler's baton makes everything here single-threaded. */
struct lifetime {
    struct lifetime_opts opts;
    struct stop *stop;
    int64_t calls;
    bool killed;
};

struct lifetime *lifetime_new(const struct lifetime_opts *opts)
{
    struct lifetime *life = xcalloc(1, sizeof(*life));

    life->opts = *opts;
    life->stop = stop_new();
    return life;
}

void lifetime_free(struct lifetime *life)
{
    if (!life)
        return;
    stop_free(life->stop);
    xfree(life);
}

struct sched *lifetime_sched(const struct lifetime *life)
{
    return life->opts.sched;
}

struct stop *lifetime_stop(const struct lifetime *life)
{
    return life->stop;
}

bool lifetime_is_killed(const struct lifetime *life)
{
    return life->killed;
}

int64_t lifetime_calls(const struct lifetime *life)
{
    return life->calls;
}

static enum call_end die(struct lifetime *life)
{
    life->killed = true;
    stop_request(life->stop);
    return CALL_CUT;
}

static int64_t latency_ms(struct lifetime *life)
{
    return chance_between(life->opts.sched, life->opts.latency_min_ms, life->opts.latency_max_ms);
}

/* Time passes; false when the process has ended. */
static bool travel(struct lifetime *life, int64_t until_ms)
{
    return sched_wait_until(life->opts.sched, life->stop, until_ms) && !stop_requested(life->stop);
}

enum call_end lifetime_call(struct lifetime *life, const struct lifetime_call *call)
{
    struct sched *sched = life->opts.sched;
    int64_t deadline_ms = sched_now_ms(sched) + call->timeout_ms, answer_ms;
    bool is_last;

    if (stop_requested(life->stop))
        return CALL_CUT;
    is_last = ++life->calls == life->opts.dies_at_call;
    if (is_last && !life->opts.dies_after_deed)
        return die(life);
    if (!travel(life, sched_now_ms(sched) + latency_ms(life))) {
        if (chance_per_mille(sched, 500))
            call->deed(call->arg);
        return CALL_CUT;
    }
    answer_ms = call->deed(call->arg);
    if (is_last)
        return die(life);
    answer_ms += sched_now_ms(sched) + latency_ms(life);
    if (!travel(life, answer_ms < deadline_ms ? answer_ms : deadline_ms))
        return CALL_CUT;
    return answer_ms <= deadline_ms ? CALL_ANSWERED : CALL_TIMED_OUT;
}
