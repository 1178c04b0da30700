/* The auto scaling of a table, as text and for another table. */
#include "controller/steps/table_properties.h"

#define TARGETS_MAX 64

/* "table/sessions/index/by-customer" gives "index by-customer ", "table/sessions" gives "". Yours. */
static char *index_text(const char *resource_id)
{
    struct str rest = str_of(resource_id), piece;
    int pieces = 0;

    while (pieces < 3 && str_cut(&rest, '/', &piece))
        pieces++;
    return pieces == 3 && rest.ptr && rest.len ? xasprintf("index " STR_FMT " ", STR_ARG(rest)) : xstrdup("");
}

static const struct autoscaling_policy *policy_of(const struct autoscaling *scaling,
                                                  const struct autoscaling_target *target)
{
    for (size_t i = 0; i < scaling->policy_count; i++) {
        const struct autoscaling_policy *policy = &scaling->policies[i];

        if (text_equal(policy->resource_id, target->resource_id) &&
            text_equal(policy->dimension, target->dimension))
            return policy;
    }
    return NULL;
}

static char *target_text(const struct autoscaling *scaling, const struct autoscaling_target *target)
{
    const struct autoscaling_policy *policy = policy_of(scaling, target);
    const char *capacity = str_ends(str_of(target->dimension), ":ReadCapacityUnits") ? "read" : "write";
    AUTO_FREE char *index = index_text(target->resource_id);
    AUTO_FREE char *aim = policy ? xasprintf(" at %g%%", policy->target) : xstrdup("");

    return xasprintf("%s%s %lld-%lld%s%s", index, capacity, (long long)target->min, (long long)target->max,
                     aim, policy && policy->never_in ? ", never down" : "");
}

char *table_scaling_text(const struct autoscaling *scaling)
{
    char *texts[TARGETS_MAX], *joined;
    size_t count = scaling->target_count < TARGETS_MAX ? scaling->target_count : TARGETS_MAX;

    if (!count)
        return xstrdup("off");
    for (size_t i = 0; i < count; i++)
        texts[i] = target_text(scaling, &scaling->targets[i]);
    joined = text_join((const char *const *)texts, count);
    for (size_t i = 0; i < count; i++)
        xfree(texts[i]);
    return joined;
}

/* "table/<model>..." becomes "table/<copy>...", yours. */
static char *renamed(const char *resource_id, const char *copy)
{
    struct str rest = str_of(resource_id), piece;
    bool has_index;

    (void)str_cut(&rest, '/', &piece);
    (void)str_cut(&rest, '/', &piece);
    has_index = rest.ptr && rest.len;
    return xasprintf("table/%s%s" STR_FMT, copy, has_index ? "/" : "", STR_ARG(rest));
}

static struct err *put_policy(const struct sides *sides, const struct autoscaling_policy *model,
                              char *resource_id)
{
    AUTO_FREE char *name = xasprintf("%s:%s", model->metric ? model->metric : model->name, resource_id);
    struct autoscaling_policy policy = *model;

    policy.name = name;
    policy.resource_id = resource_id;
    return autoscaling_put_policy(&sides->stage->pass->target, &policy);
}

struct err *table_scaling_put(const struct sides *sides)
{
    const struct autoscaling *model = &((const struct table_facts *)sides->model)->scaling;
    const char *copy = sides->stage->copy->copy_identifier;

    for (size_t i = 0; i < model->target_count; i++) {
        const struct autoscaling_policy *policy = policy_of(model, &model->targets[i]);
        AUTO_FREE char *resource_id = renamed(model->targets[i].resource_id, copy);
        struct autoscaling_target target = model->targets[i];

        target.resource_id = resource_id;
        TRY(autoscaling_register(&sides->stage->pass->target, &target));
        if (policy)
            TRY(put_policy(sides, policy, resource_id));
    }
    return NULL;
}
