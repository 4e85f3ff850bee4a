/* reader.c: see reader.h. */
#include "reader.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const sz_json *sz_read_member(const sz_reader *r, const char *key) {
    const sz_json *v = sz_json_get(r->object, key);
    return v && v->type != SZ_JSON_NULL ? v : NULL;
}

sz_status sz_read_fail(sz_reader *r, const char *key, const char *format, ...) {
    char text[512];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    r->at_fault = key;
    return sz_fail(SZ_E_ARG, "'%s' %s", key, text);
}

sz_status sz_read_real(sz_reader *r, const char *key, double min, double max, double *out) {
    const sz_json *v = sz_read_member(r, key);
    if (!v)
        return SZ_OK;
    if (v->type != SZ_JSON_INT && v->type != SZ_JSON_FLOAT)
        return sz_read_fail(r, key, "is not a number");
    double x = v->type == SZ_JSON_INT ? (double)v->u.i : v->u.f;
    if (!(x >= min && x <= max))
        return sz_read_fail(r, key, "is %g: it must lie from %g to %g", x, min, max);
    *out = x;
    return SZ_OK;
}

/* 16.0 is a whole number, too. */
static bool as_int(const sz_json *v, int64_t *out) {
    if (v->type == SZ_JSON_INT) {
        *out = v->u.i;
        return true;
    }
    if (v->type != SZ_JSON_FLOAT || !(v->u.f > -9e15 && v->u.f < 9e15))
        return false;
    *out = (int64_t)v->u.f;
    return (double)*out == v->u.f;
}

sz_status sz_read_int(sz_reader *r, const char *key, int64_t min, int64_t max, int64_t *out) {
    const sz_json *v = sz_read_member(r, key);
    int64_t x;
    if (!v)
        return SZ_OK;
    if (!as_int(v, &x))
        return sz_read_fail(r, key, "is not a whole number");
    if (x < min || x > max)
        return sz_read_fail(r, key, "is %lld: it must lie from %lld to %lld", (long long)x,
                            (long long)min, (long long)max);
    *out = x;
    return SZ_OK;
}

sz_status sz_read_bool(sz_reader *r, const char *key, bool *out) {
    const sz_json *v = sz_read_member(r, key);
    if (!v)
        return SZ_OK;
    if (v->type != SZ_JSON_TRUE && v->type != SZ_JSON_FALSE)
        return sz_read_fail(r, key, "is neither true nor false");
    *out = v->type == SZ_JSON_TRUE;
    return SZ_OK;
}

bool sz_json_is_text(const sz_json *v) {
    return v->type == SZ_JSON_STRING && strlen(v->u.s) == v->n;
}

sz_status sz_read_text(sz_reader *r, const char *key, const char **out) {
    const sz_json *v = sz_read_member(r, key);
    if (!v)
        return SZ_OK;
    if (!sz_json_is_text(v))
        return sz_read_fail(r, key, "is not a text");
    *out = v->u.s;
    return SZ_OK;
}

sz_status sz_read_object(sz_reader *r, const char *key, const sz_json **out) {
    const sz_json *v = sz_read_member(r, key);
    if (v && v->type != SZ_JSON_OBJECT)
        return sz_read_fail(r, key, "is not an object");
    *out = v ? v : *out;
    return SZ_OK;
}

sz_status sz_read_array(sz_reader *r, const char *key, const sz_json **out) {
    const sz_json *v = sz_read_member(r, key);
    if (v && v->type != SZ_JSON_ARRAY)
        return sz_read_fail(r, key, "is not an array");
    *out = v ? v : *out;
    return SZ_OK;
}

/* ---- Writing -----------------------------------------------------------------------------------
 */

static void put_children(sz_buf *b, const sz_json *v, char open, char close) {
    sz_buf_putc(b, open);
    for (const sz_json *c = v->u.child; c; c = c->next) {
        if (c != v->u.child)
            sz_buf_putc(b, ',');
        if (v->type == SZ_JSON_OBJECT) {
            sz_json_quote(b, c->key, c->key_n);
            sz_buf_putc(b, ':');
        }
        sz_json_put(b, c);
    }
    sz_buf_putc(b, close);
}

/* The parser bounds the depth. */
void sz_json_put(sz_buf *b, const sz_json *v) {
    switch (v->type) {
    case SZ_JSON_INT:
        sz_buf_printf(b, "%lld", (long long)v->u.i);
        break;
    case SZ_JSON_FLOAT:
        sz_json_number(b, v->u.f);
        break;
    case SZ_JSON_STRING:
        sz_json_quote(b, v->u.s, v->n);
        break;
    case SZ_JSON_ARRAY:
        put_children(b, v, '[', ']');
        break;
    case SZ_JSON_OBJECT:
        put_children(b, v, '{', '}');
        break;
    default:
        sz_buf_puts(b, v->type == SZ_JSON_NULL   ? "null"
                       : v->type == SZ_JSON_TRUE ? "true"
                                                 : "false");
    }
}

/* The double that is nearest to the float's shortest decimal prints as that decimal. */
void sz_json_float(sz_buf *b, float x) {
    double nearest = (double)x;
    for (int digits = 6; digits <= 9 && x - x == 0.0f; digits++) {
        char text[40];
        snprintf(text, sizeof text, "%.*e", digits - 1, (double)x);
        double read = strtod(text, NULL);
        if ((float)read == x) {
            nearest = read;
            break;
        }
    }
    sz_json_number(b, nearest);
}
