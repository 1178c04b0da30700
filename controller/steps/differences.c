#include "controller/steps/differences.h"

#include <stdlib.h>

/* So many times a property is put right; a copy that nobody else changes needs one. */
#define TRIES_MAX 5
#define REFUSED_EVIDENCE "refused" /* "name\terror\n" per property */
#define TRIED_EVIDENCE "tried"     /* "name\n" per try */

void findings_done(struct findings *findings)
{
    buf_done(&findings->differences);
    buf_done(&findings->remarks);
}

/* --- what was given up --- */

/* The line of `name` in a list of lines; false: there is none. */
static bool line_of(const char *lines, const char *name, char end, struct str *ret_rest)
{
    struct str rest = str_of(lines), line;

    while (str_cut(&rest, '\n', &line)) {
        struct str tail = line, head;

        if (!str_cut(&tail, end, &head) || !str_is(head, name))
            continue;
        *ret_rest = tail;
        return true;
    }
    return false;
}

static size_t tries_of(const struct stage *stage, const char *name)
{
    struct str rest = str_of(step_evidence(stage->row, TRIED_EVIDENCE)), line;
    size_t count = 0;

    while (str_cut(&rest, '\n', &line))
        count += str_is(line, name);
    return count;
}

static void append_evidence(struct stage *stage, const char *evidence, const char *line)
{
    const char *before = step_evidence(stage->row, evidence);
    AUTO_BUF struct buf text = BUF_MAX(2000);

    buf_addf(&text, "%s%s\n", before ? before : "", line);
    if (!text.overflow)
        step_set_evidence(stage->row, evidence, buf_text(&text));
}

static void give_up(struct stage *stage, const char *name, const struct err *err)
{
    AUTO_FREE char *why = str_dup(str_cut_utf8(str_of(err_text(err)), 200));
    AUTO_FREE char *line = NULL;

    for (char *c = why; *c; c++) {
        if (*c == '\n' || *c == '\t')
            *c = ' ';
    }
    line = xasprintf("%s\t%s", name, why);
    append_evidence(stage, REFUSED_EVIDENCE, line);
}

static bool is_given_up(const struct stage *stage, const char *name)
{
    struct str why;

    return line_of(step_evidence(stage->row, REFUSED_EVIDENCE), name, '\t', &why) ||
           tries_of(stage, name) >= TRIES_MAX;
}

/* --- one property, seen from all sides --- */

struct sight {
    char *wanted, *is, *in_use;
};

static void sight_done(struct sight *sight)
{
    xfree(sight->wanted);
    xfree(sight->is);
    xfree(sight->in_use);
}

static struct sight look(const struct property *property, const struct sides *sides)
{
    struct sight sight = {0};

    if (property->applies && !property->applies(sides))
        return sight;
    sight.wanted = property->asked ? property->asked(sides) : NULL;
    if (!sight.wanted && property->follows && sides->model)
        sight.wanted = property->of(sides->model);
    sight.is = property->of(sides->is);
    sight.in_use = sides->in_use ? property->of(sides->in_use) : NULL;
    return sight;
}

static bool is_wrong(const struct sight *sight)
{
    return sight->wanted && !text_equal(sight->wanted, sight->is);
}

struct err *differences_put_right(const struct property_table *table, const struct sides *sides,
                                  const char **ret_name)
{
    for (size_t i = 0; i < table->count; i++) {
        const struct property *property = &table->rows[i];
        CLEANUP(sight_done) struct sight sight = look(property, sides);
        struct err *err;

        if (!is_wrong(&sight) || !property->put_right || is_given_up(sides->stage, property->name))
            continue;
        err = property->put_right(sides, sight.wanted);
        if (err && err_kind(err) == ERR_INVALID) {
            give_up(sides->stage, property->name, err);
            err_ignore(err, "it is listed with the differences");
            continue;
        }
        TRY(err_wrap(err, "set %s", property->name));
        append_evidence(sides->stage, TRIED_EVIDENCE, property->name);
        *ret_name = property->name;
        return NULL;
    }
    return NULL;
}

/* --- sentences --- */

static void add_separator(struct buf *list)
{
    if (list->len)
        buf_adds(list, ", ");
}

static const char *said(const char *text)
{
    return text ? text : "absent";
}

static void find(const struct property *property, const struct sides *sides, struct findings *findings)
{
    CLEANUP(sight_done) struct sight sight = look(property, sides);
    const char *whose = sides->whose ? sides->whose : "its";
    struct str why;

    if (is_wrong(&sight)) {
        add_separator(&findings->differences);
        buf_addf(&findings->differences, "%s %s is %s instead of %s", whose, property->name, said(sight.is),
                 sight.wanted);
        if (line_of(step_evidence(sides->stage->row, REFUSED_EVIDENCE), property->name, '\t', &why))
            buf_addf(&findings->differences, " (cannot be changed: " STR_FMT ")", STR_ARG(why));
    }
    if (sight.in_use && !text_equal(sight.in_use, sight.is))
        differences_remark(findings, "%s %s is %s, the copy in use has %s", whose, property->name,
                           said(sight.is), sight.in_use);
}

void differences_find(const struct property_table *table, const struct sides *sides,
                      struct findings *findings)
{
    for (size_t i = 0; i < table->count; i++)
        find(&table->rows[i], sides, findings);
}

void differences_remark(struct findings *findings, const char *fmt, ...)
{
    AUTO_FREE char *text = NULL;
    va_list args;

    va_start(args, fmt);
    text = xvasprintf(fmt, args);
    va_end(args);
    add_separator(&findings->remarks);
    buf_adds(&findings->remarks, text);
}

/* The evidence takes so much; a character is not cut in two. */
static char *take_list(const struct buf *list)
{
    AUTO_FREE char *cut = str_dup(str_cut_utf8(buf_str(list), DIFFERENCES_MAX - 3));

    if (!list->len)
        return NULL;
    return list->overflow ? xasprintf("%s...", cut) : xstrdup(buf_text(list));
}

void differences_settle(struct stage *stage, const struct findings *findings, struct outcome *out)
{
    const char *name = stage->copy->copy_identifier;
    AUTO_FREE char *list = take_list(&findings->differences);
    AUTO_FREE char *remarks = take_list(&findings->remarks);

    step_set_evidence(stage->row, DIFFERENCES_EVIDENCE, list);
    step_set_evidence(stage->row, REMARKS_EVIDENCE, remarks);
    if (!list)
        *out = outcome_done("%s is as asked for", name);
    else if (stage->pass->spec->differences == DIFFERENCES_FAIL)
        *out = outcome_failed("CopyDiffers",
                              "%s is not what was asked for: %s; put it right, or set "
                              "spec.switchover.differences to Report",
                              name, list);
    else
        *out = outcome_done("%s differs from what was asked for: %s", name, list);
}

/* --- texts of lists --- */

static int by_text(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

char *text_join(const char *const *items, size_t count)
{
    AUTO_FREE const char **sorted = xcalloc(count + 1, sizeof(*sorted));
    AUTO_BUF struct buf text = BUF_MAX(4 * KIB);

    for (size_t i = 0; i < count; i++)
        sorted[i] = items[i];
    qsort(sorted, count, sizeof(*sorted), by_text);
    for (size_t i = 0; i < count; i++)
        buf_addf(&text, "%s%s", i ? ", " : "", sorted[i]);
    return count ? buf_take(&text) : xstrdup("none");
}

static bool has_part(const char *text, struct str part)
{
    struct str rest = str_of(text), one;

    while (str_cut(&rest, ',', &one)) {
        if (str_equal(str_trim(one), part))
            return true;
    }
    return false;
}

size_t text_parts(const char *text, const char *other, struct str *ret, size_t max)
{
    struct str rest = str_of(text), one;
    size_t count = 0;

    while (!text_equal(text, "none") && count < max && str_cut(&rest, ',', &one)) {
        one = str_trim(one);
        if (one.len && !has_part(other, one))
            ret[count++] = one;
    }
    return count;
}

char *text_switch(bool on)
{
    return xstrdup(on ? "on" : "off");
}
