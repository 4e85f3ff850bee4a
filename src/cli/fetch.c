/* fetch.c: downloads with libcurl, which honours the usual proxy variables by itself. */
#include "fetch.h"
#include "late.h"
#include "paths.h"
#include "signals.h"
#include "term.h"
#include <curl/curl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>
#include <time.h>

#undef curl_easy_setopt /* macros that count the arguments */
#undef curl_easy_getinfo
#define EACH_FUNCTION(F)                                                                           \
    F(curl_global_init)                                                                            \
    F(curl_easy_init)                                                                              \
    F(curl_easy_setopt)                                                                            \
    F(curl_easy_getinfo)                                                                           \
    F(curl_easy_perform)                                                                           \
    F(curl_easy_strerror)                                                                          \
    F(curl_easy_cleanup)                                                                           \
    F(curl_slist_append)                                                                           \
    F(curl_slist_free_all)
static struct { EACH_FUNCTION(SZ_LATE_FUNCTION) } late;
static const char *const late_names[] = {EACH_FUNCTION(SZ_LATE_NAME)};

#define MAX_ATTEMPTS  5
#define MESSAGE_BYTES 200

typedef struct transfer {
    CURL *curl;
    sz_part *part; /* NULL: into `text` */
    sz_buf *text;
    uint64_t resume_at;
    bool started;         /* the first bytes of the answer have come */
    bool refused;         /* the status says that the body is no file */
    sz_status status;     /* of what the callbacks did */
    char why[512];        /* their error text: the callbacks' caller is libcurl */
    char validator[256];  /* ETag or Last-Modified of the answer */
    uint64_t range_start; /* of a partial answer */
    char linked_sha256[65];
    char message[MESSAGE_BYTES];
    size_t message_n;
    sz_progress progress;
} transfer;

static size_t stop(transfer *t, sz_status status) {
    t->status = status;
    snprintf(t->why, sizeof t->why, "%s", sz_last_error());
    return 0;
}

static bool header_is(const char *line, size_t n, const char *name, char *value, size_t cap) {
    size_t m = strlen(name);
    if (n <= m || strncasecmp(line, name, m) != 0 || line[m] != ':')
        return false;
    size_t from = m + 1;
    while (from < n && (line[from] == ' ' || line[from] == '\t'))
        from++;
    while (n > from && (line[n - 1] == '\r' || line[n - 1] == '\n' || line[n - 1] == ' '))
        n--;
    if (n - from >= cap)
        return false;
    memcpy(value, line + from, n - from);
    value[n - from] = '\0';
    return true;
}

/* Hugging Face tells a file's SHA-256 in the redirect to its storage. */
static void take_linked_digest(transfer *t, const char *etag) {
    const char *hex = etag[0] == '"' ? etag + 1 : etag;
    if (strspn(hex, "0123456789abcdef") == 64)
        snprintf(t->linked_sha256, sizeof t->linked_sha256, "%.64s", hex);
}

static size_t on_header(char *line, size_t size, size_t n, void *user) {
    transfer *t = user;
    char value[256];
    if (n >= 5 && strncmp(line, "HTTP/", 5) == 0)
        t->validator[0] = '\0'; /* only the last answer's counts */
    else if (header_is(line, n, "ETag", value, sizeof value) && value[0] == '"')
        snprintf(t->validator, sizeof t->validator, "%s", value);
    else if (header_is(line, n, "Last-Modified", value, sizeof value) && !t->validator[0])
        snprintf(t->validator, sizeof t->validator, "%s", value);
    else if (header_is(line, n, "Content-Range", value, sizeof value))
        t->range_start = strncmp(value, "bytes ", 6) == 0 ? strtoull(value + 6, NULL, 10) : 0;
    else if (header_is(line, n, "X-Linked-Etag", value, sizeof value))
        take_linked_digest(t, value);
    return size * n;
}

static sz_status check_room(const transfer *t, uint64_t more) {
    struct statvfs fs;
    if (statvfs(t->part->path, &fs) != 0)
        return SZ_OK;
    uint64_t room = (uint64_t)fs.f_bavail * fs.f_frsize;
    SZ_REQUIRE(more <= room, SZ_E_IO, "no room for %s: %llu more bytes needed, %llu free",
               t->part->want->path, (unsigned long long)more, (unsigned long long)room);
    return SZ_OK;
}

/* The first bytes are here: is this the file, and from which position on? */
static sz_status begin_body(transfer *t) {
    long code = 0;
    curl_off_t length = -1;
    late.curl_easy_getinfo(t->curl, CURLINFO_RESPONSE_CODE, &code);
    late.curl_easy_getinfo(t->curl, CURLINFO_CONTENT_LENGTH_DOWNLOAD_T, &length);
    t->started = true;
    t->refused = code >= 300;
    if (t->refused || !t->part)
        return SZ_OK;
    sz_wanted *want = t->part->want;
    if (code == 200 && t->part->size > 0) /* the whole file, whatever range was asked for */
        SZ_TRY(sz_part_cut(t->part, 0));
    SZ_REQUIRE(code != 206 || t->range_start == t->resume_at, SZ_E_NETWORK,
               "the server sends bytes from %llu on instead of %llu",
               (unsigned long long)t->range_start, (unsigned long long)t->resume_at);
    if (t->linked_sha256[0] && !want->sha256[0])
        memcpy(want->sha256, t->linked_sha256, sizeof want->sha256);
    if (length >= 0) {
        uint64_t total = t->part->size + (uint64_t)length;
        SZ_REQUIRE(!want->bytes || want->bytes == total, SZ_E_FORMAT,
                   "the file offered has %llu bytes instead of %llu", (unsigned long long)total,
                   (unsigned long long)want->bytes);
        SZ_TRY(check_room(t, (uint64_t)length));
        t->progress.total = total;
    }
    t->progress.first = t->part->size;
    return sz_part_mark(t->part, t->validator);
}

static size_t on_body(char *bytes, size_t size, size_t n, void *user) {
    transfer *t = user;
    n *= size;
    sz_status status = SZ_OK;
    if (!t->started && (status = begin_body(t)) != SZ_OK)
        return stop(t, status);
    if (t->refused) {
        size_t room = sizeof t->message - 1 - t->message_n, m = n < room ? n : room;
        memcpy(t->message + t->message_n, bytes, m);
        t->message_n += m;
        return n;
    }
    if (t->part) {
        status = sz_part_append(t->part, bytes, n);
    } else {
        sz_buf_append(t->text, bytes, n);
        if (t->text->failed)
            status = sz_fail(SZ_E_LIMIT, "the answer is longer than %zu bytes", t->text->limit);
    }
    return status == SZ_OK ? n : stop(t, status);
}

static int on_progress(void *user, curl_off_t total, curl_off_t now, curl_off_t u, curl_off_t v) {
    transfer *t = user;
    if (t->part && t->started && !t->refused)
        sz_progress_update(&t->progress, t->part->size);
    return sz_interrupted();
}

static void set_options(transfer *t, const char *url, struct curl_slist *headers, char *error) {
    CURL *c = t->curl;
    late.curl_easy_setopt(c, CURLOPT_URL, url);
    late.curl_easy_setopt(c, CURLOPT_PROTOCOLS_STR, "http,https,file");
    late.curl_easy_setopt(c, CURLOPT_REDIR_PROTOCOLS_STR, "http,https");
    late.curl_easy_setopt(c, CURLOPT_FOLLOWLOCATION, 1L);
    late.curl_easy_setopt(c, CURLOPT_MAXREDIRS, 10L);
    late.curl_easy_setopt(c, CURLOPT_CONNECTTIMEOUT, 15L);
    late.curl_easy_setopt(c, CURLOPT_LOW_SPEED_LIMIT, 1L);
    late.curl_easy_setopt(c, CURLOPT_LOW_SPEED_TIME, 60L);
    late.curl_easy_setopt(c, CURLOPT_NOSIGNAL, 1L);
    late.curl_easy_setopt(c, CURLOPT_USERAGENT, "szilard");
    late.curl_easy_setopt(c, CURLOPT_ERRORBUFFER, error);
    late.curl_easy_setopt(c, CURLOPT_HTTPHEADER, headers);
    late.curl_easy_setopt(c, CURLOPT_HEADERFUNCTION, on_header);
    late.curl_easy_setopt(c, CURLOPT_HEADERDATA, t);
    late.curl_easy_setopt(c, CURLOPT_WRITEFUNCTION, on_body);
    late.curl_easy_setopt(c, CURLOPT_WRITEDATA, t);
    late.curl_easy_setopt(c, CURLOPT_XFERINFOFUNCTION, on_progress);
    late.curl_easy_setopt(c, CURLOPT_XFERINFODATA, t);
    late.curl_easy_setopt(c, CURLOPT_NOPROGRESS, 0L);
}

/* libcurl does not pass these on when a redirect leads to another host. */
static struct curl_slist *make_headers(const transfer *t, const char *url) {
    struct curl_slist *list = NULL;
    char *authorization = sz_hub_authorization(url);
    if (authorization)
        list = late.curl_slist_append(list, authorization);
    free(authorization);
    if (t->resume_at > 0 && t->part->mark[0]) {
        char *line = sz_text("If-Range: %s", t->part->mark);
        if (line)
            list = late.curl_slist_append(list, line);
        free(line);
    }
    return list;
}

typedef enum outcome { DONE, FAILED, PASSING /* may go better the next time */ } outcome;

static bool may_pass(CURLcode code) {
    return code == CURLE_COULDNT_CONNECT || code == CURLE_PARTIAL_FILE ||
           code == CURLE_OPERATION_TIMEDOUT || code == CURLE_RECV_ERROR ||
           code == CURLE_SEND_ERROR || code == CURLE_GOT_NOTHING || code == CURLE_HTTP2_STREAM;
}

static outcome judge_status(transfer *t, const char *url, long code) {
    if (code == 416 && t->part && t->part->size > 0) { /* nothing after what is here already */
        if (t->part->want->bytes == t->part->size)
            return DONE;
        if (sz_part_cut(t->part, 0) == SZ_OK)
            return PASSING;
    }
    const char *hint = "";
    if (code == 401 || code == 403)
        hint = "; if the file asks for an account, set HF_TOKEN";
    for (size_t i = 0; i < t->message_n; i++)
        if ((unsigned char)t->message[i] < ' ')
            t->message[i] = ' ';
    t->message[t->message_n] = '\0';
    sz_fail(code == 404 ? SZ_E_NOTFOUND : SZ_E_NETWORK, "%s: the server answers %ld%s%s%s", url,
            code, t->message_n ? ": " : "", t->message_n ? t->message : "", hint);
    return code >= 500 || code == 408 || code == 429 ? PASSING : FAILED;
}

static outcome judge(transfer *t, const char *url, CURLcode code, const char *error) {
    long http = 0;
    late.curl_easy_getinfo(t->curl, CURLINFO_RESPONSE_CODE, &http);
    if (sz_interrupted()) {
        sz_fail(SZ_E_CANCELLED, "interrupted");
        return FAILED;
    }
    if (t->status != SZ_OK) {
        sz_fail(t->status, "%s: %s", url, t->why);
        return FAILED;
    }
    if (http >= 300)
        return judge_status(t, url, http);
    if (code == CURLE_OK)
        return DONE;
    sz_fail(code == CURLE_FILE_COULDNT_READ_FILE ? SZ_E_NOTFOUND : SZ_E_NETWORK, "%s: %s", url,
            error[0] ? error : late.curl_easy_strerror(code));
    return may_pass(code) ? PASSING : FAILED;
}

/* One request. A part that is not empty is continued. */
static outcome attempt(const char *url, sz_part *part, sz_buf *text) {
    static bool initialised;
    char error[CURL_ERROR_SIZE] = "", range[32];
    if (sz_late_open(SZ_LIBCURL, late_names, sizeof late_names / sizeof *late_names, &late) !=
        SZ_OK)
        return FAILED;
    if (!initialised)
        initialised = late.curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK;
    transfer t = {.curl = late.curl_easy_init(), .part = part, .text = text};
    if (!t.curl) {
        sz_fail(SZ_E_NOMEM, "cannot start libcurl");
        return FAILED;
    }
    if (part) {
        /* Without a digest to check and a validator to send, a part might be of another file. */
        if (part->size > 0 && !part->want->sha256[0] && !part->mark[0])
            sz_part_cut(part, 0);
        t.resume_at = part->size;
        sz_progress_begin(&t.progress, part->want->label, NULL, part->size, part->want->bytes);
    }
    struct curl_slist *headers = make_headers(&t, url);
    set_options(&t, url, headers, error);
    snprintf(range, sizeof range, "%llu-", (unsigned long long)t.resume_at);
    if (t.resume_at > 0)
        late.curl_easy_setopt(t.curl, CURLOPT_RANGE, range);
    CURLcode code = late.curl_easy_perform(t.curl);
    if (part)
        sz_progress_end(&t.progress);
    outcome o = judge(&t, url, code, error);
    late.curl_slist_free_all(headers);
    late.curl_easy_cleanup(t.curl);
    return o;
}

/* Tries again after 0.5, 1, 2, 4 s, unless an attempt brought something: then it starts over. */
static outcome persist(const char *url, sz_part *part, sz_buf *text) {
    outcome o = PASSING;
    for (int n = 0; n < MAX_ATTEMPTS && o == PASSING; n++) {
        struct timespec pause = {.tv_sec = n > 1 ? 1 << (n - 2) : 0,
                                 .tv_nsec = n == 1 ? 500000000 : 0};
        if (n > 0 && nanosleep(&pause, NULL) != 0)
            break; /* a signal */
        uint64_t before = part ? part->size : 0;
        o = attempt(url, part, text);
        if (part && part->size > before)
            n = 0;
    }
    return o;
}

sz_status sz_fetch_url(const char *url, sz_wanted *want) {
    sz_part part;
    SZ_TRY(sz_part_open(want, url, &part));
    bool whole = want->bytes && part.size == want->bytes;
    sz_status status = SZ_OK;
    if (!whole && persist(url, &part, NULL) != DONE)
        status = sz_interrupted() ? SZ_E_CANCELLED : SZ_E_NETWORK;
    if (status == SZ_OK)
        status = sz_part_finish(&part);
    sz_part_close(&part);
    return status;
}

sz_status sz_fetch_text(const char *url, size_t max_bytes, sz_buf *b) {
    b->limit = max_bytes;
    return persist(url, NULL, b) == DONE ? SZ_OK : sz_interrupted() ? SZ_E_CANCELLED : SZ_E_NETWORK;
}
