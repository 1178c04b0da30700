/* Compiled time zones: what is read gives an offset of a day and a bit at the most, at any time. */
#include "pkg/base/times.h"
#include "pkg/base/zone.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    AUTO_ZONE struct zone *zone = NULL;
    struct err *err = zone_parse((struct str){(const char *)data, size}, &zone);

    if (err) {
        err_ignore(err, "most inputs are no zones");
        return 0;
    }
    for (int64_t at_ms = -DAYS(40000); at_ms < DAYS(60000); at_ms += DAYS(97)) {
        int64_t offset_s = zone_offset_s(zone, at_ms);

        FUZZ_EXPECT(offset_s >= -170 * 3600 && offset_s <= 170 * 3600);
    }
    return 0;
}
