#include "controller/steps/copy_tags.h"

#include "controller/names.h"

struct copy_tags copy_tags_new(const struct stage *stage, const struct name_value *more, size_t count)
{
    struct copy_tags tags = {.items = xcalloc(COPY_TAG_COUNT + count, sizeof(*tags.items)),
                             .count = COPY_TAG_COUNT + count,
                             .series = name_series(stage->pass)};

    name_copy_tags(stage, stage->copy->copy_identifier, tags.series, tags.items);
    for (size_t i = 0; i < count; i++)
        tags.items[COPY_TAG_COUNT + i] = (struct aws_pair){.name = more[i].name, .value = more[i].value};
    return tags;
}

void copy_tags_done(struct copy_tags *tags)
{
    xfree(tags->items);
    xfree(tags->series);
}

static bool is_reserved(const char *key)
{
    return str_starts(str_of(key), "aws:") || str_starts(str_of(key), "stagingrefresh.dev/");
}

static bool names(const struct copy_tags *tags, const char *key)
{
    for (size_t i = 0; i < tags->count; i++) {
        if (text_equal(tags->items[i].name, key))
            return true;
    }
    return false;
}

void copy_tags_follow(struct copy_tags *tags, const struct aws_tags *model)
{
    tags->items = xrealloc(tags->items, (tags->count + model->count) * sizeof(*tags->items));
    for (size_t i = 0; i < model->count; i++) {
        if (!is_reserved(model->items[i].key) && !names(tags, model->items[i].key))
            tags->items[tags->count++] =
                (struct aws_pair){.name = model->items[i].key, .value = model->items[i].value};
    }
}

bool copy_tags_lack(const struct copy_tags *tags, const struct aws_tags *there)
{
    for (size_t i = 0; i < tags->count; i++) {
        if (!text_equal(aws_tags_get(there, tags->items[i].name), tags->items[i].value))
            return true;
    }
    return false;
}

static const char *said(const char *value)
{
    return value ? value : "absent";
}

void copy_tags_compare(const struct aws_tags *is, const struct aws_tags *in_use, struct findings *findings)
{
    for (size_t i = 0; i < in_use->count; i++) {
        const char *key = in_use->items[i].key, *value = aws_tags_get(is, key);

        if (!is_reserved(key) && !text_equal(value, in_use->items[i].value))
            differences_remark(findings, "its tag %s is %s, the copy in use has %s", key, said(value),
                               in_use->items[i].value);
    }
    for (size_t i = 0; i < is->count; i++) {
        const char *key = is->items[i].key;

        if (!is_reserved(key) && !aws_tags_get(in_use, key))
            differences_remark(findings, "its tag %s is %s, the copy in use has none", key,
                               is->items[i].value);
    }
}
