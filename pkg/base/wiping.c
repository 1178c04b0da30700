#include "pkg/base/wiping.h"

#include <cjson/cJSON.h>
#include <openssl/crypto.h>

#include "pkg/base/alloc.h"

static void *crypto_malloc(size_t size, const char *file UNUSED, int line UNUSED)
{
    return size ? xmalloc(size) : NULL;
}

static void *crypto_realloc(void *old, size_t size, const char *file UNUSED, int line UNUSED)
{
    if (size)
        return xrealloc_wiped(old, size);
    xfree_wiped(old);
    return NULL;
}

static void crypto_free(void *block, const char *file UNUSED, int line UNUSED)
{
    xfree_wiped(block);
}

void wiping_install(void)
{
    cJSON_Hooks hooks = {.malloc_fn = xmalloc, .free_fn = xfree_wiped};

    cJSON_InitHooks(&hooks);
    CRYPTO_set_mem_functions(crypto_malloc, crypto_realloc, crypto_free);
}
