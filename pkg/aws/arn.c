#include "pkg/aws/arn.h"

#include "pkg/aws/endpoint.h"

struct err *arn_parse(const char *text, struct arn *ret)
{
    struct str rest = str_of(text), prefix = {0};
    struct arn arn = {0};
    struct str *const parts[] = {&prefix, &arn.partition, &arn.service, &arn.region, &arn.account};

    for (size_t i = 0; i < COUNT_OF(parts); i++) {
        if (!str_cut(&rest, ':', parts[i]))
            return err_new(ERR_INVALID, "not an ARN: \"%.200s\"", text ? text : "");
    }
    arn.resource = rest;
    if (!str_is(prefix, "arn") || !arn.partition.len || !arn.service.len || !arn.resource.len)
        return err_new(ERR_INVALID, "not an ARN: \"%.200s\"", text ? text : "");
    *ret = arn;
    return NULL;
}

struct str arn_name(const struct arn *arn, const char *type)
{
    size_t len = strlen(type);

    if (!str_starts(arn->resource, type) || arn->resource.len <= len)
        return (struct str){.ptr = ""};
    if (arn->resource.ptr[len] != ':' && arn->resource.ptr[len] != '/')
        return (struct str){.ptr = ""};
    return str_from(arn->resource, len + 1);
}

char *arn_build(const char *service, const char *region, const char *account, const char *resource)
{
    return xasprintf("arn:%s:%s:%s:%s:%s", aws_partition_of(region)->id, service, region, account, resource);
}

static char *build_with(const char *service, const char *region, const char *account, char *resource)
{
    AUTO_FREE char *owned = resource;

    return arn_build(service, region, account, owned);
}

char *arn_of_db_cluster(const char *region, const char *account, const char *cluster_id)
{
    return build_with("rds", region, account, xasprintf("cluster:%s", cluster_id));
}

char *arn_of_table(const char *region, const char *account, const char *table)
{
    return build_with("dynamodb", region, account, xasprintf("table/%s", table));
}

char *arn_of_backup_vault(const char *region, const char *account, const char *vault)
{
    return build_with("backup", region, account, xasprintf("backup-vault:%s", vault));
}
