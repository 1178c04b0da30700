/* Objects of our two kinds as anybody may write them, and the status that we read back. The first byte says
 * which: 0, 1 or 2. Seeds are in tests/data/refresh/fuzz. */
#include "pkg/refresh/account.h"
#include "pkg/refresh/spec.h"
#include "pkg/refresh/status.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct err *try_account(const struct json *value)
{
    AUTO_ACCOUNT struct account *account = NULL;

    TRY(account_parse(value, &account));
    (void)account_grants(account, "staging", "staging", "AuroraCluster", "shop");
    return NULL;
}

static struct err *try_spec(const struct json *value)
{
    AUTO_REFRESH_SPEC struct refresh_spec *spec = NULL;
    AUTO_BUF struct buf fields = BUF_MAX(64 * KIB);

    if (!refresh_same_frozen(value, value))
        __builtin_trap();
    TRY(refresh_spec_parse(value, "shop", &spec));
    (void)refresh_needs_cluster(spec, &fields);
    return NULL;
}

/* What is written is read again, and written the same. */
static struct err *try_status(const struct json *value)
{
    AUTO_REFRESH_STATUS struct refresh_status *status = NULL, *again = NULL;
    AUTO_JSON struct json *written = NULL, *rewritten = NULL;

    TRY(refresh_status_parse(value, &status));
    written = refresh_status_to_json(status);
    if (refresh_status_parse(written, &again))
        __builtin_trap();
    rewritten = refresh_status_to_json(again);
    if (!json_equal(written, rewritten))
        __builtin_trap();
    return NULL;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct err *(*const targets[])(const struct json *value) = {try_account, try_spec, try_status};
    AUTO_JSON struct json *value = NULL;
    struct err *err;

    if (!size)
        return 0;
    err = json_parse((struct str){.ptr = (const char *)data + 1, .len = size - 1}, NULL, &value);
    if (!err)
        err = targets[data[0] % COUNT_OF(targets)](value);
    err_ignore(err, "most inputs are wrong");
    return 0;
}
