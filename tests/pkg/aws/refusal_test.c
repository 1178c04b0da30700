#include "pkg/aws/refusal.h"

#include "tests/testing/assertions.h"

struct row {
    const char *name; /* the code */
    enum aws_service service;
    int status;
    struct aws_verdict want;
};

static const struct row rows[] = {
    {"Throttling", AWS_RDS, 400, {ERR_RETRY, AWS_THROTTLED}},
    {"ThrottlingException", AWS_BACKUP, 400, {ERR_RETRY, AWS_THROTTLED}},
    {"TooManyRequestsException", AWS_LAMBDA, 429, {ERR_RETRY, AWS_THROTTLED}},
    {"RequestLimitExceeded", AWS_RDS, 503, {ERR_RETRY, AWS_THROTTLED}},
    {"TooManyUpdates", AWS_SSM, 400, {ERR_RETRY, AWS_THROTTLED}},
    {"KmsThrottled", AWS_SQS, 400, {ERR_RETRY, AWS_THROTTLED}},
    {"InternalServerError", AWS_DYNAMODB, 500, {ERR_RETRY, AWS_TRANSIENT}},
    {"ServiceUnavailableException", AWS_BACKUP, 500, {ERR_RETRY, AWS_TRANSIENT}},
    {"DependencyFailureException", AWS_BACKUP, 500, {ERR_RETRY, AWS_TRANSIENT}},
    {"ServerException", AWS_ECS, 500, {ERR_RETRY, AWS_TRANSIENT}},
    {"SomethingNew", AWS_ECS, 502, {ERR_RETRY, AWS_TRANSIENT}},
    {"ExpiredToken", AWS_RDS, 403, {ERR_DENIED, AWS_RENEW}},
    {"ExpiredTokenException", AWS_BACKUP, 403, {ERR_DENIED, AWS_RENEW}},
    {"UnrecognizedClientException", AWS_DYNAMODB, 400, {ERR_DENIED, AWS_RENEW}},
    {"SignatureDoesNotMatch", AWS_RDS, 403, {ERR_DENIED, AWS_CLOCK_SKEW}},
    {"InvalidSignatureException", AWS_DYNAMODB, 400, {ERR_DENIED, AWS_CLOCK_SKEW}},
    {"AccessDenied", AWS_STS, 403, {ERR_DENIED, AWS_GIVE_UP}},
    {"AccessDeniedException", AWS_DYNAMODB, 400, {ERR_DENIED, AWS_GIVE_UP}},
    {"KmsAccessDenied", AWS_SQS, 400, {ERR_DENIED, AWS_GIVE_UP}},
    {"KmsDisabled", AWS_SQS, 400, {ERR_DENIED, AWS_GIVE_UP}},
    {"KmsInvalidKeyUsage", AWS_SQS, 400, {ERR_DENIED, AWS_GIVE_UP}},
    {"KmsInvalidState", AWS_SQS, 400, {ERR_DENIED, AWS_GIVE_UP}},
    {"KmsNotFound", AWS_SQS, 400, {ERR_DENIED, AWS_GIVE_UP}},
    {"KmsOptInRequired", AWS_SQS, 400, {ERR_DENIED, AWS_GIVE_UP}},
    {"LimitExceededException", AWS_DYNAMODB, 400, {ERR_RETRY, AWS_GIVE_UP}},
    {"LimitExceededException", AWS_BACKUP, 400, {ERR_RETRY, AWS_GIVE_UP}},
    {"LimitExceededException", AWS_SECRETS_MANAGER, 400, {ERR_DENIED, AWS_GIVE_UP}},
    {"DBClusterQuotaExceededFault", AWS_RDS, 403, {ERR_DENIED, AWS_GIVE_UP}},
    {"InstanceQuotaExceeded", AWS_RDS, 400, {ERR_DENIED, AWS_GIVE_UP}},
    {"InsufficientDBInstanceCapacity", AWS_RDS, 400, {ERR_RETRY, AWS_GIVE_UP}},
    {"InsufficientDBClusterCapacityFault", AWS_RDS, 403, {ERR_RETRY, AWS_GIVE_UP}},
    {"InvalidDBClusterStateFault", AWS_RDS, 400, {ERR_RETRY, AWS_GIVE_UP}},
    {"InvalidDBInstanceState", AWS_RDS, 400, {ERR_RETRY, AWS_GIVE_UP}},
    {"InvalidDBProxyStateFault", AWS_RDS, 400, {ERR_RETRY, AWS_GIVE_UP}},
    {"InvalidResourceStateException", AWS_BACKUP, 400, {ERR_RETRY, AWS_GIVE_UP}},
    {"ResourceInUseException", AWS_DYNAMODB, 400, {ERR_RETRY, AWS_GIVE_UP}},
    {"ContinuousBackupsUnavailableException", AWS_DYNAMODB, 400, {ERR_RETRY, AWS_GIVE_UP}},
    {"DBInstanceAlreadyExists", AWS_RDS, 400, {ERR_CONFLICT, AWS_GIVE_UP}},
    {"DBProxyTargetAlreadyRegisteredFault", AWS_RDS, 400, {ERR_CONFLICT, AWS_GIVE_UP}},
    {"ParameterAlreadyExists", AWS_SSM, 400, {ERR_CONFLICT, AWS_GIVE_UP}},
    {"ResourceExistsException", AWS_SECRETS_MANAGER, 400, {ERR_CONFLICT, AWS_GIVE_UP}},
    {"DBClusterNotFoundFault", AWS_RDS, 404, {ERR_NOT_FOUND, AWS_GIVE_UP}},
    {"DBInstanceNotFound", AWS_RDS, 404, {ERR_NOT_FOUND, AWS_GIVE_UP}},
    {"ResourceNotFoundException", AWS_BACKUP, 400, {ERR_NOT_FOUND, AWS_GIVE_UP}},
    {"ParameterNotFound", AWS_SSM, 400, {ERR_NOT_FOUND, AWS_GIVE_UP}},
    {"ResourceNotFoundException", AWS_LAMBDA, 404, {ERR_NOT_FOUND, AWS_GIVE_UP}},
    {"NoSuchThing", AWS_LAMBDA, 404, {ERR_NOT_FOUND, AWS_GIVE_UP}},
    {"UnknownOperationException", AWS_BACKUP, 404, {ERR_INVALID, AWS_GIVE_UP}},
    {"TableNotFoundException", AWS_DYNAMODB, 400, {ERR_NOT_FOUND, AWS_GIVE_UP}},
    {"InvalidParameterCombination", AWS_RDS, 400, {ERR_INVALID, AWS_GIVE_UP}},
    {"InvalidParameterValueException", AWS_BACKUP, 400, {ERR_INVALID, AWS_GIVE_UP}},
    {"ValidationException", AWS_DYNAMODB, 400, {ERR_INVALID, AWS_GIVE_UP}},
    {"Exception", AWS_DYNAMODB, 400, {ERR_INVALID, AWS_GIVE_UP}},
};

static const struct row without_code[] = {
    {"429", AWS_RDS, 429, {ERR_RETRY, AWS_THROTTLED}}, {"503", AWS_RDS, 503, {ERR_RETRY, AWS_TRANSIENT}},
    {"403", AWS_RDS, 403, {ERR_DENIED, AWS_GIVE_UP}},  {"404", AWS_RDS, 404, {ERR_RETRY, AWS_TRANSIENT}},
    {"400", AWS_RDS, 400, {ERR_INVALID, AWS_GIVE_UP}}, {"302", AWS_RDS, 302, {ERR_INVALID, AWS_GIVE_UP}},
};

static void judges_code(void **state)
{
    const struct row *row = *state;
    struct aws_verdict got = aws_verdict_of(row->service, row->name, row->status);

    assert_text_equal(err_kind_name(got.kind), err_kind_name(row->want.kind));
    assert_number(got.reaction, row->want.reaction);
}

static void judges_status(void **state)
{
    const struct row *row = *state;
    struct aws_verdict got = aws_verdict_of(row->service, NULL, row->status);

    assert_text_equal(err_kind_name(got.kind), err_kind_name(row->want.kind));
    assert_number(got.reaction, row->want.reaction);
}

struct deny_row {
    const char *message, *code;
    bool want;
};

static const struct deny_row deny_rows[] = {
    {"User: x is not authorized to perform: rds:DescribeDBClusters on resource: y with an explicit deny in "
     "an "
     "identity-based policy",
     "AccessDenied", true},
    {"... with an explicit deny", "AccessDeniedException", true},
    {"... because no identity-based policy allows the rds:DescribeDBClusters action", "AccessDenied", false},
    {"the password 'an explicit deny' is too short", "InvalidParameterValue", false},
    {NULL, "AccessDenied", false},
    {"an explicit deny", NULL, false},
};

static void knows_an_explicit_deny(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(deny_rows); i++)
        assert_int_equal(aws_refusal_is_explicit(deny_rows[i].code, deny_rows[i].message), deny_rows[i].want);
}

static void makes_a_sentence(void **state)
{
    AUTO_ERR struct err *err = aws_refusal_err(&(struct aws_refusal){
        .op = AWS_OP_START_COPY_JOB,
        .code = "AccessDeniedException",
        .message = " You may not\n",
        .request_id = "7f3c",
        .account_id = "111111111111",
        .http_status = 403,
        .retry_after_ms = 1500,
    });

    (void)state;
    assert_text_equal(err_text(err), "backup StartCopyJob: AccessDeniedException: You may not "
                                     "(request 7f3c, account 111111111111)");
    assert_err_kind(err, ERR_DENIED);
    assert_text_equal(err_remote(err)->service, "backup");
    assert_text_equal(err_remote(err)->operation, "StartCopyJob");
    assert_text_equal(err_remote(err)->code, "AccessDeniedException");
    assert_text_equal(err_remote(err)->message, "You may not");
    assert_text_equal(err_remote(err)->request_id, "7f3c");
    assert_number(err_remote(err)->http_status, 403);
    assert_number(err_remote(err)->retry_after_ms, 1500);
}

static void says_the_status_without_a_code(void **state)
{
    AUTO_ERR struct err *err =
        aws_refusal_err(&(struct aws_refusal){.op = AWS_OP_DESCRIBE_TABLE, .http_status = 503});

    (void)state;
    assert_text_equal(err_text(err), "dynamodb DescribeTable: HTTP status 503");
    assert_null(err_remote(err)->code);
}

static void cuts_the_echo_of_the_request(void **state)
{
    AUTO_ERR struct err *err = aws_refusal_err(&(struct aws_refusal){
        .op = AWS_OP_DESCRIBE_DB_CLUSTERS,
        .code = "SignatureDoesNotMatch",
        .message = "It does not match.\n\nThe Canonical String for this request should have "
                   "been\n'x-amz-security-token:SECRET'",
        .http_status = 403,
    });

    (void)state;
    assert_text_equal(err_text(err), "rds DescribeDBClusters: SignatureDoesNotMatch: It does not match.");
    assert_text_equal(err_remote(err)->message, "It does not match.");
}

static void shortens_long_messages(void **state)
{
    char *message = xmalloc(4001);
    struct err *err;

    (void)state;
    for (size_t i = 0; i < 4000; i += 2)
        memcpy(message + i, "\xC3\xA9", 2);
    message[4000] = '\0';
    err = aws_refusal_err(&(struct aws_refusal){
        .op = AWS_OP_DESCRIBE_TABLE, .code = "X", .message = message, .http_status = 400});
    assert_true(str_ends(str_of(err_text(err)), "\xC3\xA9..."));
    assert_true(strlen(err_text(err)) < 1200);
    err_free(err);
    xfree(message);
}

int main(void)
{
    struct tests tests = {0};

    TEST_ROWS(&tests, judges_code, rows);
    TEST_ROWS(&tests, judges_status, without_code);
    TEST(&tests, knows_an_explicit_deny);
    TEST(&tests, makes_a_sentence);
    TEST(&tests, says_the_status_without_a_code);
    TEST(&tests, cuts_the_echo_of_the_request);
    TEST(&tests, shortens_long_messages);
    return tests_run(&tests, "refusal");
}
