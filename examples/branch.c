/* branch.c: which of two endings does the model expect after a text? The text is computed once; the
 * two sequences share its cache, and both endings go through the model in one pass.
 *
 *   ./branch model.gguf "The capital of France is" " Paris" " Lyon"
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <szilard.h>

static void must(sz_status status) {
    if (status == SZ_OK)
        return;
    fprintf(stderr, "%s\n", sz_last_error());
    exit(1);
}

static double surprisal_after(const sz_session *s, uint32_t seq, size_t first) {
    const sz_token *records;
    size_t n;
    double nats = 0;
    must(sz_session_records(s, seq, &records, &n));
    for (size_t i = first; i < n; i++)
        nats += (double)records[i].surprisal;
    return nats;
}

int main(int argc, char **argv) {
    enum { MOST = 64 };
    int32_t ids[2][MOST];
    size_t n[2];
    sz_runtime *rt;
    sz_model *model;
    sz_session *s;
    uint32_t branch;
    if (argc != 5)
        return fprintf(stderr, "usage: branch MODEL.gguf TEXT ENDING ENDING\n"), 2;

    must(sz_runtime_new(NULL, &rt));
    must(sz_model_open(rt, argv[1], NULL, &model));
    must(sz_session_new(model, NULL, &s));
    must(sz_session_prompt(s, 0, argv[2]));
    size_t shared = sz_session_length(s, 0);
    must(sz_session_fork(s, 0, &branch)); /* shares blocks until one of the two writes */
    for (int i = 0; i < 2; i++)
        must(
            sz_model_tokenize(model, argv[3 + i], strlen(argv[3 + i]), false, ids[i], MOST, &n[i]));
    const sz_span spans[] = {
        {.seq = 0, .ids = ids[0], .n = (uint32_t)n[0], .want = SZ_ALL},
        {.seq = branch, .ids = ids[1], .n = (uint32_t)n[1], .want = SZ_ALL},
    };
    must(sz_session_forward(s, spans, 2));

    printf("%s: %.3f nats\n", argv[3], surprisal_after(s, 0, shared));
    printf("%s: %.3f nats\n", argv[4], surprisal_after(s, branch, shared));
    sz_session_free(s);
    sz_model_close(model);
    sz_runtime_free(rt);
    return 0;
}
