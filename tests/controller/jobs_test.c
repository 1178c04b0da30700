/* What the ends of AWS Backup's jobs mean for us, lies and oddities included. */
#include "controller/steps/steps.h"
#include "tests/testing/assertions.h"

struct row {
    const char *name;
    enum backup_job_state state;
    const char *state_text, *words;
    enum verdict verdict;
    bool retryable;
    const char *reason, *message;
    bool is_crowded;
};

static const struct row rows[] = {
    {"completed", BACKUP_STATE_COMPLETED, "COMPLETED", NULL, VERDICT_DONE, false, NULL,
     "copy job J completed", false},
    {"completed with a remark", BACKUP_STATE_COMPLETED, "COMPLETED", "Some tags were not copied",
     VERDICT_DONE, false, NULL, "copy job J completed, and AWS remarks: Some tags were not copied", false},
    {"failed without a word", BACKUP_STATE_FAILED, "FAILED", NULL, VERDICT_FAILED, true, "JobFailed",
     "copy job J ended as FAILED: AWS gave no reason", false},
    {"failed for a reason that passes", BACKUP_STATE_FAILED, "FAILED",
     "There is a running job for the same resource.", VERDICT_FAILED, true, "ResourceBusy",
     "copy job J ended as FAILED: There is a running job for the same resource.; another job was running for "
     "the same resource",
     false},
    {"failed in a crowd", BACKUP_STATE_FAILED, "FAILED", "There are too many copy jobs running for resource.",
     VERDICT_FAILED, true, "TooManyJobs",
     "copy job J ended as FAILED: There are too many copy jobs running for resource.; the account's limit of "
     "copy jobs was reached",
     true},
    {"failed at a limit", BACKUP_STATE_FAILED, "FAILED", "Job limit exceeded", VERDICT_FAILED, true,
     "LimitExceeded", "copy job J ended as FAILED: Job limit exceeded; a limit of the account was reached",
     true},
    {"failed for a reason that a person must settle", BACKUP_STATE_FAILED, "FAILED",
     "Access Denied trying to call AWS Backup service", VERDICT_FAILED, false, "CopyDenied",
     "copy job J ended as FAILED: Access Denied trying to call AWS Backup service; the target vault's access "
     "policy must allow backup:CopyIntoBackupVault to the source account",
     false},
    {"expired", BACKUP_STATE_EXPIRED, "EXPIRED", NULL, VERDICT_FAILED, true, "StartWindowPassed",
     "copy job J ended as EXPIRED: AWS gave no reason; it could not start within its window", false},
    {"expired, and AWS says why", BACKUP_STATE_EXPIRED, "EXPIRED", "Backup job expired before completion",
     VERDICT_FAILED, true, "StartWindowPassed",
     "copy job J ended as EXPIRED: Backup job expired before completion; the job could not start within its "
     "window",
     false},
    {"aborted", BACKUP_STATE_ABORTED, "ABORTED", NULL, VERDICT_FAILED, false, "JobAborted",
     "copy job J ended as ABORTED: AWS gave no reason; somebody stopped it in AWS; ask for a retry when that "
     "is over",
     false},
    {"aborted with words that would pass", BACKUP_STATE_ABORTED, "ABORTED", "internal error", VERDICT_FAILED,
     false, "JobAborted",
     "copy job J ended as ABORTED: internal error; somebody stopped it in AWS; ask for a retry when that is "
     "over",
     false},
    {"partial", BACKUP_STATE_PARTIAL, "PARTIAL", "1 of 2", VERDICT_FAILED, false, "JobPartial",
     "copy job J ended as PARTIAL: 1 of 2; what it made is not whole and is not used; look at the job in "
     "AWS",
     false},
};

static void judges_an_end(void **state)
{
    const struct row *row = *state;
    char id[] = "J";
    const struct backup_job job = {.kind = COPY_JOB,
                                   .id = id,
                                   .state = row->state,
                                   .state_text = (char *)(uintptr_t)row->state_text,
                                   .status_message = (char *)(uintptr_t)row->words};
    AUTO_OUTCOME struct outcome out = job_end("copy job", &job);

    assert_int_equal(out.verdict, row->verdict);
    assert_int_equal(out.retryable, row->retryable);
    assert_int_equal(out.is_crowded, row->is_crowded);
    assert_text_equal(out.reason, row->reason);
    assert_text_equal(out.message, row->message);
}

int main(void)
{
    struct tests tests = {0};

    TEST_ROWS(&tests, judges_an_end, rows);
    return tests_run(&tests, "jobs");
}
