#include "pkg/base/pem.h"

#include "tests/testing/assertions.h"
#include "tests/testing/certificates.h"

enum text { NOTHING, GARBAGE, HALF, OF_FIRST, OF_SECOND, CHAIN };

static const struct pair_row {
    const char *name;
    enum text cert, key;
    bool want;
} pair_rows[] = {
    {.name = "a pair", .cert = OF_FIRST, .key = OF_FIRST, .want = true},
    {.name = "the first of a chain counts", .cert = CHAIN, .key = OF_FIRST, .want = true},
    {.name = "another's key", .cert = OF_FIRST, .key = OF_SECOND},
    {.name = "no key", .cert = OF_FIRST, .key = NOTHING},
    {.name = "no certificate", .cert = NOTHING, .key = OF_FIRST},
    {.name = "garbage", .cert = GARBAGE, .key = OF_FIRST},
    {.name = "half a key", .cert = OF_FIRST, .key = HALF},
};

static char *text_of(enum text which, const char *first, const char *second)
{
    switch (which) {
    case NOTHING:
        return xstrdup("");
    case GARBAGE:
        return xstrdup("-----BEGIN CERTIFICATE-----\nZ2FyYmFnZQ==\n-----END CERTIFICATE-----\n");
    case HALF:
        return xstrndup(first, strlen(first) / 2);
    case OF_FIRST:
        return xstrdup(first);
    case OF_SECOND:
        return xstrdup(second);
    case CHAIN:
        return xasprintf("%s%s", first, second);
    }
    return NULL;
}

static void tells_pairs(void **state)
{
    const struct pair_row *row = *state;
    struct certificate_pair first, second;
    AUTO_FREE char *cert = NULL, *key = NULL;

    certificate_authority("first", &first);
    certificate_authority("second", &second);
    cert = text_of(row->cert, first.certificate, second.certificate);
    key = text_of(row->key, first.key, second.key);
    assert_number(pem_is_pair(str_of(cert), str_of(key)), row->want);
    certificate_pair_done(&first);
    certificate_pair_done(&second);
}

int main(void)
{
    struct tests tests = {0};

    TEST_ROWS(&tests, tells_pairs, pair_rows);
    return tests_run(&tests, "pkg/base/pem");
}
