#include "pkg/base/secret.h"

#include <openssl/crypto.h>

#define SECRET_MAX (64u * 1024u)

struct secret {
    size_t len;
    char bytes[];
};

struct secret *secret_new(struct str bytes)
{
    size_t len = bytes.len <= SECRET_MAX ? bytes.len : SECRET_MAX;
    struct secret *secret = xmalloc(sizeof(*secret) + len + 1);

    secret->len = len;
    if (len)
        memcpy(secret->bytes, bytes.ptr, len);
    secret->bytes[len] = '\0';
    return secret;
}

struct secret *secret_copy(const struct secret *secret)
{
    return secret ? secret_new(secret_reveal(secret)) : NULL;
}

void secret_free(struct secret *secret)
{
    if (!secret)
        return;
    explicit_bzero(secret, sizeof(*secret) + secret->len + 1);
    xfree(secret);
}

struct str secret_reveal(const struct secret *secret)
{
    return (struct str){.ptr = secret->bytes, .len = secret->len};
}

bool secret_equal(const struct secret *a, const struct secret *b)
{
    if (!a || !b)
        return a == b;
    return a->len == b->len && CRYPTO_memcmp(a->bytes, b->bytes, a->len) == 0;
}

void wipe_free(char *text)
{
    if (text)
        explicit_bzero(text, strlen(text));
    xfree(text);
}
