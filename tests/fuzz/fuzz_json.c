/* What parses prints, and parses again to the same value; what does not says why. */
#include "pkg/base/json.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    AUTO_JSON struct json *value = NULL, *again = NULL, *patch = NULL;
    AUTO_BUF struct buf text = BUF_MAX(256 * MIB);
    struct err *err = json_parse((struct str){(const char *)data, size}, NULL, &value);

    if (err) {
        FUZZ_EXPECT(err_kind(err) == ERR_INVALID);
        err_free(err);
        return 0;
    }
    json_print(value, &text);
    FUZZ_EXPECT(!json_parse(buf_str(&text), &(struct json_limits){.max_bytes = 256 * MIB}, &again));
    FUZZ_EXPECT(json_equal(value, again));
    patch = json_merge_diff(value, again);
    FUZZ_EXPECT(!patch);
    json_at(value, "a.b[0].c");
    return 0;
}
