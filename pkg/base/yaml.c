/* libyaml's events are turned into JSON values with a stack of our own, so that depth, nodes and bytes can be
 * counted while they come. */
#include "pkg/base/yaml.h"

#include <stdlib.h>
#include <yaml.h>

#include "pkg/base/files.h"
#include "pkg/base/yaml_scalar.h"

#define MAX_BYTES (4 * MIB)
#define MAX_NODES 200000
#define MAX_DEPTH 64
#define ANCHORS_MAX 1000
#define TAG_PREFIX "tag:yaml.org,2002:"

struct line {
    const struct json *node; /* NULL: free */
    int line;
};

struct yaml_doc {
    char *name;
    struct json *root;
    struct line *lines; /* open addressing by the node's address; a power of two, at most half full */
    size_t line_room, line_count;
};

/* A container that is being filled. */
struct frame {
    struct json *value;
    bool is_map;
    char *key; /* of the member whose value comes next */
    char *anchor;
    int line;
    int height;          /* levels below, so far */
    size_t nodes, bytes; /* counted before it began */
};

struct anchor {
    char *name;
    const struct json *value;
    int height;
    size_t nodes, bytes; /* what a copy costs */
};

struct reader {
    const char *name;
    struct str text;
    struct yaml_limits limits;
    yaml_parser_t parser;
    struct yaml_docs docs;
    struct yaml_doc *doc; /* the one that is being read */
    struct frame *frames;
    int depth;
    struct anchor *anchors;
    size_t anchor_count;
    size_t nodes, bytes; /* of all documents, copies by aliases included */
};

/* --- documents and their lines --- */

static size_t slot_of(const struct yaml_doc *doc, const struct json *node)
{
    uint64_t mixed = (uint64_t)(uintptr_t)node * UINT64_C(0x9E3779B97F4A7C15);
    size_t slot = (size_t)(mixed >> 20) & (doc->line_room - 1);

    while (doc->lines[slot].node && doc->lines[slot].node != node)
        slot = (slot + 1) & (doc->line_room - 1);
    return slot;
}

static void grow_lines(struct yaml_doc *doc)
{
    struct line *old = doc->lines;
    size_t old_room = doc->line_room;

    doc->line_room = old_room ? old_room * 2 : 64;
    doc->lines = xcalloc(doc->line_room, sizeof(*doc->lines));
    for (size_t i = 0; i < old_room; i++) {
        if (old[i].node)
            doc->lines[slot_of(doc, old[i].node)] = old[i];
    }
    xfree(old);
}

static void set_line(struct yaml_doc *doc, const struct json *node, int line)
{
    if (doc->line_count * 2 >= doc->line_room)
        grow_lines(doc);
    doc->lines[slot_of(doc, node)] = (struct line){.node = node, .line = line};
    doc->line_count++;
}

int yaml_line(const struct yaml_doc *doc, const struct json *node)
{
    return node && doc->line_room ? doc->lines[slot_of(doc, node)].line : 0;
}

int yaml_line_at(const struct yaml_doc *doc, const char *path)
{
    AUTO_FREE char *shorter = xstrdup(path ? path : "");

    for (size_t len = strlen(shorter);; shorter[len] = '\0') {
        const struct json *node = json_at(doc->root, shorter);

        if (node || !len)
            return yaml_line(doc, node ? node : doc->root);
        while (len && shorter[len - 1] != '.' && shorter[len - 1] != '[')
            len--;
        len -= len > 0;
    }
}

const struct json *yaml_root(const struct yaml_doc *doc)
{
    return doc->root;
}

const char *yaml_name(const struct yaml_doc *doc)
{
    return doc->name;
}

static void doc_free(struct yaml_doc *doc)
{
    if (!doc)
        return;
    json_free(doc->root);
    xfree(doc->lines);
    xfree(doc->name);
    xfree(doc);
}

void yaml_docs_done(struct yaml_docs *docs)
{
    for (size_t i = 0; i < docs->count; i++)
        doc_free(docs->items[i]);
    xfree(docs->items);
    *docs = (struct yaml_docs){0};
}

/* --- errors and limits --- */

static int line_of(const yaml_event_t *event)
{
    return (int)event->start_mark.line + 1;
}

static struct err *bad(const struct reader *reader, int line, const char *what)
{
    return err_new(ERR_INVALID, "%s:%d: %s", reader->name, line, what);
}

/* Errors of the decoder carry an offset, those of the scanner and parser a mark. */
static struct err *syntax_error(const struct reader *reader)
{
    const yaml_parser_t *parser = &reader->parser;
    const char *problem = parser->problem ? parser->problem : "syntax error";
    int line = (int)parser->problem_mark.line + 1;

    if (parser->error == YAML_READER_ERROR) {
        line = 1;
        for (size_t i = 0; i < parser->problem_offset && i < reader->text.len; i++)
            line += reader->text.ptr[i] == '\n';
        return err_new(ERR_INVALID, "%s:%d: %s (byte 0x%02x)", reader->name, line, problem,
                       (unsigned)parser->problem_value & 0xffffffu);
    }
    if (parser->context)
        return err_new(ERR_INVALID, "%s:%d: %s (%s)", reader->name, line, problem, parser->context);
    return bad(reader, line, problem);
}

/* Each node, wherever it comes from. Escapes can make a scalar somewhat longer than its text. */
static struct err *count(struct reader *reader, size_t nodes, size_t bytes, int line)
{
    reader->nodes += nodes;
    reader->bytes += bytes;
    if (reader->nodes > reader->limits.max_nodes)
        return bad(reader, line, "too many values (aliases are counted with what they stand for)");
    if (reader->bytes > 2 * reader->limits.max_bytes)
        return bad(reader, line, "too much text (aliases are counted with what they stand for)");
    return NULL;
}

/* --- building --- */

static void note_anchor(struct reader *reader, char *name, const struct json *value,
                        const struct frame *since)
{
    struct anchor anchor = {.name = name,
                            .value = value,
                            .height = since->height,
                            .nodes = reader->nodes - since->nodes,
                            .bytes = reader->bytes - since->bytes};

    for (size_t i = 0; i < reader->anchor_count; i++) {
        if (text_equal(reader->anchors[i].name, name)) {
            xfree(reader->anchors[i].name);
            reader->anchors[i] = anchor;
            return;
        }
    }
    reader->anchors = xgrow(reader->anchors, reader->anchor_count, sizeof(*reader->anchors));
    reader->anchors[reader->anchor_count++] = anchor;
}

static void forget_anchors(struct reader *reader)
{
    for (size_t i = 0; i < reader->anchor_count; i++)
        xfree(reader->anchors[i].name);
    xfree(reader->anchors);
    reader->anchors = NULL;
    reader->anchor_count = 0;
}

static struct frame *top(struct reader *reader)
{
    return reader->depth ? &reader->frames[reader->depth - 1] : NULL;
}

static bool wants_key(struct reader *reader)
{
    return reader->depth && top(reader)->is_map && !top(reader)->key;
}

/* Gives a finished value to what contains it; `height` is how many levels it has. */
static void attach(struct reader *reader, struct json *value, int height)
{
    struct frame *frame = top(reader);

    if (!frame) {
        reader->doc->root = value;
        return;
    }
    if (frame->height < height + 1)
        frame->height = height + 1;
    if (frame->is_map) {
        json_add(frame->value, frame->key, value);
        xfree(TAKE(frame->key));
    } else {
        json_append(frame->value, value);
    }
}

static struct err *check_anchor(struct reader *reader, const yaml_char_t *anchor, int line)
{
    if (anchor && wants_key(reader))
        return bad(reader, line, "a key cannot have an anchor");
    if (anchor && reader->anchor_count >= ANCHORS_MAX)
        return bad(reader, line, "too many anchors");
    return NULL;
}

/* --- scalars --- */

/* What a tag demands of the plain meaning of its scalar. */
static const struct tag {
    const char *tag;
    enum json_type type;
    const char *mismatch;
} tags[] = {
    {.tag = TAG_PREFIX "null", .type = JSON_NULL, .mismatch = "!!null needs null"},
    {.tag = TAG_PREFIX "bool", .type = JSON_BOOL, .mismatch = "!!bool needs true or false"},
    {.tag = TAG_PREFIX "int", .type = JSON_NUMBER, .mismatch = "!!int needs an integer"},
    {.tag = TAG_PREFIX "float", .type = JSON_NUMBER, .mismatch = "!!float needs a number"},
    {.tag = TAG_PREFIX "str", .type = JSON_STRING},
    {.tag = "!", .type = JSON_STRING},
};

static struct err *resolve(struct reader *reader, const char *text, int line, struct json **ret)
{
    const char *problem = NULL;
    struct json *value = yaml_resolve_plain(text, &problem);

    if (problem)
        return bad(reader, line, problem);
    *ret = value;
    return NULL;
}

static struct err *resolve_tagged(struct reader *reader, const char *name, const char *text, int line,
                                  struct json **ret)
{
    const struct tag *tag = NULL;
    AUTO_JSON struct json *value = NULL;

    for (size_t i = 0; i < COUNT_OF(tags) && !tag; i++)
        tag = text_equal(tags[i].tag, name) ? &tags[i] : NULL;
    if (!tag)
        return err_new(ERR_INVALID, "%s:%d: the tag %.100s is not supported here", reader->name, line, name);
    if (tag->type == JSON_STRING) {
        *ret = json_new_text(text);
        return NULL;
    }
    TRY(resolve(reader, text, line, &value));
    if (json_type(value) != tag->type ||
        (str_ends(str_of(tag->tag), ":int") && json_get_int(value, NULL, INT64_MIN) == INT64_MIN))
        return bad(reader, line, tag->mismatch);
    *ret = TAKE(value);
    return NULL;
}

static struct err *scalar_value(struct reader *reader, const yaml_event_t *event, struct json **ret)
{
    const char *text = (const char *)event->data.scalar.value;
    const char *tag = (const char *)event->data.scalar.tag;

    if (strlen(text) != event->data.scalar.length)
        return bad(reader, line_of(event), "a NUL character is not supported");
    if (tag)
        return resolve_tagged(reader, tag, text, line_of(event), ret);
    if (event->data.scalar.style == YAML_PLAIN_SCALAR_STYLE)
        return resolve(reader, text, line_of(event), ret);
    *ret = json_new_text(text);
    return NULL;
}

static struct err *take_key(struct reader *reader, const yaml_event_t *event, const struct json *value)
{
    const char *text = (const char *)event->data.scalar.value;
    bool plain = event->data.scalar.style == YAML_PLAIN_SCALAR_STYLE;

    if (plain && text_equal(text, "<<"))
        return bad(reader, line_of(event), "merge keys (\"<<\") are not supported");
    if (!json_is(value, JSON_STRING))
        return err_new(ERR_INVALID, "%s:%d: the key %.100s is not a string; put it in quotes", reader->name,
                       line_of(event), *text ? text : "(nothing)");
    reader->frames[reader->depth - 1].key = xstrdup(text);
    return NULL;
}

static struct err *on_scalar(struct reader *reader, const yaml_event_t *event)
{
    struct frame since = {.nodes = reader->nodes, .bytes = reader->bytes};
    AUTO_JSON struct json *value = NULL;
    struct json *attached;
    int line = line_of(event);

    TRY(check_anchor(reader, event->data.scalar.anchor, line));
    TRY(count(reader, 1, event->data.scalar.length, line));
    TRY(scalar_value(reader, event, &value));
    if (wants_key(reader))
        return take_key(reader, event, value);
    attached = TAKE(value);
    attach(reader, attached, 0);
    set_line(reader->doc, attached, line);
    if (event->data.scalar.anchor)
        note_anchor(reader, xstrdup((const char *)event->data.scalar.anchor), attached, &since);
    return NULL;
}

/* --- containers --- */

static struct err *begin_container(struct reader *reader, const yaml_event_t *event, bool is_map)
{
    const yaml_char_t *anchor = is_map ? event->data.mapping_start.anchor : event->data.sequence_start.anchor;
    const char *tag = (const char *)(is_map ? event->data.mapping_start.tag : event->data.sequence_start.tag);
    int line = line_of(event);
    struct frame frame = {.is_map = is_map, .line = line, .nodes = reader->nodes, .bytes = reader->bytes};

    TRY(check_anchor(reader, anchor, line));
    if (wants_key(reader))
        return bad(reader, line, "a key must be a string");
    if (tag && !text_equal(tag, is_map ? TAG_PREFIX "map" : TAG_PREFIX "seq") && !text_equal(tag, "!"))
        return err_new(ERR_INVALID, "%s:%d: the tag %.100s is not supported here", reader->name, line, tag);
    if (reader->depth >= reader->limits.max_depth)
        return bad(reader, line, "nested too deep");
    TRY(count(reader, 1, 0, line));
    frame.value = is_map ? json_new_object() : json_new_array();
    frame.anchor = xstrdup_or_null((const char *)anchor);
    reader->frames[reader->depth++] = frame;
    return NULL;
}

static int compare_members(const void *a, const void *b)
{
    return strcmp(json_key(*(const struct json *const *)a), json_key(*(const struct json *const *)b));
}

/* Once per mapping, by sorting: looking back at each key would take a square of them. */
static struct err *check_duplicates(struct reader *reader, const struct json *object)
{
    size_t total = json_count(object), i = 0;
    AUTO_FREE const struct json **members = xcalloc(total, sizeof(*members));

    json_each (member, object)
        members[i++] = member;
    qsort(members, total, sizeof(struct json *), compare_members);
    for (i = 1; i < total; i++) {
        int before = yaml_line(reader->doc, members[i - 1]), after = yaml_line(reader->doc, members[i]);

        if (compare_members(&members[i - 1], &members[i]) == 0)
            return err_new(ERR_INVALID, "%s:%d: the key %.100s is there twice (also in line %d)",
                           reader->name, before > after ? before : after, json_key(members[i]),
                           before > after ? after : before);
    }
    return NULL;
}

static struct err *end_container(struct reader *reader)
{
    struct frame frame = reader->frames[--reader->depth];

    attach(reader, frame.value, frame.height);
    set_line(reader->doc, frame.value, frame.line);
    if (frame.anchor)
        note_anchor(reader, frame.anchor, frame.value, &frame);
    return frame.is_map ? check_duplicates(reader, frame.value) : NULL;
}

/* --- aliases --- */

/* The copy's nodes began where the original's did. */
static void copy_lines(struct yaml_doc *doc, const struct json *copy,
                       const struct json *original) // NOLINT(misc-no-recursion)
{
    const struct json *from = json_first(original);

    set_line(doc, copy, yaml_line(doc, original));
    json_each (to, copy) {
        copy_lines(doc, to, from);
        from = json_next(from);
    }
}

static struct err *on_alias(struct reader *reader, const yaml_event_t *event)
{
    const char *name = (const char *)event->data.alias.anchor;
    const struct anchor *anchor = NULL;
    struct json *copy;

    if (wants_key(reader))
        return bad(reader, line_of(event), "an alias cannot be a key");
    for (size_t i = 0; i < reader->anchor_count && !anchor; i++)
        anchor = text_equal(reader->anchors[i].name, name) ? &reader->anchors[i] : NULL;
    if (!anchor)
        return err_new(ERR_INVALID, "%s:%d: the alias *%.100s has no anchor before it", reader->name,
                       line_of(event), name);
    if (reader->depth + anchor->height > reader->limits.max_depth)
        return bad(reader, line_of(event), "nested too deep");
    TRY(count(reader, anchor->nodes, anchor->bytes, line_of(event)));
    copy = json_copy(anchor->value);
    copy_lines(reader->doc, copy, anchor->value);
    attach(reader, copy, anchor->height);
    return NULL;
}

/* --- the stream --- */

static void begin_document(struct reader *reader)
{
    reader->doc = xcalloc(1, sizeof(*reader->doc));
    reader->doc->name = xstrdup(reader->name);
}

static struct err *end_document(struct reader *reader, const yaml_event_t *event)
{
    struct yaml_doc *doc = TAKE(reader->doc);

    forget_anchors(reader);
    if (json_type(doc->root) == JSON_NULL) {
        doc_free(doc);
        return count(reader, 1, 0, line_of(event));
    }
    reader->docs.items = xgrow(reader->docs.items, reader->docs.count, sizeof(*reader->docs.items));
    reader->docs.items[reader->docs.count++] = doc;
    return NULL;
}

static struct err *on_event(struct reader *reader, const yaml_event_t *event)
{
    switch (event->type) {
    case YAML_DOCUMENT_START_EVENT:
        begin_document(reader);
        return NULL;
    case YAML_DOCUMENT_END_EVENT:
        return end_document(reader, event);
    case YAML_SCALAR_EVENT:
        return on_scalar(reader, event);
    case YAML_ALIAS_EVENT:
        return on_alias(reader, event);
    case YAML_SEQUENCE_START_EVENT:
    case YAML_MAPPING_START_EVENT:
        return begin_container(reader, event, event->type == YAML_MAPPING_START_EVENT);
    case YAML_SEQUENCE_END_EVENT:
    case YAML_MAPPING_END_EVENT:
        return end_container(reader);
    case YAML_NO_EVENT:
    case YAML_STREAM_START_EVENT:
    case YAML_STREAM_END_EVENT:
    default:
        return NULL;
    }
}

static struct err *read_stream(struct reader *reader)
{
    yaml_event_type_t type = YAML_NO_EVENT;

    while (type != YAML_STREAM_END_EVENT) {
        yaml_event_t event;
        struct err *err;

        if (!yaml_parser_parse(&reader->parser, &event))
            return syntax_error(reader);
        type = event.type;
        err = on_event(reader, &event);
        yaml_event_delete(&event);
        TRY(err);
    }
    return NULL;
}

static void reader_done(struct reader *reader)
{
    while (reader->depth) {
        struct frame *frame = &reader->frames[--reader->depth];

        json_free(frame->value);
        xfree(frame->key);
        xfree(frame->anchor);
    }
    xfree(reader->frames);
    forget_anchors(reader);
    doc_free(reader->doc);
    yaml_docs_done(&reader->docs);
    yaml_parser_delete(&reader->parser);
}

struct err *yaml_parse(struct str text, const char *name, const struct yaml_limits *limits,
                       struct yaml_docs *ret)
{
    struct reader reader = {.name = name, .text = text, .limits = limits ? *limits : (struct yaml_limits){0}};
    struct err *err;

    if (!reader.limits.max_bytes)
        reader.limits.max_bytes = MAX_BYTES;
    if (!reader.limits.max_nodes)
        reader.limits.max_nodes = MAX_NODES;
    if (!reader.limits.max_depth)
        reader.limits.max_depth = MAX_DEPTH;
    if (text.len > reader.limits.max_bytes)
        return err_new(ERR_INVALID, "%s: larger than %zu bytes", name, reader.limits.max_bytes);
    if (!yaml_parser_initialize(&reader.parser))
        abort(); /* only memory can be missing */
    reader.frames = xcalloc((size_t)reader.limits.max_depth, sizeof(*reader.frames));
    yaml_parser_set_encoding(&reader.parser, YAML_UTF8_ENCODING);
    yaml_parser_set_input_string(&reader.parser, (const unsigned char *)(text.ptr ? text.ptr : ""), text.len);
    err = read_stream(&reader);
    if (!err) {
        *ret = reader.docs;
        reader.docs = (struct yaml_docs){0};
    }
    reader_done(&reader);
    return err;
}

struct err *yaml_read_file(const char *path, const struct yaml_limits *limits, struct yaml_docs *ret)
{
    AUTO_BUF struct buf text = BUF_SECRET(limits && limits->max_bytes ? limits->max_bytes : MAX_BYTES);

    TRY(file_read(path, &text));
    return yaml_parse(buf_str(&text), path, limits, ret);
}
