/* What a request brings that we read ourselves (libwebsockets reads the rest): four lines of the input are an
 * Accept header, an address to listen at, a path and a query; the whole of it is a label's value. */
#include "pkg/base/metrics.h"
#include "pkg/serve/address.h"
#include "pkg/serve/health.h"
#include "tests/fuzz/fuzz.h"

static bool holds(void *arg)
{
    return arg == NULL;
}

static char *take_line(struct str *rest)
{
    struct str line = {0};

    return str_cut(rest, '\n', &line) ? str_dup(line) : xstrdup("");
}

static void ask_health(const char *path, const char *query)
{
    static const struct health_check checks[] = {{.name = "caches", .holds = holds}};
    static const struct health_page pages[] = {{.name = "readyz", .checks = checks, .count = 1}};
    struct serve_answer answer = {.status = 200, .body = BUF_MAX(KIB)};
    bool found = health_answer(pages, 1, &(struct serve_request){.path = path, .query = query}, &answer);

    FUZZ_EXPECT(answer.status == 200);
    FUZZ_EXPECT(found == (answer.body.len > 0));
    buf_done(&answer.body);
}

static void label(const char *value)
{
    static const struct metric_family family = {.name = "a", .help = "b", .labels = {"c"}};
    AUTO_METRICS struct metrics *metrics = metrics_new(&family, 1);
    AUTO_BUF struct buf page = BUF_MAX(4 * KIB);

    metrics_set(metrics, 0, 1, LABELS(value));
    metrics_render(metrics, METRICS_OPEN, &page);
    FUZZ_EXPECT(!page.overflow);
    for (struct str rest = buf_str(&page); rest.len; rest = str_from(rest, str_utf8_len(rest)))
        FUZZ_EXPECT(str_utf8_len(rest) > 0);
    metrics_forget(metrics, 0, LABELS(value));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct str rest = {.ptr = (const char *)data, .len = size};
    AUTO_FREE char *whole = str_dup(rest);
    AUTO_FREE char *accept = take_line(&rest);
    AUTO_FREE char *address = take_line(&rest);
    AUTO_FREE char *path = take_line(&rest);
    AUTO_FREE char *query = take_line(&rest);
    struct serve_address parsed = {0};

    (void)metrics_format_for(accept);
    err_ignore(serve_address_parse(address, &parsed), "any outcome but a crash");
    FUZZ_EXPECT(parsed.port >= 0 && parsed.port <= 65535);
    if (path[0] == '/')
        ask_health(path, query);
    label(whole);
    return 0;
}
