/* How the three protocols put a request into bytes and read an answer: query (form in, XML out), JSON (one
 * target header), and rest-json (paths). */
#ifndef AWS_PROTOCOL_H
#define AWS_PROTOCOL_H

#include "pkg/aws/client.h"
#include "pkg/aws/operation.h"
#include "pkg/aws/xml.h"
#include "pkg/base/json.h"
#include "pkg/http/transport.h"

#define AWS_BODY_MAX (2 * MIB)
#define AWS_URL_MAX (8 * KIB)

/* --- query --- */

/* A form body; wiped when done, as it may hold a password. Members that are NULL are left out. */
void query_begin(struct buf *form, enum aws_op op);
void query_add(struct buf *form, const char *name, const char *value);
void query_add_int(struct buf *form, const char *name, int64_t value);
void query_add_bool(struct buf *form, const char *name, bool value);
void query_add_secret(struct buf *form, const char *name, const struct secret *value);
/* "VpcSecurityGroupIds.VpcSecurityGroupId" with two items: ....1= and ....2= */
void query_add_list(struct buf *form, const char *name, const char *const *items, size_t count);
/* "Tags.Tag": Tags.Tag.1.Key=, Tags.Tag.1.Value= */
void query_add_pairs(struct buf *form, const char *name, const struct aws_pair *pairs, size_t count);

/* --- rest-json --- */

/* A path is built from literal pieces (buf_adds) and labels; then parameters. */
void rest_add_label(struct buf *path, const char *label);
void rest_add_param(struct buf *path, const char *name, const char *value); /* NULL: left out */
void rest_add_time(struct buf *path, const char *name, int64_t wall_ms);    /* 0: left out */

/* --- what comes back, in any of them --- */

struct aws_reply {
    int http_status;
    char *request_id;         /* NULL: none */
    int64_t server_ms;        /* the Date header; 0: none */
    struct json *json;        /* json, rest-json; NULL when the body is empty */
    struct xml *xml;          /* query */
    const struct xml *result; /* the <...Result> in it */
};
void aws_reply_done(struct aws_reply *reply);
#define AUTO_AWS_REPLY CLEANUP(aws_reply_done)

/* Takes an answer with a 2xx status apart. ERR_RETRY when it is not what the protocol says (something in
 * between answered). */
struct err *protocol_read_reply(enum aws_op op, const struct http_reply *http,
                                struct aws_reply *ret) MUST_USE;

/* DynamoDB sends x-amz-crc32, the CRC-32 of the body, with every answer. ERR_RETRY when it is another one:
 * the answer was damaged on its way. A compressed body (the sum is over those bytes) and an answer without
 * the header are taken as they are. */
struct err *protocol_check_sum(enum aws_op op, const struct http_reply *http) MUST_USE;

struct protocol_error {
    char *code;    /* NULL: none found */
    char *message; /* NULL: none */
    char *request_id;
    int64_t retry_after_ms;
};
/* Reads any other answer, as well as it goes. */
void protocol_read_error(enum aws_op op, const struct http_reply *http, struct protocol_error *ret);
void protocol_error_done(struct protocol_error *error);

/* One per protocol. */
struct err *protocol_read_xml(enum aws_op op, const struct http_reply *http, struct aws_reply *ret) MUST_USE;
void protocol_read_xml_error(const struct http_reply *http, struct protocol_error *ret);
struct err *protocol_read_json(const struct http_reply *http, struct aws_reply *ret) MUST_USE;
void protocol_read_json_error(const struct http_reply *http, struct protocol_error *ret);

/* --- calling --- */

struct aws_input {
    const char *path; /* rest-json: encoded, with its parameters; NULL: "/" */
    struct str body;
    const struct secret *secret; /* in the body: an error message that repeats it is withheld */
};

/* Does all of client.h's promise for one operation. */
struct err *aws_call(const struct aws_client *aws, enum aws_op op, const struct aws_input *input,
                     struct aws_reply *ret) MUST_USE;
/* `form` from query_begin(). */
struct err *aws_call_query(const struct aws_client *aws, enum aws_op op, const struct buf *form,
                           struct aws_reply *ret) MUST_USE;
/* `body` NULL: {} */
struct err *aws_call_json(const struct aws_client *aws, enum aws_op op, const struct json *body,
                          struct aws_reply *ret) MUST_USE;
/* The same with a secret in the body. */
struct err *aws_call_json_secret(const struct aws_client *aws, enum aws_op op, const struct json *body,
                                 const struct secret *secret, struct aws_reply *ret) MUST_USE;
/* `body` NULL: none */
struct err *aws_call_rest(const struct aws_client *aws, enum aws_op op, const struct buf *path,
                          const struct json *body, struct aws_reply *ret) MUST_USE;

/* Results that grow while they are read; texts are copied. */
void aws_tags_add(struct aws_tags *tags, const char *key, const char *value);
void aws_texts_add(struct aws_texts *texts, const char *text);
void aws_texts_copy(const struct aws_texts *texts, struct aws_texts *ret);
void aws_tags_copy(const struct aws_tags *tags, struct aws_tags *ret);

/* Text copied out of an answer: yours; NULL when it is not there. */
char *json_take_text(const struct json *value, const char *path);
char *xml_take_text(const struct xml *node, const char *path); /* also NULL when empty */
int64_t json_take_time(const struct json *value,
                       const char *path); /* epoch seconds with a fraction, or RFC 3339; 0: not there */
int64_t xml_take_time(const struct xml *node, const char *path);
int json_take_count(const struct json *value, const char *path); /* 0: not there */
/* Many texts at once: where they are in the answer, and where (as char *) in the struct. The same table frees
 * them. */
struct aws_text_field {
    const char *path;
    size_t offset;
};
void json_take_texts(const struct json *value, const struct aws_text_field *fields, size_t count, void *ret);
void xml_take_texts(const struct xml *node, const struct aws_text_field *fields, size_t count, void *ret);
/* In a struct that was copied bit by bit: the texts become its own. */
void aws_text_fields_copy(const struct aws_text_field *fields, size_t count, void *item);
void aws_text_fields_free(const struct aws_text_field *fields, size_t count, void *item);

/* Reads a list page by page; a page may be empty although there are more. Begin with the operation alone, ask
 * while !is_over. */
struct aws_pages {
    enum aws_op op;
    char *token;  /* of the page to ask for; NULL: the first one. Owned, as is the next */
    char *anchor; /* a token of before */
    int read;     /* pages so far */
    bool is_over;
};
void aws_pages_done(struct aws_pages *pages);
#define AUTO_AWS_PAGES CLEANUP(aws_pages_done)

/* After each page: `next` is the token that came with it (taken over; NULL or "": that was the last one),
 * `items` how many there are so far. ERR_RETRY when a token comes again, or there are more than 2,000 pages:
 * the list has no end, and half a list proves nothing. ERR_INVALID: more than 20,000 items, which nobody
 * could use. */
struct err *aws_pages_next(struct aws_pages *pages, size_t items, char *next) MUST_USE;

/* ERR_RETRY "<service> <operation>: the answer lacks <path>". */
struct err *aws_require(enum aws_op op, const char *path, const void *found) MUST_USE;

#endif
