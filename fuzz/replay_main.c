/* replay_main.c: runs a fuzz target over the files of its corpus, without a fuzzer, so that every
 * build checks every case that was ever found. */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int replay_file(const char *path) {
    FILE *f = fopen(path, "rb");
    struct stat st;
    if (!f || fstat(fileno(f), &st) != 0)
        return perror(path), 1;
    uint8_t *bytes = malloc(st.st_size ? (size_t)st.st_size : 1);
    size_t n = bytes ? fread(bytes, 1, (size_t)st.st_size, f) : 0;
    fclose(f);
    if (bytes)
        LLVMFuzzerTestOneInput(bytes, n);
    free(bytes);
    return bytes ? 0 : 1;
}

int main(int argc, char **argv) {
    if (argc != 2)
        return fprintf(stderr, "usage: %s CORPUS_FOLDER\n", argv[0]), 2;
    DIR *dir = opendir(argv[1]);
    if (!dir)
        return perror(argv[1]), 1;
    int failed = 0, n = 0;
    for (struct dirent *e; (e = readdir(dir));) {
        char path[4096];
        if (e->d_name[0] == '.')
            continue;
        snprintf(path, sizeof path, "%s/%s", argv[1], e->d_name);
        failed += replay_file(path);
        n++;
    }
    closedir(dir);
    printf("%d files replayed\n", n);
    return failed || n == 0;
}
