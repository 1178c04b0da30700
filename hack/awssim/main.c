/* awssim: a simulator of the AWS services that the controller uses. README.md is its manual. */
#include <arpa/inet.h>
#include <errno.h>
#include <getopt.h>
#include <signal.h>

#include "hack/awssim/server.h"
#include "pkg/base/files.h"

#define MAX_WORLD (4 * MIB)

struct flags {
    const char *world, *listen, *ready_file, *start;
    double time_scale;
    uint64_t seed;
    bool any_address;
};

static const char usage[] =
    "Usage: awssim --world FILE [flags]\n"
    "Simulates the AWS services that stagingrefresh uses, in two or more accounts.\n"
    "\n"
    "  --world FILE          the world: accounts, roles, databases (hack/awssim/README.md)\n"
    "  --listen ADDR:PORT    where to serve; port 0 takes a free one (127.0.0.1:0)\n"
    "  --time-scale N        world seconds per real second; 0 stands still until told (1)\n"
    "  --seed N              for identifiers, and faults with a probability (1)\n"
    "  --start TIME          the world clock's first reading, RFC 3339 (now)\n"
    "  --ready-file FILE     written with the URL once it serves\n"
    "  --allow-any-address   listen on an address that is not loopback; anybody there controls it\n"
    "  --help, --version\n";

enum {
    FLAG_WORLD = 256,
    FLAG_LISTEN,
    FLAG_SCALE,
    FLAG_SEED,
    FLAG_START,
    FLAG_READY,
    FLAG_ANY,
    FLAG_HELP,
    FLAG_VERSION
};

static const struct option long_flags[] = {
    {.name = "world", .has_arg = required_argument, .val = FLAG_WORLD},
    {.name = "listen", .has_arg = required_argument, .val = FLAG_LISTEN},
    {.name = "time-scale", .has_arg = required_argument, .val = FLAG_SCALE},
    {.name = "seed", .has_arg = required_argument, .val = FLAG_SEED},
    {.name = "start", .has_arg = required_argument, .val = FLAG_START},
    {.name = "ready-file", .has_arg = required_argument, .val = FLAG_READY},
    {.name = "allow-any-address", .has_arg = no_argument, .val = FLAG_ANY},
    {.name = "help", .has_arg = no_argument, .val = FLAG_HELP},
    {.name = "version", .has_arg = no_argument, .val = FLAG_VERSION},
    {0},
};

/* ---- flags ---- */

static struct err *parse_scale(const char *text, double *ret)
{
    char *end = NULL;
    double number = strtod(text, &end);

    if (end == text || *end || !(number >= 0) || number > 1e6)
        return err_new(ERR_INVALID, "--time-scale: expected a number from 0 to 1000000, not %s", text);
    *ret = number;
    return NULL;
}

static struct err *parse_seed(const char *text, uint64_t *ret)
{
    int64_t number = 0;

    if (!str_to_int(str_of(text), &number) || number < 0)
        return err_new(ERR_INVALID, "--seed: expected a number, not %s", text);
    *ret = (uint64_t)number;
    return NULL;
}

/* *ret_end: the exit status of --help and --version, else -1. */
static struct err *parse_flags(int argc, char **argv, struct flags *ret, int *ret_end)
{
    int flag;

    opterr = 0;
    while ((flag = getopt_long(argc, argv, "", long_flags, NULL)) != -1) {
        switch (flag) {
        case FLAG_WORLD:
            ret->world = optarg;
            break;
        case FLAG_LISTEN:
            ret->listen = optarg;
            break;
        case FLAG_READY:
            ret->ready_file = optarg;
            break;
        case FLAG_START:
            ret->start = optarg;
            break;
        case FLAG_ANY:
            ret->any_address = true;
            break;
        case FLAG_SCALE:
            TRY(parse_scale(optarg, &ret->time_scale));
            break;
        case FLAG_SEED:
            TRY(parse_seed(optarg, &ret->seed));
            break;
        case FLAG_HELP:
            fputs(usage, stdout);
            *ret_end = 0;
            return NULL;
        case FLAG_VERSION:
            printf("awssim %s\n", SR_VERSION);
            *ret_end = 0;
            return NULL;
        default:
            return err_new(ERR_INVALID, "unknown flag, or a flag without its value: %s; see --help",
                           argv[optind - 1]);
        }
    }
    if (optind < argc)
        return err_new(ERR_INVALID, "unexpected argument %s; see --help", argv[optind]);
    return ret->world ? NULL : err_new(ERR_INVALID, "--world is required; see --help");
}

static struct err *parse_listen(const struct flags *flags, char **ret_address, uint16_t *ret_port)
{
    struct str rest = str_of(flags->listen), host = {0};
    struct in_addr address;
    int64_t port = 0;

    if (!str_cut(&rest, ':', &host) || !rest.ptr || !str_to_int(rest, &port) || port < 0 || port > 65535)
        return err_new(ERR_INVALID, "--listen: expected ADDR:PORT, not %s", flags->listen);
    AUTO_FREE char *text = str_dup(host);
    if (inet_pton(AF_INET, text, &address) != 1)
        return err_new(ERR_INVALID, "--listen: %s is not an IPv4 address", text);
    if (ntohl(address.s_addr) >> 24 != 127 && !flags->any_address)
        return err_new(
            ERR_INVALID,
            "--listen: %s is not a loopback address, and whoever reaches it controls the simulator; "
            "--allow-any-address to do it all the same",
            text);
    *ret_address = TAKE(text);
    *ret_port = (uint16_t)port;
    return NULL;
}

/* ---- running ---- */

static struct err *make_sim(const struct flags *flags, struct sched *sched, int64_t *ret_start_ms,
                            struct sim **ret)
{
    AUTO_BUF struct buf text = BUF_MAX(MAX_WORLD);
    int64_t start_ms = sched_wall_ms(sched);

    if (flags->start && !time_parse(str_of(flags->start), &start_ms))
        return err_new(ERR_INVALID, "--start: expected a time such as 2026-01-31T12:00:00Z, not %s",
                       flags->start);
    TRY(file_read(flags->world, &text));
    struct sim_options options = {
        .world = buf_str(&text), .world_name = flags->world, .world_ms = start_ms, .seed = flags->seed};
    *ret_start_ms = start_ms;
    return awssim_new(&options, ret);
}

static struct err *announce(const struct flags *flags, const char *address, uint16_t port)
{
    AUTO_FREE char *url = xasprintf("http://%s:%u\n", address, (unsigned)port);

    fprintf(stderr, "awssim: serving on %s", url);
    return flags->ready_file ? file_replace(flags->ready_file, str_of(url), 0644) : NULL;
}

static struct err *serve(const struct flags *flags, struct sched *sched, const sigset_t *ends)
{
    struct server_options options = {.time_scale = flags->time_scale};
    AUTO_FREE char *address = NULL;
    struct sim *sim = NULL;
    struct server *server = NULL;
    int signal_number = 0;

    TRY(parse_listen(flags, &address, &options.port));
    options.address = address;
    TRY(make_sim(flags, sched, &options.start_ms, &sim));
    struct err *err = server_start(sim, sched, &options, &server);
    if (!err)
        err = announce(flags, address, server_port(server));
    if (!err)
        sigwait(ends, &signal_number);
    server_stop(server);
    awssim_free(sim);
    return err;
}

int main(int argc, char **argv)
{
    struct flags flags = {.listen = "127.0.0.1:0", .time_scale = 1, .seed = 1};
    sigset_t ends;
    int end = -1;

    /* Blocked before there are threads, so that only sigwait() gets them. */
    sigemptyset(&ends);
    sigaddset(&ends, SIGINT);
    sigaddset(&ends, SIGTERM);
    pthread_sigmask(SIG_BLOCK, &ends, NULL);
    signal(SIGPIPE, SIG_IGN);
    struct err *err = parse_flags(argc, argv, &flags, &end);
    if (!err && end >= 0)
        return end;
    struct sched *sched = sched_threads_new(1);
    if (!err)
        err = serve(&flags, sched, &ends);
    sched_free(sched);
    if (!err)
        return 0;
    int status = err_kind(err) == ERR_RETRY ? 1 : 2;
    fprintf(stderr, "awssim: %s\n", err_text(err));
    err_free(err);
    return status;
}
