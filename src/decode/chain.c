/* chain.c: the sampler chain: its grammar, and applying it in order. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <szilard/unstable/sampler.h>

extern const sz_sampler_kind sz_sampler_greedy, sz_sampler_min_p, sz_sampler_penalties,
    sz_sampler_temperature, sz_sampler_top_k, sz_sampler_top_p;

static const sz_sampler_kind *const kinds[] = {
    &sz_sampler_penalties, &sz_sampler_top_k,       &sz_sampler_top_p, &sz_sampler_min_p,
    &sz_sampler_greedy,    &sz_sampler_temperature, NULL,
};

enum { MAX_STAGES = 32, MAX_OPTIONS = 16 };

typedef struct stage {
    const sz_sampler_kind *kind;
    void *state;
} stage;

struct sz_chain {
    size_t n;
    stage stages[MAX_STAGES];
};

const sz_sampler_kind *const *sz_sampler_kinds(void) { return kinds; }

/* ---- Grammar: stage ("," stage)*; stage = name (value | option "=" value)* ---------------------- */

typedef struct word {
    const char *s;
    size_t n;
} word;

static word next_word(const char **p) {
    while (**p == ' ' || **p == '\t')
        ++*p;
    word w = {*p, strcspn(*p, " \t,")};
    *p += w.n;
    return w;
}

static const sz_sampler_kind *find_kind(word w) {
    for (size_t i = 0; kinds[i]; i++)
        if (strlen(kinds[i]->name) == w.n && memcmp(kinds[i]->name, w.s, w.n) == 0)
            return kinds[i];
    return NULL;
}

static sz_status unknown_kind(word w) {
    char names[256] = "";
    for (size_t i = 0; kinds[i]; i++) {
        size_t used = strlen(names);
        snprintf(names + used, sizeof names - used, "%s%s", i ? ", " : "", kinds[i]->name);
    }
    return sz_fail(SZ_E_ARG, "unknown sampler '%.*s'; choose from: %s", (int)w.n, w.s, names);
}

/* Decimal numbers only, so that the locale does not matter. */
static bool read_number(word w, double *out) {
    if (w.n == 0 || w.n > 64)
        return false;
    double value = 0.0, place = 1.0;
    bool fraction = false, negative = w.s[0] == '-', digits = false;
    for (size_t i = negative; i < w.n; i++) {
        if (w.s[i] == '.' && !fraction) {
            fraction = true;
        } else if (w.s[i] >= '0' && w.s[i] <= '9') {
            value = value * 10.0 + (w.s[i] - '0');
            place *= fraction ? 10.0 : 1.0;
            digits = true;
        } else {
            return false;
        }
    }
    *out = (negative ? -value : value) / place;
    return digits;
}

static sz_status read_option(const sz_sampler_kind *kind, word w, double *values) {
    const char *equals = memchr(w.s, '=', w.n);
    size_t n_name = equals ? (size_t)(equals - w.s) : 0, i = 0;
    const sz_option *options = kind->options;
    for (; equals && options && options[i].name; i++)
        if (strlen(options[i].name) == n_name && memcmp(options[i].name, w.s, n_name) == 0)
            break;
    SZ_REQUIRE(options && options[i].name, SZ_E_ARG, "sampler %s has no option '%.*s'", kind->name,
               (int)(equals ? n_name : w.n), w.s);
    word number = equals ? (word){equals + 1, w.n - n_name - 1} : w;
    SZ_REQUIRE(read_number(number, &values[i]), SZ_E_ARG,
               "sampler %s: '%.*s' is not a number for %s", kind->name, (int)number.n, number.s,
               options[i].name);
    SZ_REQUIRE(values[i] >= options[i].min && values[i] <= options[i].max, SZ_E_ARG,
               "sampler %s: %s = %g is not in %g .. %g", kind->name, options[i].name, values[i],
               options[i].min, options[i].max);
    return SZ_OK;
}

static sz_status read_stage(const char **p, sz_chain *chain) {
    word name = next_word(p);
    const sz_sampler_kind *kind = find_kind(name);
    if (!kind)
        return unknown_kind(name);
    SZ_REQUIRE(chain->n < MAX_STAGES, SZ_E_ARG, "more than %d samplers in a chain", MAX_STAGES);
    double values[MAX_OPTIONS] = {0};
    for (size_t i = 0; kind->options && kind->options[i].name; i++)
        values[i] = kind->options[i].value;
    for (word w = next_word(p); w.n; w = next_word(p))
        SZ_TRY(read_option(kind, w, values));
    size_t bytes = kind->state_bytes ? kind->state_bytes : sizeof values;
    void *state = sz_calloc(1, bytes);
    SZ_REQUIRE(state, SZ_E_NOMEM, "no memory for a sampler");
    chain->stages[chain->n++] = (stage){kind, state};
    if (kind->begin)
        return kind->begin(state, values);
    memcpy(state, values, bytes);
    return SZ_OK;
}

sz_status sz_chain_parse(const char *text, sz_chain **out) {
    sz_chain *chain = sz_calloc(1, sizeof *chain);
    SZ_REQUIRE(chain, SZ_E_NOMEM, "no memory for a sampler chain");
    const char *p = text;
    sz_status status = SZ_OK;
    while (status == SZ_OK && *p) {
        status = read_stage(&p, chain);
        if (status == SZ_OK && *p == ',')
            p++;
    }
    if (status != SZ_OK) {
        sz_chain_free(chain);
        return status;
    }
    *out = chain;
    return SZ_OK;
}

/* ---- Use ---------------------------------------------------------------------------------------- */

sz_status sz_chain_clone(const sz_chain *chain, sz_chain **out) {
    sz_chain *copy = sz_calloc(1, sizeof *copy);
    SZ_REQUIRE(copy, SZ_E_NOMEM, "no memory for a sampler chain");
    for (size_t i = 0; i < chain->n; i++) {
        const sz_sampler_kind *kind = chain->stages[i].kind;
        size_t bytes = kind->state_bytes ? kind->state_bytes : MAX_OPTIONS * sizeof(double);
        void *state = sz_alloc(bytes);
        if (!state) {
            sz_chain_free(copy);
            return sz_fail(SZ_E_NOMEM, "no memory for a sampler");
        }
        memcpy(state, chain->stages[i].state, bytes);
        copy->stages[copy->n++] = (stage){kind, state};
    }
    *out = copy;
    return SZ_OK;
}

void sz_chain_free(sz_chain *chain) {
    if (!chain)
        return;
    for (size_t i = 0; i < chain->n; i++)
        sz_free(chain->stages[i].state);
    sz_free(chain);
}

sz_status sz_chain_apply(sz_chain *chain, const sz_sampler_input *input, sz_candidates *c) {
    for (size_t i = 0; i < chain->n; i++)
        SZ_TRY(chain->stages[i].kind->apply(chain->stages[i].state, input, c));
    return SZ_OK;
}

void sz_chain_accept(sz_chain *chain, const sz_token *drawn) {
    for (size_t i = 0; i < chain->n; i++)
        if (chain->stages[i].kind->accept)
            chain->stages[i].kind->accept(chain->stages[i].state, drawn);
}
