/* request.c: what requests for text have in common, whatever their API: limits, stop strings, and
 * the object `szilard`. */
#include "api.h"

#include <string.h>
#include <sys/random.h>

sz_status sz_request_check_name(const sz_server *s, const char *name) {
    const sz_server_config *c = &s->config;
    const char *base = strrchr(c->model_path, '/');
    base = base ? base + 1 : c->model_path;
    size_t n = strlen(name);
    if (n > 7 && strcmp(name + n - 7, ":latest") == 0) /* as ollama's clients say */
        n -= 7;
    if (n == 0 || strcmp(name, base) == 0 || strcmp(name, c->model_path) == 0 ||
        (strncmp(name, c->model_name, n) == 0 && strlen(c->model_name) == n))
        return SZ_OK;
    return sz_fail(SZ_E_NOTFOUND, "The model '%.200s' does not exist here; this server has '%s'",
                   name, c->model_name);
}

sz_status sz_request_check_model(sz_exchange *x, sz_reader *r) {
    const char *name = "";
    SZ_TRY(sz_read_text(r, "model", &name));
    sz_status status = sz_request_check_name(x->server, name);
    r->at_fault = status == SZ_OK ? r->at_fault : "model";
    return status;
}

/* ---- Stop strings ------------------------------------------------------------------------------
 */

static sz_status add_stop(sz_reader *r, const char *key, const sz_json *v, sz_ask *ask) {
    if (!sz_json_is_text(v))
        return sz_read_fail(r, key, "is neither a text nor an array of texts");
    if (v->n == 0)
        return sz_read_fail(r, key, "has an empty text");
    if (ask->n_stops == SZ_ANSWER_STOPS)
        return sz_read_fail(r, key, "has more than %d texts", SZ_ANSWER_STOPS);
    char *copy = sz_strdup(v->u.s);
    SZ_REQUIRE(copy, SZ_E_NOMEM, "no memory for a stop string");
    ask->stops[ask->n_stops++] = copy;
    return SZ_OK;
}

sz_status sz_request_read_stops(sz_reader *r, const char *key, sz_ask *ask) {
    const sz_json *v = sz_read_member(r, key);
    if (!v || v->type != SZ_JSON_ARRAY)
        return v ? add_stop(r, key, v, ask) : SZ_OK;
    for (const sz_json *c = v->u.child; c; c = c->next)
        SZ_TRY(add_stop(r, key, c, ask));
    return SZ_OK;
}

/* ---- Limits ------------------------------------------------------------------------------------
 */

static uint64_t new_seed(void) {
    uint32_t seed;
    if (getrandom(&seed, sizeof seed, 0) != (ssize_t)sizeof seed)
        seed = (uint32_t)sz_time_ns();
    return seed;
}

static sz_status read_seed(sz_reader *r, sz_ask *ask) {
    int64_t seed = -1;
    SZ_TRY(sz_read_int(r, "seed", INT64_MIN, INT64_MAX, &seed));
    ask->seed = seed == -1 ? new_seed() : (uint64_t)seed;
    return SZ_OK;
}

/* The names under which APIs bound an answer; -1: as far as the context goes. */
static sz_status read_max_tokens(sz_exchange *x, sz_reader *r, sz_ask *ask) {
    static const char *const names[] = {"n_predict", "max_tokens", "max_completion_tokens",
                                        "max_output_tokens"};
    int64_t most = ask->max_tokens ? ask->max_tokens : x->server->config.max_tokens;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        SZ_TRY(sz_read_int(r, names[i], -1, INT32_MAX, &most));
    ask->max_tokens = most < 0 ? INT32_MAX : (uint32_t)most;
    return SZ_OK;
}

/* Places at which the likeliest tokens are told, times their number, in a reply that is no stream.
 */
enum { MOST_ALTERNATIVES = 1 << 20 };

sz_status sz_request_bound_tokens(const sz_exchange *x, sz_job *j) {
    size_t context = sz_batcher_context(x->server->batcher), least = context;
    for (size_t i = 0; i < j->n_parts; i++)
        least = j->parts[i].n_ids < least ? j->parts[i].n_ids : least;
    size_t room = context > least ? context - least : 1; /* a prompt that fills it is refused */
    if (j->ask.max_tokens > room)
        j->ask.max_tokens = (uint32_t)room;
    uint64_t places = (uint64_t)j->ask.max_tokens * j->n_parts * j->ask.n_choices;
    places += j->ask.score_prompt ? sz_job_n_prompt(j) * j->ask.n_choices : 0;
    SZ_REQUIRE(
        j->form.stream || places * j->ask.n_top <= MOST_ALTERNATIVES, SZ_E_LIMIT,
        "%llu places with %u alternatives each are too many for one reply: ask for a stream, "
        "or for less",
        (unsigned long long)places, j->ask.n_top);
    return SZ_OK;
}

sz_status sz_request_read_stream_options(sz_reader *r, sz_job *j) {
    const sz_json *options = NULL;
    SZ_TRY(sz_read_object(r, "stream_options", &options));
    if (!options)
        return SZ_OK;
    sz_reader own = {.object = options};
    return sz_read_bool(&own, "include_usage", &j->form.include_usage);
}

/* ---- The object `szilard` ----------------------------------------------------------------------
 */

static sz_status read_extension(sz_reader *r, sz_job *j) {
    const sz_json *v = sz_json_get(r->object, "szilard");
    int64_t n = 0;
    j->form.account = j->form.token_figures = true;
    if (!v || v->type == SZ_JSON_NULL || v->type == SZ_JSON_TRUE)
        return SZ_OK;
    if (v->type == SZ_JSON_FALSE) {
        j->form.account = j->form.token_figures = false;
        return SZ_OK;
    }
    if (v->type != SZ_JSON_OBJECT)
        return sz_read_fail(r, "szilard", "is neither true, false nor an object");
    sz_reader own = {.object = v};
    sz_status status = sz_read_bool(&own, "tokens", &j->form.token_figures);
    if (status == SZ_OK)
        status = sz_read_int(&own, "alternatives", 0, SZ_ANSWER_TOP, &n);
    j->form.n_alternatives = (uint32_t)n;
    if (n > j->ask.n_top)
        j->ask.n_top = (uint32_t)n;
    r->at_fault = status == SZ_OK ? r->at_fault : "szilard";
    return status == SZ_OK ? SZ_OK : sz_fail_within(status, "'szilard'");
}

sz_status sz_request_read(sz_exchange *x, sz_reader *r, sz_job *j) {
    int64_t n = 1;
    SZ_TRY(sz_request_check_model(x, r));
    SZ_TRY(sz_read_int(r, "n", 1, 128, &n));
    j->ask.n_choices = (uint32_t)n;
    SZ_TRY(sz_read_bool(r, "stream", &j->form.stream));
    SZ_TRY(sz_read_bool(r, "ignore_eos", &j->ask.ignore_end));
    SZ_TRY(sz_request_read_stops(r, "stop", &j->ask));
    SZ_TRY(read_seed(r, &j->ask));
    SZ_TRY(read_max_tokens(x, r, &j->ask));
    return read_extension(r, j);
}
