#include "pkg/base/zone.h"

#include "pkg/base/times.h"
#include "tests/testing/assertions.h"

static int64_t moment(const char *text)
{
    int64_t ms = 0;

    assert_true(time_parse(str_of(text), &ms));
    return ms;
}

static const struct offset_row {
    const char *name, *zone, *at;
    int64_t minutes;
} offset_rows[] = {
    {"UTC", "UTC", "2026-11-22T16:00:00Z", 0},
    {"no daylight saving", "Asia/Tokyo", "2026-07-01T00:00:00Z", 540},
    {"half an hour", "Asia/Kolkata", "2026-07-01T00:00:00Z", 330},
    {"winter", "Europe/Berlin", "2026-01-15T12:00:00Z", 60},
    {"summer", "Europe/Berlin", "2026-07-15T12:00:00Z", 120},
    {"the second before spring", "Europe/Berlin", "2026-03-29T00:59:59Z", 60},
    {"the second of spring", "Europe/Berlin", "2026-03-29T01:00:00Z", 120},
    {"the second before autumn", "Europe/Berlin", "2026-10-25T00:59:59Z", 120},
    {"the second of autumn", "Europe/Berlin", "2026-10-25T01:00:00Z", 60},
    {"by the rule, before", "Europe/Berlin", "2061-03-27T00:59:59Z", 60},
    {"by the rule, after", "Europe/Berlin", "2061-03-27T01:00:00Z", 120},
    {"by the rule, in autumn", "Europe/Berlin", "2061-10-30T01:00:00Z", 60},
    {"second Sunday of March", "America/New_York", "2050-03-13T06:59:59Z", -300},
    {"second Sunday of March, after", "America/New_York", "2050-03-13T07:00:00Z", -240},
    {"south of the equator, January", "Australia/Sydney", "2055-01-15T00:00:00Z", 660},
    {"south of the equator, July", "Australia/Sydney", "2055-07-15T00:00:00Z", 600},
    {"the summer clock is the standard", "Europe/Dublin", "2050-07-01T00:00:00Z", 60},
    {"the summer clock is the standard, winter", "Europe/Dublin", "2050-01-10T00:00:00Z", 0},
    {"half an hour of summer", "Australia/Lord_Howe", "2050-01-10T00:00:00Z", 660},
    {"before every transition but one", "Europe/Berlin", "1900-01-01T00:00:00Z", 60},
    {"in three pieces", "America/Argentina/Ushuaia", "2026-01-01T00:00:00Z", -180},
};

static void offsets(void **state)
{
    const struct offset_row *row = *state;
    AUTO_ZONE struct zone *zone = NULL;

    assert_no_err(zone_load(row->zone, &zone));
    assert_number(zone_offset_s(zone, moment(row->at)) / 60, row->minutes);
}

static const struct refused_row {
    const char *name, *zone;
} refused_rows[] = {
    {"empty", ""},
    {"absolute", "/etc/localtime"},
    {"upwards", "../../../etc/passwd"},
    {"upwards in the middle", "Europe/../../etc/passwd"},
    {"a dot", "Europe/./Berlin"},
    {"two slashes", "Europe//Berlin"},
    {"ends in a slash", "Europe/"},
    {"a folder", "Europe"},
    {"not there", "Mars/Phobos"},
    {"not a zone", "tzdata"},
    {"too long", "Aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"},
};

static void refused(void **state)
{
    const struct refused_row *row = *state;
    struct zone *zone = NULL;

    assert_fails(zone_load(row->zone, &zone), ERR_INVALID, NULL);
    assert_null(zone);
}

/* As STR(), for constants. */
#define BYTES(literal)                               \
    {                                                \
        .ptr = (literal), .len = sizeof(literal) - 1 \
    }
#define HEADER(version, times, types)               \
    "TZif" version "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0" \
    "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0" times "\0\0\0" types "\0\0\0\4"
#define UTC_TYPE "\0\0\0\0\0\0UTC\0"

static const struct content_row {
    const char *name;
    struct str content;
    bool fits;
    int64_t january, july; /* minutes in 2030 */
} content_rows[] = {
    {"nothing", {.ptr = "", .len = 0}, .fits = false},
    {"another file",
     BYTES("PNG\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"),
     .fits = false},
    {"version 1", BYTES(HEADER("\0", "\0", "\1") UTC_TYPE), .fits = true},
    {"cut short", BYTES(HEADER("\0", "\0", "\1") "\0\0"), .fits = false},
    {"no type", BYTES(HEADER("\0", "\0", "\0") "UTC\0"), .fits = false},
    {"a rule", BYTES(HEADER("2", "\0", "\1") UTC_TYPE HEADER("2", "\0", "\1") UTC_TYPE "\n<+0330>-3:30\n"),
     .fits = true, .january = 210, .july = 210},
    {"days without the leap day",
     BYTES(HEADER("2", "\0", "\1") UTC_TYPE HEADER("2", "\0", "\1") UTC_TYPE "\nABC0DEF-2,J60/0,J300\n"),
     .fits = true, .january = 0, .july = 120},
    {"days with the leap day",
     BYTES(HEADER("3", "\0", "\1") UTC_TYPE HEADER("3", "\0", "\1") UTC_TYPE "\nABC0DEF,299/-24:30,59\n"),
     .fits = true, .january = 60, .july = 0},
    {"no footer", BYTES(HEADER("2", "\0", "\1") UTC_TYPE HEADER("2", "\0", "\1") UTC_TYPE), .fits = false},
    {"an empty rule", BYTES(HEADER("2", "\0", "\1") UTC_TYPE HEADER("2", "\0", "\1") UTC_TYPE "\n\n"),
     .fits = true},
    {"summer without a rule",
     BYTES(HEADER("2", "\0", "\1") UTC_TYPE HEADER("2", "\0", "\1") UTC_TYPE "\nABC0DEF\n"), .fits = false},
    {"month 13",
     BYTES(HEADER("2", "\0", "\1") UTC_TYPE HEADER("2", "\0", "\1") UTC_TYPE "\nABC0DEF,M13.1.0,M10.5.0\n"),
     .fits = false},
    {"rubbish behind the rule",
     BYTES(HEADER("2", "\0", "\1") UTC_TYPE HEADER("2", "\0", "\1") UTC_TYPE "\nABC0!\n"), .fits = false},
};

static void contents(void **state)
{
    const struct content_row *row = *state;
    AUTO_ZONE struct zone *zone = NULL;
    struct err *err = zone_parse(row->content, &zone);

    if (!row->fits) {
        assert_fails(err, ERR_INVALID, NULL);
        return;
    }
    assert_no_err(err);
    assert_number(zone_offset_s(zone, moment("2030-01-15T00:00:00Z")) / 60, row->january);
    assert_number(zone_offset_s(zone, moment("2030-07-15T00:00:00Z")) / 60, row->july);
}

int main(void)
{
    struct tests tests = {0};

    TEST_ROWS(&tests, offsets, offset_rows);
    TEST_ROWS(&tests, refused, refused_rows);
    TEST_ROWS(&tests, contents, content_rows);
    return tests_run(&tests, "zone");
}
