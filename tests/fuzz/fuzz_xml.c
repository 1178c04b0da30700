/* pkg/aws/xml.h on foreign bytes. */
#include "pkg/aws/xml.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct xml_limits limits = {.max_bytes = 65536, .max_nodes = 5000, .max_depth = 40};
    AUTO_XML struct xml *root = NULL;

    err_ignore(xml_parse((struct str){.ptr = (const char *)data, .len = size}, &limits, &root),
               "any outcome but a crash");
    for (const struct xml *node = root; node; node = xml_first(node)) {
        FUZZ_EXPECT(xml_name(node)[0] && xml_text(node));
        xml_get_int(node, "Code.Marker", 0);
    }
    return 0;
}
