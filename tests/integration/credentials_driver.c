/* Who are we, by the credentials that our own chain finds in this environment? Prints the ARN. */
#include <unistd.h>

#include "pkg/aws/session.h"
#include "pkg/http/transport.h"

static struct err *ask(const struct env *env, char **ret_arn)
{
    AUTO_AWS_CONFIG struct aws_config config = {0};
    AUTO_CREDENTIALS struct credentials *credentials = NULL;
    AUTO_FREE char *account = NULL;
    struct aws_session session;
    struct credentials_cache *cache;
    struct err *err;

    TRY(aws_config_from_environ(environ, &config));
    TRY(aws_config_add_profile(&config));
    cache = credentials_default_new(&config);
    aws_session_init(&session, &config, config.region);
    err = credentials_get(cache, env, &credentials);
    if (!err)
        err = aws_session_whoami(&session, env, credentials, &account, ret_arn);
    credentials_cache_free(cache);
    return err;
}

int main(void)
{
    struct sched *sched = sched_threads_new(1);
    struct random *random = random_system_new();
    struct env env = {.sched = sched, .random = random};
    AUTO_ERR struct err *err = NULL;
    AUTO_FREE char *arn = NULL;

    transport_curl_init();
    env.transport = transport_curl_new(sched);
    err = ask(&env, &arn);
    printf("%s%s\n", err ? "error: " : "", err ? err_text(err) : arn);
    transport_free(env.transport);
    random_free(random);
    sched_free(sched);
    return err != NULL;
}
