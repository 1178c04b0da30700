/* What clusters and instances are at this moment, computed from when things began. */
#include "hack/awssim/rds.h"

#include <ctype.h>

/* The way of a new instance. A phase of no length is left out; the last two are for worlds in which it
 * bounces once. */
static const struct {
    const char *status, *duration;
} instance_phases[] = {
    {.status = "creating", .duration = "rds.instanceCreate"},
    {.status = "configuring-log-exports", .duration = "rds.instanceLogExports"},
    {.status = "backing-up", .duration = "rds.instanceBackup"},
    {.status = "available", .duration = "rds.instanceFirstAvailable"},
    {.status = "modifying", .duration = "rds.instanceModifying"},
};

struct rds_state *sim_rds_state(const struct account *account)
{
    return account_state(account, &rds_service);
}

/* ---- making ---- */

static char *lower(const char *text)
{
    char *copy = xstrdup(text);

    for (char *c = copy; *c; c++)
        *c = (char)tolower((unsigned char)*c);
    return copy;
}

static char *resource_id(struct rds_state *state, const char *prefix)
{
    AUTO_FREE char *random = sim_new_token(state->account->sim, ALPHABET_BASE32, 26);

    return xasprintf("%s-%s", prefix, random);
}

struct rds_cluster *sim_rds_cluster_add(struct rds_state *state, const char *id)
{
    struct rds_cluster *cluster = RDS_ADD(state->clusters, state->cluster_count);

    cluster->id = lower(id);
    cluster->arn = account_arn(state->account, "rds", "cluster:%s", cluster->id);
    cluster->resource_id = resource_id(state, "cluster");
    cluster->tags = json_new_object();
    cluster->logins = json_new_object();
    cluster->security_groups = json_new_array();
    cluster->zones = json_new_array();
    cluster->log_exports = json_new_array();
    cluster->retention_days = 1;
    cluster->pause_s = -1;
    return cluster;
}

struct rds_instance *sim_rds_instance_add(struct rds_state *state, struct rds_cluster *cluster,
                                          const char *id)
{
    struct rds_instance *instance = RDS_ADD(cluster->instances, cluster->instance_count);

    instance->id = lower(id);
    instance->arn = account_arn(state->account, "rds", "db:%s", instance->id);
    instance->resource_id = resource_id(state, "db");
    instance->tags = json_new_object();
    instance->promotion_tier = 1;
    instance->writer = cluster->instance_count == 1;
    return instance;
}

/* ---- finding ---- */

/* The identifier of an ARN of that kind ("cluster", "db") that lies in this account, or the text itself. */
static struct str plain_id(const struct rds_state *state, const char *id, const char *kind)
{
    struct arn arn;
    struct str rest, head;

    if (!sim_arn_parse(id, &arn))
        return str_of(id);
    rest = arn.resource;
    if (!str_is(arn.account, state->account->id) || !str_is(arn.region, state->account->region) ||
        !str_cut(&rest, ':', &head) || !str_is(head, kind))
        return (struct str){0};
    return rest;
}

struct rds_cluster *sim_rds_cluster(const struct rds_state *state, const char *id)
{
    struct str wanted = plain_id(state, id, "cluster");

    for (size_t i = 0; i < state->cluster_count; i++)
        if (str_equal_nocase(str_of(state->clusters[i]->id), wanted))
            return state->clusters[i];
    return NULL;
}

struct rds_instance *sim_rds_instance(const struct rds_state *state, const char *id,
                                      struct rds_cluster **ret_cluster)
{
    struct str wanted = plain_id(state, id, "db");

    for (size_t i = 0; i < state->cluster_count; i++) {
        struct rds_cluster *cluster = state->clusters[i];

        for (size_t k = 0; k < cluster->instance_count; k++) {
            if (!str_equal_nocase(str_of(cluster->instances[k]->id), wanted))
                continue;
            if (ret_cluster)
                *ret_cluster = cluster;
            return cluster->instances[k];
        }
    }
    return NULL;
}

bool sim_rds_is_identifier(const char *id)
{
    size_t len = strlen(id);

    if (len < 1 || len > 63 || !isalpha((unsigned char)id[0]) || id[len - 1] == '-' || strstr(id, "--"))
        return false;
    for (const char *c = id; *c; c++)
        if (!isalnum((unsigned char)*c) && *c != '-')
            return false;
    return true;
}

/* ---- states ---- */

static int64_t now_of(const struct rds_state *state)
{
    return sim_now(state->account->sim);
}

bool sim_rds_is_hidden(const struct rds_state *state, int64_t created_ms)
{
    return now_of(state) < created_ms + sim_duration(state->account->sim, "rds.visible");
}

static bool is_resetting(const struct rds_state *state, const struct rds_cluster *cluster)
{
    return cluster->reset && now_of(state) >= cluster->reset_start_ms;
}

const char *sim_rds_cluster_state(const struct rds_state *state, const struct rds_cluster *cluster)
{
    if (cluster->gone_ms)
        return "deleting";
    if (now_of(state) < cluster->ready_ms)
        return "creating";
    if (cluster->status)
        return cluster->status;
    if (is_resetting(state, cluster))
        return "resetting-master-credentials";
    return now_of(state) < cluster->modified_until_ms ? "modifying" : "available";
}

const char *sim_rds_cluster_status(const struct rds_state *state, const struct rds_cluster *cluster)
{
    const char *real = sim_rds_cluster_state(state, cluster);
    bool hidden = !state->options.show_status && text_equal(real, "resetting-master-credentials");

    return hidden ? "available" : real;
}

int64_t sim_rds_instance_creation_ms(const struct rds_state *state)
{
    int64_t total = 0;

    for (size_t i = 0; i < 3; i++)
        total += sim_duration(state->account->sim, instance_phases[i].duration);
    return total;
}

const char *sim_rds_instance_status(const struct rds_state *state, const struct rds_instance *instance)
{
    int64_t left = now_of(state) - instance->created_ms;

    if (instance->gone_ms)
        return "deleting";
    if (now_of(state) < instance->reboot_until_ms)
        return "rebooting";
    for (size_t i = 0; i < COUNT_OF(instance_phases); i++) {
        int64_t length = sim_duration(state->account->sim, instance_phases[i].duration);

        if (left < length && !(i && instance->status))
            return instance_phases[i].status;
        left -= length;
    }
    return instance->status ? instance->status : "available";
}

/* ---- time ---- */

static void announce_instance(struct rds_state *state, struct rds_instance *instance)
{
    int64_t at_ms = instance->created_ms + sim_rds_instance_creation_ms(state);

    if (instance->announced || instance->status || now_of(state) < at_ms)
        return;
    instance->announced = true;
    sim_rds_event(state, &(struct rds_news){.source_type = "db-instance",
                                            .id = instance->id,
                                            .arn = instance->arn,
                                            .category = "creation",
                                            .message = "DB instance created",
                                            .event_id = "RDS-EVENT-0005",
                                            .time_ms = at_ms});
}

static void announce_cluster(struct rds_state *state, struct rds_cluster *cluster)
{
    if (!cluster->announces || now_of(state) < cluster->ready_ms)
        return;
    cluster->announces = false;
    sim_rds_event(state, &(struct rds_news){.source_type = "db-cluster",
                                            .id = cluster->id,
                                            .arn = cluster->arn,
                                            .category = "creation",
                                            .message = "DB cluster created",
                                            .event_id = "RDS-EVENT-0170",
                                            .time_ms = cluster->ready_ms});
}

static void instance_free(struct rds_instance *instance)
{
    xfree(instance->id);
    xfree(instance->arn);
    xfree(instance->resource_id);
    xfree(instance->class_name);
    xfree(instance->parameter_group);
    xfree(instance->zone);
    xfree(instance->status);
    json_free(instance->tags);
    xfree(instance);
}

/* A cluster without its writer makes the reader with the lowest tier one. */
static void elect_writer(struct rds_cluster *cluster)
{
    struct rds_instance *best = NULL;

    for (size_t i = 0; i < cluster->instance_count; i++) {
        struct rds_instance *instance = cluster->instances[i];

        if (instance->writer)
            return;
        if (!instance->gone_ms && (!best || instance->promotion_tier < best->promotion_tier))
            best = instance;
    }
    if (best)
        best->writer = true;
}

static void drop_instance(struct rds_state *state, struct rds_cluster *cluster, size_t index)
{
    struct rds_instance *instance = cluster->instances[index];

    sim_rds_event(state, &(struct rds_news){.source_type = "db-instance",
                                            .id = instance->id,
                                            .arn = instance->arn,
                                            .category = "deletion",
                                            .message = "DB instance deleted",
                                            .event_id = "RDS-EVENT-0003",
                                            .time_ms = instance->gone_ms});
    instance_free(instance);
    cluster->instance_count--;
    memmove(&cluster->instances[index], &cluster->instances[index + 1],
            (cluster->instance_count - index) * sizeof(struct rds_instance *));
    elect_writer(cluster);
}

static void cluster_free(struct rds_cluster *cluster)
{
    char *texts[] = {cluster->id,
                     cluster->arn,
                     cluster->resource_id,
                     cluster->engine,
                     cluster->database_name,
                     cluster->engine_version,
                     cluster->master_username,
                     cluster->subnet_group,
                     cluster->parameter_group,
                     cluster->kms_key,
                     cluster->backup_arn,
                     cluster->status,
                     cluster->next_login,
                     cluster->secret_arn,
                     cluster->secret_kms_key};

    for (size_t i = 0; i < COUNT_OF(texts); i++)
        xfree(texts[i]);
    json_free(cluster->security_groups);
    json_free(cluster->zones);
    json_free(cluster->log_exports);
    json_free(cluster->tags);
    json_free(cluster->logins);
    for (size_t i = 0; i < cluster->instance_count; i++)
        instance_free(cluster->instances[i]);
    xfree(cluster->instances);
    xfree(cluster);
}

static void drop_cluster(struct rds_state *state, size_t index)
{
    struct rds_cluster *cluster = state->clusters[index];

    sim_rds_event(state, &(struct rds_news){.source_type = "db-cluster",
                                            .id = cluster->id,
                                            .arn = cluster->arn,
                                            .category = "deletion",
                                            .message = "DB cluster deleted",
                                            .event_id = "RDS-EVENT-0171",
                                            .time_ms = cluster->gone_ms});
    for (size_t i = 0; i < state->proxy_count; i++)
        if (text_equal(state->proxies[i]->cluster_id, cluster->id))
            sim_proxy_untrack(state->proxies[i], cluster->gone_ms);
    sim_rds_drop_secret(state, cluster);
    cluster_free(cluster);
    state->cluster_count--;
    memmove(&state->clusters[index], &state->clusters[index + 1],
            (state->cluster_count - index) * sizeof(struct rds_cluster *));
}

static void advance_cluster(struct rds_state *state, struct rds_cluster *cluster)
{
    int64_t now_ms = now_of(state);

    announce_cluster(state, cluster);
    if (cluster->reset && now_ms >= cluster->reset_end_ms)
        sim_rds_finish_reset(state, cluster);
    for (size_t i = 0; i < cluster->instance_count; i++)
        announce_instance(state, cluster->instances[i]);
    for (size_t i = cluster->instance_count; i-- > 0;)
        if (cluster->instances[i]->gone_ms && now_ms >= cluster->instances[i]->gone_ms)
            drop_instance(state, cluster, i);
}

void sim_rds_advance(struct account *account)
{
    struct rds_state *state = sim_rds_state(account);
    int64_t now_ms = sim_now(account->sim);

    for (size_t i = 0; i < state->cluster_count; i++)
        advance_cluster(state, state->clusters[i]);
    for (size_t i = state->cluster_count; i-- > 0;)
        if (state->clusters[i]->gone_ms && now_ms >= state->clusters[i]->gone_ms)
            drop_cluster(state, i);
    for (size_t i = 0; i < state->proxy_count; i++)
        sim_proxy_advance(state, state->proxies[i]);
}

static void earlier(int64_t *next_ms, int64_t at_ms)
{
    if (at_ms && at_ms < *next_ms)
        *next_ms = at_ms;
}

int64_t sim_rds_next_ms(struct account *account)
{
    struct rds_state *state = sim_rds_state(account);
    int64_t next_ms = NEVER_MS;

    for (size_t i = 0; i < state->cluster_count; i++) {
        struct rds_cluster *cluster = state->clusters[i];

        earlier(&next_ms, cluster->gone_ms);
        if (cluster->announces)
            earlier(&next_ms, cluster->ready_ms);
        if (cluster->reset)
            earlier(&next_ms, cluster->reset_end_ms);
        for (size_t k = 0; k < cluster->instance_count; k++) {
            struct rds_instance *instance = cluster->instances[k];

            earlier(&next_ms, instance->gone_ms);
            if (!instance->announced && !instance->status)
                earlier(&next_ms, instance->created_ms + sim_rds_instance_creation_ms(state));
        }
    }
    return next_ms;
}

/* ---- end ---- */

static void free_events(struct rds_state *state)
{
    for (size_t i = 0; i < state->event_count; i++) {
        struct rds_event *event = state->events[i];

        xfree(event->source_id);
        xfree(event->source_arn);
        xfree(event->source_type);
        xfree(event->message);
        xfree(event->category);
        xfree(event);
    }
    xfree(state->events);
}

static void free_snapshots(struct rds_state *state)
{
    for (size_t i = 0; i < state->snapshot_count; i++) {
        struct rds_snapshot *snapshot = state->snapshots[i];

        xfree(snapshot->id);
        xfree(snapshot->cluster_id);
        xfree(snapshot->engine);
        xfree(snapshot->engine_version);
        xfree(snapshot->master_username);
        xfree(snapshot->kms_key);
        xfree(snapshot);
    }
    xfree(state->snapshots);
}

static void free_groups(struct rds_state *state)
{
    for (size_t i = 0; i < state->subnet_group_count; i++) {
        xfree(state->subnet_groups[i]->name);
        xfree(state->subnet_groups[i]->vpc);
        json_free(state->subnet_groups[i]->zones);
        xfree(state->subnet_groups[i]);
    }
    for (size_t i = 0; i < state->security_group_count; i++) {
        xfree(state->security_groups[i]->id);
        xfree(state->security_groups[i]->vpc);
        json_free(state->security_groups[i]->from);
        xfree(state->security_groups[i]);
    }
    for (size_t i = 0; i < state->parameter_group_count; i++) {
        xfree(state->parameter_groups[i]->name);
        xfree(state->parameter_groups[i]->family);
        xfree(state->parameter_groups[i]);
    }
    xfree(state->subnet_groups);
    xfree(state->security_groups);
    xfree(state->parameter_groups);
}

void sim_rds_done(struct account *account)
{
    struct rds_state *state = sim_rds_state(account);

    for (size_t i = 0; i < state->cluster_count; i++)
        cluster_free(state->clusters[i]);
    xfree(state->clusters);
    for (size_t i = 0; i < state->proxy_count; i++)
        sim_proxy_free(state->proxies[i]);
    xfree(state->proxies);
    free_events(state);
    free_snapshots(state);
    free_groups(state);
    json_free(state->options.engine_versions);
    json_free(state->options.instance_outcomes);
    xfree(state->host);
}
