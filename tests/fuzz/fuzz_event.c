/* Whatever lies in a queue: it is dropped, or it is a hint with all its parts and within their caps. */
#include "pkg/aws/event.h"
#include "tests/fuzz/fuzz.h"

static bool is_whole(const char *text)
{
    return !text_is_empty(text) && strlen(text) <= AWS_EVENT_TEXT_MAX;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    AUTO_AWS_EVENT struct aws_event event = {0};
    enum aws_event_fault fault =
        aws_event_parse((struct str){.ptr = (const char *)data, .len = size}, &event);

    if (fault == AWS_EVENT_FINE) {
        FUZZ_EXPECT(event.kind >= 0 && event.kind < AWS_EVENT_KIND_COUNT);
        FUZZ_EXPECT(is_whole(event.account) && is_whole(event.region) && is_whole(event.subject));
    } else {
        FUZZ_EXPECT(!event.account && !event.region && !event.subject);
    }
    return 0;
}
