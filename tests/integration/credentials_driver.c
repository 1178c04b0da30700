/* Who are we, by the credentials that our own chain finds in this environment? Prints the ARN, and once more
 * for each line that comes in: then the credentials are taken for rejected, and found anew. */
#include <unistd.h>

#include "pkg/aws/session.h"
#include "pkg/http/transport.h"

static struct err *find_out(struct credentials_cache *cache, const struct aws_config *config,
                            const struct env *env)
{
    AUTO_CREDENTIALS struct credentials *credentials = NULL;
    AUTO_FREE char *account = NULL;
    AUTO_FREE char *arn = NULL;
    struct aws_session session;

    aws_session_init(&session, config, config->region);
    TRY(credentials_get(cache, env, &credentials));
    credentials_invalidate(cache, credentials);
    TRY(aws_session_whoami(&session, env, credentials, &account, &arn));
    printf("%s\n", arn);
    return NULL;
}

static bool say(struct err *err)
{
    if (err)
        printf("error: %s\n", err_text(err));
    fflush(stdout);
    err_free(err);
    return err;
}

static bool ask(const struct env *env)
{
    AUTO_AWS_CONFIG struct aws_config config = {0};
    struct credentials_cache *cache;
    struct err *err = aws_config_from_environ(environ, &config);
    char line[2];
    bool failed;

    if (!err)
        err = aws_config_add_profile(&config);
    if (err)
        return say(err);
    cache = credentials_default_new(&config);
    failed = say(find_out(cache, &config, env));
    while (fgets(line, sizeof(line), stdin))
        failed = say(find_out(cache, &config, env));
    credentials_cache_free(cache);
    return failed;
}

int main(void)
{
    struct sched *sched = sched_threads_new(1);
    struct random *random = random_system_new();
    struct env env = {.sched = sched, .random = random};
    bool failed;

    transport_curl_init();
    env.transport = transport_curl_new(sched);
    failed = ask(&env);
    transport_free(env.transport);
    random_free(random);
    sched_free(sched);
    return failed;
}
