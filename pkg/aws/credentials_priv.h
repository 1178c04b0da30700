/* What the sources of credentials share. */
#ifndef AWS_CREDENTIALS_PRIV_H
#define AWS_CREDENTIALS_PRIV_H

#include "pkg/aws/credentials.h"
#include "pkg/base/json.h"

/* The JSON object that container, instance and programs answer with. */
struct credentials_json {
    const char *what; /* for errors */
    struct str text;
    const char *token_member; /* "Token" or "SessionToken" */
    const char *code_member;  /* must be "Success" when it is there; NULL: none */
    bool must_expire;         /* token and Expiration are required */
    bool must_be_version_1;
};
/* ERR_RETRY: it is not what was asked for. Never quotes the text. */
struct err *credentials_read_json(const struct credentials_json *json, struct credentials **ret) MUST_USE;

/* AssumeRoleWithWebIdentity as the variables say, or where they are silent the profile (variables NULL: only
 * the profile). Reads the token anew and asks the session's STS; nothing is signed. *ret NULL without an
 * error: nobody names a token. */
struct aws_session;
struct profiles;
struct err *credentials_find_web_identity(struct aws_session *session, const struct env *env,
                                          const struct profiles *profiles, const char *profile,
                                          const struct aws_config *variables,
                                          struct credentials **ret) MUST_USE;

/* Runs `command` (credential_process of a profile), split as a shell would, but by no shell. */
struct err *credentials_run_process(const struct aws_config *config, const struct env *env,
                                    const char *command, struct credentials **ret) MUST_USE;

/* Tells the listener of config's traffic what `inner` gives, as the controller's own. Takes it over, borrows
 * config. */
struct credentials_source *credentials_told_new(const struct aws_config *config,
                                                struct credentials_source *inner);

#endif
