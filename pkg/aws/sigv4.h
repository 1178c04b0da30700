/* Signature Version 4: a pure function from a request, credentials and a point in time to an Authorization
 * header. https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html
 *
 * Paths are encoded twice in the canonical request, as every service but S3 wants it. */
#ifndef AWS_SIGV4_H
#define AWS_SIGV4_H

#include "pkg/aws/credentials.h"
#include "pkg/base/digest.h"
#include "pkg/http/transport.h"

/* Exactly what will be sent. All borrowed. */
struct sigv4_request {
    const char *method;
    struct str path;  /* as sent: percent-encoded once; empty means "/" */
    struct str query; /* as sent, without '?' */
    const struct http_header
        *headers; /* "host" among them; x-amz-date and x-amz-security-token are added here */
    size_t header_count;
    struct str body;
};

struct sigv4_scope {
    const char *region;
    const char *service; /* signing name */
    int64_t wall_ms;     /* already corrected for clock skew */
};

/* Every stage, for tests that compare with another signer. Owned. */
struct sigv4_result {
    char date[TIME_TEXT_MAX];  /* value of the x-amz-date header that must be sent */
    struct buf canonical;      /* the canonical request; wiped, as it holds the session token */
    struct buf signed_headers; /* "host;x-amz-date" */
    struct buf string_to_sign;
    char signature[2 * SHA256_BYTES + 1];
    struct buf authorization; /* value of the authorization header that must be sent */
};

/* Headers that something on the way may change (user-agent, accept, content-length, connection, ...) are sent
 * but not signed. */
void sigv4_sign(const struct sigv4_request *request, const struct credentials *credentials,
                const struct sigv4_scope *scope, struct sigv4_result *ret);
void sigv4_result_done(struct sigv4_result *result);
#define AUTO_SIGV4 CLEANUP(sigv4_result_done)

#endif
