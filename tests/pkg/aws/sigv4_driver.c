/* Signs the cases that come on standard input, one JSON object per line, and writes one JSON object per line
 * with every stage. For sigv4_botocore.py. */
#include <unistd.h>

#include "pkg/aws/sigv4.h"
#include "pkg/base/json.h"

#define HEADERS_MAX 32
#define INPUT_MAX (256 * MIB)

static size_t read_headers(const struct json *list, struct http_header *headers)
{
    size_t count = 0;

    json_each (item, list) {
        if (count < HEADERS_MAX)
            headers[count++] = (struct http_header){
                .name = json_get_text(json_item(item, 0), NULL, ""),
                .value = json_get_text(json_item(item, 1), NULL, ""),
            };
    }
    return count;
}

static void sign(const struct json *input)
{
    AUTO_BUF struct buf body = BUF_MAX(16 * MIB), line = BUF_MAX(16 * MIB);
    AUTO_SIGV4 struct sigv4_result result = {0};
    AUTO_JSON struct json *output = json_new_object();
    struct http_header headers[HEADERS_MAX];
    size_t count = read_headers(json_member(input, "headers"), headers);
    const char *token = json_get_text(input, "token", NULL);
    AUTO_CREDENTIALS struct credentials *credentials =
        credentials_new(str_of(json_get_text(input, "access_key", "")),
                        secret_new(str_of(json_get_text(input, "secret_key", ""))),
                        token ? secret_new(str_of(token)) : NULL, NEVER_MS);

    if (!base64_decode(str_of(json_get_text(input, "body", "")), &body))
        abort();
    sigv4_sign(
        &(struct sigv4_request){
            .method = json_get_text(input, "method", ""),
            .path = str_of(json_get_text(input, "path", "")),
            .query = str_of(json_get_text(input, "query", "")),
            .headers = headers,
            .header_count = count,
            .body = buf_str(&body),
        },
        credentials,
        &(struct sigv4_scope){
            .region = json_get_text(input, "region", ""),
            .service = json_get_text(input, "service", ""),
            .wall_ms = json_get_int(input, "wall_ms", 0),
        },
        &result);
    json_set_text(output, "canonical", buf_text(&result.canonical));
    json_set_text(output, "string_to_sign", buf_text(&result.string_to_sign));
    json_set_text(output, "authorization", buf_text(&result.authorization));
    json_print(output, &line);
    puts(buf_text(&line));
}

int main(void)
{
    AUTO_BUF struct buf input = BUF_MAX(INPUT_MAX);
    struct str rest, line;
    char chunk[65536];
    ssize_t got;

    while ((got = read(STDIN_FILENO, chunk, sizeof(chunk))) > 0)
        buf_add(&input, chunk, (size_t)got);
    rest = buf_str(&input);
    while (str_cut(&rest, '\n', &line)) {
        AUTO_JSON struct json *parsed = NULL;
        AUTO_ERR struct err *err = NULL;

        if (!line.len)
            continue;
        err = json_parse(line, NULL, &parsed);
        if (err) {
            fprintf(stderr, "%s\n", err_text(err));
            return 1;
        }
        sign(parsed);
    }
    return got < 0;
}
