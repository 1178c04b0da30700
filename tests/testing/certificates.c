#include "tests/testing/certificates.h"

#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdbool.h>
#include <sys/random.h>

#include "pkg/base/alloc.h"

#define HOUR_S 3600

static void must(bool fine)
{
    if (!fine)
        abort(); /* making a certificate only fails when the test itself is wrong */
}

static char *bio_text(BIO *bio)
{
    char *bytes = NULL;
    long len = BIO_get_mem_data(bio, &bytes);
    char *text = xstrndup(bytes, (size_t)len);

    BIO_free(bio);
    return text;
}

static char *certificate_text(X509 *certificate)
{
    BIO *bio = BIO_new(BIO_s_mem());

    must(PEM_write_bio_X509(bio, certificate) == 1);
    return bio_text(bio);
}

static char *key_text(EVP_PKEY *key)
{
    BIO *bio = BIO_new(BIO_s_mem());

    must(PEM_write_bio_PrivateKey(bio, key, NULL, NULL, 0, NULL, NULL) == 1);
    return bio_text(bio);
}

static X509 *read_certificate(const char *text)
{
    BIO *bio = BIO_new_mem_buf(text, -1);
    X509 *certificate = PEM_read_bio_X509(bio, NULL, NULL, NULL);

    BIO_free(bio);
    must(certificate != NULL);
    return certificate;
}

static EVP_PKEY *read_key(const char *text)
{
    BIO *bio = BIO_new_mem_buf(text, -1);
    EVP_PKEY *key = PEM_read_bio_PrivateKey(bio, NULL, NULL, NULL);

    BIO_free(bio);
    must(key != NULL);
    return key;
}

static void add_extension(X509 *certificate, X509 *issuer, int nid, const char *value)
{
    X509V3_CTX context;
    X509_EXTENSION *extension;

    X509V3_set_ctx_nodb(&context);
    X509V3_set_ctx(&context, issuer, certificate, NULL, NULL, 0);
    extension = X509V3_EXT_conf_nid(NULL, &context, nid, value);
    must(extension && X509_add_ext(certificate, extension, -1) == 1);
    X509_EXTENSION_free(extension);
}

static X509 *new_certificate(const struct certificate_options *options, EVP_PKEY *key)
{
    bool dated = options->from_s || options->until_s;
    X509 *certificate = X509_new();
    X509_NAME *name = X509_get_subject_name(certificate);
    uint64_t serial = 0;

    must(getrandom(&serial, sizeof(serial), 0) == sizeof(serial));
    must(X509_set_version(certificate, 2) == 1);
    must(ASN1_INTEGER_set_uint64(X509_get_serialNumber(certificate), serial >> 1 | 1) == 1);
    must(X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_UTF8, (const unsigned char *)options->name, -1, -1,
                                    0) == 1);
    X509_gmtime_adj(X509_getm_notBefore(certificate), dated ? options->from_s : -HOUR_S);
    X509_gmtime_adj(X509_getm_notAfter(certificate), dated ? options->until_s : 24 * HOUR_S);
    must(X509_set_pubkey(certificate, key) == 1);
    return certificate;
}

/* `authority` NULL: signs itself. */
static void issue(const struct certificate_pair *authority, const struct certificate_options *options,
                  struct certificate_pair *ret)
{
    EVP_PKEY *key = EVP_EC_gen("P-256"), *signer = authority ? read_key(authority->key) : NULL;
    X509 *certificate = new_certificate(options, key);
    X509 *issuer = authority ? read_certificate(authority->certificate) : NULL;

    must(X509_set_issuer_name(certificate, X509_get_subject_name(issuer ? issuer : certificate)) == 1);
    add_extension(certificate, issuer ? issuer : certificate, NID_subject_key_identifier, "hash");
    add_extension(certificate, issuer ? issuer : certificate, NID_basic_constraints,
                  issuer ? "critical,CA:FALSE" : "critical,CA:TRUE");
    if (options->alt_names)
        add_extension(certificate, issuer ? issuer : certificate, NID_subject_alt_name, options->alt_names);
    must(X509_sign(certificate, signer ? signer : key, EVP_sha256()) > 0);
    *ret = (struct certificate_pair){.certificate = certificate_text(certificate), .key = key_text(key)};
    X509_free(certificate);
    X509_free(issuer);
    EVP_PKEY_free(key);
    EVP_PKEY_free(signer);
}

void certificate_authority(const char *name, struct certificate_pair *ret)
{
    issue(NULL, &(struct certificate_options){.name = name}, ret);
}

void certificate_issue(const struct certificate_pair *authority, const struct certificate_options *options,
                       struct certificate_pair *ret)
{
    issue(authority, options, ret);
}

void certificate_pair_done(struct certificate_pair *pair)
{
    xfree(pair->certificate);
    xfree(pair->key);
    *pair = (struct certificate_pair){0};
}
