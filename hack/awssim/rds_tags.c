#include "hack/awssim/rds.h"

#define MAX_TAGS 50

/* The tags of what the ARN names; NULL: refused. */
static struct json *tags_of(struct call *call)
{
    const struct rds_state *state = call_state(call);
    const char *name = call_text(call, "ResourceName");
    struct rds_cluster *cluster = sim_rds_cluster(state, name);
    struct rds_instance *instance = sim_rds_instance(state, name, NULL);
    struct arn arn;

    call_effect(call, EFFECT_CHANGED, name);

    if (!sim_arn_parse(name, &arn)) {
        call_refuse(call, 400, "InvalidParameterValue", "Invalid resource name: %s", name);
        return NULL;
    }
    if (cluster)
        return cluster->tags;
    if (instance)
        return instance->tags;
    for (size_t i = 0; i < state->proxy_count; i++)
        if (text_equal(state->proxies[i]->arn, name))
            return state->proxies[i]->tags;
    /* A cluster's recovery point is a snapshot of ours. */
    if (str_starts(arn.resource, "cluster-snapshot:awsbackup:") && sim_point_tags(call->account, name))
        return sim_point_tags(call->account, name);
    if (str_starts(arn.resource, "db:"))
        call_refuse(call, 404, "DBInstanceNotFound", "DBInstance %s not found.", name);
    else if (str_starts(arn.resource, "db-proxy:"))
        call_refuse(call, 404, "DBProxyNotFoundFault", "DBProxy %s not found.", name);
    else if (str_starts(arn.resource, "cluster-snapshot:"))
        call_refuse(call, 404, "DBClusterSnapshotNotFoundFault", "DBClusterSnapshot %s not found.", name);
    else
        call_refuse(call, 404, "DBClusterNotFoundFault", "DBCluster %s not found.", name);
    return NULL;
}

void sim_rds_take_tags(struct json *tags, const struct json *list)
{
    json_each (tag, list)
        json_set_text(tags, json_get_text(tag, "Key", ""), json_get_text(tag, "Value", ""));
}

static bool list_is_fine(struct call *call, const struct json *list)
{
    json_each (tag, list) {
        const char *key = json_get_text(tag, "Key", "");

        if (!*key || strlen(key) > 128 || strlen(json_get_text(tag, "Value", "")) > 256)
            return call_refuse(call, 400, "InvalidParameterValue",
                               "Tag keys have 1 to 128 characters, values up to 256");
        if (str_starts(str_of(key), "aws:"))
            return call_refuse(call, 400, "InvalidParameterValue", "Tag keys must not begin with aws:");
    }
    return true;
}

bool sim_rds_add_tags(struct call *call)
{
    struct json *tags = tags_of(call);
    const struct json *list = call_list(call, "Tags.Tag");

    if (!tags || !list_is_fine(call, list))
        return false;
    AUTO_JSON struct json *after = json_copy(tags);
    sim_rds_take_tags(after, list);
    if (json_count(after) > MAX_TAGS)
        return call_refuse(call, 400, "InvalidParameterValue", "A resource has at most %d tags", MAX_TAGS);
    call_effect(call, json_equal(tags, after) ? EFFECT_NONE : EFFECT_CHANGED,
                call_text(call, "ResourceName"));
    sim_rds_take_tags(tags, list);
    return true;
}

bool sim_rds_list_tags(struct call *call)
{
    const struct json *tags = tags_of(call);

    if (!tags || !sim_rds_filters_known(call, NULL, 0))
        return false;
    json_set(call->out, "TagList", sim_rds_tags(tags));
    return true;
}

bool sim_rds_remove_tags(struct call *call)
{
    struct json *tags = tags_of(call);
    size_t before = json_count(tags);

    if (!tags)
        return false;
    json_each (key, call_list(call, "TagKeys.member"))
        json_remove(tags, json_get_text(key, NULL, ""));
    call_effect(call, json_count(tags) == before ? EFFECT_NONE : EFFECT_CHANGED,
                call_text(call, "ResourceName"));
    return true;
}
