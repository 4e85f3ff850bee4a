/* policy.c: the kinds of policies, and their text. */
#include "policy.h"

#include <stdio.h>
#include <string.h>

extern const sz_kv_policy_kind sz_kv_policy_none, sz_kv_policy_uncomp, sz_kv_policy_snapkv,
    sz_kv_policy_h2o, sz_kv_policy_streaming, sz_kv_policy_pyramid, sz_kv_policy_waterfill,
    sz_kv_policy_random;

/* A new policy is a file and a line here. */
static const sz_kv_policy_kind *const kinds[] = {
    &sz_kv_policy_none,      &sz_kv_policy_uncomp,    &sz_kv_policy_snapkv,
    &sz_kv_policy_h2o,       &sz_kv_policy_streaming, &sz_kv_policy_pyramid,
    &sz_kv_policy_waterfill, &sz_kv_policy_random,    NULL,
};

const sz_kv_policy_kind *const *sz_kv_policy_kinds(void) {
    return kinds;
}

static sz_status unknown(const sz_setting *s) {
    char names[256] = "";
    for (size_t i = 0; kinds[i]; i++) {
        size_t used = strlen(names);
        snprintf(names + used, sizeof names - used, "%s%s", i ? ", " : "", kinds[i]->name);
    }
    return sz_fail(SZ_E_ARG, "unknown kv policy '%.*s'; choose from: %s", (int)s->n_name, s->name,
                   names);
}

/* The file of a profile, where the words name one. */
static sz_status open_profile(const sz_setting *setting, sz_kv_policy *p) {
    sz_buf path = {0};
    sz_status status = sz_setting_text(setting, SZ_KV_PROFILE, 0, &path);
    if (status == SZ_OK)
        status = sz_kv_profile_open(path.data ? path.data : "", &p->profile);
    sz_buf_free(&path);
    return status == SZ_END ? SZ_OK : status;
}

sz_status sz_kv_policy_parse(const char *text, sz_kv_policy *out) {
    sz_setting setting;
    char what[64];
    size_t i = 0;
    sz_status status = sz_setting_read(&text, &setting);
    SZ_REQUIRE(status != SZ_END, SZ_E_ARG, "a kv policy without a name");
    SZ_TRY(status);
    while (kinds[i] && !sz_setting_is(&setting, kinds[i]->name))
        i++;
    if (!kinds[i])
        return unknown(&setting);
    snprintf(what, sizeof what, "kv policy %s", kinds[i]->name);
    sz_kv_policy p = {.kind = kinds[i]};
    SZ_TRY(sz_setting_values(&setting, what, kinds[i]->options, p.values));
    if (kinds[i]->check)
        SZ_TRY(kinds[i]->check(p.values));
    SZ_REQUIRE(sz_setting_read(&text, &setting) == SZ_END, SZ_E_ARG,
               "one kv policy at a time: something follows %s", kinds[i]->name);
    SZ_TRY(open_profile(&setting, &p));
    *out = p;
    return SZ_OK;
}

void sz_kv_policy_free(sz_kv_policy *p) {
    sz_kv_profile_free(p->profile);
    *p = (sz_kv_policy){0};
}

unsigned sz_kv_policy_needs(const sz_kv_policy *p) {
    return p->kind->needs & ~(p->profile ? SZ_KV_NEEDS_RANK : 0u);
}

uint32_t sz_kv_policy_every(const sz_kv_policy *p) {
    const sz_option *o = p->kind->options;
    for (size_t i = 0; o && o[i].name; i++)
        if (strcmp(o[i].name, SZ_KV_EVERY) == 0)
            return (uint32_t)p->values[i];
    return 0;
}

uint32_t sz_kv_policy_window(const sz_kv_policy *p) {
    return p->kind->needs & SZ_KV_NEEDS_RECENT_MASS ? (uint32_t)p->values[SZ_KV_WINDOW] : 0;
}
