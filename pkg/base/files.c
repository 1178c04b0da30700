#include "pkg/base/files.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

static void auto_close(int *fd)
{
    if (*fd >= 0)
        close(*fd);
}
#define AUTO_FD CLEANUP(auto_close)

struct err *file_read(const char *path, struct buf *out)
{
    AUTO_FD int fd = open(path, O_RDONLY | O_CLOEXEC);
    char chunk[16384];
    ssize_t got;

    if (fd < 0)
        return err_errno(errno == ENOENT || errno == ENOTDIR ? ERR_NOT_FOUND : ERR_INVALID, errno, "%s",
                         path);
    while ((got = read(fd, chunk, sizeof(chunk))) != 0) {
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return err_errno(ERR_INVALID, errno, "%s", path);
        buf_add(out, chunk, (size_t)got);
        if (out->overflow)
            break;
    }
    if (out->wipe)
        explicit_bzero(chunk, sizeof(chunk));
    if (out->overflow)
        return err_new(ERR_INVALID, "%s: larger than %zu bytes", path, out->max);
    return NULL;
}

static struct err *write_all(int fd, struct str content, const char *path)
{
    while (content.len) {
        ssize_t put = write(fd, content.ptr, content.len);

        if (put < 0 && errno == EINTR)
            continue;
        if (put < 0)
            return err_errno(ERR_RETRY, errno, "write %s", path);
        content = str_from(content, (size_t)put);
    }
    if (fsync(fd) != 0)
        return err_errno(ERR_RETRY, errno, "sync %s", path);
    return NULL;
}

static char *folder_of(const char *path)
{
    const char *slash = strrchr(path, '/');

    if (!slash)
        return xstrdup(".");
    return slash == path ? xstrdup("/") : xstrndup(path, (size_t)(slash - path));
}

struct err *file_replace(const char *path, struct str content, int mode)
{
    AUTO_FREE char *temporary = xasprintf("%s.XXXXXX", path);
    AUTO_FREE char *folder = folder_of(path);
    AUTO_FD int folder_fd = -1;
    AUTO_FD int fd = mkostemp(temporary, O_CLOEXEC);
    struct err *err;

    if (fd < 0)
        return err_errno(ERR_INVALID, errno, "create %s", temporary);
    err = write_all(fd, content, temporary);
    if (!err && (fchmod(fd, (mode_t)mode) != 0 || rename(temporary, path) != 0))
        err = err_errno(ERR_INVALID, errno, "replace %s", path);
    if (err) {
        unlink(temporary);
        return err;
    }
    /* The name is only safe once the folder is on disk. */
    folder_fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (folder_fd < 0 || fsync(folder_fd) != 0)
        return err_errno(ERR_RETRY, errno, "sync %s", folder);
    return NULL;
}

static bool is_folder(const char *path)
{
    struct stat about;

    return stat(path, &about) == 0 && S_ISDIR(about.st_mode);
}

struct err *dir_create(const char *path, int mode)
{
    AUTO_FREE char *partial = xstrdup(path);

    if (!*path)
        return err_new(ERR_INVALID, "create a folder: its name is empty");
    for (char *p = partial + 1;; p++) {
        char kept = *p;

        if (kept != '/' && kept != '\0')
            continue;
        *p = '\0';
        if (mkdir(partial, (mode_t)mode) != 0 && errno != EEXIST)
            return err_errno(ERR_INVALID, errno, "create %s", partial);
        if (!is_folder(partial))
            return err_errno(ERR_INVALID, ENOTDIR, "create %s", partial);
        if (kept == '\0')
            return NULL;
        *p = kept;
    }
}
