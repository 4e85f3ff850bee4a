/* fuzz_model.c: any bytes as a model file; what opens computes a prompt and draws a token. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <szilard/unstable/model.h>

static sz_runtime *rt;
static int fd;
static char path[64];

static void need(bool what) {
    if (!what)
        abort();
}

static void begin(void) {
    sz_runtime_config config = {.n_threads = 1};
    need(sz_runtime_new(&config, &rt) == SZ_OK);
    fd = memfd_create("szilard-fuzz", 0);
    need(fd >= 0);
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
}

static void draw(sz_model *m) {
    const int32_t first = 0;
    sz_session_config config = {.context = 16};
    sz_session *s = NULL;
    sz_token t;
    if (sz_session_new(m, &config, &s) == SZ_OK) {
        sz_status status = sz_session_prompt(s, 0, "ab <s> c");
        if (status == SZ_OK && sz_session_length(s, 0) == 0)
            status = sz_session_prompt_ids(s, 0, &first, 1);
        if (status == SZ_OK)
            sz_session_next(s, 0, &t);
        need(sz_session_text(s, 0) != NULL);
    }
    sz_session_free(s);
}

static void render(const sz_model *m) {
    char *text = NULL;
    if (sz_model_render_chat(m, "[{\"role\":\"user\",\"content\":\"x\"}]", NULL, NULL, true,
                             &text) == SZ_OK)
        sz_string_free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    const sz_model_config vocabulary = {.vocab_only = true};
    sz_model *m = NULL;
    if (!rt)
        begin();
    need(ftruncate(fd, 0) == 0 && pwrite(fd, data, size, 0) == (ssize_t)size);
    if (sz_model_open(rt, path, NULL, &m) == SZ_OK) {
        sz_model_info info;
        sz_model_get_info(m, &info);
        render(m);
        draw(m);
        sz_model_close(m);
    } else {
        need(m == NULL && strstr(sz_last_error(), path));
    }
    if (sz_model_open(rt, path, &vocabulary, &m) == SZ_OK)
        sz_model_close(m);
    return 0;
}
