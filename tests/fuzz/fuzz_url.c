/* The parts of an URL lie inside it, in order, and put together again they are the URL. */
#include "pkg/http/url.h"

#include "pkg/base/buf.h"
#include "tests/fuzz/fuzz.h"

static void check_whole(const char *text, const struct url *url)
{
    AUTO_BUF struct buf whole = BUF_MAX(MIB);
    size_t host_end = (size_t)(url->host.ptr - text) + url->host.len + url->is_ipv6;

    FUZZ_EXPECT(url->port >= 1 && url->port <= 65535 && url->host.len);
    buf_addf(&whole, STR_FMT "://%s" STR_FMT "%s", STR_ARG(url->scheme), url->is_ipv6 ? "[" : "",
             STR_ARG(url->host), url->is_ipv6 ? "]" : "");
    FUZZ_EXPECT(strncmp(text, buf_text(&whole), whole.len) == 0 && host_end == whole.len);
    FUZZ_EXPECT(url->path.ptr >= text + host_end);
    FUZZ_EXPECT(!url->path.len || url->path.ptr[0] == '/');
    buf_reset(&whole);
    buf_add_str(&whole, url->path);
    if (url->path.ptr[url->path.len] == '?')
        buf_addf(&whole, "?" STR_FMT, STR_ARG(url->query));
    FUZZ_EXPECT(text_equal(url->path.ptr, buf_text(&whole)));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    AUTO_FREE char *text = xstrndup((const char *)data, size < 4096 ? size : 4096);
    struct url url;
    struct err *err = url_parse(text, &url);

    if (err) {
        FUZZ_EXPECT(err_kind(err) == ERR_INVALID);
        err_free(err);
        return 0;
    }
    check_whole(text, &url);
    url_is_loopback(&url);
    return 0;
}
