/* accounts[].ssm of the world file (docs-services.md describes the keys), and what GET /_sim/world shows of
 * it. */
#include "hack/awssim/ssm.h"

#include "pkg/base/digest.h"
#include "pkg/base/secret.h"

struct json *sim_ssm_dump(struct account *account)
{
    const struct ssm_state *state = account_state(account, &ssm_service);
    struct json *all = json_new_object(), *array = json_new_array();

    for (size_t i = 0; i < state->count; i++) {
        const struct parameter *parameter = state->parameters[i];
        bool secure = text_equal(parameter->type, "SecureString");
        struct json *one = json_new_object();
        char hex[2 * SHA256_BYTES + 1];

        sha256_hex(str_of(sim_parameter_newest(parameter)->value), hex);
        hex[12] = '\0';
        json_set_text(one, "name", parameter->name);
        json_set_text(one, "type", parameter->type);
        json_set_int(one, "version", sim_parameter_newest(parameter)->number);
        json_set_text(one, secure ? "digest" : "value",
                      secure ? hex : sim_parameter_newest(parameter)->value);
        json_append(array, one);
    }
    json_set(all, "parameters", array);
    return all;
}

struct parameter_section {
    char *name, *value;
    struct parameter parameter;
};

static const struct load_field parameter_fields[] = {
    {LOAD_FIELD(parameter_section, "name", LOAD_TEXT, name), .required = true},
    {LOAD_FIELD(parameter_section, "value", LOAD_TEXT, value), .required = true},
    {LOAD_FIELD(parameter_section, "type", LOAD_TEXT, parameter.type),
     .choices = "String StringList SecureString"},
    {LOAD_FIELD(parameter_section, "tier", LOAD_TEXT, parameter.tier), .choices = "Standard Advanced"},
    {LOAD_FIELD(parameter_section, "key", LOAD_TEXT, parameter.key)},
    {LOAD_FIELD(parameter_section, "description", LOAD_TEXT, parameter.description)},
    {LOAD_FIELD(parameter_section, "allowedPattern", LOAD_TEXT, parameter.pattern)},
};

static struct err *load_parameter(const struct loader *loader, struct ssm_state *state,
                                  const struct json *node)
{
    const char *name = json_get_text(node, "name", "");

    if (sim_parameter(state, name))
        return load_error(loader, node, "a parameter %s is already there", name);
    struct parameter *parameter = sim_parameter_add(state, name);
    struct parameter_section section = {.parameter = *parameter};
    struct err *err = load_fields(loader, node, parameter_fields, COUNT_OF(parameter_fields), &section);
    *parameter = section.parameter;
    if (!parameter->type)
        parameter->type = xstrdup("String");
    if (!parameter->tier)
        parameter->tier = xstrdup("Standard");
    if (!parameter->key && text_equal(parameter->type, "SecureString"))
        parameter->key = xstrdup("alias/aws/ssm");
    parameter->data_type = xstrdup("text");
    sim_parameter_put(parameter, section.value ? section.value : "", "arn:aws:iam::world-file",
                      sim_now(state->account->sim) - DAYS(30));
    xfree(section.name);
    wipe_free(section.value);
    return err;
}

struct ssm_section {
    const struct json *parameters;
};

struct err *sim_ssm_load(const struct loader *loader, struct account *account, const struct json *node)
{
    static const struct load_field fields[] = {
        {LOAD_FIELD(ssm_section, "parameters", LOAD_LIST, parameters)},
    };
    struct ssm_state *state = account_state(account, &ssm_service);
    struct ssm_section section = {0};

    state->account = account;
    if (!node)
        return NULL;
    TRY(load_fields(loader, node, fields, COUNT_OF(fields), &section));
    json_each (item, section.parameters)
        TRY(load_parameter(loader, state, item));
    return NULL;
}
