#include "pkg/refresh/spec_parts.h"

/* --- where a secret lives --- */

#define AT(member) offsetof(struct secret_ref, member)
/* clang-format off */
static const struct field secret_ref_fields[] = {
    {.path = "secretsManager",          .kind = FIELD_OBJECT},
    {.path = "secretsManager.secretID", .kind = FIELD_TEXT, .offset = AT(secrets_manager_id), .required = true,
     .max = 512, .shape = &shape_secret_id},
    {.path = "secretsManager.key",      .kind = FIELD_TEXT, .offset = AT(secrets_manager_key), .required = true,
     .min = 1, .max = 253},
    {.path = "secret",      .kind = FIELD_OBJECT},
    {.path = "secret.name", .kind = FIELD_TEXT, .offset = AT(secret_name), .required = true, .max = 253,
     .shape = &shape_subdomain},
    {.path = "secret.key",  .kind = FIELD_TEXT, .offset = AT(secret_key), .required = true, .max = 253,
     .shape = &shape_config_key},
};
/* clang-format on */
#undef AT

static struct err *check_secret_ref(void *item, const struct json *value, const char *where)
{
    static const char *const places[] = {"secretsManager", "secret"};
    size_t which;

    (void)item;
    return fields_one_of(value, where, &(struct names)NAMES(places), &which);
}

const struct part secret_ref_part = {
    .fields = secret_ref_fields,
    .count = COUNT_OF(secret_ref_fields),
    .size = sizeof(struct secret_ref),
    .check = check_secret_ref,
};

/* --- the master user's password --- */

#define GENERATED_LENGTH 32 /* within what every engine of RDS takes (41 of MySQL is the least) */

#define AT(member) offsetof(struct password_spec, member)
/* clang-format off */
static const struct field password_fields[] = {
    {.path = "fromSecret", .kind = FIELD_PART, .offset = AT(from), .part = &secret_ref_part},
    {.path = "generate",   .kind = FIELD_PART, .offset = AT(from), .part = &secret_ref_part},
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
    password->length = GENERATED_LENGTH;
    return NULL;
}

const struct part password_part = {
    .fields = password_fields,
    .count = COUNT_OF(password_fields),
    .size = sizeof(struct password_spec),
    .check = check_password,
};
