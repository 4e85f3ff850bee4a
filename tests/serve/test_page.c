/* The page's files: what a browser is told of them, and that nothing else can be had. */
#include "client.h"

static void check_file(const served *s, const char *path, const char *type, const char *holds) {
    answered a = client_request(s, "GET", path, "", NULL);
    assert_int_equal(a.status, 200);
    if (!strstr(a.head.data, type) || !strstr(a.body.data, holds))
        fail_msg("%s: %s%.200s", path, a.head.data, a.body.data);
    assert_non_null(strstr(a.head.data, "Content-Security-Policy: default-src 'none'"));
    assert_non_null(strstr(a.head.data, "X-Content-Type-Options: nosniff"));
    answered_free(&a);
}

static void the_page_and_its_files(void **state) {
    served s;
    served_open(&s, NULL, false);
    check_file(&s, "/", "Content-Type: text/html", "<title>Szilard</title>");
    check_file(&s, "/page/main.js", "Content-Type: text/javascript", "hashchange");
    check_file(&s, "/page/style.css", "Content-Type: text/css", "--hot");
    check_file(&s, "/page/icon.svg", "Content-Type: image/svg+xml", "<svg");
    served_close(&s);
}

/* Every file that the page names is there, and none comes from elsewhere. */
static void all_that_it_names_is_there(void **state) {
    served s;
    served_open(&s, NULL, false);
    answered page = client_request(&s, "GET", "/", "", NULL);
    assert_null(strstr(page.body.data, "http://"));
    assert_null(strstr(page.body.data, "https://"));
    int n = 0;
    for (char *at = page.body.data; (at = strstr(at, "\"/page/")); at++, n++) {
        char path[64];
        assert_int_equal(sscanf(at, "\"%63[^\"]", path), 1);
        answered a = client_request(&s, "GET", path, "", NULL);
        if (a.status != 200)
            fail_msg("%s: %d", path, a.status);
        answered_free(&a);
    }
    assert_true(n >= 3);
    answered_free(&page);
    served_close(&s);
}

static void nothing_else_can_be_had(void **state) {
    static const char *const paths[] = {"/page/",
                                        "/page/none.js",
                                        "/page/../index.html",
                                        "/page/../../../../etc/passwd",
                                        "/page/%2e%2e/%2e%2e/etc/passwd",
                                        "/page//etc/passwd",
                                        "/page/main.js/",
                                        "/pagemain.js",
                                        "/index.html"};
    served s;
    served_open(&s, NULL, false);
    for (size_t i = 0; i < sizeof paths / sizeof *paths; i++) {
        answered a = client_request(&s, "GET", paths[i], "", NULL);
        if (a.status != 404)
            fail_msg("%s: %d", paths[i], a.status);
        answered_free(&a);
    }
    answered a = client_request(&s, "POST", "/page/main.js", "", "{}");
    assert_int_equal(a.status, 405);
    answered_free(&a);
    served_close(&s);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_page_and_its_files),
        cmocka_unit_test(all_that_it_names_is_there),
        cmocka_unit_test(nothing_else_can_be_had),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
