#include "pkg/aws/protocol.h"

void rest_add_label(struct buf *path, const char *label)
{
    buf_add_uri(path, str_of(label));
}

void rest_add_param(struct buf *path, const char *name, const char *value)
{
    if (!value)
        return;
    buf_addc(path, str_contains(buf_str(path), "?") ? '&' : '?');
    buf_adds(path, name);
    buf_addc(path, '=');
    buf_add_uri(path, str_of(value));
}

void rest_add_time(struct buf *path, const char *name, int64_t wall_ms)
{
    char text[TIME_TEXT_MAX];

    if (!wall_ms)
        return;
    time_rfc3339(wall_ms, text);
    rest_add_param(path, name, text);
}
