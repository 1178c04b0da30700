#include "pkg/refresh/shapes.h"

static bool in_set(const char *set, char c)
{
    for (; *set; set++) {
        if (set[1] == '-' && set[2]) {
            if (c >= set[0] && c <= set[2])
                return true;
            set += 2;
        } else if (c == *set) {
            return true;
        }
    }
    return false;
}

static bool all_in(const char *set, struct str text)
{
    for (size_t i = 0; i < text.len; i++) {
        if (!in_set(set, text.ptr[i]))
            return false;
    }
    return true;
}

static bool piece_fits(const struct shape *shape, struct str piece)
{
    if (!piece.len || !all_in(shape->chars, piece))
        return false;
    return !shape->edge ||
           (in_set(shape->edge, piece.ptr[0]) && in_set(shape->edge, piece.ptr[piece.len - 1]));
}

static bool pieces_fit(const struct shape *shape, struct str text)
{
    const char *joints = shape->joints ? shape->joints : "";
    size_t begin = 0, pieces = 0;

    if (!text.len || (shape->start && !in_set(shape->start, text.ptr[0])))
        return false;
    for (size_t i = 0; i <= text.len; i++) {
        if (i < text.len && !in_set(joints, text.ptr[i]))
            continue;
        if (!piece_fits(shape, (struct str){.ptr = text.ptr + begin, .len = i - begin}))
            return false;
        begin = i + 1;
        pieces++;
    }
    return !shape->max_pieces || pieces <= shape->max_pieces;
}

bool shape_fits(const struct shape *shape, struct str text)
{
    if (shape->prefix) {
        if (!str_starts(text, shape->prefix))
            return false;
        text = str_from(text, strlen(shape->prefix));
    }
    if (text.len < shape->min || (shape->max && text.len > shape->max))
        return false;
    if (shape->chars && !pieces_fit(shape, text))
        return false;
    return !shape->fits || shape->fits(text);
}

static bool digits_fit(struct str text, size_t min, size_t max)
{
    return text.len >= min && text.len <= max && all_in("0-9", text);
}

/* --- spellings that no set describes --- */

/* 0 to 256 in steps of 0.5, no needless zeros in front. */
static bool fits_capacity(struct str text)
{
    struct str rest = text, whole = {0};
    int64_t number = 0;
    bool has_fraction = memchr(text.ptr, '.', text.len) != NULL;

    if (!str_cut(&rest, '.', &whole) || !digits_fit(whole, 1, 3) || !str_to_int(whole, &number))
        return false;
    if (whole.len > 1 && whole.ptr[0] == '0')
        return false;
    if (has_fraction && !str_is(rest, "0") && !(str_is(rest, "5") && number < 256))
        return false;
    return number <= 256;
}

/* "arn:" partition ":" service ":" region ":" account ":" rest: takes the first five, leaves the rest. */
static bool cut_arn(struct str *rest, const char *service, struct str *ret_region)
{
    struct str arn, partition, name, account;

    return str_cut(rest, ':', &arn) && str_is(arn, "arn") && str_cut(rest, ':', &partition) &&
           str_starts(partition, "aws") && all_in("a-z-", str_from(partition, 3)) &&
           str_cut(rest, ':', &name) && str_is(name, service) && str_cut(rest, ':', ret_region) &&
           str_cut(rest, ':', &account) && digits_fit(account, 12, 12);
}

static bool fits_key_arn(struct str text)
{
    struct str rest = text, region, type;

    if (!cut_arn(&rest, "kms", &region) || !region.len || !all_in("a-z0-9-", region))
        return false;
    if (!str_cut(&rest, '/', &type) || !(str_is(type, "key") || str_is(type, "alias")))
        return false;
    return rest.len && all_in("A-Za-z0-9/_-", rest);
}

static bool fits_role_arn(struct str text)
{
    struct str rest = text, region, type;

    if (!cut_arn(&rest, "iam", &region) || region.len)
        return false;
    return str_cut(&rest, '/', &type) && str_is(type, "role") && rest.len &&
           all_in("A-Za-z0-9_+=,.@/-", rest);
}

/* Letters, at least one word, a number: ap-northeast-1, us-gov-east-1. */
static bool fits_region(struct str text)
{
    struct str rest = text, piece, last = {0};
    size_t pieces = 0;

    while (str_cut(&rest, '-', &piece)) {
        if (pieces && !(all_in("a-z", last) && last.len && (pieces > 1 || (last.len >= 2 && last.len <= 4))))
            return false;
        last = piece;
        pieces++;
    }
    return pieces >= 3 && digits_fit(last, 1, 2);
}

/* Two to four letters, and at least one piece more: ap-northeast-1a, us-west-2-lax-1a. */
static bool fits_zone(struct str text)
{
    static const struct shape pieces = {.chars = "a-z0-9", .joints = "-"};
    struct str rest = text, first = {0};

    return str_cut(&rest, '-', &first) && first.len >= 2 && first.len <= 4 && all_in("a-z", first) &&
           rest.len && shape_fits(&pieces, rest);
}

static bool fits_port(struct str host_rest)
{
    return !host_rest.len || (host_rest.ptr[0] == ':' && digits_fit(str_from(host_rest, 1), 1, 5));
}

static bool fits_host(struct str host, bool plain)
{
    static const char *const loopbacks[] = {"localhost", "127.0.0.1", "[::1]"};
    size_t i = 0;

    if (plain) {
        for (; i < COUNT_OF(loopbacks); i++) {
            if (str_starts(host, loopbacks[i]) && fits_port(str_from(host, strlen(loopbacks[i]))))
                return true;
        }
        return false;
    }
    while (i < host.len && in_set("A-Za-z0-9.-", host.ptr[i]))
        i++;
    return i && fits_port(str_from(host, i));
}

/* https anywhere, plain http on loopback addresses only; then a path, maybe with a query, or nothing. */
static bool fits_url(struct str text, const char *no)
{
    bool plain = str_starts(text, "http://");
    const char *slash;
    struct str host;

    if (!plain && !str_starts(text, "https://"))
        return false;
    host = str_from(text, strlen(plain ? "http://" : "https://"));
    slash = host.len ? memchr(host.ptr, '/', host.len) : NULL;
    for (size_t i = 0; slash && slash + i < text.ptr + text.len; i++) {
        if (slash[i] <= ' ' || slash[i] > '~' || strchr(no, slash[i]))
            return false;
    }
    if (slash)
        host.len = (size_t)(slash - host.ptr);
    return fits_host(host, plain);
}

static bool fits_webhook_url(struct str text)
{
    return fits_url(text, "#*");
}

/* The host is written out: a pattern that ends within it would admit hosts of others. */
static bool fits_webhook_grant(struct str text)
{
    return fits_url(text, "#") && memchr(text.ptr + strlen("https://"), '/', text.len - strlen("https://"));
}

/* https anywhere, plain http on loopback addresses only; then the account and the queue. */
static bool fits_queue_url(struct str text)
{
    bool plain = str_starts(text, "http://");
    struct str rest, host, account;

    if (!plain && !str_starts(text, "https://"))
        return false;
    rest = str_from(text, plain ? 7 : 8);
    if (!str_cut(&rest, '/', &host) || !fits_host(host, plain))
        return false;
    if (!str_cut(&rest, '/', &account) || !digits_fit(account, 12, 12))
        return false;
    if (str_ends(rest, ".fifo"))
        rest.len -= 5;
    return rest.len && rest.len <= 80 && all_in("A-Za-z0-9_-", rest);
}

static bool fits_ssm_name(struct str text)
{
    static const struct shape parts = {.chars = "A-Za-z0-9_.-", .joints = "/"};

    return shape_fits(&parts, str_starts(text, "/") ? str_from(text, 1) : text);
}

static bool fits_function_name(struct str text)
{
    struct str rest = text, name = {0};
    bool has_alias = memchr(text.ptr, ':', text.len) != NULL;

    if (!str_cut(&rest, ':', &name) || !name.len || name.len > 64 || !all_in("A-Za-z0-9_-", name))
        return false;
    return !has_alias || (rest.len && rest.len <= 128 && all_in("A-Za-z0-9$_-", rest));
}

/* Hours, minutes, seconds, at least one of them and in this order; the first has no zero in front. */
static bool fits_duration(struct str text)
{
    const char *units = "hms";
    size_t at = 0;

    if (!text.len || text.ptr[0] == '0')
        return false;
    while (at < text.len) {
        size_t begin = at;
        const char *unit;

        while (at < text.len && in_set("0-9", text.ptr[at]))
            at++;
        if (at == begin || at - begin > 5 || at == text.len)
            return false;
        unit = strchr(units, text.ptr[at++]);
        if (!unit || !*unit)
            return false;
        units = unit + 1;
    }
    return true;
}

static bool fits_clock_time(struct str text)
{
    if (text.len != 5 || text.ptr[2] != ':' || !in_set("0-9", text.ptr[1]) || !in_set("0-9", text.ptr[4]))
        return false;
    if (!in_set("0-5", text.ptr[3]) || !in_set("0-2", text.ptr[0]))
        return false;
    return text.ptr[0] != '2' || text.ptr[1] <= '3';
}

/* --- the shapes --- */

const struct shape shape_label = {
    .must = "must be lower-case letters, digits and hyphens, and begin and end with a letter or digit",
    .chars = "a-z0-9-",
    .edge = "a-z0-9",
};

const struct shape shape_subdomain = {
    .must = "must be lower-case letters, digits, hyphens and dots, and begin and end with a letter or digit",
    .chars = "a-z0-9-",
    .edge = "a-z0-9",
    .joints = ".",
};

const struct shape shape_series = {
    .must = "must be lower-case letters, digits, hyphens and dots, and begin and end with a letter or digit",
    .chars = "a-z0-9.-",
    .edge = "a-z0-9",
};

const struct shape shape_rds_name = {
    .must = "must be lower-case letters, digits and single hyphens, begin with a letter and not end with a "
            "hyphen",
    .start = "a-z",
    .chars = "a-z0-9",
    .joints = "-",
};

const struct shape shape_instance_name = {
    .must = "must be lower-case letters, digits and single hyphens, and not begin or end with a hyphen",
    .chars = "a-z0-9",
    .joints = "-",
};

const struct shape shape_instance_class = {
    .must = "must be an instance class such as db.r6g.large",
    .prefix = "db.",
    .chars = "a-z0-9-",
    .joints = ".",
};

const struct shape shape_subnet_group = {
    .must = "must be letters, digits, spaces, dots, underscores and hyphens",
    .chars = "A-Za-z0-9 ._-",
};

const struct shape shape_security_group = {
    .must = "must be the id of a security group, such as sg-0123456789abcdef0",
    .prefix = "sg-",
    .chars = "0-9a-f",
    .min = 8,
    .max = 17,
};

const struct shape shape_parameter_group = {
    .must = "must be letters, digits, dots and hyphens, and begin with a letter",
    .start = "A-Za-z",
    .chars = "A-Za-z0-9.-",
};

const struct shape shape_proxy_name = {
    .must = "must be letters, digits and single hyphens, begin with a letter and not end with a hyphen",
    .start = "A-Za-z",
    .chars = "A-Za-z0-9",
    .joints = "-",
};

const struct shape shape_table_name = {
    .must = "must be 3 to 255 letters, digits, underscores, dots and hyphens",
    .chars = "A-Za-z0-9_.-",
    .min = 3,
    .max = 255,
};

const struct shape shape_table_prefix = {
    .must = "must be letters, digits, underscores, dots and hyphens",
    .chars = "A-Za-z0-9_.-",
};

const struct shape shape_capacity = {
    .must = "must be a text from \"0\" to \"256\" in steps of 0.5",
    .fits = fits_capacity,
};

const struct shape shape_key_arn = {
    .must = "must be the ARN of a KMS key, such as arn:aws:kms:ap-northeast-1:222222222222:key/...",
    .fits = fits_key_arn,
};

const struct shape shape_role_arn = {
    .must = "must be the ARN of a role, such as arn:aws:iam::222222222222:role/staging-refresh",
    .fits = fits_role_arn,
};

const struct shape shape_external_id = {
    .must = "must be letters, digits and any of _+=,.@:/-",
    .chars = "A-Za-z0-9_+=,.@:/-",
};

const struct shape shape_account_id = {
    .must = "must be twelve digits",
    .chars = "0-9",
    .min = 12,
    .max = 12,
};

const struct shape shape_region = {
    .must = "must be a Region such as ap-northeast-1",
    .fits = fits_region,
};

const struct shape shape_zone = {
    .must = "must be an availability zone such as ap-northeast-1a",
    .fits = fits_zone,
};

const struct shape shape_vault_name = {
    .must = "must be 2 to 50 letters, digits, underscores and hyphens",
    .chars = "A-Za-z0-9_-",
    .min = 2,
    .max = 50,
};

const struct shape shape_queue_url = {
    .must = "must be the https URL of an SQS queue",
    .fits = fits_queue_url,
};

const struct shape shape_bus_name = {
    .must = "must be the name of an event bus: letters, digits, dots, underscores, slashes and hyphens",
    .chars = "A-Za-z0-9._/-",
};

const struct shape shape_webhook_url = {
    .must = "must be an https URL, or an http one of a loopback address, without \"#\" and \"*\"",
    .fits = fits_webhook_url,
};

const struct shape shape_webhook_grant = {
    .must = "must begin with https:// (or http:// and a loopback address), a whole host and a \"/\", such as "
            "https://hooks.example.com/*",
    .fits = fits_webhook_grant,
};

const struct shape shape_secret_id = {
    .must = "must be the name of a secret: letters, digits and any of /_+=.@-",
    .chars = "A-Za-z0-9/_+=.@-",
};

const struct shape shape_config_key = {
    .must = "must be letters, digits, underscores, dots and hyphens",
    .chars = "a-zA-Z0-9._-",
};

const struct shape shape_ssm_name = {
    .must =
        "must be letters, digits, underscores, dots and hyphens between slashes, such as /shop/stg/db_host",
    .fits = fits_ssm_name,
};

const struct shape shape_function_name = {
    .must = "must be the name of a function, with \":\" and an alias or a version if wanted",
    .fits = fits_function_name,
};

const struct shape shape_aws_name = {
    .must = "must be letters, digits, underscores and hyphens",
    .chars = "A-Za-z0-9_-",
};

const struct shape shape_duration = {
    .must = "must be a duration such as 8h, 90m or 1h30m",
    .fits = fits_duration,
};

const struct shape shape_clock_time = {
    .must = "must be a time of the day as HH:MM, such as 09:00",
    .fits = fits_clock_time,
};

const struct shape shape_time_zone = {
    .must = "must be the IANA name of a time zone, such as Asia/Tokyo",
    .start = "A-Za-z",
    .chars = "A-Za-z0-9_+-",
    .joints = "/",
    .max_pieces = 3,
};
