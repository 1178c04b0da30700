#include "pkg/aws/sigv4.h"

#include <strings.h>

#define SIGN_MAX (1 * MIB)
#define DATE_LEN 8 /* of YYYYMMDDThhmmssZ */

struct piece {
    struct str name;
    struct str value;
    size_t position; /* equal headers keep their order */
};

static int compare_str(struct str a, struct str b)
{
    size_t len = a.len < b.len ? a.len : b.len;
    int order = len ? memcmp(a.ptr, b.ptr, len) : 0;

    if (order)
        return order;
    return (a.len > b.len) - (a.len < b.len);
}

static int compare_query(const void *left, const void *right)
{
    const struct piece *a = left, *b = right;
    int order = compare_str(a->name, b->name);

    return order ? order : compare_str(a->value, b->value);
}

static int compare_nocase(struct str a, struct str b)
{
    size_t len = a.len < b.len ? a.len : b.len;
    int order = len ? strncasecmp(a.ptr, b.ptr, len) : 0;

    if (order)
        return order;
    return (a.len > b.len) - (a.len < b.len);
}

static int compare_header(const void *left, const void *right)
{
    const struct piece *a = left, *b = right;
    int order = compare_nocase(a->name, b->name);

    return order ? order : (a->position > b->position) - (a->position < b->position);
}

/* Removes dot segments and empty ones, then encodes again what is encoded already. */
static void add_path(struct buf *out, struct str path)
{
    AUTO_FREE struct str *segments = NULL;
    struct str rest = path, segment;
    size_t count = 0;

    while (path.len && str_cut(&rest, '/', &segment)) {
        if (segment.len == 0 || str_is(segment, "."))
            continue;
        if (str_is(segment, "..")) {
            count -= count > 0;
            continue;
        }
        segments = xgrow(segments, count, sizeof(*segments));
        segments[count++] = segment;
    }
    for (size_t i = 0; i < count; i++) {
        buf_addc(out, '/');
        buf_add_uri(out, segments[i]);
    }
    if (count == 0 || path.ptr[path.len - 1] == '/')
        buf_addc(out, '/');
}

static void add_query(struct buf *out, struct str query)
{
    AUTO_FREE struct piece *pieces = NULL;
    struct str rest = query, part;
    size_t count = 0;

    while (query.len && str_cut(&rest, '&', &part)) {
        struct str name = {0}, value = part;

        str_cut(&value, '=', &name);
        pieces = xgrow(pieces, count, sizeof(*pieces));
        pieces[count++] = (struct piece){.name = name, .value = value};
    }
    if (count)
        qsort(pieces, count, sizeof(*pieces), compare_query);
    for (size_t i = 0; i < count; i++) {
        if (i)
            buf_addc(out, '&');
        buf_add_str(out, pieces[i].name);
        buf_addc(out, '=');
        buf_add_str(out, pieces[i].value);
    }
}

static bool is_signed(struct str name)
{
    static const char *const left_out[] = {
        "accept",
        "accept-encoding",
        "authorization",
        "connection",
        "content-length",
        "expect",
        "keep-alive",
        "proxy-authenticate",
        "proxy-authorization",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
        "user-agent",
        "x-amz-date",
        "x-amz-security-token",
        "x-amzn-trace-id",
    };

    for (size_t i = 0; i < COUNT_OF(left_out); i++) {
        if (str_equal_nocase(name, str_of(left_out[i])))
            return false;
    }
    return true;
}

static void add_lower(struct buf *out, struct str text)
{
    for (size_t i = 0; i < text.len; i++) {
        char c = text.ptr[i];

        buf_addc(out, c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c);
    }
}

static bool is_blank(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

static void add_collapsed(struct buf *out, struct str value)
{
    value = str_trim(value);
    for (size_t i = 0; i < value.len; i++) {
        if (!is_blank(value.ptr[i]))
            buf_addc(out, value.ptr[i]);
        else if (!is_blank(value.ptr[i - 1]))
            buf_addc(out, ' ');
    }
}

static void add_headers(struct buf *out, struct buf *names, struct piece *pieces, size_t count)
{
    qsort(pieces, count, sizeof(*pieces), compare_header);
    for (size_t i = 0; i < count; i++) {
        if (i && compare_nocase(pieces[i - 1].name, pieces[i].name) == 0) {
            buf_addc(out, ',');
            add_collapsed(out, pieces[i].value);
            continue;
        }
        if (i) {
            buf_addc(out, '\n');
            buf_addc(names, ';');
        }
        add_lower(out, pieces[i].name);
        add_lower(names, pieces[i].name);
        buf_addc(out, ':');
        add_collapsed(out, pieces[i].value);
    }
    buf_addc(out, '\n');
}

static void make_canonical(const struct sigv4_request *request, const struct credentials *credentials,
                           struct sigv4_result *result)
{
    AUTO_FREE struct piece *pieces = xcalloc(request->header_count + 2, sizeof(*pieces));
    char digest[2 * SHA256_BYTES + 1];
    struct buf *out = &result->canonical;
    size_t count = 0;

    for (size_t i = 0; i < request->header_count; i++) {
        struct str name = str_of(request->headers[i].name);

        if (is_signed(name))
            pieces[count++] = (struct piece){name, str_of(request->headers[i].value), i};
    }
    pieces[count++] = (struct piece){STR("x-amz-date"), str_of(result->date), 0};
    if (credentials->session_token)
        pieces[count++] =
            (struct piece){STR("x-amz-security-token"), secret_reveal(credentials->session_token), 0};

    buf_addf(out, "%s\n", request->method);
    add_path(out, request->path);
    buf_addc(out, '\n');
    add_query(out, request->query);
    buf_addc(out, '\n');
    add_headers(out, &result->signed_headers, pieces, count);
    sha256_hex(request->body, digest);
    buf_addf(out, "\n%s\n%s", buf_text(&result->signed_headers), digest);
}

static void add_scope(struct buf *out, const struct sigv4_scope *scope, const char *date)
{
    buf_addf(out, "%.*s/%s/%s/aws4_request", DATE_LEN, date, scope->region, scope->service);
}

static struct str mac_str(const unsigned char *mac)
{
    return (struct str){.ptr = (const char *)mac, .len = SHA256_BYTES};
}

static void sign_text(const struct credentials *credentials, const struct sigv4_scope *scope,
                      struct sigv4_result *result)
{
    AUTO_BUF struct buf secret = BUF_SECRET(SIGN_MAX);
    AUTO_BUF struct buf hex = BUF_MAX(2 * SHA256_BYTES);
    unsigned char key[SHA256_BYTES], next[SHA256_BYTES];

    buf_adds(&secret, "AWS4");
    buf_add_str(&secret, secret_reveal(credentials->secret_key));
    hmac_sha256(buf_str(&secret), (struct str){result->date, DATE_LEN}, key);
    hmac_sha256(mac_str(key), str_of(scope->region), next);
    hmac_sha256(mac_str(next), str_of(scope->service), key);
    hmac_sha256(mac_str(key), STR("aws4_request"), next);
    hmac_sha256(mac_str(next), buf_str(&result->string_to_sign), key);
    buf_add_hex(&hex, key, sizeof(key));
    memcpy(result->signature, buf_text(&hex), sizeof(result->signature));
    explicit_bzero(key, sizeof(key));
    explicit_bzero(next, sizeof(next));
}

void sigv4_sign(const struct sigv4_request *request, const struct credentials *credentials,
                const struct sigv4_scope *scope, struct sigv4_result *ret)
{
    char digest[2 * SHA256_BYTES + 1];

    *ret = (struct sigv4_result){
        .canonical = BUF_SECRET(SIGN_MAX),
        .signed_headers = BUF_MAX(SIGN_MAX),
        .string_to_sign = BUF_MAX(SIGN_MAX),
        .authorization = BUF_MAX(SIGN_MAX),
    };
    time_amz(scope->wall_ms, ret->date);
    make_canonical(request, credentials, ret);

    sha256_hex(buf_str(&ret->canonical), digest);
    buf_addf(&ret->string_to_sign, "AWS4-HMAC-SHA256\n%s\n", ret->date);
    add_scope(&ret->string_to_sign, scope, ret->date);
    buf_addf(&ret->string_to_sign, "\n%s", digest);
    sign_text(credentials, scope, ret);

    buf_addf(&ret->authorization, "AWS4-HMAC-SHA256 Credential=%s/", credentials->access_key_id);
    add_scope(&ret->authorization, scope, ret->date);
    buf_addf(&ret->authorization, ", SignedHeaders=%s, Signature=%s", buf_text(&ret->signed_headers),
             ret->signature);
}

void sigv4_result_done(struct sigv4_result *result)
{
    buf_done(&result->canonical);
    buf_done(&result->signed_headers);
    buf_done(&result->string_to_sign);
    buf_done(&result->authorization);
}
