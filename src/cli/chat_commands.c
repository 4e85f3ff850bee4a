/* chat_commands.c: what a line that begins with '/' does within a conversation. */
#include "chat.h"
#include "paths.h"
#include <stdlib.h>
#include <string.h>

typedef struct command {
    const char *name, *argument, *help;
    void (*run)(sz_chat *c, char *argument); /* argument: "" if there is none */
} command;

static void report(void) {
    sz_chat_say("%s", sz_last_error());
}

/* ---- Files ----------------------------------------------------------------------------------- */

/* A path with a leading ~/ resolved; free(). */
static char *expand(const char *path) {
    const char *home = getenv("HOME");
    return strncmp(path, "~/", 2) == 0 && home ? sz_text("%s%s", home, path + 1)
                                               : sz_text("%s", path);
}

static void put_transcript(const sz_dialogue *d, sz_buf *b) {
    for (size_t i = 0; i < d->n; i++) {
        if (d->raw)
            sz_buf_puts(b, d->v[i].text);
        else
            sz_buf_printf(b, "%s## %s\n\n%s\n", i ? "\n" : "", sz_role_names[d->v[i].role],
                          d->v[i].text);
    }
    if (d->raw)
        sz_buf_putc(b, '\n');
}

static sz_status write_file(const char *path, const sz_buf *b) {
    sz_writer *w;
    SZ_REQUIRE(!b->failed, SZ_E_NOMEM, "out of memory for the conversation");
    SZ_TRY(sz_writer_open(path, &w));
    sz_status status = sz_writer_write(w, b->data, b->len);
    if (status == SZ_OK)
        return sz_writer_commit(w);
    sz_writer_abort(w);
    return status;
}

static void save(sz_chat *c, char *argument) {
    sz_buf b = {0};
    char *path = expand(argument);
    if (!argument[0]) {
        sz_chat_say("save to which file? The name decides: .json keeps the messages for /load, any "
                    "other is for reading");
    } else if (path) {
        if (sz_has_suffix(path, ".json")) {
            sz_dialogue_json(&c->talk.dialogue, &b);
            sz_buf_putc(&b, '\n');
        } else {
            put_transcript(&c->talk.dialogue, &b);
        }
        if (write_file(path, &b) == SZ_OK)
            sz_chat_say("%zu messages saved to %s", c->talk.dialogue.n, path);
        else
            report();
    }
    sz_buf_free(&b);
    free(path);
}

static void load(sz_chat *c, char *argument) {
    sz_buf b = {0};
    char *path = expand(argument);
    if (!argument[0]) {
        sz_chat_say("load which file? One that /save wrote under a name with .json");
    } else if (path) {
        sz_status status = sz_cli_read(path, &b);
        if (status == SZ_OK)
            status = sz_dialogue_parse(&c->talk.dialogue, b.data ? b.data : "", b.len);
        if (status == SZ_OK)
            sz_chat_say("%zu messages loaded", c->talk.dialogue.n);
        else
            report();
    }
    sz_buf_free(&b);
    free(path);
}

/* ---- The course of the conversation ---------------------------------------------------------- */

static void clear(sz_chat *c, char *argument) {
    sz_dialogue_truncate(&c->talk.dialogue, sz_dialogue_system(&c->talk.dialogue) ? 1 : 0);
    sz_chat_say("the conversation begins anew");
}

static void undo(sz_chat *c, char *argument) {
    size_t n = sz_dialogue_before_question(&c->talk.dialogue);
    if (n == SIZE_MAX) {
        sz_chat_say("there is no question to take back");
        return;
    }
    sz_dialogue_truncate(&c->talk.dialogue, n);
    sz_chat_say("the latest question and its answer are taken back");
}

static void regenerate(sz_chat *c, char *argument) {
    size_t n = sz_dialogue_before_question(&c->talk.dialogue);
    if (n == SIZE_MAX) {
        sz_chat_say("there is no question to answer again");
        return;
    }
    sz_dialogue_truncate(&c->talk.dialogue, n + 1);
    c->talk.seed++; /* else the same answer would come */
    if (sz_voice_set_sampler(&c->talk.voice, c->talk.chain, c->talk.seed) == SZ_OK)
        sz_chat_answer(c);
    else
        report();
}

static void system_message(sz_chat *c, char *argument) {
    const char *now = sz_dialogue_system(&c->talk.dialogue);
    if (c->talk.dialogue.raw)
        sz_chat_say("a text without a chat template has no system message");
    else if (!argument[0])
        sz_chat_say("%s", now ? now : "there is no system message; /system TEXT sets one");
    else if (sz_dialogue_set_system(&c->talk.dialogue,
                                    strcmp(argument, "-") == 0 ? NULL : argument) != SZ_OK)
        report();
    else
        sz_chat_say("the system message is %s", strcmp(argument, "-") == 0 ? "removed" : "set");
}

/* ---- Settings -------------------------------------------------------------------------------- */

static void entropy(sz_chat *c, char *argument) {
    sz_generation *o = c->options;
    o->show_entropy = !o->show_entropy;
    if (!o->show_entropy)
        sz_chat_say("tokens are no longer coloured");
    else if (sz_term_depth(stdout, o->colour) == SZ_DEPTH_NONE)
        sz_chat_say("there are no colours here, so only the account tells the entropy");
    else
        sz_account_print_legend(o);
}

static void account(sz_chat *c, char *argument) {
    c->options->account = !c->options->account;
    sz_chat_say("an account is %s after each answer",
                c->options->account ? "printed" : "no longer printed");
}

static void show_settings(const sz_chat *c) {
    const sz_generation *o = c->options;
    sz_chat_say("sampler  %s", c->talk.chain);
    sz_chat_say("seed     %llu", (unsigned long long)c->talk.seed);
    sz_chat_say("n        %lld", (long long)o->max_tokens);
    sz_chat_say("think    %s", sz_think_choices[o->think]);
    sz_chat_say("context  %u of %u tokens used", sz_voice_length(&c->talk.voice),
                sz_voice_context(&c->talk.voice));
    sz_chat_say(
        "/set NAME VALUE changes sampler, sampler-preset, sampler-order, temp, top-k, top-p, "
        "min-p, top-h, target-entropy, repeat-penalty, seed, n, think");
}

static sz_status set_think(sz_chat *c, const char *value) {
    for (int i = 0; sz_think_choices[i]; i++) {
        if (strcmp(value, sz_think_choices[i]) != 0)
            continue;
        c->options->think = (sz_think)i;
        sz_talk_set_think(&c->talk);
        return SZ_OK;
    }
    return sz_fail(SZ_E_ARG, "think is on, off or hide, not '%s'", value);
}

static sz_status set_length(sz_chat *c, const char *value) {
    char *end;
    long long n = strtoll(value, &end, 10);
    SZ_REQUIRE(end != value && !*end && n >= -1 && n <= INT32_MAX, SZ_E_ARG,
               "n is a number of tokens, or -1 for no limit, not '%s'", value);
    c->options->max_tokens = n;
    return SZ_OK;
}

/* A shortcut takes the place of a whole chain, and a chain that of the shortcuts. */
static sz_status set_sampling(sz_chat *c, const char *name, const char *value) {
    sz_sampling changed = c->options->sampling, plain = sz_sampling_default();
    plain.seed = changed.seed;
    bool whole = strcmp(name, "sampler") == 0, seed = strcmp(name, "seed") == 0;
    if (whole || (changed.chain && !seed))
        changed = plain;
    SZ_TRY(sz_sampling_set(&changed, name, value));
    if (whole) {
        free(c->sampler);
        c->sampler = strdup(value);
        SZ_REQUIRE(c->sampler, SZ_E_NOMEM, "out of memory for a sampler chain");
        changed.chain = c->sampler;
    }
    c->options->sampling = changed;
    return sz_talk_set_sampling(&c->talk);
}

static void set(sz_chat *c, char *argument) {
    char *value = argument + strcspn(argument, " \t=");
    if (!argument[0] || !*value) {
        show_settings(c);
        return;
    }
    *value++ = '\0';
    value += strspn(value, " \t=");
    sz_status status = strcmp(argument, "think") == 0 ? set_think(c, value)
                       : strcmp(argument, "n") == 0   ? set_length(c, value)
                                                      : set_sampling(c, argument, value);
    if (status != SZ_OK)
        report();
    else
        show_settings(c);
}

static void leave(sz_chat *c, char *argument) {
    c->leave = true;
}

static void help(sz_chat *c, char *argument);

static const command commands[] = {
    {"/help", "", "this list", help},
    {"/regen", "", "answer the latest question again, otherwise", regenerate},
    {"/undo", "", "take the latest question and its answer back", undo},
    {"/clear", "", "forget the conversation, keep the system message", clear},
    {"/system", "[TEXT|-]", "show, set or remove the system message", system_message},
    {"/set", "[NAME VALUE]", "show or change the sampler, the seed, the length", set},
    {"/entropy", "", "colour each token by its entropy, or no longer", entropy},
    {"/account", "", "an account after each answer, or no longer", account},
    {"/save", "FILE", "save the conversation: FILE.json for /load, else for reading", save},
    {"/load", "FILE", "go on with a saved conversation", load},
    {"/exit", "", "leave, as Ctrl-D does", leave},
};
enum { N_COMMANDS = sizeof commands / sizeof *commands };

const char *const sz_chat_words[] = {"/help",    "/regen",   "/undo", "/clear", "/system", "/set",
                                     "/entropy", "/account", "/save", "/load",  "/exit",   NULL};

static void help(sz_chat *c, char *argument) {
    for (int i = 0; i < N_COMMANDS; i++)
        sz_chat_say("  %-9s%-14s%s", commands[i].name, commands[i].argument, commands[i].help);
    sz_chat_say(
        "\nA line that ends in \\ goes on in the next one; \"\"\" begins and ends a text of "
        "several lines.\nA line that begins with // is sent with one /.");
}

static const char *nearest(const char *name) {
    const char *best = NULL;
    int best_distance = 3;
    for (int i = 0; i < N_COMMANDS; i++) {
        int d = sz_edit_distance(commands[i].name, name);
        if (d < best_distance)
            best = commands[i].name, best_distance = d;
    }
    return best;
}

static const char *other_name(const char *name) {
    static const char *const others[][2] = {{"/quit", "/exit"},   {"/bye", "/exit"},
                                            {"/q", "/exit"},      {"/?", "/help"},
                                            {"/retry", "/regen"}, {"/reset", "/clear"}};
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        if (strcmp(name, others[i][0]) == 0)
            return others[i][1];
    return name;
}

void sz_chat_command(sz_chat *c, char *line) {
    char *argument = line + strcspn(line, " \t\n");
    if (*argument)
        *argument++ = '\0';
    argument += strspn(argument, " \t\n");
    for (size_t n = strlen(argument); n > 0 && strchr(" \t\n", argument[n - 1]);)
        argument[--n] = '\0';
    const char *name = other_name(line);
    for (int i = 0; i < N_COMMANDS; i++) {
        if (strcmp(name, commands[i].name) == 0) {
            commands[i].run(c, argument);
            return;
        }
    }
    const char *near = nearest(name);
    if (near)
        sz_chat_say("there is no command %s; did you mean %s?", line, near);
    else
        sz_chat_say("there is no command %s; /help lists them", line);
}
