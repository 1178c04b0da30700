/* SHA-256 and HMAC-SHA-256, by OpenSSL, and what it lacks. */
#ifndef BASE_DIGEST_H
#define BASE_DIGEST_H

#include "pkg/base/buf.h"

#define SHA256_BYTES 32

void sha256(struct str bytes, unsigned char ret_digest[SHA256_BYTES]);
/* 64 lower-case hex digits and a NUL. */
void sha256_hex(struct str bytes, char ret_hex[2 * SHA256_BYTES + 1]);
void hmac_sha256(struct str key, struct str bytes, unsigned char ret_mac[SHA256_BYTES]);
/* CRC-32 as in zlib and ISO 3309; bit by bit, for answers and not for files. */
uint32_t crc32_of(struct str bytes);
/* Standard base64 with padding; white space is skipped. False on anything else. Appends to out. */
bool base64_decode(struct str text, struct buf *out);

#endif
