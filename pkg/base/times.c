#include "pkg/base/times.h"

static const char *const day_names[] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
static const char *const month_names[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                          "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};

/* Days since 1970-01-01 of a proleptic Gregorian date: counted in 400-year eras that start on 1 March, so
 * that the leap day is the last day of a year. */
static int64_t days_of(int year, int month, int day)
{
    int64_t y = month <= 2 ? year - 1 : year;
    int64_t era = (y >= 0 ? y : y - 399) / 400;
    int64_t year_of_era = y - era * 400;
    int64_t day_of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;

    return era * 146097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719468;
}

struct time_parts time_parts_of(int64_t wall_ms)
{
    int64_t days = wall_ms / DAYS(1), ms = wall_ms % DAYS(1);
    int64_t era, day_of_era, year_of_era, day_of_year, month;
    struct time_parts parts = {0};

    if (ms < 0) {
        ms += DAYS(1);
        days--;
    }
    parts.weekday = (int)(((days % 7) + 11) % 7);
    parts.hour = (int)(ms / HOURS(1));
    parts.minute = (int)(ms / MINUTES(1) % 60);
    parts.second = (int)(ms / 1000 % 60);
    parts.ms = (int)(ms % 1000);
    days += 719468;
    era = (days >= 0 ? days : days - 146096) / 146097;
    day_of_era = days - era * 146097;
    year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
    day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    month = (5 * day_of_year + 2) / 153;
    parts.day = (int)(day_of_year - (153 * month + 2) / 5 + 1);
    parts.month = (int)(month < 10 ? month + 3 : month - 9);
    parts.year = (int)(year_of_era + era * 400 + (parts.month <= 2));
    return parts;
}

int64_t time_from_parts(const struct time_parts *parts)
{
    return days_of(parts->year, parts->month, parts->day) * DAYS(1) + HOURS(parts->hour) +
           MINUTES(parts->minute) + SECONDS(parts->second) + parts->ms;
}

void time_rfc3339(int64_t wall_ms, char ret[TIME_TEXT_MAX])
{
    struct time_parts p = time_parts_of(wall_ms);

    snprintf(ret, TIME_TEXT_MAX, "%04d-%02d-%02dT%02d:%02d:%02dZ", p.year, p.month, p.day, p.hour, p.minute,
             p.second);
}

void time_rfc3339_ms(int64_t wall_ms, char ret[TIME_TEXT_MAX])
{
    struct time_parts p = time_parts_of(wall_ms);

    snprintf(ret, TIME_TEXT_MAX, "%04d-%02d-%02dT%02d:%02d:%02d.%03dZ", p.year, p.month, p.day, p.hour,
             p.minute, p.second, p.ms);
}

void time_rfc3339_micro(int64_t wall_ms, char ret[TIME_TEXT_MAX])
{
    struct time_parts p = time_parts_of(wall_ms);

    snprintf(ret, TIME_TEXT_MAX, "%04d-%02d-%02dT%02d:%02d:%02d.%03d000Z", p.year, p.month, p.day, p.hour,
             p.minute, p.second, p.ms);
}

void time_amz(int64_t wall_ms, char ret[TIME_TEXT_MAX])
{
    struct time_parts p = time_parts_of(wall_ms);

    snprintf(ret, TIME_TEXT_MAX, "%04d%02d%02dT%02d%02d%02dZ", p.year, p.month, p.day, p.hour, p.minute,
             p.second);
}

void time_http(int64_t wall_ms, char ret[TIME_TEXT_MAX])
{
    struct time_parts p = time_parts_of(wall_ms);

    snprintf(ret, TIME_TEXT_MAX, "%s, %02d %s %04d %02d:%02d:%02d GMT", day_names[p.weekday], p.day,
             month_names[p.month - 1], p.year, p.hour, p.minute, p.second);
}

/* --- reading --- */

struct cursor {
    struct str rest;
    bool ok;
};

static int take_digits(struct cursor *c, size_t count)
{
    int value = 0;

    for (size_t i = 0; i < count; i++) {
        if (i >= c->rest.len || c->rest.ptr[i] < '0' || c->rest.ptr[i] > '9') {
            c->ok = false;
            return 0;
        }
        value = value * 10 + (c->rest.ptr[i] - '0');
    }
    c->rest = str_from(c->rest, count);
    return value;
}

static bool take_char(struct cursor *c, char wanted)
{
    if (!c->rest.len || c->rest.ptr[0] != wanted)
        return false;
    c->rest = str_from(c->rest, 1);
    return true;
}

static void expect(struct cursor *c, char wanted)
{
    if (!take_char(c, wanted))
        c->ok = false;
}

static int take_fraction_ms(struct cursor *c)
{
    int ms = 0, scale = 100, digits = 0;

    while (c->rest.len && c->rest.ptr[0] >= '0' && c->rest.ptr[0] <= '9') {
        ms += (c->rest.ptr[0] - '0') * scale;
        scale /= 10;
        digits++;
        c->rest = str_from(c->rest, 1);
    }
    if (!digits)
        c->ok = false;
    return ms;
}

static bool is_real(const struct time_parts *p)
{
    static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    bool leap = (p->year % 4 == 0 && p->year % 100 != 0) || p->year % 400 == 0;

    return p->month >= 1 && p->month <= 12 && p->day >= 1 &&
           p->day <= days[p->month - 1] + (leap && p->month == 2) && p->hour <= 23 && p->minute <= 59 &&
           p->second <= 60;
}

static int64_t take_zone_ms(struct cursor *c)
{
    int sign, hours, minutes;

    if (!c->rest.len || take_char(c, 'Z') || take_char(c, 'z'))
        return 0;
    sign = c->rest.ptr[0] == '-' ? -1 : 1;
    if (!take_char(c, '-'))
        expect(c, '+');
    hours = take_digits(c, 2);
    take_char(c, ':');
    minutes = take_digits(c, 2);
    if (hours > 23 || minutes > 59)
        c->ok = false;
    return sign * (HOURS(hours) + MINUTES(minutes));
}

bool time_parse(struct str text, int64_t *ret_wall_ms)
{
    struct cursor c = {.rest = text, .ok = true};
    struct time_parts p = {0};
    int64_t zone_ms;

    p.year = take_digits(&c, 4);
    expect(&c, '-');
    p.month = take_digits(&c, 2);
    expect(&c, '-');
    p.day = take_digits(&c, 2);
    if (!take_char(&c, 'T') && !take_char(&c, 't'))
        expect(&c, ' ');
    p.hour = take_digits(&c, 2);
    expect(&c, ':');
    p.minute = take_digits(&c, 2);
    expect(&c, ':');
    p.second = take_digits(&c, 2);
    if (take_char(&c, '.'))
        p.ms = take_fraction_ms(&c);
    zone_ms = take_zone_ms(&c);
    if (!c.ok || c.rest.len || !is_real(&p))
        return false;
    *ret_wall_ms = time_from_parts(&p) - zone_ms;
    return true;
}

bool time_parse_amz(struct str text, int64_t *ret_wall_ms)
{
    struct cursor c = {.rest = text, .ok = true};
    struct time_parts p = {0};

    p.year = take_digits(&c, 4);
    p.month = take_digits(&c, 2);
    p.day = take_digits(&c, 2);
    expect(&c, 'T');
    p.hour = take_digits(&c, 2);
    p.minute = take_digits(&c, 2);
    p.second = take_digits(&c, 2);
    expect(&c, 'Z');
    if (!c.ok || c.rest.len || !is_real(&p))
        return false;
    *ret_wall_ms = time_from_parts(&p);
    return true;
}

static int take_month(struct cursor *c)
{
    for (int i = 0; i < 12; i++) {
        if (str_starts(c->rest, month_names[i])) {
            c->rest = str_from(c->rest, 3);
            return i + 1;
        }
    }
    c->ok = false;
    return 0;
}

bool time_parse_http(struct str text, int64_t *ret_wall_ms)
{
    struct cursor c = {.rest = str_trim(text), .ok = true};
    struct time_parts p = {0};

    if (c.rest.len < 5 || c.rest.ptr[3] != ',')
        return false;
    c.rest = str_from(c.rest, 4);
    expect(&c, ' ');
    p.day = take_digits(&c, 2);
    expect(&c, ' ');
    p.month = take_month(&c);
    expect(&c, ' ');
    p.year = take_digits(&c, 4);
    expect(&c, ' ');
    p.hour = take_digits(&c, 2);
    expect(&c, ':');
    p.minute = take_digits(&c, 2);
    expect(&c, ':');
    p.second = take_digits(&c, 2);
    if (!c.ok || !str_is(c.rest, " GMT") || !is_real(&p))
        return false;
    *ret_wall_ms = time_from_parts(&p);
    return true;
}

/* --- durations --- */

static bool take_unit(struct cursor *c, int64_t *ret_ms)
{
    if (str_starts(c->rest, "ms")) {
        *ret_ms = 1;
        c->rest = str_from(c->rest, 2);
        return true;
    }
    if (take_char(c, 'h'))
        *ret_ms = HOURS(1);
    else if (take_char(c, 'm'))
        *ret_ms = MINUTES(1);
    else if (take_char(c, 's'))
        *ret_ms = SECONDS(1);
    else
        return false;
    return true;
}

bool duration_parse(struct str text, int64_t *ret_ms)
{
    struct cursor c = {.rest = text, .ok = true};
    int64_t total = 0;

    if (!text.len)
        return false;
    while (c.rest.len) {
        size_t digits = 0;
        int64_t number, unit_ms, part;

        while (digits < c.rest.len && c.rest.ptr[digits] >= '0' && c.rest.ptr[digits] <= '9')
            digits++;
        if (!digits || digits > 12 || !str_to_int((struct str){.ptr = c.rest.ptr, .len = digits}, &number))
            return false;
        c.rest = str_from(c.rest, digits);
        if (!take_unit(&c, &unit_ms) || __builtin_mul_overflow(number, unit_ms, &part) ||
            __builtin_add_overflow(total, part, &total))
            return false;
    }
    *ret_ms = total;
    return true;
}

void duration_text(int64_t ms, char ret[TIME_TEXT_MAX])
{
    long long s = (ms < 0 ? 0 : ms) / 1000;

    if (s < 60)
        snprintf(ret, TIME_TEXT_MAX, "%llds", s);
    else if (s < 3600)
        snprintf(ret, TIME_TEXT_MAX, "%lldm%02llds", s / 60, s % 60);
    else if (s < 86400)
        snprintf(ret, TIME_TEXT_MAX, "%lldh%02lldm", s / 3600, s / 60 % 60);
    else
        snprintf(ret, TIME_TEXT_MAX, "%lldd%lldh", s / 86400, s / 3600 % 24);
}
