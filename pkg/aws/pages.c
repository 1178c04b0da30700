#include "pkg/aws/protocol.h"

#define ITEMS_MAX 20000
#define PAGES_MAX 2000

void aws_pages_done(struct aws_pages *pages)
{
    xfree(pages->token);
    xfree(pages->anchor);
    *pages = (struct aws_pages){0};
}

static struct err *refuse(const struct aws_pages *pages, enum err_kind kind, const char *why)
{
    const struct aws_operation *operation = aws_operation(pages->op);

    return err_new(kind, "%s %s: %s", aws_service_info(operation->service)->name, operation->name, why);
}

/* A list that goes round comes back to the anchor, however long the way, as the anchor is put further on each
 * time the number of pages has doubled (Brent's way to find a cycle). */
static bool has_been_here(struct aws_pages *pages, const char *next)
{
    if (text_equal(next, pages->token) || text_equal(next, pages->anchor))
        return true;
    if ((pages->read & (pages->read - 1)) == 0) {
        xfree(pages->anchor);
        pages->anchor = xstrdup(next);
    }
    return false;
}

struct err *aws_pages_next(struct aws_pages *pages, size_t items, char *next)
{
    AUTO_FREE char *owned = next;

    pages->read++;
    if (items > ITEMS_MAX)
        return refuse(pages, ERR_INVALID, "the list is longer than 20000 items");
    pages->is_over = text_is_empty(next);
    if (pages->is_over)
        return NULL;
    if (has_been_here(pages, next))
        return refuse(pages, ERR_RETRY, "the same page came twice, the list cannot be relied on");
    if (pages->read > PAGES_MAX)
        return refuse(pages, ERR_RETRY, "there is no end after 2000 pages, the list cannot be relied on");
    xfree(pages->token);
    pages->token = TAKE(owned);
    return NULL;
}
