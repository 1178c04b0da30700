#include "controller/cmd_run_approval.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#define LINE_MAX_BYTES 256

struct approval {
    int fd;
    struct buf line;
};

bool approval_is_awaited(const struct json *object)
{
    json_each (row, json_at(object, "status.switchover.steps")) {
        if (text_equal(json_get_text(row, "name", ""), "Approval"))
            return text_equal(json_get_text(row, "state", ""), "Running");
    }
    return false;
}

enum approval_answer approval_read(const char *line)
{
    struct str word = str_trim(str_of(line));

    return str_equal_nocase(word, STR("y")) || str_equal_nocase(word, STR("yes")) ? APPROVAL_GIVEN
                                                                                  : APPROVAL_REFUSED;
}

/* A description of our own: stdin's flags are shared with the shell. */
struct approval *approval_open(void)
{
    struct approval *approval;
    int fd;

    if (!isatty(STDIN_FILENO) || !isatty(STDOUT_FILENO))
        return NULL;
    fd = open("/dev/tty", O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    if (fd < 0)
        return NULL;
    approval = xcalloc(1, sizeof(*approval));
    approval->fd = fd;
    approval->line = BUF_MAX(LINE_MAX_BYTES);
    return approval;
}

enum approval_answer approval_poll(struct approval *approval)
{
    char bytes[LINE_MAX_BYTES];
    ssize_t got = read(approval->fd, bytes, sizeof(bytes));

    if (got < 0)
        return errno == EAGAIN || errno == EINTR ? APPROVAL_OPEN : APPROVAL_REFUSED;
    if (got == 0)
        return APPROVAL_REFUSED;
    buf_add(&approval->line, bytes, (size_t)got);
    if (!strchr(buf_text(&approval->line), '\n') && !approval->line.overflow)
        return APPROVAL_OPEN;
    return approval_read(buf_text(&approval->line));
}

void approval_close(struct approval *approval)
{
    if (!approval)
        return;
    close(approval->fd);
    buf_done(&approval->line);
    xfree(approval);
}
