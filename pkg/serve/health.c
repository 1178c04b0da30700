#include "pkg/serve/health.h"

#define NOT_FINE 500

static void say_check(struct serve_answer *answer, const struct health_check *check, bool holds)
{
    if (holds)
        buf_addf(&answer->body, "[+]%s ok\n", check->name);
    else
        buf_addf(&answer->body, "[-]%s failed: reason withheld\n", check->name);
}

static void answer_all(const struct health_page *page, const struct serve_request *request,
                       struct serve_answer *answer)
{
    bool holds = true;

    for (size_t i = 0; i < page->count; i++) {
        const struct health_check *check = &page->checks[i];
        bool this_holds;

        if (serve_query_says(request, "exclude", check->name)) {
            buf_addf(&answer->body, "[+]%s excluded: ok\n", check->name);
            continue;
        }
        this_holds = check->holds(check->arg);
        say_check(answer, check, this_holds);
        holds &= this_holds;
    }
    buf_addf(&answer->body, "%s check %s\n", page->name, holds ? "passed" : "failed");
    if (!holds) {
        answer->status = NOT_FINE;
    } else if (!serve_query_has(request, "verbose")) {
        buf_reset(&answer->body);
        buf_adds(&answer->body, "ok");
    }
}

static bool answer_one(const struct health_page *page, struct str name, struct serve_answer *answer)
{
    for (size_t i = 0; i < page->count; i++) {
        const struct health_check *check = &page->checks[i];

        if (!str_is(name, check->name))
            continue;
        if (check->holds(check->arg)) {
            buf_adds(&answer->body, "ok");
        } else {
            answer->status = NOT_FINE;
            say_check(answer, check, false);
        }
        return true;
    }
    return false;
}

bool health_answer(const struct health_page *pages, size_t count, const struct serve_request *request,
                   struct serve_answer *answer)
{
    struct str rest = str_from(str_of(request->path), 1), first;

    str_cut(&rest, '/', &first);
    for (size_t i = 0; i < count; i++) {
        if (!str_is(first, pages[i].name))
            continue;
        if (rest.len)
            return answer_one(&pages[i], rest, answer);
        answer_all(&pages[i], request, answer);
        return true;
    }
    return false;
}
