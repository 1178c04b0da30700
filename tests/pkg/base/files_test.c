#include "pkg/base/files.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/testing/assertions.h"

static char folder[64];

static int set_up(void **state)
{
    (void)state;
    snprintf(folder, sizeof(folder), "/tmp/files-test-XXXXXX");
    return mkdtemp(folder) ? 0 : -1;
}

static void remove_all(const char *path) // NOLINT(misc-no-recursion)
{
    DIR *dir = opendir(path);

    for (struct dirent *entry = dir ? readdir(dir) : NULL; entry; entry = readdir(dir)) {
        AUTO_FREE char *inner = xasprintf("%s/%s", path, entry->d_name);

        if (text_equal(entry->d_name, ".") || text_equal(entry->d_name, ".."))
            continue;
        if (unlink(inner) != 0)
            remove_all(inner);
    }
    if (dir)
        closedir(dir);
    rmdir(path);
}

static int tear_down(void **state)
{
    (void)state;
    remove_all(folder);
    return 0;
}

static char *in_folder(const char *name)
{
    return xasprintf("%s/%s", folder, name);
}

static size_t count_entries(void)
{
    DIR *dir = opendir(folder);
    size_t count = 0;

    while (readdir(dir))
        count++;
    closedir(dir);
    return count - 2;
}

static void reads_what_was_replaced(void **state)
{
    AUTO_FREE char *path = in_folder("a");
    AUTO_BUF struct buf out = BUF_MAX(100);
    struct stat about;

    (void)state;
    assert_no_err(file_replace(path, STR("one"), 0600));
    assert_no_err(file_replace(path, STR("two\0!"), 0640));
    assert_no_err(file_read(path, &out));
    assert_number((int64_t)out.len, 5);
    assert_memory_equal(buf_text(&out), "two\0!", 5);
    assert_int_equal(stat(path, &about), 0);
    assert_number(about.st_mode & 0777, 0640);
    assert_number((int64_t)count_entries(), 1);
}

static void appends_when_reading(void **state)
{
    AUTO_FREE char *path = in_folder("a");
    AUTO_BUF struct buf out = BUF_MAX(100);

    (void)state;
    assert_no_err(file_replace(path, STR("b"), 0600));
    buf_adds(&out, "a");
    assert_no_err(file_read(path, &out));
    assert_text_equal(buf_text(&out), "ab");
}

static void reads_up_to_the_cap(void **state)
{
    AUTO_FREE char *path = in_folder("a");
    AUTO_BUF struct buf fits = BUF_MAX(5), small = BUF_SECRET(4);

    (void)state;
    assert_no_err(file_replace(path, STR("12345"), 0600));
    assert_no_err(file_read(path, &fits));
    assert_fails(file_read(path, &small), ERR_INVALID, "larger than 4 bytes");
}

static void says_what_cannot_be_read(void **state)
{
    AUTO_FREE char *missing = in_folder("missing"), *below_file = in_folder("a/b"), *path = in_folder("a");
    AUTO_BUF struct buf out = BUF_MAX(100);

    (void)state;
    assert_fails(file_read(missing, &out), ERR_NOT_FOUND, missing);
    assert_no_err(file_replace(path, STR(""), 0600));
    assert_fails(file_read(below_file, &out), ERR_NOT_FOUND, NULL);
    assert_fails(file_read(folder, &out), ERR_INVALID, "Is a directory");
    assert_no_err(file_read(path, &out));
    assert_number((int64_t)out.len, 0);
}

static void failed_replace_leaves_the_old(void **state)
{
    AUTO_FREE char *path = in_folder("busy"), *inner = in_folder("busy/x"), *nowhere = in_folder("nowhere/x");

    (void)state;
    assert_no_err(dir_create(path, 0700));
    assert_no_err(file_replace(inner, STR("x"), 0600));
    assert_fails(file_replace(path, STR("y"), 0600), ERR_INVALID, "replace");
    assert_number((int64_t)count_entries(), 1);
    assert_fails(file_replace(nowhere, STR("y"), 0600), ERR_INVALID, "No such file or directory");
}

static void creates_folders(void **state)
{
    AUTO_FREE char *path = in_folder("a/b//c"), *slash = in_folder("a/"), *file = in_folder("a/f");
    AUTO_FREE char *below_file = in_folder("a/f/g");

    (void)state;
    assert_no_err(dir_create(path, 0700));
    assert_no_err(dir_create(path, 0700));
    assert_no_err(dir_create(slash, 0700));
    assert_no_err(dir_create("/", 0700));
    assert_no_err(file_replace(file, STR(""), 0600));
    assert_fails(dir_create(file, 0700), ERR_INVALID, "Not a directory");
    assert_fails(dir_create(below_file, 0700), ERR_INVALID, "Not a directory");
    assert_fails(dir_create("", 0700), ERR_INVALID, "empty");
}

int main(void)
{
    struct tests tests = {.set_up = set_up, .tear_down = tear_down};

    TEST(&tests, reads_what_was_replaced);
    TEST(&tests, appends_when_reading);
    TEST(&tests, reads_up_to_the_cap);
    TEST(&tests, says_what_cannot_be_read);
    TEST(&tests, failed_replace_leaves_the_old);
    TEST(&tests, creates_folders);
    return tests_run(&tests, "files");
}
