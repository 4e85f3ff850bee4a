/* generate.c: continues a text and keeps the account: each token with its entropy, then the sum.
 *
 *   cc generate.c $(pkg-config --cflags --libs szilard) -o generate
 *   ./generate model.gguf "Entropy is"
 */
#include <stdio.h>
#include <stdlib.h>
#include <szilard.h>

static void must(sz_status status) {
    if (status == SZ_OK)
        return;
    fprintf(stderr, "%s\n", sz_last_error());
    exit(1);
}

int main(int argc, char **argv) {
    sz_runtime *rt;
    sz_model *model;
    sz_session *s;
    if (argc != 3)
        return fprintf(stderr, "usage: generate MODEL.gguf TEXT\n"), 2;

    must(sz_runtime_new(NULL, &rt));
    must(sz_model_open(rt, argv[1], NULL, &model));
    must(sz_session_new(model, NULL, &s));
    must(sz_session_set_sampler(s, 0, "top-k 40, temperature 0.8", 7 /* seed */));
    must(sz_session_prompt(s, 0, argv[2]));

    sz_token t;
    sz_status status = SZ_OK;
    double surprisal = 0;
    int n = 0;
    while (n < 32 && (status = sz_session_next(s, 0, &t)) == SZ_OK) {
        printf("%-16s %5.2f nats\n", sz_model_piece(model, t.id), (double)t.entropy);
        surprisal += (double)t.surprisal;
        n++;
    }
    if (status != SZ_END)
        must(status);
    printf("%d tokens carried %.2f nats\n", n, surprisal);

    sz_session_free(s);
    sz_model_close(model);
    sz_runtime_free(rt);
    return 0;
}
