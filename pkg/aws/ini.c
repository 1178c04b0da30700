#include "pkg/aws/ini.h"

#include "pkg/base/buf.h"
#include "pkg/base/secret.h"

#define ENTRIES_MAX 10000

struct reader {
    const char *name;
    int line;
    size_t entries;
    struct ini *ini;
    struct ini_section *section; /* NULL: before the first, or in one that is left out */
    struct str block;            /* key of the nested block we may be in */
};

void ini_done(struct ini *ini)
{
    for (size_t i = 0; i < ini->count; i++) {
        struct ini_section *section = &ini->sections[i];

        for (size_t k = 0; k < section->count; k++) {
            xfree(section->entries[k].key);
            wipe_free(section->entries[k].value);
        }
        xfree(section->entries);
        xfree(section->name);
    }
    xfree(ini->sections);
    *ini = (struct ini){0};
}

static struct err *fail(const struct reader *reader, const char *what)
{
    return err_new(ERR_INVALID, "%s:%d: %s", reader->name, reader->line, what);
}

static char *lower(struct str text)
{
    char *copy = str_dup(text);

    for (char *c = copy; *c; c++) {
        if (*c >= 'A' && *c <= 'Z')
            *c = (char)(*c - 'A' + 'a');
    }
    return copy;
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

/* The end of what a quote at `at` opens; 0: it opens nothing. */
static size_t end_of_quoted(struct str text, size_t at)
{
    const char *end;

    if (text.ptr[at] != '"' && text.ptr[at] != '\'')
        return 0;
    if (at > 0 && !is_blank(text.ptr[at - 1]))
        return 0;
    end = memchr(text.ptr + at + 1, text.ptr[at], text.len - at - 1);
    return end ? (size_t)(end - text.ptr) : 0;
}

/* "profile  shop" is "profile shop", and so is "profile 'shop'". */
static char *section_name(struct str text)
{
    AUTO_BUF struct buf out = BUF_MAX(text.len + 1);

    for (size_t i = 0; i < text.len; i++) {
        size_t end = end_of_quoted(text, i);

        if (end) {
            buf_add_str(&out, (struct str){.ptr = text.ptr + i + 1, .len = end - i - 1});
            i = end;
        } else if (!is_blank(text.ptr[i])) {
            buf_addc(&out, text.ptr[i]);
        } else if (!is_blank(text.ptr[i - 1])) {
            buf_addc(&out, ' ');
        }
    }
    return buf_take(&out);
}

static struct err *open_section(struct reader *reader, struct str line)
{
    const char *end = memchr(line.ptr, ']', line.len);
    AUTO_FREE char *name = NULL;
    struct ini *ini = reader->ini;

    if (!end)
        return fail(reader, "a section without its ]");
    if (++reader->entries > ENTRIES_MAX)
        return fail(reader, "too many entries");
    name = section_name(str_trim((struct str){.ptr = line.ptr + 1, .len = (size_t)(end - line.ptr) - 1}));
    reader->block = (struct str){0};
    for (size_t i = 0; i < ini->count; i++) {
        if (text_equal(ini->sections[i].name, name)) {
            reader->section = &ini->sections[i];
            return NULL;
        }
    }
    ini->sections = xgrow(ini->sections, ini->count, sizeof(*ini->sections));
    reader->section = &ini->sections[ini->count++];
    *reader->section = (struct ini_section){.name = TAKE(name)};
    return NULL;
}

/* A comment behind a value needs a blank before it: '#' may be part of a secret key. */
static struct str without_comment(struct str value)
{
    for (size_t i = 1; i < value.len; i++) {
        if ((value.ptr[i] == '#' || value.ptr[i] == ';') && is_blank(value.ptr[i - 1]))
            return str_trim((struct str){.ptr = value.ptr, .len = i});
    }
    return value;
}

/* Whichever comes first; inside of a nested block only '='. */
static char delimiter_of(struct str line, bool is_nested)
{
    const char *equals = memchr(line.ptr, '=', line.len);
    const char *colon = is_nested ? NULL : memchr(line.ptr, ':', line.len);

    if (colon && (!equals || colon < equals))
        return ':';
    return equals ? '=' : '\0';
}

static struct err *add_entry(struct reader *reader, struct str line, bool is_nested)
{
    struct ini_section *section = reader->section;
    char delimiter = delimiter_of(line, is_nested);
    struct str value = line, key;
    AUTO_FREE char *name = NULL;

    if (!delimiter)
        return is_nested ? NULL : fail(reader, "expected name = value");
    str_cut(&value, delimiter, &key);
    key = str_trim(key);
    value = without_comment(str_trim(value));
    if (!key.len)
        return fail(reader, "expected a name before =");
    if (!section)
        return fail(reader, "an entry before the first section");
    if (++reader->entries > ENTRIES_MAX)
        return fail(reader, "too many entries");
    name = lower(key);
    if (!is_nested)
        reader->block = key;
    section->entries = xgrow(section->entries, section->count, sizeof(*section->entries));
    section->entries[section->count++] = (struct ini_entry){
        .key = is_nested ? xasprintf(STR_FMT ".%s", STR_ARG(reader->block), name) : TAKE(name),
        .value = str_dup(value),
    };
    return NULL;
}

static struct err *read_line(struct reader *reader, struct str raw)
{
    struct str line = str_trim(raw);

    reader->line++;
    if (memchr(raw.ptr, '\0', raw.len))
        return fail(reader, "a NUL character");
    if (!line.len || line.ptr[0] == '#' || line.ptr[0] == ';')
        return NULL;
    if (line.ptr[0] == '[')
        return open_section(reader, line);
    return add_entry(reader, line, is_blank(raw.ptr[0]) && reader->block.len);
}

struct err *ini_parse(struct str text, const char *name, struct ini *ret)
{
    AUTO_INI struct ini ini = {0};
    struct reader reader = {.name = name, .ini = &ini};
    struct str rest = text, line;

    if (text.len > 1 * MIB)
        return err_new(ERR_INVALID, "%s: larger than 1 MiB", name);
    while (text.len && str_cut(&rest, '\n', &line))
        TRY(read_line(&reader, line));
    *ret = ini;
    ini = (struct ini){0};
    return NULL;
}

const struct ini_section *ini_section(const struct ini *ini, const char *name)
{
    for (size_t i = 0; i < ini->count; i++) {
        if (text_equal(ini->sections[i].name, name))
            return &ini->sections[i];
    }
    return NULL;
}

const char *ini_get(const struct ini_section *section, const char *key)
{
    const char *found = NULL;

    for (size_t i = 0; section && i < section->count; i++) {
        if (text_equal(section->entries[i].key, key))
            found = section->entries[i].value;
    }
    return found;
}
