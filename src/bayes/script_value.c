/* script_value.c: what expressions of a program come to, and the distributions that it may name. */
#include "script.h"
#include <math.h>
#include <szilard/unstable/num.h>

static const double two_pi = 6.283185307179586476925286766559;

/* ---- Expressions -------------------------------------------------------------------------------
 */

static sz_status number(const sz_script *s, int32_t node, const sz_script_value *variables,
                        double *out) {
    sz_script_value v;
    SZ_TRY(sz_script_evaluate(s, node, variables, &v));
    SZ_REQUIRE(v.array == -1, SZ_E_ARG, "an array stands where a number belongs");
    *out = v.x;
    return SZ_OK;
}

static sz_status element(const sz_script *s, const sz_script_node *node,
                         const sz_script_value *variables, sz_script_value *out) {
    sz_script_value v;
    double at;
    SZ_TRY(sz_script_evaluate(s, node->a, variables, &v));
    SZ_REQUIRE(v.array >= 0, SZ_E_ARG, "only arrays have elements");
    SZ_TRY(number(s, node->b, variables, &at));
    const sz_script_array *a = &sz_script_arrays(s)[v.array];
    SZ_REQUIRE(at >= 0.0 && at < (double)a->n && at == (double)(size_t)at, SZ_E_ARG,
               "element %g of an array of %zu", at, a->n);
    *out = sz_script_cells(s)[a->first + (size_t)at];
    return SZ_OK;
}

static sz_status call(const sz_script *s, const sz_script_node *node,
                      const sz_script_value *variables, double *out) {
    double x, y = 0.0;
    sz_script_value v;
    if (node->index == SZ_FN_LEN) {
        SZ_TRY(sz_script_evaluate(s, node->a, variables, &v));
        SZ_REQUIRE(v.array >= 0, SZ_E_ARG, "only arrays have a length");
        *out = (double)sz_script_arrays(s)[v.array].n;
        return SZ_OK;
    }
    SZ_TRY(number(s, node->a, variables, &x));
    if (node->b >= 0)
        SZ_TRY(number(s, node->b, variables, &y));
    switch (node->index) {
    case SZ_FN_EXP:
        *out = sz_exp(x);
        break;
    case SZ_FN_LOG:
        *out = sz_log(x);
        break;
    case SZ_FN_SQRT:
        *out = sqrt(x);
        break;
    case SZ_FN_ABS:
        *out = x < 0.0 ? -x : x;
        break;
    case SZ_FN_FLOOR:
        *out = floor(x);
        break;
    case SZ_FN_MIN:
        *out = x < y ? x : y;
        break;
    default:
        *out = x > y ? x : y;
    }
    return SZ_OK;
}

static double combine(sz_script_op op, double x, double y) {
    switch (op) {
    case SZ_OP_ADD:
        return x + y;
    case SZ_OP_SUBTRACT:
        return x - y;
    case SZ_OP_MULTIPLY:
        return x * y;
    case SZ_OP_DIVIDE:
        return x / y;
    case SZ_OP_MODULO:
        return x - y * floor(x / y);
    case SZ_OP_LESS:
        return x < y;
    case SZ_OP_AT_MOST:
        return x <= y;
    case SZ_OP_EQUAL:
        return x == y;
    default:
        return x != y;
    }
}

static sz_status operate(const sz_script *s, const sz_script_node *node,
                         const sz_script_value *variables, double *out) {
    double x, y;
    SZ_TRY(number(s, node->a, variables, &x));
    if (node->op == SZ_OP_NEGATE || node->op == SZ_OP_NOT) {
        *out = node->op == SZ_OP_NOT ? x == 0.0 : -x;
        return SZ_OK;
    }
    bool decides = (node->op == SZ_OP_AND && x == 0.0) || (node->op == SZ_OP_OR && x != 0.0);
    if (decides) { /* the right side is not looked at */
        *out = x != 0.0;
        return SZ_OK;
    }
    SZ_TRY(number(s, node->b, variables, &y));
    *out = node->op == SZ_OP_AND || node->op == SZ_OP_OR ? y != 0.0 : combine(node->op, x, y);
    return SZ_OK;
}

sz_status sz_script_evaluate(const sz_script *s, int32_t node_index,
                             const sz_script_value *variables, sz_script_value *out) {
    const sz_script_node *node = &sz_script_nodes(s)[node_index];
    out->array = -1;
    switch (node->op) {
    case SZ_OP_NUMBER:
        out->x = node->x;
        return SZ_OK;
    case SZ_OP_ARRAY:
        *out = (sz_script_value){0.0, node->index};
        return SZ_OK;
    case SZ_OP_NAME:
        SZ_REQUIRE(variables, SZ_E_ARG, "'%s' is not a constant", s->name[node->index]);
        *out = variables[node->index];
        SZ_REQUIRE(out->array != -2, SZ_E_ARG, "'%s' is used before it is set",
                   s->name[node->index]);
        return SZ_OK;
    case SZ_OP_INDEX:
        return element(s, node, variables, out);
    case SZ_OP_CALL:
        return call(s, node, variables, &out->x);
    default:
        return operate(s, node, variables, &out->x);
    }
}

/* ---- Distributions -----------------------------------------------------------------------------
 */

static sz_status categories(const sz_script *s, int32_t node, const sz_script_value *variables,
                            sz_script_distribution *d) {
    sz_script_value v;
    double sum = 0.0;
    SZ_TRY(sz_script_evaluate(s, node, variables, &v));
    SZ_REQUIRE(v.array >= 0, SZ_E_ARG, "categorical takes an array of probabilities");
    const sz_script_array *a = &sz_script_arrays(s)[v.array];
    SZ_REQUIRE(a->n > 0 && a->n <= SZ_SCRIPT_CATEGORIES, SZ_E_LIMIT, "%zu categories: from 1 to %d",
               a->n, SZ_SCRIPT_CATEGORIES);
    for (size_t i = 0; i < a->n; i++) {
        sz_script_value p = sz_script_cells(s)[a->first + i];
        SZ_REQUIRE(p.array == -1 && p.x >= 0.0, SZ_E_ARG, "probability %zu is %g", i, p.x);
        d->p[i] = p.x;
        sum += p.x;
    }
    SZ_REQUIRE(sum > 1.0 - 1e-9 && sum < 1.0 + 1e-9, SZ_E_ARG, "probabilities sum to %g", sum);
    d->n = a->n;
    return SZ_OK;
}

static sz_status check_numbers(sz_script_distribution *d) {
    double a = d->a;
    switch (d->law) {
    case SZ_LAW_FLIP:
        SZ_REQUIRE(a >= 0.0 && a <= 1.0, SZ_E_ARG, "flip(%g): a probability is from 0 to 1", a);
        d->p[0] = 1.0 - a;
        d->p[1] = a;
        d->n = 2;
        return SZ_OK;
    case SZ_LAW_ROLL:
        SZ_REQUIRE(a >= 1.0 && a <= SZ_SCRIPT_CATEGORIES && a == floor(a), SZ_E_ARG,
                   "roll(%g): a whole number from 1 to %d", a, SZ_SCRIPT_CATEGORIES);
        d->n = (size_t)a;
        for (size_t i = 0; i < d->n; i++)
            d->p[i] = 1.0 / a;
        return SZ_OK;
    case SZ_LAW_UNIFORM:
        SZ_REQUIRE(a < d->b && d->b - a < INFINITY, SZ_E_ARG, "uniform(%g, %g) is empty", a, d->b);
        return SZ_OK;
    case SZ_LAW_NORMAL:
        SZ_REQUIRE(a - a == 0.0 && d->b > 0.0 && d->b < INFINITY, SZ_E_ARG,
                   "normal(%g, %g): the deviation is above 0", a, d->b);
        return SZ_OK;
    default:
        SZ_REQUIRE(a > 0.0 && a < INFINITY, SZ_E_ARG, "exponential(%g): the rate is above 0", a);
        return SZ_OK;
    }
}

sz_status sz_script_distribution_of(const sz_script *s, const sz_script_statement *t,
                                    const sz_script_value *variables, sz_script_distribution *d) {
    d->law = t->law;
    d->n = 0;
    if (t->law == SZ_LAW_CATEGORICAL)
        return categories(s, t->argument[0], variables, d);
    SZ_TRY(number(s, t->argument[0], variables, &d->a));
    if (t->argument[1] >= 0)
        SZ_TRY(number(s, t->argument[1], variables, &d->b));
    return check_numbers(d);
}

double sz_script_draw(const sz_script_distribution *d, const sz_effects *e) {
    if (d->n > 0)
        return (double)sz_program_choose(e, d->p, d->n);
    double u = e->uniform(e->self);
    if (d->law == SZ_LAW_UNIFORM)
        return d->a + u * (d->b - d->a);
    if (d->law == SZ_LAW_EXPONENTIAL)
        return -sz_log(1.0 - u) / d->a;
    double sine, cosine;
    sz_sincos(two_pi * e->uniform(e->self), &sine, &cosine);
    return d->a + d->b * sqrt(-2.0 * sz_log(1.0 - u)) * cosine;
}

double sz_script_log_density(const sz_script_distribution *d, double x) {
    if (d->n > 0) {
        bool inside = x >= 0.0 && x < (double)d->n && x == (double)(size_t)x;
        return inside && d->p[(size_t)x] > 0.0 ? sz_log(d->p[(size_t)x]) : -INFINITY;
    }
    if (d->law == SZ_LAW_UNIFORM)
        return x >= d->a && x < d->b ? -sz_log(d->b - d->a) : -INFINITY;
    if (d->law == SZ_LAW_EXPONENTIAL)
        return x >= 0.0 ? sz_log(d->a) - d->a * x : -INFINITY;
    double z = (x - d->a) / d->b;
    return -0.5 * (z * z + sz_log(two_pi)) - sz_log(d->b);
}
