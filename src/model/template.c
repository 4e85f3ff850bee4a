/* template.c: parsing and rendering of chat templates: limits, memory, errors.
 * template_render.h tells what the other files do. */
#include "model/name_table.h"
#include "model/template_render.h"

/* ---- Parsing -------------------------------------------------------------------------------- */

static sz_status intern_all(sz_tparser *p, sz_template *t) {
    SZ_TRY(sz_tparse_intern(p, "loop", 4, &t->loop));
    SZ_TRY(sz_tparse_intern(p, "caller", 6, &t->caller));
    SZ_TRY(sz_tparse_intern(p, "varargs", 7, &t->varargs));
    return sz_tparse_intern(p, "kwargs", 6, &t->kwargs);
}

static sz_status parse(sz_template *t, const char *source, size_t n) {
    sz_name_table names;
    sz_tparser *p = sz_calloc(1, sizeof *p);
    SZ_REQUIRE(p, SZ_E_NOMEM, "no memory for a template");
    sz_name_table_init(&names);
    p->arena = t->arena;
    p->names = &names;
    sz_status status = sz_tlexer_init(&p->lexer, source, n, t->arena);
    if (status == SZ_OK)
        status = intern_all(p, t);
    if (status == SZ_OK)
        status = sz_tparse_template(p, &t->body);
    sz_name_table_free(&names);
    sz_free(p->name);
    sz_free(p);
    return status;
}

sz_status sz_template_parse(const char *source, size_t n, sz_template **out) {
    SZ_REQUIRE(n <= SZ_T_MAX_SOURCE, SZ_E_LIMIT, "a template of %zu bytes is longer than %d", n,
               SZ_T_MAX_SOURCE);
    sz_template *t = sz_calloc(1, sizeof *t);
    SZ_REQUIRE(t, SZ_E_NOMEM, "no memory for a template");
    sz_status status = sz_arena_new(1 << 14, &t->arena);
    if (status == SZ_OK) {
        sz_arena_set_limit(t->arena, SZ_T_MAX_TREE_BYTES);
        status = parse(t, source, n);
    }
    if (status == SZ_OK)
        *out = t;
    else
        sz_template_free(t);
    return status;
}

void sz_template_free(sz_template *t) {
    if (!t)
        return;
    sz_arena_free(t->arena);
    sz_free(t);
}

/* ---- The bounds of a run -------------------------------------------------------------------- */

sz_status sz_render_steps(sz_render *r, uint64_t n) {
    SZ_REQUIRE(n <= r->steps, SZ_E_LIMIT, "rendering takes more than %llu steps",
               (unsigned long long)r->limits.steps);
    r->steps -= n;
    return SZ_OK;
}

sz_status sz_render_enter(sz_render *r) {
    SZ_REQUIRE(r->depth < SZ_T_MAX_CALLS, SZ_E_LIMIT, "calls nested deeper than %d levels",
               SZ_T_MAX_CALLS);
    r->depth++;
    return sz_render_steps(r, 1);
}

sz_status sz_render_alloc(sz_render *r, size_t count, size_t size, void *out) {
    size_t bytes;
    bool fits = !__builtin_mul_overflow(count, size, &bytes);
    void *p = fits ? sz_arena_alloc_small(r->arena, bytes) : NULL;
    SZ_REQUIRE(p, SZ_E_LIMIT, "rendering needs more than %llu bytes of memory",
               (unsigned long long)r->limits.memory_bytes);
    memcpy(out, &p, sizeof p);
    return SZ_OK;
}

sz_status sz_render_take(sz_render *r, size_t from, sz_tv *out) {
    char *copy;
    SZ_REQUIRE(!r->scratch.failed, SZ_E_LIMIT, "rendering needs more than %llu bytes of memory",
               (unsigned long long)r->limits.memory_bytes);
    size_t n = r->scratch.len - from;
    SZ_TRY(sz_render_steps(r, n / 64));
    SZ_TRY(sz_render_alloc(r, n, 1, &copy));
    if (n > 0)
        memcpy(copy, r->scratch.data + from, n);
    r->scratch.len = from;
    *out = sz_tv_text(copy, n);
    return SZ_OK;
}

/* ---- Rendering ------------------------------------------------------------------------------ */

static sz_status run(sz_render *r, const sz_json *variables) {
    sz_tv all;
    sz_arena_set_limit(r->arena, r->limits.memory_bytes);
    r->scratch.limit = r->limits.memory_bytes;
    r->out.limit = r->limits.output_bytes;
    SZ_TRY(sz_render_alloc(r, SZ_T_MAX_ARGS, sizeof *r->args, &r->args));
    SZ_TRY(sz_tv_from_json(r, variables, 0, &all));
    r->variables = all.u.dict;
    SZ_TRY(sz_tframe_push(r, NULL));
    return sz_texec(r, r->t->body);
}

static sz_template_limits with_defaults(const sz_template_limits *limits) {
    sz_template_limits l = limits ? *limits : (sz_template_limits){0};
    l.steps = l.steps ? l.steps : 10000000;
    l.output_bytes = l.output_bytes ? l.output_bytes : 32 << 20;
    l.memory_bytes = l.memory_bytes ? l.memory_bytes : 64 << 20;
    return l;
}

sz_status sz_template_render(const sz_template *t, const sz_json *variables, int64_t now_unix,
                             const sz_template_limits *limits, sz_buf *out) {
    SZ_REQUIRE(variables && variables->type == SZ_JSON_OBJECT, SZ_E_ARG,
               "the variables of a template are not a JSON object");
    sz_render r = {.t = t, .limits = with_defaults(limits), .now = now_unix};
    r.steps = r.limits.steps;
    SZ_TRY(sz_arena_new(1 << 16, &r.arena));
    sz_status status = run(&r, variables);
    if (status == SZ_OK) {
        sz_buf_append(out, r.out.data, r.out.len);
        if (out->failed)
            status = sz_fail(SZ_E_NOMEM, "no memory for %zu bytes of rendered text", r.out.len);
    } else if (r.fail_line)
        sz_fail_within(status, "template line %u", r.fail_line);
    sz_buf_free(&r.out);
    sz_buf_free(&r.scratch);
    sz_arena_free(r.arena);
    return status;
}
