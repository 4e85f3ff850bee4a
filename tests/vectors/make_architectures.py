#!/usr/bin/env python3
"""Writes tests/vectors/architectures/: tiny random models as GGUF, with logits from `transformers`.

For each case two files: NAME.gguf, the model in float32 with the tensor layout and the keys that
llama.cpp's conversion writes, and NAME.logits.gguf with

  test.ids        int32 array, the input
  test.positions  int32 array, positions whose logits are kept
  logits          float32 [positions, vocabulary], row i: after the token at test.positions[i]

The inputs run past every threshold of their model (attention window, original context). For each
case the script also prints how far the logits move when the feature under test is switched off: a
case whose logits hardly move would test nothing.

Needs: pip install torch transformers gguf sentencepiece. Deterministic for one version of torch.
"""

import argparse
import dataclasses
import math
import pathlib
import tempfile

import gguf
import numpy as np
import torch
import transformers

HERE = pathlib.Path(__file__).resolve().parent / "architectures"
N_IDS = 160
KEPT = [0, 1, 7, 15, 16, 23, 24, 31, 32, 33, 47, 63, 64, 65, 96, 127, 128, 159]


@dataclasses.dataclass
class Case:
    """One model. `config` and `off` are keyword arguments of the transformers configuration;
    `off` overrides those that make the feature under test disappear."""

    name: str
    arch: str  # of the GGUF file
    model: type
    config_type: type
    config: dict
    off: dict = dataclasses.field(default_factory=dict)
    spm: bool = False


def small(**more):
    base = dict(
        vocab_size=264,
        hidden_size=32,
        intermediate_size=48,
        num_hidden_layers=2,
        num_attention_heads=2,
        num_key_value_heads=1,
        head_dim=16,
        max_position_embeddings=256,
        rms_norm_eps=1e-5,
        bos_token_id=259,
        eos_token_id=260,
        pad_token_id=None,
        tie_word_embeddings=True,
    )
    return {**base, **more}


def rope(kind="default", theta=10000.0, **more):
    return {"rope_type": kind, "rope_theta": theta, **more}


LLAMA = (transformers.LlamaForCausalLM, transformers.LlamaConfig)
PLAIN = dict(rope_parameters=rope())
GEMMA_ROPE = {
    "full_attention": rope(theta=1000000.0),
    "sliding_attention": rope(theta=10000.0),
}
GEMMA = dict(
    rope_parameters=GEMMA_ROPE,
    num_hidden_layers=7,
    intermediate_size=40,
    query_pre_attn_scalar=16,
    sliding_window=16,
    rms_norm_eps=1e-6,
)
GEMMA_TYPES = (transformers.Gemma3ForCausalLM, transformers.Gemma3TextConfig)

CASES = [
    Case(
        "llama", "llama", *LLAMA,
        small(
            hidden_size=64, num_attention_heads=4, num_key_value_heads=2, tie_word_embeddings=False,
            rope_parameters=rope(),
        ),
    ),
    Case("llama-tied", "llama", *LLAMA, small(num_key_value_heads=2, rope_parameters=rope(theta=500.0))),
    Case(
        "llama-spm", "llama", *LLAMA,
        small(vocab_size=320, bos_token_id=1, eos_token_id=2, rope_parameters=rope()), spm=True,
    ),
    Case(
        "llama-rope-llama3", "llama", *LLAMA,
        small(rope_parameters=rope(
            "llama3", factor=8.0, low_freq_factor=1.0, high_freq_factor=4.0,
            original_max_position_embeddings=64,
        )),
        PLAIN,
    ),
    Case(
        "llama-rope-linear", "llama", *LLAMA,
        small(rope_parameters=rope("linear", factor=4.0)), PLAIN,
    ),
    Case(
        "llama-rope-yarn", "llama", *LLAMA,
        small(head_dim=32, rope_parameters=rope(
            "yarn", factor=4.0, original_max_position_embeddings=64,
        )),
        PLAIN,
    ),
    Case(
        # The bounds of the ramp and the attention factor are not the default ones.
        "llama-rope-yarn-stated", "llama", *LLAMA,
        small(rope_parameters=rope(
            "yarn", factor=8.0, original_max_position_embeddings=32, beta_fast=16.0, beta_slow=2.0,
            attention_factor=1.25 * (1 + 0.1 * math.log(8)),
        )),
        dict(rope_parameters=rope("yarn", factor=8.0, original_max_position_embeddings=32)),
    ),
    Case(
        "mistral-window", "llama", transformers.MistralForCausalLM, transformers.MistralConfig,
        small(rope_parameters=rope(), sliding_window=24), dict(sliding_window=None),
    ),
    Case(
        "qwen2", "qwen2", transformers.Qwen2ForCausalLM, transformers.Qwen2Config,
        small(rope_parameters=rope(theta=1000000.0)), PLAIN,
    ),
    Case(
        "qwen2-rope-yarn", "qwen2", transformers.Qwen2ForCausalLM, transformers.Qwen2Config,
        small(rope_parameters=rope(
            "yarn", theta=1000000.0, factor=4.0, original_max_position_embeddings=32,
        )),
        dict(rope_parameters=rope(theta=1000000.0)),
    ),
    Case(
        "qwen3", "qwen3", transformers.Qwen3ForCausalLM, transformers.Qwen3Config,
        small(head_dim=32, rms_norm_eps=1e-6, rope_parameters=rope(theta=1000000.0)), PLAIN,
    ),
    Case("gemma3", "gemma3", *GEMMA_TYPES, small(**GEMMA), dict(sliding_window=4096)),
    Case(
        # As the larger Gemma 3 models: positions of the global layers divided by 8.
        "gemma3-rope-linear", "gemma3", *GEMMA_TYPES,
        small(**{**GEMMA, "rope_parameters": {
            "full_attention": rope("linear", theta=1000000.0, factor=8.0),
            "sliding_attention": rope(theta=10000.0),
        }}),
        dict(rope_parameters=GEMMA_ROPE),
    ),
]


def build(case, overrides=None):
    # Configurations may keep and change the dictionaries that they are given.
    fields = {**case.config, **(overrides or {})}
    fields = {k: {**v} if isinstance(v, dict) else v for k, v in fields.items()}
    if case.arch != "llama" and case.arch != "gemma3":
        fields["use_sliding_window"] = False
    config = case.config_type(**fields)
    config._attn_implementation = "eager"
    return case.model(config).float().eval()


def randomise(model, seed):
    """Weights large enough for sharp attention; norms and biases far from their neutral values."""
    random = np.random.default_rng(seed)
    with torch.no_grad():
        for name, p in sorted(model.named_parameters()):
            values = random.standard_normal(tuple(p.shape), dtype=np.float32)
            if "norm" in name:
                neutral = 0.0 if model.config.model_type.startswith("gemma") else 1.0
                values = neutral + 0.25 * values
            elif name.endswith("bias"):
                values = 0.5 * values
            elif "embed_tokens" in name:
                values = values * (1.5 / math.sqrt(p.shape[1]))
            else:
                values = values * (1.6 / math.sqrt(p.shape[1]))
            p.copy_(torch.from_numpy(values))


def logits_of(model, ids):
    with torch.no_grad():
        out = model(input_ids=torch.tensor([ids]), use_cache=False)
    return out.logits[0].float().numpy()


# ---- Conversion ---------------------------------------------------------------------------------


def interleave(weight, n_head):
    """Rows of each head from (first half, second half) to neighbouring pairs, as arch llama has."""
    rows = weight.shape[0]
    split = weight.reshape(n_head, 2, rows // n_head // 2, *weight.shape[1:])
    return split.swapaxes(1, 2).reshape(weight.shape)


def llama3_factors(config):
    """The divisors of the rope frequencies, one per pair of dimensions."""
    p = config.rope_parameters
    old = p["original_max_position_embeddings"]
    low, high = p["low_freq_factor"], p["high_freq_factor"]
    factors = []
    for i in range(0, config.head_dim, 2):
        wavelength = 2 * math.pi * p["rope_theta"] ** (i / config.head_dim)
        smooth = min(max((old / wavelength - low) / (high - low), 0.0), 1.0)
        factors.append(1.0 / ((1.0 - smooth) / p["factor"] + smooth))
    return np.array(factors, dtype=np.float32)


def add_rope(writer, config, arch):
    p = config.rope_parameters
    if arch == "gemma3":
        writer.add_rope_freq_base_swa(p["sliding_attention"]["rope_theta"])
        p = p["full_attention"]
    writer.add_rope_freq_base(p["rope_theta"])
    kind = p["rope_type"]
    if kind == "llama3":
        writer.add_tensor("rope_freqs.weight", llama3_factors(config))
    elif kind != "default":
        writer.add_rope_scaling_type(gguf.RopeScalingType(kind))
        writer.add_rope_scaling_factor(p["factor"])
    if kind == "yarn":
        writer.add_rope_scaling_orig_ctx_len(p["original_max_position_embeddings"])
        if p.get("attention_factor") is not None:
            # In a file this multiplies the usual factor, in transformers it replaces it.
            usual = 1 + 0.1 * math.log(p["factor"])
            writer.add_rope_scaling_attn_factors(p["attention_factor"] / usual)
            writer.add_rope_scaling_yarn_beta_fast(p["beta_fast"])
            writer.add_rope_scaling_yarn_beta_slow(p["beta_slow"])


def add_hyperparameters(writer, config, arch):
    writer.add_file_type(gguf.LlamaFileType.ALL_F32)
    writer.add_context_length(config.max_position_embeddings)
    writer.add_embedding_length(config.hidden_size)
    writer.add_feed_forward_length(config.intermediate_size)
    writer.add_block_count(config.num_hidden_layers)
    writer.add_head_count(config.num_attention_heads)
    writer.add_head_count_kv(config.num_key_value_heads)
    writer.add_key_length(config.head_dim)
    writer.add_value_length(config.head_dim)
    writer.add_layer_norm_rms_eps(config.rms_norm_eps)
    if arch == "llama":
        writer.add_vocab_size(config.vocab_size)
        writer.add_rope_dimension_count(config.head_dim)
    if getattr(config, "sliding_window", None):
        writer.add_sliding_window(config.sliding_window)
    add_rope(writer, config, arch)


def add_tensors(writer, model, arch):
    config = model.config
    arch_id = next(k for k, v in gguf.MODEL_ARCH_NAMES.items() if v == arch)
    names = gguf.get_tensor_name_map(arch_id, config.num_hidden_layers)
    for name, p in model.named_parameters():
        values = p.detach().numpy()
        if arch == "llama" and ("q_proj" in name or "k_proj" in name):
            heads = config.num_attention_heads if "q_proj" in name else config.num_key_value_heads
            values = interleave(values, heads)
        if arch == "gemma3" and "norm" in name:
            values = values + np.float32(1)
        writer.add_tensor(names.get_name(name, (".weight", ".bias")), np.ascontiguousarray(values))


# ---- Vocabularies -------------------------------------------------------------------------------


MERGED = ["\u0120t", "he", "\u0120the"]  # U+0120 names the space
MERGES = ["\u0120 t", "h e", "\u0120t he"]


def byte_characters():
    """GPT-2's names of the 256 bytes: printable ones stand for themselves, the rest from U+0100."""
    shown = [*range(33, 127), *range(161, 173), *range(174, 256)]
    hidden = [b for b in range(256) if b not in shown]
    return {b: chr(b) for b in shown} | {b: chr(256 + i) for i, b in enumerate(hidden)}


def add_byte_vocabulary(writer, config):
    names = byte_characters()
    tokens = [names[b] for b in range(256)] + MERGED
    normal = len(tokens)
    tokens += [f"<|{i}|>" for i in range(normal, config.vocab_size)]
    types = [gguf.TokenType.NORMAL] * normal
    types += [gguf.TokenType.CONTROL] * (config.vocab_size - normal)
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("gpt-2")
    writer.add_token_list(tokens)
    writer.add_token_types(types)
    writer.add_token_merges(MERGES)
    writer.add_bos_token_id(config.bos_token_id)
    writer.add_eos_token_id(config.eos_token_id)
    writer.add_add_bos_token(False)


SPM_SAMPLES = [
    "Entropy is a measure of what is not known.",
    "  two  spaces, and a tab\tand\nnew lines\n\n",
    "Maß, энтропия, 信息 🔥",
    "the thethe t",
]


def train_spm(n_vocab):
    """A small SentencePiece vocabulary with byte fallback, trained on this file's documentation."""
    import sentencepiece

    text = (__doc__ + " ".join(SPM_SAMPLES[:1])).splitlines()
    with tempfile.TemporaryDirectory() as folder:
        corpus = pathlib.Path(folder) / "corpus.txt"
        corpus.write_text("\n".join(line.strip() for line in text if line.strip()))
        sentencepiece.SentencePieceTrainer.train(
            input=str(corpus), model_prefix=folder + "/m", vocab_size=n_vocab, model_type="bpe",
            byte_fallback=True, normalization_rule_name="identity", minloglevel=2,
            remove_extra_whitespaces=False, allow_whitespace_only_pieces=True,
        )
        return sentencepiece.SentencePieceProcessor(model_file=folder + "/m.model")


def add_spm_vocabulary(writer, config, processor):
    tokens, scores, types = [], [], []
    for i in range(config.vocab_size):
        tokens.append(processor.id_to_piece(i))
        scores.append(processor.get_score(i))
        kind = gguf.TokenType.NORMAL
        if processor.is_unknown(i):
            kind = gguf.TokenType.UNKNOWN
        elif processor.is_control(i):
            kind = gguf.TokenType.CONTROL
        elif processor.is_byte(i):
            kind = gguf.TokenType.BYTE
        types.append(kind)
    writer.add_tokenizer_model("llama")
    writer.add_tokenizer_pre("default")
    writer.add_token_list(tokens)
    writer.add_token_scores(scores)
    writer.add_token_types(types)
    writer.add_bos_token_id(config.bos_token_id)
    writer.add_eos_token_id(config.eos_token_id)
    writer.add_unk_token_id(0)
    writer.add_add_bos_token(True)


# ---- Writing ------------------------------------------------------------------------------------


def finish(writer):
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def write_model(case, model, path, processor):
    writer = gguf.GGUFWriter(path, case.arch)
    writer.add_name(case.name)
    add_hyperparameters(writer, model.config, case.arch)
    if processor:
        add_spm_vocabulary(writer, model.config, processor)
    else:
        add_byte_vocabulary(writer, model.config)
    add_tensors(writer, model, case.arch)
    finish(writer)


def write_logits(path, ids, logits, processor):
    writer = gguf.GGUFWriter(path, "test")
    writer.add_array("test.ids", ids)
    writer.add_array("test.positions", KEPT)
    if processor:
        for i, text in enumerate(SPM_SAMPLES):
            writer.add_string(f"test.text.{i}", text)
            writer.add_array(f"test.text.{i}.ids", [1, *processor.encode(text)])
    writer.add_tensor("logits", np.ascontiguousarray(logits[KEPT]))
    finish(writer)


def make(case, seed, folder):
    model = build(case)
    randomise(model, seed)
    random = np.random.default_rng(1000 + seed)
    ids = random.integers(0, case.config["vocab_size"], N_IDS).tolist()
    logits = logits_of(model, ids)
    effect = 0.0
    if case.off:
        plain = build(case, case.off)
        randomise(plain, seed)
        effect = float(np.abs(logits_of(plain, ids) - logits)[KEPT].max())
        if effect < 0.05:
            raise SystemExit(f"{case.name}: the feature under test moves no logit (max {effect:.2g})")
    processor = train_spm(case.config["vocab_size"]) if case.spm else None
    write_model(case, model, folder / f"{case.name}.gguf", processor)
    write_logits(folder / f"{case.name}.logits.gguf", ids, logits, processor)
    size = (folder / f"{case.name}.gguf").stat().st_size
    print(
        f"{case.name:24s} {size:7d} bytes, logits {logits.min():7.3f} .. {logits.max():6.3f}, "
        f"effect of the feature {effect:.3f}"
    )


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=pathlib.Path, default=HERE)
    parser.add_argument("names", nargs="*", help="cases to write; none: all")
    args = parser.parse_args()
    args.out.mkdir(parents=True, exist_ok=True)
    torch.set_num_threads(1)
    for seed, case in enumerate(CASES):
        if not args.names or case.name in args.names:
            make(case, seed, args.out)


if __name__ == "__main__":
    main()
