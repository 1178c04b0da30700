/* pkg/aws/ini.h (the shared files of the AWS tools) on foreign bytes. */
#include "pkg/aws/ini.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    AUTO_INI struct ini ini = {0};

    err_ignore(ini_parse((struct str){.ptr = (const char *)data, .len = size}, "fuzz", &ini),
               "any outcome but a crash");
    for (size_t i = 0; i < ini.count; i++) {
        FUZZ_EXPECT(ini_section(&ini, ini.sections[i].name) == &ini.sections[i]);
        for (size_t k = 0; k < ini.sections[i].count; k++) {
            FUZZ_EXPECT(ini_get(&ini.sections[i], ini.sections[i].entries[k].key));
        }
    }
    return 0;
}
