/* Whatever parses has a server, a namespace and an origin; whatever does not is the file's fault, and says so
 * with its name. Files it may name are not there. */
#include "pkg/kube/config.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    AUTO_KUBE_CONFIG struct kube_config *config = NULL;
    struct err *err;

    if (size > 64 * 1024)
        return 0;
    err = kube_config_from_text((struct str){(const char *)data, size}, "/nowhere/fuzz", NULL, &config);
    if (err) {
        FUZZ_EXPECT(err_kind(err) == ERR_INVALID);
        FUZZ_EXPECT(str_contains(str_of(err_text(err)), "fuzz"));
        FUZZ_EXPECT(!config);
        err_free(err);
        return 0;
    }
    FUZZ_EXPECT(!text_is_empty(kube_config_server(config)));
    FUZZ_EXPECT(!text_is_empty(kube_config_namespace(config)));
    FUZZ_EXPECT(!text_is_empty(kube_config_origin(config)));
    return 0;
}
