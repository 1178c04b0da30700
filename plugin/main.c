/* kubectl-stagingrefresh: what people do with refreshes of a cluster, as a plugin of kubectl. The front door:
 * finds the command, and is the only place that looks at the process's environment. */
#include "plugin/command.h"

#include "pkg/base/wiping.h"

#include <sys/resource.h>
#include <unistd.h>

#define PROGRAM "kubectl stagingrefresh"

static void print_help(FILE *to)
{
    fputs("Follows refreshes of staging databases, and asks for what people may ask for.\n\n"
          "Usage: " PROGRAM " COMMAND [NAME] [FLAGS]\n\nCommands:\n",
          to);
    for (size_t i = 0; i < command_count; i++)
        fprintf(to, "  %-10s %s\n", commands[i].name, commands[i].summary);
    fputs("  version    which version this is\n"
          "\nExit status: 0 done, 1 refused or failed, 2 bad input.\n"
          "\"" PROGRAM " COMMAND --help\" says more.\n",
          to);
}

static void print_command_help(const struct command *command)
{
    AUTO_BUF struct buf out = BUF_MAX(16 * KIB);

    buf_addf(&out, "%c%s.\n\nUsage: " PROGRAM " %s %s [FLAGS]\n\n%s\nFlags:\n",
             command->summary[0] - 'a' + 'A', command->summary + 1, command->name, command->usage,
             command->details);
    flags_help(&command->flags, &out);
    fwrite(buf_text(&out), 1, out.len, stdout);
}

static const struct command *find_command(const char *name)
{
    for (size_t i = 0; i < command_count; i++) {
        if (text_equal(commands[i].name, name))
            return &commands[i];
    }
    return NULL;
}

static enum exit_code unknown_command(const char *name)
{
    const char *nearest = commands[0].name;

    if (name[0] == '-') {
        session_say("the command comes first, as in: " PROGRAM " status %s", name);
        return EXIT_BAD_INPUT;
    }
    for (size_t i = 0; i < command_count; i++) {
        if (text_distance(commands[i].name, name) < text_distance(nearest, name))
            nearest = commands[i].name;
    }
    if (text_distance(nearest, name) <= 3)
        session_say("unknown command \"%s\", did you mean \"%s\"?", name, nearest);
    else
        session_say("unknown command \"%s\", see " PROGRAM " --help", name);
    return EXIT_BAD_INPUT;
}

/* There is a token in memory. */
static void harden(void)
{
    const struct rlimit none = {0};

    setrlimit(RLIMIT_CORE, &none);
    wiping_install();
    transport_curl_init();
}

static enum exit_code run(const struct command *command, const struct options *options)
{
    const struct process process = {.environment = environ};
    struct session session;
    struct err *err;
    enum exit_code code;

    harden();
    err = session_open(&session, &process, options);
    code = err ? session_fail(EXIT_BAD_INPUT, err) : command->run(&session);
    session_close(&session);
    return code;
}

static enum exit_code run_command_line(const struct command *command, int argc, char **argv)
{
    struct options options = {0};
    bool wants_help = false;
    enum exit_code code = EXIT_DONE;
    struct err *err = flags_parse(&command->flags, argc, argv, &options, &wants_help);

    if (!err && !wants_help && (int64_t)options.operands.count < command->operands_min)
        err = err_new(ERR_INVALID, "%s needs %s", command->name, command->usage);
    if (err) {
        code = session_fail(EXIT_BAD_INPUT, err);
        fputs("see " PROGRAM " ", stderr);
        fprintf(stderr, "%s --help\n", command->name);
    } else if (wants_help) {
        print_command_help(command);
    } else {
        code = run(command, &options);
    }
    flags_done(&command->flags, &options);
    return code;
}

static bool is_one_of(const char *arg, const char *a, const char *b, const char *c)
{
    return text_equal(arg, a) || text_equal(arg, b) || text_equal(arg, c);
}

int main(int argc, char **argv)
{
    const struct command *command;

    if (argc < 2) {
        print_help(stderr);
        return EXIT_BAD_INPUT;
    }
    if (is_one_of(argv[1], "help", "--help", "-h")) {
        print_help(stdout);
        return EXIT_DONE;
    }
    if (is_one_of(argv[1], "version", "--version", "-V")) {
        puts("kubectl-stagingrefresh " SR_VERSION);
        return EXIT_DONE;
    }
    command = find_command(argv[1]);
    if (!command)
        return (int)unknown_command(argv[1]);
    return (int)run_command_line(command, argc - 2, argv + 2);
}
