/* A small XML reader for AWS query answers: the whole text becomes a tree of names and texts. Namespaces'
 * prefixes are dropped, attributes are checked and left out, entities are the five of XML and numeric ones. A
 * DTD is refused, so that nothing can expand. */
#ifndef AWS_XML_H
#define AWS_XML_H

#include "pkg/base/err.h"
#include "pkg/base/str.h"

struct xml; /* an element, and everything below it; all of it is wiped when freed */

struct xml_limits {
    size_t max_bytes; /* 0: 8 MiB */
    size_t max_nodes; /* 0: 400,000 */
    int max_depth;    /* 0: 32 */
};

/* ERR_INVALID with the byte offset. `limits` may be NULL. */
struct err *xml_parse(struct str text, const struct xml_limits *limits, struct xml **ret) MUST_USE;
void xml_free(struct xml *root); /* NULL is fine */

static inline void auto_xml(struct xml **root)
{
    xml_free(*root);
}
#define AUTO_XML CLEANUP(auto_xml)

/* All accept NULL and then answer with nothing. */
const char *xml_name(const struct xml *node);
const char *xml_text(const struct xml *node); /* its own text, as it stands; never NULL */
const struct xml *xml_first(const struct xml *node);
const struct xml *xml_next(const struct xml *node);
/* First element down a path of names joined with '.'; NULL when there is none. */
const struct xml *xml_at(const struct xml *node, const char *path);
const char *xml_get_text(const struct xml *node, const char *path, const char *otherwise);
int64_t xml_get_int(const struct xml *node, const char *path, int64_t otherwise);
bool xml_get_bool(const struct xml *node, const char *path);
size_t xml_count(const struct xml *node);

/* xml_each(item, node) { ... }: the elements right below. */
#define xml_each(item, node) for (const struct xml *item = xml_first(node); item; item = xml_next(item))

#endif
