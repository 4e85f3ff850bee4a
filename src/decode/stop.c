/* stop.c: the rules of a text's end: reading them, and asking each of them about a token. */
#include <szilard/unstable/stop.h>

#include <stdio.h>
#include <string.h>

extern const sz_stop_kind sz_stop_budget, sz_stop_confidence, sz_stop_entropy, sz_stop_repetition,
    sz_stop_thinking;

/* A new rule is a file and a line here. */
static const sz_stop_kind *const kinds[] = {
    &sz_stop_entropy, &sz_stop_confidence, &sz_stop_repetition,
    &sz_stop_budget,  &sz_stop_thinking,   NULL,
};

enum { MOST_RULES = 16 };

struct sz_stops {
    size_t n;
    struct {
        const sz_stop_kind *kind;
        double values[SZ_OPTIONS_MAX], memory[SZ_STOP_MEMORY];
    } rules[MOST_RULES];
};

const sz_stop_kind *const *sz_stop_kinds(void) {
    return kinds;
}

static sz_status unknown(const sz_setting *s) {
    char names[256] = "";
    for (size_t i = 0; kinds[i]; i++) {
        size_t used = strlen(names);
        snprintf(names + used, sizeof names - used, "%s%s", i ? ", " : "", kinds[i]->name);
    }
    return sz_fail(SZ_E_ARG, "unknown stop rule '%.*s'; choose from: %s", (int)s->n_name, s->name,
                   names);
}

static sz_status add(sz_stops *stops, const sz_setting *s) {
    char what[64];
    size_t i = 0;
    while (kinds[i] && !sz_setting_is(s, kinds[i]->name))
        i++;
    if (!kinds[i])
        return unknown(s);
    SZ_REQUIRE(stops->n < MOST_RULES, SZ_E_ARG, "more than %d stop rules", MOST_RULES);
    snprintf(what, sizeof what, "stop rule %s", kinds[i]->name);
    SZ_TRY(sz_setting_values(s, what, kinds[i]->options, stops->rules[stops->n].values));
    stops->rules[stops->n++].kind = kinds[i];
    return SZ_OK;
}

sz_status sz_stops_parse(const char *text, sz_stops **out) {
    sz_stops *stops = sz_calloc(1, sizeof *stops);
    SZ_REQUIRE(stops, SZ_E_NOMEM, "no memory for stop rules");
    sz_setting setting;
    sz_status status;
    while ((status = sz_setting_read(&text, &setting)) == SZ_OK)
        if ((status = add(stops, &setting)) != SZ_OK)
            break;
    if (status != SZ_END) {
        sz_free(stops);
        return status;
    }
    *out = stops;
    return SZ_OK;
}

void sz_stops_free(sz_stops *s) {
    sz_free(s);
}

void sz_stops_reset(sz_stops *s) {
    for (size_t i = 0; i < s->n; i++)
        memset(s->rules[i].memory, 0, sizeof s->rules[i].memory);
}

/* Every rule sees every token, also behind one that has spoken. */
sz_stop_verdict sz_stops_look(sz_stops *s, const sz_stop_input *in, sz_stop_reason *reason) {
    sz_stop_verdict verdict = SZ_STOP_GO;
    for (size_t i = 0; i < s->n; i++) {
        sz_stop_reason mine = {.rule = s->rules[i].kind->name, .quantity = ""};
        sz_stop_verdict v =
            s->rules[i].kind->look(s->rules[i].values, s->rules[i].memory, in, &mine);
        if (v == SZ_STOP_GO || verdict != SZ_STOP_GO)
            continue;
        verdict = v;
        *reason = mine;
    }
    return verdict;
}

bool sz_stop_window_mean(const sz_stop_input *in, size_t window,
                         double (*figure)(const sz_token *t), double *mean) {
    double sum = 0;
    size_t n = 0;
    for (size_t i = in->n; i > 0 && n < window; i--) {
        if (!(in->text[i - 1].flags & SZ_TOKEN_GENERATED))
            continue;
        sum += figure(&in->text[i - 1]);
        n++;
    }
    *mean = sum / (double)window;
    return n == window;
}
