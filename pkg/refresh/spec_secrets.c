#include "pkg/refresh/spec_parts.h"

#define AT(member) offsetof(struct password_spec, member)
/* clang-format off */

/* Where a secret lives. What is read may be a whole secret; what is written is one key of it, because the others
 * are somebody else's. */
#define SECRET_ROWS(whole_)                                                                                          \
    {.path = "secretsManager",          .kind = FIELD_OBJECT},                                                       \
    {.path = "secretsManager.secretID", .kind = FIELD_TEXT, .offset = AT(from.secrets_manager_id), .required = true, \
     .max = 512, .shape = &shape_secret_id},                                                                         \
    {.path = "secretsManager.key",      .kind = FIELD_TEXT, .offset = AT(from.secrets_manager_key),                  \
     .required = !(whole_), .min = 1, .max = 253},                                                                   \
    {.path = "secret",                  .kind = FIELD_OBJECT},                                                       \
    {.path = "secret.name",             .kind = FIELD_TEXT, .offset = AT(from.secret_name), .required = true,        \
     .max = 253, .shape = &shape_subdomain},                                                                         \
    {.path = "secret.key",              .kind = FIELD_TEXT, .offset = AT(from.secret_key), .required = true,         \
     .max = 253, .shape = &shape_config_key}

static const struct field from_secret_fields[] = {
    SECRET_ROWS(true),
};

/* MySQL takes the shortest passwords: 41 characters. */
static const struct field generate_fields[] = {
    SECRET_ROWS(false),
    {.path = "length", .kind = FIELD_INT, .offset = AT(length), .min = 16, .max = 41, .otherwise = 32},
};
/* clang-format on */

static struct err *check_place(void *item, const struct json *value, const char *where)
{
    static const char *const places[] = {"secretsManager", "secret"};
    size_t which;

    (void)item;
    return fields_one_of(value, where, &(struct names)NAMES(places), &which);
}

static const struct part from_secret_part = {
    .fields = from_secret_fields,
    .count = COUNT_OF(from_secret_fields),
    .size = sizeof(struct password_spec),
    .check = check_place,
};

static const struct part generate_part = {
    .fields = generate_fields,
    .count = COUNT_OF(generate_fields),
    .size = sizeof(struct password_spec),
    .check = check_place,
};

/* clang-format off */
static const struct field password_fields[] = {
    {.path = "fromSecret", .kind = FIELD_PART, .part = &from_secret_part},
    {.path = "generate",   .kind = FIELD_PART, .part = &generate_part},
    {.path = "rdsManaged", .kind = FIELD_OBJECT},
    {.path = "rdsManaged.kmsKeyID", .kind = FIELD_TEXT, .offset = AT(rds_managed_kms_key), .max = 512,
     .shape = &shape_key_arn},
};
/* clang-format on */
#undef AT

static struct err *check_password(void *item, const struct json *value, const char *where)
{
    static const char *const ways[] = {"fromSecret", "generate", "rdsManaged"};
    static const enum password_kind kinds[] = {PASSWORD_FROM_SECRET, PASSWORD_GENERATE, PASSWORD_RDS_MANAGED};
    struct password_spec *password = item;
    size_t way = 0;

    TRY(fields_one_of(value, where, &(struct names)NAMES(ways), &way));
    password->kind = kinds[way];
    return NULL;
}

const struct part password_part = {
    .fields = password_fields,
    .count = COUNT_OF(password_fields),
    .size = sizeof(struct password_spec),
    .check = check_password,
};
