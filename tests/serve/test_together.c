/* Many requests at once: each gets the bits that it gets alone, whatever the passes look like. */
#include "client.h"

#include <pthread.h>

enum { N_REQUESTS = 24, MOST_CLIENTS = 16 };

static char *requests[N_REQUESTS];
static const char *paths[N_REQUESTS];
static char *alone[N_REQUESTS]; /* the choices that a server gave that did nothing else */

static const char *const samplers[] = {"temperature 1.3",
                                       "top-k 20, temperature 1",
                                       "temperature 0",
                                       "penalties repeat=1.2 last=32, temperature 1.1",
                                       "mirostat tau=4",
                                       "temperature 1.2, top-h 0.5",
                                       "dry multiplier=0.5, xtc probability=0.5, temperature 1"};

/* Prompts of many lengths, some of which begin alike. */
static void put_text(sz_buf *b, int i) {
    int n = i % 4 == 3 ? 500 : 20 * (i % 5);
    sz_buf_puts(b, "the same beginning of all the texts that are asked about here ");
    for (int k = 0; k < n; k++)
        sz_buf_printf(b, "%c%c ", 'a' + (i % 3 + k) % 26, 'a' + k % 7);
}

static void make_request(int i) {
    sz_buf b = {0};
    bool chat = i % 3 != 1;
    paths[i] = chat ? "/v1/chat/completions" : "/v1/completions";
    sz_buf_puts(&b, chat ? "{\"messages\":[{\"role\":\"user\",\"content\":\"" : "{\"prompt\":\"");
    put_text(&b, i);
    sz_buf_puts(&b, chat ? "\"}]" : "\"");
    if (i % 8 == 5)
        sz_buf_puts(&b, ",\"grammar\":\"root ::= [a-f ]* [0-9]+\"");
    if (i % 6 == 4)
        sz_buf_puts(&b, ",\"echo\":true,\"logprobs\":2");
    sz_buf_printf(&b,
                  ",\"seed\":%d,\"max_tokens\":%d,\"n\":%d,\"sampler\":\"%s\",\"stop\":[\"zz\"],"
                  "\"szilard\":{\"alternatives\":2}}",
                  i, 20 + 15 * (i % 7), i % 9 == 2 ? 3 : 1, samplers[i % 7]);
    requests[i] = b.data;
}

/* From the choices on, without what depends on when it was asked. */
static char *choices_of(const answered *a) {
    const char *from = a->body.data ? strstr(a->body.data, "\"choices\":") : NULL;
    const char *to = from ? strstr(from, ",\"usage\":") : NULL;
    if (a->status != 200 || !to)
        fail_msg("status %d: %.300s", a->status, a->body.data ? a->body.data : "");
    return strndup(from, (size_t)(to - from));
}

static sz_server_config small_memory(void) {
    return (sz_server_config){
        .batcher = {
            .context = 2048, .n_slots = MOST_CLIENTS, .pass_tokens = 48, .kv_bytes = 12000 * 256}};
}

static void ask_all_alone(void) {
    for (int i = 0; i < N_REQUESTS; i++) {
        served s;
        sz_server_config config = {.batcher = {.context = 2048, .n_slots = 3}};
        make_request(i);
        served_open(&s, &config, true);
        answered a = client_post(&s, paths[i], requests[i]);
        alone[i] = choices_of(&a);
        answered_free(&a);
        served_close(&s);
    }
}

typedef struct client {
    const served *s;
    int number, n_clients, round;
    int n_different;
} client;

static void *ask_some(void *user) {
    client *c = user;
    for (int k = c->number; k < N_REQUESTS; k += c->n_clients) {
        int i = (k * 7 + c->round * 5) % N_REQUESTS; /* another order in each round */
        usleep((useconds_t)(sz_uniform(11, (uint64_t)c->round, (uint64_t)k) * 3000));
        answered a = client_post(c->s, paths[i], requests[i]);
        char *got = choices_of(&a);
        if (strcmp(got, alone[i]) != 0) {
            c->n_different++;
            fprintf(stderr, "request %d:\n%.400s\n%.400s\n", i, got, alone[i]);
        }
        free(got);
        answered_free(&a);
    }
    return NULL;
}

static void ask_together(const served *s, int n_clients, int round) {
    pthread_t threads[MOST_CLIENTS];
    client clients[MOST_CLIENTS];
    for (int i = 0; i < n_clients; i++) {
        clients[i] = (client){s, i, n_clients, round, 0};
        assert_int_equal(pthread_create(&threads[i], NULL, ask_some, &clients[i]), 0);
    }
    for (int i = 0; i < n_clients; i++)
        pthread_join(threads[i], NULL);
    for (int i = 0; i < n_clients; i++)
        assert_int_equal(clients[i].n_different, 0);
}

static double metric(const served *s, const char *name) {
    answered a = client_request(s, "GET", "/metrics", "", NULL);
    char line[128];
    snprintf(line, sizeof line, "\nszilard_%s ", name);
    const char *at = strstr(a.body.data, line);
    if (!at)
        fail_msg("no metric %s", name);
    double x = strtod(at + strlen(line), NULL);
    answered_free(&a);
    return x;
}

static void test_the_same_bits(void **state) {
    static const int n_clients[] = {1, 2, 7, 16};
    served s;
    sz_server_config config = small_memory();
    ask_all_alone();
    served_open(&s, &config, true);
    for (int i = 0; i < 4; i++)
        ask_together(&s, n_clients[i], i);
    for (int i = 4;
         i < 20 && (metric(&s, "passes_wide_mixed_total") < 5 || metric(&s, "evictions_total") < 1);
         i++)
        ask_together(&s, MOST_CLIENTS, i);
    assert_true(metric(&s, "passes_wide_mixed_total") >= 5);
    assert_true(metric(&s, "prefix_hits_total") >= 1);
    assert_true(metric(&s, "prefix_forks_total") >= 1);
    assert_true(metric(&s, "evictions_total") >= 1);
    assert_true(metric(&s, "pass_sequences_most") >= 7);
    served_close(&s);
}

/* Of two clients, the one that asks for little does not wait for all that the other asks for. */
static void test_a_long_prompt_stops_nobody(void **state) {
    served s;
    sz_server_config config = {.batcher = {.context = 4096, .pass_tokens = 32}};
    sz_buf body = {0};
    served_open(&s, &config, true);
    int growing = client_connect(&s);
    const char *ask = "{\"prompt\":\"abc\",\"max_tokens\":400,\"stream\":true,\"seed\":1}";
    client_ask(growing, "POST", "/v1/completions", "", ask, strlen(ask));
    char first[64];
    assert_true(recv(growing, first, sizeof first, 0) > 0); /* it grows */
    sz_buf_puts(&body, "{\"max_tokens\":1,\"prompt\":\"");
    for (int i = 0; i < 3000; i++)
        sz_buf_puts(&body, "y");
    sz_buf_puts(&body, "\"}");
    answered a = client_post(&s, "/v1/completions", body.data);
    assert_int_equal(a.status, 200);
    /* The prompt came in pieces of at most 32, beside the text while it grew. */
    assert_true(metric(&s, "passes_mixed_total") >= 10);
    answered_free(&a);
    close(growing);
    sz_buf_free(&body);
    served_close(&s);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_same_bits),
        cmocka_unit_test(test_a_long_prompt_stops_nobody),
    };
    int status = cmocka_run_group_tests(tests, NULL, NULL);
    for (int i = 0; i < N_REQUESTS; i++) {
        sz_free(requests[i]);
        free(alone[i]);
    }
    return status;
}
