/* What parses is valid JSON within the caps, and every node has a line; whatever is JSON means the same in
 * YAML. */
#include "pkg/base/yaml.h"
#include "tests/fuzz/fuzz.h"

static size_t check_node(const struct yaml_doc *doc, const struct json *node,
                         int lines) // NOLINT(misc-no-recursion)
{
    size_t nodes = 1;

    FUZZ_EXPECT(yaml_line(doc, node) >= 1 && yaml_line(doc, node) <= lines);
    json_each (child, node)
        nodes += check_node(doc, child, lines);
    return nodes;
}

static void check_doc(const struct yaml_doc *doc, int lines)
{
    AUTO_BUF struct buf text = BUF_MAX(64 * MIB);
    AUTO_JSON struct json *again = NULL;

    FUZZ_EXPECT(check_node(doc, yaml_root(doc), lines) <= 5000);
    FUZZ_EXPECT(yaml_line_at(doc, "a.b[0].c") >= 1);
    json_print(yaml_root(doc), &text);
    FUZZ_EXPECT(!json_parse(buf_str(&text), NULL, &again));
    FUZZ_EXPECT(json_equal(yaml_root(doc), again));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct yaml_limits limits = {.max_bytes = 64 * KIB, .max_nodes = 5000, .max_depth = 20};
    AUTO_YAML struct yaml_docs docs = {0};
    struct err *err = yaml_parse((struct str){(const char *)data, size}, "fuzz", &limits, &docs);
    int lines = 2;

    if (err) {
        FUZZ_EXPECT(err_kind(err) == ERR_INVALID);
        err_free(err);
        return 0;
    }
    /* YAML knows more line ends than "\n": CR, NEL, LS and PS. */
    for (size_t i = 0; i < size; i++)
        lines += data[i] == '\n' || data[i] == '\r' || data[i] == 0x85 || data[i] == 0xa8 || data[i] == 0xa9;
    for (size_t i = 0; i < docs.count; i++)
        check_doc(docs.items[i], lines);
    return 0;
}
