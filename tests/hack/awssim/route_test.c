/* Forms as trees: what a caller sends in a query protocol is what a handler reads. */
#include "hack/awssim/core.h"
#include "tests/testing/assertions.h"

static const struct row {
    const char *name, *form, *want; /* want NULL: contradicts itself */
} rows[] = {
    {.name = "nothing", .form = "", .want = "{}"},
    {.name = "plain", .form = "Action=A&Version=1", .want = "{\"Action\":\"A\",\"Version\":\"1\"}"},
    {.name = "encoded", .form = "a=x%2By+z%3D&b=", .want = "{\"a\":\"x+y z=\",\"b\":\"\"}"},
    {.name = "half an escape", .form = "a=100%&b=%4", .want = "{\"a\":\"100%\",\"b\":\"%4\"}"},
    {.name = "a list", .form = "L.m.1=a&L.m.2=b", .want = "{\"L\":{\"m\":[\"a\",\"b\"]}}"},
    {.name = "a list in any order",
     .form = "L.m.10=j&L.m.2=b&L.m.1=a&L.m.3=c&L.m.4=d&L.m.5=e&L.m.6=f&L.m.7=g&L.m.8=h&L.m.9=i",
     .want = "{\"L\":{\"m\":[\"a\",\"b\",\"c\",\"d\",\"e\",\"f\",\"g\",\"h\",\"i\",\"j\"]}}"},
    {.name = "objects in a list",
     .form = "Tags.Tag.1.Key=k&Tags.Tag.1.Value=v&Tags.Tag.2.Key=l&Tags.Tag.2.Value=",
     .want = "{\"Tags\":{\"Tag\":[{\"Key\":\"k\",\"Value\":\"v\"},{\"Key\":\"l\",\"Value\":\"\"}]}}"},
    {.name = "a list in a list",
     .form = "F.F.1.Values.Value.1=a&F.F.1.Name=n",
     .want = "{\"F\":{\"F\":[{\"Name\":\"n\",\"Values\":{\"Value\":[\"a\"]}}]}}"},
    {.name = "a list with a hole", .form = "L.m.1=a&L.m.3=c"},
    {.name = "text and object at once", .form = "a=1&a.b=2"},
    {.name = "twice", .form = "a=1&a=2"},
};

static void test_row(void **state)
{
    const struct row *row = *state;
    AUTO_JSON struct json *tree = sim_query_tree(str_of(row->form));

    if (!row->want)
        assert_null(tree);
    else
        assert_json_equal(tree, row->want);
}

int main(void)
{
    struct tests tests = {0};

    TEST_ROWS(&tests, test_row, rows);
    return tests_run(&tests, "awssim route");
}
