/* The profiles of the shared files. */
#ifndef AWS_PROFILE_H
#define AWS_PROFILE_H

#include "pkg/aws/config.h"
#include "pkg/aws/ini.h"

struct profiles {
    struct ini credentials;
    struct ini config;
};

/* Reads both files as config names them; a missing one is empty. */
struct err *profiles_read(const struct aws_config *config, struct profiles *ret) MUST_USE;
void profiles_done(struct profiles *profiles);
#define AUTO_PROFILES CLEANUP(profiles_done)

bool profiles_have(const struct profiles *profiles, const char *profile);
/* What one of the files says. NULL: nothing. */
const struct ini_section *profiles_in_credentials(const struct profiles *profiles, const char *profile);
const struct ini_section *profiles_in_config(const struct profiles *profiles, const char *profile);
/* The credentials file wins. NULL: not there, or empty. */
const char *profiles_get(const struct profiles *profiles, const char *profile, const char *key);
/* The endpoint that the profile's services section names. */
const char *profiles_service_endpoint(const struct profiles *profiles, const char *profile,
                                      enum aws_service service);

#endif
