#include "pkg/base/digest.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>

void sha256(struct str bytes, unsigned char ret_digest[SHA256_BYTES])
{
    if (!EVP_Digest(bytes.ptr ? bytes.ptr : "", bytes.len, ret_digest, NULL, EVP_sha256(), NULL))
        abort();
}

void sha256_hex(struct str bytes, char ret_hex[2 * SHA256_BYTES + 1])
{
    unsigned char digest[SHA256_BYTES];
    static const char digits[] = "0123456789abcdef";

    sha256(bytes, digest);
    for (size_t i = 0; i < SHA256_BYTES; i++) {
        ret_hex[2 * i] = digits[digest[i] >> 4];
        ret_hex[2 * i + 1] = digits[digest[i] & 15];
    }
    ret_hex[2 * SHA256_BYTES] = '\0';
}

void hmac_sha256(struct str key, struct str bytes, unsigned char ret_mac[SHA256_BYTES])
{
    unsigned int len = SHA256_BYTES;

    if (!HMAC(EVP_sha256(), key.ptr ? key.ptr : "", (int)key.len,
              (const unsigned char *)(bytes.ptr ? bytes.ptr : ""), bytes.len, ret_mac, &len))
        abort();
}

#define CRC32_POLYNOMIAL UINT32_C(0xedb88320) /* reflected */

uint32_t crc32_of(struct str bytes)
{
    uint32_t crc = UINT32_MAX;

    for (size_t i = 0; i < bytes.len; i++) {
        crc ^= (unsigned char)bytes.ptr[i];
        for (int bit = 0; bit < 8; bit++)
            crc = (crc >> 1) ^ (crc & 1 ? CRC32_POLYNOMIAL : 0);
    }
    return ~crc;
}

static int digit_of(char c)
{
    if (c >= 'A' && c <= 'Z')
        return c - 'A';
    if (c >= 'a' && c <= 'z')
        return c - 'a' + 26;
    if (c >= '0' && c <= '9')
        return c - '0' + 52;
    return c == '+' ? 62 : c == '/' ? 63 : -1;
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\n' || c == '\r' || c == '\t';
}

bool base64_decode(struct str text, struct buf *out)
{
    uint32_t group = 0;
    int held = 0, padding = 0;

    for (size_t i = 0; i < text.len; i++) {
        char c = text.ptr[i];
        int digit = digit_of(c);

        if (is_blank(c))
            continue;
        if (c == '=')
            digit = 0, padding++;
        else if (digit < 0 || padding)
            return false;
        group = group << 6 | (uint32_t)digit;
        if (++held == 4) {
            char bytes[3] = {(char)(group >> 16), (char)(group >> 8), (char)group};

            if (padding > 2)
                return false;
            buf_add(out, bytes, 3 - (size_t)padding);
            held = 0;
            group = 0;
            if (padding)
                padding = 3; /* nothing may follow */
        }
    }
    return held == 0;
}
