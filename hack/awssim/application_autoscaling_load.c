/* accounts[].applicationAutoScaling of the world file; docs-services.md describes the keys. */
#include "hack/awssim/application_autoscaling.h"

struct target_entry {
    char *resource, *capacity;
    int64_t min, max;
    double percent;
};

static const struct load_field section_fields[] = {{.name = "targets", .type = LOAD_LIST, .offset = 0}};
static const struct load_field target_fields[] = {
    {LOAD_FIELD(target_entry, "resource", LOAD_TEXT, resource), .required = true},
    {LOAD_FIELD(target_entry, "capacity", LOAD_TEXT, capacity), .required = true, .choices = "Read Write"},
    {LOAD_FIELD(target_entry, "min", LOAD_INT, min), .required = true},
    {LOAD_FIELD(target_entry, "max", LOAD_INT, max), .required = true},
    {LOAD_FIELD(target_entry, "percent", LOAD_NUMBER, percent)},
};

static struct json *tracking_of(const struct target_entry *entry)
{
    struct json *tracking = json_new_object(), *metric = json_new_object();
    AUTO_FREE char *type = xasprintf("DynamoDB%sCapacityUtilization", entry->capacity);

    json_set_text(metric, "PredefinedMetricType", type);
    json_set(tracking, "PredefinedMetricSpecification", metric);
    json_set(tracking, "TargetValue", json_new_number(entry->percent));
    return tracking;
}

static void add_entry(struct account *account, const struct target_entry *entry)
{
    struct autoscaling_state *state = sim_autoscaling_state(account);
    const char *kind = str_contains(str_of(entry->resource), "/index/") ? "index" : "table";
    struct scalable_target *target = LIST_ADD(state->targets);
    struct scaling_policy *policy;

    *target = (struct scalable_target){
        .resource = xstrdup(entry->resource),
        .dimension = xasprintf("dynamodb:%s:%sCapacityUnits", kind, entry->capacity),
        .arn = sim_autoscaling_arn(account, "scalable-target", NULL),
        .min = entry->min,
        .max = entry->max,
        .created_ms = sim_now(account->sim) - DAYS(400),
    };
    if (entry->percent <= 0)
        return;
    policy = LIST_ADD(state->policies);
    policy->name = xasprintf("DynamoDB%sCapacityUtilization:%s", entry->capacity, entry->resource);
    policy->resource = xstrdup(entry->resource);
    policy->dimension = xstrdup(target->dimension);
    policy->arn = sim_autoscaling_arn(account, "scalingPolicy", policy->name);
    policy->tracking = tracking_of(entry);
    policy->created_ms = target->created_ms;
}

struct err *sim_autoscaling_load(const struct loader *loader, struct account *account,
                                 const struct json *section)
{
    const struct json *targets = NULL;

    if (section)
        TRY(load_fields(loader, section, section_fields, COUNT_OF(section_fields), &targets));
    json_each (node, targets) {
        struct target_entry entry = {0};
        struct err *err = load_fields(loader, node, target_fields, COUNT_OF(target_fields), &entry);

        if (!err)
            add_entry(account, &entry);
        xfree(entry.resource);
        xfree(entry.capacity);
        TRY(err);
    }
    return NULL;
}

/* Tables are known only now. */
struct err *sim_autoscaling_check(const struct loader *loader, struct account *account,
                                  const struct json *section)
{
    const struct autoscaling_state *state = sim_autoscaling_state(account);

    for (size_t i = 0; i < state->targets.count; i++) {
        const struct scalable_target *target = &state->targets.items[i];
        const char *fault = sim_autoscaling_fault(account, target->resource, target->dimension);

        if (fault)
            return load_error(loader, json_item(json_member(section, "targets"), i), "%s: %s", fault,
                              target->resource);
    }
    return NULL;
}
