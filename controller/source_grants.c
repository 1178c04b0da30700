#include "controller/source_grants.h"

#include "pkg/aws/arn.h"

void source_grants_done(struct source_grants *grants)
{
    for (size_t i = 0; i < grants->count; i++)
        xfree(grants->arns[i]);
    xfree(grants->arns);
    *grants = (struct source_grants){0};
}

const char *source_database_type(const struct database_spec *database)
{
    return database->kind == DATABASE_AURORA ? "AuroraCluster" : "DynamoDBTable";
}

const char *source_database_name(const struct database_spec *database)
{
    return database->kind == DATABASE_AURORA ? database->aurora.cluster_identifier
                                             : database->dynamodb.table_name;
}

char *source_database_arn(const struct account *source, const struct database_spec *database)
{
    return database->kind == DATABASE_AURORA
               ? arn_of_db_cluster(source->region, source->account_id, database->aurora.cluster_identifier)
               : arn_of_table(source->region, source->account_id, database->dynamodb.table_name);
}

bool source_grants_of(const struct account *source, const struct carriage *carriage)
{
    return source->usage == USAGE_SOURCE &&
           account_grants(source, carriage->namespace, carriage->target,
                          source_database_type(carriage->database), source_database_name(carriage->database));
}

struct search {
    const struct carriage *carriage;
    struct source_grants *found;
};

static bool see_account(void *arg, const struct json *object)
{
    const struct search *search = arg;
    struct source_grants *found = search->found;
    AUTO_ACCOUNT struct account *account = NULL;
    struct err *err = account_parse(object, &account);

    if (err) {
        err_ignore(err, "what it grants is not known");
        return true;
    }
    if (!source_grants_of(account, search->carriage))
        return true;
    found->arns = xgrow(found->arns, found->count, sizeof(*found->arns));
    found->arns[found->count++] = source_database_arn(account, search->carriage->database);
    return true;
}

void source_grants_find(struct objects *objects, const struct carriage *carriage, struct source_grants *ret)
{
    struct search search = {.carriage = carriage, .found = ret};

    *ret = (struct source_grants){0};
    objects_each(objects, OBJECT_ACCOUNT, NULL, see_account, &search);
}
