/* What the tests of credentials share: a config as an environment gives it, a shared file, answers of STS. */
#ifndef TESTS_AWS_CREDENTIALS_FIXTURE_H
#define TESTS_AWS_CREDENTIALS_FIXTURE_H

#include "pkg/aws/config.h"
#include "tests/testing/assertions.h"

#include <fcntl.h>
#include <unistd.h>

/* An answer of AssumeRole and its like. */
#define STS_CREDENTIALS_UNTIL(op, key, expiration)                                                        \
    "<" op "Response><" op "Result><AssumedRoleUser><Arn>arn</Arn></AssumedRoleUser><Credentials>"        \
    "<AccessKeyId>" key "</AccessKeyId><SecretAccessKey>role-secret</SecretAccessKey>"                    \
    "<SessionToken>role-token==</SessionToken><Expiration>" expiration "</Expiration></Credentials></" op \
    "Result><ResponseMetadata><RequestId>r</RequestId></ResponseMetadata></" op "Response>"
#define STS_CREDENTIALS(op, key) STS_CREDENTIALS_UNTIL(op, key, "2026-11-22T17:00:00Z")
/* The end that they name, in ms. */
#define AT_17 INT64_C(1795366800000)

#define VARIABLES_MAX 8

/* Up to VARIABLES_MAX entries, or to the first that is NULL. */
static inline void read_variables(const char *const *variables, struct aws_config *config)
{
    char *entries[VARIABLES_MAX + 1] = {0};

    for (size_t i = 0; i < VARIABLES_MAX && variables[i]; i++)
        entries[i] = xstrdup(variables[i]);
    assert_no_err(aws_config_from_environ(entries, config));
    for (size_t i = 0; entries[i]; i++)
        xfree(entries[i]);
}

/* A file that is there until `file` goes out of scope. */
struct shared_file {
    char path[32];
};

static inline void shared_file_done(struct shared_file *file)
{
    if (file->path[0])
        unlink(file->path);
}
#define AUTO_SHARED_FILE CLEANUP(shared_file_done)

/* Once more: the same file says something else. */
static inline void shared_file_write(struct shared_file *file, const char *text)
{
    int fd;

    if (!file->path[0]) {
        snprintf(file->path, sizeof(file->path), "/tmp/credentials.XXXXXX");
        fd = mkstemp(file->path);
    } else {
        fd = open(file->path, O_WRONLY | O_TRUNC);
    }
    assert_true(fd >= 0);
    assert_true(write(fd, text, strlen(text)) == (ssize_t)strlen(text));
    close(fd);
}

#endif
