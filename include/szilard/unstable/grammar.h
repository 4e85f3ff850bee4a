/* grammar.h: what a text must look like, as one automaton over bytes: grammars in GBNF (the
 * notation of llama.cpp), regular expressions and JSON schemas. A grammar is foreign text: every
 * size is bounded. */
#ifndef SZILARD_GRAMMAR_H
#define SZILARD_GRAMMAR_H

#include <szilard/unstable/base.h>

/* A compiled grammar; remembers the states that were visited, so it serves one thread at a time. */
typedef struct sz_grammar sz_grammar;

/* GBNF: rules `name ::= ...`, starting from `root`: "literals", [character classes], ., ( groups ),
 * | alternatives, * + ? {m,n} repetitions, # comments. SZ_E_FORMAT names line and column; a rule
 * that begins with itself is refused by name. */
SZ_API sz_status sz_grammar_parse(const char *gbnf, size_t n, sz_grammar **out);
/* The subset of regular expressions that describe a whole text: literals, ., classes, \d \w \s and
 * their opposites, groups, | * + ? {m,n}; ^ and $ at the ends. No back references, no look-around.
 */
SZ_API sz_status sz_grammar_from_regex(const char *regex, size_t n, sz_grammar **out);
/* JSON Schema: type, properties, required, additionalProperties, items, prefixItems, minItems,
 * maxItems, enum, const, anyOf, oneOf, $ref within the document, pattern, minLength, maxLength,
 * minimum and maximum of integers by digits. A keyword that would bind and is not known is an
 * error.
 * "{}": any JSON value. */
SZ_API sz_status sz_grammar_from_schema(const sz_json *schema, sz_grammar **out);
/* The same as text, to look at. */
SZ_API sz_status sz_grammar_regex_to_gbnf(const char *regex, size_t n, sz_buf *out);
SZ_API sz_status sz_grammar_schema_to_gbnf(const sz_json *schema, sz_buf *out);
SZ_API void sz_grammar_free(sz_grammar *g);

/* States are numbers. SZ_GRAMMAR_DEAD: no text goes on from here. */
enum { SZ_GRAMMAR_DEAD = 0 };
SZ_API uint32_t sz_grammar_start(const sz_grammar *g);
/* The state after one more byte. SZ_E_LIMIT: more ways to read the text than a bound allows. */
SZ_API sz_status sz_grammar_step(sz_grammar *g, uint32_t state, uint8_t byte, uint32_t *next);
/* Whether the text may end here. */
SZ_API bool sz_grammar_accepts(const sz_grammar *g, uint32_t state);
/* Whether the whole text follows the grammar. */
SZ_API sz_status sz_grammar_match(sz_grammar *g, const char *text, size_t n, bool *out);

#endif
