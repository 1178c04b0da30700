/* YAML documents as JSON values, with the line of every node, so that a mistake is reported as "file:line:
 * field". YAML 1.1 core types as Kubernetes reads them (quoted scalars are strings; true/false/null,
 * integers, floats). Anchors and aliases work, but what they expand to is counted against the caps, so a bomb
 * is an error and not a hang. Duplicate keys, tags other than the core ones, merge keys ("<<") and non-string
 * keys are errors. JSON is YAML. */
#ifndef BASE_YAML_H
#define BASE_YAML_H

#include "pkg/base/json.h"

struct yaml_limits {
    size_t max_bytes; /* 0: 4 MiB of text */
    size_t max_nodes; /* 0: 200,000 after expansion */
    int max_depth;    /* 0: 64 */
};

struct yaml_doc;
struct yaml_docs { /* empty documents are left out */
    struct yaml_doc **items;
    size_t count;
};

/* `name` is what errors call the text ("refresh.yaml"). Errors: ERR_INVALID "refresh.yaml:12: ...". `limits`
 * may be NULL. */
struct err *yaml_parse(struct str text, const char *name, const struct yaml_limits *limits,
                       struct yaml_docs *ret) MUST_USE;
struct err *yaml_read_file(const char *path, const struct yaml_limits *limits,
                           struct yaml_docs *ret) MUST_USE;
void yaml_docs_done(struct yaml_docs *docs);

const struct json *yaml_root(const struct yaml_doc *doc);
const char *yaml_name(const struct yaml_doc *doc);
/* 1-based line where the node (one below yaml_root) began; 0 when it is not of this document. */
int yaml_line(const struct yaml_doc *doc, const struct json *node);
/* The line of the deepest existing node on `path` ("spec.databases[1].aurora.x" of a field that is missing:
 * its parent's). */
int yaml_line_at(const struct yaml_doc *doc, const char *path);

#define AUTO_YAML CLEANUP(yaml_docs_done)

#endif
