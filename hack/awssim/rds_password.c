/* The master password: how it is kept, and the way a change of it takes.
 *
 * The call answers at once and the status stays "available" for rds.passwordLag; then comes
 * "resetting-master-credentials" for rds.passwordReset, at whose end the new password is in force and event
 * 0016 is written. Who waits for "available" only is fooled by the first stretch. */
#include "hack/awssim/rds.h"
#include "hack/awssim/secretsmanager.h"
#include "pkg/base/digest.h"

/* ---- logins ---- */

#define SALT_LEN 16

static char *login_with(struct str salt, const char *password)
{
    AUTO_BUF struct buf both = BUF_SECRET(4 * KIB);
    char hex[2 * SHA256_BYTES + 1];

    buf_add_str(&both, salt);
    buf_addc(&both, ':');
    buf_adds(&both, password);
    sha256_hex(buf_str(&both), hex);
    return xasprintf(STR_FMT ":%s", STR_ARG(salt), hex);
}

char *sim_rds_login_new(struct sim *sim, const char *password)
{
    AUTO_FREE char *salt = sim_new_token(sim, ALPHABET_HEX, SALT_LEN);

    return login_with(str_of(salt), password);
}

bool sim_rds_login_fits(const char *login, const char *password)
{
    if (text_is_empty(login) || strlen(login) < SALT_LEN)
        return false;
    AUTO_FREE char *tried = login_with((struct str){login, SALT_LEN}, password);
    return text_equal(tried, login);
}

/* ---- a change begins ---- */

static bool is_password(const char *text)
{
    size_t len = strlen(text);

    if (len < 8 || len > 41)
        return false;
    for (const char *c = text; *c; c++)
        if (*c <= ' ' || *c > '~' || strchr("/\"@", *c))
            return false;
    return true;
}

static void begin_reset(struct call *call, struct rds_cluster *cluster, enum rds_reset_kind kind,
                        const char *password)
{
    xfree(cluster->next_login);
    cluster->next_login = sim_rds_login_new(call->sim, password);
    cluster->reset = kind;
    cluster->reset_start_ms = call->now_ms + sim_duration(call->sim, "rds.passwordLag");
    cluster->reset_end_ms = cluster->reset_start_ms + sim_duration(call->sim, "rds.passwordReset");
}

static char *secret_value(const struct rds_cluster *cluster, const char *password)
{
    AUTO_JSON struct json *value = json_new_object();

    json_set_text(value, "username", cluster->master_username);
    json_set_text(value, "password", password);
    return json_to_text(value);
}

static bool begin_managing(struct call *call, struct rds_cluster *cluster, bool *ret_started)
{
    if (call_has(call, "MasterUserPassword"))
        return call_refuse(call, 400, "InvalidParameterCombination",
                           "You can't specify MasterUserPassword when ManageMasterUserPassword is enabled.");
    if (cluster->managed) {
        return true;
    }
    const char *key = call_text(call, "MasterUserSecretKmsKeyId");
    AUTO_FREE char *fault = key ? kms_why_unusable(call->account, key) : NULL;
    if (fault)
        return call_refuse(call, 400, "KMSKeyNotAccessibleFault", "%s", fault);
    AUTO_FREE char *password = sim_new_token(call->sim, ALPHABET_ALNUM, 28);
    AUTO_FREE char *value = secret_value(cluster, password);
    AUTO_FREE char *uuid = sim_new_uuid(call->sim);
    AUTO_FREE char *name = xasprintf("rds!cluster-%s", uuid);
    cluster->managed = true;
    cluster->secret_kms_key =
        xstrdup(key ? kms_arn(kms_find(call->account, key)) : "alias/aws/secretsmanager");
    cluster->secret_arn = sim_secret_create_owned(call->account, "rds", name, value, key);
    begin_reset(call, cluster, RESET_MANAGE, password);
    *ret_started = true;
    return true;
}

static bool begin_rotation(struct call *call, struct rds_cluster *cluster, bool *ret_started)
{
    if (!cluster->managed)
        return call_refuse(
            call, 400, "InvalidParameterCombination",
            "You can only specify RotateMasterUserPassword when ManageMasterUserPassword is enabled.");
    if (!call_bool(call, "ApplyImmediately", false))
        return call_refuse(call, 400, "InvalidParameterCombination",
                           "You must specify ApplyImmediately together with RotateMasterUserPassword.");
    AUTO_FREE char *password = sim_new_token(call->sim, ALPHABET_ALNUM, 28);
    AUTO_FREE char *value = secret_value(cluster, password);
    sim_secret_stage(call->account, cluster->secret_arn, value);
    begin_reset(call, cluster, RESET_ROTATE, password);
    *ret_started = true;
    return true;
}

static bool begin_own_password(struct call *call, struct rds_cluster *cluster, bool *ret_started)
{
    const char *password = call_text(call, "MasterUserPassword");
    bool leaves = call_has(call, "ManageMasterUserPassword"); /* it says false, else we were not here */

    if (cluster->managed && !leaves)
        return call_refuse(
            call, 400, "InvalidParameterCombination",
            "You can't specify MasterUserPassword for a cluster whose password is managed by RDS in "
            "AWS Secrets Manager.");
    if (!is_password(password))
        return call_refuse(call, 400, "InvalidParameterValue",
                           "The parameter MasterUserPassword is not a valid password. Only printable ASCII "
                           "characters besides "
                           "'/', '@', '\"', ' ' may be used, and 8 to 41 of them.");
    if (cluster->managed)
        sim_rds_drop_secret(sim_rds_state(call->account), cluster);
    begin_reset(call, cluster, RESET_PASSWORD, password);
    *ret_started = true;
    return true;
}

bool sim_rds_modify_password(struct call *call, struct rds_cluster *cluster, bool *ret_started)
{
    bool manage = call_bool(call, "ManageMasterUserPassword", false);

    if (call_has(call, "MasterUserSecretKmsKeyId") && !manage)
        return call_refuse(call, 400, "InvalidParameterCombination",
                           "MasterUserSecretKmsKeyId goes together with ManageMasterUserPassword.");
    if (manage)
        return begin_managing(call, cluster, ret_started);
    if (call_bool(call, "RotateMasterUserPassword", false))
        return begin_rotation(call, cluster, ret_started);
    if (call_has(call, "MasterUserPassword"))
        return begin_own_password(call, cluster, ret_started);
    if (cluster->managed && call_has(call, "ManageMasterUserPassword"))
        return call_refuse(call, 400, "InvalidParameterCombination",
                           "You must specify MasterUserPassword when you disable ManageMasterUserPassword.");
    return true;
}

/* ---- and ends ---- */

static bool has_usable_instance(const struct rds_state *state, const struct rds_cluster *cluster)
{
    for (size_t i = 0; i < cluster->instance_count; i++)
        if (text_equal(sim_rds_instance_status(state, cluster->instances[i]), "available"))
            return true;
    return false;
}

void sim_rds_finish_reset(struct rds_state *state, struct rds_cluster *cluster)
{
    enum rds_reset_kind kind = cluster->reset;
    AUTO_FREE char *login = TAKE(cluster->next_login);

    cluster->reset = RESET_NONE;
    if (!state->options.reset_needs_instance || has_usable_instance(state, cluster))
        json_set_text(cluster->logins, cluster->master_username, login);
    if (kind == RESET_ROTATE)
        sim_secret_promote(state->account, cluster->secret_arn);
    if (!state->options.show_event)
        return;
    sim_rds_event(state, &(struct rds_news){.source_type = "db-cluster",
                                            .id = cluster->id,
                                            .arn = cluster->arn,
                                            .category = "configuration change",
                                            .message = "Reset master credentials",
                                            .event_id = "RDS-EVENT-0016",
                                            .time_ms = cluster->reset_end_ms});
}

const char *sim_rds_secret_status(const struct rds_cluster *cluster)
{
    if (cluster->reset == RESET_MANAGE)
        return "creating";
    return cluster->reset == RESET_ROTATE ? "rotating" : "active";
}

void sim_rds_drop_secret(struct rds_state *state, struct rds_cluster *cluster)
{
    if (cluster->secret_arn)
        sim_secret_remove(state->account, cluster->secret_arn);
    cluster->managed = false;
    xfree(TAKE(cluster->secret_arn));
    xfree(TAKE(cluster->secret_kms_key));
}
