/* pretokenizer.c: the table from the names that files carry in tokenizer.ggml.pre to patterns.
 *
 * A recipe has one or more stages. Each stage cuts every piece that the one before it left into its
 * matches and the text between them; a stage sees one piece at a time, so the end of a piece counts
 * as the end of the text. Most recipes are one pattern that leaves nothing between its matches. */
#include "model/pretokenizer.h"
#include "model/name_table.h"

#include <string.h>

enum { MAX_STAGES = 6 };

/* White space as Unicode defines it: PCRE2's \s would add U+180E. */
#define WS                                                                                         \
    "\\x{9}-\\x{d}\\x{20}\\x{85}\\x{a0}\\x{1680}\\x{2000}-\\x{200a}\\x{2028}\\x{2029}"             \
    "\\x{202f}\\x{205f}\\x{3000}"
#define S           "[" WS "]"
#define SPACES      S "+(?![^" WS "])|" S "+" /* all but the last one before a word */
#define LINES       S "*[\\r\\n]+|" SPACES
#define SYMBOLS     " ?[^" WS "\\p{L}\\p{N}]+"
#define CONTRACTION "'(?:[sS\\x{17f}tTmMdD]|[rR][eE]|[vV][eE]|[lL][lL])" /* 17f: long s */
#define LETTERS     "[^\\r\\n\\p{L}\\p{N}]?\\p{L}+"

#define GPT2 "'(?:[stmd]|re|ve|ll)| ?\\p{L}+| ?\\p{N}+|" SYMBOLS "|" SPACES
/* Every digit alone, then GPT2: the spaces before a digit end a piece, so none is left to it. */
#define DIGITS "\\p{N}|'(?:[stmd]|re|ve|ll)| ?\\p{L}+|" SYMBOLS "|" S "+(?![^" WS "\\p{N}])|" S "+"
#define LLAMA3 CONTRACTION "|" LETTERS "|\\p{N}{1,3}|" SYMBOLS "[\\r\\n]*|" LINES
#define QWEN2  CONTRACTION "|" LETTERS "|\\p{N}|" SYMBOLS "[\\r\\n]*|" LINES
#define QWEN35                                                                                     \
    CONTRACTION "|[^\\r\\n\\p{L}\\p{N}]?[\\p{L}\\p{M}]+|\\p{N}| ?[^" WS                            \
                "\\p{L}\\p{M}\\p{N}]+[\\r\\n]*|" LINES
#define BAILING CONTRACTION "|" LETTERS "|\\p{N}|" SYMBOLS "[\\r\\n]*|" S "*[\\r\\n]|" SPACES
#define SEED    CONTRACTION "|" LETTERS "|\\p{N}|" SYMBOLS "|" LINES

/* Words of one capitalisation: upper case then lower case, marks with their letters. */
#define UPPER "[\\p{Lu}\\p{Lt}\\p{Lm}\\p{Lo}\\p{M}]"
#define LOWER "[\\p{Ll}\\p{Lm}\\p{Lo}\\p{M}]"
#define CASED(tail)                                                                                \
    "[^\\r\\n\\p{L}\\p{N}]?" UPPER "*" LOWER "+" tail "|[^\\r\\n\\p{L}\\p{N}]?" UPPER "+" LOWER    \
    "*" tail
#define TEKKEN CASED("") "|\\p{N}|" SYMBOLS "[\\r\\n/]*|" LINES
#define GPT4O  CASED("(?:" CONTRACTION ")?") "|\\p{N}{1,3}|" SYMBOLS "[\\r\\n/]*|" LINES

#define CJK "\\x{4e00}-\\x{9fa5}"
#define DEEPSEEK                                                                                   \
    "[!-/:-@\\[-`{-~][A-Za-z]+|[^\\r\\n\\p{L}\\p{P}\\p{S}]?[\\p{L}\\p{M}]+"                        \
    "| ?[\\p{P}\\p{S}]+[\\r\\n]*|" LINES
/* The cased letters as deepseek-llm's tokenizer spells them out; escaped where an editor may
 * normalise. */
/* clang-format off */
#define DEEPSEEK_LETTERS \
    "A-Za-zµÀ-ÖØ-öø-ƺƼ-ƿǄ-ʓʕ-ʯͰ-ͳͶͷͻ-ͽͿΆΈ-ΊΌΎ-ΡΣ-ϵϷ-ҁҊ-ԯԱ-ՖႠ-ჅᎠ-Ᏽᏸ-ᏽᲐ-ᲺᲽ-Ჿᴀ-ᴫᵫ-ᵷᵹ-ᶚḀ-ἕἘ-Ἕἠ-ὅὈ" \
    "-Ὅὐ-ὗὙὛὝὟ-\\x{1f7d}ᾀ-ᾴᾶ-ᾼ\\x{1fbe}ῂ-ῄῆ-ῌῐ-\\x{1fd3}ῖ-\\x{1fdb}ῠ-Ῥῲ-ῴῶ-ῼℂℇℊ-ℓℕℙ-ℝℤ" \
    "\\x{2126}ℨ\\x{212a}-ℭℯ-ℴℹℼ-ℿⅅ-ⅉⅎↃↄⰀ-ⱻⱾ-ⳤⳫ-ⳮⳲⳳꙀ-ꙭꚀ-ꚛꜢ-ꝯꝱ-ꞇꞋ-ꞎꭰ-ꮿﬀ-ﬆﬓ-ﬗＡ-Ｚａ-ｚ𐐀-𐑏𐒰-𐓓𐓘-𐓻𐲀-𐲲𐳀" \
    "-𐳲𑢠-𑣟𞤀-𞥃"
/* clang-format on */
#define CLAUSES " ?[^(" WS "|.,!?…。，、।۔،)]+"

typedef struct recipe {
    const char *names; /* separated by spaces */
    const char *stages[MAX_STAGES];
    bool ignore_merges, add_bos;
} recipe;

static const recipe RECIPES[] = {
    {.names = "default", .stages = {"[\\p{P}$+<=>^~|]+", GPT2, "\\p{N}+", "[0-9][0-9][0-9]"}},
    {.names = "gpt-2 phi-2 jina-es jina-de jina-v1-en jina-v2-es jina-v2-de jina-v2-code "
              "roberta-bpe gigachat a.x-4.0 mellum modern-bert mpt olmo jais trillion "
              "granite-docling exaone4",
     .stages = {GPT2}},
    {.names = "smollm starcoder refact command-r codeshell exaone minerva-7b mellum2",
     .stages = {DIGITS}},
    {.names = "llama3 llama-v3 llama-bpe falcon3 falcon-h1 pixtral midm-2.0 lfm2 jina-v5-nano",
     .stages = {LLAMA3},
     .ignore_merges = true,
     .add_bos = true},
    {.names = "dbrx smaug-bpe glm4 chatglm-bpe", .stages = {LLAMA3}},
    {.names = "qwen2 deepseek-r1-qwen kormo f2llmv2 stablelm2 hunyuan megrez grok-2 solar-open",
     .stages = {QWEN2}},
    {.names = "qwen35", .stages = {QWEN35}},
    {.names = "bailingmoe bailingmoe2 llada-moe", .stages = {BAILING}},
    {.names = "seed-coder", .stages = {SEED}},
    {.names = "tekken", .stages = {TEKKEN}, .ignore_merges = true, .add_bos = true},
    {.names = "gpt-4o llama4 kanana2 minimax-m2", .stages = {GPT4O}},
    {.names = "falcon", .stages = {"[\\p{P}$+<=>^~|`]+", GPT2, "[0-9][0-9][0-9]"}},
    {.names = "deepseek-llm",
     .stages = {"[\\r\\n]", S "?[" DEEPSEEK_LETTERS "]+", S "?[!-/:-~！-／：-～‘-‟　-。]+",
                "(?<!" S ")" S "+\\z", "[" CJK "\\x{800}-\\x{4e00}\\x{ac00}-\\x{d7ff}]+",
                "\\p{N}+"}},
    {.names = "deepseek-coder",
     .stages = {"[\\r\\n]", S "?\\p{L}+", S "?\\p{P}+",
                "[" CJK "\\x{800}-\\x{4e00}\\x{ac00}-\\x{d7ff}]+", "\\p{N}"}},
    {.names = "deepseek-v3 hunyuan-dense joyai-llm hy_v4",
     .stages = {"\\p{N}{1,3}", "[" CJK "\\x{3040}-\\x{30ff}]+", DEEPSEEK}},
    {.names = "poro-chat bloom gpt3-finnish", .stages = {CLAUSES}},
    {.names = "viking", .stages = {CLAUSES, "\\p{N}"}},
};

struct sz_pretokenizer {
    const recipe *recipe;
    sz_pattern *stages[MAX_STAGES];
    size_t n_stages;
};

static bool has_name(const char *names, const char *name, size_t n) {
    while (*names) {
        size_t length = strcspn(names, " ");
        if (length == n && memcmp(names, name, n) == 0)
            return true;
        names += length;
        names += *names == ' ';
    }
    return false;
}

static const recipe *find_recipe(const char *name, size_t n) {
    for (size_t i = 0; i < sizeof RECIPES / sizeof RECIPES[0]; i++) {
        if (n > 0 && has_name(RECIPES[i].names, name, n))
            return &RECIPES[i];
    }
    return NULL;
}

sz_status sz_pretokenizer_new(const char *name, size_t n_name, sz_pretokenizer **out) {
    const recipe *found = find_recipe(name, n_name);
    char shown[80];
    SZ_REQUIRE(found, SZ_E_UNSUPPORTED,
               "tokenizer.ggml.pre is \"%s\", a pre-tokeniser that is not in the table of "
               "src/model/pretokenizer.c; without its pattern the token ids would be wrong",
               sz_show_text(name, n_name, shown));
    sz_pretokenizer *p = sz_calloc(1, sizeof *p);
    SZ_REQUIRE(p, SZ_E_NOMEM, "out of memory for the pre-tokeniser");
    p->recipe = found;
    while (p->n_stages < MAX_STAGES && found->stages[p->n_stages]) {
        sz_status status = sz_pattern_new(found->stages[p->n_stages], &p->stages[p->n_stages]);
        if (status != SZ_OK) {
            sz_pretokenizer_free(p);
            return status;
        }
        p->n_stages++;
    }
    *out = p;
    return SZ_OK;
}

void sz_pretokenizer_free(sz_pretokenizer *p) {
    if (!p)
        return;
    for (size_t i = 0; i < p->n_stages; i++)
        sz_pattern_free(p->stages[i]);
    sz_free(p);
}

bool sz_pretokenizer_ignores_merges(const sz_pretokenizer *p) {
    return p->recipe->ignore_merges;
}

bool sz_pretokenizer_adds_bos(const sz_pretokenizer *p) {
    return p->recipe->add_bos;
}

typedef struct splitter {
    const sz_pretokenizer *p;
    sz_matcher *m;
    sz_word_fn fn;
    void *context;
} splitter;

static sz_status split(const splitter *x, size_t stage, const char *s, size_t n);

static sz_status hand_on(const splitter *x, size_t stage, const char *s, size_t n) {
    if (n == 0)
        return SZ_OK;
    return stage + 1 < x->p->n_stages ? split(x, stage + 1, s, n) : x->fn(x->context, s, n);
}

static sz_status split(const splitter *x, size_t stage, const char *s, size_t n) {
    size_t done = 0;
    while (done < n) {
        size_t start, end;
        sz_status status = sz_pattern_next(x->p->stages[stage], x->m, s, n, done, &start, &end);
        if (status == SZ_END)
            return hand_on(x, stage, s + done, n - done);
        SZ_TRY(status);
        SZ_TRY(hand_on(x, stage, s + done, start - done));
        SZ_TRY(hand_on(x, stage, s + start, end - start));
        done = end;
    }
    return SZ_OK;
}

sz_status sz_pretokenizer_split(const sz_pretokenizer *p, sz_matcher *m, const char *text, size_t n,
                                sz_word_fn fn, void *context) {
    splitter x = {p, m, fn, context};
    return split(&x, 0, text, n);
}
