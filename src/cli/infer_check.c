/* infer_check.c: the program and its data; `szilard fit bayes check`: its laws as a table. */
#include "inference.h"
#include "table.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* The numbers after NAME=, or those in the file of that name. */
static sz_status read_values(const char *list, double **out, size_t *n) {
    size_t most = strlen(list) / 2 + 1, count = 0;
    double *v = sz_alloc(most * sizeof *v);
    SZ_REQUIRE(v, SZ_E_NOMEM, "no memory for %zu numbers", most);
    for (const char *at = list;; at++) {
        char *end;
        v[count++] = strtod(at, &end);
        if (end == at || (*end != ',' && *end != '\0')) {
            count = 0;
            break;
        }
        at = end;
        if (*at == '\0')
            break;
    }
    *out = v;
    *n = count;
    if (count > 0)
        return SZ_OK;
    sz_free(v);
    sz_table t;
    SZ_TRY(sz_table_read(list, &t));
    *n = t.rows * t.columns;
    v = sz_alloc(*n * sizeof *v);
    if (v)
        memcpy(v, t.v, *n * sizeof *v);
    sz_table_free(&t);
    SZ_REQUIRE(v, SZ_E_NOMEM, "no memory for %zu numbers", *n);
    *out = v;
    return SZ_OK;
}

static sz_status set_data(sz_script *s, const char *setting) {
    char name[64];
    double *v;
    size_t n, length = strcspn(setting, "=");
    SZ_REQUIRE(setting[length] == '=' && length > 0 && length < sizeof name, SZ_E_ARG,
               "--data '%s' is not NAME=VALUES", setting);
    memcpy(name, setting, length);
    name[length] = '\0';
    sz_status status = read_values(setting + length + 1, &v, &n);
    if (status == SZ_OK) {
        status = sz_script_set(s, name, v, n);
        sz_free(v);
    }
    return status == SZ_OK ? SZ_OK : sz_fail_within(status, "--data %s", name);
}

sz_status sz_infer_open(const sz_infer_options *o, sz_script **out) {
    sz_buf text = {0};
    SZ_TRY(sz_cli_read(o->file, &text));
    sz_script *s = NULL;
    sz_status status = sz_script_compile(text.data ? text.data : "", text.len, &s);
    if (status != SZ_OK)
        status = sz_fail_within(status, "%s", strcmp(o->file, "-") ? o->file : "standard input");
    sz_buf_free(&text);
    for (size_t i = 0; i < o->n_data && status == SZ_OK; i++)
        status = set_data(s, o->data[i]);
    if (status == SZ_OK)
        *out = s;
    else
        sz_script_free(s);
    return status;
}

/* ---- Laws --------------------------------------------------------------------------------------
 */

static const char *const outcomes[] = {"holds", "broken", "skipped"};

static void put_json(sz_buf *b, const sz_law_report *r) {
    sz_buf_printf(b, "{\"finite\":%s,\"log_evidence_nats\":", r->finite ? "true" : "false");
    sz_json_number(b, r->log_evidence);
    sz_buf_printf(b, ",\"broken\":%zu,\"laws\":[", r->n_broken);
    for (size_t i = 0; i < r->n; i++) {
        const sz_law *l = &r->law[i];
        sz_buf_printf(b, "%s{\"law\":\"%s\",\"outcome\":\"%s\",\"error\":", i ? "," : "", l->name,
                      outcomes[l->outcome]);
        sz_json_number(b, l->error);
        sz_buf_printf(b, ",\"paths\":%llu,\"detail\":", (unsigned long long)l->n_paths);
        sz_json_quote(b, l->detail, strlen(l->detail));
        sz_buf_putc(b, '}');
    }
    sz_buf_puts(b, "]}\n");
}

static void put_table(sz_buf *b, const sz_law_report *r, sz_unit unit) {
    if (r->finite)
        sz_buf_printf(b, "finite: every draw is visited; evidence exp(%.9g %s)\n",
                      sz_unit_convert(r->log_evidence, unit), sz_unit_name(unit));
    else
        sz_buf_puts(b, "not finite, or too many paths: tested by simulation\n");
    for (size_t i = 0; i < r->n; i++) {
        const sz_law *l = &r->law[i];
        sz_buf_printf(b, "  %-42s %-8s", l->name, outcomes[l->outcome]);
        if (!isnan(l->error))
            sz_buf_printf(b, " %9.2g  %llu paths", l->error, (unsigned long long)l->n_paths);
        sz_buf_printf(b, "%s%s\n", l->detail[0] ? "  " : "", l->detail);
    }
}

int sz_infer_check(const sz_infer_options *o) {
    sz_script *s;
    sz_law_report r;
    sz_buf b = {0};
    if (sz_infer_open(o, &s) != SZ_OK)
        return sz_cli_error();
    sz_program p = sz_script_program(s);
    sz_check_config c = {.max_paths = o->max_paths,
                         .n_runs = o->n_runs,
                         .seed = o->population.seed,
                         .simulate = sz_script_simulate,
                         .user = s};
    sz_status status = sz_program_check(&p, &c, &r);
    sz_script_free(s);
    if (status != SZ_OK)
        return sz_cli_error();
    if (o->json)
        put_json(&b, &r);
    else
        put_table(&b, &r, o->unit);
    int exit_status = sz_cli_print(&b);
    return exit_status == SZ_EXIT_OK && r.n_broken > 0 ? SZ_EXIT_FAILURE : exit_status;
}
