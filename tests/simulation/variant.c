#include "tests/simulation/variant.h"

static int64_t between(struct random *random, int64_t low, int64_t high)
{
    return low + (int64_t)random_below(random, (uint64_t)(high - low + 1));
}

static char *durations(struct random *random, const char *kind, int64_t max_s)
{
    int64_t backup = between(random, 10, max_s), copy = between(random, 10, max_s),
            restore = between(random, 10, max_s);

    return xasprintf("%s: {backup: %llds, copy: %llds, restore: %llds}", kind, (long long)backup,
                     (long long)copy, (long long)restore);
}

void variant_init(struct variant *variant, uint64_t seed)
{
    struct random *random = random_seeded_new(seed * 2 + 1);

    *variant = (struct variant){.opts = {.seed = seed, .workers = (int)between(random, 1, 4)}};
    variant->texts[0] = durations(random, "aurora", 300);
    variant->texts[1] = durations(random, "dynamodb", 200);
    variant->edits[0] = "aurora: {backup: 12m, copy: 40m, restore: 35m}";
    variant->edits[1] = variant->texts[0];
    variant->edits[2] = "dynamodb: {backup: 3m, copy: 6m, restore: 20m}";
    variant->edits[3] = variant->texts[1];
    variant->opts.world_edits = variant->edits;
    variant->opts.api = (struct memory_opts){.lag_max_ms = between(random, 0, 3) * 1000,
                                             .meddle_per_mille = between(random, 0, 50),
                                             .lost_answer_per_mille = between(random, 0, 50),
                                             .own_events_per_mille = between(random, 0, 1) * 100,
                                             .trouble_per_mille = between(random, 0, 40)};
    random_free(random);
}

void variant_fail_rollouts(struct variant *variant)
{
    variant->edits[4] = "rollback: true}";
    variant->edits[5] = "rollback: true, rollout: bad}";
}

static int64_t down_ms(struct random *random)
{
    int64_t kind = between(random, 1, 10);

    if (kind <= 7)
        return between(random, SECONDS(1), SECONDS(30));
    return kind <= 9 ? between(random, MINUTES(1), MINUTES(10)) : between(random, HOURS(1), HOURS(3));
}

void variant_add_crashes(struct variant *variant, int64_t calls)
{
    struct random *random = random_seeded_new(variant->opts.seed * 2);

    variant->opts.crash_count = (size_t)between(random, 1, 3);
    for (size_t i = 0; i < variant->opts.crash_count; i++)
        variant->opts.crashes[i] = (struct crash){.at_call = between(random, 1, calls),
                                                  .after_deed = between(random, 0, 1) != 0,
                                                  .down_ms = down_ms(random)};
    random_free(random);
}

void variant_done(struct variant *variant)
{
    for (size_t i = 0; i < COUNT_OF(variant->texts); i++)
        xfree(variant->texts[i]);
}
