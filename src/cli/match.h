/* match.h: what `szilard match` reads, and its two works: finding a pattern, finding duplicates. */
#ifndef SZ_CLI_MATCH_H
#define SZ_CLI_MATCH_H

#include "engine.h"
#include <szilard/unstable/text.h>
#include <szilard/unstable/tokenizer.h>

typedef enum sz_match_reading { SZ_MATCH_BYTES, SZ_MATCH_IDS, SZ_MATCH_TOKENS } sz_match_reading;

typedef enum sz_match_unit { SZ_UNIT_AUTO, SZ_UNIT_FILE, SZ_UNIT_LINE } sz_match_unit;

typedef struct sz_match_settings {
    sz_engine_options engine; /* a model makes tokens of text */
    const char *pattern;      /* the text itself; NULL: pattern_file holds it */
    const char *pattern_file;
    char **files; /* [n_files] "-": standard input */
    size_t n_files;
    sz_match_reading reading;
    const char *k; /* "3", "10%"; NULL: no bound */
    bool all, json, explain, count;
    double epsilon, delta; /* epsilon 0: exact */
    sz_match_method method;
    const char *wildcard; /* a byte or an id; NULL: none */
    uint64_t seed;
    /* dup: the files are the corpus */
    bool dup;
    sz_match_unit unit;
    double similarity; /* 0: the library's defaults */
    size_t least;
} sz_match_settings;

/* A text as symbols, and the file or memory that holds them. */
typedef struct sz_match_text {
    sz_symbols s;
    sz_map map;
    sz_buf bytes;
    int32_t *ids;
} sz_match_text;

/* tokenizer: for SZ_MATCH_TOKENS. Regular files of bytes are mapped, not read. */
sz_status sz_match_text_read(const char *path, sz_match_reading reading,
                             const sz_tokenizer *tokenizer, sz_match_text *out);
/* The same for text that is at hand; borrowed where it stays bytes. */
sz_status sz_match_text_take(const char *source, const char *text, size_t n,
                             sz_match_reading reading, const sz_tokenizer *tokenizer,
                             sz_match_text *out);
void sz_match_text_free(sz_match_text *t);
/* Symbols from..from + n as text on one line, at most `most` bytes of it; nothing for bare ids. */
void sz_match_put_excerpt(sz_buf *b, const sz_match_text *t, const sz_tokenizer *tokenizer,
                          size_t from, size_t n, size_t most);

sz_status sz_match_find(const sz_match_settings *s, const sz_tokenizer *tokenizer, sz_runtime *rt);
sz_status sz_match_dup(const sz_match_settings *s, const sz_tokenizer *tokenizer);

#endif
