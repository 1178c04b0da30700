#include "controller/steps/kube_secret.h"
#include "controller/steps/password.h"
#include "controller/steps/secret_text.h"
#include "controller/steps/secret_version.h"

/* Keeps the version from being pruned until it is the present one. */
#define NEXT_LABEL "stagingrefresh-next"

void password_version(const struct pass *pass, const struct database_spec *database, const char *base,
                      char ret[SECRET_VERSION_MAX])
{
    AUTO_FREE char *text = xasprintf("%s\n%s\n%s\npassword\n%s", pass->uid, status_copies_run(pass->status),
                                     database->name, base ? base : "");

    secret_version_id(str_of(text), ret);
}

/* What every engine, shell and connection string takes as it is: 64 characters, so that no draw is favoured.
 */
static struct secret *generate(struct random *random, int64_t length)
{
    static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-";
    AUTO_BUF struct buf text = BUF_SECRET(64);
    unsigned char bytes[64];

    random_fill(random, bytes, sizeof(bytes));
    for (int64_t i = 0; i < length && i < (int64_t)sizeof(bytes); i++)
        buf_addc(&text, alphabet[bytes[i] % 64]);
    explicit_bzero(bytes, sizeof(bytes));
    return secret_new(buf_str(&text));
}

/* --- Secrets Manager: a version under our label --- */

/* *ret stays NULL when there is no such version yet. */
static struct err *read_version(const struct pass *pass, const struct secret_ref *ref, const char *version,
                                struct secret **ret)
{
    AUTO_SECRET_VALUE struct secret_value value = {0};
    struct err *err = secretsmanager_get_value(&pass->target, ref->secrets_manager_id, version, NULL, &value);

    if (err && err_kind(err) == ERR_NOT_FOUND) {
        err_ignore(err, "the secret itself is looked at next");
        return NULL;
    }
    TRY(err_wrap(err, "read secret %s", ref->secrets_manager_id));
    return secret_text_get(value.text, ref->secrets_manager_id, ref->secrets_manager_key, ret);
}

static struct err *stage_version(const struct pass *pass, const struct secret_ref *ref, const char *version,
                                 const struct secret *password)
{
    AUTO_SECRET_VALUE struct secret_value present = {0};
    AUTO_SECRET struct secret *text = NULL;

    TRY(err_wrap(secretsmanager_get_value(&pass->target, ref->secrets_manager_id, NULL, NULL, &present),
                 "read secret %s", ref->secrets_manager_id));
    TRY(secret_text_with(present.text, ref->secrets_manager_id, ref->secrets_manager_key, password, &text));
    return err_wrap(secretsmanager_stage_value(
                        &pass->target, &(struct secretsmanager_put_opts){.secret_id = ref->secrets_manager_id,
                                                                         .token = version,
                                                                         .text = text,
                                                                         .stage = NEXT_LABEL}),
                    "stage a new password in secret %s", ref->secrets_manager_id);
}

/* --- */

static struct err *read_staged(const struct pass *pass, const struct database_spec *database,
                               struct secret **ret)
{
    const struct secret_ref *ref = &database->aurora.password.from;
    AUTO_FREE char *key = xasprintf("%s.next-password", database->name);
    char version[SECRET_VERSION_MAX];

    password_version(pass, database, NULL, version);
    return ref->secrets_manager_id ? read_version(pass, ref, version, ret)
                                   : kube_secret_kept_by(pass, status_copies_run(pass->status), key, ret);
}

static struct err *put_staged(const struct pass *pass, const struct database_spec *database,
                              const struct secret *password)
{
    const struct secret_ref *ref = &database->aurora.password.from;
    AUTO_FREE char *key = xasprintf("%s.next-password", database->name);
    AUTO_SECRET struct secret *present = NULL;
    char version[SECRET_VERSION_MAX];

    password_version(pass, database, NULL, version);
    if (ref->secrets_manager_id)
        return stage_version(pass, ref, version, password);
    TRY(kube_secret_get(pass, ref->secret_name, ref->secret_key,
                        &present)); /* it must be there to be changed */
    return kube_secret_keep(pass, key, password);
}

struct err *password_generated(const struct pass *pass, const struct database_spec *database,
                               struct secret **ret)
{
    AUTO_SECRET struct secret *password = NULL;

    TRY(read_staged(pass, database, &password));
    if (!password) {
        AUTO_SECRET struct secret *fresh = generate(pass->env->random, database->aurora.password.length);
        struct err *err = put_staged(pass, database, fresh);

        /* Said in our own words: a conflict with a status is the runner's business. */
        if (err && err_kind(err) == ERR_CONFLICT) {
            err_ignore(err, "another pass has been faster: what it kept is read at the next look");
            return err_new(ERR_RETRY, "a password is there already and is read again");
        }
        TRY(err);
        password = TAKE(fresh);
    }
    *ret = TAKE(password);
    return NULL;
}

struct err *password_of_copies(const struct pass *pass, const struct database_spec *database,
                               struct secret **ret)
{
    return read_staged(pass, database, ret);
}
