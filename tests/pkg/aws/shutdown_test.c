/* A stop ends whatever is in flight: a call that waits for an answer, and those that wait for the credentials
 * that it fetches. Over real sockets, as it is libcurl that has to let go. The server holds its answer until
 * all calls are over: what ends them is the stop, or else the time-out of 30 s, for which the test does not
 * wait. (Waits of the client's own are stopped in client_test.c, where time is simulated.) */
#include "pkg/aws/client.h"
#include "pkg/aws/dynamodb.h"
#include "pkg/http/transport.h"
#include "tests/testing/assertions.h"
#include "tests/testing/loopback.h"
#include "tests/testing/patience.h"

#define CALLERS 6

struct caller {
    struct env env;
    struct aws_account *account;
    struct task *task;
    struct err *err;
    bool is_over; /* atomic */
};

/* Takes what comes and answers nothing until it is let go. */
static void say_nothing(struct loopback *server, void *arg UNUSED)
{
    if (!loopback_accept(server))
        return;
    loopback_request(server);
    loopback_wait(server);
}

static void call(void *arg)
{
    struct caller *caller = arg;
    const struct aws_client aws = {.account = caller->account, .env = &caller->env};
    AUTO_DYNAMODB_TABLE struct dynamodb_table table = {0};

    caller->err = dynamodb_describe_table(&aws, "t", &table);
    __atomic_store_n(&caller->is_over, true, __ATOMIC_RELEASE);
}

static void stops_what_is_in_flight(void **state UNUSED)
{
    struct loopback *server = loopback_new(&(struct loopback_options){.serve = say_nothing});
    AUTO_FREE char *endpoint = NULL, *url = loopback_url(server, "");
    AUTO_AWS_CONFIG struct aws_config config = {0};
    struct sched *sched = sched_threads_new(1);
    struct random *random = random_system_new();
    struct stop *stop = stop_new();
    struct credentials_cache *identity;
    AUTO_AWS_ACCOUNT struct aws_account *account = NULL;
    struct caller callers[CALLERS] = {0};
    char key[] = "AWS_ACCESS_KEY_ID=AKIAEXAMPLE", secret[] = "AWS_SECRET_ACCESS_KEY=example-secret";
    const bool *over[CALLERS];
    bool were_over;

    endpoint = xasprintf("AWS_ENDPOINT_URL=%s", url);
    assert_no_err(aws_config_from_environ((char *const[]){key, secret, endpoint, NULL}, &config));
    identity = credentials_default_new(&config);
    assert_no_err(aws_account_new(&(struct aws_account_opts){.account_id = "222222222222",
                                                             .region = "ap-northeast-1",
                                                             .usage = AWS_TARGET,
                                                             .config = &config,
                                                             .identity = identity},
                                  &account));
    for (size_t i = 0; i < CALLERS; i++) {
        callers[i] = (struct caller){
            .account = account,
            .env = {.sched = sched, .random = random, .stop = stop, .transport = transport_curl_new(sched)}};
        over[i] = &callers[i].is_over;
        callers[i].task = sched_spawn(sched, "caller", call, &callers[i]);
    }
    while (!loopback_seen(server, 0))
        sched_wait_until(sched, NULL, sched_now_ms(sched) + 5);
    stop_request(stop);
    were_over = patience_for(sched, over, CALLERS);
    loopback_free(server); /* only now are they let go */
    for (size_t i = 0; i < CALLERS; i++)
        sched_join(callers[i].task);
    assert_true(were_over);
    for (size_t i = 0; i < CALLERS; i++) {
        assert_fails(callers[i].err, ERR_CANCELED, "stopped");
        transport_free(callers[i].env.transport);
    }
    aws_account_unref(TAKE(account));
    credentials_cache_free(identity);
    stop_free(stop);
    random_free(random);
    sched_free(sched);
}

int main(void)
{
    struct tests tests = {0};

    transport_curl_init();
    TEST(&tests, stops_what_is_in_flight);
    return tests_run(&tests, "shutdown");
}
