/* router_pair.c: whether two models may write one text: they must understand the same ids. */
#include "model/model.h"

#include <szilard/unstable/router.h>

#include <string.h>

static sz_status check_pieces(const sz_tokenizer *a, const sz_tokenizer *b, uint32_t n) {
    for (uint32_t id = 0; id < n; id++) {
        size_t na = 0, nb = 0;
        const char *pa = sz_tokenizer_piece(a, (int32_t)id, &na);
        const char *pb = sz_tokenizer_piece(b, (int32_t)id, &nb);
        SZ_REQUIRE(na == nb && memcmp(pa, pb, na) == 0, SZ_E_ARG,
                   "the two models have different vocabularies: token %u is '%.40s' in the small "
                   "one and '%.40s' in the large one",
                   id, pa, pb);
        SZ_REQUIRE(sz_tokenizer_is_control(a, (int32_t)id) ==
                           sz_tokenizer_is_control(b, (int32_t)id) &&
                       sz_tokenizer_is_end(a, (int32_t)id) == sz_tokenizer_is_end(b, (int32_t)id),
                   SZ_E_ARG,
                   "the two models have different vocabularies: token %u, '%.40s', is a control or "
                   "end token in one of them only",
                   id, pa);
    }
    return SZ_OK;
}

static sz_status check_special(const sz_tokenizer *a, const sz_tokenizer *b) {
    const struct {
        const char *what;
        int32_t small, large;
    } special[] = {
        {"begin-of-text token", sz_tokenizer_bos(a), sz_tokenizer_bos(b)},
        {"end-of-text token", sz_tokenizer_eos(a), sz_tokenizer_eos(b)},
        {"end-of-turn token", sz_tokenizer_eot(a), sz_tokenizer_eot(b)},
        {"wish for a begin-of-text token", sz_tokenizer_add_bos(a), sz_tokenizer_add_bos(b)},
    };
    for (size_t i = 0; i < sizeof special / sizeof *special; i++)
        SZ_REQUIRE(special[i].small == special[i].large, SZ_E_ARG,
                   "the two models differ in their %s: %d in the small one, %d in the large one",
                   special[i].what, special[i].small, special[i].large);
    return SZ_OK;
}

/* NULL where there is no template that can be rendered. */
static char *rendering(const sz_model *m) {
    static const char messages[] = "[{\"role\":\"system\",\"content\":\"S\"},"
                                   "{\"role\":\"user\",\"content\":\"U\"},"
                                   "{\"role\":\"assistant\",\"content\":\"A\"},"
                                   "{\"role\":\"user\",\"content\":\"V\"}]";
    char *text = NULL;
    if (sz_model_template(m) && sz_model_render_chat(m, messages, NULL, NULL, true, &text) != SZ_OK)
        text = NULL;
    return text;
}

static sz_status check_templates(const sz_model *small, const sz_model *large) {
    char *a = rendering(small), *b = rendering(large);
    bool same = a && b ? strcmp(a, b) == 0 : !a && !b;
    sz_string_free(a);
    sz_string_free(b);
    SZ_REQUIRE(same, SZ_E_ARG, "the two models have chat templates that render differently");
    return SZ_OK;
}

sz_status sz_router_check_pair(const sz_model *small, const sz_model *large) {
    const sz_tokenizer *a = small->tokenizer, *b = large->tokenizer;
    uint32_t na = sz_tokenizer_n_vocab(a), nb = sz_tokenizer_n_vocab(b);
    SZ_TRY(check_pieces(a, b, na < nb ? na : nb));
    SZ_REQUIRE(na == nb, SZ_E_ARG,
               "the two models have different vocabularies: %u tokens in the small one, %u in the "
               "large one; token %u is the first that only one of them has",
               na, nb, na < nb ? na : nb);
    SZ_REQUIRE(small->h.n_vocab == large->h.n_vocab, SZ_E_ARG,
               "the two models have different vocabularies: logits for %u tokens in the small one, "
               "for %u in the large one",
               small->h.n_vocab, large->h.n_vocab);
    SZ_TRY(check_special(a, b));
    return check_templates(small, large);
}
