#include "pkg/refresh/spec_parts.h"

/* --- the window --- */

static const char *const day_names[] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};

/* clang-format off */
static const struct field window_fields[] = {
    {.path = "days",     .kind = FIELD_TEXTS, .offset = NOWHERE, .min = 1, .max = 7,
     .names = NAMES(day_names)},
    {.path = "from",     .kind = FIELD_TEXT, .offset = NOWHERE, .required = true, .max = 5, .shape = &shape_clock_time},
    {.path = "to",       .kind = FIELD_TEXT, .offset = NOWHERE, .required = true, .max = 5, .shape = &shape_clock_time},
    {.path = "timeZone", .kind = FIELD_TEXT, .offset = offsetof(struct window_spec, time_zone), .required = true,
     .max = 64, .shape = &shape_time_zone},
};
/* clang-format on */

/* The shape has been checked. */
static int minute_of_day(const char *text)
{
    return ((text[0] - '0') * 10 + text[1] - '0') * 60 + (text[3] - '0') * 10 + text[4] - '0';
}

static struct err *check_window(void *item, const struct json *value, const char *where)
{
    struct window_spec *window = item;

    window->present = true;
    window->from_minute = minute_of_day(json_get_text(value, "from", "00:00"));
    window->to_minute = minute_of_day(json_get_text(value, "to", "00:00"));
    json_each (day, json_member(value, "days")) {
        for (size_t i = 0; i < COUNT_OF(day_names); i++) {
            if (text_equal(day_names[i], json_get_text(day, NULL, NULL)))
                window->days = (uint8_t)(window->days | 1u << i);
        }
    }
    if (window->from_minute == window->to_minute)
        return err_new(ERR_INVALID, "%s.to: must differ from from", where);
    return NULL;
}

const struct part window_part = {
    .fields = window_fields,
    .count = COUNT_OF(window_fields),
    .size = sizeof(struct window_spec),
    .check = check_window,
};

/* --- proxies --- */

/* clang-format off */
static const struct field proxy_fields[] = {
    {.path = "name",     .kind = FIELD_TEXT, .offset = offsetof(struct proxy_spec, name), .required = true, .max = 63,
     .shape = &shape_proxy_name},
    {.path = "database", .kind = FIELD_TEXT, .offset = offsetof(struct proxy_spec, database), .required = true,
     .max = 63, .shape = &shape_label},
};
/* clang-format on */

const struct part proxy_part = {
    .fields = proxy_fields,
    .count = COUNT_OF(proxy_fields),
    .size = sizeof(struct proxy_spec),
    .key = "name",
};

/* --- parameters --- */

static const char *const parameter_kinds[] = {
    [PARAMETER_SSM] = "ssm",
    [PARAMETER_SECRETS_MANAGER] = "secretsManager",
    [PARAMETER_CONFIG_MAP] = "configMap",
    [PARAMETER_SECRET] = "secret",
};

#define AT(member) offsetof(struct parameter_spec, member)
/* clang-format off */
static const struct field parameter_fields[] = {
    {.path = "name",  .kind = FIELD_TEXT, .offset = AT(name), .required = true, .max = 63, .shape = &shape_label},
    {.path = "value", .kind = FIELD_TEXT, .offset = AT(value), .required = true, .min = 1, .max = 4096},
    {.path = "ssm",                     .kind = FIELD_OBJECT},
    {.path = "ssm.name",                .kind = FIELD_TEXT, .offset = AT(target), .required = true, .max = 1011,
     .shape = &shape_ssm_name},
    {.path = "secretsManager",          .kind = FIELD_OBJECT},
    {.path = "secretsManager.secretID", .kind = FIELD_TEXT, .offset = AT(target), .required = true, .max = 512,
     .shape = &shape_secret_id},
    {.path = "secretsManager.key",      .kind = FIELD_TEXT, .offset = AT(key), .required = true, .min = 1, .max = 253},
    {.path = "configMap",               .kind = FIELD_OBJECT},
    {.path = "configMap.name",          .kind = FIELD_TEXT, .offset = AT(target), .required = true, .max = 253,
     .shape = &shape_subdomain},
    {.path = "configMap.key",           .kind = FIELD_TEXT, .offset = AT(key), .required = true, .max = 253,
     .shape = &shape_config_key},
    {.path = "secret",                  .kind = FIELD_OBJECT},
    {.path = "secret.name",             .kind = FIELD_TEXT, .offset = AT(target), .required = true, .max = 253,
     .shape = &shape_subdomain},
    {.path = "secret.key",              .kind = FIELD_TEXT, .offset = AT(key), .required = true, .max = 253,
     .shape = &shape_config_key},
};
/* clang-format on */
#undef AT

static struct err *check_parameter(void *item, const struct json *value, const char *where)
{
    struct parameter_spec *parameter = item;
    size_t kind = 0;

    TRY(fields_one_of(value, where, &(struct names)NAMES(parameter_kinds), &kind));
    parameter->kind = (enum parameter_kind)kind;
    return NULL;
}

const struct part parameter_part = {
    .fields = parameter_fields,
    .count = COUNT_OF(parameter_fields),
    .size = sizeof(struct parameter_spec),
    .key = "name",
    .check = check_parameter,
};

/* --- applications --- */

static const char *const application_kinds[] = {
    [APPLICATION_DEPLOYMENT] = "deployment",
    [APPLICATION_STATEFUL_SET] = "statefulSet",
    [APPLICATION_DAEMON_SET] = "daemonSet",
    [APPLICATION_ECS_SERVICE] = "ecsService",
};

#define AT(member) offsetof(struct application_spec, member)
/* clang-format off */
static const struct field application_fields[] = {
    {.path = "name", .kind = FIELD_TEXT, .offset = AT(name), .required = true, .max = 63, .shape = &shape_label},
    {.path = "deployment",         .kind = FIELD_OBJECT},
    {.path = "deployment.name",    .kind = FIELD_TEXT, .offset = AT(target), .required = true, .max = 253,
     .shape = &shape_subdomain},
    {.path = "statefulSet",        .kind = FIELD_OBJECT},
    {.path = "statefulSet.name",   .kind = FIELD_TEXT, .offset = AT(target), .required = true, .max = 253,
     .shape = &shape_subdomain},
    {.path = "daemonSet",          .kind = FIELD_OBJECT},
    {.path = "daemonSet.name",     .kind = FIELD_TEXT, .offset = AT(target), .required = true, .max = 253,
     .shape = &shape_subdomain},
    {.path = "ecsService",         .kind = FIELD_OBJECT},
    {.path = "ecsService.cluster", .kind = FIELD_TEXT, .offset = AT(cluster), .required = true, .max = 255,
     .shape = &shape_aws_name},
    {.path = "ecsService.service", .kind = FIELD_TEXT, .offset = AT(target), .required = true, .max = 255,
     .shape = &shape_aws_name},
};
/* clang-format on */
#undef AT

static struct err *check_application(void *item, const struct json *value, const char *where)
{
    struct application_spec *application = item;
    size_t kind = 0;

    TRY(fields_one_of(value, where, &(struct names)NAMES(application_kinds), &kind));
    application->kind = (enum application_kind)kind;
    return NULL;
}

const struct part application_part = {
    .fields = application_fields,
    .count = COUNT_OF(application_fields),
    .size = sizeof(struct application_spec),
    .key = "name",
    .check = check_application,
};
