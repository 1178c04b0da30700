#include "pkg/aws/actors.h"

#include "pkg/aws/config.h"
#include "tests/testing/assertions.h"

static int made;

static struct credentials_source *source_of(void *owner, const struct aws_actor *actor UNUSED,
                                            int64_t *untagged_until_ms UNUSED)
{
    made++;
    return credentials_environment_new(owner);
}

struct scene {
    struct aws_config config;
    struct actors *actors;
};

static void init(struct scene *scene)
{
    *scene = (struct scene){0};
    made = 0;
    scene->actors = actors_new(source_of, &scene->config);
}

static void done(struct scene *scene)
{
    actors_free(scene->actors);
    aws_config_done(&scene->config);
}

static struct actor_session *borrow(struct scene *scene, const char *name, int64_t now_ms)
{
    return actors_borrow(scene->actors, &(struct aws_actor){.session_name = name}, now_ms);
}

static void use(struct scene *scene, const char *name, int64_t now_ms)
{
    actors_return(scene->actors, borrow(scene, name, now_ms), now_ms);
}

static void one_session_for_each_name(void **state UNUSED)
{
    struct scene scene;
    struct actor_session *first, *second, *other;

    init(&scene);
    first = borrow(&scene, "one", 0);
    second = borrow(&scene, "one", 0);
    other = borrow(&scene, "other", 0);
    assert_ptr_equal(first, second);
    assert_ptr_not_equal(first, other);
    assert_ptr_equal(actor_session_cache(first), actor_session_cache(second));
    assert_number(made, 2);
    actors_return(scene.actors, first, 0);
    actors_return(scene.actors, second, 0);
    actors_return(scene.actors, other, 0);
    done(&scene);
}

static void forgets_what_nobody_used_for_an_hour(void **state UNUSED)
{
    struct scene scene;

    init(&scene);
    use(&scene, "one", 0);
    use(&scene, "two", MINUTES(30));
    use(&scene, "one", MINUTES(59));
    assert_number(made, 2);
    use(&scene, "three", MINUTES(91)); /* two is gone */
    use(&scene, "one", MINUTES(91));
    assert_number(made, 3);
    use(&scene, "two", MINUTES(91));
    assert_number(made, 4);
    done(&scene);
}

static void keeps_what_is_in_use(void **state UNUSED)
{
    struct scene scene;
    struct actor_session *held;

    init(&scene);
    held = borrow(&scene, "one", 0);
    use(&scene, "two", HOURS(5));
    use(&scene, "one", HOURS(5));
    assert_number(made, 2);
    actors_return(scene.actors, held, HOURS(5));
    done(&scene);
}

int main(void)
{
    struct tests tests = {0};

    TEST(&tests, one_session_for_each_name);
    TEST(&tests, forgets_what_nobody_used_for_an_hour);
    TEST(&tests, keeps_what_is_in_use);
    return tests_run(&tests, "actors");
}
