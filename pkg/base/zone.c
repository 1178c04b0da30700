#include "pkg/base/zone.h"

#include "pkg/base/files.h"
#include "pkg/base/times.h"

#define FOLDER "/usr/share/zoneinfo"
#define FILE_MAX (128 * KIB)
#define NAME_MAX_BYTES 64
#define HEADER_BYTES 44
#define TRANSITIONS_MAX 4096
#define TYPES_MAX 256

enum rule_kind { RULE_MONTH, RULE_JULIAN, RULE_DAY };
/* A day of every year, and a time of it. */
struct rule {
    enum rule_kind kind;
    int month, week, weekday; /* RULE_MONTH */
    int day;                  /* RULE_JULIAN: 1 to 365, no leap day; RULE_DAY: 0 to 365 */
    int64_t time_s;           /* of the local clock before the change; may lie outside of the day */
};

/* What holds after the last transition. */
struct tail {
    bool present, has_summer;
    int64_t standard_s, summer_s;
    struct rule begin, end;
};

struct type {
    int64_t offset_s;
};

struct zone {
    int64_t *at_s; /* ascending */
    uint8_t *type_at;
    size_t count;
    struct type *types;
    size_t type_count;
    struct tail tail;
};

void zone_free(struct zone *zone)
{
    if (!zone)
        return;
    xfree(zone->at_s);
    xfree(zone->type_at);
    xfree(zone->types);
    xfree(zone);
}

/* --- the rule at the end: "CET-1CEST,M3.5.0,M10.5.0/3" --- */

static bool take_char(struct str *text, char c)
{
    if (!text->len || text->ptr[0] != c)
        return false;
    *text = str_from(*text, 1);
    return true;
}

static bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool take_name(struct str *text)
{
    size_t len = 0;
    struct str piece;

    if (take_char(text, '<'))
        return str_cut(text, '>', &piece) && piece.len >= 3;
    while (len < text->len && is_letter(text->ptr[len]))
        len++;
    *text = str_from(*text, len);
    return len >= 3;
}

static bool take_number(struct str *text, int64_t max, int64_t *ret)
{
    int64_t number = 0;
    size_t len = 0;

    while (len < text->len && len < 4 && text->ptr[len] >= '0' && text->ptr[len] <= '9')
        number = number * 10 + (text->ptr[len++] - '0');
    if (!len || number > max)
        return false;
    *text = str_from(*text, len);
    *ret = number;
    return true;
}

/* [+-]hh[:mm[:ss]] */
static bool take_clock(struct str *text, int64_t *ret_s)
{
    int64_t sign = 1, hours = 0, minutes = 0, seconds = 0;

    if (take_char(text, '-'))
        sign = -1;
    else
        (void)take_char(text, '+');
    if (!take_number(text, 167, &hours))
        return false;
    if (take_char(text, ':') && !take_number(text, 59, &minutes))
        return false;
    if (take_char(text, ':') && !take_number(text, 59, &seconds))
        return false;
    *ret_s = sign * (hours * 3600 + minutes * 60 + seconds);
    return true;
}

static bool take_month_rule(struct str *text, struct rule *rule)
{
    int64_t month = 0, week = 0, weekday = 0;

    if (!take_number(text, 12, &month) || !take_char(text, '.') || !take_number(text, 5, &week) ||
        !take_char(text, '.') || !take_number(text, 6, &weekday))
        return false;
    rule->kind = RULE_MONTH;
    rule->month = (int)month;
    rule->week = (int)week;
    rule->weekday = (int)weekday;
    return month >= 1 && week >= 1;
}

static bool take_rule(struct str *text, struct rule *rule)
{
    int64_t day = 0;

    rule->time_s = 2 * 3600;
    if (take_char(text, 'M')) {
        if (!take_month_rule(text, rule))
            return false;
    } else {
        rule->kind = take_char(text, 'J') ? RULE_JULIAN : RULE_DAY;
        if (!take_number(text, 365, &day) || (rule->kind == RULE_JULIAN && day < 1))
            return false;
        rule->day = (int)day;
    }
    return !take_char(text, '/') || take_clock(text, &rule->time_s);
}

/* POSIX counts westwards. */
static bool take_offset(struct str *text, int64_t *ret_s)
{
    int64_t west_s;

    if (!take_clock(text, &west_s))
        return false;
    *ret_s = -west_s;
    return true;
}

static bool parse_tail(struct str text, struct tail *ret)
{
    struct tail tail = {.present = true};

    if (!text.len) /* nothing is known of later times: the last type goes on */
        return true;
    if (!take_name(&text) || !take_offset(&text, &tail.standard_s))
        return false;
    if (text.len) {
        tail.has_summer = true;
        tail.summer_s = tail.standard_s + 3600;
        if (!take_name(&text) || (text.len && text.ptr[0] != ',' && !take_offset(&text, &tail.summer_s)))
            return false;
        if (!take_char(&text, ',') || !take_rule(&text, &tail.begin) || !take_char(&text, ',') ||
            !take_rule(&text, &tail.end))
            return false;
    }
    if (text.len)
        return false;
    *ret = tail;
    return true;
}

/* --- the file --- */

struct counts {
    size_t utc, standard, leap, time, type, chars;
};

static uint32_t number_at(struct str bytes, size_t at)
{
    const unsigned char *p = (const unsigned char *)bytes.ptr + at;

    return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

static int64_t time_at(struct str bytes, size_t index, size_t width)
{
    if (width == 4)
        return (int32_t)number_at(bytes, index * 4);
    return (int64_t)((uint64_t)number_at(bytes, index * 8) << 32 | number_at(bytes, index * 8 + 4));
}

/* False when it is no header, or one with more than any zone has. */
static bool take_header(struct str *rest, struct counts *ret, char *ret_version)
{
    if (rest->len < HEADER_BYTES || !str_starts(*rest, "TZif"))
        return false;
    *ret_version = rest->ptr[4];
    *ret = (struct counts){.utc = number_at(*rest, 20),
                           .standard = number_at(*rest, 24),
                           .leap = number_at(*rest, 28),
                           .time = number_at(*rest, 32),
                           .type = number_at(*rest, 36),
                           .chars = number_at(*rest, 40)};
    *rest = str_from(*rest, HEADER_BYTES);
    return ret->time <= TRANSITIONS_MAX && ret->type >= 1 && ret->type <= TYPES_MAX &&
           ret->chars <= 4 * KIB && ret->leap <= KIB && ret->utc <= TYPES_MAX && ret->standard <= TYPES_MAX;
}

static size_t block_bytes(const struct counts *counts, size_t width)
{
    return counts->time * (width + 1) + counts->type * 6 + counts->chars + counts->leap * (width + 4) +
           counts->standard + counts->utc;
}

static bool read_types(struct zone *zone, struct str bytes, size_t count)
{
    zone->types = xcalloc(count, sizeof(*zone->types));
    zone->type_count = count;
    for (size_t i = 0; i < count; i++) {
        zone->types[i].offset_s = (int32_t)number_at(bytes, i * 6);
        if (zone->types[i].offset_s < -26 * 3600 || zone->types[i].offset_s > 26 * 3600)
            return false;
    }
    return true;
}

static bool read_transitions(struct zone *zone, struct str block, const struct counts *counts, size_t width)
{
    zone->at_s = xcalloc(counts->time + 1, sizeof(*zone->at_s));
    zone->type_at = xcalloc(counts->time + 1, sizeof(*zone->type_at));
    zone->count = counts->time;
    for (size_t i = 0; i < counts->time; i++) {
        zone->at_s[i] = time_at(block, i, width);
        zone->type_at[i] = (uint8_t)block.ptr[counts->time * width + i];
        if (zone->type_at[i] >= counts->type || (i && zone->at_s[i] <= zone->at_s[i - 1]))
            return false;
    }
    return true;
}

static bool read_block(struct zone *zone, struct str *rest, const struct counts *counts, size_t width)
{
    size_t bytes = block_bytes(counts, width);
    struct str block = *rest;

    /* Zones that count leap seconds have another clock than ours. */
    if (rest->len < bytes || counts->leap)
        return false;
    *rest = str_from(*rest, bytes);
    return read_transitions(zone, block, counts, width) &&
           read_types(zone, str_from(block, counts->time * (width + 1)), counts->type);
}

static bool read_file(struct zone *zone, struct str rest)
{
    struct counts counts;
    struct str footer;
    char version;

    if (!take_header(&rest, &counts, &version))
        return false;
    if (!version)
        return read_block(zone, &rest, &counts, 4);
    if (rest.len < block_bytes(&counts, 4))
        return false;
    rest = str_from(rest, block_bytes(&counts, 4)); /* all of it follows again, in 64 bits */
    if (!take_header(&rest, &counts, &version) || !read_block(zone, &rest, &counts, 8))
        return false;
    return take_char(&rest, '\n') && rest.len && rest.ptr[rest.len - 1] == '\n' &&
           str_cut(&rest, '\n', &footer) && parse_tail(footer, &zone->tail);
}

struct err *zone_parse(struct str content, struct zone **ret)
{
    AUTO_ZONE struct zone *zone = xcalloc(1, sizeof(*zone));

    if (!read_file(zone, content))
        return err_new(ERR_INVALID, "not a time zone that can be read");
    *ret = TAKE(zone);
    return NULL;
}

/* Letters, digits, "_+-" in pieces; no dots, so that no name leads out of the folder. */
static bool is_name(const char *name)
{
    size_t len = 0;

    for (; name[len]; len++) {
        bool sign = strchr("_+-", name[len]) != NULL, digit = name[len] >= '0' && name[len] <= '9';
        bool slash = name[len] == '/' && len && name[len - 1] != '/' && name[len + 1];

        if (len >= NAME_MAX_BYTES || !(is_letter(name[len]) || slash || (len && (sign || digit))))
            return false;
    }
    return len > 0;
}

static bool is_utc(const char *name)
{
    return text_equal(name, "UTC") || text_equal(name, "Etc/UTC");
}

struct err *zone_load(const char *name, struct zone **ret)
{
    AUTO_BUF struct buf content = BUF_MAX(FILE_MAX);
    AUTO_FREE char *path = xasprintf("%s/%s", FOLDER, name);
    struct err *err;

    if (!is_name(name))
        return err_new(ERR_INVALID, "\"%.64s\" is not the name of a time zone", name);
    if (is_utc(name)) {
        *ret = xcalloc(1, sizeof(**ret));
        return NULL;
    }
    err = file_read(path, &content);
    if (err && err_kind(err) == ERR_NOT_FOUND) {
        err_ignore(err, "said in words of the user");
        return err_new(ERR_INVALID, "there is no time zone %s on this machine", name);
    }
    TRY(err);
    return err_wrap(zone_parse(buf_str(&content), ret), "time zone %s", name);
}

/* --- asking --- */

/* The moment of the rule in that year, on a clock that is `offset_s` ahead of UTC. */
static int64_t rule_in_year_s(const struct rule *rule, int year, int64_t offset_s)
{
    struct time_parts parts = {.year = year, .month = 1, .day = 1};
    int64_t day_s = time_from_parts(&parts) / 1000;
    bool is_leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;

    if (rule->kind == RULE_MONTH) {
        int64_t next_s;
        int ahead;

        parts.month = rule->month;
        day_s = time_from_parts(&parts) / 1000;
        ahead = (rule->weekday - time_parts_of(day_s * 1000).weekday + 7) % 7;
        day_s += (ahead + 7 * (rule->week - 1)) * INT64_C(86400);
        parts.month = rule->month == 12 ? 1 : rule->month + 1;
        parts.year = rule->month == 12 ? year + 1 : year;
        next_s = time_from_parts(&parts) / 1000;
        if (day_s >= next_s) /* week 5 is the last one */
            day_s -= 7 * INT64_C(86400);
    } else if (rule->kind == RULE_JULIAN) {
        day_s += (rule->day - 1 + (is_leap && rule->day >= 60)) * INT64_C(86400);
    } else {
        day_s += rule->day * INT64_C(86400);
    }
    return day_s + rule->time_s - offset_s;
}

static int64_t tail_offset_s(const struct tail *tail, int64_t at_s)
{
    int64_t begin_s, end_s;
    bool summer;
    int year;

    if (!tail->has_summer)
        return tail->standard_s;
    year = time_parts_of((at_s + tail->standard_s) * 1000).year;
    begin_s = rule_in_year_s(&tail->begin, year, tail->standard_s);
    end_s = rule_in_year_s(&tail->end, year, tail->summer_s);
    summer = begin_s < end_s ? at_s >= begin_s && at_s < end_s : at_s >= begin_s || at_s < end_s;
    return summer ? tail->summer_s : tail->standard_s;
}

/* How many transitions lie at or before that moment. */
static size_t passed_transitions(const struct zone *zone, int64_t at_s)
{
    size_t low = 0, high = zone->count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (zone->at_s[middle] <= at_s)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

int64_t zone_offset_s(const struct zone *zone, int64_t wall_ms)
{
    int64_t at_s = wall_ms >= 0 ? wall_ms / 1000 : (wall_ms - 999) / 1000;
    size_t passed = passed_transitions(zone, at_s);

    if (passed == zone->count && zone->tail.present)
        return tail_offset_s(&zone->tail, at_s);
    if (passed)
        return zone->types[zone->type_at[passed - 1]].offset_s;
    return zone->type_count ? zone->types[0].offset_s : 0;
}
