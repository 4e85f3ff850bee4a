/* propose.c: the prompt, the grammar, and what is drawn from them. */
#include "zip/propose.h"

#include <string.h>
#include <szilard/unstable/branching.h>
#include <szilard/unstable/sampler.h>

enum { MOST_TOKENS = 400, CONTEXT = 4096 };

struct sz_proposer {
    sz_model *model;
    sz_session *session;
    size_t n_scripts;
    sz_buf text; /* of all scripts */
    sz_kt_text *texts;
};

static const char reference[] =
    "Programs make lists of numbers. The functions:\n"
    "range_func_up(a, b): a, a+1, ..., b\n"
    "range_func_interval(a, b, s): a, a+s, ... below b\n"
    "repeat_num(n, v): n times v\n"
    "set_list([...]): these numbers\n"
    "repeat_list(n, L): L n times\n"
    "reverse_list(L), scan_add(L): backwards, running sums\n"
    "substitute(L, old, new): new in place of old\n"
    "get_subsequence_with_jumps(L, k): every k-th\n"
    "get_subsequence_between_indices(L, i, j): from index i to before j\n"
    "max_n(L, n), min_n(L, n): the n largest falling, the n smallest rising\n"
    "add_item_list(L, c), subtract_item_list(L, c), modulo_item_list(L, c): each with c\n"
    "filter(is_even|is_odd|is_not_zero, L): those that are\n"
    "add_two_lists(A, B), subtract_two_lists(A, B), modulo_two_lists(A, B): pair by pair\n"
    "concatenate(A, B), interleave(A, B): one after the other, in turn\n";

static const char *const examples[] = {
    "sequence_1 = range_func_up(10, 20)\n"
    "output = sequence_1\n",
    "sequence_1 = set_list([7, 1, 200])\n"
    "sequence_2 = repeat_list(4, sequence_1)\n"
    "output = sequence_2\n",
    "sequence_1 = range_func_interval(30, 80, 5)\n"
    "sequence_2 = repeat_num(9, 0)\n"
    "sequence_3 = concatenate(sequence_1, sequence_2)\n"
    "output = sequence_3\n",
    "sequence_1 = range_func_up(100, 108)\n"
    "sequence_2 = modulo_item_list(sequence_1, 4)\n"
    "sequence_3 = interleave(sequence_1, sequence_2)\n"
    "output = sequence_3\n",
};

static const char grammar[] =
    "root ::= line{1,16} \"output = \" seq \"\\n\"\n"
    "line ::= seq \" = \" call \"\\n\"\n"
    "seq ::= \"sequence_\" [1-9] [0-9]?\n"
    "byte ::= [0-9] | [1-9] [0-9] | \"1\" [0-9] [0-9] | \"2\" [0-4] [0-9] | \"25\" [0-5]\n"
    "few ::= [1-8]\n"
    "some ::= [1-9] | \"1\" [0-9] | \"20\"\n"
    "list ::= \"[\" byte (\", \" byte)* \"]\"\n"
    "is ::= \"is_even\" | \"is_odd\" | \"is_not_zero\"\n"
    "call ::= \"range_func_up(\" byte \", \" byte \")\" |\n"
    " \"range_func_interval(\" byte \", \" byte \", \" few \")\" |\n"
    " \"repeat_num(\" some \", \" byte \")\" | \"set_list(\" list \")\" |\n"
    " \"repeat_list(\" few \", \" seq \")\" |\n"
    " (\"reverse_list(\" | \"scan_add(\") seq \")\" |\n"
    " (\"substitute(\" | \"get_subsequence_between_indices(\") seq \", \" byte \", \" byte \")\" "
    "|\n"
    " \"get_subsequence_with_jumps(\" seq \", \" few \")\" |\n"
    " (\"max_n(\" | \"min_n(\" | \"add_item_list(\" | \"subtract_item_list(\" |\n"
    "  \"modulo_item_list(\") seq \", \" byte \")\" |\n"
    " \"filter(\" is \", \" seq \")\" |\n"
    " (\"add_two_lists(\" | \"subtract_two_lists(\" | \"modulo_two_lists(\" | \"concatenate(\" |\n"
    "  \"interleave(\") seq \", \" seq \")\"\n";

void sz_proposer_free(sz_proposer *p) {
    if (!p)
        return;
    sz_session_free(p->session);
    sz_buf_free(&p->text);
    sz_free(p->texts);
    sz_free(p);
}

sz_status sz_proposer_new(sz_model *model, size_t n_scripts, sz_proposer **out) {
    SZ_REQUIRE(n_scripts >= 1 && n_scripts <= SZ_PROPOSE_MOST_SCRIPTS, SZ_E_ARG,
               "%zu scripts at a time: 1 to %d", n_scripts, SZ_PROPOSE_MOST_SCRIPTS);
    sz_proposer *p = sz_calloc(1, sizeof *p);
    SZ_REQUIRE(p, SZ_E_NOMEM, "no memory for proposals");
    p->model = model;
    p->n_scripts = n_scripts;
    p->texts = sz_calloc(n_scripts, sizeof *p->texts);
    sz_model_info info;
    sz_model_get_info(model, &info);
    uint32_t context = info.n_ctx_train && info.n_ctx_train < CONTEXT ? info.n_ctx_train : CONTEXT;
    sz_session_config config = {
        .size = sizeof config, .context = context, .n_sequences = (uint32_t)n_scripts + 1};
    sz_status status = p->texts ? sz_session_new(model, &config, &p->session)
                                : sz_fail(SZ_E_NOMEM, "no memory for proposals");
    if (status != SZ_OK)
        sz_proposer_free(p);
    else
        *out = p;
    return status;
}

static void put_task(const uint8_t *x, size_t n, sz_buf *b) {
    sz_buf_puts(b, "\nList: [");
    for (size_t i = 0; i < n; i++)
        sz_buf_printf(b, "%s%u", i ? ", " : "", x[i]);
    sz_buf_puts(b, "]\nProgram:\n");
}

static sz_status make_prompt(const uint8_t *x, size_t n, sz_buf *b) {
    sz_buf_puts(b, reference);
    for (size_t i = 0; i < sizeof examples / sizeof *examples; i++) {
        sz_buf made = {0};
        sz_status status = sz_kt_script_run(examples[i], strlen(examples[i]), false, &made, NULL);
        if (status == SZ_OK)
            put_task((const uint8_t *)made.data, made.len, b);
        sz_buf_free(&made);
        SZ_TRY(status);
        sz_buf_puts(b, examples[i]);
    }
    put_task(x, n, b);
    SZ_REQUIRE(!b->failed, SZ_E_NOMEM, "no memory for a prompt");
    return SZ_OK;
}

/* The sampler: what the grammar allows, a little sharper than the model has it. */
static sz_status set_sampler(sz_proposer *p, uint64_t seed) {
    sz_chain *chain;
    sz_grammar *g;
    SZ_TRY(sz_grammar_parse(grammar, sizeof grammar - 1, &g));
    sz_status status = sz_chain_new(&chain);
    if (status != SZ_OK) {
        sz_grammar_free(g);
        return status;
    }
    status = sz_chain_add_grammar(chain, p->model, g);
    if (status == SZ_OK)
        status = sz_chain_extend(chain, "temperature 0.8");
    if (status != SZ_OK) {
        sz_chain_free(chain);
        return status;
    }
    return sz_session_set_chain(p->session, 0, chain, seed);
}

/* The texts of what was drawn, one after the other in p->text. */
static sz_status take_texts(sz_proposer *p, const sz_continuations *c) {
    size_t start[SZ_PROPOSE_MOST_SCRIPTS + 1];
    sz_buf_clear(&p->text);
    for (size_t i = 0; i < c->n; i++) {
        start[i] = p->text.len;
        for (size_t k = 0; k < c->v[i].n; k++)
            if (!sz_model_is_end(p->model, c->v[i].tokens[k].id))
                sz_buf_puts(&p->text, sz_model_piece(p->model, c->v[i].tokens[k].id));
    }
    start[c->n] = p->text.len;
    SZ_REQUIRE(!p->text.failed, SZ_E_NOMEM, "no memory for scripts");
    for (size_t i = 0; i < c->n; i++)
        p->texts[i] = (sz_kt_text){p->text.data + start[i], start[i + 1] - start[i]};
    return SZ_OK;
}

sz_status sz_propose(sz_proposer *p, const uint8_t *x, size_t n, uint64_t seed,
                     const sz_kt_text **texts, size_t *n_texts) {
    sz_buf prompt = {0};
    sz_continuations drawn = {0};
    SZ_REQUIRE(n >= 1 && n <= SZ_PROPOSE_MOST, SZ_E_ARG, "a string of %zu bytes: 1 to %d", n,
               SZ_PROPOSE_MOST);
    sz_status status = make_prompt(x, n, &prompt);
    if (status == SZ_OK)
        status = sz_session_truncate(p->session, 0, 0);
    if (status == SZ_OK)
        status = sz_session_prompt(p->session, 0, prompt.data);
    if (status == SZ_OK)
        status = set_sampler(p, seed);
    if (status == SZ_OK)
        status = sz_session_best_of(
            p->session, 0, &(sz_branching){.n = p->n_scripts, .max_tokens = MOST_TOKENS}, &drawn);
    if (status == SZ_OK)
        status = take_texts(p, &drawn);
    if (status == SZ_OK) {
        *texts = p->texts;
        *n_texts = drawn.n;
    }
    sz_continuations_free(&drawn);
    sz_buf_free(&prompt);
    return status;
}
