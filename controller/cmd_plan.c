/* `stagingrefresh plan`, `preflight` and `policies`: what would be done, is all in place, what must be
 * granted. None of them changes anything. */
#include "controller/cmd_run_input.h"
#include "controller/engine.h"
#include "controller/names.h"
#include "controller/objects_file.h"
#include "controller/plan.h"
#include "controller/policies.h"
#include "controller/preflight.h"
#include "controller/signals.h"
#include "pkg/base/files.h"

#include "controller/cmd_common.h"

#define OUTPUT_MAX (4 * MIB)
#define STATE_MAX (16 * MIB)
#define STOP_GRACE_MS SECONDS(5)

enum output { OUTPUT_TEXT, OUTPUT_JSON };
static const char *const output_names[] = {[OUTPUT_TEXT] = "text", [OUTPUT_JSON] = "json", NULL};

struct options {
    struct flag_texts files;
    const char *state_dir, *aws_endpoint_url;
    int output;
};

/* The files, taken apart. */
struct given {
    struct run_input input;
    struct accounts accounts;
};

static void given_done(struct given *given)
{
    accounts_done(&given->accounts);
    run_input_done(&given->input);
}

static struct err *given_read(const struct options *options, struct given *ret)
{
    AUTO_REFUSAL struct refusal refusal = {0};

    TRY(run_input_read(options->files.items, options->files.count, true, &ret->input));
    if (ret->input.source)
        TRY(account_parse(ret->input.source, &ret->accounts.source));
    TRY(account_parse(ret->input.target, &ret->accounts.target));
    admit_partitions(&ret->accounts, ret->input.spec, &refusal);
    return refusal.message ? err_new(ERR_INVALID, "%s", refusal.message) : NULL;
}

static void print(const struct buf *out)
{
    fwrite(buf_text(out), 1, out->len, stdout);
}

static void print_json(const struct json *value)
{
    AUTO_BUF struct buf out = BUF_MAX(OUTPUT_MAX);

    json_print(value, &out);
    buf_addc(&out, '\n');
    print(&out);
}

/* --- plan --- */

/* What an earlier `run` has left, else what the file itself carries (kubectl get -o yaml). NULL: nothing. */
static struct refresh_status *read_status(const struct process *process, const struct options *options,
                                          const struct given *given)
{
    const char *namespace = json_get_text(given->input.refresh, "metadata.namespace", "");
    const char *name = json_get_text(given->input.refresh, "metadata.name", "");
    AUTO_FREE char *dir = options->state_dir
                              ? xstrdup(options->state_dir)
                              : objects_file_default_dir(process_variable(process, "XDG_STATE_HOME"),
                                                         process_variable(process, "HOME"), namespace, name);
    AUTO_FREE char *path = dir ? xasprintf("%s/stagingrefresh_%s_%s.json", dir, namespace, name) : NULL;
    AUTO_JSON struct json *object = NULL;
    AUTO_BUF struct buf text = BUF_MAX(STATE_MAX);
    struct refresh_status *status = NULL;
    struct err *err = path ? file_read(path, &text) : err_new(ERR_NOT_FOUND, "no directory");

    if (!err)
        err = json_parse(buf_str(&text), NULL, &object);
    if (err)
        err_ignore(err, "durations are only told when they are known");
    err = refresh_status_parse(json_member(object ? object : given->input.refresh, "status"), &status);
    if (err)
        err_ignore(err, "as above");
    return status;
}

static void add_duration(const struct json *entry, struct buf *out)
{
    char text[TIME_TEXT_MAX];
    int64_t seconds = json_get_int(entry, "expectedSeconds", 0);

    duration_text(seconds * 1000, text);
    buf_addf(out, "%s%s", seconds ? "  ~" : "", seconds ? text : "");
}

static void print_plan(const struct json *plan)
{
    AUTO_BUF struct buf out = BUF_MAX(OUTPUT_MAX);
    int number = 0;

    json_each (step, json_member(plan, "steps")) {
        const char *database = json_get_text(step, "database", NULL);
        AUTO_FREE char *name = xasprintf("%s%s%s", database ? database : "", database ? ": " : "",
                                         json_get_text(step, "step", ""));

        buf_addf(&out, "%3d  %-28s %-13s %s", ++number, name, json_get_text(step, "account", ""),
                 json_get_text(step, "does", ""));
        add_duration(step, &out);
        buf_addc(&out, '\n');
    }
    buf_adds(&out, "Databases advance side by side; the switchover begins when all are through.");
    if (json_get_int(plan, "expectedSeconds", 0)) {
        buf_adds(&out, " By the last run, all of it:");
        add_duration(plan, &out);
    }
    buf_addc(&out, '\n');
    print(&out);
}

static enum exit_code run_plan(const struct process *process, const void *opts)
{
    const struct options *options = opts;
    CLEANUP(given_done) struct given given = {0};
    AUTO_REFRESH_STATUS struct refresh_status *status = NULL;
    AUTO_JSON struct json *plan = NULL;
    struct err *err = given_read(options, &given);

    if (err)
        return command_fail(EXIT_BAD_INPUT, err);
    status = read_status(process, options, &given);
    plan = plan_make(given.input.spec, &given.accounts, status);
    if (options->output == OUTPUT_JSON)
        print_json(plan);
    else
        print_plan(plan);
    return EXIT_DONE;
}

/* --- policies --- */

static void print_section(const struct json *section, const char *member, const char *headline)
{
    AUTO_BUF struct buf out = BUF_MAX(OUTPUT_MAX);

    if (!section)
        return;
    buf_addf(&out, "# %s, account %s\n", headline, json_get_text(section, "account", ""));
    json_print_pretty(json_member(section, member), &out);
    buf_adds(&out, "\n\n");
    print(&out);
}

static enum exit_code run_policies(const struct process *process UNUSED, const void *opts)
{
    const struct options *options = opts;
    CLEANUP(given_done) struct given given = {0};
    AUTO_JSON struct json *policies = NULL;
    struct err *err = given_read(options, &given);

    if (err)
        return command_fail(EXIT_BAD_INPUT, err);
    policies = policies_make(given.input.spec, &given.accounts);
    if (options->output == OUTPUT_JSON) {
        print_json(policies);
        return EXIT_DONE;
    }
    print_section(json_member(policies, "source"), "policy", "IAM policy of the source's role");
    print_section(json_member(policies, "target"), "policy", "IAM policy of the target's role");
    print_section(json_member(policies, "vaultAccessPolicy"), "policy",
                  "access policy of the target's vault");
    print_section(json_member(policies, "keyStatements"), "statements",
                  "statements for the key policies of source clusters and the source's vault");
    return EXIT_DONE;
}

/* --- preflight --- */

static struct json *findings_json(const struct preflight_findings *findings)
{
    struct json *all = json_new_object(), *checks = json_new_array();

    for (size_t i = 0; i < findings->count; i++) {
        const struct finding *finding = &findings->items[i];
        struct json *entry = json_new_object();

        json_set_text(entry, "check", finding->check);
        json_set_text(entry, "account", finding->account);
        json_set_text(entry, "subject", finding->subject);
        json_set_text(entry, "result", finding_state_name(finding->state));
        json_set_text(entry, "message", finding->message);
        json_append(checks, entry);
    }
    json_set_bool(all, "passed", !preflight_first_failure(findings));
    json_set(all, "checks", checks);
    return all;
}

static void print_findings(const struct preflight_findings *findings)
{
    AUTO_BUF struct buf out = BUF_MAX(OUTPUT_MAX);

    for (size_t i = 0; i < findings->count; i++) {
        const struct finding *finding = &findings->items[i];

        buf_addf(&out, "%-8s %-12s %s: %s\n", finding_state_name(finding->state), finding->account,
                 finding->subject, finding->message);
    }
    print(&out);
}

/* An engine that never starts: it knows how clients are made of accounts. */
static struct err *look(const struct given *given, struct engine *engine, const struct env *env,
                        struct preflight_findings *ret)
{
    AUTO_AWS_ACCOUNT struct aws_account *source = NULL;
    AUTO_AWS_ACCOUNT struct aws_account *target = NULL;
    struct preflight preflight = {.env = env,
                                  .spec = given->input.spec,
                                  .accounts = &given->accounts,
                                  .namespace = json_get_text(given->input.refresh, "metadata.namespace", "")};

    if (given->accounts.source)
        TRY(engine_account(engine, given->accounts.source, &source));
    TRY(engine_account(engine, given->accounts.target, &target));
    preflight.source = (struct aws_client){.account = source, .env = env};
    preflight.target = (struct aws_client){.account = target, .env = env};
    return preflight_look(&preflight, ret);
}

static enum exit_code conclude(const struct options *options, const struct preflight_findings *findings)
{
    if (options->output == OUTPUT_JSON) {
        AUTO_JSON struct json *all = findings_json(findings);

        print_json(all);
    } else {
        print_findings(findings);
    }
    return preflight_first_failure(findings) ? EXIT_FAILED : EXIT_DONE;
}

static enum exit_code look_with(const struct options *options, const struct given *given,
                                const struct aws_config *config, const struct env *env)
{
    struct objects nothing = {0};
    AUTO_PREFLIGHT_FINDINGS struct preflight_findings findings = {0};
    struct engine *engine = engine_new(&(struct engine_opts){.objects = &nothing,
                                                             .config = config,
                                                             .sched = env->sched,
                                                             .random = env->random,
                                                             .stop = env->stop});
    struct err *err = look(given, engine, env, &findings);
    enum exit_code code;

    if (err && err_kind(err) == ERR_CANCELED)
        code = command_fail(EXIT_INTERRUPTED, err);
    else
        code = err ? command_fail(EXIT_FAILED, err) : conclude(options, &findings);
    engine_free(engine);
    return code;
}

static enum exit_code run_preflight(const struct process *process, const void *opts)
{
    const struct options *options = opts;
    CLEANUP(given_done) struct given given = {0};
    AUTO_AWS_CONFIG struct aws_config config = {0};
    struct sched *sched = sched_threads_new(1);
    struct random *random = random_system_new();
    struct stop *stop = stop_new();
    struct signals *signals = signals_start(sched, stop, STOP_GRACE_MS);
    struct env env = {.sched = sched, .random = random, .stop = stop};
    struct err *err = given_read(options, &given);
    enum exit_code code;

    env.transport = command_new_transport(sched);
    if (!err)
        err = command_aws_config(process, options->aws_endpoint_url, &config);
    code = err ? command_fail(EXIT_BAD_INPUT, err) : look_with(options, &given, &config, &env);
    signals_end(signals);
    transport_free(env.transport);
    stop_free(stop);
    random_free(random);
    sched_free(sched);
    return code;
}

/* --- the commands --- */

#define AT(member) offsetof(struct options, member)
/* clang-format off */
#define COMMON_FLAGS \
    {.name = "filename", .letter = 'f', .kind = FLAG_TEXTS, .offset = AT(files), .value = "FILE", .required = true, \
     .help = "YAML with both AWSAccounts and one StagingRefresh; may be given more than once"}, \
    {.name = "output", .letter = 'o', .kind = FLAG_CHOICE, .offset = AT(output), .choices = output_names, \
     .help = "for people, or one JSON object"}

static const struct flag plan_flags[] = {
    COMMON_FLAGS,
    {.name = "state-dir", .kind = FLAG_TEXT, .offset = AT(state_dir), .value = "DIR",
     .help = "where an earlier run is remembered (~/.local/state/stagingrefresh/<namespace>/<name>)"},
};
static const struct flag preflight_flags[] = {
    COMMON_FLAGS,
    {.name = "aws-endpoint-url", .kind = FLAG_TEXT, .offset = AT(aws_endpoint_url), .value = "URL",
     .help = "where every AWS service is, instead of AWS itself (also AWS_ENDPOINT_URL)"},
};
static const struct flag policies_flags[] = {COMMON_FLAGS};
/* clang-format on */
#undef AT

const struct command plan_command = {
    .name = "plan",
    .summary = "what a refresh would do",
    .details =
        "Tells what `run` would do with the files given, step by step, with the names it would use and, "
        "when an earlier\n"
        "run is remembered, how long each step took. Nothing is called.\n"
        "\n"
        "Exit status: 0 told, 2 bad input.\n",
    .flags = {.flags = plan_flags, .count = COUNT_OF(plan_flags)},
    .options_size = sizeof(struct options),
    .run = run_plan,
};

const struct command preflight_command = {
    .name = "preflight",
    .summary = "is all in place for a refresh",
    .details =
        "Looks in both accounts, without changing anything and without reading a secret, at all that a "
        "refresh needs:\n"
        "ok, FAIL with what to do, or unknown when it cannot be told from here. A run does the same "
        "before it starts.\n"
        "\n"
        "Exit status: 0 nothing failed, 1 something did, 2 bad input, 130 interrupted.\n",
    .flags = {.flags = preflight_flags, .count = COUNT_OF(preflight_flags)},
    .options_size = sizeof(struct options),
    .run = run_preflight,
};

const struct command policies_command = {
    .name = "policies",
    .summary = "the policies that a refresh needs",
    .details =
        "Prints the least that must be granted: the IAM policies of both roles, the access policy of the "
        "target's vault,\n"
        "and the statements for the key policies of what is copied. Nothing is called.\n"
        "\n"
        "Exit status: 0 printed, 2 bad input.\n",
    .flags = {.flags = policies_flags, .count = COUNT_OF(policies_flags)},
    .options_size = sizeof(struct options),
    .run = run_policies,
};
