#include "controller/metrics.h"

#include "pkg/base/files.h"

#include <dirent.h>
#include <sys/resource.h>
#include <unistd.h>

/* proc(5), /proc/self/stat: fields counted from 1; the second is in brackets and may hold anything. */
enum {
    FIELD_AFTER_NAME = 3,
    FIELD_UTIME = 14,
    FIELD_STIME = 15,
    FIELD_STARTTIME = 22,
    FIELD_VSIZE,
    FIELD_RSS
};
#define FIELDS_MAX 64
#define FILE_MAX (256 * KIB)

static bool read_text(const char *path, struct buf *out)
{
    struct err *err = file_read(path, out);

    if (!err)
        return true;
    err_ignore(err, "a machine without it has no such figures");
    return false;
}

static bool read_stat(int64_t ret_fields[FIELDS_MAX])
{
    AUTO_BUF struct buf text = BUF_MAX(FILE_MAX);
    const char *end;
    struct str rest, word;

    if (!read_text("/proc/self/stat", &text) || !(end = strrchr(buf_text(&text), ')')) || !end[1])
        return false;
    rest = str_of(end + 2);
    for (size_t i = FIELD_AFTER_NAME; i < FIELDS_MAX && str_cut(&rest, ' ', &word); i++) {
        if (!str_to_int(str_trim(word), &ret_fields[i]))
            ret_fields[i] = 0;
    }
    return true;
}

/* When the machine began, in seconds since 1970; 0: not known. */
static int64_t boot_s(void)
{
    AUTO_BUF struct buf text = BUF_MAX(FILE_MAX);
    struct str rest, line;
    int64_t found = 0;

    if (!read_text("/proc/stat", &text))
        return 0;
    rest = buf_str(&text);
    while (str_cut(&rest, '\n', &line)) {
        if (str_starts(line, "btime ") && str_to_int(str_from(line, 6), &found))
            return found;
    }
    return 0;
}

static int count_fds(void)
{
    DIR *folder = opendir("/proc/self/fd");
    int count = -3; /* ".", ".." and the folder itself */

    if (!folder)
        return 0;
    while (readdir(folder))
        count++;
    closedir(folder);
    return count;
}

void controller_metrics_process(struct metrics *metrics)
{
    int64_t fields[FIELDS_MAX] = {0};
    struct rlimit limit;
    double tick = (double)sysconf(_SC_CLK_TCK);
    int64_t boot = boot_s();

    if (read_stat(fields)) {
        metrics_set(metrics, METRIC_PROCESS_CPU, (double)(fields[FIELD_UTIME] + fields[FIELD_STIME]) / tick,
                    NO_LABELS);
        metrics_set(metrics, METRIC_PROCESS_VIRTUAL, (double)fields[FIELD_VSIZE], NO_LABELS);
        metrics_set(metrics, METRIC_PROCESS_RESIDENT, (double)(fields[FIELD_RSS] * sysconf(_SC_PAGESIZE)),
                    NO_LABELS);
        if (boot)
            metrics_set(metrics, METRIC_PROCESS_START, (double)boot + (double)fields[FIELD_STARTTIME] / tick,
                        NO_LABELS);
    }
    metrics_set(metrics, METRIC_PROCESS_FDS, count_fds(), NO_LABELS);
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0)
        metrics_set(metrics, METRIC_PROCESS_FDS_MAX, (double)limit.rlim_cur, NO_LABELS);
}
