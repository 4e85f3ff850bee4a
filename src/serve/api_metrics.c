/* api_metrics.c: GET /metrics, in the text format of Prometheus. */
#include "api.h"

static void put_metric(sz_buf *b, const char *name, const char *type, const char *help, double x) {
    sz_buf_printf(b, "# HELP szilard_%s %s\n# TYPE szilard_%s %s\nszilard_%s ", name, help, name,
                  type, name);
    sz_json_number(b, x);
    sz_buf_putc(b, '\n');
}

static void put_histogram(sz_buf *b, const char *name, const char *help, const sz_histogram *h) {
    uint64_t sum = 0;
    sz_buf_printf(b, "# HELP szilard_%s %s\n# TYPE szilard_%s histogram\n", name, help, name);
    for (size_t i = 0; i < SZ_BUCKETS; i++) {
        sum += h->n[i];
        sz_buf_printf(b, "szilard_%s_bucket{le=\"", name);
        sz_json_number(b, sz_bucket_seconds[i]);
        sz_buf_printf(b, "\"} %llu\n", (unsigned long long)sum);
    }
    sz_buf_printf(b, "szilard_%s_bucket{le=\"+Inf\"} %llu\nszilard_%s_sum ", name,
                  (unsigned long long)h->count, name);
    sz_json_number(b, (double)h->sum_ns * 1e-9);
    sz_buf_printf(b, "\nszilard_%s_count %llu\n", name, (unsigned long long)h->count);
}

static void put_counters(sz_buf *b, const sz_counters *c) {
    const struct {
        const char *name, *help;
        uint64_t value;
    } counters[] = {
        {"jobs_total", "Requests for text or hidden states that were taken", c->jobs},
        {"jobs_finished_total", "of them, those that came to their end", c->finished},
        {"jobs_cancelled_total", "those whose client had gone, or that took too long",
         c->cancelled},
        {"jobs_failed_total", "those that failed", c->failed},
        {"jobs_rejected_total", "Requests that found the queue full", c->rejected},
        {"prompt_tokens_total", "Tokens of prompts that were computed", c->prompt_tokens},
        {"prompt_tokens_cached_total", "Tokens of prompts that were there already",
         c->cached_tokens},
        {"tokens_total", "Tokens that were drawn", c->drawn_tokens},
        {"passes_total", "Passes of the model", c->passes},
        {"passes_wide_total", "passes of seven sequences or more", c->wide_passes},
        {"passes_mixed_total", "passes of prompts and of texts that grow", c->mixed_passes},
        {"passes_wide_mixed_total", "passes that were both", c->wide_mixed_passes},
        {"prefix_hits_total", "Prompts that began as an earlier one", c->prefix_hits},
        {"prefix_forks_total", "of them, those that left the earlier one in place",
         c->prefix_forks},
        {"evictions_total", "Sequences that were emptied to make room", c->evictions},
    };
    for (size_t i = 0; i < sizeof counters / sizeof *counters; i++)
        put_metric(b, counters[i].name, "counter", counters[i].help, (double)counters[i].value);
}

void sz_api_metrics(sz_exchange *x) {
    sz_counters c;
    sz_buf b = {0};
    sz_batcher_count(x->server->batcher, &c);
    put_counters(&b, &c);
    put_metric(&b, "http_requests_total", "counter", "HTTP requests",
               (double)__atomic_load_n(&x->server->n_requests, __ATOMIC_RELAXED));
    put_metric(&b, "http_errors_total", "counter", "of them, those answered with an error",
               (double)__atomic_load_n(&x->server->n_errors, __ATOMIC_RELAXED));
    put_metric(&b, "entropy_nats_total", "counter", "Entropy of what tokens were drawn from",
               c.entropy);
    put_metric(&b, "surprisal_nats_total", "counter", "What the drawn tokens told", c.surprisal);
    put_metric(&b, "jobs_running", "gauge", "Requests of which something runs", (double)c.running);
    put_metric(&b, "jobs_queued", "gauge", "Requests that wait", (double)c.queued);
    put_metric(&b, "slots", "gauge", "Texts that can grow at once", (double)c.slots);
    put_metric(&b, "pass_sequences_most", "gauge", "Most sequences in one pass",
               (double)c.most_texts);
    put_metric(&b, "kv_bytes", "gauge", "Memory of keys and values", (double)c.kv_bytes);
    put_histogram(&b, "first_token_seconds", "From the request to its first token", &c.first);
    put_histogram(&b, "between_tokens_seconds", "From a token to the next", &c.between);
    if (b.failed) {
        sz_buf_free(&b);
        sz_answer_error(x, 500, "server_error", NULL, NULL, "out of memory");
        return;
    }
    sz_reply_whole(x->reply, 200, "text/plain; version=0.0.4; charset=utf-8", &b);
}
