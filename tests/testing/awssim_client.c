#include "tests/testing/awssim_client.h"

#include "pkg/base/digest.h"
#include "pkg/base/files.h"
#include "pkg/base/times.h"

#define HOST "127.0.0.1:4566"

struct outgoing {
    const char *service, *method, *target, *body;
    const char *content_type, *amz_target; /* may be NULL */
};

/* ---- life ---- */

void awssim_client_init(struct awssim_client *client, const char *world_text)
{
    struct sim_options options = {
        .world = str_of(world_text), .world_name = "world.yaml", .world_ms = AWSSIM_WALL_MS, .seed = 1};

    *client = (struct awssim_client){
        .wall_ms = AWSSIM_WALL_MS, .world_ms = AWSSIM_WALL_MS, .region = "ap-northeast-1"};
    assert_no_err(awssim_new(&options, &client->sim));
    awssim_client_use(client, "AKIAEXAMPLE", "example-secret", NULL);
}

void awssim_client_init_file(struct awssim_client *client, const char *path)
{
    AUTO_BUF struct buf text = BUF_MAX(MIB);

    assert_no_err(file_read(path, &text));
    awssim_client_init(client, buf_text(&text));
}

static void forget_answer(struct awssim_client *client)
{
    sim_reply_done(&client->reply);
    json_free(client->json);
    client->json = NULL;
}

void awssim_client_done(struct awssim_client *client)
{
    forget_answer(client);
    awssim_free(client->sim);
    xfree(client->access_key_id);
    xfree(client->secret);
    xfree(client->session_token);
    *client = (struct awssim_client){0};
}

void awssim_client_use(struct awssim_client *client, const char *access_key_id, const char *secret,
                       const char *session_token)
{
    char *old[] = {client->access_key_id, client->secret, client->session_token};

    client->access_key_id = xstrdup(access_key_id);
    client->secret = xstrdup(secret);
    client->session_token = xstrdup_or_null(session_token);
    for (size_t i = 0; i < COUNT_OF(old); i++)
        xfree(old[i]);
}

void awssim_client_advance(struct awssim_client *client, int64_t ms)
{
    client->wall_ms += ms;
    client->world_ms += ms;
}

/* ---- signing ---- */

static void hmac_hex_key(const char *secret, const char *const *parts, size_t count,
                         unsigned char ret[SHA256_BYTES])
{
    AUTO_FREE char *first = xasprintf("AWS4%s", secret);
    unsigned char key[SHA256_BYTES];

    hmac_sha256(str_of(first), str_of(parts[0]), key);
    for (size_t i = 1; i < count; i++)
        hmac_sha256((struct str){(const char *)key, sizeof(key)}, str_of(parts[i]), key);
    memcpy(ret, key, sizeof(key));
}

static int compare_texts(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* The tests send queries that are encoded already: sorting is all. */
static void add_query(struct buf *out, const char *query)
{
    struct str rest = str_of(query), one;
    char *parts[32];
    size_t count = 0;

    while (*query && count < COUNT_OF(parts) && str_cut(&rest, '&', &one))
        parts[count++] = str_dup(one);
    qsort(parts, count, sizeof(parts[0]), compare_texts);
    for (size_t i = 0; i < count; i++) {
        buf_addf(out, "%s%s%s", i ? "&" : "", parts[i], strchr(parts[i], '=') ? "" : "=");
        xfree(parts[i]);
    }
}

static void add_path(struct buf *out, const char *path, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        if (path[i] == '%')
            buf_adds(out, "%25");
        else
            buf_addc(out, path[i]);
    }
}

struct signing {
    const struct sim_header *headers; /* names in lower case, sorted */
    size_t count;
    const char *date;
};

static char *authorization(const struct awssim_client *client, const struct outgoing *out,
                           const struct signing *with)
{
    AUTO_BUF struct buf canonical = BUF_MAX(256 * KIB);
    AUTO_BUF struct buf names = BUF_MAX(KIB);
    AUTO_BUF struct buf hex = BUF_MAX(KIB);
    const char *question = strchrnul(out->target, '?');
    char digest[2 * SHA256_BYTES + 1];
    unsigned char key[SHA256_BYTES], mac[SHA256_BYTES];

    buf_addf(&canonical, "%s\n", out->method);
    add_path(&canonical, out->target, (size_t)(question - out->target));
    buf_addc(&canonical, '\n');
    add_query(&canonical, *question ? question + 1 : "");
    buf_addc(&canonical, '\n');
    for (size_t i = 0; i < with->count; i++) {
        buf_addf(&canonical, "%s:%s\n", with->headers[i].name, with->headers[i].value);
        buf_addf(&names, "%s%s", i ? ";" : "", with->headers[i].name);
    }
    sha256_hex(str_of(out->body), digest);
    buf_addf(&canonical, "\n%s\n%s", buf_text(&names), digest);
    sha256_hex(buf_str(&canonical), digest);
    AUTO_FREE char *scope = xasprintf("%.8s/%s/%s/aws4_request", with->date, client->region, out->service);
    AUTO_FREE char *text = xasprintf("AWS4-HMAC-SHA256\n%s\n%s\n%s", with->date, scope, digest);
    AUTO_FREE char *day = xstrndup(with->date, 8);
    hmac_hex_key(client->secret, (const char *[]){day, client->region, out->service, "aws4_request"}, 4, key);
    hmac_sha256((struct str){(const char *)key, sizeof(key)}, str_of(text), mac);
    buf_add_hex(&hex, mac, sizeof(mac));
    return xasprintf("AWS4-HMAC-SHA256 Credential=%s/%s, SignedHeaders=%s, Signature=%s",
                     client->access_key_id, scope, buf_text(&names), buf_text(&hex));
}

static int send_signed(struct awssim_client *client, const struct outgoing *out)
{
    char date[TIME_TEXT_MAX];
    struct sim_header headers[7];
    size_t count = 0;

    time_amz(client->wall_ms, date);
    if (out->content_type)
        headers[count++] = (struct sim_header){.name = "content-type", .value = out->content_type};
    headers[count++] = (struct sim_header){.name = "host", .value = HOST};
    headers[count++] = (struct sim_header){.name = "x-amz-date", .value = date};
    if (client->invocation_type)
        headers[count++] =
            (struct sim_header){.name = "x-amz-invocation-type", .value = client->invocation_type};
    if (client->session_token)
        headers[count++] =
            (struct sim_header){.name = "x-amz-security-token", .value = client->session_token};
    if (out->amz_target)
        headers[count++] = (struct sim_header){.name = "x-amz-target", .value = out->amz_target};
    struct signing with = {.headers = headers, .count = count, .date = date};
    AUTO_FREE char *signature = authorization(client, out, &with);
    headers[count++] = (struct sim_header){.name = "Authorization", .value = signature};

    struct sim_request request = {.method = out->method,
                                  .target = out->target,
                                  .headers = headers,
                                  .header_count = count,
                                  .body = str_of(out->body)};
    forget_answer(client);
    awssim_handle(client->sim, &request, client->wall_ms, client->world_ms, &client->reply);
    const char *type = awssim_header(client, "Content-Type");
    if (type && strstr(type, "json") && client->reply.body_len)
        assert_no_err(
            json_parse((struct str){client->reply.body, client->reply.body_len}, NULL, &client->json));
    return client->reply.status;
}

/* ---- calls ---- */

static const struct known {
    const char *service, *version, *target, *json;
} known[] = {
    {.service = "sts", .version = "2011-06-15"},
    {.service = "iam", .version = "2010-05-08"},
    {.service = "rds", .version = "2014-10-31"},
    {.service = "kms", .target = "TrentService", .json = "1.1"},
    {.service = "dynamodb", .target = "DynamoDB_20120810", .json = "1.0"},
    {.service = "ssm", .target = "AmazonSSM", .json = "1.1"},
    {.service = "secretsmanager", .target = "secretsmanager", .json = "1.1"},
    {.service = "ecs", .target = "AmazonEC2ContainerServiceV20141113", .json = "1.1"},
    {.service = "sqs", .target = "AmazonSQS", .json = "1.0"},
    {.service = "states", .target = "AWSStepFunctions", .json = "1.0"},
    {.service = "events", .target = "AWSEvents", .json = "1.1"},
    {.service = "application-autoscaling", .target = "AnyScaleFrontendService", .json = "1.1"},
};

static const struct known *known_find(const char *service)
{
    for (size_t i = 0; i < COUNT_OF(known); i++)
        if (text_equal(known[i].service, service))
            return &known[i];
    fail_msg("add %s to awssim_client.c", service);
    return &known[0];
}

int awssim_query(struct awssim_client *client, const char *service, const char *operation, const char *form)
{
    AUTO_FREE char *body = xasprintf("Action=%s&Version=%s%s%s", operation, known_find(service)->version,
                                     form && *form ? "&" : "", form ? form : "");

    return send_signed(
        client, &(struct outgoing){.service = service,
                                   .method = "POST",
                                   .target = "/",
                                   .body = body,
                                   .content_type = "application/x-www-form-urlencoded; charset=utf-8"});
}

int awssim_json(struct awssim_client *client, const char *service, const char *operation, const char *body)
{
    const struct known *row = known_find(service);
    AUTO_FREE char *target = xasprintf("%s.%s", row->target, operation);
    AUTO_FREE char *type = xasprintf("application/x-amz-json-%s", row->json);

    return send_signed(client, &(struct outgoing){.service = service,
                                                  .method = "POST",
                                                  .target = "/",
                                                  .body = body,
                                                  .content_type = type,
                                                  .amz_target = target});
}

int awssim_rest_of(struct awssim_client *client, const char *service, const char *method, const char *target,
                   const char *body)
{
    return send_signed(client, &(struct outgoing){.service = service,
                                                  .method = method,
                                                  .target = target,
                                                  .body = body ? body : "",
                                                  .content_type = body ? "application/json" : NULL});
}

int awssim_rest(struct awssim_client *client, const char *method, const char *target, const char *body)
{
    return awssim_rest_of(client, "backup", method, target, body);
}

int awssim_control(struct awssim_client *client, const char *method, const char *target, const char *body)
{
    return awssim_rest_of(client, "none", method, target, body);
}

void awssim_client_assume(struct awssim_client *client, const char *role_arn, const char *external_id)
{
    AUTO_BUF struct buf form = BUF_MAX(4 * KIB);

    buf_adds(&form, "RoleArn=");
    buf_add_uri(&form, str_of(role_arn));
    buf_addf(&form, "&RoleSessionName=test%s%s", external_id ? "&ExternalId=" : "",
             external_id ? external_id : "");
    assert_number(awssim_query(client, "sts", "AssumeRole", buf_text(&form)), 200);
    AUTO_FREE char *key = awssim_xml(client, "AccessKeyId", 0);
    AUTO_FREE char *secret = awssim_xml(client, "SecretAccessKey", 0);
    AUTO_FREE char *token = awssim_xml(client, "SessionToken", 0);
    awssim_client_use(client, key, secret, token);
}

/* ---- answers ---- */

const char *awssim_text(const struct awssim_client *client, const char *path)
{
    return json_get_text(client->json, path, NULL);
}

const char *awssim_header(const struct awssim_client *client, const char *name)
{
    for (size_t i = 0; i < client->reply.header_count; i++)
        if (str_equal_nocase(str_of(client->reply.headers[i].name), str_of(name)))
            return client->reply.headers[i].value;
    return NULL;
}

static char *without_entities(struct str text)
{
    static const struct {
        const char *entity;
        char plain;
    } entities[] = {{"&amp;", '&'}, {"&lt;", '<'}, {"&gt;", '>'}, {"&quot;", '"'}};
    char *out = xmalloc(text.len + 1);
    size_t len = 0;

    while (text.len) {
        size_t used = 1;

        out[len] = *text.ptr;
        for (size_t i = 0; i < COUNT_OF(entities); i++)
            if (str_starts(text, entities[i].entity)) {
                out[len] = entities[i].plain;
                used = strlen(entities[i].entity);
            }
        len++;
        text = str_from(text, used);
    }
    out[len] = '\0';
    return out;
}

char *awssim_xml(const struct awssim_client *client, const char *tag, size_t index)
{
    AUTO_FREE char *open = xasprintf("<%s>", tag);
    AUTO_FREE char *close = xasprintf("</%s>", tag);
    const char *at = client->reply.body ? client->reply.body : "";

    for (;; index--) {
        at = strstr(at, open);
        if (!at)
            return NULL;
        at += strlen(open);
        if (!index)
            break;
    }
    const char *end = strstr(at, close);
    return end ? without_entities((struct str){at, (size_t)(end - at)}) : NULL;
}

char *awssim_error(const struct awssim_client *client)
{
    const char *header = awssim_header(client, "x-amzn-errortype"), *type = awssim_text(client, "__type");
    const char *name = header ? header : type;

    if (!name)
        return awssim_xml(client, "Code", 0);
    const char *hash = strrchr(name, '#');
    name = hash ? hash + 1 : name;
    return xstrndup(name, strcspn(name, ":"));
}
