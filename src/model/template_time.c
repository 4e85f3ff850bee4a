/* template_time.c: strftime in UTC, always in English: a prompt must not depend on the locale. */
#include "model/template_builtin.h"

typedef struct civil {
    int64_t year;
    int month, day; /* 1 .. 12, 1 .. 31 */
    int hour, minute, second;
    int weekday, yearday; /* 0: Sunday; 0: 1 January */
} civil;

static const char *const DAYS[] = {"Sunday",   "Monday", "Tuesday", "Wednesday",
                                   "Thursday", "Friday", "Saturday"};
static const char *const MONTHS[] = {"January",   "February", "March",    "April",
                                     "May",       "June",     "July",     "August",
                                     "September", "October",  "November", "December"};

static bool is_leap(int64_t year) {
    return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
}

static int month_days(int64_t year, int month) {
    static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    return days[month - 1] + (month == 2 && is_leap(year));
}

/* Gregorian calendar; years 1 to 9999. */
static sz_status civil_from_unix(int64_t t, civil *c) {
    SZ_REQUIRE(t >= -62135596800 && t < 253402300800, SZ_E_ARG, "the time %lld is out of range",
               (long long)t);
    int64_t days = t / 86400 - (t % 86400 < 0), second = t - days * 86400;
    days += 719162; /* since 1 January of year 1 */
    *c = (civil){.hour = (int)(second / 3600),
                 .minute = (int)(second / 60 % 60),
                 .second = (int)(second % 60),
                 .weekday = (int)((days + 1) % 7),
                 .year = 1 + days / 146097 * 400};
    for (days %= 146097; days >= 365 + is_leap(c->year); c->year++)
        days -= 365 + is_leap(c->year);
    c->yearday = (int)days;
    for (c->month = 1; days >= month_days(c->year, c->month); c->month++)
        days -= month_days(c->year, c->month);
    c->day = (int)days + 1;
    return SZ_OK;
}

/* ISO 8601: week 1 holds the year's first Thursday. */
static int iso_week(const civil *c, int64_t *year) {
    int weekday = (c->weekday + 6) % 7; /* 0: Monday */
    int thursday = c->yearday - weekday + 3;
    *year = c->year;
    if (thursday < 0) {
        *year -= 1;
        thursday += 365 + is_leap(*year);
    } else if (thursday >= 365 + is_leap(*year)) {
        thursday -= 365 + is_leap(*year);
        *year += 1;
    }
    return thursday / 7 + 1;
}

typedef struct field {
    int64_t value;
    int width;
    char pad; /* '0', ' ' */
} field;

static bool number_field(const civil *c, int64_t t, char letter, field *f) {
    int64_t iso_year;
    int week = iso_week(c, &iso_year), hour12 = c->hour % 12 ? c->hour % 12 : 12;
    const struct {
        char letter;
        field f;
    } fields[] = {{'Y', {c->year, 4, '0'}},
                  {'C', {c->year / 100, 2, '0'}},
                  {'y', {c->year % 100, 2, '0'}},
                  {'m', {c->month, 2, '0'}},
                  {'d', {c->day, 2, '0'}},
                  {'e', {c->day, 2, ' '}},
                  {'H', {c->hour, 2, '0'}},
                  {'k', {c->hour, 2, ' '}},
                  {'I', {hour12, 2, '0'}},
                  {'l', {hour12, 2, ' '}},
                  {'M', {c->minute, 2, '0'}},
                  {'S', {c->second, 2, '0'}},
                  {'f', {0, 6, '0'}},
                  {'j', {c->yearday + 1, 3, '0'}},
                  {'u', {c->weekday ? c->weekday : 7, 1, '0'}},
                  {'w', {c->weekday, 1, '0'}},
                  {'U', {(c->yearday + 7 - c->weekday) / 7, 2, '0'}},
                  {'W', {(c->yearday + 7 - (c->weekday + 6) % 7) / 7, 2, '0'}},
                  {'V', {week, 2, '0'}},
                  {'G', {iso_year, 4, '0'}},
                  {'s', {t, 1, '0'}}};
    for (size_t i = 0; i < sizeof fields / sizeof *fields; i++) {
        if (fields[i].letter == letter) {
            *f = fields[i].f;
            return true;
        }
    }
    return false;
}

static const char *composite(char letter) {
    switch (letter) {
    case 'c':
        return "%a %b %e %H:%M:%S %Y";
    case 'D':
    case 'x':
        return "%m/%d/%y";
    case 'F':
        return "%Y-%m-%d";
    case 'r':
        return "%I:%M:%S %p";
    case 'R':
        return "%H:%M";
    case 'T':
    case 'X':
        return "%H:%M:%S";
    default:
        return NULL;
    }
}

static bool put_word(sz_buf *b, const civil *c, char letter) {
    switch (letter) {
    case 'A':
        sz_buf_puts(b, DAYS[c->weekday]);
        return true;
    case 'a':
        sz_buf_append(b, DAYS[c->weekday], 3);
        return true;
    case 'B':
        sz_buf_puts(b, MONTHS[c->month - 1]);
        return true;
    case 'b':
    case 'h':
        sz_buf_append(b, MONTHS[c->month - 1], 3);
        return true;
    case 'p':
        sz_buf_puts(b, c->hour < 12 ? "AM" : "PM");
        return true;
    case 'P':
        sz_buf_puts(b, c->hour < 12 ? "am" : "pm");
        return true;
    case 'n':
        sz_buf_putc(b, '\n');
        return true;
    case 't':
        sz_buf_putc(b, '\t');
        return true;
    case '%':
        sz_buf_putc(b, '%');
        return true;
    case 'Z':
    case 'z':
        return true; /* the time has no zone in Python either */
    default:
        return false;
    }
}

static void put_number(sz_buf *b, field f, char flag) {
    if (flag == '-')
        f.width = 1;
    else if (flag == '_' || (flag == '0' && f.pad == ' '))
        f.pad = flag == '_' ? ' ' : '0';
    if (f.pad == ' ')
        sz_buf_printf(b, "%*lld", f.width, (long long)f.value);
    else
        sz_buf_printf(b, "%0*lld", f.width, (long long)f.value);
}

static void put(sz_buf *b, const civil *c, int64_t t, const char *s, size_t n) {
    for (size_t i = 0; i < n; i++) {
        if (s[i] != '%' || i + 1 == n) {
            sz_buf_putc(b, s[i]);
            continue;
        }
        size_t from = i++;
        char flag = strchr("-_0^", s[i]) && s[i] && i + 1 < n ? s[i++] : '\0';
        const char *parts = composite(s[i]);
        field f;
        if (parts)
            put(b, c, t, parts, strlen(parts));
        else if (number_field(c, t, s[i], &f))
            put_number(b, f, flag);
        else if (!put_word(b, c, s[i]))
            sz_buf_append(b, s + from, i + 1 - from);
    }
}

sz_status sz_ttime_format(sz_render *r, int64_t unix_time, sz_tv format, sz_tv *out) {
    civil c;
    size_t from = r->scratch.len;
    SZ_TRY(civil_from_unix(unix_time, &c));
    SZ_TRY(sz_render_steps(r, 10 * (uint64_t)format.n));
    put(&r->scratch, &c, unix_time, format.u.s, format.n);
    return sz_render_take(r, from, out);
}
