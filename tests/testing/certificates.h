/* A certificate authority of our own and what it signs, made anew for each test: nothing with a key or a date
 * lies in the tree. EC P-256. */
#ifndef TESTING_CERTIFICATES_H
#define TESTING_CERTIFICATES_H

#include <stdint.h>

struct certificate_pair { /* PEM, owned */
    char *certificate;
    char *key;
};

struct certificate_options {
    const char *name;        /* common name */
    const char *alt_names;   /* OpenSSL's spelling: "DNS:localhost,IP:127.0.0.1"; NULL: none */
    int64_t from_s, until_s; /* relative to now; both 0: from an hour ago for a day */
};

void certificate_authority(const char *name, struct certificate_pair *ret);
void certificate_issue(const struct certificate_pair *authority, const struct certificate_options *options,
                       struct certificate_pair *ret);
void certificate_pair_done(struct certificate_pair *pair);

#endif
