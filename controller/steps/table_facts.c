#include "controller/steps/table_properties.h"

#define INDEXES_MAX 64

void table_facts_done(struct table_facts *facts)
{
    dynamodb_table_done(&facts->table);
    dynamodb_ttl_done(&facts->ttl);
    autoscaling_done(&facts->scaling);
}

static struct err *read_scaling(const struct aws_client *aws, struct table_facts *facts)
{
    const char *indexes[INDEXES_MAX];
    size_t count = 0;

    for (; count < facts->table.index_count && count < INDEXES_MAX; count++)
        indexes[count] = facts->table.indexes[count].name;
    return autoscaling_describe(aws, facts->table.name, indexes, count, &facts->scaling);
}

struct err *table_facts_complete(const struct aws_client *aws, struct table_facts *facts)
{
    const char *name = facts->table.name;

    TRY(dynamodb_describe_ttl(aws, name, &facts->ttl));
    TRY(dynamodb_describe_recovery(aws, name, &facts->recovery, NULL));
    return text_equal(facts->table.billing_mode, "PROVISIONED") ? read_scaling(aws, facts) : NULL;
}

struct err *table_facts_read(const struct aws_client *aws, const char *name, struct table_facts *ret)
{
    AUTO_TABLE_FACTS struct table_facts facts = {0};

    TRY(dynamodb_describe_table(aws, name, &facts.table));
    TRY(table_facts_complete(aws, &facts));
    *ret = facts;
    facts = (struct table_facts){0};
    return NULL;
}
