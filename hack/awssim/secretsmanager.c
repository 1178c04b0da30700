#include "hack/awssim/secretsmanager.h"

#include "pkg/base/secret.h"

static struct secret_state *state_of(const struct account *account)
{
    return account_state(account, &secretsmanager_service);
}

/* ---- secrets and their versions ---- */

static bool is_same(const struct stored_secret *secret, const char *id)
{
    size_t len = strlen(secret->arn);

    return text_equal(secret->name, id) || text_equal(secret->arn, id) ||
           (strlen(id) == len - 7 && strncmp(secret->arn, id, len - 7) == 0);
}

struct stored_secret *sim_secret_find(const struct secret_state *state, const char *id)
{
    for (size_t i = 0; i < state->count; i++)
        if (is_same(state->secrets[i], id))
            return state->secrets[i];
    return NULL;
}

struct stored_secret *sim_secret_or_refuse(struct call *call)
{
    struct stored_secret *secret = sim_secret_find(call_state(call), call_text(call, "SecretId"));

    call_effect(call, EFFECT_CHANGED, secret ? secret->arn : call_text(call, "SecretId"));
    if (!secret)
        call_refuse(call, 400, "ResourceNotFoundException",
                    "Secrets Manager can't find the specified secret.");
    else if (secret->deleted_ms)
        call_refuse(call, 400, "InvalidRequestException",
                    "You can't perform this operation on the secret because it was marked for deletion.");
    else
        return secret;
    return NULL;
}

struct stored_secret *sim_secret_add(struct secret_state *state, const char *name)
{
    struct stored_secret *secret = xcalloc(1, sizeof(*secret));
    AUTO_FREE char *suffix = sim_new_token(state->account->sim, ALPHABET_ALNUM, 6);

    state->secrets = xgrow(state->secrets, state->count, sizeof(struct stored_secret *));
    state->secrets[state->count++] = secret;
    secret->name = xstrdup(name);
    secret->arn = account_arn(state->account, "secretsmanager", "secret:%s-%s", name, suffix);
    secret->tags = json_new_object();
    secret->created_ms = secret->changed_ms = sim_now(state->account->sim);
    return secret;
}

struct secret_version *sim_secret_add_version(struct stored_secret *secret, const char *id, const char *value,
                                              int64_t now_ms)
{
    struct secret_version *version = xcalloc(1, sizeof(*version));

    secret->versions = xgrow(secret->versions, secret->version_count, sizeof(struct secret_version *));
    secret->versions[secret->version_count++] = version;
    *version = (struct secret_version){
        .id = xstrdup(id), .value = xstrdup(value), .stages = json_new_object(), .created_ms = now_ms};
    secret->changed_ms = now_ms;
    return version;
}

struct secret_version *sim_secret_version(const struct stored_secret *secret, const char *id)
{
    for (size_t i = 0; i < secret->version_count; i++)
        if (text_equal(secret->versions[i]->id, id))
            return secret->versions[i];
    return NULL;
}

struct secret_version *sim_secret_with_stage(const struct stored_secret *secret, const char *stage)
{
    for (size_t i = 0; i < secret->version_count; i++)
        if (json_member(secret->versions[i]->stages, stage))
            return secret->versions[i];
    return NULL;
}

static void set_stage(struct stored_secret *secret, const char *stage, struct secret_version *to)
{
    for (size_t i = 0; i < secret->version_count; i++)
        json_remove(secret->versions[i]->stages, stage);
    json_set_bool(to->stages, stage, true);
}

void sim_secret_move_stage(struct stored_secret *secret, const char *stage, struct secret_version *to)
{
    struct secret_version *former = sim_secret_with_stage(secret, stage);

    if (former == to)
        return;
    set_stage(secret, stage, to);
    if (!former || !text_equal(stage, "AWSCURRENT"))
        return;
    set_stage(secret, "AWSPREVIOUS", former);
    json_remove(to->stages, "AWSPREVIOUS");
}

struct json *sim_secret_stages(const struct secret_version *version)
{
    struct json *array = json_new_array();

    json_each (stage, version->stages)
        json_append_text(array, json_key(stage));
    return array;
}

/* ---- for other services ---- */

const char *sim_secret_current(const struct account *account, const char *id)
{
    const struct stored_secret *secret = sim_secret_find(state_of(account), id);
    const struct secret_version *version =
        secret && !secret->deleted_ms ? sim_secret_with_stage(secret, "AWSCURRENT") : NULL;

    return version && !version->binary ? version->value : NULL;
}

char *sim_secret_arn(const struct account *account, const char *id)
{
    const struct stored_secret *secret = sim_secret_find(state_of(account), id);

    return secret ? xstrdup(secret->arn) : NULL;
}

static struct secret_version *add_value(struct account *account, struct stored_secret *secret,
                                        const char *value)
{
    AUTO_FREE char *id = sim_new_uuid(account->sim);

    return sim_secret_add_version(secret, id, value, sim_now(account->sim));
}

char *sim_secret_create_owned(struct account *account, const char *owner, const char *name, const char *value,
                              const char *kms_key)
{
    struct stored_secret *secret = sim_secret_add(state_of(account), name);

    secret->owning_service = xstrdup(owner);
    secret->kms_key = xstrdup_or_null(kms_key);
    set_stage(secret, "AWSCURRENT", add_value(account, secret, value));
    return xstrdup(secret->arn);
}

void sim_secret_stage(struct account *account, const char *arn, const char *value)
{
    struct stored_secret *secret = sim_secret_find(state_of(account), arn);

    if (secret)
        set_stage(secret, "AWSPENDING", add_value(account, secret, value));
}

void sim_secret_promote(struct account *account, const char *arn)
{
    struct stored_secret *secret = sim_secret_find(state_of(account), arn);
    struct secret_version *pending = secret ? sim_secret_with_stage(secret, "AWSPENDING") : NULL;

    if (!pending)
        return;
    sim_secret_move_stage(secret, "AWSCURRENT", pending);
    json_remove(pending->stages, "AWSPENDING");
}

static void secret_drop(struct stored_secret *secret)
{
    for (size_t i = 0; i < secret->version_count; i++) {
        xfree(secret->versions[i]->id);
        wipe_free(secret->versions[i]->value);
        json_free(secret->versions[i]->stages);
        xfree(secret->versions[i]);
    }
    xfree(secret->versions);
    xfree(secret->name);
    xfree(secret->arn);
    xfree(secret->description);
    xfree(secret->kms_key);
    xfree(secret->owning_service);
    json_free(secret->tags);
    xfree(secret);
}

void sim_secret_remove(struct account *account, const char *arn)
{
    struct secret_state *state = state_of(account);

    for (size_t i = 0; i < state->count; i++) {
        if (!text_equal(state->secrets[i]->arn, arn))
            continue;
        secret_drop(state->secrets[i]);
        state->count--;
        memmove(&state->secrets[i], &state->secrets[i + 1],
                (state->count - i) * sizeof(struct stored_secret *));
        return;
    }
}

/* ---- reading ---- */

/* The version that the request names, by id, stage or not at all. NULL: refused. */
static const struct secret_version *wanted_version(struct call *call, const struct stored_secret *secret)
{
    const char *id = call_text(call, "VersionId"), *stage = call_text(call, "VersionStage");
    const struct secret_version *version = NULL;

    if (id)
        version = sim_secret_version(secret, id);
    else
        version = sim_secret_with_stage(secret, stage ? stage : "AWSCURRENT");
    if (!version)
        call_refuse(call, 400, "ResourceNotFoundException",
                    "Secrets Manager can't find the specified secret value for %s: %s",
                    id ? "VersionId" : "staging label",
                    id      ? id
                    : stage ? stage
                            : "AWSCURRENT");
    else if (id && stage && !json_member(version->stages, stage))
        call_refuse(call, 400, "InvalidRequestException",
                    "You provided a VersionStage that is not associated to the provided "
                    "VersionId.");
    else
        return version;
    return NULL;
}

static bool get_value(struct call *call)
{
    const struct stored_secret *secret = sim_secret_or_refuse(call);
    const struct secret_version *version = secret ? wanted_version(call, secret) : NULL;

    if (!version)
        return false;
    json_set_text(call->out, "ARN", secret->arn);
    json_set_text(call->out, "Name", secret->name);
    json_set_text(call->out, "VersionId", version->id);
    json_set_text(call->out, version->binary ? "SecretBinary" : "SecretString", version->value);
    json_set(call->out, "VersionStages", sim_secret_stages(version));
    json_set(call->out, "CreatedDate", call_time(call, version->created_ms));
    return true;
}

static struct json *tags_wire(const struct stored_secret *secret)
{
    struct json *tags = json_new_array();

    json_each (item, secret->tags) {
        struct json *tag = json_new_object();

        json_set_text(tag, "Key", json_key(item));
        json_set_text(tag, "Value", json_get_text(item, NULL, ""));
        json_append(tags, tag);
    }
    return tags;
}

static struct json *version_stages(const struct stored_secret *secret)
{
    struct json *map = json_new_object();

    for (size_t i = 0; i < secret->version_count; i++)
        if (json_count(secret->versions[i]->stages))
            json_set(map, secret->versions[i]->id, sim_secret_stages(secret->versions[i]));
    return map;
}

/* The two operations name the map of stages differently. */
static void put_secret(const struct call *call, const struct stored_secret *secret, const char *stages_name,
                       struct json *wire)
{
    json_set_text(wire, "ARN", secret->arn);
    json_set_text(wire, "Name", secret->name);
    json_set_text(wire, "Description", secret->description);
    json_set_text(wire, "KmsKeyId", secret->kms_key);
    if (secret->rotates)
        json_set_bool(wire, "RotationEnabled", true);
    json_set(wire, "LastChangedDate", call_time(call, secret->changed_ms));
    json_set(wire, "CreatedDate", call_time(call, secret->created_ms));
    if (secret->deleted_ms)
        json_set(wire, "DeletedDate", call_time(call, secret->deleted_ms));
    json_set(wire, "Tags", tags_wire(secret));
    json_set(wire, stages_name, version_stages(secret));
    json_set_text(wire, "OwningService", secret->owning_service);
}

static bool describe(struct call *call)
{
    const struct stored_secret *secret = sim_secret_find(call_state(call), call_text(call, "SecretId"));

    if (!secret)
        return call_refuse(call, 400, "ResourceNotFoundException",
                           "Secrets Manager can't find the specified secret.");
    put_secret(call, secret, "VersionIdsToStages", call->out);
    return true;
}

static const struct page_rule pages = {.size_member = "MaxResults",
                                       .token_member = "NextToken",
                                       .out_member = "NextToken",
                                       .min = 1,
                                       .max = 100,
                                       .otherwise = 100,
                                       .error = "InvalidNextTokenException"};

static bool matches(const struct call *call, const struct stored_secret *secret)
{
    json_each (filter, call_list(call, "Filters")) {
        bool any = false;

        json_each (value, json_member(filter, "Values")) {
            const char *text = json_get_text(value, NULL, "");

            if (text_equal(json_get_text(filter, "Key", ""), "owning-service"))
                any = any || text_equal(secret->owning_service, text);
            else
                any = any || str_starts(str_of(secret->name), text);
        }
        if (!any)
            return false;
    }
    return !secret->deleted_ms || call_bool(call, "IncludePlannedDeletion", false);
}

static bool check_filters(struct call *call)
{
    json_each (filter, call_list(call, "Filters")) {
        const char *key = json_get_text(filter, "Key", "");

        if (!text_equal(key, "name") && !text_equal(key, "owning-service"))
            return call_refuse(call, 400, "InvalidParameterException",
                               "This simulator filters by name and owning-service, not %s", key);
    }
    return true;
}

static bool list_secrets(struct call *call)
{
    const struct secret_state *state = call_state(call);
    size_t first = 0, count = 0, total = 0, number = 0;

    if (!check_filters(call))
        return false;
    for (size_t i = 0; i < state->count; i++)
        total += matches(call, state->secrets[i]);
    if (!call_page(call, &pages, total, &first, &count))
        return false;
    struct json *list = json_new_array();
    for (size_t i = 0; i < state->count; i++) {
        if (!matches(call, state->secrets[i]) || number++ < first || number > first + count)
            continue;
        struct json *one = json_new_object();
        put_secret(call, state->secrets[i], "SecretVersionsToStages", one);
        json_append(list, one);
    }
    json_set(call->out, "SecretList", list);
    return true;
}

static bool list_versions(struct call *call)
{
    const struct stored_secret *secret = sim_secret_or_refuse(call);
    size_t first = 0, count = 0;

    if (!secret || !call_page(call, &pages, secret->version_count, &first, &count))
        return false;
    struct json *list = json_new_array();
    for (size_t i = first; i < first + count; i++) {
        struct json *one = json_new_object();

        json_set_text(one, "VersionId", secret->versions[i]->id);
        json_set(one, "VersionStages", sim_secret_stages(secret->versions[i]));
        json_set(one, "CreatedDate", call_time(call, secret->versions[i]->created_ms));
        json_append(list, one);
    }
    json_set(call->out, "Versions", list);
    json_set_text(call->out, "ARN", secret->arn);
    json_set_text(call->out, "Name", secret->name);
    return true;
}

static void done(struct account *account)
{
    struct secret_state *state = state_of(account);

    for (size_t i = 0; i < state->count; i++)
        secret_drop(state->secrets[i]);
    xfree(state->secrets);
}

static const struct operation operations[] = {
    {.name = "GetSecretValue", .handle = get_value, .input = "SecretId! VersionId VersionStage"},
    {.name = "DescribeSecret", .handle = describe, .input = "SecretId!"},
    {.name = "ListSecrets",
     .handle = list_secrets,
     .input = "IncludePlannedDeletion:bool MaxResults:int NextToken Filters:list SortOrder"},
    {.name = "ListSecretVersionIds",
     .handle = list_versions,
     .input = "SecretId! MaxResults:int NextToken IncludeDeprecated:bool"},
    {.name = "PutSecretValue",
     .handle = sim_secret_put_value,
     .input = "SecretId! ClientRequestToken SecretString SecretBinary VersionStages:list",
     .mutating = true},
    {.name = "UpdateSecret",
     .handle = sim_secret_update,
     .input = "SecretId! ClientRequestToken Description KmsKeyId SecretString SecretBinary",
     .mutating = true},
    {.name = "UpdateSecretVersionStage",
     .handle = sim_secret_update_stage,
     .input = "SecretId! VersionStage! RemoveFromVersionId MoveToVersionId",
     .mutating = true},
};

const struct service secretsmanager_service = {
    .name = "secretsmanager",
    .section = "secretsmanager",
    .protocol = PROTOCOL_JSON,
    .target_prefix = "secretsmanager",
    .json_version = "1.1",
    .message_key = "Message",
    .missing_code = "InvalidParameterException",
    .invalid_code = "InvalidParameterException",
    .operations = operations,
    .operation_count = COUNT_OF(operations),
    .state_size = sizeof(struct secret_state),
    .load = sim_secret_load,
    .dump = sim_secret_dump,
    .done = done,
};
