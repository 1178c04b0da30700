#include "pkg/aws/credentials_priv.h"
#include "pkg/base/child.h"

#define ARGUMENTS_MAX 64
#define COMMAND_MAX (16 * KIB)
#define ANSWER_MAX (64 * KIB)
#define TIMEOUT_MS MINUTES(1)

struct words {
    char *items[ARGUMENTS_MAX + 1];
    size_t count;
};

static void words_done(struct words *words)
{
    for (size_t i = 0; i < words->count; i++)
        xfree(words->items[i]);
}

/* Appends one word; quotes and backslashes as in a shell. False: a quote is not closed. */
static bool take_word(const char **at, struct buf *word)
{
    char quote = 0;

    for (; **at && (quote || !strchr(" \t\n", **at)); (*at)++) {
        char c = **at;

        if (quote ? c == quote : c == '\'' || c == '"') {
            quote = quote ? 0 : c;
            continue;
        }
        /* Between double quotes only these two are escaped. */
        if (c == '\\' && quote != '\'' && (*at)[1] && (!quote || strchr("\"\\", (*at)[1])))
            c = *++*at;
        buf_addc(word, c);
    }
    return !quote;
}

static struct err *split(const char *command, struct words *words)
{
    const char *at = command + strspn(command, " \t\n");

    if (strlen(command) > COMMAND_MAX)
        return err_new(ERR_INVALID, "credential_process: the command is too long");
    while (*at) {
        AUTO_BUF struct buf word = BUF_MAX(COMMAND_MAX);

        if (!take_word(&at, &word))
            return err_new(ERR_INVALID, "credential_process: a quote is not closed");
        if (words->count == ARGUMENTS_MAX)
            return err_new(ERR_INVALID, "credential_process: more than %d words", ARGUMENTS_MAX);
        words->items[words->count++] = xstrdup(buf_text(&word));
        at += strspn(at, " \t\n");
    }
    return words->count ? NULL : err_new(ERR_INVALID, "credential_process: there is no command");
}

struct err *credentials_run_process(const struct aws_config *config, const struct env *env,
                                    const char *command, struct credentials **ret)
{
    static char *const nothing[] = {NULL};
    struct words words __attribute__((cleanup(words_done))) = {0};
    AUTO_BUF struct buf answer = BUF_SECRET(ANSWER_MAX);

    TRY(split(command, &words));
    TRY(err_wrap(
        child_output(env,
                     &(struct child){.command = words.items[0],
                                     .argv = words.items,
                                     .environment = config->environment ? config->environment : nothing,
                                     .timeout_ms = TIMEOUT_MS},
                     &answer),
        "credential_process"));
    return credentials_read_json(&(struct credentials_json){.what = "credential_process",
                                                            .text = buf_str(&answer),
                                                            .token_member = "SessionToken",
                                                            .must_be_version_1 = true},
                                 ret);
}
