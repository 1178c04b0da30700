/* Signature version 4 as the services check it: the path is normalised and encoded once more, the query
 * decoded, encoded and sorted; the body's digest counts. Source: AWS, "Signature Version 4 for API requests".
 */
#include "hack/awssim/core.h"
#include "pkg/base/digest.h"

#define MAX_SKEW_MS MINUTES(5)

static bool credential_parse(struct str credential, struct signature *ret)
{
    struct str end;

    return str_cut(&credential, '/', &ret->access_key_id) && str_cut(&credential, '/', &ret->date) &&
           str_cut(&credential, '/', &ret->region) && str_cut(&credential, '/', &ret->service) &&
           str_cut(&credential, '/', &end) && str_is(end, "aws4_request") && !credential.ptr;
}

bool sim_signature_parse(const struct sim_request *request, struct signature *ret)
{
    const char *text = sim_request_header(request, "authorization");
    struct str rest = str_of(text), part;
    struct signature claim = {0};
    bool has_credential = false;

    if (!text || !str_starts(rest, "AWS4-HMAC-SHA256 "))
        return false;
    rest = str_from(rest, strlen("AWS4-HMAC-SHA256 "));
    while (str_cut(&rest, ',', &part)) {
        part = str_trim(part);
        if (str_starts(part, "Credential="))
            has_credential = credential_parse(str_from(part, strlen("Credential=")), &claim);
        else if (str_starts(part, "SignedHeaders="))
            claim.signed_headers = str_from(part, strlen("SignedHeaders="));
        else if (str_starts(part, "Signature="))
            claim.signature = str_from(part, strlen("Signature="));
    }
    *ret = claim;
    return has_credential && claim.signed_headers.len && claim.signature.len;
}

/* ---- canonical request ---- */

static void encode_path(struct buf *out, struct str piece)
{
    buf_addc(out, '/');
    buf_add_uri(out, piece);
}

/* Dot segments and doubled slashes go, a slash at the end stays; then everything is encoded again. */
static void canonical_path(struct buf *out, struct str path)
{
    struct str pieces[256], rest = path, piece;
    size_t count = 0;

    while (str_cut(&rest, '/', &piece)) {
        if (!piece.len || str_is(piece, "."))
            continue;
        if (str_is(piece, "..")) {
            count -= count > 0;
            continue;
        }
        if (count < COUNT_OF(pieces))
            pieces[count++] = piece;
    }
    for (size_t i = 0; i < count; i++)
        encode_path(out, pieces[i]);
    if (!count || str_ends(path, "/"))
        buf_addc(out, '/');
}

/* Decoded and encoded again: the one spelling that counts. */
static void encode_again(struct buf *out, struct str text)
{
    AUTO_FREE char *plain = sim_uri_decode(text, false);

    buf_add_uri(out, str_of(plain));
}

struct pair {
    char *name, *value;
};

static int compare_pairs(const void *a, const void *b)
{
    const struct pair *left = a, *right = b;
    int order = strcmp(left->name, right->name);

    return order ? order : strcmp(left->value, right->value);
}

static struct pair pair_of(struct str text)
{
    AUTO_BUF struct buf name = BUF_MAX(64 * KIB);
    AUTO_BUF struct buf value = BUF_MAX(64 * KIB);
    struct str key = {0};

    str_cut(&text, '=', &key);
    encode_again(&name, key);
    if (text.ptr)
        encode_again(&value, text);
    return (struct pair){.name = xstrdup(buf_text(&name)), .value = xstrdup(buf_text(&value))};
}

static void canonical_query(struct buf *out, struct str query)
{
    struct str text;
    struct pair *pairs = NULL;
    size_t count = 0;

    while (query.len && str_cut(&query, '&', &text)) {
        if (!text.len)
            continue;
        pairs = xgrow(pairs, count, sizeof(*pairs));
        pairs[count++] = pair_of(text);
    }
    if (count)
        qsort(pairs, count, sizeof(*pairs), compare_pairs);
    for (size_t i = 0; i < count; i++) {
        buf_addf(out, "%s%s=%s", i ? "&" : "", pairs[i].name, pairs[i].value);
        xfree(pairs[i].name);
        xfree(pairs[i].value);
    }
    xfree(pairs);
}

static void add_collapsed(struct buf *out, struct str value)
{
    bool blank = false;

    value = str_trim(value);
    for (size_t i = 0; i < value.len; i++) {
        char c = value.ptr[i];

        if (c == ' ' && blank)
            continue;
        blank = c == ' ';
        buf_addc(out, c);
    }
}

/* False when a header that is said to be signed is not there. */
static bool canonical_headers(struct buf *out, const struct sim_request *request, struct str names)
{
    struct str name;

    while (str_cut(&names, ';', &name)) {
        bool found = false;

        buf_add_str(out, name);
        for (size_t i = 0; i < request->header_count; i++) {
            if (!str_equal_nocase(str_of(request->headers[i].name), name))
                continue;
            buf_addc(out, found ? ',' : ':');
            add_collapsed(out, str_of(request->headers[i].value));
            found = true;
        }
        if (!found)
            return false;
        buf_addc(out, '\n');
    }
    return true;
}

static bool canonical_request(struct buf *out, const struct sim_request *request,
                              const struct signature *claim)
{
    struct str query = str_of(request->target), path = {0};
    char digest[2 * SHA256_BYTES + 1];

    str_cut(&query, '?', &path);
    buf_addf(out, "%s\n", request->method);
    canonical_path(out, path);
    buf_addc(out, '\n');
    canonical_query(out, query);
    buf_addc(out, '\n');
    if (!canonical_headers(out, request, claim->signed_headers))
        return false;
    sha256_hex(request->body, digest);
    buf_addf(out, "\n" STR_FMT "\n%s", STR_ARG(claim->signed_headers), digest);
    return !out->overflow;
}

/* ---- the signature ---- */

static void signing_key(const char *secret, const struct signature *claim, unsigned char ret[SHA256_BYTES])
{
    AUTO_BUF struct buf first = BUF_SECRET(4 * KIB);
    struct str parts[] = {claim->date, claim->region, claim->service, STR("aws4_request")};
    unsigned char key[SHA256_BYTES];

    buf_addf(&first, "AWS4%s", secret);
    hmac_sha256(buf_str(&first), parts[0], key);
    for (size_t i = 1; i < COUNT_OF(parts); i++)
        hmac_sha256((struct str){(const char *)key, sizeof(key)}, parts[i], key);
    memcpy(ret, key, sizeof(key));
}

static void expected_signature(const struct buf *canonical, const char *date, const char *secret,
                               const struct signature *claim, struct buf *out)
{
    AUTO_BUF struct buf text = BUF_MAX(4 * KIB);
    char digest[2 * SHA256_BYTES + 1];
    unsigned char key[SHA256_BYTES], mac[SHA256_BYTES];

    sha256_hex(buf_str(canonical), digest);
    buf_addf(&text, "AWS4-HMAC-SHA256\n%s\n" STR_FMT "/" STR_FMT "/" STR_FMT "/aws4_request\n%s", date,
             STR_ARG(claim->date), STR_ARG(claim->region), STR_ARG(claim->service), digest);
    signing_key(secret, claim, key);
    hmac_sha256((struct str){(const char *)key, sizeof(key)}, buf_str(&text), mac);
    buf_add_hex(out, mac, sizeof(mac));
}

static bool is_signed(const struct signature *claim, const char *name)
{
    struct str rest = claim->signed_headers, one;

    while (str_cut(&rest, ';', &one))
        if (str_is(one, name))
            return true;
    return false;
}

/* What changes the meaning of a request must be under the signature. */
static const char *unsigned_header(const struct sim_request *request, const struct signature *claim)
{
    static const char *const always[] = {"host", "x-amz-date"};
    static const char *const when_present[] = {"x-amz-security-token", "x-amz-target"};

    for (size_t i = 0; i < COUNT_OF(always); i++)
        if (!is_signed(claim, always[i]))
            return always[i];
    for (size_t i = 0; i < COUNT_OF(when_present); i++)
        if (sim_request_header(request, when_present[i]) && !is_signed(claim, when_present[i]))
            return when_present[i];
    return NULL;
}

static bool date_check(const char *date, int64_t wall_ms, char **ret_message)
{
    char now[TIME_TEXT_MAX], edge[TIME_TEXT_MAX];
    int64_t sent = 0;

    if (!time_parse_amz(str_of(date), &sent)) {
        *ret_message = xasprintf("Date must be in ISO-8601 'basic format'. Got '%s'.", date);
        return false;
    }
    if (sent <= wall_ms + MAX_SKEW_MS && sent >= wall_ms - MAX_SKEW_MS)
        return true;
    bool old = sent < wall_ms;
    time_amz(wall_ms, now);
    time_amz(old ? wall_ms - MAX_SKEW_MS : wall_ms + MAX_SKEW_MS, edge);
    *ret_message =
        old ? xasprintf("Signature expired: %s is now earlier than %s (%s - 5 min.)", date, edge, now)
            : xasprintf("Signature not yet current: %s is still later than %s (%s + 5 min.)", date, edge,
                        now);
    return false;
}

static bool same_bytes(struct str a, struct str b)
{
    unsigned char difference = a.len != b.len;

    for (size_t i = 0; i < a.len && i < b.len; i++)
        difference |= (unsigned char)(a.ptr[i] ^ b.ptr[i]);
    return !difference;
}

static bool token_check(const struct sim_request *request, const struct principal *who, int64_t wall_ms,
                        const char **ret_code, char **ret_message)
{
    const char *token = sim_request_header(request, "x-amz-security-token");

    if (!text_equal(token, who->session_token)) {
        *ret_code = "InvalidClientTokenId";
        *ret_message = xstrdup("The security token included in the request is invalid.");
        return false;
    }
    if (wall_ms >= who->expires_wall_ms) {
        *ret_code = "ExpiredToken";
        *ret_message = xstrdup("The security token included in the request is expired");
        return false;
    }
    return true;
}

bool sim_signature_check(const struct sim_request *request, const struct signature *claim,
                         const struct principal *who, int64_t wall_ms, const char **ret_code,
                         char **ret_message)
{
    AUTO_BUF struct buf canonical = BUF_MAX(256 * KIB);
    AUTO_BUF struct buf expected = BUF_MAX(KIB);
    const char *date = sim_request_header(request, "x-amz-date");
    const char *missing = unsigned_header(request, claim);

    *ret_code = "SignatureDoesNotMatch";
    if (!date || missing) {
        *ret_code = "IncompleteSignature";
        *ret_message = xasprintf("'%s' must be a 'SignedHeader' in the AWS Authorization.",
                                 missing ? missing : "X-Amz-Date");
        return false;
    }
    if (!date_check(date, wall_ms, ret_message))
        return false;
    if (!str_equal(claim->date, (struct str){date, 8})) {
        *ret_message = xasprintf(
            "Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP: '%s'",
            date);
        return false;
    }
    bool complete = canonical_request(&canonical, request, claim);
    expected_signature(&canonical, date, who->secret, claim, &expected);
    if (!complete || !same_bytes(buf_str(&expected), claim->signature)) {
        *ret_message = xstrdup(
            "The request signature we calculated does not match the signature you provided. Check "
            "your AWS Secret Access Key and signing method. Consult the service documentation for details.");
        return false;
    }
    return token_check(request, who, wall_ms, ret_code, ret_message);
}
