/* Timestamps and durations in every spelling: what is read can be written and read again. */
#include "pkg/base/times.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct str text = {(const char *)data, size};
    char again[TIME_TEXT_MAX];
    int64_t ms = 0, back = 0;

    /* Zones can lead out of the four-digit years that the spellings know. */
    if (time_parse(text, &ms) && ms >= -DAYS(719527) && time_parts_of(ms).year <= 9999) {
        time_rfc3339_ms(ms, again);
        FUZZ_EXPECT(time_parse(str_of(again), &back) && back == ms);
    }
    if (time_parse_http(text, &ms) && time_parts_of(ms).year <= 9999) {
        time_http(ms, again);
        FUZZ_EXPECT(time_parse_http(str_of(again), &back) && back == ms);
    }
    if (time_parse_amz(text, &ms) && time_parts_of(ms).year <= 9999) {
        time_amz(ms, again);
        FUZZ_EXPECT(time_parse_amz(str_of(again), &back) && back == ms);
    }
    if (duration_parse(text, &ms)) {
        FUZZ_EXPECT(ms >= 0);
        duration_text(ms, again);
    }
    return 0;
}
