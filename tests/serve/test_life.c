/* Clients that go, servers that end, keys, full queues, and requests that trickle. */
#include "client.h"

#include <pthread.h>

#define LONG_TEXT                                                                                  \
    "{\"prompt\":\"abc\",\"max_tokens\":4000,\"stream\":true,\"seed\":1,\"szilard\":false}"

static double metric(const served *s, const char *name) {
    answered a = client_request(s, "GET", "/metrics", "", NULL);
    char line[128];
    snprintf(line, sizeof line, "\nszilard_%s ", name);
    const char *at = a.status == 200 ? strstr(a.body.data, line) : NULL;
    double x = at ? strtod(at + strlen(line), NULL) : -1.0;
    answered_free(&a);
    return x;
}

static void until_metric(const served *s, const char *name, double x) {
    for (int i = 0; i < 1000; i++) {
        if (metric(s, name) >= x)
            return;
        usleep(10000);
    }
    fail_msg("%s is %g, not %g", name, metric(s, name), x);
}

static int begin_stream(const served *s) {
    int fd = client_connect(s);
    client_ask(fd, "POST", "/v1/completions", "", LONG_TEXT, strlen(LONG_TEXT));
    char first[32];
    assert_true(recv(fd, first, sizeof first, 0) > 0);
    return fd;
}

static void test_a_client_that_goes(void **state) {
    served s;
    served_open(&s, NULL, true);
    close(begin_stream(&s));
    until_metric(&s, "jobs_cancelled_total", 1);
    int fd = client_connect(&s); /* one that waits for a whole answer */
    const char *ask = "{\"prompt\":\"abc\",\"max_tokens\":4000,\"seed\":1}";
    client_ask(fd, "POST", "/v1/completions", "", ask, strlen(ask));
    until_metric(&s, "jobs_total", 2);
    close(fd);
    until_metric(&s, "jobs_cancelled_total", 2);
    assert_int_equal(metric(&s, "jobs_running"), 0);
    assert_int_equal(metric(&s, "jobs_finished_total"), 0);
    served_close(&s);
}

static void test_a_full_queue(void **state) {
    served s;
    sz_server_config config = {.batcher = {.n_slots = 1, .n_queued = 2}};
    int waiting[3];
    served_open(&s, &config, true);
    int first = begin_stream(&s);
    for (int i = 0; i < 2; i++) {
        waiting[i] = client_connect(&s);
        client_ask(waiting[i], "POST", "/v1/completions", "", LONG_TEXT, strlen(LONG_TEXT));
    }
    until_metric(&s, "jobs_queued", 2);
    answered a = client_post(&s, "/v1/completions", LONG_TEXT);
    assert_int_equal(a.status, 503);
    assert_non_null(strstr(a.head.data, "Retry-After: 1"));
    assert_non_null(strstr(a.body.data, "server_busy"));
    answered_free(&a);
    close(first); /* the next in turn gets the place */
    char byte;
    assert_int_equal(recv(waiting[0], &byte, 1, 0), 1);
    close(waiting[0]);
    close(waiting[1]);
    served_close(&s);
}

static void test_a_client_that_does_not_read(void **state) {
    served s;
    served_open(&s, NULL, true);
    int fd = client_connect(&s);
    const char *ask = "{\"prompt\":\"abc\",\"max_tokens\":1800,\"stream\":true,\"seed\":1,"
                      "\"szilard\":{\"alternatives\":64}}"; /* six kilobytes a token */
    client_ask(fd, "POST", "/v1/completions", "", ask, strlen(ask));
    until_metric(&s, "tokens_total", 50);
    double before = -1, now = 0;
    for (int i = 0; i < 200 && before != now; i++) { /* until it stands still */
        before = now;
        usleep(100000);
        now = metric(&s, "tokens_total");
    }
    assert_true(now < 1750); /* neither all of it, nor without a bound */
    answered a = client_post(&s, "/v1/completions", "{\"prompt\":\"b\",\"max_tokens\":3}");
    assert_int_equal(a.status, 200); /* others are served */
    answered_free(&a);
    a = client_read(fd); /* it reads after all, and gets everything */
    assert_non_null(strstr(a.body.data + a.body.len - 20, "[DONE]"));
    answered_free(&a);
    served_close(&s);
}

/* Who asks for one answer does not wait for all that another client has asked for before. */
typedef struct asker {
    const served *s;
    const char *key;
    int place; /* in the order in which answers came */
} asker;

static int n_answered;

static void *ask_with_key(void *user) {
    asker *a = user;
    char headers[64];
    snprintf(headers, sizeof headers, "X-Api-Key: %s\r\n", a->key);
    answered got = client_request(a->s, "POST", "/v1/completions", headers,
                                  "{\"prompt\":\"abc\",\"max_tokens\":1000,\"szilard\":false}");
    a->place = __atomic_fetch_add(&n_answered, 1, __ATOMIC_RELAXED);
    answered_free(&got);
    return NULL;
}

static void test_turns(void **state) {
    enum { MANY = 10 };
    char path[] = "/tmp/szilard-keys-XXXXXX";
    int fd = mkstemp(path);
    assert_int_equal(write(fd, "many\nfew\n", 9), 9);
    close(fd);
    served s;
    sz_server_config config = {.key_file = path, .batcher = {.n_slots = 2}};
    pthread_t threads[MANY + 1];
    asker askers[MANY + 1];
    served_open(&s, &config, true);
    for (int i = 0; i <= MANY; i++) {
        askers[i] = (asker){&s, i < MANY ? "many" : "few", -1};
        assert_int_equal(pthread_create(&threads[i], NULL, ask_with_key, &askers[i]), 0);
        if (i == MANY - 1)
            usleep(20000); /* they are all there before the one that asks for little */
    }
    for (int i = 0; i <= MANY; i++)
        pthread_join(threads[i], NULL);
    assert_true(askers[MANY].place <= MANY - 3);
    served_close(&s);
    unlink(path);
}

enum { CROWD = 60 };

static void *ask_in_the_crowd(void *user) {
    const served *s = user;
    static int number;
    int i = __atomic_fetch_add(&number, 1, __ATOMIC_RELAXED), fd = client_connect(s);
    const char *ask = i % 3 ? "{\"prompt\":\"abc\",\"max_tokens\":40,\"stream\":true}"
                            : "{\"prompt\":[\"a\",\"b\"],\"max_tokens\":20}";
    client_ask(fd, "POST", "/v1/completions", "", ask, strlen(ask));
    if (i % 5 == 0) { /* some do not wait */
        close(fd);
        return NULL;
    }
    answered a = client_read(fd);
    if (a.status != 200 && a.status != 503)
        fprintf(stderr, "status %d\n", a.status);
    intptr_t good = a.status == 200 || a.status == 503;
    answered_free(&a);
    return good ? NULL : user;
}

static void test_ten_times_too_many(void **state) {
    served s;
    pthread_t threads[CROWD];
    sz_server_config config = {.batcher = {.n_slots = 2, .n_queued = 4}};
    served_open(&s, &config, true);
    for (int i = 0; i < CROWD; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, ask_in_the_crowd, &s), 0);
    for (int i = 0; i < CROWD; i++) {
        void *failed;
        pthread_join(threads[i], &failed);
        assert_null(failed);
    }
    for (int i = 0; i < 500 && metric(&s, "jobs_running") + metric(&s, "jobs_queued") > 0; i++)
        usleep(10000);
    assert_int_equal(metric(&s, "jobs_running"), 0);
    assert_true(metric(&s, "jobs_total") ==
                metric(&s, "jobs_finished_total") + metric(&s, "jobs_cancelled_total"));
    answered a = client_post(&s, "/v1/completions", "{\"prompt\":\"b\",\"max_tokens\":3}");
    assert_int_equal(a.status, 200); /* it has recovered */
    answered_free(&a);
    served_close(&s);
}

static void *drain_later(void *user) {
    usleep(50000);
    sz_server_drain(((served *)user)->server);
    return NULL;
}

static void test_drain(void **state) {
    served s;
    pthread_t thread;
    served_open(&s, NULL, true);
    int stays = client_connect(&s); /* a connection that is open before */
    int fd = client_connect(&s);
    const char *ask = "{\"prompt\":\"abc\",\"max_tokens\":3000,\"seed\":1}";
    client_ask(fd, "POST", "/v1/completions", "", ask, strlen(ask));
    until_metric(&s, "jobs_total", 1);
    pthread_create(&thread, NULL, drain_later, &s);
    answered a = client_read(fd); /* what was there comes to its end */
    pthread_join(thread, NULL);
    assert_int_equal(a.status, 200);
    answered_free(&a);
    client_ask(stays, "GET", "/ready", "", NULL, 0);
    a = client_read(stays);
    assert_int_equal(a.status, 503);
    assert_non_null(strstr(a.body.data, "draining"));
    answered_free(&a);
    for (int i = 0; i < 500 && sz_server_busy(s.server); i++)
        usleep(10000);
    assert_false(sz_server_busy(s.server));
    served_close(&s);
}

static void test_close_with_work(void **state) {
    served s;
    served_open(&s, NULL, true);
    int fd = begin_stream(&s);
    served_close(&s); /* neither hangs nor leaks */
    close(fd);
}

static void test_deadline(void **state) {
    served s;
    sz_server_config config = {.request_seconds = 1, .batcher = {.n_slots = 1}};
    served_open(&s, &config, true);
    int slow = client_connect(&s); /* it reads nothing and holds the only slot */
    const char *ask = "{\"prompt\":\"abc\",\"max_tokens\":4000,\"stream\":true,\"seed\":1,"
                      "\"szilard\":{\"alternatives\":64}}";
    client_ask(slow, "POST", "/v1/completions", "", ask, strlen(ask));
    until_metric(&s, "jobs_running", 1);
    answered a = client_post(&s, "/v1/completions", "{\"prompt\":\"b\",\"max_tokens\":3}");
    assert_in_set(a.status, ((const LargestIntegralType[]){200, 504}), 2);
    answered_free(&a);
    close(slow);
    served_close(&s);
}

static void test_keys(void **state) {
    char path[] = "/tmp/szilard-keys-XXXXXX";
    int fd = mkstemp(path);
    const char *text = "# keys\n\n  first-key \nsecond\r\n";
    assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
    close(fd);
    served s;
    sz_server_config config = {.key_file = path};
    served_open(&s, &config, true);
    static const struct {
        const char *path, *header;
        int status;
    } cases[] = {
        {"/v1/models", "", 401},
        {"/v1/models", "Authorization: Bearer first-key\r\n", 200},
        {"/v1/models", "Authorization: bearer second\r\n", 200},
        {"/v1/models", "X-Api-Key: second\r\n", 200},
        {"/v1/models", "Authorization: Bearer first-key2\r\n", 401},
        {"/v1/models", "Authorization: Bearer first\r\n", 401},
        {"/v1/models", "Authorization: Bearer \r\n", 401},
        {"/v1/models", "Authorization: Bearer # keys\r\n", 401},
        {"/v1/models", "Authorization: Basic first-key\r\n", 401},
        {"/metrics", "", 401},
        {"/health", "", 200},
        {"/ready", "", 200},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        answered a = client_request(&s, "GET", cases[i].path, cases[i].header, NULL);
        if (a.status != cases[i].status)
            fail_msg("%s with %s: %d", cases[i].path, cases[i].header, a.status);
        answered_free(&a);
    }
    served_close(&s);
    unlink(path);
}

static void test_requests_that_trickle(void **state) {
    served s;
    sz_server_config config = {.header_seconds = 1};
    served_open(&s, &config, true);
    int fd = client_connect(&s);
    uint64_t start = sz_time_ns();
    ssize_t put = 1;
    for (int i = 0; i < 100 && put == 1; i++) { /* a byte every fiftieth of a second */
        put = send(fd, "G", 1, MSG_NOSIGNAL);
        usleep(50000);
    }
    assert_true(put != 1); /* it was cut off */
    assert_true(sz_time_ns() - start < 4500000000u);
    close(fd);
    served_close(&s);
}

static void test_cors_and_hosts(void **state) {
    served s;
    sz_server_config config = {.origin = "https://page.example"};
    served_open(&s, &config, true);
    answered a =
        client_request(&s, "OPTIONS", "/v1/models", "Origin: https://page.example\r\n", NULL);
    assert_int_equal(a.status, 204);
    assert_non_null(strstr(a.head.data, "Access-Control-Allow-Origin: https://page.example"));
    answered_free(&a);
    a = client_request(&s, "GET", "/health", "Origin: https://other.example\r\n", NULL);
    assert_int_equal(a.status, 403);
    answered_free(&a);
    static const struct {
        const char *host;
        int status;
    } hosts[] = {{"localhost:8080", 200}, {"127.0.0.1", 200},        {"[::1]:80", 200},
                 {"evil.example", 403},   {"127.evil.example", 403}, {"localhost.evil", 403}};
    for (size_t i = 0; i < sizeof hosts / sizeof *hosts; i++) {
        char request[200];
        int fd = client_connect(&s);
        snprintf(request, sizeof request,
                 "GET /health HTTP/1.1\r\nHost: %s\r\nConnection: close\r\n\r\n", hosts[i].host);
        client_write(fd, request, strlen(request));
        a = client_read(fd);
        if (a.status != hosts[i].status)
            fail_msg("Host %s: %d", hosts[i].host, a.status);
        answered_free(&a);
    }
    served_close(&s);
}

static void test_before_there_is_a_model(void **state) {
    served s = {0};
    sz_server_config config = {0};
    SZ_CHECK_OK(sz_server_open(&config, &s.server));
    answered a = client_request(&s, "GET", "/ready", "", NULL);
    assert_int_equal(a.status, 503);
    answered_free(&a);
    a = client_post(&s, "/v1/completions", "{}");
    assert_int_equal(a.status, 503);
    assert_non_null(strstr(a.head.data, "Retry-After"));
    answered_free(&a);
    a = client_request(&s, "GET", "/health", "", NULL);
    assert_int_equal(a.status, 200);
    answered_free(&a);
    sz_server_config same = {.port = sz_server_port(s.server)};
    sz_server *second;
    assert_int_equal(sz_server_open(&same, &second), SZ_E_IO);
    assert_non_null(strstr(sz_last_error(), "--port"));
    sz_server_close(s.server);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_before_there_is_a_model),
        cmocka_unit_test(test_a_client_that_goes),
        cmocka_unit_test(test_a_full_queue),
        cmocka_unit_test(test_a_client_that_does_not_read),
        cmocka_unit_test(test_turns),
        cmocka_unit_test(test_ten_times_too_many),
        cmocka_unit_test(test_drain),
        cmocka_unit_test(test_close_with_work),
        cmocka_unit_test(test_deadline),
        cmocka_unit_test(test_keys),
        cmocka_unit_test(test_requests_that_trickle),
        cmocka_unit_test(test_cors_and_hosts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
