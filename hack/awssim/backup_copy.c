/* Copy jobs: they belong to the account of the source, and fail late, for reasons that lie in either account.
 */
#include "hack/awssim/backup_priv.h"

#define DENIED "Access Denied trying to call AWS Backup service"

/* ---- StartCopyJob ---- */

static bool find_source(struct call *call, struct point **ret)
{
    const char *vault = call_text(call, "SourceBackupVaultName"), *arn = call_text(call, "RecoveryPointArn");

    if (!sim_vault_find(call->account, vault))
        return call_refuse(call, 400, "ResourceNotFoundException", "Backup vault %s cannot be found.", vault);
    *ret = sim_point_find(call->account, vault, arn);
    if (!*ret)
        return call_refuse(call, 400, "ResourceNotFoundException", "Cannot find recovery point: %s", arn);
    if ((*ret)->status != POINT_COMPLETED)
        return call_refuse(call, 400, "InvalidResourceStateException",
                           "Recovery point %s is not in the state COMPLETED", arn);
    return true;
}

bool sim_copy_start(struct call *call)
{
    struct backup_state *state = call_state(call);
    const char *destination = call_text(call, "DestinationBackupVaultArn");
    struct point *source = NULL;
    struct arn arn;
    int64_t days = 0;
    bool answer = false;

    if (sim_job_is_repeat(call, &answer))
        return answer;
    if (!sim_job_may_pass_role(call) || !find_source(call, &source) || !sim_lifecycle_read(call, &days))
        return false;
    if (!sim_arn_parse(destination, &arn) || !str_is(arn.service, "backup") ||
        !str_starts(arn.resource, "backup-vault:") || !str_is(arn.partition, call->account->partition))
        return call_refuse(call, 400, "InvalidParameterValueException", "Invalid destination vault: %s",
                           destination);
    if (!sim_job_may_start(call, "copy", &state->copies, source->kind))
        return false;
    struct job *job = sim_job_new(call, &state->copies);
    job->kind = source->kind;
    job->vault = xstrdup(source->vault);
    job->resource_arn = xstrdup(source->resource_arn);
    job->resource_name = xstrdup(source->resource_name);
    job->source_point_arn = xstrdup(source->arn);
    job->destination_vault_arn = xstrdup(destination);
    job->delete_after_days = days;
    json_set_text(call->out, "CopyJobId", job->id);
    json_set(call->out, "CreationDate", call_time(call, job->created_ms));
    json_set_bool(call->out, "IsParent", false);
    sim_job_emit_created(call->account, job);
    call_effect(call, EFFECT_CREATED, job->source_point_arn);
    return true;
}

/* ---- what may be wrong ---- */

static char *wrong_organization(const struct account *account, const struct account *destination)
{
    if (text_equal(account->id, destination->id))
        return NULL;
    if (!account->sim->organization)
        return xstrdup("The source and destination accounts must be a member of the same organization");
    if (!account->sim->cross_account_backup)
        return xstrdup("Cross-account copy feature is not enabled for this organization");
    return NULL;
}

static char *wrong_policy(const struct account *account, const struct job *job,
                          const struct account *destination, const struct vault *vault)
{
    struct policy_question question = {.action = "backup:CopyIntoBackupVault",
                                       .principal_arn = job->role_arn,
                                       .account_id = account->id,
                                       .organization = account->sim->organization};

    if (destination == account || (vault->policy && sim_policy_allows(vault->policy, &question)))
        return NULL;
    return xstrdup(DENIED);
}

/* The key under which the source is encrypted must let the destination in; the destination's must not be AWS
 * Backup's own. */
static char *wrong_keys(const struct account *account, const struct point *source,
                        const struct account *destination, const struct vault *vault)
{
    const struct kms_key *key = kms_find(account, source->key_arn),
                         *target = kms_find(destination, vault->key_arn);
    bool is_full = str_contains(str_of(source->arn), ":backup:");

    if (text_equal(account->id, destination->id))
        return NULL;
    if (!is_full && source->is_encrypted && target && text_equal(kms_alias(target), "alias/aws/backup"))
        return xstrdup("The destination vault is encrypted with the default Backup service managed key; a "
                       "copy of this type to "
                       "another account needs a customer managed key");
    if (!source->is_encrypted || !key)
        return NULL;
    if (kms_is_aws_managed(key) && !is_full)
        return xasprintf("Snapshots encrypted with the AWS managed key can't be shared: %s", kms_arn(key));
    if (!kms_is_aws_managed(key) && (!kms_is_shared_with(key, destination->id) || !kms_is_enabled(key)))
        return xasprintf("Given key ID is not accessible: the source snapshot KMS key %s does not exist, is "
                         "not enabled or you do "
                         "not have permissions to access it",
                         kms_arn(key));
    char *unusable = kms_why_unusable(destination, vault->key_arn);
    return unusable;
}

static int64_t retention(const struct job *job, const struct point *source)
{
    return job->delete_after_days == -1 ? source->delete_after_days : job->delete_after_days;
}

static char *find_fault(struct account *account, const struct job *job)
{
    const struct backup_state *state = sim_backup_state_of(account);
    const struct point *source = sim_point_find(account, job->vault, job->source_point_arn);
    struct account *destination = NULL;
    const struct vault *vault = sim_vault_by_arn(account->sim, job->destination_vault_arn, &destination);
    char *fault;

    if (job->fail_message)
        return xstrdup(job->fail_message);
    if (!source)
        return xasprintf("Cannot find recovery point %s", job->source_point_arn);
    if (sim_resource_is_busy(&state->copies, job))
        return xstrdup("There are too many copy jobs running for resource");
    if (!vault)
        return xstrdup(DENIED);
    if ((fault = wrong_organization(account, destination)))
        return fault;
    if ((fault = sim_role_lacks(account->sim, job, "copy")))
        return fault;
    if ((fault = wrong_policy(account, job, destination, vault)))
        return fault;
    if (destination != account && text_equal(source->kind->resource_type, "DynamoDB") &&
        !str_contains(str_of(source->arn), ":backup:"))
        return xstrdup("Feature is not supported for provided resource type");
    if ((fault = wrong_keys(account, source, destination, vault)))
        return fault;
    if (!sim_vault_lock_allows(vault, retention(job, source)))
        return xstrdup("The retention specified in the job is not within the range of the vault's lock");
    return NULL;
}

/* ---- the life of a copy job ---- */

static void begin(struct account *account, struct job *job)
{
    int64_t now = sim_now(account->sim);
    AUTO_FREE char *fault = find_fault(account, job);

    job->state = JOB_RUNNING;
    job->started_ms = now;
    job->ends_ms = now + sim_job_duration(account->sim, job, "copy");
    job->next_ms = job->ends_ms;
    sim_job_emit(account, job);
    if (!fault)
        return;
    xfree(job->fail_message);
    job->fail_message = TAKE(fault);
    job->next_ms = now + sim_duration(account->sim, "backup.failure");
}

/* The copy keeps the source's date, tags and content; a fully managed or encrypted one is under the vault's
 * key from now on. */
static void deliver(struct account *account, struct job *job)
{
    const struct point *source = sim_point_find(account, job->vault, job->source_point_arn);
    struct account *destination = NULL;
    const struct vault *vault = sim_vault_by_arn(account->sim, job->destination_vault_arn, &destination);
    struct point_name name = {.kind = job->kind,
                              .resource_name = source->resource_name,
                              .infix = "copyjob",
                              .id = job->id,
                              .full = str_contains(str_of(source->arn), ":backup:")};
    struct point *copy = sim_point_add(destination, vault, &name);

    copy->resource_arn = xstrdup(source->resource_arn);
    copy->source_vault_arn = account_arn(account, "backup", "backup-vault:%s", job->vault);
    copy->role_arn = xstrdup(job->role_arn);
    copy->snapshot = json_copy(source->snapshot);
    json_free(copy->tags);
    copy->tags = json_copy(source->tags);
    copy->is_encrypted = source->is_encrypted;
    copy->key_arn = copy->is_encrypted ? xstrdup_or_null(vault->key_arn) : NULL;
    copy->size_bytes = source->size_bytes;
    copy->created_ms = source->created_ms;
    copy->completed_ms = sim_now(account->sim);
    copy->status = POINT_COMPLETED;
    sim_point_set_lifecycle(account->sim, copy, retention(job, source));
    job->destination_point_arn = xstrdup(copy->arn);
    sim_point_emit(destination, copy);
}

void sim_copy_job_step(struct account *account, struct job *job)
{
    const struct backup_state *state = sim_backup_state_of(account);

    if (job->state == JOB_CREATED) {
        if (sim_job_room(account, "copy", &state->copies, job) == ROOM)
            begin(account, job);
        else
            job->next_ms = sim_job_look_again_ms(account);
        return;
    }
    if (job->state == JOB_RUNNING && job->fail_message) {
        sim_job_fail(account, job, job->fail_message);
        sim_job_emit(account, job);
    } else if (job->state == JOB_RUNNING) {
        deliver(account, job);
        sim_job_complete(account, job, NULL);
        sim_job_emit(account, job);
    }
    job->next_ms = NEVER_MS;
}

/* ---- reading ---- */

static struct json *render(const struct call *call, const struct job *job)
{
    struct json *out = json_new_object();
    AUTO_FREE char *vault = account_arn(call->account, "backup", "backup-vault:%s", job->vault);

    json_set_text(out, "AccountId", call->account->id);
    json_set_text(out, "CopyJobId", job->id);
    json_set_text(out, "SourceBackupVaultArn", vault);
    json_set_text(out, "SourceRecoveryPointArn", job->source_point_arn);
    json_set_text(out, "DestinationBackupVaultArn", job->destination_vault_arn);
    json_set_text(out, "DestinationRecoveryPointArn", job->destination_point_arn);
    json_set_text(out, "ResourceArn", job->resource_arn);
    json_set_text(out, "ResourceType", job->kind->resource_type);
    json_set_text(out, "ResourceName", job->resource_name);
    json_set_text(out, "IamRoleArn", job->role_arn);
    json_set_text(out, "State", sim_job_state_name(job->state));
    json_set_text(out, "StatusMessage", job->message);
    json_set(out, "CreationDate", call_time(call, job->created_ms));
    if (job->completed_ms)
        json_set(out, "CompletionDate", call_time(call, job->completed_ms));
    json_set_bool(out, "IsParent", false);
    if (job->state == JOB_COMPLETED)
        json_set_text(out, "MessageCategory", "SUCCESS");
    return out;
}

bool sim_copy_describe(struct call *call)
{
    const struct backup_state *state = call_state(call);
    const char *id = call_text(call, "CopyJobId");
    const struct job *job = sim_job_find(&state->copies, id);

    if (!job)
        return call_refuse(call, 400, "ResourceNotFoundException", "Cannot find copy job: %s", id);
    json_set(call->out, "CopyJob", render(call, job));
    return true;
}

bool sim_copy_list(struct call *call)
{
    const struct backup_state *state = call_state(call);

    return sim_jobs_list(call, &state->copies, "CopyJobs", render);
}
