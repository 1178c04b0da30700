#include "controller/places.h"

void places_done(struct places *places)
{
    xfree(places->items);
    *places = (struct places){0};
}

static bool is_same(const struct parameter_spec *a, const struct parameter_spec *b)
{
    return a->kind == b->kind && text_equal(a->target, b->target) && text_equal(a->key, b->key);
}

bool places_have(const struct places *places, const struct parameter_spec *parameter)
{
    for (size_t i = 0; i < places->count; i++) {
        if (is_same(&places->items[i], parameter))
            return true;
    }
    return false;
}

void places_add(struct places *places, const struct parameter_spec *parameter)
{
    if (places_have(places, parameter))
        return;
    places->items = xgrow(places->items, places->count, sizeof(*places->items));
    places->items[places->count++] = *parameter;
}

void places_add_spec(struct places *places, const struct refresh_spec *spec)
{
    for (size_t i = 0; spec && i < spec->parameter_count; i++)
        places_add(places, &spec->parameters[i]);
}

void places_add_remembered(struct places *places, const struct place_status *remembered, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const struct parameter_spec parameter = {
            .kind = remembered[i].kind, .target = remembered[i].target, .key = remembered[i].key};

        places_add(places, &parameter);
    }
}
