#include "plugin/verdict.h"

/* Requests that came during a run become one: the run after it answers ours too, when somebody has asked once
 * more and so taken our text away. */
static bool is_answer(const struct json *object, const struct refresh_status *status,
                      const struct awaited *awaited)
{
    const char *present = json_get_text(
        json_member(json_at(object, "metadata.annotations"), "stagingrefresh.dev/run-requested"), NULL, "");

    if (!status->run.id || text_equal(status->run.id, awaited->before))
        return false;
    return text_equal(status->run.request, awaited->request) ||
           text_equal(status->last_handled_request, awaited->request) ||
           !text_equal(present, awaited->request);
}

static const char *message_of(const struct refresh_status *status, const char *type)
{
    const struct condition *condition = facts_condition(status, type);

    return condition && condition->message ? condition->message : "";
}

static bool is_old_answer(const char *sentence, const struct awaited *awaited)
{
    return text_equal(sentence, awaited->stalled) && awaited->waited_ms < VERDICT_OLD_ANSWER_MS;
}

struct verdict verdict_of(const struct json *object, const struct refresh_status *status,
                          const struct awaited *awaited)
{
    bool seen = status->observed_generation == json_get_int(object, "metadata.generation", 0);

    if (is_answer(object, status, awaited)) {
        if (!status->run.completion_ms)
            return (struct verdict){0};
        return (struct verdict){.kind =
                                    facts_is_true(status, "Succeeded") ? VERDICT_SUCCEEDED : VERDICT_FAILED,
                                .sentence = message_of(status, "Ready")};
    }
    if (facts_is_active(status) || !seen)
        return (struct verdict){0};
    if (text_equal(status->phase, "Stalled")) {
        const char *sentence = message_of(status, "Stalled");

        if (is_old_answer(sentence, awaited))
            return (struct verdict){0};
        return (struct verdict){.kind = VERDICT_FAILED, .sentence = sentence};
    }
    if (text_equal(status->phase, "Suspended"))
        return (struct verdict){.kind = VERDICT_FAILED,
                                .sentence = "no run begins while spec.suspend is true"};
    return (struct verdict){0};
}
