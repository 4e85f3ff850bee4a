/* answer.c: the loop that draws one answer, over a cache that keeps what the messages share. */
#include "answer.h"
#include "printer.h"
#include "record.h"
#include "signals.h"
#include "stages.h"
#include <stdlib.h>
#include <string.h>
#include <szilard/unstable/sampler.h>
#include <unistd.h>

/* ---- Opening --------------------------------------------------------------------------------- */

void sz_talk_set_think(sz_talk *t) {
    static const char *const variables[] = {NULL, "{\"enable_thinking\":true}",
                                            "{\"enable_thinking\":false}",
                                            "{\"enable_thinking\":true}"};
    t->dialogue.variables = variables[t->options->think];
}

static sz_status choose_template(sz_talk *t) {
    const sz_generation *o = t->options;
    bool has_template = sz_model_template(t->engine.model) != NULL;
    t->dialogue.raw = o->raw || !has_template;
    SZ_REQUIRE(has_template || !o->system, SZ_E_ARG,
               "%s has no chat template, so there is no place for --system", t->engine.path);
    if (!has_template && !o->raw && !o->quiet)
        sz_cli_note("the file has no chat template: texts are continued as they are");
    sz_talk_set_think(t);
    return o->system ? sz_dialogue_set_system(&t->dialogue, o->system) : SZ_OK;
}

/* What the constraint, if there is one, allows comes first. */
static sz_status make_chain(const sz_talk *t, sz_chain *chain) {
    sz_grammar *grammar;
    SZ_TRY(sz_constraint_make(&t->options->constraint, &grammar));
    if (grammar)
        SZ_TRY(sz_chain_add_grammar(chain, t->engine.model, grammar));
    return sz_chain_extend(chain, t->chain);
}

static sz_status set_chain(sz_talk *t) {
    sz_chain *chain;
    SZ_TRY(sz_chain_new(&chain));
    sz_chain_set_explained(chain, t->options->explain);
    sz_status status = make_chain(t, chain);
    if (status != SZ_OK) {
        sz_chain_free(chain);
        return status;
    }
    return sz_voice_set_chain(&t->voice, chain, t->seed);
}

sz_status sz_talk_set_sampling(sz_talk *t) {
    const sz_sampling *s = &t->options->sampling;
    SZ_TRY(sz_sampling_chain(s, t->chain));
    t->seed = s->seed >= 0 ? (uint64_t)s->seed : sz_random_seed();
    return t->options->constraint.kind ? SZ_OK : set_chain(t); /* else once for each answer */
}

sz_status sz_talk_open(sz_generation *o, bool drop_oldest, sz_talk *t) {
    *t = (sz_talk){.options = o};
    t->drop_oldest = o->overflow ? o->overflow == SZ_OVERFLOW_DROP : drop_oldest;
    SZ_TRY(sz_engine_open(&o->engine, &t->engine));
    SZ_TRY(choose_template(t));
    sz_session_config config = {
        .size = sizeof config,
        .context = o->context,
        .n_sequences = o->n_sequences ? o->n_sequences : sz_forgetting_sequences(&o->forgetting),
        .kv_type = o->kv_type};
    SZ_TRY(sz_voice_open(&t->engine, o->routing.router, &config, &t->voice));
    return sz_talk_set_sampling(t);
}

void sz_talk_close(sz_talk *t) {
    sz_dialogue_free(&t->dialogue);
    sz_voice_close(&t->voice);
    sz_engine_close(&t->engine);
}

sz_account_setting sz_talk_setting(const sz_talk *t) {
    return (sz_account_setting){t->options, &t->engine, &t->voice, t->chain, t->seed};
}

/* ---- What the session holds ------------------------------------------------------------------ */

typedef struct answer {
    sz_talk *talk;
    sz_account *account;
    sz_printer printer;
    int32_t *ids; /* the prompt */
    size_t n_ids;
    bool in_thought; /* the prompt ends within a thought */
    sz_stops *stops; /* NULL: no rules */
    sz_router_account routed_before;
    size_t n_drawn;         /* tokens of the answer that the session holds */
    sz_energy_meter *meter; /* NULL: none */
} answer;

/* What the router, if there is one, has done so far. */
static sz_router_account routed(const sz_talk *t) {
    return t->voice.router ? sz_router_get_account(t->voice.router) : (sz_router_account){0};
}

/* Tokens that the session holds. */
static size_t held(const answer *a, const sz_token **records) {
    return sz_voice_records(&a->talk->voice, records);
}

/* Makes the session hold exactly these tokens; what it holds in common stays. */
static sz_status hold(answer *a, const int32_t *ids, size_t n) {
    size_t same = 0;
    uint64_t start = sz_time_ns();
    sz_status status = sz_voice_sync(&a->talk->voice, ids, n, &same);
    a->account->prompt_ns += sz_time_ns() - start;
    a->account->n_cached += same;
    a->account->n_prefilled += n - same;
    return status;
}

/* The prompt under a policy: a text that was cut can not go on, so all of it is computed. */
static sz_status hold_part(answer *a) {
    const sz_generation *o = a->talk->options;
    uint64_t start = sz_time_ns();
    sz_status status = sz_forgetting_prompt(&o->forgetting, a->talk->voice.session, a->ids,
                                            a->n_ids, &a->account->forgotten);
    a->account->prompt_ns += sz_time_ns() - start;
    a->account->n_prefilled += a->n_ids;
    return status;
}

/* ---- When the context is full ---------------------------------------------------------------- */

static sz_status too_long(const answer *a) {
    return sz_fail(SZ_E_LIMIT, "the prompt has %zu tokens, but the context %u: raise it with -c%s",
                   a->n_ids, sz_voice_context(&a->talk->voice),
                   a->talk->drop_oldest ? "" : ", or let --overflow drop forget the oldest");
}

/* Renders the messages. While prompt and answer leave no room, the oldest turn is dropped; once one
 * is, a quarter of the context becomes free, so that it is not done again for every answer.
 * SZ_END: there is nothing to drop. */
static sz_status make_prompt(answer *a, bool drop) {
    sz_talk *t = a->talk;
    size_t context = sz_voice_context(&t->voice), n_dropped = 0, room = 1;
    for (;;) {
        if (drop && !sz_dialogue_drop_oldest(&t->dialogue))
            return SZ_END;
        n_dropped += drop;
        sz_free(a->ids);
        a->ids = NULL;
        SZ_TRY(sz_dialogue_ids(&t->dialogue, t->engine.model, &a->ids, &a->n_ids, &a->in_thought));
        room = n_dropped ? context / 4 : 1;
        drop = a->n_ids + a->n_drawn + room > context;
        if (!drop)
            break;
        if (!t->drop_oldest)
            return too_long(a);
    }
    if (n_dropped && t->dialogue.raw)
        sz_cli_note("the context of %zu tokens is full: the older part of the text was dropped",
                    context);
    else if (n_dropped)
        sz_cli_note("the context of %zu tokens is full: the %s dropped", context,
                    n_dropped == 1 ? "oldest turn was" : "oldest turns were");
    return SZ_OK;
}

static sz_status first_prompt(answer *a) {
    sz_status status = make_prompt(a, false);
    if (status == SZ_END)
        return too_long(a);
    SZ_TRY(status);
    SZ_REQUIRE(a->n_ids > 0, SZ_E_ARG,
               "there is no text to continue, and the file asks for no begin-of-text");
    a->account->n_prompt = a->n_ids;
    return a->talk->options->forgetting.text ? hold_part(a) : hold(a, a->ids, a->n_ids);
}

/* The ids [from, end) that the session holds, after `head`. */
static sz_status hold_again(answer *a, const int32_t *head, size_t n_head, size_t from) {
    const sz_token *records;
    size_t n_tail = held(a, &records) - from;
    int32_t *ids = sz_alloc((n_head + n_tail) * sizeof *ids);
    SZ_REQUIRE(ids, SZ_E_NOMEM, "out of memory for %zu tokens", n_head + n_tail);
    memcpy(ids, head, n_head * sizeof *ids);
    for (size_t i = 0; i < n_tail; i++)
        ids[n_head + i] = records[from + i].id;
    sz_status status = hold(a, ids, n_head + n_tail);
    sz_free(ids);
    return status;
}

/* A raw text goes on with its younger half. */
static sz_status halve_text(answer *a) {
    const sz_token *records;
    size_t n = held(a, &records);
    int32_t bos = sz_tokenizer_bos(sz_model_tokenizer(a->talk->engine.model));
    bool keep_first = n > 0 && records[0].id == bos;
    sz_cli_note("the context of %zu tokens is full: the older half of the text was dropped", n);
    if (n / 2 < a->n_drawn)
        a->n_drawn = n - n / 2;
    return hold_again(a, &bos, keep_first, n / 2);
}

/* SZ_END: nothing can be dropped. */
static sz_status make_room(answer *a) {
    const sz_token *records;
    if (!a->talk->drop_oldest || a->talk->options->forgetting.text)
        return SZ_END;
    if (a->talk->dialogue.raw)
        return halve_text(a);
    size_t first_drawn = held(a, &records) - a->n_drawn;
    SZ_TRY(make_prompt(a, true));
    return hold_again(a, a->ids, a->n_ids, first_drawn);
}

/* ---- The answer ------------------------------------------------------------------------------ */

/* The text that the latest token added. Tags of thoughts count even where they are control tokens.
 */
static const char *new_text(const answer *a, int32_t id) {
    const sz_model *m = a->talk->engine.model;
    const char *piece = sz_model_piece(m, id);
    bool tag = piece && (strcmp(piece, "<think>") == 0 || strcmp(piece, "</think>") == 0);
    if (tag && sz_tokenizer_is_control(sz_model_tokenizer(m), id))
        return piece;
    return sz_voice_text(&a->talk->voice);
}

static const char *const writers[] = {"small", "large"}; /* in the order of sz_router_role */

/* The chain that drew the latest token, where it is to be explained. */
static const sz_chain *explained(const answer *a) {
    const sz_voice *v = &a->talk->voice;
    if (!a->talk->options->explain)
        return NULL;
    return v->router ? sz_router_chain(v->router) : sz_session_chain(v->session, 0);
}

static sz_status print_record(const answer *a, const sz_token *token, size_t pos) {
    sz_buf b = {0};
    sz_record_put_drawn(&b, sz_model_tokenizer(a->talk->engine.model), pos, token,
                        a->talk->voice.router ? writers[token->model] : NULL, explained(a));
    sz_status status = sz_cli_flush(&b);
    sz_buf_free(&b);
    return status;
}

/* On stderr: the token, and a line for each sampler. */
static void explain(const answer *a, const sz_token *token) {
    const sz_chain *chain = explained(a);
    const sz_model *m = a->talk->engine.model;
    const sz_generation *o = a->talk->options;
    sz_unit unit = o->unit_given ? o->unit : SZ_NAT;
    sz_buf b = {0};
    if (!chain || o->json)
        return;
    sz_piece_put(&b, sz_model_tokenizer(m), token->id);
    sz_buf_printf(&b, "  entropy %.3f, surprisal %.3f %s",
                  sz_unit_convert((double)token->entropy, unit),
                  sz_unit_convert((double)token->surprisal, unit), sz_unit_name(unit));
    if (a->talk->voice.router)
        sz_buf_printf(&b, "; by the %s model, route %s", writers[token->model],
                      sz_router_get_kind(a->talk->voice.router)->routes[token->route]);
    sz_buf_putc(&b, '\n');
    sz_stages_put(&b, chain, sz_tokenizer_n_vocab(sz_model_tokenizer(m)), unit, "   ");
    fflush(stdout);
    if (!b.failed)
        fputs(b.data, stderr);
    sz_buf_free(&b);
}

/* The thought ends here, by tokens that nobody drew; its text is shown as if they had been. */
static sz_status end_thought(answer *a) {
    static const char text[] = "\n</think>\n\n";
    const sz_token *records;
    int32_t *ids, *closing;
    size_t n = held(a, &records), n_closing;
    SZ_TRY(sz_tokenizer_encode(sz_model_tokenizer(a->talk->engine.model), text, sizeof text - 1,
                               SZ_TOKENIZE_CONTROL, &closing, &n_closing));
    ids = sz_alloc((n + n_closing) * sizeof *ids);
    for (size_t i = 0; ids && i < n; i++)
        ids[i] = records[i].id;
    if (ids)
        memcpy(ids + n, closing, n_closing * sizeof *ids);
    sz_free(closing);
    SZ_REQUIRE(ids, SZ_E_NOMEM, "out of memory for %zu tokens", n + n_closing);
    sz_status status = hold(a, ids, n + n_closing);
    sz_free(ids);
    SZ_TRY(status);
    a->n_drawn += n_closing;
    a->account->n_ended_thoughts++;
    return sz_printer_add(&a->printer, text, 0) ? SZ_OK : SZ_END;
}

/* Asks the rules about the newest token. SZ_END: the answer ends here. */
static sz_status look_at_rules(answer *a) {
    sz_model_info info;
    sz_stop_input in = {.n = a->n_drawn, .thinking = a->printer.thinking};
    if (!a->stops || a->n_drawn == 0)
        return SZ_OK;
    size_t n = held(a, &in.text);
    sz_model_get_info(a->talk->engine.model, &info);
    in.text += n - a->n_drawn;
    in.n_vocab = info.n_vocab;
    switch (sz_stops_look(a->stops, &in, &a->account->rule)) {
    case SZ_STOP_TEXT:
        a->account->finish = SZ_FINISH_RULE;
        return SZ_END;
    case SZ_STOP_THOUGHT:
        return end_thought(a);
    default:
        return SZ_OK;
    }
}

/* Draws one token. SZ_END: the answer is complete, account->finish says why. */
static sz_status step(answer *a) {
    sz_talk *t = a->talk;
    sz_token token;
    size_t pos = sz_voice_length(&t->voice);
    uint64_t start = sz_time_ns();
    sz_status status = sz_voice_next(&t->voice, &token);
    a->account->generation_ns += sz_time_ns() - start;
    if (a->meter)
        sz_energy_meter_poll(a->meter);
    if (status == SZ_E_LIMIT) {
        status = make_room(a);
        if (status == SZ_END)
            a->account->finish = SZ_FINISH_CONTEXT;
        return status;
    }
    if (status != SZ_OK && status != SZ_END)
        return status;
    sz_account_token(a->account, &token);
    a->account->n_passes += status == SZ_OK;
    a->n_drawn += status == SZ_OK;
    if (t->options->json)
        SZ_TRY(print_record(a, &token, pos));
    explain(a, &token);
    a->account->finish = SZ_FINISH_END;
    if (status == SZ_END)
        return SZ_END;
    if (!sz_printer_add(&a->printer, new_text(a, token.id), (double)token.entropy)) {
        a->account->finish = SZ_FINISH_STOP;
        return SZ_END;
    }
    return look_at_rules(a);
}

static sz_status draw(answer *a) {
    const sz_generation *o = a->talk->options;
    sz_status status = SZ_OK;
    a->account->finish = SZ_FINISH_LENGTH;
    while (status == SZ_OK) {
        if (o->max_tokens >= 0 && a->account->n_tokens >= (size_t)o->max_tokens) {
            a->account->finish = SZ_FINISH_LENGTH;
            break;
        }
        status = step(a);
    }
    return status == SZ_END ? SZ_OK : status;
}

static void begin_printer(answer *a) {
    const sz_generation *o = a->talk->options;
    sz_printer_style style = {
        .out = o->json ? NULL : stdout,
        .terminal = isatty(STDOUT_FILENO),
        .depth = sz_term_depth(stdout, o->colour),
        .thoughts = !a->talk->dialogue.raw || o->think == SZ_THINK_HIDE,
        .hide_thoughts = o->think == SZ_THINK_HIDE,
        .stops = o->stops,
        .n_stops = o->n_stops,
    };
    style.heat = o->show_entropy && style.depth != SZ_DEPTH_NONE;
    sz_printer_begin(&a->printer, &style, a->in_thought);
}

/* The rest of the text, and the end of its last line. */
static sz_status end_text(answer *a) {
    const sz_buf *shown = &a->printer.shown;
    SZ_TRY(sz_printer_end(&a->printer));
    if (!a->talk->options->json && shown->len && shown->data[shown->len - 1] != '\n')
        putchar('\n');
    SZ_REQUIRE(fflush(stdout) == 0, SZ_E_IO, "cannot write the output");
    return SZ_OK;
}

static sz_status conclude(answer *a) {
    const sz_buf *shown = &a->printer.shown, *text = &a->printer.answer;
    sz_talk *t = a->talk;
    if (a->account->finish == SZ_FINISH_CONTEXT)
        sz_cli_note("the context of %u tokens is full: the answer ends here",
                    sz_voice_context(&t->voice));
    a->account->peak_bytes = sz_memory_peak();
    if (a->meter)
        sz_energy_meter_read(a->meter, &a->account->energy);
    if (t->options->forgetting.text)
        SZ_TRY(sz_forgetting_end(&t->options->forgetting, t->voice.session, a->n_ids,
                                 &a->account->forgotten));
    a->account->routed = routed(t);
    sz_account_routed_since(&a->account->routed, &a->routed_before);
    SZ_TRY(
        sz_dialogue_add(&t->dialogue, SZ_ROLE_ASSISTANT, text->data ? text->data : "", text->len));
    if (!t->options->json)
        return SZ_OK;
    sz_buf b = {0};
    sz_account_setting setting = sz_talk_setting(t);
    sz_account_json(&b, a->account, &setting, shown->data ? shown->data : "");
    sz_status status = sz_cli_flush(&b);
    sz_buf_free(&b);
    return status;
}

sz_status sz_talk_answer(sz_talk *t, sz_account *account) {
    *account = (sz_account){.keep_entropies = t->options->show_entropy || t->options->account,
                            .energy.source = SZ_ENERGY_NONE};
    answer a = {.talk = t,
                .account = account,
                .routed_before = routed(t),
                .meter = sz_energy_meter_begin()};
    sz_status status =
        t->options->constraint.kind ? set_chain(t) : SZ_OK; /* from its start again */
    if (status == SZ_OK && t->options->stop_when)
        status = sz_stops_parse(t->options->stop_when, &a.stops);
    if (status == SZ_OK)
        status = first_prompt(&a);
    begin_printer(&a);
    if (status == SZ_OK)
        status = draw(&a);
    if (status == SZ_E_CANCELLED && sz_interrupted()) {
        account->finish = SZ_FINISH_INTERRUPTED;
        status = SZ_OK;
    }
    sz_status ended = end_text(&a);
    if (status == SZ_OK && ended == SZ_OK)
        status = conclude(&a);
    sz_printer_free(&a.printer);
    sz_stops_free(a.stops);
    sz_energy_meter_close(a.meter);
    sz_free(a.ids);
    return status == SZ_OK ? ended : status;
}

sz_status sz_talk_prompt(sz_talk *t, const sz_buf *question) {
    int32_t *ids = NULL;
    size_t n;
    bool in_thought;
    SZ_TRY(sz_dialogue_add(&t->dialogue, SZ_ROLE_USER, question->data ? question->data : "",
                           question->len));
    SZ_TRY(sz_dialogue_ids(&t->dialogue, t->engine.model, &ids, &n, &in_thought));
    sz_status status = n ? sz_voice_sync(&t->voice, ids, n, NULL)
                         : sz_fail(SZ_E_ARG, "there is no text that could be continued");
    sz_free(ids);
    SZ_TRY(status);
    return set_chain(t);
}
