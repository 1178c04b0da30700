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
