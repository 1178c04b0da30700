/* Subnet groups, security groups and cluster parameter groups: only described here, made by the world file.
 */
#include "hack/awssim/rds.h"

const struct rds_subnet_group *sim_rds_subnet_group(const struct rds_state *state, const char *name)
{
    for (size_t i = 0; name && i < state->subnet_group_count; i++)
        if (str_equal_nocase(str_of(state->subnet_groups[i]->name), str_of(name)))
            return state->subnet_groups[i];
    return NULL;
}

const struct rds_security_group *sim_rds_security_group(const struct rds_state *state, const char *id)
{
    for (size_t i = 0; i < state->security_group_count; i++)
        if (text_equal(state->security_groups[i]->id, id))
            return state->security_groups[i];
    return NULL;
}

const struct rds_parameter_group *sim_rds_parameter_group(const struct rds_state *state, const char *name)
{
    for (size_t i = 0; i < state->parameter_group_count; i++)
        if (str_equal_nocase(str_of(state->parameter_groups[i]->name), str_of(name)))
            return state->parameter_groups[i];
    return NULL;
}

/* "8.0.mysql_aurora.3.08.2" is of family aurora-mysql8.0, "16.4" of aurora-postgresql16. */
char *sim_rds_family(const char *engine, const char *engine_version)
{
    struct str rest = str_of(engine_version), major = {0}, minor = {0};

    str_cut(&rest, '.', &major);
    if (text_equal(engine, "aurora-postgresql"))
        return xasprintf("%s" STR_FMT, engine, STR_ARG(major));
    str_cut(&rest, '.', &minor);
    return xasprintf("%s" STR_FMT "." STR_FMT, engine, STR_ARG(major), STR_ARG(minor));
}

char *sim_rds_parameter_group_fault(const struct rds_state *state, const char *name, const char *family)
{
    AUTO_FREE char *standard = xasprintf("default.%s", family);
    const struct rds_parameter_group *group = sim_rds_parameter_group(state, name);

    if (str_equal_nocase(str_of(name), str_of(standard)))
        return NULL;
    if (!group)
        return xasprintf("DBClusterParameterGroup not found: %s", name);
    if (!text_equal(group->family, family))
        return xasprintf("The parameter group %s with DBParameterGroupFamily %s cannot be used for this "
                         "cluster. Please use a "
                         "parameter group with DBParameterGroupFamily %s",
                         name, group->family, family);
    return NULL;
}

const char *sim_rds_cluster_vpc(const struct rds_state *state, const struct rds_cluster *cluster)
{
    const struct rds_subnet_group *group = sim_rds_subnet_group(state, cluster->subnet_group);

    return group ? group->vpc : NULL;
}

bool sim_rds_describe_subnet_groups(struct call *call)
{
    const struct rds_state *state = call_state(call);
    const char *name = call_text(call, "DBSubnetGroupName");

    if (!sim_rds_filters_known(call, NULL, 0))
        return false;
    if (name && !sim_rds_subnet_group(state, name))
        return call_refuse(call, 404, "DBSubnetGroupNotFoundFault", "DB subnet group '%s' does not exist.",
                           name);
    struct json *found = json_new_array();
    for (size_t i = 0; i < state->subnet_group_count; i++)
        if (!name || state->subnet_groups[i] == sim_rds_subnet_group(state, name))
            json_append(found, sim_rds_subnet_group_wire(state, state->subnet_groups[i]));
    return sim_rds_answer_page(call, "DBSubnetGroups", "DBSubnetGroup", found);
}

static struct json *parameter_group_wire(const struct rds_state *state,
                                         const struct rds_parameter_group *group)
{
    struct json *wire = json_new_object();
    AUTO_FREE char *arn = account_arn(state->account, "rds", "cluster-pg:%s", group->name);

    json_set_text(wire, "DBClusterParameterGroupName", group->name);
    json_set_text(wire, "DBParameterGroupFamily", group->family);
    json_set_text(wire, "Description", group->name);
    json_set_text(wire, "DBClusterParameterGroupArn", arn);
    return wire;
}

/* The operation's modelled error has the instance's name: DBParameterGroupNotFound. */
bool sim_rds_describe_parameter_groups(struct call *call)
{
    const struct rds_state *state = call_state(call);
    const char *name = call_text(call, "DBClusterParameterGroupName");

    if (!sim_rds_filters_known(call, NULL, 0))
        return false;
    if (name && !sim_rds_parameter_group(state, name))
        return call_refuse(call, 404, "DBParameterGroupNotFound", "DBClusterParameterGroup not found: %s",
                           name);
    struct json *found = json_new_array();
    for (size_t i = 0; i < state->parameter_group_count; i++)
        if (!name || state->parameter_groups[i] == sim_rds_parameter_group(state, name))
            json_append(found, parameter_group_wire(state, state->parameter_groups[i]));
    return sim_rds_answer_page(call, "DBClusterParameterGroups", "DBClusterParameterGroup", found);
}

/* Asked for one class; a list of all that is sold is more than anybody needs here. */
bool sim_rds_describe_orderable(struct call *call)
{
    const char *engine = call_text(call, "Engine"), *class = call_text(call, "DBInstanceClass");
    struct json *found = json_new_array();

    if (!text_equal(engine, "aurora-mysql") && !text_equal(engine, "aurora-postgresql")) {
        json_free(found);
        return call_refuse(call, 400, "InvalidParameterValue", "Invalid DB engine: %s", engine);
    }
    if (class && sim_rds_is_class(class)) {
        struct json *option = json_new_object();

        json_set_text(option, "Engine", engine);
        json_set_text(option, "EngineVersion", call_text(call, "EngineVersion"));
        json_set_text(option, "DBInstanceClass", class);
        json_set_bool(option, "Vpc", true);
        json_append(found, option);
    }
    return sim_rds_answer_page(call, "OrderableDBInstanceOptions", "OrderableDBInstanceOption", found);
}
