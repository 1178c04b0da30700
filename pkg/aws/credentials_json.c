#include "pkg/aws/credentials_priv.h"

static struct err *check(const struct credentials_json *json, const struct json *body)
{
    const char *code = json->code_member ? json_get_text(body, json->code_member, "Success") : "Success";

    if (!text_equal(code, "Success"))
        return err_new(ERR_RETRY, "%s: the answer has code %.60s", json->what, code);
    if (json->must_be_version_1 && json_get_int(body, "Version", 0) != 1)
        return err_new(ERR_INVALID, "%s: the answer must be JSON with \"Version\": 1", json->what);
    return NULL;
}

struct err *credentials_read_json(const struct credentials_json *json, struct credentials **ret)
{
    AUTO_JSON struct json *body = NULL;
    AUTO_ERR struct err *bad = json_parse(json->text, NULL, &body);
    const char *key, *secret, *token, *expiration;
    int64_t expires_ms = NEVER_MS;

    /* A parser's message may quote what it read. */
    if (bad)
        return err_new(ERR_RETRY, "%s: the answer is not JSON", json->what);
    TRY(check(json, body));
    key = json_get_text(body, "AccessKeyId", "");
    secret = json_get_text(body, "SecretAccessKey", "");
    token = json_get_text(body, json->token_member, "");
    expiration = json_get_text(body, "Expiration", "");
    if (!*key || !*secret || (json->must_expire && (!*token || !*expiration)))
        return err_new(ERR_RETRY, "%s: the answer lacks credentials", json->what);
    if (*expiration && !time_parse(str_of(expiration), &expires_ms))
        return err_new(ERR_RETRY, "%s: the answer's Expiration is not a point in time", json->what);
    *ret = credentials_new(str_of(key), secret_new(str_of(secret)), *token ? secret_new(str_of(token)) : NULL,
                           expires_ms);
    return NULL;
}
