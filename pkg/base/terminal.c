#include "pkg/base/terminal.h"

#include "pkg/base/str.h"

#include <stdio.h>
#include <sys/ioctl.h>
#include <unistd.h>

bool terminal_is_live(const struct process *process)
{
    const char *kind = process_variable(process, "TERM");

    return isatty(STDOUT_FILENO) && kind && !text_equal(kind, "dumb");
}

bool terminal_wants_color(const struct process *process)
{
    return !process_variable(process, "NO_COLOR");
}

bool terminal_takes_utf8(const struct process *process)
{
    static const char *const names[] = {"LC_ALL", "LC_CTYPE", "LANG"};

    for (size_t i = 0; i < COUNT_OF(names); i++) {
        const char *locale = process_variable(process, names[i]);
        const char *encoding = locale ? strchr(locale, '.') : NULL;

        if (locale)
            return encoding && (str_equal_nocase(str_of(encoding + 1), STR("UTF-8")) ||
                                str_equal_nocase(str_of(encoding + 1), STR("utf8")));
    }
    return false;
}

void terminal_measure(int *ret_columns, int *ret_rows)
{
    struct winsize size = {0};

    if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) != 0)
        size = (struct winsize){0};
    *ret_columns = size.ws_col ? size.ws_col : 80;
    *ret_rows = size.ws_row;
}

void terminal_add_erase(size_t lines, struct buf *out)
{
    if (lines)
        buf_addf(out, "\033[%zuA", lines);
    buf_adds(out, "\r\033[J");
}

/* C0, DEL, and C1 as UTF-8. */
static bool is_control(const char *text)
{
    unsigned char first = (unsigned char)text[0];

    return first < ' ' || first == 0x7f || (first == 0xc2 && (unsigned char)text[1] < 0xa0);
}

static size_t length_of(const char *text)
{
    size_t len = 1;

    while (((unsigned char)text[len] & 0xc0) == 0x80)
        len++;
    return len;
}

void terminal_add_text(const char *text, int columns, struct buf *out)
{
    for (; *text && columns > 0; columns--) {
        size_t len = length_of(text);

        if (is_control(text))
            buf_addc(out, ' ');
        else
            buf_add(out, text, len);
        text += len;
    }
}

void terminal_print(const struct buf *out)
{
    fwrite(buf_text(out), 1, out->len, stdout);
    fflush(stdout);
}
