#include "pkg/base/flags.h"

#define NEAR_ENOUGH 3 /* edits to a known name that still look like a slip */

struct args {
    int count;
    char *const *items;
    int next;
};

static void *field_of(const struct flag *flag, void *options)
{
    return (char *)options + flag->offset;
}

/* --- values --- */

static struct err *set_number(const struct flag *flag, const char *text, void *options)
{
    int64_t number;

    if (!str_to_int(str_of(text), &number) || number < flag->min || number > flag->max)
        return err_new(ERR_INVALID, "--%s: \"%s\" is not a number from %lld to %lld", flag->name, text,
                       (long long)flag->min, (long long)flag->max);
    *(int64_t *)field_of(flag, options) = number;
    return NULL;
}

static void list_choices(const struct flag *flag, const char *between, struct buf *out)
{
    for (int i = 0; flag->choices[i]; i++)
        buf_addf(out, "%s%s", i ? between : "", flag->choices[i]);
}

static struct err *set_choice(const struct flag *flag, const char *text, void *options)
{
    AUTO_BUF struct buf choices = BUF_MAX(1 * KIB);

    for (int i = 0; flag->choices[i]; i++) {
        if (!text_equal(flag->choices[i], text))
            continue;
        *(int *)field_of(flag, options) = i;
        return NULL;
    }
    list_choices(flag, ", ", &choices);
    return err_new(ERR_INVALID, "--%s: \"%s\" is not one of %s", flag->name, text, buf_text(&choices));
}

static struct err *set_switch(const struct flag *flag, const char *text, void *options)
{
    if (!text_equal(text, "true") && !text_equal(text, "false"))
        return err_new(ERR_INVALID, "--%s: \"%s\" is neither true nor false", flag->name, text);
    *(bool *)field_of(flag, options) = text_equal(text, "true");
    return NULL;
}

static void add_text(struct flag_texts *texts, const char *text)
{
    texts->items = xgrow(texts->items, texts->count, sizeof(*texts->items));
    texts->items[texts->count++] = text;
}

static struct err *set_value(const struct flag *flag, const char *text, void *options)
{
    switch (flag->kind) {
    case FLAG_NUMBER:
        return set_number(flag, text, options);
    case FLAG_CHOICE:
        return set_choice(flag, text, options);
    case FLAG_SWITCH:
        return set_switch(flag, text, options);
    case FLAG_TEXTS:
    case FLAG_TEXT:
        if (text_is_empty(text))
            return err_new(ERR_INVALID, "--%s: %s is missing", flag->name, flag->value);
        if (flag->kind == FLAG_TEXTS)
            add_text(field_of(flag, options), text);
        else
            *(const char **)field_of(flag, options) = text;
        return NULL;
    }
    return NULL;
}

/* --- names --- */

static const struct flag *by_name(const struct flag_table *table, struct str name)
{
    for (size_t i = 0; i < table->count; i++) {
        if (str_is(name, table->flags[i].name))
            return &table->flags[i];
    }
    return NULL;
}

static const struct flag *by_letter(const struct flag_table *table, char letter)
{
    for (size_t i = 0; i < table->count; i++) {
        if (letter && table->flags[i].letter == letter)
            return &table->flags[i];
    }
    return NULL;
}

static struct err *unknown_flag(const struct flag_table *table, struct str name)
{
    AUTO_FREE char *text = str_dup(name);
    const char *nearest = "help";

    for (size_t i = 0; i < table->count; i++) {
        if (text_distance(table->flags[i].name, text) < text_distance(nearest, text))
            nearest = table->flags[i].name;
    }
    if (text_distance(nearest, text) > NEAR_ENOUGH)
        return err_new(ERR_INVALID, "unknown flag --%s", text);
    return err_new(ERR_INVALID, "unknown flag --%s, did you mean --%s?", text, nearest);
}

/* `given` NULL: the value is the next argument. */
static struct err *take(const struct flag *flag, const char *given, struct args *args, void *options)
{
    if (given)
        return set_value(flag, given, options);
    if (flag->kind == FLAG_SWITCH)
        return set_value(flag, "true", options);
    if (args->next == args->count)
        return err_new(ERR_INVALID, "--%s: %s is missing", flag->name, flag->value);
    return set_value(flag, args->items[args->next++], options);
}

static struct err *parse_long(const struct flag_table *table, const char *arg, struct args *args,
                              void *options)
{
    struct str rest = str_of(arg), name = {0};
    const struct flag *flag;

    str_cut(&rest, '=', &name);
    flag = by_name(table, name);
    if (!flag)
        return unknown_flag(table, name);
    return take(flag, arg[name.len] == '=' ? arg + name.len + 1 : NULL, args, options);
}

static struct err *parse_short(const struct flag_table *table, const char *arg, struct args *args,
                               void *options)
{
    const struct flag *flag = by_letter(table, arg[0]);

    if (!flag)
        return err_new(ERR_INVALID, "unknown flag -%c", arg[0]);
    return take(flag, arg[1] ? arg + 1 : NULL, args, options);
}

static struct err *take_operand(const struct flag_table *table, const char *arg, void *options)
{
    const struct flag *operands = table->operands;
    struct flag_texts *texts = operands ? field_of(operands, options) : NULL;

    if (!texts || (int64_t)texts->count >= operands->max)
        return err_new(ERR_INVALID, "unexpected argument \"%s\"", arg);
    add_text(texts, arg);
    return NULL;
}

static bool is_given(const struct flag *flag, void *options)
{
    if (flag->kind == FLAG_TEXTS)
        return ((struct flag_texts *)field_of(flag, options))->count > 0;
    return flag->kind != FLAG_TEXT || *(const char **)field_of(flag, options) != NULL;
}

static struct err *check_required(const struct flag_table *table, void *options)
{
    for (size_t i = 0; i < table->count; i++) {
        const struct flag *flag = &table->flags[i];

        if (flag->required && !is_given(flag, options))
            return err_new(ERR_INVALID, "--%s %s is required", flag->name, flag->value);
    }
    return NULL;
}

struct err *flags_parse(const struct flag_table *table, int argc, char *const *argv, void *options,
                        bool *ret_help)
{
    struct args args = {.count = argc, .items = argv};

    *ret_help = false;
    while (args.next < args.count) {
        const char *arg = args.items[args.next++];

        if (text_equal(arg, "--help") || text_equal(arg, "-h")) {
            *ret_help = true;
            return NULL;
        }
        if (str_starts(str_of(arg), "--") && arg[2])
            TRY(parse_long(table, arg + 2, &args, options));
        else if (arg[0] == '-' && arg[1] && arg[1] != '-')
            TRY(parse_short(table, arg + 1, &args, options));
        else
            TRY(take_operand(table, arg, options));
    }
    return check_required(table, options);
}

void flags_done(const struct flag_table *table, void *options)
{
    for (size_t i = 0; i < table->count; i++) {
        if (table->flags[i].kind == FLAG_TEXTS)
            xfree(((struct flag_texts *)field_of(&table->flags[i], options))->items);
    }
    if (table->operands)
        xfree(((struct flag_texts *)field_of(table->operands, options))->items);
}

/* --- help --- */

static void add_usage(const struct flag *flag, struct buf *out)
{
    if (flag->letter)
        buf_addf(out, "  -%c, --%s", flag->letter, flag->name);
    else
        buf_addf(out, "      --%s", flag->name);
    if (flag->kind == FLAG_CHOICE) {
        buf_addc(out, ' ');
        list_choices(flag, "|", out);
    } else if (flag->value) {
        buf_addf(out, " %s", flag->value);
    }
}

static void add_row(const struct flag *flag, size_t width, struct buf *out)
{
    AUTO_BUF struct buf usage = BUF_MAX(1 * KIB);

    add_usage(flag, &usage);
    buf_addf(out, "%-*s   %s\n", (int)width, buf_text(&usage), flag->help);
}

void flags_help(const struct flag_table *table, struct buf *out)
{
    const struct flag help = {.name = "help", .letter = 'h', .kind = FLAG_SWITCH, .help = "this text"};
    size_t width = 0;

    for (size_t i = 0; i < table->count; i++) {
        AUTO_BUF struct buf usage = BUF_MAX(1 * KIB);

        add_usage(&table->flags[i], &usage);
        width = usage.len > width ? usage.len : width;
    }
    for (size_t i = 0; i < table->count; i++)
        add_row(&table->flags[i], width, out);
    add_row(&help, width, out);
}
