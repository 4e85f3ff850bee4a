/* bench_serve.c: the server under 1, 2, 4, 8 and 16 clients that chat at once: tokens per second of
 * all, time to the first token, and the time between two tokens of one client.
 *
 * usage: bench_serve MODEL.gguf [THREADS [TOKENS [MOST_CLIENTS]]] */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <pthread.h>
#include <serve/serve.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { MOST_TOKENS = 4096, MOST_CLIENTS = 64 };

static uint16_t port;
static int n_tokens = 64;

typedef struct client {
    int number;
    uint64_t asked_ns, at_ns[MOST_TOKENS];
    size_t n; /* events */
} client;

static int ask(int number) {
    struct sockaddr_in address = {
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    char body[512], request[1024];
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    snprintf(body, sizeof body,
             "{\"stream\":true,\"seed\":%d,\"max_tokens\":%d,\"ignore_eos\":true,\"szilard\":false,"
             "\"messages\":[{\"role\":\"user\",\"content\":\"Question %d: tell me in a few "
             "sentences what entropy is, and why it never falls.\"}]}",
             number, n_tokens, number * 7919);
    int n =
        snprintf(request, sizeof request,
                 "POST /v1/chat/completions HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"
                 "Content-Length: %zu\r\n\r\n%s",
                 strlen(body), body);
    if (fd < 0 || connect(fd, (struct sockaddr *)&address, sizeof address) != 0 ||
        write(fd, request, (size_t)n) != n) {
        perror("bench_serve");
        exit(1);
    }
    return fd;
}

static void *talk(void *user) {
    client *c = user;
    char block[16384 + 1];
    ssize_t got;
    c->asked_ns = sz_time_ns();
    int fd = ask(c->number);
    while ((got = read(fd, block, sizeof block - 1)) > 0) {
        uint64_t now = sz_time_ns();
        block[got] = '\0';
        for (const char *at = block; (at = strstr(at, "data: {")) && c->n < MOST_TOKENS; at++)
            c->at_ns[c->n++] = now;
    }
    close(fd);
    return NULL;
}

static int by_size(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double quantile(double *v, size_t n, double q) {
    qsort(v, n, sizeof *v, by_size);
    return n ? v[(size_t)(q * (double)(n - 1))] : 0.0;
}

static double run(int n_clients) {
    static client clients[MOST_CLIENTS];
    static double first[MOST_CLIENTS], between[MOST_CLIENTS * MOST_TOKENS];
    pthread_t threads[MOST_CLIENTS];
    size_t n = 0, n_between = 0;
    static int number;
    uint64_t start = sz_time_ns();
    for (int i = 0; i < n_clients; i++) {
        clients[i] = (client){.number = ++number};
        pthread_create(&threads[i], NULL, talk, &clients[i]);
    }
    for (int i = 0; i < n_clients; i++)
        pthread_join(threads[i], NULL);
    double seconds = (double)(sz_time_ns() - start) * 1e-9;
    for (int i = 0; i < n_clients; i++) {
        const client *c = &clients[i];
        first[i] = c->n ? (double)(c->at_ns[0] - c->asked_ns) * 1e-6 : 0.0;
        n += c->n;
        for (size_t k = 1; k < c->n; k++)
            between[n_between++] = (double)(c->at_ns[k] - c->at_ns[k - 1]) * 1e-6;
    }
    double speed = (double)n / seconds;
    printf("%7d %10.1f %14.1f %14.1f %14.1f %14.1f\n", n_clients, speed,
           quantile(first, (size_t)n_clients, 0.5), quantile(first, (size_t)n_clients, 1),
           quantile(between, n_between, 0.5), quantile(between, n_between, 0.99));
    fflush(stdout);
    return speed;
}

int main(int argc, char **argv) {
    if (argc < 2)
        return fprintf(stderr, "usage: bench_serve MODEL.gguf [THREADS [TOKENS [MOST_CLIENTS]]]\n"),
               2;
    sz_runtime_config runtime = {.n_threads = argc > 2 ? atoi(argv[2]) : 2};
    n_tokens = argc > 3 ? atoi(argv[3]) : n_tokens;
    int most = argc > 4 ? atoi(argv[4]) : 16;
    sz_server_config config = {.batcher = {.context = 1024, .n_slots = 16}};
    sz_runtime *rt = NULL;
    sz_model *model = NULL;
    sz_server *server = NULL;
    if (n_tokens > MOST_TOKENS || most > MOST_CLIENTS || sz_runtime_new(&runtime, &rt) != SZ_OK ||
        sz_model_open(rt, argv[1], NULL, &model) != SZ_OK ||
        sz_server_open(&config, &server) != SZ_OK || sz_server_attach(server, model) != SZ_OK)
        return fprintf(stderr, "bench_serve: %s\n", sz_last_error()), 1;
    port = sz_server_port(server);
    printf("clients   tokens/s   first p50 ms   first max ms   between p50    between p99\n");
    double one = run(1), speed = one;
    for (int n = 2; n <= most; n *= 2)
        speed = run(n);
    printf("%d clients get %.2f times what one gets\n", most, speed / one);
    sz_server_close(server);
    sz_model_close(model);
    sz_runtime_free(rt);
    return 0;
}
