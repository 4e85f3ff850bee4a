#!/usr/bin/env python3
"""Writes the seed corpora of fuzz_tokenizer (texts for its small vocabularies, and vocabularies) and
of fuzz_model (models of a few kilobytes), each sound or broken in one place. Files that a fuzzer
added stay. Needs nothing beyond Python."""

import random
import struct

from make_model_corpus import (ARRAY, BOOL, CORPUS, F32, I32, STRING, U32, U64, array, gguf, key, tensor, text)

MARK = "\u2581"

# ---- Texts: the first byte is the vocabulary (fuzz_tokenizer.c), 32 added where control tokens count

KINDS, CONTROL = 15, 32
TEXTS = {
    "words": "ab aab ba  ab\n", "spaces": "   a    \t\n  \r\n ", "runs": "a" * 70 + " " * 40 + "7" * 30,
    "long": "ab" * 90 + "ba" * 60, "special": "<s>ab<x>a<x<s <s><x><s>", "contractions": "don't I'M we'LL 's '\u017f",
    "digits": "1 12 123 1234 12345 \u0661\u0662\u00bd", "signs": "!?... a.b,c -> $x <=> \u2014\u3002\uff0c",
    "scripts": "\u00e9e\u0301 \u4e2d\u6587 \u3042\u30ab \ud55c \u0928\u092e \u05d0 \u0645 \u0e2a \U0001f468\u200d\U0001f469",
    "marks": MARK + " " + MARK * 2 + "a" + MARK, "folds": "\u09cb\u1fb7\uac00\u00c9\u0130\u1e9b\u0323\uac01\u01c4\ufb01\u00df\u03a3A",
    "invisible": "a\u200bb\u00ad\ufeff\u0001\u0378\ue000a", "upper": "HTTPServer iPhone ABc aBC",
    "empty": "",
}
BROKEN = {"lone-bytes": b"a\xff\xfeb\x80", "cut-character": b"a\xe4\xb8", "surrogate": b"\xed\xa0\x80a",
          "overlong": b"\xc0\xaf\xe0\x80\xaf", "nul": b"a\0b\0"}


def texts():
    for kind in range(KINDS):
        for name, s in TEXTS.items():
            control = CONTROL if name == "special" else 0
            if name in ("words", "spaces", "special") or (kind + len(name)) % 3 == 0 or kind >= 12:
                yield f"text-{kind:02}-{name}", bytes([kind + control]) + s.encode()
        for name, b in BROKEN.items():
            if kind in (1, 12, 13, 14):
                yield f"text-{kind:02}-{name}", bytes([kind]) + b
    rng = random.Random(1)
    for i in range(12):
        yield f"text-random-{i}", bytes([rng.randrange(KINDS)]) + bytes(rng.randrange(256) for _ in range(200))
    yield "text-no-such-vocabulary", bytes([31]) + b"a"


# ---- Vocabularies


def ggml(name):
    return "tokenizer.ggml." + name


def vocabulary(model="gpt2", tokens=("a", "b", "ab", "<s>", "\u0120"), types=(1, 1, 1, 3, 1), merges=("a b",),
               scores=None, pre="gpt-2", more=(), leave_out=()):
    keys = [key("general.architecture", STRING, "llama"), key(ggml("model"), STRING, model),
            array(ggml("tokens"), STRING, list(tokens))]
    if pre is not None:
        keys.append(key(ggml("pre"), STRING, pre))
    if types is not None:
        keys.append(array(ggml("token_type"), I32, list(types)))
    if merges is not None:
        keys.append(array(ggml("merges"), STRING, list(merges)))
    if scores is not None:
        keys.append(array(ggml("scores"), F32, list(scores)))
    keys += list(more)
    return [k for k in keys if not any(k.startswith(text(ggml(n))) for n in leave_out)]


SPM_TOKENS = ["<unk>", "<s>", "</s>", MARK, "a", "b", "ab", MARK + "a", "a" + MARK, "<0x0A>", "<0xFF>", "<x>"]
SPM_TYPES = [2, 3, 3, 1, 1, 1, 1, 1, 1, 6, 6, 4]
SPM_SCORES = [0, 0, 0, -3, -4, -4, -1, -2, -2.5, 0, 0, 0]
WORD_TOKENS = ["[UNK]", "[CLS]", "[SEP]", MARK + "a", "b", MARK + "\u4e2d"]
WORD_KEYS = [key(ggml("unknown_token_id"), U32, 0), key(ggml("cls_token_id"), U32, 1),
             key(ggml("seperator_token_id"), U32, 2)]


def spm(**changes):
    given = dict(model="llama", tokens=SPM_TOKENS, types=SPM_TYPES, scores=SPM_SCORES, merges=None, pre=None)
    return vocabulary(**{**given, **changes})


def words(**changes):
    given = dict(model="bert", tokens=WORD_TOKENS, types=[2, 3, 3, 1, 1, 1], merges=None, pre=None, more=WORD_KEYS)
    return vocabulary(**{**given, **changes})


def vocabularies():
    yield "bpe", vocabulary()
    yield "bpe-ids", vocabulary(more=[key(ggml(n + "_token_id"), U32, 3) for n in ("bos", "eos", "eot", "eom", "unknown")]
                                + [key(ggml("add_bos_token"), BOOL, 1), key(ggml("add_eos_token"), BOOL, 1)])
    yield "bpe-minus-one", vocabulary(more=[key(ggml("bos_token_id"), I32, -1), key(ggml("eos_token_id"), U32, 2**32 - 1)])
    yield "bpe-ends", vocabulary(tokens=["a", "b", "ab", "<|im_end|>", "<|end|>", "<|return|>", "<|call|>"],
                                 types=[1, 1, 1, 1, 3, 3, 3])
    yield "bpe-tag", vocabulary(tokens=["a", "b", "ab", "</s>", "<|tool_response>"], types=[1, 1, 1, 3, 3])
    yield "bpe-no-types", vocabulary(types=None)
    yield "bpe-no-pre", vocabulary(pre=None)
    yield "bpe-odd-piece", vocabulary(tokens=["a", "b", "ab", "\u4e2d", ""], types=[1, 1, 1, 1, 1])
    yield "bpe-many-merges", vocabulary(tokens=["a", "b", "ab", "aba", "ba"], types=[1] * 5,
                                        merges=["a b", "b a", "ab a", "a ba", "a b"])
    yield "spm", spm()
    yield "spm-prefix", spm(more=[key(ggml("add_space_prefix"), BOOL, 1), key(ggml("add_bos_token"), BOOL, 0)])
    yield "spm-no-bytes", spm(tokens=["<unk>", "a", "b"], types=[2, 1, 1], scores=[0, -1, -2],
                              more=[key(ggml("add_bos_token"), BOOL, 0)])
    yield "spm-odd-bytes", spm(tokens=SPM_TOKENS[:9] + ["<0x0G>", "<0xAAA>", "<x>"])
    yield "spm-f64-scores", spm(scores=None, more=[array(ggml("scores"), 12, SPM_SCORES)])
    yield "wordpiece", words()
    yield "wordpiece-cased", words(more=WORD_KEYS + [key(ggml("normalizer.lowercase"), BOOL, 0)])
    # broken in one place
    yield "model-unknown", vocabulary(model="t5")
    yield "model-number", [key("a", U32, 1), key(ggml("model"), U32, 1)]
    yield "model-missing", vocabulary(leave_out=["model"])
    yield "pre-unknown", vocabulary(pre="gpt-99")
    yield "pre-number", vocabulary(pre=None, more=[key(ggml("pre"), U32, 1)])
    for kind, make in (("bpe", vocabulary), ("spm", spm)):
        yield f"{kind}-tokens-missing", make(leave_out=["tokens"])
        yield f"{kind}-tokens-none", make(tokens=[], types=[])
        yield f"{kind}-types-short", make(types=[1])
        yield f"{kind}-types-strings", make(types=None, more=[array(ggml("token_type"), STRING, ["a"])])
        yield f"{kind}-type-9", make(types=[9] * (5 if kind == "bpe" else 12))
        yield f"{kind}-twice", make(tokens=["a"] * (5 if kind == "bpe" else 12))
    yield "tokens-numbers", vocabulary(leave_out=["tokens"], more=[array(ggml("tokens"), U32, [1, 2])])
    for name, merge in {"empty": "", "one": "a", "space": " ", "left": "x b", "right": "a x", "product": "b a"}.items():
        yield f"merge-{name}", vocabulary(merges=[merge])
    yield "merges-missing", vocabulary(merges=None)
    yield "merges-numbers", vocabulary(merges=None, more=[array(ggml("merges"), U32, [1])])
    yield "merges-long", vocabulary(merges=["a " + "b" * 300])
    yield "scores-missing", spm(scores=None)
    yield "scores-short", spm(scores=[0.0])
    yield "scores-infinite", spm(scores=[float("inf")] * 12)
    for name in ("bos", "eos", "unknown", "eot", "eom"):
        yield f"id-{name}-beyond", vocabulary(more=[key(ggml(name + "_token_id"), U32, 5)])
    yield "id-string", vocabulary(more=[key(ggml("bos_token_id"), STRING, "1")])
    yield "add-bos-without", vocabulary(more=[key(ggml("add_bos_token"), BOOL, 1)])
    yield "add-eos-without", vocabulary(more=[key(ggml("add_eos_token"), BOOL, 1)])
    yield "add-bos-number", vocabulary(more=[key(ggml("add_bos_token"), U32, 1)])
    yield "wordpiece-accents", words(more=WORD_KEYS + [key(ggml("normalizer.strip_accents"), BOOL, 0)])
    yield "wordpiece-lowercase-number", words(more=WORD_KEYS + [key(ggml("normalizer.lowercase"), U32, 1)])
    yield "wordpiece-no-unknown", words(more=WORD_KEYS[1:])


# ---- Models

LAYERS = {"attn_q": (32, 32), "attn_k": (32, 16), "attn_v": (32, 16), "attn_output": (32, 32), "ffn_gate": (32, 32),
          "ffn_up": (32, 32), "ffn_down": (32, 32)}
TYPES = {"f32": (0, 4), "f16": (1, 2), "q8_0": (8, 34 / 32)}


def weights(arch, kind="q8_0", n_vocab=12, layers=1, changes=()):
    """(name, shape, type) of every tensor, in the order of the file."""
    out = [("token_embd.weight", (32, n_vocab), kind), ("output_norm.weight", (32,), "f32")]
    norms = {"attn_norm": 32, "ffn_norm": 32}
    if arch == "gemma3":
        norms.update({"post_attention_norm": 32, "post_ffw_norm": 32})
    if arch in ("gemma3", "qwen3"):
        norms.update({"attn_q_norm": 16, "attn_k_norm": 16})
    for i in range(layers):
        out += [(f"blk.{i}.{n}.weight", (w,), "f32") for n, w in norms.items()]
        out += [(f"blk.{i}.{n}.weight", s, kind) for n, s in LAYERS.items()]
        if arch == "qwen2":
            out += [(f"blk.{i}.{n}.bias", (LAYERS[n][1],), "f32") for n in ("attn_q", "attn_k", "attn_v")]
    return [dict(changes).get(t[0], t) for t in out if dict(changes).get(t[0], t)]


def values(shape, kind, rng):
    n = 1
    for s in shape:
        n *= s
    if kind == "f32":
        return struct.pack(f"<{n}f", *(rng.gauss(0, 0.2) for _ in range(n)))
    if kind == "f16":
        return struct.pack(f"<{n}e", *(rng.gauss(0, 0.2) for _ in range(n)))
    return b"".join(struct.pack("<e32b", 0.004, *(rng.randrange(-127, 128) for _ in range(32))) for _ in range(n // 32))


def hparams(arch, changes=()):
    named = {
        "block_count": (U32, 1), "context_length": (U32, 64), "embedding_length": (U32, 32),
        "feed_forward_length": (U32, 32), "attention.head_count": (U32, 2), "attention.head_count_kv": (U32, 1),
        "attention.key_length": (U32, 16), "attention.value_length": (U32, 16),
        "attention.layer_norm_rms_epsilon": (F32, 1e-5), "rope.freq_base": (F32, 10000.0)}
    named.update(dict(changes))
    return [key("general.architecture", STRING, arch)] + [
        key(f"{arch}.{n}", *v) for n, v in named.items() if v is not None]


def model(arch="llama", kind="q8_0", hyper=(), tensors=(), more=(), layers=1, seed=1, added=()):
    rng = random.Random(seed)
    described, data = [], b""
    for name, shape, k in weights(arch, kind, layers=layers, changes=tensors) + list(added):
        described.append(tensor(name, list(shape), TYPES[k][0], len(data)))
        data += values(shape, k, rng)
        data += bytes(-len(data) % 32)
    keys = hparams(arch, hyper) + spm()[1:] + list(more)
    head = gguf(keys, described)
    return head + bytes(-len(head) % 32) + data


CHAT = key("tokenizer.chat_template", STRING, "{% for m in messages %}{{ bos_token }}{{ m.role }} {{ m.content }}{% endfor %}")


def models():
    for arch in ("llama", "qwen2", "qwen3", "gemma3"):
        yield arch, model(arch, more=[CHAT])
    yield "f32", model(kind="f32", seed=2)
    yield "f16", model("gemma3", kind="f16", seed=3)
    yield "window", model(hyper=[("attention.sliding_window", (U32, 2))])
    yield "two-layers", model("gemma3", layers=2, hyper=[("block_count", (U32, 2)), ("attention.sliding_window", (U32, 2))])
    yield "pattern", model("gemma3", more=[array("gemma3.attention.sliding_window_pattern", BOOL, [1])])
    yield "head-norms-missing", model("qwen3", tensors=[("blk.0.attn_q_norm.weight", None)])
    yield "heads-array", model(hyper=[("attention.head_count_kv", None)],
                               more=[array("llama.attention.head_count_kv", I32, [1, 1])])
    for kind in ("linear", "yarn", "none", "longrope"):
        yield f"rope-{kind}", model(hyper=[
            ("rope.scaling.type", (STRING, kind)), ("rope.scaling.factor", (F32, 4.0)),
            ("rope.scaling.original_context_length", (U32, 16))])
    yield "rope-freqs", model(added=[("rope_freqs.weight", (8,), "f32")])
    yield "untied", model(added=[("output.weight", (32, 12), "q8_0"), ("output.bias", (12,), "f32")])
    for name, value in {
        "block_count": [(U32, 0), (U32, 2), (U32, 2**32 - 1), (STRING, "1"), None],
        "context_length": [(U32, 0), (U32, 2**32 - 1), (U64, 2**63)],
        "embedding_length": [(U32, 0), (U32, 33), (U32, 64)],
        "feed_forward_length": [(U32, 0), (U32, 64)],
        "attention.head_count": [(U32, 0), (U32, 3), (U32, 4096)],
        "attention.head_count_kv": [(U32, 0), (U32, 2), (U32, 3)],
        "attention.key_length": [(U32, 0), (U32, 8), (U32, 5000)],
        "attention.value_length": [(U32, 8)],
        "attention.layer_norm_rms_epsilon": [(F32, float("nan")), (F32, -1.0), (F32, float("inf")), (U32, 1), None],
        "attention.scale": [(F32, 0.1), (F32, -1.0)],
        "rope.freq_base": [(F32, 0.0), (F32, -1.0), (F32, float("nan")), (F32, 1.0), (F32, 3e38)],
        "rope.dimension_count": [(U32, 0), (U32, 7), (U32, 8), (U32, 18)],
        "rope.scaling.factor": [(F32, 0.0), (F32, 0.25), (F32, -2.0), (STRING, "2"), (F32, 1e-30)],
        "rope.scale_linear": [(F32, 2.0)],
        "expert_count": [(U32, 4)], "logit_scale": [(F32, 2.0)],
    }.items():
        for i, v in enumerate(value):
            yield f"{name.replace('.', '-')}-{i}", model(hyper=[(name, v)])
    yield "architecture-unknown", model("mamba")
    yield "type-adapter", model(more=[key("general.type", STRING, "adapter")])
    yield "template-broken", model(more=[key("tokenizer.chat_template", STRING, "{% for %}")])
    yield "template-number", model(more=[key("tokenizer.chat_template", U32, 1)])
    yield "template-fails", model(more=[key("tokenizer.chat_template", STRING, "{{ raise_exception('no') }}")])
    yield "name-escapes", model(more=[key("general.name", STRING, "\x1b[31mred" * 99), key("general.file_type", U32, 7)])
    yield "embedding-missing", model(tensors=[("token_embd.weight", None)])
    yield "embedding-narrow", model(tensors=[("token_embd.weight", ("token_embd.weight", (64, 12), "q8_0"))])
    yield "embedding-short", model(tensors=[("token_embd.weight", ("token_embd.weight", (32, 11), "q8_0"))])
    yield "embedding-long", model(tensors=[("token_embd.weight", ("token_embd.weight", (32, 40), "q8_0"))])
    yield "norm-missing", model(tensors=[("output_norm.weight", None)])
    yield "norm-long", model(tensors=[("output_norm.weight", ("output_norm.weight", (64,), "f32"))])
    yield "query-missing", model(tensors=[("blk.0.attn_q.weight", None)])
    yield "query-turned", model(tensors=[("blk.0.attn_k.weight", ("blk.0.attn_k.weight", (16, 32), "f32"))])
    yield "bias-missing", model("qwen2", tensors=[("blk.0.attn_v.bias", None)])
    yield "tensor-too-many", model(added=[("blk.1.attn_norm.weight", (32,), "f32")])
    sound = model()
    for cut in (len(sound) // 3, len(sound) // 2, len(sound) - 40):
        yield f"cut-{cut}", sound[:cut]
    yield "weights-nan", sound[:-32 * 34] + b"\xff\x7e" * (16 * 34)


def main():
    folders = {"tokenizer": list(texts()) + [("vocabulary-" + n, gguf(k)) for n, k in vocabularies()],
               "model": list(models())}
    for thing, files in folders.items():
        folder = CORPUS / thing
        folder.mkdir(parents=True, exist_ok=True)
        for name, content in files:
            (folder / name).write_bytes(content)


if __name__ == "__main__":
    main()
