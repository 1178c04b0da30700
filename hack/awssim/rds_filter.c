/* Filters and pages of the Describe operations. */
#include "hack/awssim/rds.h"

static const struct rds_filter *filter_find(const struct rds_filter *filters, size_t count, const char *name)
{
    for (size_t i = 0; i < count; i++)
        if (text_equal(filters[i].name, name))
            return &filters[i];
    return NULL;
}

bool sim_rds_filters_known(struct call *call, const struct rds_filter *filters, size_t count)
{
    json_each (filter, call_list(call, "Filters.Filter")) {
        const char *name = json_get_text(filter, "Name", "");

        if (!filter_find(filters, count, name))
            return call_refuse(call, 400, "InvalidParameterValue", "Unrecognized filter name: %s", name);
        if (!json_count(json_at(filter, "Values.Value")))
            return call_refuse(call, 400, "InvalidParameterValue", "Filter %s has no value", name);
    }
    return true;
}

static bool matches_one(const struct rds_filter *filter, const struct json *values, const void *item)
{
    json_each (value, values)
        if (filter->matches(item, json_get_text(value, NULL, "")))
            return true;
    return false;
}

bool sim_rds_filters_match(const struct call *call, const struct rds_filter *filters, size_t count,
                           const void *item)
{
    json_each (filter, call_list(call, "Filters.Filter")) {
        const struct rds_filter *known = filter_find(filters, count, json_get_text(filter, "Name", ""));

        if (!known || !matches_one(known, json_at(filter, "Values.Value"), item))
            return false;
    }
    return true;
}

bool sim_rds_answer_page(struct call *call, const char *name, const char *member, struct json *array)
{
    static const struct page_rule rule = {.size_member = "MaxRecords",
                                          .token_member = "Marker",
                                          .out_member = "Marker",
                                          .min = 20,
                                          .max = 100,
                                          .otherwise = 100,
                                          .error = "InvalidParameterValue"};
    AUTO_JSON struct json *all = array;
    struct json *page = json_new_array();
    size_t first = 0, count = 0;

    if (!call_page(call, &rule, json_count(all), &first, &count)) {
        json_free(page);
        return false;
    }
    for (size_t i = first; i < first + count; i++)
        json_append(page, json_copy(json_item(all, i)));
    json_set(call->out, name, sim_rds_list(member, page));
    return true;
}
