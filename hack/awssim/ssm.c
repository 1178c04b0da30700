#include "hack/awssim/ssm.h"

#include "pkg/base/digest.h"
#include "pkg/base/secret.h"

#define MAX_VERSIONS 100

static struct ssm_state *state_of(const struct account *account)
{
    return account_state(account, &ssm_service);
}

/* ---- parameters ---- */

struct parameter *sim_parameter(const struct ssm_state *state, const char *name)
{
    for (size_t i = 0; i < state->count; i++)
        if (text_equal(state->parameters[i]->name, name) || text_equal(state->parameters[i]->arn, name))
            return state->parameters[i];
    return NULL;
}

struct parameter *sim_parameter_add(struct ssm_state *state, const char *name)
{
    struct parameter *parameter = xcalloc(1, sizeof(*parameter));

    state->parameters = xgrow(state->parameters, state->count, sizeof(struct parameter *));
    state->parameters[state->count++] = parameter;
    parameter->name = xstrdup(name);
    /* The leading slash of a path is not doubled. */
    parameter->arn = account_arn(state->account, "ssm", "parameter%s%s", name[0] == '/' ? "" : "/", name);
    parameter->tags = json_new_object();
    return parameter;
}

static void version_done(struct parameter_version *version)
{
    wipe_free(version->value);
    xfree(version->user);
}

void sim_parameter_put(struct parameter *parameter, const char *value, const char *user, int64_t now_ms)
{
    int64_t last = parameter->version_count ? parameter->versions[parameter->version_count - 1].number : 0;

    if (parameter->version_count == MAX_VERSIONS) {
        version_done(&parameter->versions[0]);
        parameter->version_count--;
        memmove(parameter->versions, parameter->versions + 1,
                parameter->version_count * sizeof(*parameter->versions));
        parameter->versions =
            xrealloc(parameter->versions, (MAX_VERSIONS + 1) * sizeof(*parameter->versions));
    } else {
        parameter->versions =
            xgrow(parameter->versions, parameter->version_count, sizeof(*parameter->versions));
    }
    parameter->versions[parameter->version_count++] = (struct parameter_version){
        .value = xstrdup(value), .user = xstrdup(user), .number = last + 1, .time_ms = now_ms};
}

static void parameter_free(struct parameter *parameter)
{
    for (size_t i = 0; i < parameter->version_count; i++)
        version_done(&parameter->versions[i]);
    xfree(parameter->versions);
    xfree(parameter->name);
    xfree(parameter->arn);
    xfree(parameter->type);
    xfree(parameter->tier);
    xfree(parameter->data_type);
    xfree(parameter->key);
    xfree(parameter->description);
    xfree(parameter->pattern);
    json_free(parameter->tags);
    xfree(parameter);
}

const struct parameter_version *sim_parameter_newest(const struct parameter *parameter)
{
    return &parameter->versions[parameter->version_count - 1];
}

/* ---- reading ---- */

/* What a SecureString looks like to who did not ask for decryption. Yours. */
static char *ciphertext(const struct parameter *parameter, const struct parameter_version *version)
{
    AUTO_BUF struct buf text = BUF_MAX(64 * KIB);
    AUTO_FREE char *mixed =
        xasprintf("%s:%lld:%s", parameter->arn, (long long)version->number, version->value);
    unsigned char digest[SHA256_BYTES];

    sha256(str_of(mixed), digest);
    buf_adds(&text, "AQICAHh");
    buf_add_base64(&text, digest, sizeof(digest));
    return buf_take(&text);
}

static void put_value(const struct call *call, const struct parameter *parameter,
                      const struct parameter_version *version, struct json *wire)
{
    bool hidden = text_equal(parameter->type, "SecureString") && !call_bool(call, "WithDecryption", false);
    AUTO_FREE char *cipher = hidden ? ciphertext(parameter, version) : NULL;

    json_set_text(wire, "Name", parameter->name);
    json_set_text(wire, "Type", parameter->type);
    json_set_text(wire, "Value", cipher ? cipher : version->value);
    json_set_int(wire, "Version", version->number);
    json_set(wire, "LastModifiedDate", call_time(call, version->time_ms));
    json_set_text(wire, "DataType", parameter->data_type);
}

static struct json *value_wire(const struct call *call, const struct parameter *parameter,
                               const struct parameter_version *version, const char *selector)
{
    struct json *wire = json_new_object();

    put_value(call, parameter, version, wire);
    json_set_text(wire, "ARN", parameter->arn);
    json_set_text(wire, "Selector", text_is_empty(selector) ? NULL : selector);
    return wire;
}

struct found {
    const struct parameter *parameter;
    const struct parameter_version *version; /* NULL: the parameter is there, the version is not */
    char *selector;                          /* ":3", yours; NULL: none */
};

/* "name", "name:3" or an ARN. */
static struct found find(const struct ssm_state *state, const char *text)
{
    struct found found = {.parameter = sim_parameter(state, text)};
    const char *colon = strrchr(text, ':');
    int64_t number = 0;

    if (found.parameter) {
        found.version = sim_parameter_newest(found.parameter);
        return found;
    }
    if (!colon)
        return found;
    AUTO_FREE char *name = xstrndup(text, (size_t)(colon - text));
    found.parameter = sim_parameter(state, name);
    if (!found.parameter || !str_to_int(str_of(colon + 1), &number))
        return found;
    found.selector = xstrdup(colon);
    for (size_t i = 0; i < found.parameter->version_count; i++)
        if (found.parameter->versions[i].number == number)
            found.version = &found.parameter->versions[i];
    return found;
}

static bool get_parameter(struct call *call)
{
    const char *name = call_text(call, "Name");
    struct found found = find(call_state(call), name);
    AUTO_FREE char *selector = found.selector;

    if (!found.parameter)
        return call_refuse(call, 400, "ParameterNotFound", "Parameter %s not found.", name);
    if (!found.version)
        return call_refuse(call, 400, "ParameterVersionNotFound",
                           "Systems Manager could not find version %s of %s.", selector ? selector + 1 : "",
                           found.parameter->name);
    json_set(call->out, "Parameter", value_wire(call, found.parameter, found.version, selector));
    return true;
}

static bool get_parameters(struct call *call)
{
    const struct json *names = call_list(call, "Names");

    if (json_count(names) < 1 || json_count(names) > 10)
        return call_refuse(call, 400, "ValidationException",
                           "1 validation error detected: Value at 'names' failed to satisfy constraint: "
                           "Member must have length "
                           "between 1 and 10");
    struct json *parameters = json_new_array(), *invalid = json_new_array();
    json_each (item, names) {
        const char *name = json_get_text(item, NULL, "");
        struct found found = find(call_state(call), name);
        AUTO_FREE char *selector = found.selector;

        if (found.version)
            json_append(parameters, value_wire(call, found.parameter, found.version, selector));
        else
            json_append_text(invalid, name);
    }
    json_set(call->out, "Parameters", parameters);
    json_set(call->out, "InvalidParameters", invalid);
    return true;
}

/* ---- lists ---- */

static bool is_below(const char *path, const char *name, bool recursive)
{
    size_t len = strlen(path);

    while (len > 0 && path[len - 1] == '/')
        len--;
    return strncmp(name, path, len) == 0 && name[len] == '/' && (recursive || !strchr(name + len + 1, '/'));
}

static bool is_path_match(const struct call *call, const struct parameter *parameter)
{
    return is_below(call_text(call, "Path"), parameter->name, call_bool(call, "Recursive", false));
}

static bool name_fits(const char *option, const char *name, const char *value)
{
    if (text_equal(option, "BeginsWith"))
        return str_starts(str_of(name), value);
    if (text_equal(option, "Contains"))
        return str_contains(str_of(name), value);
    return text_equal(name, value);
}

static bool filter_fits(const struct json *filter, const struct parameter *parameter)
{
    const char *key = json_get_text(filter, "Key", ""), *option = json_get_text(filter, "Option", "Equals");

    json_each (item, json_member(filter, "Values")) {
        const char *value = json_get_text(item, NULL, "");

        if (text_equal(key, "Name") && name_fits(option, parameter->name, value))
            return true;
        if (text_equal(key, "Type") && text_equal(parameter->type, value))
            return true;
        if (text_equal(key, "Path") && is_below(value, parameter->name, text_equal(option, "Recursive")))
            return true;
    }
    return false;
}

static bool is_filter_match(const struct call *call, const struct parameter *parameter)
{
    json_each (filter, call_list(call, "ParameterFilters"))
        if (!filter_fits(filter, parameter))
            return false;
    json_each (filter, call_list(call, "Filters"))
        if (!filter_fits(filter, parameter))
            return false;
    return true;
}

static struct json *description_wire(const struct call *call, const struct parameter *parameter)
{
    const struct parameter_version *version = sim_parameter_newest(parameter);
    struct json *wire = json_new_object();

    json_set_text(wire, "Name", parameter->name);
    json_set_text(wire, "ARN", parameter->arn);
    json_set_text(wire, "Type", parameter->type);
    json_set_text(wire, "KeyId", parameter->key);
    json_set(wire, "LastModifiedDate", call_time(call, version->time_ms));
    json_set_text(wire, "LastModifiedUser", version->user);
    json_set_text(wire, "Description", parameter->description);
    json_set_text(wire, "AllowedPattern", parameter->pattern);
    json_set_int(wire, "Version", version->number);
    json_set_text(wire, "Tier", parameter->tier);
    json_set_text(wire, "DataType", parameter->data_type);
    return wire;
}

struct listing {
    bool (*matches)(const struct call *call, const struct parameter *parameter);
    struct json *(*wire)(const struct call *call, const struct parameter *parameter);
    struct page_rule pages;
};

static bool list(struct call *call, const struct listing *listing)
{
    const struct ssm_state *state = call_state(call);
    size_t first = 0, count = 0, total = 0, number = 0;

    for (size_t i = 0; i < state->count; i++)
        total += listing->matches(call, state->parameters[i]);
    if (!call_page(call, &listing->pages, total, &first, &count))
        return false;
    struct json *array = json_new_array();
    for (size_t i = 0; i < state->count; i++)
        if (listing->matches(call, state->parameters[i]) && number++ >= first && number <= first + count)
            json_append(array, listing->wire(call, state->parameters[i]));
    json_set(call->out, "Parameters", array);
    return true;
}

static struct json *newest_wire(const struct call *call, const struct parameter *parameter)
{
    return value_wire(call, parameter, sim_parameter_newest(parameter), NULL);
}

#define PAGES(most)                                                                                    \
    {                                                                                                  \
        .size_member = "MaxResults", .token_member = "NextToken", .out_member = "NextToken", .min = 1, \
        .max = (most), .otherwise = (most), .error = "InvalidNextToken"                                \
    }

static bool describe_parameters(struct call *call)
{
    static const struct listing listing = {
        .matches = is_filter_match, .wire = description_wire, .pages = PAGES(50)};

    json_each (filter, call_list(call, "ParameterFilters")) {
        const char *key = json_get_text(filter, "Key", "");

        if (!text_equal(key, "Name") && !text_equal(key, "Type") && !text_equal(key, "Path"))
            return call_refuse(call, 400, "InvalidFilterKey",
                               "This simulator filters by Name, Type and Path, not %s", key);
    }
    return list(call, &listing);
}

static bool get_by_path(struct call *call)
{
    static const struct listing listing = {.matches = is_path_match, .wire = newest_wire, .pages = PAGES(10)};

    if (call_text(call, "Path")[0] != '/')
        return call_refuse(call, 400, "ValidationException", "The parameter path must begin with a slash.");
    return list(call, &listing);
}

static bool get_history(struct call *call)
{
    static const struct page_rule rule = PAGES(50);
    const char *name = call_text(call, "Name");
    const struct parameter *parameter = sim_parameter(call_state(call), name);
    size_t first = 0, count = 0;

    if (!parameter)
        return call_refuse(call, 400, "ParameterNotFound", "Parameter %s not found.", name);
    if (!call_page(call, &rule, parameter->version_count, &first, &count))
        return false;
    struct json *array = json_new_array();
    for (size_t i = first; i < first + count; i++) {
        struct json *wire = json_new_object();

        put_value(call, parameter, &parameter->versions[i], wire);
        json_set_text(wire, "KeyId", parameter->key);
        json_set_text(wire, "LastModifiedUser", parameter->versions[i].user);
        json_set_text(wire, "Tier", parameter->tier);
        json_set(wire, "Labels", json_new_array());
        json_append(array, wire);
    }
    json_set(call->out, "Parameters", array);
    return true;
}

static bool delete_parameter(struct call *call)
{
    struct ssm_state *state = call_state(call);
    const char *name = call_text(call, "Name");

    call_effect(call, EFFECT_CHANGED, name);
    for (size_t i = 0; i < state->count; i++) {
        if (!text_equal(state->parameters[i]->name, name))
            continue;
        call_effect(call, EFFECT_CHANGED, state->parameters[i]->arn);
        parameter_free(state->parameters[i]);
        state->count--;
        memmove(&state->parameters[i], &state->parameters[i + 1],
                (state->count - i) * sizeof(struct parameter *));
        return true;
    }
    return call_refuse(call, 400, "ParameterNotFound", "Parameter %s not found.", name);
}

static void done(struct account *account)
{
    struct ssm_state *state = state_of(account);

    for (size_t i = 0; i < state->count; i++)
        parameter_free(state->parameters[i]);
    xfree(state->parameters);
}

static const struct operation operations[] = {
    {.name = "GetParameter", .handle = get_parameter, .input = "Name! WithDecryption:bool"},
    {.name = "GetParameters", .handle = get_parameters, .input = "Names!:list WithDecryption:bool"},
    {.name = "GetParametersByPath",
     .handle = get_by_path,
     .input = "Path! Recursive:bool WithDecryption:bool MaxResults:int NextToken"},
    {.name = "GetParameterHistory",
     .handle = get_history,
     .input = "Name! WithDecryption:bool MaxResults:int NextToken"},
    {.name = "DescribeParameters",
     .handle = describe_parameters,
     .input = "Filters:list ParameterFilters:list MaxResults:int NextToken Shared:bool"},
    {.name = "PutParameter",
     .handle = sim_ssm_put_parameter,
     .input = "Name! Value! Description Type KeyId Overwrite:bool AllowedPattern Tags:list Tier DataType",
     .mutating = true},
    {.name = "DeleteParameter", .handle = delete_parameter, .input = "Name!", .mutating = true},
};

const struct service ssm_service = {
    .name = "ssm",
    .section = "ssm",
    .protocol = PROTOCOL_JSON,
    .target_prefix = "AmazonSSM",
    .json_version = "1.1",
    .operations = operations,
    .operation_count = COUNT_OF(operations),
    .state_size = sizeof(struct ssm_state),
    .load = sim_ssm_load,
    .dump = sim_ssm_dump,
    .done = done,
};
