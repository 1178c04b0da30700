#include "controller/names.h"

#include "pkg/base/digest.h"

void name_run_id(int64_t wall_ms, struct random *random, char ret[RUN_ID_MAX])
{
    /* No vowels and no digits that look like letters: nothing readable by chance, nothing to misread. */
    static const char alphabet[] = "bcdfghjkmnpqrstvwxz2456789";
    struct time_parts p = time_parts_of(wall_ms);
    int len = snprintf(ret, RUN_ID_MAX, "%04d%02d%02d-%02d%02d%02d-", p.year, p.month, p.day, p.hour,
                       p.minute, p.second);

    for (int i = 0; i < 5; i++)
        ret[len++] = alphabet[random_below(random, sizeof(alphabet) - 1)];
    ret[len] = '\0';
}

void name_token(const struct stage *stage, char ret[TOKEN_MAX])
{
    AUTO_BUF struct buf text = BUF_MAX(64 * KIB);
    char hex[2 * SHA256_BYTES + 1];

    buf_addf(&text, "%s\n%s\n%s\n%s\n%lld", stage->pass->uid, stage->pass->status->run.id,
             stage->database ? stage->database->name : stage->row->name, stage->step->name,
             (long long)stage->row->attempt);
    sha256_hex(buf_str(&text), hex);
    memcpy(ret, hex, TOKEN_MAX - 1);
    ret[TOKEN_MAX - 1] = '\0';
}

char *name_copy(const char *prefix, const char *run_id, int64_t attempt)
{
    if (attempt > 1)
        return xasprintf("%s-%s-%lld", prefix, run_id, (long long)attempt);
    return xasprintf("%s-%s", prefix, run_id);
}

char *name_series(const struct pass *pass)
{
    return xasprintf("%s/%s/%s", pass->objects->installation, pass->namespace, pass->spec->series);
}

void name_copy_tags(const struct stage *stage, const char *self, const char *series,
                    struct aws_pair ret[COPY_TAG_COUNT])
{
    ret[0] = (struct aws_pair){TAG_SELF, self};
    ret[1] = (struct aws_pair){TAG_SERIES, series};
    ret[2] = (struct aws_pair){TAG_RUN, stage->pass->status->run.id};
    ret[3] = (struct aws_pair){TAG_DATABASE, stage->database->name};
}

/* --- names in other texts --- */

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_word(char c)
{
    return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

/* What follows makes the name another one: "-2", "-2.cluster-x", "7". */
static bool goes_on(struct str rest)
{
    size_t digits = 0;

    if (!rest.len || rest.ptr[0] != '-')
        return rest.len && is_word(rest.ptr[0]);
    while (digits + 1 < rest.len && is_digit(rest.ptr[digits + 1]))
        digits++;
    return digits && (digits + 1 == rest.len || !is_word(rest.ptr[digits + 1]));
}

bool name_is_mentioned(struct str text, const char *identifier)
{
    struct str name = str_of(identifier);

    for (size_t at = 0; name.len && at + name.len <= text.len; at++) {
        bool begins = !at || (!is_word(text.ptr[at - 1]) && text.ptr[at - 1] != '-');

        if (begins && str_equal_nocase((struct str){.ptr = text.ptr + at, .len = name.len}, name) &&
            !goes_on(str_from(text, at + name.len)))
            return true;
    }
    return false;
}

/* --- templates --- */

#define VALUES_PER_DATABASE 7

static void add_value(struct template_values *values, char *name, char *value)
{
    if (!value) {
        xfree(name);
        return;
    }
    values->owned[2 * values->count] = name;
    values->owned[2 * values->count + 1] = value;
    values->items[values->count++] = (struct template_value){.name = name, .value = value};
}

static void add_database(struct template_values *values, const struct database_status *db,
                         enum database_kind kind)
{
    bool aurora = kind == DATABASE_AURORA;
    const struct {
        const char *attribute;
        const char *value;
    } rows[] = {
        {"endpoint", aurora ? db->endpoint : NULL},
        {"readerEndpoint", aurora ? db->reader_endpoint : NULL},
        {"clusterIdentifier", aurora ? db->copy_identifier : NULL},
        {"tableName", aurora ? NULL : db->copy_identifier},
        {"streamARN", aurora ? NULL : db->stream_arn},
        {"arn", db->copy_arn},
    };

    for (size_t i = 0; i < COUNT_OF(rows); i++)
        add_value(values, xasprintf("databases.%s.%s", db->name, rows[i].attribute),
                  xstrdup_or_null(rows[i].value));
    if (aurora && db->port)
        add_value(values, xasprintf("databases.%s.port", db->name), xasprintf("%lld", (long long)db->port));
}

struct template_values names_templates(const struct pass *pass)
{
    size_t max = pass->status->database_count * VALUES_PER_DATABASE + 1;
    struct template_values values = {
        .items = xcalloc(max, sizeof(*values.items)),
        .owned = xcalloc(2 * max, sizeof(*values.owned)),
    };

    add_value(&values, xstrdup("run.id"), xstrdup(pass->status->run.id));
    for (size_t i = 0; i < pass->status->database_count; i++) {
        const struct database_spec *spec = refresh_database(pass->spec, pass->status->databases[i].name);

        if (spec)
            add_database(&values, &pass->status->databases[i], spec->kind);
    }
    return values;
}

void names_free_templates(struct template_values *values)
{
    for (size_t i = 0; i < 2 * values->count; i++)
        xfree(values->owned[i]);
    xfree(values->owned);
    xfree(values->items);
    *values = (struct template_values){0};
}
