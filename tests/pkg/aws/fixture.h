/* An account with keys from the environment, and a client of it whose transport plays a script. The first
 * exchange, GetCallerIdentity after the credentials were fetched, is played by itself. */
#ifndef TESTS_AWS_FIXTURE_H
#define TESTS_AWS_FIXTURE_H

#include "pkg/aws/client.h"
#include "tests/testing/testing_env.h"

#define FIXTURE_ACCOUNT "222222222222"
#define FIXTURE_REGION "ap-northeast-1"
#define FIXTURE_SECRET "example-secret"

#define WHOAMI_REPLY(account)                                                                      \
    "<GetCallerIdentityResponse "                                                                  \
    "xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><GetCallerIdentityResult>"                \
    "<Arn>arn:aws:sts::" account ":assumed-role/r/s</Arn><UserId>AROA:s</UserId><Account>" account \
    "</Account>"                                                                                   \
    "</GetCallerIdentityResult><ResponseMetadata><RequestId>who-1</RequestId></ResponseMetadata>"  \
    "</GetCallerIdentityResponse>"

#define WHOAMI(id)                                                                                     \
    {                                                                                                  \
        .name = "GetCallerIdentity", .method = "POST", .host = "sts.ap-northeast-1.amazonaws.com",     \
        .path = "/", .body = "Action=GetCallerIdentity&Version=2011-06-15", .reply = WHOAMI_REPLY(id), \
    }

struct fixture {
    struct testing_env t;
    struct aws_config config;
    struct credentials_cache *identity;
    struct aws_account *account;
    struct aws_client aws;
};

/* Without the exchange for GetCallerIdentity. */
static inline void fixture_init_bare(struct fixture *f, enum aws_usage usage, const struct exchange *rows,
                                     size_t count)
{
    char key[] = "AWS_ACCESS_KEY_ID=AKIAEXAMPLE", secret[] = "AWS_SECRET_ACCESS_KEY=" FIXTURE_SECRET;
    char *const entries[] = {key, secret, NULL};

    memset(f, 0, sizeof(*f));
    testing_env_init(&f->t, 1, rows, count, NULL);
    assert_no_err(aws_config_from_environ(entries, &f->config));
    f->identity = credentials_default_new(&f->config);
    assert_no_err(aws_account_new(
        &(struct aws_account_opts){
            .account_id = FIXTURE_ACCOUNT,
            .region = FIXTURE_REGION,
            .usage = usage,
            .config = &f->config,
            .identity = f->identity,
        },
        &f->account));
    f->aws = (struct aws_client){.account = f->account, .env = &f->t.env};
}

static inline void fixture_init(struct fixture *f, enum aws_usage usage, const struct exchange *rows,
                                size_t count)
{
    static const struct exchange whoami[] = {WHOAMI(FIXTURE_ACCOUNT)};

    fixture_init_bare(f, usage, whoami, 1);
    script_add(f->t.script, rows, count);
}

static inline void fixture_done(struct fixture *f)
{
    aws_account_unref(f->account);
    credentials_cache_free(f->identity);
    aws_config_done(&f->config);
    testing_env_done(&f->t);
}

#define FIXTURE(f, rows) fixture_init(&(f), AWS_TARGET, (rows), COUNT_OF(rows))

#endif
