#include "controller/steps/password.h"
#include "pkg/aws/rds.h"

#define TO_DO                                                                                               \
    "set its master password to what staging uses, by hand, with the password of the spec as it was then, " \
    "or leave staging where it is"

/* A generated password is looked up by the run that made the copy. */
static struct err *refuse_generated(const struct pass *pass, const struct database_spec *database,
                                    const char *cluster, char **ret_why)
{
    AUTO_SECRET struct secret *password = NULL;

    TRY(password_of_copies(pass, database, &password));
    if (password)
        return NULL;
    if (!pass->status->run.copies_of)
        *ret_why =
            xasprintf("the password that this run generated for cluster %s is not kept any more: start a "
                      "new run",
                      cluster);
    else
        *ret_why = xasprintf("which password opens cluster %s is not known: run %s, which made it, generated "
                             "none that is still kept; " TO_DO,
                             cluster, pass->status->run.copies_of);
    return NULL;
}

struct err *password_refusal(const struct pass *pass, const struct database_spec *database, char **ret_why)
{
    const struct database_status *copy = status_database(pass->status, database->name);
    AUTO_RDS_CLUSTER struct rds_cluster cluster = {0};
    bool wants_managed = database->aurora.password.kind == PASSWORD_RDS_MANAGED;

    if (database->kind != DATABASE_AURORA || !copy || !copy->copy_identifier)
        return NULL;
    if (!pass->status->run.copies_of)
        return database->aurora.password.kind == PASSWORD_GENERATE
                   ? refuse_generated(pass, database, copy->copy_identifier, ret_why)
                   : NULL;
    TRY(rds_describe_cluster(&pass->target, copy->copy_identifier, &cluster));
    if (wants_managed && !cluster.master_secret_arn)
        *ret_why = xasprintf(
            "cluster %s was made before the spec said rdsManaged: RDS keeps no password of it; " TO_DO,
            cluster.id);
    else if (!wants_managed && cluster.master_secret_arn)
        *ret_why =
            xasprintf("RDS keeps the password of cluster %s in a secret of its own, which the spec does not "
                      "say any more; " TO_DO,
                      cluster.id);
    else if (database->aurora.password.kind == PASSWORD_GENERATE)
        return refuse_generated(pass, database, cluster.id, ret_why);
    return NULL;
}
