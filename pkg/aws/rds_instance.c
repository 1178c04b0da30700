#include "pkg/aws/rds.h"

#include "pkg/aws/protocol.h"

#define INSTANCE(member) offsetof(struct rds_instance, member)

static const struct aws_text_field instance_fields[] = {
    {.path = "DBInstanceIdentifier", .offset = INSTANCE(id)},
    {.path = "DBInstanceArn", .offset = INSTANCE(arn)},
    {.path = "DBInstanceStatus", .offset = INSTANCE(status)},
    {.path = "DBClusterIdentifier", .offset = INSTANCE(cluster_id)},
    {.path = "DBInstanceClass", .offset = INSTANCE(class_name)},
    {.path = "Engine", .offset = INSTANCE(engine)},
    {.path = "DbiResourceId", .offset = INSTANCE(resource_id)},
    {.path = "Endpoint.Address", .offset = INSTANCE(endpoint)},
    {.path = "DBParameterGroups.DBParameterGroup.DBParameterGroupName", .offset = INSTANCE(parameter_group)},
};

void rds_instances_done(struct rds_instances *instances)
{
    for (size_t i = 0; i < instances->count; i++) {
        aws_text_fields_free(instance_fields, COUNT_OF(instance_fields), &instances->items[i]);
        aws_tags_done(&instances->items[i].tags);
    }
    xfree(instances->items);
    *instances = (struct rds_instances){0};
}

bool rds_is_named_after(const char *instance_id, const char *cluster_id)
{
    size_t len = strlen(cluster_id);

    return len && strncmp(instance_id, cluster_id, len) == 0 && instance_id[len] == '-';
}

static void add_instances(const struct xml *list, struct rds_instances *instances)
{
    xml_each(item, list)
    {
        struct rds_instance *instance;

        instances->items = xgrow(instances->items, instances->count, sizeof(*instances->items));
        instance = &instances->items[instances->count++];
        *instance = (struct rds_instance){
            .port = (int)xml_get_int(item, "Endpoint.Port", 0),
            .promotion_tier = (int)xml_get_int(item, "PromotionTier", 0),
            .is_public = xml_get_bool(item, "PubliclyAccessible"),
        };
        xml_take_texts(item, instance_fields, COUNT_OF(instance_fields), instance);
        xml_each(tag, xml_at(item, "TagList"))
            aws_tags_add(&instance->tags, xml_get_text(tag, "Key", ""), xml_get_text(tag, "Value", ""));
    }
}

void rds_instances_copy(const struct rds_instances *instances, struct rds_instances *ret)
{
    *ret = (struct rds_instances){.items = xcalloc(instances->count + 1, sizeof(*ret->items)),
                                  .count = instances->count};
    for (size_t i = 0; i < instances->count; i++) {
        ret->items[i] = instances->items[i];
        aws_text_fields_copy(instance_fields, COUNT_OF(instance_fields), &ret->items[i]);
        aws_tags_copy(&instances->items[i].tags, &ret->items[i].tags);
    }
}

struct err *rds_find_instances(const struct aws_client *aws, const char *const *cluster_ids, size_t count,
                               struct rds_instances *ret)
{
    AUTO_RDS_INSTANCES struct rds_instances instances = {0};
    AUTO_AWS_PAGES struct aws_pages pages = {.op = AWS_OP_DESCRIBE_DB_INSTANCES};

    while (!pages.is_over) {
        AUTO_AWS_REPLY struct aws_reply reply = {0};
        AUTO_BUF struct buf form = {0};

        query_begin(&form, AWS_OP_DESCRIBE_DB_INSTANCES);
        if (count) {
            query_add(&form, "Filters.Filter.1.Name", "db-cluster-id");
            query_add_list(&form, "Filters.Filter.1.Values.Value", cluster_ids, count);
        }
        query_add_int(&form, "MaxRecords", 100);
        query_add(&form, "Marker", pages.token);
        TRY(aws_call_query(aws, AWS_OP_DESCRIBE_DB_INSTANCES, &form, &reply));
        add_instances(xml_at(reply.result, "DBInstances"), &instances);
        TRY(aws_pages_next(&pages, instances.count, xml_take_text(reply.result, "Marker")));
    }
    *ret = instances;
    instances = (struct rds_instances){0};
    return NULL;
}

struct err *rds_list_instances(const struct aws_client *aws, const char *cluster_id,
                               struct rds_instances *ret)
{
    return rds_find_instances(aws, &cluster_id, cluster_id ? 1 : 0, ret);
}

struct err *rds_create_instance(const struct aws_client *aws, const struct rds_create_instance_opts *opts)
{
    AUTO_AWS_REPLY struct aws_reply reply = {0};
    AUTO_BUF struct buf form = {0};

    query_begin(&form, AWS_OP_CREATE_DB_INSTANCE);
    query_add(&form, "DBInstanceIdentifier", opts->instance_id);
    query_add(&form, "DBClusterIdentifier", opts->cluster_id);
    query_add(&form, "Engine", opts->engine);
    query_add(&form, "DBInstanceClass", opts->class_name);
    query_add_bool(&form, "PubliclyAccessible", false);
    query_add(&form, "DBParameterGroupName", opts->parameter_group);
    query_add(&form, "AvailabilityZone", opts->availability_zone);
    if (opts->promotion_tier >= 0)
        query_add_int(&form, "PromotionTier", opts->promotion_tier);
    if (opts->performance_insights)
        query_add_bool(&form, "EnablePerformanceInsights", true);
    query_add_pairs(&form, "Tags.Tag", opts->tags, opts->tag_count);
    return aws_call_query(aws, AWS_OP_CREATE_DB_INSTANCE, &form, &reply);
}

struct err *rds_delete_instance(const struct aws_client *aws, const char *id)
{
    AUTO_AWS_REPLY struct aws_reply reply = {0};
    AUTO_BUF struct buf form = {0};

    query_begin(&form, AWS_OP_DELETE_DB_INSTANCE);
    query_add(&form, "DBInstanceIdentifier", id);
    query_add_bool(&form, "SkipFinalSnapshot", true);
    return aws_call_query(aws, AWS_OP_DELETE_DB_INSTANCE, &form, &reply);
}

struct err *rds_reboot_instance(const struct aws_client *aws, const char *id)
{
    AUTO_AWS_REPLY struct aws_reply reply = {0};
    AUTO_BUF struct buf form = {0};

    query_begin(&form, AWS_OP_REBOOT_DB_INSTANCE);
    query_add(&form, "DBInstanceIdentifier", id);
    return aws_call_query(aws, AWS_OP_REBOOT_DB_INSTANCE, &form, &reply);
}
