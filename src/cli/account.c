/* account.c: collecting the account of an answer, and printing it. */
#include "account.h"
#include "entropy_scale.h"
#include "machine.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define PROBE_NS 80000000u /* of reading memory, for the share of the roof */

static const char *const finish_names[] = {"end",  "stop",    "length",
                                           "rule", "context", "interrupted"};

void sz_account_token(sz_account *a, const sz_token *t) {
    if (a->keep_entropies && a->n_tokens == a->cap_entropies) {
        size_t cap = a->cap_entropies ? 2 * a->cap_entropies : 256;
        float *more = realloc(a->entropies, cap * sizeof *more);
        a->entropies = more ? more : a->entropies;
        uint8_t *writers = realloc(a->writers, cap * sizeof *writers);
        a->writers = writers ? writers : a->writers;
        a->keep_entropies = more && writers;
        a->cap_entropies = a->keep_entropies ? cap : a->cap_entropies;
    }
    if (a->keep_entropies) {
        a->entropies[a->n_tokens] = t->entropy;
        a->writers[a->n_tokens] = (uint8_t)t->model;
    }
    a->n_tokens++;
    a->entropy += (double)t->entropy;
    a->surprisal += (double)t->surprisal;
}

void sz_account_add(sz_account *total, const sz_account *a) {
    total->finish = a->finish;
    total->n_prompt += a->n_prompt;
    total->n_cached += a->n_cached;
    total->n_prefilled += a->n_prefilled;
    total->n_tokens += a->n_tokens;
    total->n_passes += a->n_passes;
    total->prompt_ns += a->prompt_ns;
    total->generation_ns += a->generation_ns;
    total->entropy += a->entropy;
    total->surprisal += a->surprisal;
    total->peak_bytes = a->peak_bytes;
    sz_energy_add(&total->energy, &a->energy);
    sz_account_routed_add(&total->routed, &a->routed);
}

void sz_account_free(sz_account *a) {
    free(a->entropies);
    free(a->writers);
    a->entropies = NULL;
    a->writers = NULL;
    a->cap_entropies = 0;
}

/* ---- Figures --------------------------------------------------------------------------------- */

static double rate(size_t n, uint64_t ns) {
    return n && ns ? (double)n / ((double)ns * 1e-9) : NAN;
}

static double mean(double sum, size_t n) {
    return n ? sum / (double)n : NAN;
}

/* "1.23 nats (1.77 bits)", or the one unit that was asked for. */
static void put_information(sz_buf *b, double nats, const sz_generation *o) {
    if (o->unit_given)
        sz_buf_printf(b, "%.3f %s", sz_unit_convert(nats, o->unit), sz_unit_name(o->unit));
    else
        sz_buf_printf(b, "%.3f nats (%.3f bits)", nats, sz_unit_convert(nats, SZ_BIT));
}

static void put_total(sz_buf *b, const sz_account *a, const sz_generation *o) {
    sz_unit unit = o->unit_given ? o->unit : SZ_BIT;
    sz_buf_printf(b, "%.1f %s", sz_unit_convert(a->surprisal, unit), sz_unit_name(unit));
}

static const char *plural(size_t n) {
    return n == 1 ? "" : "s";
}

static void put_rate(sz_buf *b, size_t n, uint64_t ns) {
    double r = rate(n, ns);
    if (isnan(r))
        sz_buf_puts(b, "-");
    else
        sz_buf_printf(b, "%.*f tokens/s", r < 100 ? 1 : 0, r);
}

typedef struct roof {
    double weight_bytes, reached, possible; /* per token; per second */
} roof;

/* reached is NaN where nothing was generated. */
static roof measure_roof(const sz_account *a, const sz_account_setting *s) {
    sz_workload w;
    sz_workload_of(s->engine->model, &w);
    roof r = {.weight_bytes = (double)(w.layer_bytes + w.head_bytes)};
    r.reached = r.weight_bytes * rate(a->n_passes, a->generation_ns);
    r.possible = sz_machine_read_bandwidth(s->engine->rt, s->engine->model, PROBE_NS);
    return r;
}

/* ---- Text ------------------------------------------------------------------------------------ */

/* Dimmed on a terminal: the account stands back behind the text. */
static void print(sz_buf *b, const sz_generation *o) {
    bool dim = sz_term_has_colour(stderr, o->colour);
    fflush(stdout);
    if (!b->failed)
        fprintf(stderr, "%s%s%s", dim ? "\033[2m" : "", b->data, dim ? "\033[0m" : "");
    sz_buf_free(b);
}

void sz_account_print_short(const sz_account *a, const sz_account_setting *s) {
    sz_buf b = {0};
    sz_buf_printf(&b, "%zu token%s, ", a->n_tokens, plural(a->n_tokens));
    put_rate(&b, a->n_passes, a->generation_ns);
    sz_buf_printf(&b, "; prompt %zu, ", a->n_prompt);
    put_rate(&b, a->n_prefilled, a->prompt_ns);
    sz_buf_printf(&b, "; context %u of %u; %s; seed %llu\n", sz_voice_length(s->voice),
                  sz_voice_context(s->voice),
                  a->finish == SZ_FINISH_RULE ? a->rule.rule : finish_names[a->finish],
                  (unsigned long long)s->seed);
    if (a->n_tokens) {
        sz_buf_puts(&b, "entropy ");
        put_information(&b, mean(a->entropy, a->n_tokens), s->options);
        sz_buf_puts(&b, ", surprisal ");
        put_information(&b, mean(a->surprisal, a->n_tokens), s->options);
        sz_buf_puts(&b, " per token; ");
        put_total(&b, a, s->options);
        sz_buf_puts(&b, " in all\n");
    }
    if (s->voice->router)
        sz_account_put_routed(&b, a, s);
    sz_energy_put(&b, "energy ", &a->energy, a->n_tokens, a->surprisal);
    print(&b, s->options);
}

void sz_account_print_legend(const sz_generation *o) {
    sz_depth depth = sz_term_depth(stderr, o->colour);
    sz_buf b = {0};
    if (depth == SZ_DEPTH_NONE)
        return;
    sz_entropy_legend(&b, depth, o->unit);
    fflush(stdout);
    if (!b.failed)
        fputs(b.data, stderr);
    sz_buf_free(&b);
}

static void put_bars(sz_buf *b, const sz_account *a) {
    int width = sz_term_width(stderr) - 14;
    if (!a->entropies || a->n_tokens == 0)
        return;
    sz_buf_puts(b, "             ");
    sz_entropy_bars(b, a->entropies, a->n_tokens,
                    width > 100  ? 100
                    : width > 10 ? (size_t)width
                                 : 10);
    sz_buf_putc(b, '\n');
}

static void put_speed(sz_buf *b, const sz_account *a) {
    sz_buf_printf(b, "prompt       %zu token%s", a->n_prompt, plural(a->n_prompt));
    if (a->n_cached)
        sz_buf_printf(b, " (%zu from the cache)", a->n_cached);
    sz_buf_printf(b, " in %.3f s, ", (double)a->prompt_ns * 1e-9);
    put_rate(b, a->n_prefilled, a->prompt_ns);
    sz_buf_printf(b, "\ngeneration   %zu token%s in %.3f s, ", a->n_tokens, plural(a->n_tokens),
                  (double)a->generation_ns * 1e-9);
    put_rate(b, a->n_passes, a->generation_ns);
    sz_buf_printf(b, ", ended by %s", finish_names[a->finish]);
    if (a->finish == SZ_FINISH_RULE)
        sz_buf_printf(b, " %s: %s %.4g, bound %.4g", a->rule.rule, a->rule.quantity, a->rule.figure,
                      a->rule.limit);
    sz_buf_putc(b, '\n');
}

static void put_means(sz_buf *b, const sz_account *a, const sz_generation *o) {
    if (a->n_tokens == 0)
        return;
    sz_buf_puts(b, "entropy      ");
    put_information(b, mean(a->entropy, a->n_tokens), o);
    sz_buf_puts(b, " per token\n");
    put_bars(b, a);
    sz_buf_puts(b, "surprisal    ");
    put_information(b, mean(a->surprisal, a->n_tokens), o);
    sz_buf_puts(b, " per token, ");
    put_total(b, a, o);
    sz_buf_puts(b, " in all\n");
}

static void put_memory(sz_buf *b, const sz_account *a, const sz_account_setting *s) {
    char peak[16], kv[16], weights[16], reached[16], possible[16];
    sz_format_bytes(a->peak_bytes, peak);
    sz_format_bytes(sz_voice_kv_bytes(s->voice), kv);
    sz_buf_printf(b, "memory       peak %s; keys and values %s, context %u of %u tokens\n", peak,
                  kv, sz_voice_length(s->voice), sz_voice_context(s->voice));
    if (a->n_passes == 0 || s->voice->router) /* two models share the memory's bandwidth */
        return;
    roof r = measure_roof(a, s);
    sz_format_bytes((uint64_t)r.weight_bytes, weights);
    sz_format_bytes((uint64_t)r.reached, reached);
    sz_format_bytes((uint64_t)r.possible, possible);
    sz_buf_printf(b,
                  "roof         %s of weights per token, %s/s read: %.0f %% of the machine's "
                  "%s/s\n",
                  weights, reached, r.possible > 0 ? 100 * r.reached / r.possible : 0, possible);
}

void sz_account_print_full(const sz_account *a, const sz_account_setting *s) {
    sz_buf b = {0};
    if (s->options->show_entropy)
        sz_account_print_legend(s->options);
    put_speed(&b, a);
    put_means(&b, a, s->options);
    if (s->voice->router) {
        sz_account_put_routed(&b, a, s);
        sz_account_put_trace(&b, a, s);
    }
    put_memory(&b, a, s);
    sz_energy_put(&b, "energy       ", &a->energy, a->n_tokens, a->surprisal);
    int threads = sz_runtime_threads(s->engine->rt);
    sz_buf_printf(&b, "setting      seed %llu; %s; %d thread%s, %s\n", (unsigned long long)s->seed,
                  s->chain, threads, plural((size_t)threads), sz_runtime_isa(s->engine->rt));
    print(&b, s->options);
}

/* ---- JSON ------------------------------------------------------------------------------------ */

static void put_number(sz_buf *b, const char *key, double v) {
    sz_buf_printf(b, ",\"%s\":", key);
    sz_json_number(b, v);
}

static void put_string(sz_buf *b, const char *key, const char *v) {
    sz_buf_printf(b, ",\"%s\":", key);
    sz_json_quote(b, v, strlen(v));
}

static void put_roof_json(sz_buf *b, const sz_account *a, const sz_account_setting *s) {
    roof r = measure_roof(a, s);
    put_number(b, "weight_bytes_per_token", r.weight_bytes);
    put_number(b, "read_bytes_per_s", r.reached);
    put_number(b, "machine_read_bytes_per_s", r.possible);
    put_number(b, "roof_share", r.possible > 0 ? r.reached / r.possible : NAN);
}

static void put_rule_json(sz_buf *b, const sz_stop_reason *r) {
    sz_buf_puts(b, ",\"rule\":{\"name\":");
    sz_json_quote(b, r->rule, strlen(r->rule));
    put_string(b, "quantity", r->quantity);
    put_number(b, "figure", r->figure);
    put_number(b, "limit", r->limit);
    sz_buf_putc(b, '}');
}

void sz_account_json(sz_buf *b, const sz_account *a, const sz_account_setting *s,
                     const char *text) {
    sz_model_info info;
    sz_model_get_info(s->engine->model, &info);
    sz_buf_printf(b, "{\"account\":{\"finish\":\"%s\"", finish_names[a->finish]);
    if (a->finish == SZ_FINISH_RULE)
        put_rule_json(b, &a->rule);
    if (a->n_ended_thoughts)
        put_number(b, "ended_thoughts", (double)a->n_ended_thoughts);
    put_number(b, "prompt_tokens", (double)a->n_prompt);
    put_number(b, "cached_tokens", (double)a->n_cached);
    put_number(b, "tokens", (double)a->n_tokens);
    put_number(b, "prompt_seconds", (double)a->prompt_ns * 1e-9);
    put_number(b, "generation_seconds", (double)a->generation_ns * 1e-9);
    put_number(b, "prompt_tokens_per_s", rate(a->n_prefilled, a->prompt_ns));
    put_number(b, "tokens_per_s", rate(a->n_passes, a->generation_ns));
    put_number(b, "mean_entropy_nats", mean(a->entropy, a->n_tokens));
    put_number(b, "mean_surprisal_nats", mean(a->surprisal, a->n_tokens));
    put_number(b, "total_surprisal_nats", a->surprisal);
    put_number(b, "total_bits", sz_unit_convert(a->surprisal, SZ_BIT));
    put_number(b, "peak_memory_bytes", (double)a->peak_bytes);
    put_number(b, "kv_bytes", (double)sz_voice_kv_bytes(s->voice));
    put_number(b, "context", sz_voice_context(s->voice));
    sz_energy_put_json(b, &a->energy, a->n_tokens, a->surprisal);
    if (s->voice->router)
        sz_account_routed_json(b, a, s);
    else if (s->options->account || s->options->show_entropy)
        put_roof_json(b, a, s);
    if (a->forgotten.prompt.length)
        sz_forgetting_json(b, &a->forgotten);
    put_string(b, "model", info.name);
    put_string(b, "sampler", s->chain);
    sz_buf_printf(b, ",\"seed\":%llu", (unsigned long long)s->seed);
    put_number(b, "threads", sz_runtime_threads(s->engine->rt));
    put_string(b, "isa", sz_runtime_isa(s->engine->rt));
    put_string(b, "text", text);
    sz_buf_puts(b, "}}\n");
}
