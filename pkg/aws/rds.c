#include "pkg/aws/rds.h"

#include "pkg/aws/protocol.h"

#define CLUSTER(member) offsetof(struct rds_cluster, member)

static const struct aws_text_field cluster_fields[] = {
    {.path = "DBClusterIdentifier", .offset = CLUSTER(id)},
    {.path = "DBClusterArn", .offset = CLUSTER(arn)},
    {.path = "DbClusterResourceId", .offset = CLUSTER(resource_id)},
    {.path = "Status", .offset = CLUSTER(status)},
    {.path = "Engine", .offset = CLUSTER(engine)},
    {.path = "EngineVersion", .offset = CLUSTER(engine_version)},
    {.path = "EngineMode", .offset = CLUSTER(engine_mode)},
    {.path = "Endpoint", .offset = CLUSTER(endpoint)},
    {.path = "ReaderEndpoint", .offset = CLUSTER(reader_endpoint)},
    {.path = "MasterUsername", .offset = CLUSTER(master_username)},
    {.path = "DBSubnetGroup", .offset = CLUSTER(subnet_group)},
    {.path = "DBClusterParameterGroup", .offset = CLUSTER(parameter_group)},
    {.path = "KmsKeyId", .offset = CLUSTER(kms_key_id)},
    {.path = "MasterUserSecret.SecretArn", .offset = CLUSTER(master_secret_arn)},
    {.path = "MasterUserSecret.SecretStatus", .offset = CLUSTER(master_secret_status)},
    {.path = "AwsBackupRecoveryPointArn", .offset = CLUSTER(recovery_point_arn)},
};

#define MEMBER(member) offsetof(struct rds_member, member)

static const struct aws_text_field member_fields[] = {
    {.path = "DBInstanceIdentifier", .offset = MEMBER(instance_id)},
    {.path = "DBClusterParameterGroupStatus", .offset = MEMBER(parameter_group_status)},
};

bool rds_status_is_usable(const char *status)
{
    return text_equal(status, "available") || text_equal(status, "backing-up");
}

void rds_cluster_done(struct rds_cluster *cluster)
{
    aws_text_fields_free(cluster_fields, COUNT_OF(cluster_fields), cluster);
    for (size_t i = 0; i < cluster->member_count; i++)
        aws_text_fields_free(member_fields, COUNT_OF(member_fields), &cluster->members[i]);
    xfree(cluster->members);
    aws_texts_done(&cluster->security_group_ids);
    aws_texts_done(&cluster->log_exports);
    aws_tags_done(&cluster->tags);
    *cluster = (struct rds_cluster){0};
}

void rds_cluster_copy(const struct rds_cluster *cluster, struct rds_cluster *ret)
{
    *ret = *cluster;
    aws_text_fields_copy(cluster_fields, COUNT_OF(cluster_fields), ret);
    ret->members = xcalloc(cluster->member_count + 1, sizeof(*ret->members));
    for (size_t i = 0; i < cluster->member_count; i++) {
        ret->members[i] = cluster->members[i];
        aws_text_fields_copy(member_fields, COUNT_OF(member_fields), &ret->members[i]);
    }
    aws_texts_copy(&cluster->security_group_ids, &ret->security_group_ids);
    aws_texts_copy(&cluster->log_exports, &ret->log_exports);
    aws_tags_copy(&cluster->tags, &ret->tags);
}

void rds_clusters_done(struct rds_clusters *clusters)
{
    for (size_t i = 0; i < clusters->count; i++)
        rds_cluster_done(&clusters->items[i]);
    xfree(clusters->items);
    *clusters = (struct rds_clusters){0};
}

static void read_tags(const struct xml *list, struct aws_tags *tags)
{
    xml_each(item, list) aws_tags_add(tags, xml_get_text(item, "Key", ""), xml_get_text(item, "Value", ""));
}

static void read_members(const struct xml *list, struct rds_cluster *cluster)
{
    xml_each(item, list)
    {
        struct rds_member *member;

        cluster->members = xgrow(cluster->members, cluster->member_count, sizeof(*cluster->members));
        member = &cluster->members[cluster->member_count++];
        *member = (struct rds_member){.is_writer = xml_get_bool(item, "IsClusterWriter")};
        xml_take_texts(item, member_fields, COUNT_OF(member_fields), member);
    }
}

/* Capacity units come in halves: "0.5". */
static double read_number(const struct xml *node, const char *path)
{
    const char *text = xml_get_text(node, path, "");
    char *end;
    double value = strtod(text, &end);

    return end != text && value >= 0 && value < 1e6 ? value : 0;
}

static void read_cluster(const struct xml *node, struct rds_cluster *ret)
{
    *ret = (struct rds_cluster){
        .port = (int)xml_get_int(node, "Port", 0),
        .is_encrypted = xml_get_bool(node, "StorageEncrypted"),
        .deletion_protection = xml_get_bool(node, "DeletionProtection"),
        .iam_authentication = xml_get_bool(node, "IAMDatabaseAuthenticationEnabled"),
        .password_pending = xml_at(node, "PendingModifiedValues.MasterUserPassword") != NULL,
        .min_acu = read_number(node, "ServerlessV2ScalingConfiguration.MinCapacity"),
        .max_acu = read_number(node, "ServerlessV2ScalingConfiguration.MaxCapacity"),
        .backup_retention_days = (int)xml_get_int(node, "BackupRetentionPeriod", 0),
        .created_ms = xml_take_time(node, "ClusterCreateTime"),
    };
    xml_take_texts(node, cluster_fields, COUNT_OF(cluster_fields), ret);
    read_members(xml_at(node, "DBClusterMembers"), ret);
    xml_each(item, xml_at(node, "VpcSecurityGroups"))
        aws_texts_add(&ret->security_group_ids, xml_get_text(item, "VpcSecurityGroupId", ""));
    xml_each(item, xml_at(node, "EnabledCloudwatchLogsExports"))
        aws_texts_add(&ret->log_exports, xml_text(item));
    read_tags(xml_at(node, "TagList"), &ret->tags);
}

static void add_clusters(const struct xml *list, struct rds_clusters *clusters)
{
    xml_each(item, list)
    {
        if (text_is_empty(xml_get_text(item, "DBClusterIdentifier", NULL)))
            continue; /* nobody can have asked for it */
        clusters->items = xgrow(clusters->items, clusters->count, sizeof(*clusters->items));
        read_cluster(item, &clusters->items[clusters->count++]);
    }
}

/* All by one name, or all that the filter lets through. */
struct clusters_query {
    const char *id; /* NULL: not by one name */
    const char *const *ids;
    size_t id_count; /* 0: no filter */
};

static struct err *describe_clusters(const struct aws_client *aws, const struct clusters_query *query,
                                     struct rds_clusters *ret)
{
    AUTO_RDS_CLUSTERS struct rds_clusters clusters = {0};
    AUTO_AWS_PAGES struct aws_pages pages = {.op = AWS_OP_DESCRIBE_DB_CLUSTERS};

    while (!pages.is_over) {
        AUTO_AWS_REPLY struct aws_reply reply = {0};
        AUTO_BUF struct buf form = {0};

        query_begin(&form, AWS_OP_DESCRIBE_DB_CLUSTERS);
        query_add(&form, "DBClusterIdentifier", query->id);
        if (query->id_count) {
            query_add(&form, "Filters.Filter.1.Name", "db-cluster-id");
            query_add_list(&form, "Filters.Filter.1.Values.Value", query->ids, query->id_count);
        }
        if (!query->id)
            query_add_int(&form, "MaxRecords", 100);
        query_add(&form, "Marker", pages.token);
        TRY(aws_call_query(aws, AWS_OP_DESCRIBE_DB_CLUSTERS, &form, &reply));
        add_clusters(xml_at(reply.result, "DBClusters"), &clusters);
        TRY(aws_pages_next(&pages, clusters.count, xml_take_text(reply.result, "Marker")));
    }
    *ret = clusters;
    clusters = (struct rds_clusters){0};
    return NULL;
}

struct err *rds_list_clusters(const struct aws_client *aws, struct rds_clusters *ret)
{
    return rds_find_clusters(aws, NULL, 0, ret);
}

struct err *rds_find_clusters(const struct aws_client *aws, const char *const *ids, size_t count,
                              struct rds_clusters *ret)
{
    return describe_clusters(aws, &(struct clusters_query){.ids = ids, .id_count = count}, ret);
}

struct err *rds_describe_cluster(const struct aws_client *aws, const char *id, struct rds_cluster *ret)
{
    AUTO_RDS_CLUSTERS struct rds_clusters clusters = {0};

    if (text_is_empty(id))
        return err_new(ERR_INVALID, "DescribeDBClusters: a cluster must be named");
    TRY(describe_clusters(aws, &(struct clusters_query){.id = id}, &clusters));
    if (clusters.count != 1)
        return err_new(ERR_NOT_FOUND, "rds DescribeDBClusters: there is no cluster %s in account %s", id,
                       aws_account_id(aws->account));
    *ret = clusters.items[0];
    clusters.items[0] = (struct rds_cluster){0};
    return NULL;
}

static void add_switch(struct buf *form, const char *name, enum rds_switch wanted)
{
    if (wanted != RDS_KEEP)
        query_add_bool(form, name, wanted == RDS_ON);
}

static void modify_form(const struct rds_modify_opts *opts, struct buf *form)
{
    query_begin(form, AWS_OP_MODIFY_DB_CLUSTER);
    query_add(form, "DBClusterIdentifier", opts->cluster_id);
    query_add_bool(form, "ApplyImmediately", true);
    query_add_secret(form, "MasterUserPassword", opts->master_password);
    add_switch(form, "ManageMasterUserPassword", opts->manage_password);
    query_add(form, "MasterUserSecretKmsKeyId", opts->password_kms_key_id);
    if (opts->rotate_password)
        query_add_bool(form, "RotateMasterUserPassword", true);
    add_switch(form, "DeletionProtection", opts->deletion_protection);
    add_switch(form, "EnableIAMDatabaseAuthentication", opts->iam_authentication);
    query_add(form, "ServerlessV2ScalingConfiguration.MinCapacity", opts->min_acu);
    query_add(form, "ServerlessV2ScalingConfiguration.MaxCapacity", opts->max_acu);
    if (opts->backup_retention_days)
        query_add_int(form, "BackupRetentionPeriod", opts->backup_retention_days);
    query_add(form, "DBClusterParameterGroupName", opts->parameter_group);
    query_add_list(form, "VpcSecurityGroupIds.VpcSecurityGroupId", opts->security_group_ids,
                   opts->security_group_count);
    query_add_list(form, "CloudwatchLogsExportConfiguration.EnableLogTypes.member", opts->logs_on,
                   opts->logs_on_count);
    query_add_list(form, "CloudwatchLogsExportConfiguration.DisableLogTypes.member", opts->logs_off,
                   opts->logs_off_count);
}

struct err *rds_modify_cluster(const struct aws_client *aws, const struct rds_modify_opts *opts,
                               int64_t *ret_server_ms)
{
    AUTO_AWS_REPLY struct aws_reply reply = {0};
    AUTO_BUF struct buf form = {0};

    modify_form(opts, &form);
    TRY(aws_call(aws, AWS_OP_MODIFY_DB_CLUSTER,
                 &(struct aws_input){.body = buf_str(&form), .secret = opts->master_password}, &reply));
    if (ret_server_ms)
        *ret_server_ms = reply.server_ms ? reply.server_ms : sched_wall_ms(aws->env->sched);
    return NULL;
}

struct err *rds_delete_cluster(const struct aws_client *aws, const char *id)
{
    AUTO_AWS_REPLY struct aws_reply reply = {0};
    AUTO_BUF struct buf form = {0};

    query_begin(&form, AWS_OP_DELETE_DB_CLUSTER);
    query_add(&form, "DBClusterIdentifier", id);
    query_add_bool(&form, "SkipFinalSnapshot", true);
    query_add_bool(&form, "DeleteAutomatedBackups", true);
    return aws_call_query(aws, AWS_OP_DELETE_DB_CLUSTER, &form, &reply);
}

struct err *rds_add_tags(const struct aws_client *aws, const char *arn, const struct aws_pair *tags,
                         size_t count)
{
    AUTO_AWS_REPLY struct aws_reply reply = {0};
    AUTO_BUF struct buf form = {0};

    query_begin(&form, AWS_OP_RDS_ADD_TAGS);
    query_add(&form, "ResourceName", arn);
    query_add_pairs(&form, "Tags.Tag", tags, count);
    return aws_call_query(aws, AWS_OP_RDS_ADD_TAGS, &form, &reply);
}

struct err *rds_list_tags(const struct aws_client *aws, const char *arn, struct aws_tags *ret)
{
    AUTO_AWS_REPLY struct aws_reply reply = {0};
    AUTO_BUF struct buf form = {0};
    struct aws_tags tags = {0};

    query_begin(&form, AWS_OP_RDS_LIST_TAGS);
    query_add(&form, "ResourceName", arn);
    TRY(aws_call_query(aws, AWS_OP_RDS_LIST_TAGS, &form, &reply));
    read_tags(xml_at(reply.result, "TagList"), &tags);
    *ret = tags;
    return NULL;
}

#define EVENT(member) offsetof(struct rds_event, member)

static const struct aws_text_field event_fields[] = {
    {.path = "SourceIdentifier", .offset = EVENT(source_id)},
    {.path = "SourceArn", .offset = EVENT(source_arn)},
    {.path = "Message", .offset = EVENT(message)},
};

void rds_events_done(struct rds_events *events)
{
    for (size_t i = 0; i < events->count; i++)
        aws_text_fields_free(event_fields, COUNT_OF(event_fields), &events->items[i]);
    xfree(events->items);
    *events = (struct rds_events){0};
}

static void add_events(const struct xml *list, struct rds_events *events)
{
    xml_each(item, list)
    {
        struct rds_event *event;

        events->items = xgrow(events->items, events->count, sizeof(*events->items));
        event = &events->items[events->count++];
        *event = (struct rds_event){.date_ms = xml_take_time(item, "Date")};
        xml_take_texts(item, event_fields, COUNT_OF(event_fields), event);
    }
}

struct err *rds_list_cluster_events(const struct aws_client *aws, const char *cluster_id, int64_t since_ms,
                                    struct rds_events *ret)
{
    AUTO_RDS_EVENTS struct rds_events events = {0};
    AUTO_AWS_PAGES struct aws_pages pages = {.op = AWS_OP_DESCRIBE_EVENTS};
    char since[TIME_TEXT_MAX];

    time_rfc3339(since_ms, since);
    while (!pages.is_over) {
        AUTO_AWS_REPLY struct aws_reply reply = {0};
        AUTO_BUF struct buf form = {0};

        query_begin(&form, AWS_OP_DESCRIBE_EVENTS);
        query_add(&form, "SourceIdentifier", cluster_id);
        query_add(&form, "SourceType", "db-cluster");
        query_add(&form, "StartTime", since);
        query_add(&form, "Marker", pages.token);
        TRY(aws_call_query(aws, AWS_OP_DESCRIBE_EVENTS, &form, &reply));
        add_events(xml_at(reply.result, "Events"), &events);
        TRY(aws_pages_next(&pages, events.count, xml_take_text(reply.result, "Marker")));
    }
    *ret = events;
    events = (struct rds_events){0};
    return NULL;
}

#define GROUP(member) offsetof(struct rds_subnet_group, member)

static const struct aws_text_field group_fields[] = {
    {.path = "DBSubnetGroupName", .offset = GROUP(name)},
    {.path = "SubnetGroupStatus", .offset = GROUP(status)},
    {.path = "VpcId", .offset = GROUP(vpc_id)},
};

void rds_subnet_group_done(struct rds_subnet_group *group)
{
    aws_text_fields_free(group_fields, COUNT_OF(group_fields), group);
    *group = (struct rds_subnet_group){0};
}

struct err *rds_describe_subnet_group(const struct aws_client *aws, const char *name,
                                      struct rds_subnet_group *ret)
{
    AUTO_AWS_REPLY struct aws_reply reply = {0};
    AUTO_BUF struct buf form = {0};
    const struct xml *found;

    query_begin(&form, AWS_OP_DESCRIBE_DB_SUBNET_GROUPS);
    query_add(&form, "DBSubnetGroupName", name);
    TRY(aws_call_query(aws, AWS_OP_DESCRIBE_DB_SUBNET_GROUPS, &form, &reply));
    found = xml_at(reply.result, "DBSubnetGroups.DBSubnetGroup");
    TRY(aws_require(AWS_OP_DESCRIBE_DB_SUBNET_GROUPS, "DBSubnetGroup", found));
    *ret = (struct rds_subnet_group){0};
    xml_take_texts(found, group_fields, COUNT_OF(group_fields), ret);
    return NULL;
}
