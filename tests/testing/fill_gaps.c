#include "tests/testing/fill_gaps.h"

#include "pkg/base/buf.h"

char *fill_gaps(const char *text, const char *const *parts)
{
    AUTO_BUF struct buf filled = BUF_MAX(64 * KIB);

    for (const char *gap; (gap = strstr(text, "%s")); text = gap + 2) {
        buf_add(&filled, text, (size_t)(gap - text));
        buf_adds(&filled, *parts++);
    }
    buf_adds(&filled, text);
    return buf_take(&filled);
}
