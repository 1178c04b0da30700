#include "controller/steps/secret_text.h"

#include "pkg/base/json.h"

static struct err *parse(const struct secret *text, const char *id, struct json **ret)
{
    AUTO_JSON struct json *object = NULL;
    struct err *err = json_parse(secret_reveal(text), NULL, &object);

    if (err || !json_is(object, JSON_OBJECT)) {
        err_ignore(err, "its text may quote the secret");
        return err_new(ERR_INVALID, "secret %s is not a JSON object, so it has no keys", id);
    }
    *ret = TAKE(object);
    return NULL;
}

static const char *text_of(const struct json *object, const char *key)
{
    const struct json *member = json_member(object, key);

    return json_is(member, JSON_STRING) ? json_get_text(member, NULL, NULL) : NULL;
}

struct err *secret_text_get(const struct secret *text, const char *id, const char *key, struct secret **ret)
{
    AUTO_JSON struct json *object = NULL;
    const char *value;

    TRY(parse(text, id, &object));
    value = text_of(object, key);
    if (!value)
        return err_new(ERR_INVALID, "secret %s has no text under the key %s", id, key);
    *ret = secret_new(str_of(value));
    return NULL;
}

static struct secret *print(const struct json *object)
{
    AUTO_BUF struct buf printed = BUF_SECRET(SECRET_TEXT_MAX);

    json_print(object, &printed);
    return secret_new(buf_str(&printed));
}

struct err *secret_text_with(const struct secret *text, const char *id, const char *key,
                             const struct secret *value, struct secret **ret)
{
    AUTO_JSON struct json *object = NULL;

    TRY(parse(text, id, &object));
    if (text_equal(text_of(object, key), secret_reveal(value).ptr))
        return NULL;
    json_set_text(object, key, secret_reveal(value).ptr);
    *ret = print(object);
    return NULL;
}

struct err *secret_text_back(const struct secret *text, const struct secret *before, const char *id,
                             const char *key, struct secret **ret)
{
    AUTO_JSON struct json *object = NULL;
    AUTO_JSON struct json *was = NULL;
    const struct json *member;

    TRY(parse(text, id, &object));
    TRY(parse(before, id, &was));
    member = json_member(was, key);
    json_set(object, key, member ? json_copy(member) : NULL);
    *ret = print(object);
    return NULL;
}

struct err *secret_text_same(const struct secret *a, const struct secret *b, const char *id, bool *ret)
{
    AUTO_JSON struct json *left = NULL;
    AUTO_JSON struct json *right = NULL;

    TRY(parse(a, id, &left));
    TRY(parse(b, id, &right));
    *ret = json_equal(left, right);
    return NULL;
}
