#include "controller/preflight.h"

#include <stdarg.h>

/* --- findings --- */

void preflight_findings_done(struct preflight_findings *findings)
{
    for (size_t i = 0; i < findings->count; i++) {
        xfree(findings->items[i].subject);
        xfree(findings->items[i].message);
    }
    xfree(findings->items);
    *findings = (struct preflight_findings){0};
}

const struct finding *preflight_first_failure(const struct preflight_findings *findings)
{
    for (size_t i = 0; i < findings->count; i++) {
        if (findings->items[i].state == FINDING_FAIL)
            return &findings->items[i];
    }
    return NULL;
}

const char *finding_state_name(enum finding_state state)
{
    static const char *const names[] = {
        [FINDING_OK] = "ok", [FINDING_UNKNOWN] = "unknown", [FINDING_FAIL] = "FAIL"};

    return names[state];
}

PRINTF_LIKE(3, 0)
static void say(const struct inspection *in, enum finding_state state, const char *fmt, va_list args)
{
    struct preflight_findings *findings = in->findings;

    findings->items = xgrow(findings->items, findings->count, sizeof(*findings->items));
    findings->items[findings->count++] = (struct finding){.check = in->check->name,
                                                          .account = in->account->name,
                                                          .subject = xstrdup(in->subject),
                                                          .state = state,
                                                          .message = xvasprintf(fmt, args)};
}

void preflight_ok(const struct inspection *in, const char *fmt, ...)
{
    va_list args;

    va_start(args, fmt);
    say(in, FINDING_OK, fmt, args);
    va_end(args);
}

void preflight_unknown(const struct inspection *in, const char *fmt, ...)
{
    va_list args;

    va_start(args, fmt);
    say(in, FINDING_UNKNOWN, fmt, args);
    va_end(args);
}

void preflight_fail(const struct inspection *in, const char *fmt, ...)
{
    va_list args;

    va_start(args, fmt);
    say(in, FINDING_FAIL, fmt, args);
    va_end(args);
}

const struct account *preflight_source(const struct inspection *in)
{
    return in->preflight->accounts->source;
}

const struct account *preflight_target(const struct inspection *in)
{
    return in->preflight->accounts->target;
}

/* --- what is known already --- */

static void add_account(struct buf *key, const struct account *account)
{
    if (account)
        buf_addf(key, "%s/%s/%lld ", account->name, account->uid ? account->uid : "",
                 (long long)account->generation);
}

/* All that the outcome depends on and that can differ between two specs. */
static char *key_of(const struct inspection *in)
{
    const struct refresh_spec *spec = in->preflight->spec;
    AUTO_BUF struct buf key = BUF_MAX(8 * KIB);

    add_account(&key, preflight_source(in));
    add_account(&key, preflight_target(in));
    buf_addf(&key, "%s %s %lld", in->check->name, in->subject,
             (long long)spec->live.retention.recovery_point_days);
    if (in->database)
        buf_addf(&key, " %s",
                 in->database->kind == DATABASE_AURORA ? in->database->aurora.cluster_identifier
                                                       : in->database->dynamodb.table_name);
    return buf_take(&key);
}

/* --- looking --- */

#define TRIES 5
#define TRY_AGAIN_MS SECONDS(2)

static struct err *look_patiently(const struct inspection *in)
{
    const struct env *env = in->preflight->env;
    struct err *err = in->check->look(in);

    for (int i = 1; err && err_kind(err) == ERR_RETRY && !in->preflight->memo && i < TRIES; i++) {
        err_ignore(err, "asked once more");
        if (!sched_wait_until(env->sched, env->stop, sched_now_ms(env->sched) + TRY_AGAIN_MS))
            return err_new(ERR_CANCELED, "stopped");
        err = in->check->look(in);
    }
    return err;
}

/* NULL: the error has become a finding. */
static struct err *judge(const struct inspection *in, struct err *err)
{
    const char *text = err_text(err);
    /* Without an answer it is not a permission that is missing, but our own credentials. */
    bool is_refused = err_kind(err) == ERR_DENIED && err_remote(err)->http_status;

    if (err_kind(err) == ERR_CANCELED || (err_kind(err) == ERR_RETRY && in->preflight->memo))
        return err_wrap(err, "preflight: %s", in->subject);
    if (err_kind(err) == ERR_NOT_FOUND && in->check->missing)
        preflight_fail(in, "there is no such thing in account %s: %s (%s)", in->account->account_id,
                       in->check->missing, text);
    else if (is_refused && in->check->is_optional)
        preflight_unknown(in, "not looked at, as the role may not: %s", text);
    else if (is_refused)
        preflight_fail(in, "the role may not look at it: grant what \"stagingrefresh policies\" says (%s)",
                       text);
    else
        preflight_fail(in, "could not be looked at: %s", text);
    err_free(err);
    return NULL;
}

static bool has_failed(const struct preflight_findings *findings, size_t from)
{
    for (size_t i = from; i < findings->count; i++) {
        if (findings->items[i].state == FINDING_FAIL)
            return true;
    }
    return false;
}

static struct err *inspect(struct inspection *in)
{
    struct preflight_memo *memo = in->preflight->memo;
    int64_t now_ms = sched_now_ms(in->preflight->env->sched);
    size_t before = in->findings->count;
    AUTO_FREE char *key = NULL;
    struct err *err;

    in->subject = in->check->subject(in);
    key = key_of(in);
    if (memo && preflight_memo_has(memo, key, now_ms))
        return NULL;
    err = look_patiently(in);
    if (err)
        TRY(judge(in, err));
    if (memo && !has_failed(in->findings, before))
        preflight_memo_add(memo, key, now_ms);
    return NULL;
}

static struct err *inspect_all_of(const struct preflight *preflight, const struct preflight_check *check,
                                  const struct database_spec *database, struct preflight_findings *findings)
{
    size_t count = check->count ? check->count(preflight->spec, database) : 1;
    bool on_source = check->side == SIDE_SOURCE;

    if (check->applies && !check->applies(preflight->spec, database))
        return NULL;
    for (size_t i = 0; i < count; i++) {
        struct inspection in = {
            .preflight = preflight,
            .check = check,
            .aws = on_source ? &preflight->source : &preflight->target,
            .account = on_source ? preflight->accounts->source : preflight->accounts->target,
            .database = database,
            .index = i,
            .findings = findings,
        };
        struct err *err = inspect(&in);

        xfree(in.subject);
        TRY(err);
    }
    return NULL;
}

static struct err *inspect_table(const struct preflight *preflight, const struct preflight_table *table,
                                 struct preflight_findings *findings)
{
    for (size_t i = 0; i < table->count; i++) {
        const struct preflight_check *check = &table->checks[i];

        if (preflight->switch_only && !check->of_switchover)
            continue;
        if (check->side == SIDE_SOURCE && !preflight->accounts->source)
            continue;
        if (!check->per_database) {
            TRY(inspect_all_of(preflight, check, NULL, findings));
            continue;
        }
        for (size_t k = 0; k < preflight->spec->database_count; k++)
            TRY(inspect_all_of(preflight, check, &preflight->spec->databases[k], findings));
    }
    return NULL;
}

struct err *preflight_look(const struct preflight *preflight, struct preflight_findings *ret)
{
    static const struct preflight_table *const tables[] = {&preflight_backup, &preflight_restore,
                                                           &preflight_hooks, &preflight_switchover};
    AUTO_PREFLIGHT_FINDINGS struct preflight_findings findings = {0};

    for (size_t i = 0; i < COUNT_OF(tables); i++)
        TRY(inspect_table(preflight, tables[i], &findings));
    *ret = findings;
    findings = (struct preflight_findings){0};
    return NULL;
}
