/* The full spec of tests/data/refresh/full.json, and single edits of it. */
#ifndef TESTS_REFRESH_SPEC_EDIT_H
#define TESTS_REFRESH_SPEC_EDIT_H

#include "pkg/base/files.h"
#include "pkg/refresh/spec.h"
#include "tests/testing/assertions.h"

static inline struct json *read_json(const char *text)
{
    struct json *value = NULL;

    assert_no_err(json_parse(str_of(text), NULL, &value));
    return value;
}

static inline struct json *full_spec(void)
{
    AUTO_BUF struct buf text = BUF_MAX(MIB);

    assert_no_err(file_read(SR_SOURCE_DIR "/tests/data/refresh/full.json", &text));
    return read_json(buf_text(&text));
}

/* Sets the member at `path` ("databases[0].name"); `text` is JSON, NULL removes. */
static inline void edit(struct json *spec, const char *path, const char *text)
{
    const char *dot = strrchr(path, '.');
    AUTO_FREE char *parent = dot ? xstrndup(path, (size_t)(dot - path)) : NULL;
    struct json *object = parent ? json_edit(spec, parent) : spec;

    if (!json_is(object, JSON_OBJECT))
        fail_msg("the row's path %s is not in the full spec", path);
    json_set(object, dot ? dot + 1 : path, text ? read_json(text) : NULL);
}

#endif
