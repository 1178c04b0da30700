#include "pkg/base/digest.h"

#include "tests/testing/assertions.h"

/* FIPS 180-4 examples. */
static const struct hash_row {
    const char *name, *text, *hex;
} hash_rows[] = {
    {.name = "nothing",
     .text = "",
     .hex = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"},
    {.name = "abc", .text = "abc", .hex = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"},
    {.name = "two blocks",
     .text = "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
     .hex = "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"},
};

static void hashes(void **state)
{
    const struct hash_row *row = *state;
    char hex[2 * SHA256_BYTES + 1];

    sha256_hex(str_of(row->text), hex);
    assert_text_equal(hex, row->hex);
}

static void hashes_view_of_nothing(void **state)
{
    char hex[2 * SHA256_BYTES + 1];

    (void)state;
    sha256_hex((struct str){0}, hex);
    assert_text_equal(hex, hash_rows[0].hex);
}

/* RFC 4231, cases 1, 2 and 6 (a key longer than a block). */
static const struct mac_row {
    const char *name, *key, *text, *hex;
} mac_rows[] = {
    {.name = "case 1",
     .key = "\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b",
     .text = "Hi There",
     .hex = "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"},
    {.name = "case 2",
     .key = "Jefe",
     .text = "what do ya want for nothing?",
     .hex = "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"},
    {.name = "empty key and text",
     .key = "",
     .text = "",
     .hex = "b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad"},
};

static void authenticates(void **state)
{
    const struct mac_row *row = *state;
    unsigned char mac[SHA256_BYTES];
    AUTO_BUF struct buf hex = BUF_MAX(100);

    hmac_sha256(str_of(row->key), str_of(row->text), mac);
    buf_add_hex(&hex, mac, sizeof(mac));
    assert_text_equal(buf_text(&hex), row->hex);
}

static void authenticates_with_long_key(void **state)
{
    unsigned char mac[SHA256_BYTES];
    AUTO_BUF struct buf hex = BUF_MAX(100);
    char key[131];

    (void)state;
    memset(key, 0xaa, sizeof(key));
    hmac_sha256((struct str){key, sizeof(key)}, STR("Test Using Larger Than Block-Size Key - Hash Key First"),
                mac);
    buf_add_hex(&hex, mac, sizeof(mac));
    assert_text_equal(buf_text(&hex), "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
}

/* The check value of the catalogues of CRCs, and what Python's zlib says. */
static const struct crc_row {
    const char *name;
    struct str bytes;
    uint32_t crc;
} crc_rows[] = {
    {"nothing", {NULL, 0}, 0},
    {"the check value", {"123456789", 9}, 0xcbf43926},
    {"a NUL", {"\0", 1}, 0xd202ef8d},
    {"high bits", {"\xff\xff\xff\xff", 4}, 0xffffffff},
};

static void sums_up(void **state)
{
    const struct crc_row *row = *state;

    assert_number(crc32_of(row->bytes), row->crc);
}

static const struct base64_row {
    const char *name;
    bool ok;
    const char *want;
} base64_rows[] = {
    {.name = "", .ok = true, .want = ""},
    {.name = "Zg==", .ok = true, .want = "f"},
    {.name = "Zm8=", .ok = true, .want = "fo"},
    {.name = "Zm9v", .ok = true, .want = "foo"},
    {.name = "Zm9vYmFy", .ok = true, .want = "foobar"},
    {.name = " Zm 9v\r\n\tYm Fy\n", .ok = true, .want = "foobar"},
    {.name = "+/+/", .ok = true, .want = "\xfb\xff\xbf"},
    {.name = "Z"},
    {.name = "Zg"},
    {.name = "Zg="},
    {.name = "Zg==="},
    {.name = "Z==="},
    {.name = "===="},
    {.name = "=Zg="},
    {.name = "Zg=g"},
    {.name = "Zg==Zg=="},
    {.name = "Zg==Zm9v"},
    {.name = "Zm9v!"},
    {.name = "-_-_"},
    {.name = "Zm9v\x80"},
};

static void decodes(void **state)
{
    const struct base64_row *row = *state;
    AUTO_BUF struct buf out = BUF_MAX(100);

    assert_int_equal(base64_decode(str_of(row->name), &out), row->ok);
    if (row->ok)
        assert_text_equal(buf_text(&out), row->want);
}

static void decodes_what_is_encoded(void **state)
{
    unsigned char bytes[256];

    (void)state;
    for (size_t i = 0; i < sizeof(bytes); i++)
        bytes[i] = (unsigned char)(i * 7);
    for (size_t len = 0; len < sizeof(bytes); len++) {
        AUTO_BUF struct buf text = BUF_MAX(400), out = BUF_MAX(400);

        buf_add_base64(&text, bytes, len);
        assert_true(base64_decode(buf_str(&text), &out));
        assert_number((int64_t)out.len, (int64_t)len);
        assert_memory_equal(buf_text(&out), bytes, len);
    }
}

int main(void)
{
    struct tests tests = {0};

    TEST_ROWS(&tests, hashes, hash_rows);
    TEST(&tests, hashes_view_of_nothing);
    TEST_ROWS(&tests, authenticates, mac_rows);
    TEST(&tests, authenticates_with_long_key);
    TEST_ROWS(&tests, sums_up, crc_rows);
    TEST_ROWS(&tests, decodes, base64_rows);
    TEST(&tests, decodes_what_is_encoded);
    return tests_run(&tests, "digest");
}
