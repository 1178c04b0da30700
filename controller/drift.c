#include "controller/drift.h"

#include "controller/names.h"
#include "controller/values.h"
#include "pkg/aws/rds_proxy.h"
#include "pkg/base/secret.h"

#define VALUE_MAX (8 * KIB)

static void say(struct buf *out, const char *text)
{
    buf_addf(out, "%s%s", out->len ? "; " : "", text);
}

/* --- proxies --- */

static struct err *look_at_proxy(const struct pass *pass, const struct proxy_spec *spec, struct buf *out)
{
    CLEANUP(rds_proxy_targets_done) struct rds_proxy_targets targets = {0};
    const struct database_status *copy = status_database(pass->status, spec->database);
    AUTO_FREE char *text = NULL;
    const char *present;

    TRY(err_wrap(rds_proxy_list_targets(&pass->target, spec->name, &targets),
                 "look at the targets of proxy %s", spec->name));
    present = rds_proxy_targets_cluster(&targets);
    if (!copy || text_equal(present, copy->copy_identifier))
        return NULL;
    text = xasprintf("proxy %s points at %s instead of %s", spec->name, present ? present : "nothing",
                     copy->copy_identifier);
    say(out, text);
    return NULL;
}

/* --- parameters --- */

static struct err *look_at_parameter(const struct pass *pass, const struct parameter_spec *spec,
                                     struct buf *out)
{
    AUTO_TEMPLATES struct template_values values = names_templates(pass);
    AUTO_BUF struct buf wanted = BUF_MAX(VALUE_MAX);
    AUTO_SECRET struct secret *value = NULL;
    AUTO_FREE char *text = NULL;
    AUTO_SECRET struct secret *present = NULL;

    TRY(template_expand(spec->value, values.items, values.count, &wanted));
    value = secret_new(buf_str(&wanted));
    TRY(value_read(pass, spec, &present));
    if (present && secret_equal(present, value))
        return NULL;
    text = xasprintf("%s %s%s%s does not hold what parameter %s was set to", value_noun(spec->kind),
                     spec->target, spec->key ? ", key " : "", spec->key ? spec->key : "", spec->name);
    say(out, text);
    return NULL;
}

struct err *drift_look(const struct pass *pass, struct buf *out)
{
    for (size_t i = 0; i < pass->spec->proxy_count; i++)
        TRY(look_at_proxy(pass, &pass->spec->proxies[i], out));
    for (size_t i = 0; i < pass->spec->parameter_count; i++)
        TRY(look_at_parameter(pass, &pass->spec->parameters[i], out));
    return NULL;
}
