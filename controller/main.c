/* The front door: finds the command, hardens the process, and is the only place that looks at the process's
 * environment. */
#include "controller/cmd_common.h"
#include "pkg/base/wiping.h"

#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

static const struct command *const commands[] = {
    &controller_command, &run_command, &plan_command, &preflight_command, &policies_command,
};

static const struct command *find_command(const char *name)
{
    for (size_t i = 0; i < COUNT_OF(commands); i++) {
        if (text_equal(commands[i]->name, name))
            return commands[i];
    }
    return NULL;
}

static void print(FILE *to, const struct buf *text)
{
    fwrite(buf_text(text), 1, text->len, to);
}

static void print_help(FILE *to)
{
    AUTO_BUF struct buf out = BUF_MAX(16 * KIB);

    buf_adds(&out, "Refreshes the databases of a staging AWS account from production.\n\n"
                   "Usage: stagingrefresh COMMAND [FLAGS]\n\nCommands:\n");
    for (size_t i = 0; i < COUNT_OF(commands); i++)
        buf_addf(&out, "  %-12s %s\n", commands[i]->name, commands[i]->summary);
    buf_addf(&out, "  %-12s %s\n", "help", "what a command does and which flags it takes");
    buf_addf(&out, "  %-12s %s\n", "version", "which version this is");
    buf_adds(&out, "\n\"stagingrefresh help COMMAND\" says more.\n");
    print(to, &out);
}

static void print_command_help(const struct command *command)
{
    AUTO_BUF struct buf out = BUF_MAX(16 * KIB);

    buf_addf(&out, "Usage: stagingrefresh %s [FLAGS]\n\n%s\nFlags:\n", command->name, command->details);
    flags_help(&command->flags, &out);
    print(stdout, &out);
}

static enum exit_code print_version(void)
{
    puts("stagingrefresh " SR_VERSION);
    return EXIT_DONE;
}

static enum exit_code unknown_command(const char *name)
{
    const char *nearest = "help";

    for (size_t i = 0; i < COUNT_OF(commands); i++) {
        if (text_distance(commands[i]->name, name) < text_distance(nearest, name))
            nearest = commands[i]->name;
    }
    if (text_distance(nearest, name) <= 3)
        command_say("unknown command \"%s\", did you mean \"%s\"?", name, nearest);
    else
        command_say("unknown command \"%s\", see stagingrefresh --help", name);
    return EXIT_BAD_INPUT;
}

static enum exit_code help(int argc, char **argv)
{
    const struct command *command;

    if (argc < 1) {
        print_help(stdout);
        return EXIT_DONE;
    }
    command = find_command(argv[0]);
    if (!command)
        return unknown_command(argv[0]);
    print_command_help(command);
    return EXIT_DONE;
}

/* No core dump and no debugger of another process of the same user: there are credentials in memory. */
static void harden(void)
{
    const struct rlimit none = {0};

    setrlimit(RLIMIT_CORE, &none);
    prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
}

static enum exit_code run_command_line(const struct command *command, int argc, char **argv)
{
    const struct process process = {.environment = environ};
    AUTO_FREE char *options = xcalloc(1, command->options_size);
    bool wants_help = false;
    struct err *err;
    enum exit_code code;

    if (command->defaults)
        memcpy(options, command->defaults, command->options_size);
    err = flags_parse(&command->flags, argc, argv, options, &wants_help);
    if (err) {
        command_fail(EXIT_BAD_INPUT, err);
        command_say("see stagingrefresh %s --help", command->name);
        code = EXIT_BAD_INPUT;
    } else if (wants_help) {
        print_command_help(command);
        code = EXIT_DONE;
    } else {
        harden();
        wiping_install();
        transport_curl_init();
        code = command->run(&process, options);
    }
    flags_done(&command->flags, options);
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
    if (is_one_of(argv[1], "help", "--help", "-h"))
        return (int)help(argc - 2, argv + 2);
    if (is_one_of(argv[1], "version", "--version", "-V"))
        return (int)print_version();
    command = find_command(argv[1]);
    if (!command)
        return (int)unknown_command(argv[1]);
    if (argc > 2 && text_equal(argv[2], "--version"))
        return (int)print_version();
    return (int)run_command_line(command, argc - 2, argv + 2);
}
