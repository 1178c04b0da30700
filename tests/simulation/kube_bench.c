#include "tests/simulation/kube_bench.h"

static struct kube_bench *bench_of(struct objects *objects)
{
    return (struct kube_bench *)((uintptr_t)objects - offsetof(struct kube_bench, objects));
}

static struct json *json_of(const char *text)
{
    struct json *value = NULL;

    assert_no_err(json_parse(str_of(text), NULL, &value));
    return value;
}

static void each_other(struct objects *self, enum object_kind kind, const char *group, objects_see_fn *see,
                       void *arg)
{
    AUTO_JSON struct json *object = bench_of(self)->other ? json_of(bench_of(self)->other) : NULL;

    if (object && objects_is_in_group(kind, object, group))
        see(arg, object);
}

static struct err *read_leftovers(struct objects *self, const struct env *env UNUSED, struct json **ret)
{
    struct json *data = json_new_object();

    if (bench_of(self)->leftover)
        json_set_text(data, "KeptCopy-1", bench_of(self)->leftover);
    *ret = json_new_object();
    json_set(*ret, "data", data);
    return NULL;
}

static const struct objects_ops bench_ops = {.each = each_other, .read_leftovers = read_leftovers};

void kube_bench_init(struct kube_bench *bench, const char *row)
{
    *bench = (struct kube_bench){0};
    kube_memory_init(&bench->memory);
    bench->objects =
        (struct objects){.ops = &bench_ops, .installation = "here", .kube = bench->memory.client};
    bench->spec = (struct refresh_spec){.series = TEXT("shop"),
                                        .parameters = &bench->parameter,
                                        .applications = &bench->application,
                                        .databases = &bench->database,
                                        .database_count = 1};
    bench->database = (struct database_spec){.name = TEXT("main"), .kind = DATABASE_AURORA};
    bench->pass = (struct pass){.env = &bench->memory.base.env,
                                .objects = &bench->objects,
                                .namespace = "staging",
                                .name = "shop",
                                .uid = "u1",
                                .spec = &bench->spec,
                                .status = refresh_status_new()};
    bench->pass.status->run.id = xstrdup(RUN);
    text_replace(&status_add_database(bench->pass.status, "main")->endpoint, "new.example");
    bench->stage = (struct stage){.pass = &bench->pass,
                                  .row = status_add_step(&bench->pass.status->switchover_steps,
                                                         &bench->pass.status->switchover_step_count, row)};
    bench->stage.row->state = STEP_INTENDED;
    bench->stage.row->attempt = 1;
}

void kube_bench_done(struct kube_bench *bench)
{
    refresh_status_free(bench->pass.status);
    kube_memory_done(&bench->memory);
}

void kube_bench_expect_secret(const struct kube_bench *bench, const char *name, const char *key,
                              const char *want)
{
    AUTO_FREE char *got = kube_memory_secret(&bench->memory, name, key);

    assert_text_equal(got, want);
}

void kube_bench_expect_secrecy(const struct kube_bench *bench)
{
    AUTO_JSON struct json *status = refresh_status_to_json(bench->pass.status);
    AUTO_FREE char *text = json_to_text(status);

    assert_text_lacks(text, "old-value");
    assert_text_lacks(text, "b2xkLXZhbHVl");
}

void kube_bench_begin_attempt(struct kube_bench *bench, int64_t attempt)
{
    bench->pass.status->run.attempt = attempt;
    bench->stage.row->attempt = attempt;
    bench->stage.row->state = STEP_INTENDED;
    json_free(TAKE(bench->stage.row->evidence));
}
