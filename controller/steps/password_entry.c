/* Rows of their own for databases whose generated password no proxy takes along. */
#include "controller/steps/password.h"

static bool has_row(const struct refresh_spec *spec, const struct database_spec *database)
{
    if (database->kind != DATABASE_AURORA || database->aurora.password.kind != PASSWORD_GENERATE)
        return false;
    for (size_t i = 0; i < spec->proxy_count; i++) {
        if (text_equal(spec->proxies[i].database, database->name))
            return false;
    }
    return true;
}

static const struct database_spec *entry_of(const struct refresh_spec *spec, size_t index)
{
    for (size_t i = 0; i < spec->database_count; i++) {
        if (has_row(spec, &spec->databases[i]) && index-- == 0)
            return &spec->databases[i];
    }
    return NULL;
}

size_t password_entry_count(const struct refresh_spec *spec)
{
    size_t count = 0;

    while (entry_of(spec, count))
        count++;
    return count;
}

const char *password_entry_name(const struct refresh_spec *spec, size_t index)
{
    return entry_of(spec, index)->name;
}

struct err *password_entry_intend(struct stage *stage)
{
    return password_switch_intend(stage, entry_of(stage->pass->spec, stage->index), NULL);
}

struct err *password_entry_act(struct stage *stage, struct outcome *out)
{
    const struct database_spec *database = entry_of(stage->pass->spec, stage->index);
    AUTO_FREE char *wait = NULL;
    AUTO_FREE char *why = NULL;

    TRY(password_refusal(stage->pass, database, &why));
    if (why) {
        *out = outcome_failed(PASSWORD_NOT_KNOWN, "%s", why);
        return NULL;
    }
    TRY(password_switch(stage, database, NULL, &wait));
    if (stage->row->state == STEP_INTENDED)
        stage_started(stage, database->name);
    *out = outcome_done("the new password of %s is the present one", database->name);
    return NULL;
}

struct err *password_entry_undo(struct stage *stage, struct outcome *out)
{
    const struct database_spec *database = entry_of(stage->pass->spec, stage->index);
    AUTO_FREE char *wait = NULL;

    TRY(password_switch_back(stage, database, NULL, &wait));
    *out = outcome_done("the password of %s is as before, or what somebody else has written", database->name);
    return NULL;
}
