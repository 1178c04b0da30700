/* The shared files of the AWS tools: ~/.aws/config and ~/.aws/credentials.
 * https://docs.aws.amazon.com/sdkref/latest/guide/file-format.html */
#ifndef AWS_INI_H
#define AWS_INI_H

#include "pkg/base/err.h"
#include "pkg/base/str.h"

struct ini_entry {
    char *key;   /* lower case; inside a nested block "block.key" */
    char *value; /* wiped when freed */
};
struct ini_section {
    char *name; /* "default", "profile shop", "services local" */
    struct ini_entry *entries;
    size_t count;
};
struct ini {
    struct ini_section *sections;
    size_t count;
};

/* Names are as the aws command reads them: "key = value" or "key: value", [profile shop] or [profile "shop"].
 * Comments start with '#' or ';' at the beginning of a line, or after a blank. Sections of one name are one.
 * Caps: 1 MiB, 10,000 entries. ERR_INVALID "name:line: ..."; values are never quoted. */
struct err *ini_parse(struct str text, const char *name, struct ini *ret) MUST_USE;
void ini_done(struct ini *ini);
#define AUTO_INI CLEANUP(ini_done)

const struct ini_section *ini_section(const struct ini *ini, const char *name);
/* NULL: not there. The later of two entries counts. */
const char *ini_get(const struct ini_section *section, const char *key);

#endif
