#include "pkg/base/pem.h"

#include <limits.h>
#include <openssl/err.h>
#include <openssl/pem.h>

static BIO *open_text(struct str text)
{
    return text.len && text.len <= INT_MAX ? BIO_new_mem_buf(text.ptr, (int)text.len) : NULL;
}

/* Asked for on a terminal otherwise. */
static int no_passphrase(char *buf UNUSED, int size UNUSED, int is_writing UNUSED, void *arg UNUSED)
{
    return 0;
}

bool pem_is_pair(struct str cert, struct str key)
{
    BIO *cert_text = open_text(cert), *key_text = open_text(key);
    X509 *certificate = cert_text ? PEM_read_bio_X509(cert_text, NULL, no_passphrase, NULL) : NULL;
    EVP_PKEY *private_key = key_text ? PEM_read_bio_PrivateKey(key_text, NULL, no_passphrase, NULL) : NULL;
    bool fits = certificate && private_key && X509_check_private_key(certificate, private_key) == 1;

    X509_free(certificate);
    EVP_PKEY_free(private_key);
    BIO_free(cert_text);
    BIO_free(key_text);
    ERR_clear_error();
    return fits;
}
