#include "pkg/base/times.h"

#include "tests/testing/assertions.h"

static const struct spelling {
    const char *name;
    int64_t ms;
    const char *rfc3339, *with_ms, *micro, *amz, *http;
} spellings[] = {
    {.name = "epoch",
     .ms = 0,
     .rfc3339 = "1970-01-01T00:00:00Z",
     .with_ms = "1970-01-01T00:00:00.000Z",
     .micro = "1970-01-01T00:00:00.000000Z",
     .amz = "19700101T000000Z",
     .http = "Thu, 01 Jan 1970 00:00:00 GMT"},
    {.name = "now",
     .ms = INT64_C(1795363200123),
     .rfc3339 = "2026-11-22T16:00:00Z",
     .with_ms = "2026-11-22T16:00:00.123Z",
     .micro = "2026-11-22T16:00:00.123000Z",
     .amz = "20261122T160000Z",
     .http = "Sun, 22 Nov 2026 16:00:00 GMT"},
    {.name = "leap day",
     .ms = INT64_C(1709209999999),
     .rfc3339 = "2024-02-29T12:33:19Z",
     .with_ms = "2024-02-29T12:33:19.999Z",
     .micro = "2024-02-29T12:33:19.999000Z",
     .amz = "20240229T123319Z",
     .http = "Thu, 29 Feb 2024 12:33:19 GMT"},
    {.name = "leap day of a century",
     .ms = INT64_C(951782400000),
     .rfc3339 = "2000-02-29T00:00:00Z",
     .with_ms = "2000-02-29T00:00:00.000Z",
     .micro = "2000-02-29T00:00:00.000000Z",
     .amz = "20000229T000000Z",
     .http = "Tue, 29 Feb 2000 00:00:00 GMT"},
    {.name = "before the epoch",
     .ms = -1,
     .rfc3339 = "1969-12-31T23:59:59Z",
     .with_ms = "1969-12-31T23:59:59.999Z",
     .micro = "1969-12-31T23:59:59.999000Z",
     .amz = "19691231T235959Z",
     .http = "Wed, 31 Dec 1969 23:59:59 GMT"},
    {.name = "end of a year",
     .ms = INT64_C(1767225599000),
     .rfc3339 = "2025-12-31T23:59:59Z",
     .with_ms = "2025-12-31T23:59:59.000Z",
     .micro = "2025-12-31T23:59:59.000000Z",
     .amz = "20251231T235959Z",
     .http = "Wed, 31 Dec 2025 23:59:59 GMT"},
    {.name = "2100 is no leap year",
     .ms = INT64_C(4107542400000),
     .rfc3339 = "2100-03-01T00:00:00Z",
     .with_ms = "2100-03-01T00:00:00.000Z",
     .micro = "2100-03-01T00:00:00.000000Z",
     .amz = "21000301T000000Z",
     .http = "Mon, 01 Mar 2100 00:00:00 GMT"},
};

static void spells(void **state)
{
    const struct spelling *row = *state;
    char text[TIME_TEXT_MAX];

    time_rfc3339(row->ms, text);
    assert_text_equal(text, row->rfc3339);
    time_rfc3339_ms(row->ms, text);
    assert_text_equal(text, row->with_ms);
    time_rfc3339_micro(row->ms, text);
    assert_text_equal(text, row->micro);
    time_amz(row->ms, text);
    assert_text_equal(text, row->amz);
    time_http(row->ms, text);
    assert_text_equal(text, row->http);
}

static void reads_what_it_spells(void **state)
{
    const struct spelling *row = *state;
    int64_t whole_s = (row->ms - (row->ms % 1000 + 1000) % 1000), got = 0;

    assert_true(time_parse(str_of(row->rfc3339), &got));
    assert_number(got, whole_s);
    assert_true(time_parse(str_of(row->with_ms), &got));
    assert_number(got, row->ms);
    assert_true(time_parse(str_of(row->micro), &got));
    assert_number(got, row->ms);
    assert_true(time_parse_amz(str_of(row->amz), &got));
    assert_number(got, whole_s);
    assert_true(time_parse_http(str_of(row->http), &got));
    assert_number(got, whole_s);
}

#define AT_MS INT64_C(1795363200000)

static const struct reading {
    const char *name;
    bool ok;
    int64_t want;
} readings[] = {
    {.name = "2026-11-22T16:00:00+00:00", .ok = true, .want = AT_MS},
    {.name = "2026-11-23T01:00:00+09:00", .ok = true, .want = AT_MS},
    {.name = "2026-11-22T11:30:00-04:30", .ok = true, .want = AT_MS},
    {.name = "2026-11-22T16:00:00", .ok = true, .want = AT_MS},
    {.name = "2026-11-22 16:00:00", .ok = true, .want = AT_MS},
    {.name = "2026-11-22t16:00:00z", .ok = true, .want = AT_MS},
    {.name = "2026-11-22T16:00:00.1Z", .ok = true, .want = AT_MS + 100},
    {.name = "2026-11-22T16:00:00.123456789Z", .ok = true, .want = AT_MS + 123},
    {.name = "2026-11-22T15:59:60Z", .ok = true, .want = AT_MS},
    {.name = "2024-02-29T00:00:00Z", .ok = true, .want = INT64_C(1709164800000)},
    {.name = ""},
    {.name = "2026-11-22"},
    {.name = "2026-02-29T00:00:00Z"},
    {.name = "2026-13-01T00:00:00Z"},
    {.name = "2026-00-01T00:00:00Z"},
    {.name = "2026-04-31T00:00:00Z"},
    {.name = "2026-11-22T24:00:00Z"},
    {.name = "2026-11-22T16:60:00Z"},
    {.name = "2026-11-22T16:00:61Z"},
    {.name = "2026-11-22T16:00:00.Z"},
    {.name = "2026-11-22T16:00:00ZZ"},
    {.name = "2026-11-22T16:00:00 Z"},
    {.name = "2026-11-22T16:00:00+24:00"},
    {.name = "2026-11-22T16:00:00+9"},
    {.name = "2026-11-22T16:00Z"},
    {.name = "26-11-22T16:00:00Z"},
    {.name = "+2026-11-22T16:00:00Z"},
    {.name = " 2026-11-22T16:00:00Z"},
    {.name = "2026/11/22T16:00:00Z"},
    {.name = "1795363200"},
};

static void reads(void **state)
{
    const struct reading *row = *state;
    int64_t got = 42;

    assert_int_equal(time_parse(str_of(row->name), &got), row->ok);
    assert_number(got, row->ok ? row->want : 42);
}

static const struct reading http_readings[] = {
    {.name = "Sun, 22 Nov 2026 16:00:00 GMT", .ok = true, .want = AT_MS},
    {.name = "  Sun, 22 Nov 2026 16:00:00 GMT ", .ok = true, .want = AT_MS},
    {.name = "Sun, 22 Nov 2026 16:00:00 UTC"},
    {.name = "Sun, 22 Nov 2026 16:00:00"},
    {.name = "22 Nov 2026 16:00:00 GMT"},
    {.name = "Sun, 32 Nov 2026 16:00:00 GMT"},
    {.name = "Sun, 22 Foo 2026 16:00:00 GMT"},
    {.name = "Sun"},
    {.name = ""},
};

static void reads_http(void **state)
{
    const struct reading *row = *state;
    int64_t got = 42;

    assert_int_equal(time_parse_http(str_of(row->name), &got), row->ok);
    assert_number(got, row->ok ? row->want : 42);
}

static const struct reading amz_readings[] = {
    {.name = "20261122T160000Z", .ok = true, .want = AT_MS},
    {.name = "20261122T160000"},
    {.name = "20261122T160000Zx"},
    {.name = "20261322T160000Z"},
    {.name = "2026-11-22T16:00:00Z"},
    {.name = ""},
};

static void reads_amz(void **state)
{
    const struct reading *row = *state;
    int64_t got = 42;

    assert_int_equal(time_parse_amz(str_of(row->name), &got), row->ok);
    assert_number(got, row->ok ? row->want : 42);
}

static const struct reading durations[] = {
    {.name = "90s", .ok = true, .want = SECONDS(90)},
    {.name = "1h30m", .ok = true, .want = MINUTES(90)},
    {.name = "500ms", .ok = true, .want = 500},
    {.name = "1m", .ok = true, .want = MINUTES(1)},
    {.name = "1m1ms", .ok = true, .want = MINUTES(1) + 1},
    {.name = "72h", .ok = true, .want = HOURS(72)},
    {.name = "0s", .ok = true, .want = 0},
    {.name = ""},
    {.name = "1"},
    {.name = "h"},
    {.name = "1d"},
    {.name = "-1s"},
    {.name = "+1s"},
    {.name = "1 s"},
    {.name = "1s "},
    {.name = "1s2"},
    {.name = "9999999999999999h"},
    {.name = "999999999999h999999999999h999999999999h"},
};

static void reads_durations(void **state)
{
    const struct reading *row = *state;
    int64_t got = 42;

    assert_int_equal(duration_parse(str_of(row->name), &got), row->ok);
    assert_number(got, row->ok ? row->want : 42);
}

static const struct human {
    const char *name;
    int64_t ms;
} humans[] = {
    {.name = "0s", .ms = 0},
    {.name = "0s", .ms = -5},
    {.name = "0s", .ms = 999},
    {.name = "45s", .ms = SECONDS(45)},
    {.name = "1m00s", .ms = SECONDS(60)},
    {.name = "3m12s", .ms = SECONDS(192)},
    {.name = "2h05m", .ms = HOURS(2) + MINUTES(5) + SECONDS(59)},
    {.name = "3d4h", .ms = DAYS(3) + HOURS(4)},
};

static void spells_durations(void **state)
{
    const struct human *row = *state;
    char text[TIME_TEXT_MAX];

    duration_text(row->ms, text);
    assert_text_equal(text, row->name);
}

/* Every day of four centuries, there and back, with the weekday going round. */
static void agrees_with_itself(void **state)
{
    int weekday = time_parts_of(-DAYS(150000)).weekday;

    (void)state;
    for (int64_t day = -150000; day < 150000; day++) {
        struct time_parts parts = time_parts_of(DAYS(day) + 12345678);

        assert_number(time_from_parts(&parts), DAYS(day) + 12345678);
        assert_number(parts.weekday, weekday);
        weekday = (weekday + 1) % 7;
    }
}

int main(void)
{
    struct tests tests = {0};

    TEST_ROWS(&tests, spells, spellings);
    TEST_ROWS(&tests, reads_what_it_spells, spellings);
    TEST_ROWS(&tests, reads, readings);
    TEST_ROWS(&tests, reads_http, http_readings);
    TEST_ROWS(&tests, reads_amz, amz_readings);
    TEST_ROWS(&tests, reads_durations, durations);
    TEST_ROWS(&tests, spells_durations, humans);
    TEST(&tests, agrees_with_itself);
    return tests_run(&tests, "times");
}
