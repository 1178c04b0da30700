#include "pkg/aws/profile.h"

#include "pkg/base/buf.h"
#include "pkg/base/files.h"

#define FILE_MAX (1 * MIB)

void profiles_done(struct profiles *profiles)
{
    ini_done(&profiles->credentials);
    ini_done(&profiles->config);
}

static struct err *read_one(const char *path, struct ini *ret)
{
    AUTO_BUF struct buf text = BUF_SECRET(FILE_MAX);
    struct err *err;

    if (!path)
        return NULL;
    err = file_read(path, &text);
    if (err && err_kind(err) == ERR_NOT_FOUND) {
        err_ignore(err, "the shared files are optional");
        return NULL;
    }
    TRY(err);
    return ini_parse(buf_str(&text), path, ret);
}

struct err *profiles_read(const struct aws_config *config, struct profiles *ret)
{
    AUTO_PROFILES struct profiles profiles = {0};

    TRY(read_one(config->credentials_file, &profiles.credentials));
    TRY(read_one(config->config_file, &profiles.config));
    *ret = profiles;
    profiles = (struct profiles){0};
    return NULL;
}

const struct ini_section *profiles_in_credentials(const struct profiles *profiles, const char *profile)
{
    return ini_section(&profiles->credentials, profile);
}

/* In the config file only the default profile goes without the word. */
const struct ini_section *profiles_in_config(const struct profiles *profiles, const char *profile)
{
    AUTO_FREE char *name = xasprintf("profile %s", profile);
    const struct ini_section *found = ini_section(&profiles->config, name);

    return !found && text_equal(profile, "default") ? ini_section(&profiles->config, profile) : found;
}

bool profiles_have(const struct profiles *profiles, const char *profile)
{
    return ini_section(&profiles->credentials, profile) || profiles_in_config(profiles, profile);
}

const char *profiles_get(const struct profiles *profiles, const char *profile, const char *key)
{
    const char *found = ini_get(ini_section(&profiles->credentials, profile), key);

    if (text_is_empty(found))
        found = ini_get(profiles_in_config(profiles, profile), key);
    return text_is_empty(found) ? NULL : found;
}

const char *profiles_service_endpoint(const struct profiles *profiles, const char *profile,
                                      enum aws_service service)
{
    const char *services = profiles_get(profiles, profile, "services"), *found;
    AUTO_FREE char *section = xasprintf("services %s", services ? services : "");
    AUTO_FREE char *key = xasprintf("%s.endpoint_url", aws_service_info(service)->id);

    if (!services)
        return NULL;
    for (char *c = key; *c; c++) {
        if (*c >= 'A' && *c <= 'Z')
            *c = (char)(*c - 'A' + 'a');
    }
    found = ini_get(ini_section(&profiles->config, section), key);
    return text_is_empty(found) ? NULL : found;
}
