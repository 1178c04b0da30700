/* Accounts, vaults, keys, and what is backed up: everything up to the copy's arrival.
 * What AWS demands of a copy between accounts:
 * https://docs.aws.amazon.com/aws-backup/latest/devguide/create-cross-account-backup.html */
#include "controller/preflight.h"
#include "pkg/aws/arn.h"
#include "pkg/aws/backup.h"
#include "pkg/aws/dynamodb.h"
#include "pkg/aws/kms.h"
#include "pkg/aws/policy.h"
#include "pkg/aws/rds.h"
#include "pkg/aws/sts.h"

/* --- which spec needs what --- */

static bool copies(const struct refresh_spec *spec, const struct database_spec *database)
{
    (void)database;
    for (size_t i = 0; i < spec->database_count; i++) {
        if (spec->databases[i].from != FROM_TARGET_VAULT)
            return true;
    }
    return false;
}

static bool is_copied(const struct refresh_spec *spec, const struct database_spec *database)
{
    (void)spec;
    return database->from != FROM_TARGET_VAULT;
}

static bool is_copied_cluster(const struct refresh_spec *spec, const struct database_spec *database)
{
    return is_copied(spec, database) && database->kind == DATABASE_AURORA;
}

static bool is_copied_table(const struct refresh_spec *spec, const struct database_spec *database)
{
    return is_copied(spec, database) && database->kind == DATABASE_DYNAMODB;
}

static bool has_kind(const struct refresh_spec *spec, enum database_kind kind)
{
    for (size_t i = 0; i < spec->database_count; i++) {
        if (spec->databases[i].kind == kind)
            return true;
    }
    return false;
}

/* --- subjects --- */

static char *account_subject(const struct inspection *in)
{
    return xasprintf("account %s", in->account->account_id);
}

static char *vault_subject(const struct inspection *in)
{
    return xasprintf("vault %s", in->account->vault_name);
}

static char *policy_subject(const struct inspection *in)
{
    return xasprintf("access policy of vault %s", in->account->vault_name);
}

static char *settings_subject(const struct inspection *in)
{
    return xasprintf("AWS Backup in %s for%s%s", in->account->region,
                     has_kind(in->preflight->spec, DATABASE_AURORA) ? " Aurora" : "",
                     has_kind(in->preflight->spec, DATABASE_DYNAMODB) ? " DynamoDB" : "");
}

static char *organization_subject(const struct inspection *in)
{
    (void)in;
    return xstrdup("copies between accounts");
}

static char *cluster_subject(const struct inspection *in)
{
    return xasprintf("cluster %s", in->database->aurora.cluster_identifier);
}

static char *table_subject(const struct inspection *in)
{
    return xasprintf("table %s", in->database->dynamodb.table_name);
}

/* --- accounts --- */

static struct err *look_at_identity(const struct inspection *in)
{
    AUTO_STS_IDENTITY struct sts_identity identity = {0};

    TRY(sts_get_caller_identity(in->aws, &identity));
    preflight_ok(in, "the credentials are of it: %s", identity.arn ? identity.arn : identity.account);
    return NULL;
}

static struct err *look_at_settings(const struct inspection *in)
{
    const struct refresh_spec *spec = in->preflight->spec;
    struct backup_region_settings settings = {0};

    TRY(backup_describe_region_settings(in->aws, &settings));
    if (has_kind(spec, DATABASE_AURORA) && !settings.aurora_opted_in)
        preflight_fail(in,
                       "AWS Backup is not turned on for Aurora: opt in under AWS Backup's settings of "
                       "account %s",
                       in->account->account_id);
    else if (has_kind(spec, DATABASE_DYNAMODB) && !settings.dynamodb_opted_in)
        preflight_fail(in,
                       "AWS Backup is not turned on for DynamoDB: opt in under AWS Backup's settings of "
                       "account %s",
                       in->account->account_id);
    else if (in->check->side == SIDE_SOURCE && has_kind(spec, DATABASE_DYNAMODB) &&
             !settings.dynamodb_advanced)
        preflight_fail(in,
                       "AWS Backup's advanced features for DynamoDB are off, so a table's recovery points "
                       "cannot leave the account: turn them on under AWS Backup's settings of account "
                       "%s; recovery points that are there already stay as they are",
                       in->account->account_id);
    else
        preflight_ok(in, "the resource types are turned on");
    return NULL;
}

static struct err *look_at_organization(const struct inspection *in)
{
    bool allowed = false;

    TRY(backup_describe_global_settings(in->aws, &allowed));
    if (allowed)
        preflight_ok(in, "the organization allows them");
    else
        preflight_fail(in, "cross-account backup is off: the organization's management account must turn it "
                           "on under AWS Backup's settings");
    return NULL;
}

/* --- vaults --- */

static bool retention_fits(const struct inspection *in, const struct backup_vault *vault)
{
    int64_t days = in->preflight->spec->live.retention.recovery_point_days;

    if (!vault->is_locked && !vault->min_retention_days && !vault->max_retention_days)
        return true;
    return days >= vault->min_retention_days &&
           (!vault->max_retention_days || days <= vault->max_retention_days);
}

/* False: it cannot be used, and why has been said. */
static bool vault_is_usable(const struct inspection *in, const struct backup_vault *vault)
{
    if (vault->type && !text_equal(vault->type, "BACKUP_VAULT"))
        preflight_fail(in, "it is of type %s: take an ordinary vault, kept for this controller alone",
                       vault->type);
    else if (vault->state && !text_equal(vault->state, "AVAILABLE"))
        preflight_fail(in, "its state is %s: wait for it, or take another one", vault->state);
    else if (!retention_fits(in, vault))
        preflight_fail(in,
                       "its lock keeps recovery points for %lld to %lld days, and "
                       "spec.retention.recoveryPointDays is %lld: change one of them",
                       (long long)vault->min_retention_days, (long long)vault->max_retention_days,
                       (long long)in->preflight->spec->live.retention.recovery_point_days);
    else
        return true;
    return false;
}

/* A key of AWS's own never leaves its account. */
static bool key_is_own(const struct inspection *in, const struct kms_key *key, const char *whose)
{
    if (!text_equal(key->manager, "CUSTOMER"))
        preflight_fail(in,
                       "%s is encrypted with a key that AWS manages, which cannot be shared: a customer "
                       "managed key is needed",
                       whose);
    else if (!text_equal(key->state, "Enabled"))
        preflight_fail(in, "the key %s of %s is %s: enable it", key->arn, whose, key->state);
    else
        return true;
    return false;
}

/* Whether the target may use a key of the source. The policy is read where it is; failing that, the target
 * tries to look at the key itself. */
static struct err *ask_key_policy(const struct inspection *in, const char *key_arn, enum policy_verdict *ret,
                                  bool *ret_known)
{
    const struct policy_question question = {.action = "kms:CreateGrant",
                                             .account_id = preflight_target(in)->account_id};
    AUTO_FREE char *policy = NULL;
    struct err *err = kms_get_key_policy(in->aws, key_arn, &policy);

    *ret_known = !err;
    if (err && (err_kind(err) == ERR_DENIED || err_kind(err) == ERR_NOT_FOUND)) {
        err_ignore(err, "then the other side tells");
        return NULL;
    }
    TRY(err);
    return policy_ask(policy, &question, ret);
}

static struct err *probe_key(const struct inspection *in, const char *key_arn, bool *ret_seen)
{
    AUTO_KMS_KEY struct kms_key key = {0};
    struct err *err = kms_describe_key(&in->preflight->target, key_arn, &key);

    *ret_seen = !err;
    if (err && (err_kind(err) == ERR_DENIED || err_kind(err) == ERR_NOT_FOUND)) {
        err_ignore(err, "a policy that names AWS Backup's role alone refuses this, too");
        return NULL;
    }
    return err;
}

static struct err *look_at_sharing(const struct inspection *in, const char *key_arn, const char *whose)
{
    const char *target = preflight_target(in)->account_id;
    enum policy_verdict verdict = POLICY_SILENT;
    bool known = false, seen = false;

    TRY(ask_key_policy(in, key_arn, &verdict, &known));
    if (verdict != POLICY_ALLOWS)
        TRY(probe_key(in, key_arn, &seen));
    if (verdict == POLICY_ALLOWS || seen)
        preflight_ok(in, "its key is shared with account %s", target);
    else if (!known || verdict == POLICY_PERHAPS)
        preflight_unknown(in, "whether the key %s of %s is shared with account %s cannot be told from here",
                          key_arn, whose, target);
    else
        preflight_fail(in,
                       "the policy of key %s does not admit account %s: add the statement that "
                       "\"stagingrefresh policies\" prints, or the copy fails after the backup",
                       key_arn, target);
    return NULL;
}

static struct err *look_at_key(const struct inspection *in, const char *key_id, const char *whose)
{
    AUTO_KMS_KEY struct kms_key key = {0};

    TRY(err_wrap(kms_describe_key(in->aws, key_id, &key), "the key of %s", whose));
    if (key_is_own(in, &key, whose))
        TRY(look_at_sharing(in, key.arn, whose));
    return NULL;
}

/* A fully managed recovery point (a table's) is under the vault's key; a cluster's is under its own. */
static struct err *look_at_source_vault(const struct inspection *in)
{
    AUTO_BACKUP_VAULT struct backup_vault vault = {0};
    AUTO_KMS_KEY struct kms_key key = {0};
    AUTO_FREE char *whose = xasprintf("vault %s", in->account->vault_name);

    TRY(backup_describe_vault(in->aws, in->account->vault_name, &vault));
    if (!vault_is_usable(in, &vault))
        return NULL;
    preflight_ok(in, "it is there");
    if (!has_kind(in->preflight->spec, DATABASE_DYNAMODB) || !vault.encryption_key_arn)
        return NULL;
    TRY(err_wrap(kms_describe_key(in->aws, vault.encryption_key_arn, &key), "the key of %s", whose));
    /* AWS Backup opens a table's recovery point under its own key for the copy. */
    if (!text_equal(key.manager, "CUSTOMER"))
        return NULL;
    if (key_is_own(in, &key, whose))
        TRY(look_at_sharing(in, key.arn, whose));
    return NULL;
}

static struct err *look_at_target_vault(const struct inspection *in)
{
    AUTO_BACKUP_VAULT struct backup_vault vault = {0};
    AUTO_KMS_KEY struct kms_key key = {0};
    AUTO_FREE char *whose = xasprintf("vault %s", in->account->vault_name);
    struct arn arn;

    TRY(backup_describe_vault(in->aws, in->account->vault_name, &vault));
    if (!vault_is_usable(in, &vault))
        return NULL;
    if (copies(in->preflight->spec, NULL) && text_equal(in->account->vault_name, "Default")) {
        preflight_fail(in, "nothing can be copied into the vault Default: take one kept for this controller");
        return NULL;
    }
    if (!has_kind(in->preflight->spec, DATABASE_AURORA) || !vault.encryption_key_arn) {
        preflight_ok(in, "it is there");
        return NULL;
    }
    TRY(err_wrap(kms_describe_key(in->aws, vault.encryption_key_arn, &key), "the key of %s", whose));
    if (!key_is_own(in, &key, whose))
        return NULL;
    preflight_ok(in, "it is there, under a customer managed key");
    TRY(arn_parse(vault.encryption_key_arn, &arn));
    if (!str_is(arn.account, in->account->account_id))
        preflight_unknown(in,
                          "its key is of another account (" STR_FMT
                          "): whoever disables it there locks what was restored",
                          STR_ARG(arn.account));
    return NULL;
}

static struct err *look_at_vault_policy(const struct inspection *in)
{
    const struct account *source = preflight_source(in);
    const struct policy_question question = {.action = "backup:CopyIntoBackupVault",
                                             .account_id = source->account_id,
                                             .role_arn = source->service_role_arn};
    enum policy_verdict verdict = POLICY_SILENT;
    AUTO_FREE char *policy = NULL;

    TRY(backup_get_vault_policy(in->aws, in->account->vault_name, &policy));
    if (policy)
        TRY(policy_ask(policy, &question, &verdict));
    if (verdict == POLICY_ALLOWS)
        preflight_ok(in, "it lets account %s copy into the vault", source->account_id);
    else if (verdict == POLICY_PERHAPS)
        preflight_unknown(in,
                          "it lets account %s copy into the vault under a condition that is not "
                          "evaluated here",
                          source->account_id);
    else
        preflight_fail(
            in,
            "%s backup:CopyIntoBackupVault for %s: put the policy that \"stagingrefresh policies\" "
            "prints onto the vault",
            verdict == POLICY_DENIES ? "it denies" : "nothing allows", source->service_role_arn);
    return NULL;
}

/* --- what is backed up --- */

static struct err *look_at_source_cluster(const struct inspection *in)
{
    AUTO_RDS_CLUSTER struct rds_cluster cluster = {0};
    AUTO_FREE char *whose = xstrdup(in->subject);

    TRY(rds_describe_cluster(in->aws, in->database->aurora.cluster_identifier, &cluster));
    preflight_ok(in, "it is there, %s %s, %s", cluster.engine, cluster.engine_version, cluster.status);
    if (cluster.is_encrypted && cluster.kms_key_id)
        TRY(look_at_key(in, cluster.kms_key_id, whose));
    return NULL;
}

static struct err *look_at_source_table(const struct inspection *in)
{
    AUTO_DYNAMODB_TABLE struct dynamodb_table table = {0};

    TRY(dynamodb_describe_table(in->aws, in->database->dynamodb.table_name, &table));
    if (text_equal(table.status, "ACTIVE") || text_equal(table.status, "UPDATING"))
        preflight_ok(in, "it is there, %s", table.status);
    else
        preflight_fail(in, "it is %s and cannot be backed up so: see to it, or wait", table.status);
    return NULL;
}

#define MAKE_VAULT "make the vault, or put its name into spec.backup.vaultName of the AWSAccount"

// clang-format off
static const struct preflight_check checks[] = {
    {.name = "SourceCredentials", .side = SIDE_SOURCE, .subject = account_subject, .look = look_at_identity},
    {.name = "TargetCredentials", .side = SIDE_TARGET, .of_switchover = true, .subject = account_subject,
     .look = look_at_identity},
    {.name = "SourceSettings", .side = SIDE_SOURCE, .is_optional = true, .applies = copies,
     .subject = settings_subject, .look = look_at_settings},
    {.name = "TargetSettings", .side = SIDE_TARGET, .is_optional = true, .subject = settings_subject,
     .look = look_at_settings},
    {.name = "Organization", .side = SIDE_SOURCE, .is_optional = true, .applies = copies,
     .subject = organization_subject, .look = look_at_organization},
    {.name = "SourceVault", .side = SIDE_SOURCE, .is_optional = true, .applies = copies, .subject = vault_subject,
     .look = look_at_source_vault, .missing = MAKE_VAULT},
    {.name = "TargetVault", .side = SIDE_TARGET, .is_optional = true, .subject = vault_subject,
     .look = look_at_target_vault, .missing = MAKE_VAULT},
    {.name = "VaultPolicy", .side = SIDE_TARGET, .is_optional = true, .applies = copies, .subject = policy_subject,
     .look = look_at_vault_policy, .missing = MAKE_VAULT},
    {.name = "SourceCluster", .side = SIDE_SOURCE, .per_database = true, .applies = is_copied_cluster,
     .subject = cluster_subject, .look = look_at_source_cluster, .missing = "correct aurora.clusterIdentifier"},
    {.name = "SourceTable", .side = SIDE_SOURCE, .per_database = true, .applies = is_copied_table,
     .subject = table_subject, .look = look_at_source_table, .missing = "correct dynamodb.tableName"},
};
// clang-format on

const struct preflight_table preflight_backup = {.checks = checks, .count = COUNT_OF(checks)};
