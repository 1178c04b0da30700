#include "tests/simulation/bystander.h"

#include "pkg/base/secret.h"
#include "tests/simulation/sim_transport.h"

#define STAGING "222222222222"

struct bystander {
    struct lifetime *life;
    struct aws_config config;
    struct credentials_cache *identity;
    struct env env;
    struct aws_client aws;
};

static void open_account(struct bystander *bystander)
{
    struct err *err = aws_account_new(
        &(struct aws_account_opts){.account_id = STAGING,
                                   .region = "ap-northeast-1",
                                   .usage = AWS_TARGET,
                                   .config = &bystander->config,
                                   .identity = bystander->identity,
                                   .role_arn = "arn:aws:iam::" STAGING ":role/staging-refresh",
                                   .external_id = "staging-cluster",
                                   .session_name = "somebody-else"},
        &bystander->aws.account);

    if (err) {
        fprintf(stderr, "bystander: %s\n", err_text(err));
        abort();
    }
}

struct bystander *bystander_new(struct scenario *scenario)
{
    struct bystander *bystander = xcalloc(1, sizeof(*bystander));

    bystander->life =
        lifetime_new(&(struct lifetime_opts){.sched = scenario_sched(scenario), .latency_max_ms = 100});
    bystander->config = (struct aws_config){.region = xstrdup("ap-northeast-1"),
                                            .access_key_id = xstrdup("AKIAEXAMPLE"),
                                            .secret_access_key = secret_new(STR("example-secret"))};
    bystander->identity = credentials_default_new(&bystander->config);
    bystander->env = (struct env){.sched = scenario_sched(scenario),
                                  .random = random_seeded_new(1),
                                  .transport = sim_transport_new(scenario_sim(scenario), bystander->life)};
    bystander->aws.env = &bystander->env;
    open_account(bystander);
    return bystander;
}

void bystander_free(struct bystander *bystander)
{
    if (!bystander)
        return;
    aws_account_unref(bystander->aws.account);
    transport_free(bystander->env.transport);
    random_free(bystander->env.random);
    credentials_cache_free(bystander->identity);
    aws_config_done(&bystander->config);
    lifetime_free(bystander->life);
    xfree(bystander);
}

const struct aws_client *bystander_aws(const struct bystander *bystander)
{
    return &bystander->aws;
}
