/* kt_anneal.c: scripts changed one line at a time: numbers, functions, what a line takes, lines put
 * in, taken out and joined. A change that makes the code longer by d bits is accepted with
 * probability exp(-d / T), as T falls from 8 to 0.5 bits. */
#include <math.h>
#include <string.h>

#include "code/kt_anneal.h"

typedef struct walker {
    const sz_kt_annealing *a;
    sz_kt_machine m;
    uint64_t stream, drawn;
    sz_kt_lines now, next;
    double bits;
} walker;

static double uniform(walker *w) {
    return sz_uniform(w->a->seed, w->stream, w->drawn++);
}
static unsigned below(walker *w, unsigned n) {
    return (unsigned)(uniform(w) * n);
}

double sz_kt_script_cost(const sz_kt_lines *l, sz_kt_machine *m, const uint8_t *x, size_t n) {
    sz_kt_list made;
    if (l->n == 0 || sz_kt_lines_run(l, m, &made) != SZ_OK)
        return INFINITY;
    return sz_kt_lines_bits(l) + sz_kt_patch_bits(&made, x, n);
}

/* ---- Changes: each makes w->next from w->now; false: not here -------------------------------- */

static const char *takes_of(const sz_kt_line *line) {
    return sz_kt_function_at(line->function)->takes;
}

static bool change_number(walker *w, sz_kt_line *line) {
    unsigned at[3], least[3], most[3], n = 0, number = 0;
    for (const char *c = takes_of(line); *c; c++)
        if (*c == 'V' || *c == 'T' || *c == 'E') {
            at[n] = number++;
            sz_kt_number_domain(*c, &least[n], &most[n]);
            n++;
        }
    if (n == 0)
        return false;
    unsigned k = below(w, n), span = most[k] - least[k] + 1;
    int step = (int)below(w, 8) - 4, value = line->number[at[k]];
    value = below(w, 4) == 0 ? (int)(least[k] + below(w, span)) : value + step + (step >= 0);
    if (value < (int)least[k] || value > (int)most[k])
        return false;
    line->number[at[k]] = (uint8_t)value;
    return true;
}

/* Another function that takes the same. */
static bool change_function(walker *w, sz_kt_line *line) {
    size_t f = below(w, SZ_KT_N_FUNCTIONS);
    if (f == line->function || strcmp(sz_kt_function_at(f)->takes, takes_of(line)) != 0)
        return false;
    line->function = (uint8_t)f;
    return true;
}

static bool change_reference(walker *w, sz_kt_line *line, unsigned i) {
    unsigned n = 0;
    for (const char *c = takes_of(line); *c; c++)
        n += *c == 'S';
    if (n == 0 || i == 0)
        return false;
    if (n == 2 && below(w, 2)) {
        uint8_t first = line->from[0];
        line->from[0] = line->from[1];
        line->from[1] = first;
    } else {
        line->from[below(w, n)] = (uint8_t)below(w, i);
    }
    return true;
}

static bool change_list(walker *w, sz_kt_line *line) {
    if (line->n_list < 2)
        return false;
    unsigned cut = 1 + below(w, line->n_list < 5 ? line->n_list - 1u : 4);
    if (below(w, 2))
        memmove(line->list, line->list + cut, line->n_list - cut);
    line->n_list = (uint16_t)(line->n_list - cut);
    return true;
}

static void draw_numbers(walker *w, sz_kt_line *line) {
    size_t number = 0;
    for (const char *c = takes_of(line); *c; c++)
        if (*c == 'V' || *c == 'T' || *c == 'E') {
            unsigned least, most;
            sz_kt_number_domain(*c, &least, &most);
            line->number[number++] = (uint8_t)(least + below(w, most - least + 1));
        }
    line->predicate = (uint8_t)below(w, 3);
}

/* A line of any function behind line i; those behind it that took line i take it. */
static bool insert(walker *w, unsigned i) {
    sz_kt_lines *l = &w->next;
    sz_kt_line line = {.function = (uint8_t)below(w, SZ_KT_N_FUNCTIONS)};
    if (l->n == SZ_KT_MOST_CODED)
        return false;
    bool takes_one = false;
    for (const char *c = takes_of(&line); *c; c++)
        takes_one |= *c == 'S';
    if (!takes_one)
        return false;
    draw_numbers(w, &line);
    line.from[0] = (uint8_t)i;
    line.from[1] = (uint8_t)below(w, i + 1);
    memmove(&l->line[i + 2], &l->line[i + 1], (l->n - i - 1) * sizeof *l->line);
    l->line[i + 1] = line;
    l->n++;
    for (unsigned k = i + 2; k < l->n; k++)
        for (int j = 0; j < 2; j++)
            l->line[k].from[j] = (uint8_t)(l->line[k].from[j] + (l->line[k].from[j] >= i));
    return true;
}

/* Whoever takes line i takes what it takes. */
static bool bypass(walker *w, unsigned i) {
    sz_kt_lines *l = &w->next;
    const char *takes = takes_of(&l->line[i]), *first = strchr(takes, 'S');
    if (!first)
        return false;
    bool two = strchr(first + 1, 'S') != NULL;
    uint8_t instead = l->line[i].from[two ? below(w, 2) : 0];
    for (unsigned k = i + 1; k < l->n; k++)
        for (int j = 0; j < 2; j++)
            if (l->line[k].from[j] == i)
                l->line[k].from[j] = instead;
    if (i + 1 == l->n) {
        sz_kt_lines_prune(l, instead);
        return true;
    }
    return true;
}

static bool change(walker *w) {
    sz_kt_lines *l = &w->next;
    memcpy(l->line, w->now.line, w->now.n * sizeof *l->line);
    l->n = w->now.n;
    unsigned i = below(w, l->n);
    bool changed = false;
    switch (below(w, 8)) {
    case 0:
    case 1:
        changed = change_number(w, &l->line[i]);
        break;
    case 2:
        changed = change_function(w, &l->line[i]);
        break;
    case 3:
        changed = change_reference(w, &l->line[i], i);
        break;
    case 4:
        changed = change_list(w, &l->line[i]);
        break;
    case 5:
    case 6:
        changed = insert(w, i);
        break;
    default:
        changed = bypass(w, i);
    }
    if (changed)
        sz_kt_lines_prune(l, l->n - 1);
    return changed;
}

/* ---- Walks ----------------------------------------------------------------------------------- */

static void walk(walker *w, sz_kt_lines *best, double *bits) {
    double temperature = 8, cooling = sz_exp(sz_log(0.5 / 8) / w->a->steps);
    for (uint32_t step = 0; step < w->a->steps; step++, temperature *= cooling) {
        if (!change(w))
            continue;
        double cost = sz_kt_script_cost(&w->next, &w->m, w->a->x, w->a->n), worse = cost - w->bits;
        if (!(worse <= 0 ||
              (worse < 40 * temperature && uniform(w) < sz_exp(-worse / temperature))))
            continue;
        memcpy(w->now.line, w->next.line, w->next.n * sizeof *w->next.line);
        w->now.n = w->next.n;
        w->bits = cost;
        if (cost < *bits) {
            *bits = cost;
            *best = w->now;
        }
    }
}

sz_status sz_kt_anneal(const sz_kt_annealing *a, sz_kt_lines *best, double *bits) {
    walker *w = sz_calloc(1, sizeof *w);
    SZ_REQUIRE(w, SZ_E_NOMEM, "no memory to search scripts");
    w->a = a;
    sz_status status = sz_kt_machine_open(&w->m);
    if (status == SZ_OK) {
        *bits = sz_kt_script_cost(best, &w->m, a->x, a->n);
        for (w->stream = 0; w->stream < a->restarts && best->n > 0; w->stream++) {
            w->drawn = 0;
            w->now = *best;
            w->bits = *bits;
            walk(w, best, bits);
        }
        sz_kt_machine_close(&w->m);
    }
    sz_free(w);
    return status;
}
