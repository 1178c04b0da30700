#include "pkg/base/buf.h"
#include "pkg/refresh/status.h"

#define REASON_MAX 1024

static bool is_letter(char c)
{
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
}

static bool is_word(char c)
{
    return is_letter(c) || (c >= '0' && c <= '9') || c == '_';
}

char *condition_reason(const char *code)
{
    AUTO_BUF struct buf reason = BUF_MAX(REASON_MAX + 1);
    bool begins_word = true;

    for (const char *at = code ? code : ""; *at && reason.len < REASON_MAX; at++) {
        char c = *at;

        if (!is_word(c) || (!reason.len && !is_letter(c))) {
            begins_word = true;
            continue;
        }
        buf_addc(&reason, begins_word && c >= 'a' && c <= 'z' ? (char)(c - 'a' + 'A') : c);
        begins_word = false;
    }
    return reason.len ? buf_take(&reason) : xstrdup("Unknown");
}

static const char mark[] = "(request ";

/* Past what names one request to support: "(request 7f3c..., account 111111111111)". */
static const char *skip_request(const char *text)
{
    const char *end = strncmp(text, mark, strlen(mark)) == 0 ? strpbrk(text, ",)") : NULL;

    return end ? end : text;
}

bool condition_says_same(const char *a, const char *b)
{
    a = a ? a : "";
    b = b ? b : "";
    while (*a && *a == *b) {
        const char *after_a = skip_request(a), *after_b = skip_request(b);
        bool skips = after_a != a && after_b != b;

        a = skips ? after_a : a + 1;
        b = skips ? after_b : b + 1;
    }
    return *a == *b;
}

char *condition_request(const char *message)
{
    const char *at = message ? strstr(message, mark) : NULL;

    if (!at)
        return NULL;
    at += strlen(mark);
    return str_dup((struct str){.ptr = at, .len = strcspn(at, ",)")});
}
