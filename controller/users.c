#include "controller/users.h"

#include "controller/names.h"
#include "controller/places.h"
#include "controller/values.h"
#include "pkg/aws/rds_proxy.h"
#include "pkg/base/secret.h"

/* Every proxy of the account, not only those of the spec: somebody may have put one up by hand. */
static struct err *find_proxy(const struct aws_client *aws, const char *cluster, char **ret_user)
{
    AUTO_RDS_PROXIES struct rds_proxies proxies = {0};

    TRY(err_wrap(rds_proxy_list(aws, &proxies), "list the proxies of account %s",
                 aws_account_id(aws->account)));
    for (size_t i = 0; i < proxies.count; i++) {
        AUTO_RDS_PROXY_TARGETS struct rds_proxy_targets targets = {0};
        const char *name = proxies.items[i].name;
        struct err *err = rds_proxy_list_targets(aws, name, &targets);

        if (err && err_kind(err) == ERR_NOT_FOUND) {
            err_ignore(err, "a proxy that has just gone points at nothing");
            continue;
        }
        TRY(err_wrap(err, "look at the targets of proxy %s", name));
        if (!text_equal(rds_proxy_targets_cluster(&targets), cluster))
            continue;
        *ret_user = xasprintf("proxy %s points at it", name);
        return NULL;
    }
    return NULL;
}

/* --- places --- */

/* With the namespace go the rights to read in it. */
static struct err *read_place(const struct pass *pass, const struct parameter_spec *place,
                              struct secret **ret)
{
    struct err *err = value_read(pass, place, ret);

    if (!err || err_kind(err) != ERR_DENIED || !place->unwritten)
        return err;
    err_ignore(err, "nothing of ours has ever put the copy there");
    return NULL;
}

/* The specs that the places borrow from. */
struct others {
    const struct pass *pass;
    struct refresh_spec **specs;
    size_t count;
    struct places *places;
};

static void others_done(struct others *others)
{
    for (size_t i = 0; i < others->count; i++)
        refresh_spec_free(others->specs[i]);
    xfree(others->specs);
}

static void add_spec_of(struct others *others, const struct json *spec, const char *name)
{
    AUTO_REFRESH_SPEC struct refresh_spec *parsed = NULL;
    struct err *err = spec ? refresh_spec_parse(spec, name, &parsed) : NULL;

    if (err)
        err_ignore(err, "what cannot be read has never run");
    if (!parsed)
        return;
    places_add_spec(others->places, parsed);
    others->specs = xgrow(others->specs, others->count, sizeof(struct refresh_spec *));
    others->specs[others->count++] = TAKE(parsed);
}

/* As it is now, and as it was in its last run: it may have come to use the copy by either. In another account
 * nothing names what is in this one. */
static void add_places_of_others(struct others *others)
{
    const struct pass *pass = others->pass;
    AUTO_FREE char *series = NULL;
    AUTO_JSON struct json *items = NULL;

    if (!pass->objects || !pass->spec->series)
        return;
    series = objects_series(pass->namespace, pass->spec->series);
    items = objects_list(pass->objects, OBJECT_REFRESH, series);
    json_each (item, items) {
        const char *name = json_get_text(item, "metadata.name", "");

        if (text_equal(json_get_text(item, "metadata.uid", ""), pass->uid) ||
            !text_equal(json_get_text(item, "spec.targetRef.name", ""), pass->spec->target))
            continue;
        add_spec_of(others, json_at(item, "status.run.spec"), name);
        add_spec_of(others, json_member(item, "spec"), name);
    }
}

static struct err *find_place(const struct pass *pass, const struct removal_copy *copy, char **ret_user)
{
    AUTO_PLACES struct places places = {0};
    CLEANUP(others_done) struct others others = {.pass = pass, .places = &places};

    places_add_spec(&places, pass->spec);
    places_add_spec(&places, pass->live);
    places_add_remembered(&places, copy->places, copy->place_count);
    add_places_of_others(&others);
    for (size_t i = 0; i < places.count; i++) {
        const struct parameter_spec *place = &places.items[i];
        AUTO_SECRET struct secret *value = NULL;

        TRY(read_place(pass, place, &value));
        if (!value || !name_is_mentioned(secret_reveal(value), copy->identifier))
            continue;
        *ret_user = xasprintf("%s %s names it", value_noun(place->kind), place->target);
        return NULL;
    }
    return NULL;
}

struct err *users_find(const struct remover *by, const struct removal_copy *copy, char **ret_user)
{
    if (copy->kind == DATABASE_AURORA)
        TRY(find_proxy(&by->aws, copy->identifier, ret_user));
    return by->pass && !*ret_user ? find_place(by->pass, copy, ret_user) : NULL;
}
