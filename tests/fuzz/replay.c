/* Runs every file of a folder through a fuzz target, without a fuzzer; each in a block of exactly its size,
 * so that the address sanitizer sees a read past the end. An empty or missing corpus is a failure: it would
 * test nothing. */
#include <dirent.h>
#include <stdio.h>

#include "pkg/base/files.h"
#include "tests/fuzz/fuzz.h"

static bool replay(const char *folder, const char *name)
{
    AUTO_FREE char *path = xasprintf("%s/%s", folder, name);
    AUTO_BUF struct buf input = BUF_MAX(16 * MIB);
    AUTO_FREE uint8_t *exact = NULL;
    struct err *err = file_read(path, &input);

    if (err) {
        fprintf(stderr, "%s\n", err_text(err));
        err_free(err);
        return false;
    }
    exact = xmalloc(input.len);
    if (input.len)
        memcpy(exact, input.data, input.len);
    LLVMFuzzerTestOneInput(exact, input.len);
    return true;
}

static int replay_folder(const char *folder)
{
    DIR *dir = opendir(folder);
    int count = 0, failed = 0;

    for (struct dirent *entry = dir ? readdir(dir) : NULL; entry; entry = readdir(dir)) {
        if (entry->d_name[0] == '.')
            continue;
        count++;
        failed += !replay(folder, entry->d_name);
    }
    if (dir)
        closedir(dir);
    printf("%s: %d inputs, %d unreadable\n", folder, count, failed);
    return count && !failed ? 0 : 1;
}

int main(int argc, char **argv)
{
    if (argc != 2) {
        fprintf(stderr, "usage: %s FOLDER\n", argv[0]);
        return 2;
    }
    return replay_folder(argv[1]);
}
