/* choice.c: `run --choices`: reading the list, scoring it, printing the figures. */
#include "choice.h"
#include "answer.h"
#include "record.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <szilard/unstable/choices.h>
#include <szilard/unstable/num.h>

enum { MOST_CHOICES = 4096, FORKS = 64 };

typedef struct choosing {
    char **texts; /* [n] */
    int32_t **ids;
    sz_choice *choices;
    size_t n;
    double mass;
} choosing;

/* ---- The list -------------------------------------------------------------------------------- */

/* Takes the text up to the next comma and moves behind that; NULL if there is no memory. */
static char *next_text(const char **list) {
    static const char from[] = "ntr\\,", to[] = "\n\t\r\\,";
    const char *p = *list;
    char *text = malloc(strlen(p) + 1), *out = text;
    for (; text && *p && *p != ','; p++) {
        const char *code = p[0] == '\\' && p[1] ? strchr(from, p[1]) : NULL;
        *out++ = code ? to[code - from] : *p;
        p += code != NULL;
    }
    if (text)
        *out = '\0';
    *list = *p ? p + 1 : NULL;
    return text;
}

static sz_status read_list(const char *list, choosing *c) {
    size_t most = 1;
    for (const char *p = list; *p; p++)
        most += *p == ',';
    SZ_REQUIRE(most <= MOST_CHOICES, SZ_E_ARG, "--choices: more than %d texts", MOST_CHOICES);
    c->texts = calloc(most, sizeof *c->texts);
    c->ids = calloc(most, sizeof *c->ids);
    c->choices = calloc(most, sizeof *c->choices);
    SZ_REQUIRE(c->texts && c->ids && c->choices, SZ_E_NOMEM, "out of memory for %zu choices", most);
    while (list) {
        char *text = c->texts[c->n] = next_text(&list);
        SZ_REQUIRE(text, SZ_E_NOMEM, "out of memory for the choices");
        c->n++;
        SZ_REQUIRE(*text, SZ_E_ARG, "--choices: text %zu is empty", c->n);
        for (size_t i = 0; i + 1 < c->n; i++)
            SZ_REQUIRE(strcmp(c->texts[i], text) != 0, SZ_E_ARG, "--choices: '%s' stands twice",
                       text);
    }
    return SZ_OK;
}

static sz_status encode(const sz_tokenizer *t, choosing *c) {
    for (size_t i = 0; i < c->n; i++) {
        sz_choice *choice = &c->choices[i];
        SZ_TRY(sz_tokenizer_encode(t, c->texts[i], strlen(c->texts[i]), 0, &c->ids[i], &choice->n));
        choice->ids = c->ids[i];
        SZ_REQUIRE(choice->n > 0, SZ_E_ARG, "--choices: '%s' has no tokens", c->texts[i]);
    }
    return SZ_OK;
}

static void release(choosing *c) {
    for (size_t i = 0; i < c->n; i++) {
        free(c->texts[i]);
        sz_free(c->ids[i]);
    }
    free(c->texts);
    free(c->ids);
    free(c->choices);
}

/* ---- Scoring --------------------------------------------------------------------------------- */

static sz_status score(sz_talk *t, choosing *c, const sz_buf *prompt) {
    SZ_TRY(encode(sz_model_tokenizer(t->engine.model), c));
    SZ_TRY(sz_talk_prompt(t, prompt));
    return sz_session_score_choices(t->voice.session, 0, c->choices, c->n, &c->mass);
}

static bool begins(const sz_choice *a, const sz_choice *b) {
    return a->n < b->n && memcmp(a->ids, b->ids, a->n * sizeof *a->ids) == 0;
}

static void note_overlap(const choosing *c) {
    for (size_t i = 0; i < c->n; i++)
        for (size_t j = 0; j < c->n; j++)
            if (begins(&c->choices[i], &c->choices[j])) {
                sz_cli_note("'%s' is the beginning of '%s': its probability holds that of the "
                            "other",
                            c->texts[i], c->texts[j]);
                return;
            }
}

/* ---- Printing -------------------------------------------------------------------------------- */

static double entropy(const choosing *c) {
    double h = 0;
    for (size_t i = 0; i < c->n; i++)
        h -= c->choices[i].share > 0 ? c->choices[i].share * sz_log(c->choices[i].share) : 0;
    return h > 0 ? h : 0;
}

static int by_share(const void *a, const void *b, void *choices) {
    const sz_choice *c = choices;
    size_t i = *(const size_t *)a, j = *(const size_t *)b;
    if (c[i].log_probability != c[j].log_probability)
        return c[i].log_probability > c[j].log_probability ? -1 : 1;
    return (i > j) - (i < j);
}

/* The likeliest first, with its share and the model's own surprisal. */
static void put_text(sz_buf *b, const choosing *c, sz_unit unit) {
    size_t *order = malloc(c->n * sizeof *order);
    for (size_t i = 0; order && i < c->n; i++)
        order[i] = i;
    if (order)
        qsort_r(order, c->n, sizeof *order, by_share, c->choices);
    for (size_t k = 0; k < c->n; k++) {
        size_t i = order ? order[k] : k;
        const sz_choice *choice = &c->choices[i];
        sz_buf_printf(b, "%.6f  %10.4f %s  ", choice->share,
                      -sz_unit_convert(choice->log_probability, unit), sz_unit_name(unit));
        for (const char *p = c->texts[i]; *p; p++) /* one line each */
            *p == '\n' ? sz_buf_puts(b, "\\n") : sz_buf_putc(b, *p);
        sz_buf_putc(b, '\n');
    }
    free(order);
}

static void put_number(sz_buf *b, const char *key, double v) {
    sz_buf_printf(b, ",\"%s\":", key);
    sz_json_number(b, v);
}

static void put_json(sz_buf *b, const choosing *c) {
    size_t best = 0;
    sz_buf_puts(b, "{\"choices\":[");
    for (size_t i = 0; i < c->n; i++) {
        const sz_choice *choice = &c->choices[i];
        best = choice->log_probability > c->choices[best].log_probability ? i : best;
        sz_buf_puts(b, i ? ",{\"text\":" : "{\"text\":");
        sz_json_quote(b, c->texts[i], strlen(c->texts[i]));
        sz_buf_puts(b, ",\"ids\":[");
        for (size_t k = 0; k < choice->n; k++)
            sz_buf_printf(b, "%s%d", k ? "," : "", choice->ids[k]);
        sz_buf_putc(b, ']');
        put_number(b, "share", choice->share);
        put_number(b, "probability", sz_exp(choice->log_probability));
        put_number(b, "surprisal_nats", -choice->log_probability);
        put_number(b, "end_surprisal_nats", -choice->log_end);
        sz_buf_putc(b, '}');
    }
    sz_buf_puts(b, "],\"best\":");
    sz_json_quote(b, c->texts[best], strlen(c->texts[best]));
    put_number(b, "mass", c->mass);
    put_number(b, "entropy_nats", entropy(c));
    sz_buf_puts(b, "}\n");
}

static int print(const sz_generation *o, const choosing *c) {
    sz_buf b = {0};
    if (o->json)
        put_json(&b, c);
    else
        put_text(&b, c, o->unit);
    int exit_status = sz_cli_print(&b);
    if (!o->quiet)
        note_overlap(c);
    if (!o->quiet && !o->json)
        fprintf(stderr,
                "entropy %.4f %s among the choices; the model gives them %.6g of its "
                "probability\n",
                sz_unit_convert(entropy(c), o->unit), sz_unit_name(o->unit), c->mass);
    return exit_status;
}

int sz_choose(sz_generation *o, const char *list, const sz_buf *prompt) {
    sz_talk t = {0};
    choosing c = {0};
    sz_status status = read_list(list, &c);
    o->n_sequences = 1 + (c.n < FORKS ? (uint32_t)c.n : FORKS);
    if (status == SZ_OK)
        status = sz_talk_open(o, false, &t);
    if (status == SZ_OK)
        status = score(&t, &c, prompt);
    int exit_status = status == SZ_OK ? print(o, &c) : sz_cli_error();
    release(&c);
    sz_talk_close(&t);
    return exit_status;
}
