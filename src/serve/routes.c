/* routes.c: the table of endpoints. */
#include "api.h"

const sz_route sz_routes[] = {
    {"GET", "/health", sz_api_health, true, false, SZ_SHAPE_OPENAI, "whether the process is alive"},
    {"GET", "/ready", sz_api_ready, true, false, SZ_SHAPE_OPENAI,
     "whether requests would be taken now"},
    {"GET", "/v1/models", sz_api_models, false, true, SZ_SHAPE_OPENAI, "the model that is served"},
    {"POST", "/v1/chat/completions", sz_api_chat, false, true, SZ_SHAPE_OPENAI,
     "an answer to a conversation"},
    {"POST", "/v1/completions", sz_api_completions, false, true, SZ_SHAPE_OPENAI,
     "a text that goes on"},
    {"POST", "/v1/embeddings", sz_api_embeddings, false, true, SZ_SHAPE_OPENAI,
     "pooled hidden states of texts"},
    {"POST", "/tokenize", sz_api_tokenize, false, true, SZ_SHAPE_OPENAI, "the ids of a text"},
    {"POST", "/detokenize", sz_api_detokenize, false, true, SZ_SHAPE_OPENAI, "the text of ids"},
    {"POST", "/apply-template", sz_api_apply_template, false, true, SZ_SHAPE_OPENAI,
     "a conversation as the prompt that it makes"},
    {"GET", "/tokenizer_info", sz_api_tokenizer_info, false, true, SZ_SHAPE_OPENAI,
     "the tokens that begin and end texts"},
    {"GET", "/props", sz_api_props, false, true, SZ_SHAPE_OPENAI, "what the server was set to"},
    {"GET", "/metrics", sz_api_metrics, false, true, SZ_SHAPE_OPENAI,
     "counters, in the format of Prometheus"},
    {0},
};
