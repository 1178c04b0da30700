#include "plugin/command.h"

#include "pkg/base/terminal.h"
#include "pkg/base/times.h"
#include "plugin/follow.h"
#include "plugin/list.h"
#include "plugin/request.h"
#include "plugin/tree.h"
#include "plugin/verdict.h"

#define OUTPUT_MAX (64 * MIB)
#define UNIQUE_MAX 64

/* --- status --- */

static int columns_of(const struct session *session)
{
    int columns, rows;

    terminal_measure(&columns, &rows);
    return session->is_live ? columns : 0;
}

static struct err *view_of(const struct session *session, const struct json *object,
                           struct refresh_status **ret_status, struct tree_view *ret)
{
    TRY(err_wrap(refresh_status_parse(json_member(object, "status"), ret_status), "status of %s",
                 json_get_text(object, "metadata.name", "")));
    *ret = (struct tree_view){.object = object,
                              .status = *ret_status,
                              .now_ms = sched_wall_ms(session->sched),
                              .width = columns_of(session),
                              .color = session->color,
                              .utf8 = session->utf8};
    return NULL;
}

static struct err *add_json(const struct session *session, const struct json *object, struct json **ret)
{
    AUTO_REFRESH_STATUS struct refresh_status *status = NULL;
    struct tree_view view;

    TRY(view_of(session, object, &status, &view));
    *ret = tree_to_json(&view);
    return NULL;
}

static void print_json(const struct json *value)
{
    AUTO_BUF struct buf out = BUF_MAX(OUTPUT_MAX);

    json_print_pretty(value, &out);
    buf_addc(&out, '\n');
    terminal_print(&out);
}

static struct err *print_one(const struct session *session, const char *name)
{
    AUTO_JSON struct json *object = NULL;
    AUTO_JSON struct json *facts = NULL;
    AUTO_REFRESH_STATUS struct refresh_status *status = NULL;
    AUTO_BUF struct buf out = BUF_MAX(OUTPUT_MAX);
    struct tree_view view;

    TRY(cluster_get(&session->cluster, session->namespace, name, &object));
    TRY(view_of(session, object, &status, &view));
    if (session->options->output == OUTPUT_JSON) {
        facts = tree_to_json(&view);
        print_json(facts);
        return NULL;
    }
    tree_render(&view, &out);
    terminal_print(&out);
    return NULL;
}

static struct err *print_json_of_all(const struct session *session, const struct json *items)
{
    AUTO_JSON struct json *list = json_new_array();

    json_each (item, items) {
        struct json *facts = NULL;

        TRY(add_json(session, item, &facts));
        json_append(list, facts);
    }
    print_json(list);
    return NULL;
}

static void print_table(const struct session *session, const struct json *items)
{
    const struct json **objects = xcalloc(json_count(items) + 1, sizeof(*objects));
    AUTO_BUF struct buf out = BUF_MAX(OUTPUT_MAX);
    struct list_view view = {.objects = objects,
                             .now_ms = sched_wall_ms(session->sched),
                             .width = columns_of(session),
                             .color = session->color,
                             .namespaces = session->options->all_namespaces};

    json_each (item, items)
        objects[view.count++] = item;
    list_render(&view, &out);
    terminal_print(&out);
    xfree(objects);
}

static struct err *print_all(const struct session *session)
{
    bool all = session->options->all_namespaces;
    AUTO_JSON struct json *items = NULL;

    TRY(cluster_list(&session->cluster, all ? NULL : session->namespace, &items));
    if (session->options->output == OUTPUT_JSON)
        return print_json_of_all(session, items);
    if (json_count(items))
        print_table(session, items);
    else
        fprintf(stderr, "No StagingRefreshes found%s%s%s.\n", all ? "" : " in ",
                all ? "" : session->namespace, all ? "" : " namespace");
    return NULL;
}

static enum exit_code run_status(struct session *session)
{
    const struct options *options = session->options;
    const char *name = options->operands.count ? options->operands.items[0] : NULL;
    struct err *err;

    if (name && options->all_namespaces) {
        session_say("a refresh is named by its namespace: give -n instead of -A");
        return EXIT_BAD_INPUT;
    }
    if (options->watch && options->output == OUTPUT_JSON) {
        session_say("--watch and -o json do not go together: kubectl get sr -w -o json does that");
        return EXIT_BAD_INPUT;
    }
    if (options->watch) {
        const struct follow_opts opts = {.namespace = options->all_namespaces ? NULL : session->namespace,
                                         .name = name};

        err = follow(session, &opts);
    } else {
        err = name ? print_one(session, name) : print_all(session);
    }
    return err ? session_fail(EXIT_FAILED, err) : EXIT_DONE;
}

/* --- requests --- */

/* Texts are compared, never read; this one says when, to people. */
static void make_unique(const struct session *session, char ret[UNIQUE_MAX])
{
    char time[TIME_TEXT_MAX];

    time_rfc3339(sched_wall_ms(session->sched), time);
    snprintf(ret, UNIQUE_MAX, "%s-%05llu", time, (unsigned long long)random_below(session->random, 100000));
}

static struct err *send(struct session *session, enum request_kind kind, const char *unique,
                        struct json **ret_before)
{
    const struct flag_texts *operands = &session->options->operands;
    const struct request request = {.kind = kind,
                                    .namespace = session->namespace,
                                    .name = operands->items[0],
                                    .run = operands->count > 1 ? operands->items[1] : NULL,
                                    .unique = unique};
    AUTO_FREE char *said = NULL;

    TRY(request_send(&session->cluster, &request, &said, ret_before));
    fprintf(stderr, "%s\n", said);
    return NULL;
}

static enum exit_code run_request(struct session *session, enum request_kind kind)
{
    AUTO_JSON struct json *before = NULL;
    char unique[UNIQUE_MAX];
    struct err *err;

    make_unique(session, unique);
    err = send(session, kind, unique, &before);
    return err ? session_fail(EXIT_FAILED, err) : EXIT_DONE;
}

static enum exit_code run_approve(struct session *session)
{
    return run_request(session, REQUEST_APPROVE);
}

static enum exit_code run_retry(struct session *session)
{
    return run_request(session, REQUEST_RETRY);
}

static enum exit_code run_cancel(struct session *session)
{
    return run_request(session, REQUEST_CANCEL);
}

static enum exit_code run_switch(struct session *session)
{
    return run_request(session, REQUEST_SWITCH);
}

/* --- run --- */

struct waiting {
    struct awaited awaited;
    struct sched *sched;
    int64_t began_ms;
    enum verdict_kind kind;
    char *sentence;
};

static bool is_over(void *arg, const struct json *object)
{
    struct waiting *waiting = arg;
    AUTO_REFRESH_STATUS struct refresh_status *status = NULL;
    AUTO_ERR struct err *err = refresh_status_parse(json_member(object, "status"), &status);
    struct verdict verdict;

    if (err)
        return false;
    waiting->awaited.waited_ms = sched_now_ms(waiting->sched) - waiting->began_ms;
    verdict = verdict_of(object, status, &waiting->awaited);
    if (verdict.kind == VERDICT_GOES_ON)
        return false;
    waiting->kind = verdict.kind;
    waiting->sentence = xstrdup(verdict.sentence ? verdict.sentence : "");
    return true;
}

static struct err *wait_for_end(struct session *session, const char *unique, const struct json *before,
                                int64_t timeout_ms, enum exit_code *ret_code)
{
    AUTO_REFRESH_STATUS struct refresh_status *status = NULL;
    struct waiting waiting = {
        .awaited = {.request = unique, .before = json_get_text(before, "status.run.id", "")},
        .sched = session->sched,
        .began_ms = sched_now_ms(session->sched)};
    AUTO_FREE char *sentence = NULL;

    TRY(refresh_status_parse(json_member(before, "status"), &status));
    if (facts_is_true(status, "Stalled"))
        waiting.awaited.stalled = facts_condition(status, "Stalled")->message;
    TRY(follow(session, &(struct follow_opts){.namespace = session->namespace,
                                              .name = session->options->operands.items[0],
                                              .timeout_ms = timeout_ms,
                                              .is_enough = is_over,
                                              .arg = &waiting}));
    sentence = waiting.sentence;
    fprintf(stderr, "%s%s%s\n", waiting.kind == VERDICT_SUCCEEDED ? "succeeded" : "failed",
            *sentence ? ": " : "", sentence);
    *ret_code = waiting.kind == VERDICT_SUCCEEDED ? EXIT_DONE : EXIT_FAILED;
    return NULL;
}

static enum exit_code run_run(struct session *session)
{
    const struct options *options = session->options;
    AUTO_JSON struct json *before = NULL;
    enum exit_code code = EXIT_DONE;
    int64_t timeout_ms = 0;
    char unique[UNIQUE_MAX];
    struct err *err;

    if (options->timeout && !duration_parse(str_of(options->timeout), &timeout_ms)) {
        session_say("--timeout: \"%s\" is not a duration such as 90m", options->timeout);
        return EXIT_BAD_INPUT;
    }
    make_unique(session, unique);
    err = send(session, REQUEST_RUN, unique, &before);
    if (!err && options->wait)
        err = wait_for_end(session, unique, before, timeout_ms, &code);
    return err ? session_fail(EXIT_FAILED, err) : code;
}

/* --- the table --- */

static const char *const output_names[] = {[OUTPUT_TEXT] = "text", [OUTPUT_JSON] = "json", NULL};

#define AT(member) offsetof(struct options, member)
/* clang-format off */
#define COMMON_FLAGS \
    {.name = "namespace", .letter = 'n', .kind = FLAG_TEXT, .offset = AT(namespace), .value = "NAMESPACE", \
     .help = "where the refresh is (the context's namespace)"}, \
    {.name = "context", .kind = FLAG_TEXT, .offset = AT(context), .value = "NAME", \
     .help = "which context of the kubeconfig (current-context)"}, \
    {.name = "kubeconfig", .kind = FLAG_TEXT, .offset = AT(kubeconfig), .value = "FILE", \
     .help = "how to reach the API server ($KUBECONFIG, ~/.kube/config)"}

static const struct flag status_flags[] = {
    {.name = "watch", .letter = 'w', .kind = FLAG_SWITCH, .offset = AT(watch),
     .help = "follow it: a picture on a terminal, a line per transition elsewhere"},
    {.name = "output", .letter = 'o', .kind = FLAG_CHOICE, .offset = AT(output), .choices = output_names,
     .help = "for people (text) or programs"},
    {.name = "all-namespaces", .letter = 'A', .kind = FLAG_SWITCH, .offset = AT(all_namespaces),
     .help = "the refreshes of all namespaces"},
    COMMON_FLAGS,
};
static const struct flag run_flags[] = {
    {.name = "wait", .kind = FLAG_SWITCH, .offset = AT(wait),
     .help = "follow the run to its end; the exit status tells whether it succeeded"},
    {.name = "timeout", .kind = FLAG_TEXT, .offset = AT(timeout), .value = "DURATION",
     .help = "with --wait: give up waiting after so long, such as 6h (never)"},
    COMMON_FLAGS,
};
static const struct flag common_flags[] = {COMMON_FLAGS};

static const struct flag optional_name = {.name = "NAME", .kind = FLAG_TEXTS, .offset = AT(operands), .max = 1};
static const struct flag name_and_run = {.name = "NAME RUN", .kind = FLAG_TEXTS, .offset = AT(operands), .max = 2};

#define COMMON_TABLE(takes) {.flags = common_flags, .count = COUNT_OF(common_flags), .operands = &(takes)}

const struct command commands[] = {
    {.name = "status", .usage = "[NAME]", .run = run_status,
     .summary = "what a refresh is doing, what staging uses, and what can be done next",
     .details = "With a name: the run as a tree of databases and their steps, and the switchover. Without: a line for\n"
                "each refresh of the namespace. Plain text without color when stdout is no terminal or NO_COLOR is set.\n",
     .flags = {.flags = status_flags, .count = COUNT_OF(status_flags), .operands = &optional_name}},
    {.name = "run", .usage = "NAME", .operands_min = 1, .run = run_run,
     .summary = "asks for a run: new copies of all databases",
     .details = "Sets the annotation run-requested to a text that was never there. During a run it asks for one more\n"
                "run after it.\n",
     .flags = {.flags = run_flags, .count = COUNT_OF(run_flags), .operands = &optional_name}},
    {.name = "approve", .usage = "NAME", .operands_min = 1, .run = run_approve,
     .summary = "lets staging use the copies that wait for it (policy Manual)",
     .details = "Approves the run that waits, by its id and under your own user name. Refused when nothing waits, and\n"
                "by the cluster when you have not the verb update on stagingrefreshes/approve.\n",
     .flags = COMMON_TABLE(optional_name)},
    {.name = "retry", .usage = "NAME", .operands_min = 1, .run = run_retry,
     .summary = "does again what has failed in the last run",
     .details = "Steps that are done stay done; copies that are still there are used. To begin from the start, ask for\n"
                "a run.\n",
     .flags = COMMON_TABLE(optional_name)},
    {.name = "cancel", .usage = "NAME", .operands_min = 1, .run = run_cancel,
     .summary = "ends the run that is under way",
     .details = "Nothing more begins. Jobs that AWS cannot stop are left to themselves, and a switchover under way is\n"
                "put back.\n",
     .flags = COMMON_TABLE(optional_name)},
    {.name = "switch-to", .usage = "NAME RUN|previous", .operands_min = 2, .run = run_switch,
     .summary = "puts staging onto copies that are kept from another run",
     .details = "No copies are made: proxies, parameters and applications go onto those of that run, within minutes.\n"
                "\"previous\" is the newest that staging does not use; status lists them all. The run in use can be\n"
                "named too, which sets again what somebody else has changed.\n",
     .flags = COMMON_TABLE(name_and_run)},
};
/* clang-format on */
#undef AT

const size_t command_count = COUNT_OF(commands);
