#include "controller/steps/in_use.h"

#include "controller/succession.h"
#include "pkg/aws/rds_proxy.h"

#define SETTINGS_STEP "Settings"

static char *booked(struct objects *objects, const struct json *object, const struct database_spec *database)
{
    return succession_copy_in_use(objects, object, database->name, database->kind);
}

static void remember(struct database_status *database, const char *identifier)
{
    for (size_t i = 0; i < database->step_count; i++) {
        struct step_status *row = &database->steps[i];

        if (text_equal(row->name, SETTINGS_STEP) && row->state == STEP_WAITING)
            step_set_evidence(row, IN_USE_EVIDENCE, identifier);
    }
}

void in_use_remember(struct objects *objects, const struct json *object, const struct refresh_spec *spec,
                     struct refresh_status *status)
{
    for (size_t i = 0; i < spec->database_count; i++) {
        struct database_status *database = status_database(status, spec->databases[i].name);
        AUTO_FREE char *identifier = booked(objects, object, &spec->databases[i]);

        if (database)
            remember(database, identifier);
    }
}

static struct err *target_of_proxy(const struct stage *stage, const char *proxy, char **ret)
{
    AUTO_RDS_PROXY_TARGETS struct rds_proxy_targets targets = {0};

    TRY(err_wrap(rds_proxy_list_targets(&stage->pass->target, proxy, &targets),
                 "look at the targets of proxy %s", proxy));
    *ret = xstrdup_or_null(rds_proxy_targets_cluster(&targets));
    return NULL;
}

struct err *in_use_find(const struct stage *stage, char **ret)
{
    const struct pass *pass = stage->pass;
    const struct refresh_spec *spec = pass->spec;
    char *found = xstrdup_or_null(step_evidence(stage->row, IN_USE_EVIDENCE));

    if (!found)
        found = booked(pass->objects, pass->object, stage->database);
    for (size_t i = 0; !found && i < spec->proxy_count; i++) {
        if (text_equal(spec->proxies[i].database, stage->database->name))
            TRY(target_of_proxy(stage, spec->proxies[i].name, &found));
    }
    *ret = found;
    return NULL;
}
