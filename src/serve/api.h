/* api.h: the endpoints, one file each, and what those that generate text share. */
#ifndef SZ_SERVE_API_H
#define SZ_SERVE_API_H

#include "exchange.h"

void sz_api_page(sz_exchange *x);
void sz_api_page_file(sz_exchange *x);
void sz_api_health(sz_exchange *x);
void sz_api_ready(sz_exchange *x);
void sz_api_models(sz_exchange *x);
void sz_api_model(sz_exchange *x);
void sz_api_chat(sz_exchange *x);
void sz_api_completions(sz_exchange *x);
void sz_api_embeddings(sz_exchange *x);
void sz_api_tokenize(sz_exchange *x);
void sz_api_detokenize(sz_exchange *x);
void sz_api_apply_template(sz_exchange *x);
void sz_api_tokenizer_info(sz_exchange *x);
void sz_api_props(sz_exchange *x);
void sz_api_metrics(sz_exchange *x);
void sz_api_messages(sz_exchange *x);
void sz_api_responses(sz_exchange *x);
void sz_api_ollama_chat(sz_exchange *x);
void sz_api_ollama_generate(sz_exchange *x);
void sz_api_ollama_tags(sz_exchange *x);
void sz_api_ollama_embed(sz_exchange *x);
void sz_api_ollama_version(sz_exchange *x);
void sz_api_infill(sz_exchange *x);
void sz_api_openapi(sz_exchange *x);

/* ---- request.c: members that requests for text have in common
 * ------------------------------------ */

/* Reads sampling, stop strings, number of choices, limits and the object `szilard` into the job. */
sz_status sz_request_read(sz_exchange *x, sz_reader *r, sz_job *j);
/* Texts that end an answer: a member that is one, or an array of them. */
sz_status sz_request_read_stops(sz_reader *r, const char *key, sz_ask *ask);
sz_status sz_request_read_stream_options(sz_reader *r, sz_job *j);
/* Checks the member `model`. */
sz_status sz_request_check_model(sz_exchange *x, sz_reader *r);
/* SZ_E_NOTFOUND: clients do not call the model so; "" is any. */
sz_status sz_request_check_name(const sz_server *s, const char *name);
/* Gives every part a chain, with the grammar that the request names. After sz_job_set_prompts. */
sz_status sz_request_set_chains(sz_exchange *x, sz_reader *r, sz_job *j);
/* Bounds max_tokens by what the context leaves, and refuses replies without bound. After the ids
 * are known. */
sz_status sz_request_bound_tokens(const sz_exchange *x, sz_job *j);

/* ---- tool_choice.c
 * ------------------------------------------------------------------------------- */

typedef enum sz_tool_mode { SZ_TOOLS_AUTO, SZ_TOOLS_NONE, SZ_TOOLS_MUST } sz_tool_mode;
typedef struct sz_tool_choice {
    sz_tool_mode mode;
    const char *name; /* the one that must be called; NULL: any */
} sz_tool_choice;
sz_status sz_read_tool_choice(sz_reader *r, sz_tool_choice *out);
/* The grammar of a call, where there must be one; else *out stays as it is. */
sz_status sz_tool_grammar(sz_reader *r, sz_grammar **out);

/* ---- prompts.c ----------------------------------------------------------------------------------
 */

/* A text, an array of ids, or an array of either, at most `most`: the prompts of the job. After
 * what each choice needs is read. */
sz_status sz_request_read_prompts(sz_reader *r, const char *key, size_t most, sz_job *j);

/* ---- api_infill.c
 * -------------------------------------------------------------------------------- */

/* The prompt that asks for what stands between two texts. SZ_E_UNSUPPORTED: the model has no marks
 * for that. */
sz_status sz_prompt_between(const sz_model *m, const char *before, const char *after, sz_part *p);

/* ---- prompt.c ----------------------------------------------------------------------------------
 */

/* The prompt of a conversation: messages, tools and template variables of the request. */
sz_status sz_prompt_from_messages(const sz_exchange *x, sz_reader *r, sz_buf *out);
/* Ids of a rendered prompt: control tokens are parsed, begin-of-text is added where the file asks
 * for it and the text does not begin with it. *ids: sz_free. */
sz_status sz_prompt_ids(const sz_model *m, const char *text, size_t n, int32_t **ids,
                        size_t *n_ids);

/* ---- account.c: the object `szilard` ------------------------------------------------------------
 */

/* [{...}, ...] for tokens [first, last) of an answer. */
void sz_put_token_figures(sz_buf *b, const sz_job *j, const sz_answer *a, size_t first,
                          size_t last);
/* {"finish":..,"tokens":..,...} of one choice. */
void sz_put_account(sz_buf *b, const sz_job *j, const sz_choice *c);
/* {"seed":..,"prompt_tokens":..,...} of the whole reply. */
void sz_put_job_account(sz_buf *b, const sz_job *j);
/* ,"szilard":{"tokens":[...],"account":{...}} of a choice, the account once it is complete; nothing
 * where the request does not want it. */
void sz_put_choice_szilard(sz_buf *b, const sz_job *j, const sz_choice *c, size_t first,
                           size_t last);
/* ,"szilard":{"account":{...}} of the reply, likewise. */
void sz_put_reply_szilard(sz_buf *b, const sz_job *j);
/* The piece of a token as a JSON string, and as "bytes":[...]; with nothing for an unknown id. */
void sz_put_piece(sz_buf *b, const sz_tokenizer *t, int32_t id);
void sz_put_piece_bytes(sz_buf *b, const sz_tokenizer *t, int32_t id);

/* ---- openai.c: what the OpenAI endpoints share
 * --------------------------------------------------- */

/* Fills id, created and model: prefix "chatcmpl-" and the like. */
void sz_form_begin(const sz_exchange *x, sz_form *f, const char *prefix);
/* {"id":..,"object":..,"created":..,"model":..,"system_fingerprint":.. */
void sz_put_head(sz_buf *b, const sz_job *j, const char *object);
/* {"content":[...],"refusal":null} of tokens [first, last). */
void sz_put_logprobs(sz_buf *b, const sz_job *j, const sz_answer *a, size_t first, size_t last);
/* {"prompt_tokens":..,...} */
void sz_put_usage(sz_buf *b, const sz_job *j);
/* "stop", "length", ...; null while it grows. */
void sz_put_finish(sz_buf *b, sz_finish finish);
/* Ends a job's reply with this thread's error. */
void sz_fail_reply(sz_job *j, sz_status status, sz_shape shape);
/* The whole reply of a job; takes the text. */
void sz_finish_json(sz_job *j, sz_buf *text);
/* The last event of a stream, with the usage where it is wanted, and its end. */
void sz_finish_events(sz_job *j, const char *object);
/* [DONE], and the end of the stream. */
void sz_end_events(sz_job *j);
/* An event of a stream, "data: ...\n\n"; empties b. */
void sz_send_event(sz_job *j, sz_buf *b);

#endif
