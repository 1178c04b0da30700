#include "controller/actor.h"

#include "tests/testing/assertions.h"

#define RUN "20261122-030002-k7x4q"
#define FORTY "a123456789b123456789c123456789d123456789"

static const struct row {
    const char *name, *namespace, *object, *run, *want;
} rows[] = {
    {"as it is", "staging", "shop", RUN, "staging.shop." RUN},
    {"too long: the run is whole", FORTY, "shop", RUN, FORTY ".s." RUN},
    {"far too long", FORTY FORTY, "shop", RUN, FORTY "a1." RUN},
    {"characters that AssumeRole does not take", "a b", "s/h", RUN, "a-b.s-h." RUN},
    {"a dot in the name", "staging", "shop.one", RUN, "staging.shop.one." RUN},
};

static void names_the_session(void **state)
{
    const struct row *row = *state;
    struct actor actor;

    actor_init(&actor, row->namespace, row->object, row->run);
    assert_text_equal(actor.aws.session_name, row->want);
    assert_true(strlen(actor.aws.session_name) <= 64);
}

static void tags_say_it_in_full(void **state UNUSED)
{
    struct actor actor;

    actor_init(&actor, FORTY FORTY, "shop", RUN);
    assert_number(actor.aws.tag_count, 3);
    assert_text_equal(actor.aws.tags[0].name, "stagingrefresh.dev/namespace");
    assert_text_equal(actor.aws.tags[0].value, FORTY FORTY);
    assert_text_equal(actor.aws.tags[1].value, "shop");
    assert_text_equal(actor.aws.tags[2].value, RUN);
}

int main(void)
{
    struct tests tests = {0};

    TEST_ROWS(&tests, names_the_session, rows);
    TEST(&tests, tags_say_it_in_full);
    return tests_run(&tests, "actor");
}
