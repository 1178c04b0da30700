/* What a restored cluster needs to be there: groups and classes. */
#include "pkg/aws/protocol.h"
#include "pkg/aws/rds.h"

struct err *rds_describe_cluster_parameter_group(const struct aws_client *aws, const char *name,
                                                 char **ret_family)
{
    AUTO_AWS_REPLY struct aws_reply reply = {0};
    AUTO_BUF struct buf form = {0};
    const struct xml *found;

    query_begin(&form, AWS_OP_DESCRIBE_DB_CLUSTER_PARAMETER_GROUPS);
    query_add(&form, "DBClusterParameterGroupName", name);
    TRY(aws_call_query(aws, AWS_OP_DESCRIBE_DB_CLUSTER_PARAMETER_GROUPS, &form, &reply));
    found = xml_at(reply.result, "DBClusterParameterGroups.DBClusterParameterGroup");
    TRY(aws_require(AWS_OP_DESCRIBE_DB_CLUSTER_PARAMETER_GROUPS, "DBClusterParameterGroup", found));
    *ret_family = xml_take_text(found, "DBParameterGroupFamily");
    return NULL;
}

struct err *rds_class_is_orderable(const struct aws_client *aws, const struct rds_cluster *like,
                                   const char *class_name, bool *ret)
{
    AUTO_AWS_PAGES struct aws_pages pages = {.op = AWS_OP_DESCRIBE_ORDERABLE_INSTANCES};

    *ret = false;
    while (!*ret && !pages.is_over) {
        AUTO_AWS_REPLY struct aws_reply reply = {0};
        AUTO_BUF struct buf form = {0};

        query_begin(&form, AWS_OP_DESCRIBE_ORDERABLE_INSTANCES);
        query_add(&form, "Engine", like->engine);
        query_add(&form, "EngineVersion", like->engine_version);
        query_add(&form, "DBInstanceClass", class_name);
        query_add_int(&form, "MaxRecords", 20);
        query_add(&form, "Marker", pages.token);
        TRY(aws_call_query(aws, AWS_OP_DESCRIBE_ORDERABLE_INSTANCES, &form, &reply));
        *ret = xml_at(reply.result, "OrderableDBInstanceOptions.OrderableDBInstanceOption") != NULL;
        TRY(aws_pages_next(&pages, 0, xml_take_text(reply.result, "Marker")));
    }
    return NULL;
}
