#include "controller/steps/in_use.h"

#include "pkg/aws/rds_proxy.h"

static const char *booked(const struct stage *stage)
{
    for (size_t i = 0; i < stage->pass->status->copy_count; i++) {
        const struct copy_status *copy = &stage->pass->status->copies[i];

        if (copy->role == COPY_IN_USE && text_equal(copy->database, stage->database->name))
            return copy->identifier;
    }
    return NULL;
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
    const struct refresh_spec *spec = stage->pass->spec;
    char *found = xstrdup_or_null(booked(stage));

    for (size_t i = 0; !found && i < spec->proxy_count; i++) {
        if (text_equal(spec->proxies[i].database, stage->database->name))
            TRY(target_of_proxy(stage, spec->proxies[i].name, &found));
    }
    *ret = found;
    return NULL;
}
