/* STS: who am I, and sessions of roles. Sessions expire by the real clock, as the callers' own clocks do. */
#include "hack/awssim/core.h"
#include "pkg/base/digest.h"

#define MAX_SESSIONS 20000
#define MAX_TAGS 50

static bool get_caller_identity(struct call *call)
{
    json_set_text(call->out, "UserId", call->priv->who->user_id);
    json_set_text(call->out, "Account", call->priv->who->account_id);
    json_set_text(call->out, "Arn", call->principal);
    return true;
}

/* ---- trust ---- */

/* The ARN that a trust policy names: of the role, not of the session. Yours. */
static char *trusted_arn(const struct principal *who)
{
    struct arn arn;

    if (!who->role_name || !sim_arn_parse(who->arn, &arn))
        return xstrdup(who->arn);
    return xasprintf("arn:" STR_FMT ":iam::%s:role/%s", STR_ARG(arn.partition), who->account_id,
                     who->role_name);
}

static bool names_principal(const char *pattern, const char *arn, const char *account_id)
{
    AUTO_FREE char *root = xasprintf(":iam::%s:root", account_id);

    return text_equal(pattern, "*") || text_equal(pattern, arn) || text_equal(pattern, account_id) ||
           str_ends(str_of(pattern), root);
}

/* What is asked for besides the role itself. */
struct wish {
    const char *external_id;
    bool has_tags; /* which takes sts:TagSession in the trust policy, too */
};

static bool trusts(const struct role *role, const struct principal *who, const struct wish *wish)
{
    AUTO_FREE char *arn = trusted_arn(who);

    json_each (item, role->trust) {
        const char *pattern = json_get_text(item, "principal", NULL);
        const char *wanted = json_get_text(item, "externalID", NULL);

        if (pattern && names_principal(pattern, arn, who->account_id) &&
            (!wanted || text_equal(wanted, wish->external_id)) &&
            (!wish->has_tags || json_get_bool(item, "tagSession", false)))
            return true;
    }
    return false;
}

/* ---- sessions ---- */

void session_done(struct session *session)
{
    xfree(session->access_key_id);
    xfree(session->secret);
    xfree(session->token);
    xfree(session->account_id);
    xfree(session->role_name);
    xfree(session->arn);
    xfree(session->user_id);
    json_free(session->tags);
}

static void drop_expired(struct sim *sim, int64_t wall_ms)
{
    size_t kept = 0;

    for (size_t i = 0; i < sim->sessions.count; i++) {
        struct session *s = &sim->sessions.items[i];

        /* An hour of grace: its holder is told that it expired, not that it never was. */
        if (s->expires_wall_ms + HOURS(1) > wall_ms) {
            sim->sessions.items[kept++] = *s;
            continue;
        }
        session_done(s);
    }
    sim->sessions.count = kept;
}

static void set_session(struct call *call, const struct role *role, const char *name, int64_t duration_ms)
{
    struct sim *sim = call->sim;
    const struct json *tags = call_list(call, "Tags.member");
    struct json *credentials = json_new_object(), *user = json_new_object();
    char expires[TIME_TEXT_MAX];

    drop_expired(sim, call->wall_ms);
    struct session *session = LIST_ADD(sim->sessions);
    AUTO_FREE char *tail = sim_new_token(sim, ALPHABET_BASE32, 16);
    AUTO_FREE char *token = sim_new_token(sim, ALPHABET_ALNUM, 120);
    *session = (struct session){
        .access_key_id = xasprintf("ASIA%s", tail),
        .secret = sim_new_token(sim, ALPHABET_ALNUM, 40),
        .token = xasprintf("IQoJb3JpZ2luX2Vj/+%s==", token),
        .account_id = xstrdup(role->account->id),
        .role_name = xstrdup(role->name),
        .arn = xasprintf("arn:%s:sts::%s:assumed-role/%s/%s", role->account->partition, role->account->id,
                         role->name, name),
        .user_id = xasprintf("%s:%s", role->id, name),
        .tags = tags ? json_copy(tags) : NULL,
        .expires_wall_ms = call->wall_ms + duration_ms,
    };
    time_rfc3339(session->expires_wall_ms, expires);
    json_set_text(credentials, "AccessKeyId", session->access_key_id);
    json_set_text(credentials, "SecretAccessKey", session->secret);
    json_set_text(credentials, "SessionToken", session->token);
    json_set_text(credentials, "Expiration", expires);
    json_set(call->out, "Credentials", credentials);
    json_set_text(user, "AssumedRoleId", session->user_id);
    json_set_text(user, "Arn", session->arn);
    json_set(call->out, "AssumedRoleUser", user);
    call_effect(call, EFFECT_CREATED, session->arn);
}

/* ---- AssumeRole ---- */

static bool is_session_name(const char *text)
{
    size_t len = strlen(text);

    return len >= 2 && len <= 64 &&
           strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_+=,.@-") == len;
}

static bool check_session(struct call *call, const struct role *role, bool is_chained, int64_t *ret_ms)
{
    const char *name = call_text(call, "RoleSessionName");
    int64_t seconds = call_int(call, "DurationSeconds", 3600);

    if (!is_session_name(name))
        return call_refuse(
            call, 400, "ValidationError",
            "Value '%s' at 'roleSessionName' failed to satisfy constraint: 2 to 64 characters of [\\w+=,.@-]",
            name);
    if (seconds < 900 || seconds > 43200)
        return call_refuse(call, 400, "ValidationError", "DurationSeconds must be between 900 and 43200");
    if (is_chained && seconds > 3600)
        return call_refuse(call, 400, "ValidationError",
                           "The requested DurationSeconds exceeds the 1 hour session limit for roles assumed "
                           "by role chaining");
    if (SECONDS(seconds) > role->max_session_ms)
        return call_refuse(call, 400, "ValidationError",
                           "The requested DurationSeconds exceeds the MaxSessionDuration set for this role.");
    *ret_ms = SECONDS(seconds);
    return true;
}

/* Keys that differ in case only are the same key. */
static bool is_repeated_key(const struct json *tags, const struct json *tag)
{
    json_each (other, tags) {
        if (other == tag)
            return false;
        if (!strcasecmp(json_get_text(other, "Key", ""), json_get_text(tag, "Key", "")))
            return true;
    }
    return false;
}

static bool check_tags(struct call *call, const struct json *tags)
{
    if (json_count(tags) > MAX_TAGS)
        return call_refuse(call, 400, "ValidationError",
                           "Member must have length less than or equal to %d at 'tags'", MAX_TAGS);
    json_each (tag, tags) {
        const char *key = json_get_text(tag, "Key", ""), *value = json_get_text(tag, "Value", NULL);

        if (!*key || strlen(key) > 128 || !value || strlen(value) > 256)
            return call_refuse(call, 400, "ValidationError",
                               "A tag at 'tags' needs a Key of 1 to 128 and a Value of up to 256 characters");
        if (is_repeated_key(tags, tag))
            return call_refuse(call, 400, "InvalidParameterValue", "Duplicate tag keys found.");
    }
    return true;
}

static bool deny(struct call *call, const char *action, const char *role_arn)
{
    return call_refuse(call, 403, "AccessDenied", "User: %s is not authorized to perform: %s on resource: %s",
                       call->principal, action, role_arn);
}

static bool assume_role(struct call *call)
{
    const char *arn = call_text(call, "RoleArn");
    const struct json *tags = call_list(call, "Tags.member");
    const struct wish wish = {.external_id = call_text(call, "ExternalId"), .has_tags = json_count(tags) > 0};
    struct role role;
    int64_t duration_ms = 0;

    if (!check_tags(call, tags))
        return false;
    if (!sim_role_find(call->sim, arn, &role) ||
        !trusts(&role, call->priv->who, &(struct wish){.external_id = wish.external_id}))
        return deny(call, "sts:AssumeRole", arn);
    if (wish.has_tags && (!call_may(call, "sts:TagSession") || !trusts(&role, call->priv->who, &wish)))
        return deny(call, "sts:TagSession", arn);
    if (!check_session(call, &role, call->priv->who->role_name != NULL, &duration_ms))
        return false;
    if (call->sim->sessions.count >= MAX_SESSIONS)
        return call_refuse(call, 400, "Throttling", "Rate exceeded");
    set_session(call, &role, call_text(call, "RoleSessionName"), duration_ms);
    return true;
}

/* ---- AssumeRoleWithWebIdentity ---- */

/* The claims of a JWT; whether its issuer really signed it is not looked at. NULL: not one. */
static struct json *token_claims(const char *token)
{
    AUTO_BUF struct buf plain = BUF_MAX(32 * KIB);
    struct str rest = str_of(token), head = {0}, body = {0};
    struct json *claims = NULL;

    if (strlen(token) > 20000 || !str_cut(&rest, '.', &head) || !str_cut(&rest, '.', &body) || !rest.ptr)
        return NULL;
    AUTO_FREE char *padded = xasprintf(STR_FMT "%s", STR_ARG(body), &"===="[4 - (4 - body.len % 4) % 4]);
    for (char *c = padded; *c; c++)
        *c = *c == '-' ? '+' : *c == '_' ? '/' : *c;
    if (!base64_decode(str_of(padded), &plain))
        return NULL;
    struct err *err = json_parse(buf_str(&plain), NULL, &claims);
    if (err)
        err_ignore(err, "no claims: the caller says so");
    return claims;
}

static bool has_audience(const struct json *claims, const char *wanted)
{
    const struct json *audience = json_member(claims, "aud");

    if (!wanted || text_equal(json_get_text(audience, NULL, NULL), wanted))
        return true;
    json_each (item, audience)
        if (text_equal(json_get_text(item, NULL, NULL), wanted))
            return true;
    return false;
}

static bool trusts_claims(const struct role *role, const struct json *claims)
{
    json_each (item, role->trust) {
        const char *issuer = json_get_text(item, "federated", NULL);
        const char *subject = json_get_text(item, "subject", "*");

        if (issuer && text_equal(issuer, json_get_text(claims, "iss", NULL)) &&
            text_matches(subject, json_get_text(claims, "sub", "")) &&
            has_audience(claims, json_get_text(item, "audience", NULL)))
            return true;
    }
    return false;
}

static bool assume_role_with_web_identity(struct call *call)
{
    const char *arn = call_text(call, "RoleArn");
    AUTO_JSON struct json *claims = token_claims(call_text(call, "WebIdentityToken"));
    struct role role;
    int64_t duration_ms = 0;

    if (!claims)
        return call_refuse(call, 400, "InvalidIdentityToken", "The ID Token provided is not a valid JWT.");
    if (SECONDS(json_get_int(claims, "exp", 0)) <= call->wall_ms)
        return call_refuse(call, 400, "ExpiredTokenException", "Token expired");
    if (!sim_role_find(call->sim, arn, &role) || !trusts_claims(&role, claims))
        return call_refuse(call, 403, "AccessDenied",
                           "Not authorized to perform sts:AssumeRoleWithWebIdentity");
    if (!check_session(call, &role, false, &duration_ms))
        return false;
    set_session(call, &role, call_text(call, "RoleSessionName"), duration_ms);
    json_set_text(call->out, "SubjectFromWebIdentityToken", json_get_text(claims, "sub", ""));
    json_set_text(call->out, "Provider", json_get_text(claims, "iss", ""));
    return true;
}

/* Who is at work in the account, and in whose name: CloudTrail's view. Keys and tokens stay out. */
static struct json *sts_dump(struct account *account)
{
    const struct sim *sim = account->sim;
    struct json *out = json_new_object(), *sessions = json_new_array();

    for (size_t i = 0; i < sim->sessions.count; i++) {
        const struct session *session = &sim->sessions.items[i];
        struct json *one;

        if (!text_equal(session->account_id, account->id))
            continue;
        one = json_new_object();
        json_set_text(one, "arn", session->arn);
        json_set(one, "tags", session->tags ? json_copy(session->tags) : json_new_array());
        json_append(sessions, one);
    }
    json_set(out, "sessions", sessions);
    return out;
}

static const struct operation operations[] = {
    {.name = "GetCallerIdentity", .handle = get_caller_identity, .input = "", .action = ""},
    {.name = "AssumeRole",
     .handle = assume_role,
     .input = "RoleArn! RoleSessionName! ExternalId DurationSeconds:int Tags:list TransitiveTagKeys:list "
              "SourceIdentity Policy PolicyArns:list"},
    {.name = "AssumeRoleWithWebIdentity",
     .handle = assume_role_with_web_identity,
     .input =
         "RoleArn! RoleSessionName! WebIdentityToken! DurationSeconds:int ProviderId Policy PolicyArns:list",
     .action = ""},
};

const struct service sts_service = {
    .name = "sts",
    .protocol = PROTOCOL_QUERY,
    .version = "2011-06-15",
    .xml_namespace = "https://sts.amazonaws.com/doc/2011-06-15/",
    .missing_code = "ValidationError",
    .invalid_code = "ValidationError",
    .operations = operations,
    .operation_count = COUNT_OF(operations),
    .dump = sts_dump,
};
