/* PutSecretValue, UpdateSecret, UpdateSecretVersionStage. */
#include "hack/awssim/secretsmanager.h"

#include "pkg/base/secret.h"

#define MAX_VERSIONS 100

static bool is_writable(struct call *call, const struct stored_secret *secret)
{
    if (!secret->owning_service)
        return true;
    return call_refuse(call, 400, "InvalidRequestException",
                       "You can't modify this secret because it is managed by the service %s.",
                       secret->owning_service);
}

/* The client's token becomes the version's id. */
static bool check_value(struct call *call)
{
    const char *token = call_text(call, "ClientRequestToken");
    const char *text = call_text(call, "SecretString"), *bytes = call_text(call, "SecretBinary");

    if (!token || strlen(token) < 32 || strlen(token) > 64)
        return call_refuse(call, 400, "InvalidParameterException",
                           "ClientRequestToken must have 32 to 64 characters; you must generate one if you "
                           "do not use an AWS SDK.");
    if ((text != NULL) == (bytes != NULL))
        return call_refuse(call, 400, "InvalidParameterException",
                           "You must provide either SecretString or SecretBinary.");
    if (text ? !*text || strlen(text) > 65536 : !*bytes)
        return call_refuse(call, 400, "InvalidParameterException", "A secret value has 1 to 65536 bytes.");
    return true;
}

static bool holds(const struct call *call, const struct secret_version *version)
{
    const char *text = call_text(call, "SecretString"), *bytes = call_text(call, "SecretBinary");

    return text_equal(version->value, text ? text : bytes) && version->binary == (bytes != NULL);
}

static void version_drop(struct stored_secret *secret, size_t index)
{
    struct secret_version *version = secret->versions[index];

    xfree(version->id);
    wipe_free(version->value);
    json_free(version->stages);
    xfree(version);
    secret->version_count--;
    memmove(&secret->versions[index], &secret->versions[index + 1],
            (secret->version_count - index) * sizeof(struct secret_version *));
}

/* Old versions without a stage make room, but not those of the last 24 hours: who writes too often runs into
 * the quota. */
static bool make_room(struct call *call, struct stored_secret *secret)
{
    for (size_t i = 0; i < secret->version_count && secret->version_count >= MAX_VERSIONS;) {
        const struct secret_version *version = secret->versions[i];

        if (!json_count(version->stages) && call->now_ms - version->created_ms >= DAYS(1))
            version_drop(secret, i);
        else
            i++;
    }
    if (secret->version_count < MAX_VERSIONS)
        return true;
    return call_refuse(call, 400, "LimitExceededException",
                       "You've exceeded the number of versions of a secret (%d); versions younger than 24 "
                       "hours are not removed.",
                       MAX_VERSIONS);
}

static void answer(struct call *call, const struct stored_secret *secret,
                   const struct secret_version *version)
{
    json_set_text(call->out, "ARN", secret->arn);
    json_set_text(call->out, "Name", secret->name);
    if (version)
        json_set_text(call->out, "VersionId", version->id);
}

static struct secret_version *write_version(struct call *call, struct stored_secret *secret)
{
    const char *text = call_text(call, "SecretString"), *bytes = call_text(call, "SecretBinary");
    struct secret_version *version = sim_secret_add_version(secret, call_text(call, "ClientRequestToken"),
                                                            text ? text : bytes, call->now_ms);

    version->binary = bytes != NULL;
    return version;
}

bool sim_secret_put_value(struct call *call)
{
    struct stored_secret *secret = sim_secret_or_refuse(call);
    const struct json *stages = call_list(call, "VersionStages");

    if (!secret || !check_value(call) || !is_writable(call, secret))
        return false;
    /* For the journal. What the token means is decided by the versions: it lasts as long as they do. */
    if (call_token(call, call_text(call, "ClientRequestToken")) == TOKEN_REPLAYED)
        return true;
    struct secret_version *version = sim_secret_version(secret, call_text(call, "ClientRequestToken"));
    if (version && !holds(call, version))
        return call_refuse(call, 400, "ResourceExistsException",
                           "You can't use ClientRequestToken %s because that value is already in use for a "
                           "version of secret %s.",
                           version->id, secret->arn);
    if (!version && !make_room(call, secret))
        return false;
    call_effect(call, version ? EFFECT_REPLAYED : EFFECT_CHANGED, secret->arn);
    if (!version) {
        version = write_version(call, secret);
        if (!stages)
            sim_secret_move_stage(secret, "AWSCURRENT", version);
        json_each (stage, stages)
            sim_secret_move_stage(secret, json_get_text(stage, NULL, ""), version);
    }
    answer(call, secret, version);
    json_set(call->out, "VersionStages", sim_secret_stages(version));
    return true;
}

/* ---- UpdateSecret: here a used token is an error, with the same data as well ---- */

static bool update_value(struct call *call, struct stored_secret *secret, struct secret_version **ret_version)
{
    if (!call_has(call, "SecretString") && !call_has(call, "SecretBinary"))
        return true;
    if (!check_value(call))
        return false;
    if (sim_secret_version(secret, call_text(call, "ClientRequestToken")))
        return call_refuse(
            call, 400, "ResourceExistsException",
            "The operation failed because the secret %s already has a version with this ClientRequestToken.",
            secret->arn);
    if (!make_room(call, secret))
        return false;
    *ret_version = write_version(call, secret);
    sim_secret_move_stage(secret, "AWSCURRENT", *ret_version);
    return true;
}

bool sim_secret_update(struct call *call)
{
    struct stored_secret *secret = sim_secret_or_refuse(call);
    const char *key = call_text(call, "KmsKeyId"), *description = call_text(call, "Description");
    struct secret_version *version = NULL;

    if (!secret || !is_writable(call, secret))
        return false;
    AUTO_FREE char *fault = key ? kms_why_unusable(call->account, key) : NULL;
    if (fault)
        return call_refuse(call, 400, "EncryptionFailure", "%s", fault);
    if (!update_value(call, secret, &version))
        return false;
    if (key) {
        xfree(secret->kms_key);
        secret->kms_key = xstrdup(key);
    }
    if (description) {
        xfree(secret->description);
        secret->description = xstrdup(description);
    }
    call_effect(call, version || key || description ? EFFECT_CHANGED : EFFECT_NONE, secret->arn);
    answer(call, secret, version);
    return true;
}

/* ---- UpdateSecretVersionStage ---- */

static bool check_stage(struct call *call, const struct stored_secret *secret,
                        const struct secret_version *to)
{
    const char *stage = call_text(call, "VersionStage"), *from_id = call_text(call, "RemoveFromVersionId");
    const struct secret_version *holder = sim_secret_with_stage(secret, stage);

    if (call_has(call, "MoveToVersionId") && !to)
        return call_refuse(call, 400, "ResourceNotFoundException",
                           "Secrets Manager can't find the specified secret version: %s",
                           call_text(call, "MoveToVersionId"));
    if (from_id && (!holder || !text_equal(holder->id, from_id)))
        return call_refuse(call, 400, "InvalidParameterException",
                           "The staging label %s isn't currently attached to version %s.", stage, from_id);
    if (to && holder && holder != to && !from_id)
        return call_refuse(call, 400, "InvalidParameterException",
                           "The parameter RemoveFromVersionId can't be empty. Staging label %s is currently "
                           "attached to version %s, "
                           "so you must explicitly reference that version in RemoveFromVersionId.",
                           stage, holder->id);
    if (!to && text_equal(stage, "AWSCURRENT"))
        return call_refuse(call, 400, "InvalidParameterException",
                           "You can only move staging label AWSCURRENT to a different secret version. It "
                           "can't be completely "
                           "removed.");
    return true;
}

bool sim_secret_update_stage(struct call *call)
{
    struct stored_secret *secret = sim_secret_or_refuse(call);
    const char *stage = call_text(call, "VersionStage"), *to_id = call_text(call, "MoveToVersionId");
    struct secret_version *to = NULL, *holder = NULL;

    if (!secret || !is_writable(call, secret))
        return false;
    to = to_id ? sim_secret_version(secret, to_id) : NULL;
    holder = sim_secret_with_stage(secret, stage);
    if (!check_stage(call, secret, to))
        return false;
    if (to)
        sim_secret_move_stage(secret, stage, to);
    else if (holder)
        json_remove(holder->stages, stage);
    call_effect(call, holder == to ? EFFECT_NONE : EFFECT_CHANGED, secret->arn);
    answer(call, secret, NULL);
    return true;
}
