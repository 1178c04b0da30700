/* A name server that does not answer: neither a stop nor a time-out waits for it, that is, the call is over
 * while the lookup still hangs, and long before the call's own time-out would end it (of the stop's case, 30
 * s). The test has a getaddrinfo() of its own, which the library calls. */
#include <netdb.h>
#include <unistd.h>

#include "tests/pkg/http/curl_fixture.h"
#include "tests/testing/patience.h"

static int hold[2];     /* a pipe: a lookup waits for its other end to be closed */
static bool is_looking; /* atomic */

int getaddrinfo(const char *name UNUSED, const char *service UNUSED, const struct addrinfo *hints UNUSED,
                struct addrinfo **ret UNUSED)
{
    int fd = hold[0];
    char byte;

    __atomic_store_n(&is_looking, true, __ATOMIC_RELEASE);
    if (read(fd, &byte, 1) < 0)
        return EAI_SYSTEM;
    return EAI_AGAIN;
}

struct lookup {
    int64_t timeout_ms;
    struct err *err;
    bool is_over; /* atomic */
};

static void look_up(void *arg)
{
    struct lookup *lookup = arg;
    const struct http_request request = {
        .method = "GET", .url = "http://aws.example.test/", .timeout_ms = lookup->timeout_ms};

    lookup->err = http_call(f.transport, &request, f.stop, &f.reply);
    __atomic_store_n(&lookup->is_over, true, __ATOMIC_RELEASE);
}

static bool wait_for(const bool *flag)
{
    return patience_for(f.sched, &flag, 1);
}

static void ends_without_the_name_server(struct lookup *lookup, bool stops)
{
    struct task *task;
    bool was_over;

    is_looking = false;
    assert_int_equal(pipe(hold), 0);
    task = sched_spawn(f.sched, "lookup", look_up, lookup);
    assert_true(wait_for(&is_looking));
    if (stops)
        stop_request(f.stop);
    was_over = wait_for(&lookup->is_over);
    close(hold[1]); /* only now is the lookup let go */
    sched_join(task);
    assert_true(was_over);
}

static void a_stop_does_not_wait_for_a_lookup(void **state UNUSED)
{
    struct lookup lookup = {0};

    ends_without_the_name_server(&lookup, true);
    assert_fails(lookup.err, ERR_CANCELED, "aws.example.test:80");
}

static void a_timeout_counts_for_a_lookup(void **state UNUSED)
{
    struct lookup lookup = {.timeout_ms = 50};

    ends_without_the_name_server(&lookup, false);
    assert_fails(lookup.err, ERR_RETRY, "aws.example.test:80");
}

int main(void)
{
    struct tests tests = {.set_up = set_up, .tear_down = tear_down};

    transport_curl_init();
    TEST(&tests, a_stop_does_not_wait_for_a_lookup);
    TEST(&tests, a_timeout_counts_for_a_lookup);
    return tests_run(&tests, "transport_curl_lookup");
}
