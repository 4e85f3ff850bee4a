/* routes.c: the table of endpoints. */
#include "api.h"

const sz_route sz_routes[] = {
    {"GET", "/health", sz_api_health, true, false, SZ_SHAPE_OPENAI, "whether the process is alive"},
    {"GET", "/ready", sz_api_ready, true, false, SZ_SHAPE_OPENAI,
     "whether requests would be taken now"},
    {"GET", "/v1/models", sz_api_models, false, true, SZ_SHAPE_OPENAI, "the model that is served"},
    {"POST", "/v1/chat/completions", sz_api_chat, false, true, SZ_SHAPE_OPENAI,
     "an answer to a conversation"},
    {0},
};
