/* option.c: the grammar of structured options (option.h). */
#include <szilard/unstable/option.h>

#include <string.h>

typedef struct word {
    const char *s;
    size_t n;
} word;

static const char blanks[] = " \t\r\n";

/* The mark that closes quoted text whose opening mark is at s, or `end` where there is none. */
static const char *closing_mark(const char *s, const char *end) {
    for (s++; s < end && *s != '"'; s++)
        s += *s == '\\' && s + 1 < end;
    return s;
}

/* The first of these characters outside of quotation marks, or `end`. */
static const char *find(const char *s, const char *end, const char *these) {
    while (s < end && !strchr(these, *s)) {
        if (*s == '"')
            s = closing_mark(s, end);
        s += s < end;
    }
    return s;
}

static word next_word(const char *s, const char *end) {
    while (s < end && strchr(blanks, *s))
        s++;
    return (word){s, (size_t)(find(s, end, blanks) - s)};
}

static bool same(word w, const char *name) {
    return strlen(name) == w.n && memcmp(name, w.s, w.n) == 0;
}

sz_status sz_setting_read(const char **text, sz_setting *out) {
    const char *from = *text + strspn(*text, blanks);
    if (!*from)
        return SZ_END;
    const char *close = from + strlen(from), *end = find(from, close, ",");
    for (const char *mark = find(from, close, "\""); mark < close;) {
        const char *closing = closing_mark(mark, close);
        SZ_REQUIRE(closing < close, SZ_E_ARG, "the quotation marks in '%.40s' do not close", mark);
        mark = find(closing + 1, close, "\"");
    }
    word name = next_word(from, end);
    SZ_REQUIRE(name.n > 0, SZ_E_ARG, "a name is missing before the comma in '%.40s'", from);
    *out = (sz_setting){name.s, name.s + name.n, name.n, (size_t)(end - name.s) - name.n};
    if (*end == ',') {
        end++;
        SZ_REQUIRE(end[strspn(end, blanks)], SZ_E_ARG, "a name is missing after the last comma");
    }
    *text = end;
    return SZ_OK;
}

bool sz_setting_is(const sz_setting *s, const char *name) {
    return same((word){s->name, s->n_name}, name);
}

/* ---- Numbers: [-]digits[.digits][e[-]digits] ------------------------------------------------- */

typedef struct number { /* digits * 10^exponent */
    double digits;
    int exponent;
} number;

static size_t read_digits(word w, size_t at, double *value) {
    for (; at < w.n && w.s[at] >= '0' && w.s[at] <= '9'; at++)
        *value = *value * 10.0 + (w.s[at] - '0');
    return at;
}

static double power_of_ten(int n) {
    double p = 1.0;
    for (; n > 0; n--)
        p *= 10.0;
    return p;
}

/* Correctly rounded up to 15 digits and 22 places, which is all that options need. */
static bool read_number(word w, double *out) {
    bool negative = w.n > 0 && w.s[0] == '-';
    double value = 0.0, exponent = 0.0;
    size_t start = negative, at = read_digits(w, start, &value), places = 0, n_digits = at - start;
    if (w.n > 40)
        return false;
    if (at < w.n && w.s[at] == '.') {
        size_t end = read_digits(w, at + 1, &value);
        places = end - at - 1;
        n_digits += places;
        at = end;
    }
    bool fraction = false;
    if (n_digits > 0 && at < w.n && (w.s[at] == 'e' || w.s[at] == 'E')) {
        fraction = at + 1 < w.n && w.s[at + 1] == '-';
        size_t first = at + 1 + fraction;
        at = read_digits(w, first, &exponent);
        if (at == first || exponent > 30.0)
            return false;
    }
    int power = (fraction ? -(int)exponent : (int)exponent) - (int)places;
    value = power < 0 ? value / power_of_ten(-power) : value * power_of_ten(power);
    *out = negative ? -value : value;
    return n_digits > 0 && at == w.n;
}

/* ---- Values ---------------------------------------------------------------------------------- */

/* The place of a word in "a|b|c"; -1 if it is not there. */
static int place_among(const char *words, word w) {
    for (int place = 0; words; place++) {
        const char *bar = strchr(words, '|');
        size_t n = bar ? (size_t)(bar - words) : strlen(words);
        if (n == w.n && memcmp(words, w.s, n) == 0)
            return place;
        words = bar ? bar + 1 : NULL;
    }
    return -1;
}

static sz_status set_value(const char *what, const sz_option *o, word w, double *out) {
    double v;
    int place = place_among(o->words, w);
    if (place >= 0) {
        *out = place;
        return SZ_OK;
    }
    SZ_REQUIRE(!o->words || read_number(w, &v), SZ_E_ARG, "%s: %s is one of %s, not '%.*s'", what,
               o->name, o->words, (int)w.n, w.s);
    SZ_REQUIRE(read_number(w, &v), SZ_E_ARG, "%s: '%.*s' is not a number for %s", what, (int)w.n,
               w.s, o->name);
    SZ_REQUIRE(v >= o->min && v <= o->max, SZ_E_ARG, "%s: %s = %.*s is not in %g .. %g", what,
               o->name, (int)w.n, w.s, o->min, o->max);
    SZ_REQUIRE(!(o->whole || o->words) || v == (double)(int64_t)v, SZ_E_ARG,
               "%s: %s = %.*s is not a whole number", what, o->name, (int)w.n, w.s);
    *out = v;
    return SZ_OK;
}

static sz_status no_option(const char *what, const sz_option *options, word w) {
    sz_buf names = {0};
    for (size_t i = 0; options && options[i].name; i++)
        sz_buf_printf(&names, "%s%s", i ? ", " : "", options[i].name);
    sz_status status = sz_fail(SZ_E_ARG, "%s: '%.*s' is left over; options: %s", what, (int)w.n,
                               w.s, names.len ? names.data : "none");
    sz_buf_free(&names);
    return status;
}

/* option=value; without a name, name->s is NULL. */
static void split(word w, word *name, word *value) {
    const char *equals = w.s[0] == '"' ? NULL : memchr(w.s, '=', w.n);
    *name = (word){equals ? w.s : NULL, equals ? (size_t)(equals - w.s) : 0};
    *value = equals ? (word){equals + 1, w.n - name->n - 1} : w;
}

sz_status sz_setting_values(const sz_setting *s, const char *what, const sz_option *options,
                            double values[SZ_OPTIONS_MAX]) {
    const char *at = s->words, *end = s->words + s->n_words;
    bool given[SZ_OPTIONS_MAX] = {false}, first = true;
    for (size_t i = 0; options && options[i].name; i++)
        values[i] = options[i].value;
    for (word w; (w = next_word(at, end)).n > 0; at = w.s + w.n, first = false) {
        word name, value;
        split(w, &name, &value);
        size_t i = 0;
        while (name.s && options && options[i].name && !same(name, options[i].name))
            i++;
        if (!options || !options[i].name || (!name.s && !first))
            return no_option(what, options, w);
        if (options[i].text) {
            values[i]++;
            continue;
        }
        SZ_REQUIRE(!given[i], SZ_E_ARG, "%s: %s is given twice", what, options[i].name);
        given[i] = true;
        SZ_TRY(set_value(what, &options[i], value, &values[i]));
    }
    return SZ_OK;
}

/* ---- Texts ----------------------------------------------------------------------------------- */

static sz_status unquote(word w, sz_buf *out) {
    static const char from[] = "ntr\"\\", to[] = "\n\t\r\"\\";
    bool quoted = w.n >= 2 && w.s[0] == '"' && w.s[w.n - 1] == '"';
    for (size_t i = quoted; i < w.n - quoted; i++) {
        const char *code = NULL;
        if (quoted && w.s[i] == '\\') {
            code = strchr(from, w.s[++i]);
            SZ_REQUIRE(code, SZ_E_ARG, "'\\%c' in %.*s is not understood", w.s[i], (int)w.n, w.s);
        }
        sz_buf_putc(out, code ? to[code - from] : w.s[i]);
    }
    SZ_REQUIRE(!out->failed, SZ_E_NOMEM, "no memory for a text");
    return SZ_OK;
}

sz_status sz_setting_text(const sz_setting *s, const char *option, size_t i, sz_buf *out) {
    const char *at = s->words, *end = s->words + s->n_words;
    for (word w; (w = next_word(at, end)).n > 0; at = w.s + w.n) {
        word name, value;
        split(w, &name, &value);
        if (name.s && same(name, option) && i-- == 0)
            return unquote(value, out);
    }
    return SZ_END;
}
