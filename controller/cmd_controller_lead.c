/* Who works: at most one of the replicas, the one that holds the lease. */
#include "controller/cmd_controller_priv.h"

#include "pkg/base/lock.h"

#include <unistd.h>

char *controller_make_identity(struct random *random)
{
    char host[65] = "unknown";
    unsigned char bytes[8];
    AUTO_BUF struct buf identity = BUF_MAX(128);

    if (gethostname(host, sizeof(host) - 1) != 0)
        snprintf(host, sizeof(host), "unknown");
    random_fill(random, bytes, sizeof(bytes));
    buf_adds(&identity, host);
    buf_addc(&identity, '_');
    buf_add_hex(&identity, bytes, sizeof(bytes));
    return buf_take(&identity);
}

static void acquired(void *arg)
{
    struct controller *c = arg;

    {
        LOCK_SCOPE(&c->lock);
        c->lead = LEAD_HELD;
    }
    sched_wake(c->spot);
}

/* Somebody else may act from now on: nothing of this process may go on, not even an orderly end. */
static void lost(void *arg)
{
    struct controller *c = arg;

    LOG_ERROR(c->log, "leadership lost", KV("identity", c->identity));
    _exit(EXIT_FAILED);
}

bool controller_leads(struct controller *c)
{
    if (!c->options->leader_elect)
        return true;
    LOCK_SCOPE(&c->lock);
    return c->lead == LEAD_HELD;
}

/* Workers exist only while the lease does: they are spawned after it was taken and joined before it goes. */
bool controller_may_act(void *arg)
{
    struct controller *c = arg;

    if (!c->options->leader_elect)
        return true;
    return kube_lease_age_ms(c->lease) < kube_lease_renew_deadline_ms(c->lease);
}

const char *controller_namespace(const struct controller *c)
{
    const char *namespace = c->options->leader_elect_namespace;

    return namespace ? namespace : kube_config_namespace(c->kube_config);
}

struct err *controller_start_lease(struct controller *c)
{
    const struct kube_lease_opts opts = {
        .namespace = controller_namespace(c),
        .name = LEASE_NAME,
        .identity = c->identity,
        .acquired = acquired,
        .lost = lost,
        .arg = c,
    };
    struct kube_lease *lease;

    LOG_INFO(c->log, "waits for leadership", KV("namespace", opts.namespace), KV("lease", opts.name));
    c->lease_env = c->env;
    c->lease_env.transport = controller_new_transport(c);
    TRY(kube_lease_start(c->lease_client, &c->lease_env, &opts, &lease));
    LOCK_SCOPE(&c->lock);
    c->lease = lease;
    return NULL;
}

bool controller_lease_lives(void *arg)
{
    struct controller *c = arg;

    LOCK_SCOPE(&c->lock);
    return !c->lease || kube_lease_lives(c->lease);
}

void controller_finish_lease(struct controller *c)
{
    if (c->lease) /* nobody else looks any more */
        kube_lease_finish(TAKE(c->lease));
}

bool controller_lease_known(void *arg)
{
    struct controller *c = arg;
    AUTO_FREE char *holder = NULL;

    if (!c->options->leader_elect)
        return true;
    LOCK_SCOPE(&c->lock);
    holder = c->lease ? kube_lease_holder(c->lease) : NULL;
    return !text_is_empty(holder);
}
