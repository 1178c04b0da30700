#include "pkg/aws/xml.h"

#include "pkg/base/buf.h"
#include "pkg/base/secret.h"

#define NAME_MAX_BYTES 256

struct xml {
    char *name;
    struct buf text;
    struct xml *parent;
    struct xml *first, *last;
    struct xml *next;
};

struct parser {
    struct str text;
    size_t at;
    struct xml *root;
    struct xml *open; /* the element we are in; NULL before and after the root */
    size_t nodes, max_nodes;
    int depth, max_depth;
};

static void free_one(struct xml *node)
{
    xfree(node->name);
    buf_done(&node->text);
    xfree(node);
}

void xml_free(struct xml *root)
{
    struct xml *node = root;

    /* Without recursion: down to a leaf, free it, on with its sibling or back up. */
    while (node) {
        struct xml *up = node->parent;

        if (node->first) {
            struct xml *child = node->first;

            node->first = NULL;
            node = child;
            continue;
        }
        if (node == root)
            up = NULL;
        else if (node->next)
            up = node->next;
        free_one(node);
        node = up;
    }
}

static struct err *fail(const struct parser *parser, const char *what)
{
    return err_new(ERR_INVALID, "XML: %s at byte %zu", what, parser->at);
}

static bool at_end(const struct parser *parser)
{
    return parser->at >= parser->text.len;
}

static char peek(const struct parser *parser)
{
    return at_end(parser) ? '\0' : parser->text.ptr[parser->at];
}

static bool starts(const struct parser *parser, const char *prefix)
{
    return str_starts(str_from(parser->text, parser->at), prefix);
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

static void skip_blanks(struct parser *parser)
{
    while (!at_end(parser) && is_blank(peek(parser)))
        parser->at++;
}

/* Goes behind the next `end`. */
static struct err *skip_past(struct parser *parser, const char *end, const char *what)
{
    struct str rest = str_from(parser->text, parser->at);
    const char *found = rest.len ? memmem(rest.ptr, rest.len, end, strlen(end)) : NULL;

    if (!found)
        return fail(parser, what);
    parser->at += (size_t)(found - rest.ptr) + strlen(end);
    return NULL;
}

static bool is_name_char(char c)
{
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '-' || c == '.' || c == ':' || (unsigned char)c >= 0x80;
}

/* Without its prefix. */
static struct err *read_name(struct parser *parser, struct str *ret)
{
    size_t start = parser->at;
    const char *colon;

    while (!at_end(parser) && is_name_char(peek(parser)))
        parser->at++;
    if (parser->at - start > NAME_MAX_BYTES)
        return fail(parser, "expected a name");
    *ret = (struct str){.ptr = parser->text.ptr + start, .len = parser->at - start};
    colon = ret->len ? memrchr(ret->ptr, ':', ret->len) : NULL;
    if (colon)
        *ret = str_from(*ret, (size_t)(colon - ret->ptr) + 1);
    return ret->len ? NULL : fail(parser, "expected a name");
}

static void add_utf8(struct buf *out, uint32_t code)
{
    if (code < 0x80) {
        buf_addc(out, (char)code);
    } else if (code < 0x800) {
        buf_add(out, (char[]){(char)(0xC0 | code >> 6), (char)(0x80 | (code & 63))}, 2);
    } else if (code < 0x10000) {
        buf_add(
            out,
            (char[]){(char)(0xE0 | code >> 12), (char)(0x80 | (code >> 6 & 63)), (char)(0x80 | (code & 63))},
            3);
    } else {
        buf_add(out,
                (char[]){(char)(0xF0 | code >> 18), (char)(0x80 | (code >> 12 & 63)),
                         (char)(0x80 | (code >> 6 & 63)), (char)(0x80 | (code & 63))},
                4);
    }
}

static bool is_allowed(uint32_t code)
{
    if (code < 0x20)
        return code == '\t' || code == '\n' || code == '\r';
    return code <= 0x10FFFF && !(code >= 0xD800 && code <= 0xDFFF) && code != 0xFFFE && code != 0xFFFF;
}

/* "#65" or "#x41" */
static bool read_number(struct str entity, uint32_t *ret)
{
    bool is_hex = entity.len > 1 && entity.ptr[1] == 'x';
    struct str digits = str_from(entity, is_hex ? 2 : 1);
    uint32_t base = is_hex ? 16 : 10, code = 0;

    if (!digits.len || digits.len > 8)
        return false;
    for (size_t i = 0; i < digits.len; i++) {
        char c = digits.ptr[i];
        uint32_t digit;

        if (c >= '0' && c <= '9')
            digit = (uint32_t)(c - '0');
        else if (is_hex && c >= 'a' && c <= 'f')
            digit = (uint32_t)(c - 'a' + 10);
        else if (is_hex && c >= 'A' && c <= 'F')
            digit = (uint32_t)(c - 'A' + 10);
        else
            return false;
        code = code * base + digit;
    }
    *ret = code;
    return is_allowed(code);
}

static struct err *read_entity(struct parser *parser, struct buf *out)
{
    static const struct {
        const char *name;
        char value;
    } known[] = {{"lt", '<'}, {"gt", '>'}, {"amp", '&'}, {"quot", '"'}, {"apos", '\''}};
    struct str rest = str_from(parser->text, parser->at + 1), entity;
    const char *end = memchr(rest.ptr, ';', rest.len < 12 ? rest.len : 12);
    uint32_t code;

    if (!end)
        return fail(parser, "unfinished entity");
    entity = (struct str){.ptr = rest.ptr, .len = (size_t)(end - rest.ptr)};
    if (str_starts(entity, "#")) {
        if (!read_number(entity, &code))
            return fail(parser, "bad character number");
        add_utf8(out, code);
        parser->at += entity.len + 2;
        return NULL;
    }
    for (size_t i = 0; i < COUNT_OF(known); i++) {
        if (str_is(entity, known[i].name)) {
            buf_addc(out, known[i].value);
            parser->at += entity.len + 2;
            return NULL;
        }
    }
    return fail(parser, "unknown entity");
}

/* Text between tags; outside the root only blanks. */
static struct err *read_text(struct parser *parser)
{
    while (!at_end(parser) && peek(parser) != '<') {
        size_t start = parser->at;

        if (!parser->open) {
            if (!is_blank(peek(parser)))
                return fail(parser, "text outside of the root element");
            parser->at++;
        } else if (peek(parser) == '&') {
            TRY(read_entity(parser, &parser->open->text));
        } else {
            while (!at_end(parser) && peek(parser) != '<' && peek(parser) != '&')
                parser->at++;
            buf_add(&parser->open->text, parser->text.ptr + start, parser->at - start);
        }
    }
    return NULL;
}

static struct err *read_cdata(struct parser *parser)
{
    size_t start = parser->at + strlen("<![CDATA[");

    if (!parser->open)
        return fail(parser, "text outside of the root element");
    parser->at = start;
    TRY(skip_past(parser, "]]>", "unfinished CDATA"));
    buf_add(&parser->open->text, parser->text.ptr + start, parser->at - start - strlen("]]>"));
    return NULL;
}

static struct err *skip_attributes(struct parser *parser)
{
    for (;;) {
        struct str name;
        char quote;
        const char *end;

        skip_blanks(parser);
        if (peek(parser) == '>' || peek(parser) == '/')
            return NULL;
        TRY(read_name(parser, &name));
        skip_blanks(parser);
        if (peek(parser) != '=')
            return fail(parser, "expected = after an attribute");
        parser->at++;
        skip_blanks(parser);
        quote = peek(parser);
        if (quote != '"' && quote != '\'')
            return fail(parser, "expected a quoted attribute");
        parser->at++;
        end = at_end(parser) ? NULL
                             : memchr(parser->text.ptr + parser->at, quote, parser->text.len - parser->at);
        if (!end)
            return fail(parser, "unfinished attribute");
        parser->at = (size_t)(end - parser->text.ptr) + 1;
    }
}

static void hang(struct parser *parser, struct xml *node)
{
    struct xml *parent = parser->open;

    node->parent = parent;
    if (!parent)
        parser->root = node;
    else if (parent->last)
        parent->last = parent->last->next = node;
    else
        parent->first = parent->last = node;
    parser->open = node;
    parser->depth++;
}

static void close_open(struct parser *parser)
{
    parser->open = parser->open->parent;
    parser->depth--;
}

static struct err *read_start(struct parser *parser)
{
    struct xml *node;
    struct str name;

    if (!parser->open && parser->root)
        return fail(parser, "a second root element");
    if (++parser->nodes > parser->max_nodes)
        return fail(parser, "too many elements");
    if (parser->depth >= parser->max_depth)
        return fail(parser, "nested too deeply");
    parser->at++;
    TRY(read_name(parser, &name));
    node = xcalloc(1, sizeof(*node));
    node->name = str_dup(name);
    node->text = BUF_SECRET(parser->text.len);
    hang(parser, node);
    TRY(skip_attributes(parser));
    if (starts(parser, "/>")) {
        parser->at += 2;
        close_open(parser);
        return NULL;
    }
    if (peek(parser) != '>')
        return fail(parser, "expected >");
    parser->at++;
    return NULL;
}

static struct err *read_end(struct parser *parser)
{
    struct str name;

    if (!parser->open)
        return fail(parser, "an end without a start");
    parser->at += 2;
    TRY(read_name(parser, &name));
    if (!str_is(name, parser->open->name))
        return fail(parser, "the end of another element");
    skip_blanks(parser);
    if (peek(parser) != '>')
        return fail(parser, "expected >");
    parser->at++;
    close_open(parser);
    return NULL;
}

static struct err *read_markup(struct parser *parser)
{
    if (starts(parser, "<?"))
        return skip_past(parser, "?>", "unfinished processing instruction");
    if (starts(parser, "<!--"))
        return skip_past(parser, "-->", "unfinished comment");
    if (starts(parser, "<![CDATA["))
        return read_cdata(parser);
    if (starts(parser, "<!"))
        return fail(parser, "a document type is not accepted");
    if (starts(parser, "</"))
        return read_end(parser);
    return read_start(parser);
}

/* Length of the well-formed UTF-8 sequence at `p`, 0 when there is none. */
static size_t sequence_len(const unsigned char *p, size_t left)
{
    static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
    size_t len = p[0] < 0x80             ? 1
                 : (p[0] & 0xE0) == 0xC0 ? 2
                 : (p[0] & 0xF0) == 0xE0 ? 3
                 : (p[0] & 0xF8) == 0xF0 ? 4
                                         : 0;
    uint32_t code = len == 1 ? p[0] : p[0] & (0x7Fu >> len);

    if (!len || len > left)
        return 0;
    for (size_t i = 1; i < len; i++) {
        if ((p[i] & 0xC0) != 0x80)
            return 0;
        code = code << 6 | (p[i] & 0x3F);
    }
    return code >= least[len] && is_allowed(code) ? len : 0;
}

static struct err *check_characters(struct parser *parser)
{
    while (!at_end(parser)) {
        size_t len =
            sequence_len((const unsigned char *)parser->text.ptr + parser->at, parser->text.len - parser->at);

        if (!len)
            return fail(parser, "a character that XML does not allow");
        parser->at += len;
    }
    parser->at = 0;
    return NULL;
}

static struct err *parse(struct parser *parser)
{
    TRY(check_characters(parser));
    if (starts(parser, "\xEF\xBB\xBF"))
        parser->at += 3;
    while (!at_end(parser)) {
        if (peek(parser) == '<')
            TRY(read_markup(parser));
        else
            TRY(read_text(parser));
    }
    if (parser->open || !parser->root)
        return fail(parser, "ends too early");
    return NULL;
}

struct err *xml_parse(struct str text, const struct xml_limits *limits, struct xml **ret)
{
    const struct xml_limits none = {0}, *given = limits ? limits : &none;
    struct parser parser = {
        .text = text,
        .max_nodes = given->max_nodes ? given->max_nodes : 400000,
        .max_depth = given->max_depth ? given->max_depth : 32,
    };
    struct err *err;

    if (text.len > (given->max_bytes ? given->max_bytes : 8 * MIB))
        return err_new(ERR_INVALID, "XML: longer than allowed (%zu bytes)", text.len);
    err = parse(&parser);
    if (err) {
        xml_free(parser.root);
        return err;
    }
    *ret = parser.root;
    return NULL;
}

const char *xml_name(const struct xml *node)
{
    return node ? node->name : "";
}

const char *xml_text(const struct xml *node)
{
    return node ? buf_text(&node->text) : "";
}

const struct xml *xml_first(const struct xml *node)
{
    return node ? node->first : NULL;
}

const struct xml *xml_next(const struct xml *node)
{
    return node ? node->next : NULL;
}

const struct xml *xml_at(const struct xml *node, const char *path)
{
    struct str rest = str_of(path), name;

    while (node && str_cut(&rest, '.', &name)) {
        const struct xml *child = node->first;

        while (child && !str_is(name, child->name))
            child = child->next;
        node = child;
    }
    return node;
}

const char *xml_get_text(const struct xml *node, const char *path, const char *otherwise)
{
    const struct xml *found = xml_at(node, path);

    return found ? xml_text(found) : otherwise;
}

int64_t xml_get_int(const struct xml *node, const char *path, int64_t otherwise)
{
    const struct xml *found = xml_at(node, path);
    int64_t value;

    return found && str_to_int(str_trim(str_of(xml_text(found))), &value) ? value : otherwise;
}

bool xml_get_bool(const struct xml *node, const char *path)
{
    return str_is(str_trim(str_of(xml_get_text(node, path, ""))), "true");
}

size_t xml_count(const struct xml *node)
{
    size_t count = 0;

    xml_each(item, node) count++;
    return count;
}
