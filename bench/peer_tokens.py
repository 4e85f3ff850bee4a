#!/usr/bin/env python3
"""Token ids of libszilard beside those of llama.cpp: random multilingual strings and prose.

    bench/peer_tokens.py [-n 600] [--text FILE]... [--pre NAME,...] MODEL.gguf ...

Each string is tokenised with control tokens as text and with control tokens parsed. --pre also
tries the vocabulary of each BPE model under other pre-tokeniser names. Prints each difference,
shortened to where it starts; exits with 1 if there are any.
Needs: pip install llama-cpp-python gguf; build/libszilard.so.
"""

import argparse
import ctypes
import pathlib
import random
import sys
import tempfile

import gguf
import llama_cpp

ROOT = pathlib.Path(__file__).resolve().parent.parent

# Characters that tokenisers disagree on, by range or one by one.
RANGES = {
    "ascii": [(0x20, 0x7E)],
    "lower": [(0x61, 0x7A)],
    "digits": [(0x30, 0x39)],
    "punctuation": [(0x21, 0x2F), (0x3A, 0x40), (0x5B, 0x60), (0x7B, 0x7E)],
    "latin": [(0xA1, 0x24F), (0x1E00, 0x1EFF)],
    "marks": [(0x300, 0x36F), (0x20D0, 0x20F0), (0xFE00, 0xFE0F)],
    "greek": [(0x370, 0x3FF)],
    "cyrillic": [(0x400, 0x52F)],
    "hebrew": [(0x590, 0x5FF)],
    "arabic": [(0x600, 0x6FF)],
    "devanagari": [(0x900, 0x97F)],
    "thai": [(0xE01, 0xE5B)],
    "georgian": [(0x10A0, 0x10FF)],
    "hangul": [(0xAC00, 0xD7A3), (0x1100, 0x11FF)],
    "kana": [(0x3041, 0x30FF)],
    "han": [(0x4E00, 0x9FFF), (0x3400, 0x34FF), (0x20000, 0x200FF)],
    "symbols": [(0x2000, 0x206F), (0x20A0, 0x20BF), (0x2100, 0x23FF), (0x2500, 0x27BF)],
    "numbers": [(0x660, 0x669), (0x966, 0x96F), (0x2150, 0x218F), (0xB2, 0xB3), (0xFF10, 0xFF19)],
    "emoji": [(0x1F300, 0x1F64F), (0x1F900, 0x1F9FF), (0x1F1E6, 0x1F1FF), (0x1F3FB, 0x1F3FF)],
    "wide": [(0xFF00, 0xFFEF), (0x3000, 0x303F)],
    "maths": [(0x1D400, 0x1D7FF)],
    "rare": [(0xE000, 0xE010), (0x378, 0x379), (0xE0100, 0xE0110), (0x10FFF0, 0x10FFFD), (1, 31)],
}
PIECES = [
    " ", "  ", "   ", "\n", "\n\n", "\r\n", "\t", " \n ", "\u00a0", "\u3000", "\u200b", "\u200d",
    "\u2028", "\u0085", "\ufeff", "\u180e", "'s", "'S", "'t", "'re", "'VE", "'ll", "\u2019s", "'\u017f",
    "...", "?!", "1234567", "3.14", "2026-01-01", "don't", "I'M", "na\u00efve", "e\u0301", "\u0130i",
    "\U0001f468\u200d\U0001f469\u200d\U0001f467", "\u2764\ufe0f", "\u2581", "_", "__init__", "->", "</s>",
    "<|im_start|>", "<|im_end|>", "<bos>", "<start_of_turn>", "<0x41>", "[INST]", "\x00", "the", " The",
]


def random_string(rng):
    out = []
    scripts = rng.sample(sorted(RANGES), rng.randint(1, 4))
    for _ in range(rng.randint(1, 24)):
        if rng.random() < 0.45:
            out.append(rng.choice(PIECES))
            continue
        low, high = rng.choice(RANGES[rng.choice(scripts)])
        count = rng.choice([1, 1, 2, 3, 5, 9])
        out.append("".join(chr(rng.randint(low, high)) for _ in range(count)))
    return "".join(out)


class Ours:
    class Config(ctypes.Structure):
        _fields_ = [("size", ctypes.c_size_t), ("vocab_only", ctypes.c_bool)]

    def __init__(self, lib, path):
        self.lib = lib
        self.runtime, self.model = ctypes.c_void_p(), ctypes.c_void_p()
        config = self.Config(ctypes.sizeof(self.Config), True)
        self.must(lib.sz_runtime_new(None, ctypes.byref(self.runtime)))
        self.must(lib.sz_model_open(self.runtime, str(path).encode(), ctypes.byref(config),
                                    ctypes.byref(self.model)))

    def must(self, status):
        if status != 0:
            raise RuntimeError(self.lib.sz_last_error().decode())

    def tokenize(self, text, special):
        ids, n = (ctypes.c_int32 * (len(text) + 16))(), ctypes.c_size_t()
        self.must(self.lib.sz_model_tokenize(self.model, text, ctypes.c_size_t(len(text)), special,
                                             ids, ctypes.c_size_t(len(ids)), ctypes.byref(n)))
        return list(ids[: n.value])

    def detokenize(self, ids):
        array, n = (ctypes.c_int32 * len(ids))(*ids), ctypes.c_size_t()
        text = ctypes.create_string_buffer(256 * len(ids) + 16)
        self.must(self.lib.sz_model_detokenize(
            self.model, array, ctypes.c_size_t(len(ids)), True, text, ctypes.c_size_t(len(text)),
            ctypes.byref(n)))
        return text.raw[: n.value]

    def close(self):
        self.lib.sz_model_close(self.model)
        self.lib.sz_runtime_free(self.runtime)


class Theirs:
    def __init__(self, path):
        p = llama_cpp.llama_model_default_params()
        p.vocab_only = True
        self.model = llama_cpp.llama_model_load_from_file(str(path).encode(), p)
        if not self.model:
            raise RuntimeError(f"llama.cpp cannot open {path}")
        self.vocab = llama_cpp.llama_model_get_vocab(self.model)

    def tokenize(self, text, special):
        ids = (llama_cpp.llama_token * (len(text) + 16))()
        n = llama_cpp.llama_tokenize(self.vocab, text, len(text), ids, len(ids), special, special)
        return list(ids[:n])

    def close(self):
        llama_cpp.llama_model_free(self.model)


def describe(name, special, text, ours, theirs):
    """One difference: the strings of both around the first id that is not the same."""
    at = next((i for i, (a, b) in enumerate(zip(ours, theirs)) if a != b),
              min(len(ours), len(theirs)))
    shown = text if len(text) <= 200 else text[:200] + b"..."
    return (f"{name} special={special} {shown.decode('utf-8', 'replace')!r}\n"
            f"    first at id {at}: ours {ours[at:at + 8]} llama.cpp {theirs[at:at + 8]}")


def compare(lib, path, name, texts):
    """Returns (differences, strings that do not come back from their ids)."""
    ours, theirs = Ours(lib, path), Theirs(path)
    differences, broken = [], []
    for text in texts:
        for special in (False, True):
            a, b = ours.tokenize(text, special), theirs.tokenize(text, special)
            if a != b:
                differences.append(describe(name, special, text, a, b))
            if not special and ours.detokenize(a) != text:
                broken.append(f"{name}: {text[:200]!r} comes back as {ours.detokenize(a)[:200]!r}")
    ours.close()
    theirs.close()
    return differences, broken


def renamed_vocabulary(path, pre, folder):
    """The BPE vocabulary of a model under another pre-tokeniser name, as a GGUF without tensors."""
    reader = gguf.GGUFReader(path)
    value = {k: f for k, f in reader.fields.items() if k.startswith("tokenizer.ggml.")}
    if value["tokenizer.ggml.model"].contents() != "gpt2":
        return None
    out = folder / f"{pre}.gguf"
    writer = gguf.GGUFWriter(out, "llama")
    writer.add_block_count(1)
    writer.add_context_length(64)
    writer.add_embedding_length(32)
    writer.add_feed_forward_length(32)
    writer.add_head_count(1)
    writer.add_layer_norm_rms_eps(1e-5)
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre(pre)
    writer.add_token_list(value["tokenizer.ggml.tokens"].contents())
    writer.add_token_types(value["tokenizer.ggml.token_type"].contents())
    writer.add_token_merges(value["tokenizer.ggml.merges"].contents())
    writer.add_bos_token_id(value["tokenizer.ggml.bos_token_id"].contents())
    writer.add_add_bos_token(False)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return out


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("models", nargs="+", type=pathlib.Path, metavar="MODEL.gguf")
    parser.add_argument("-n", "--strings", type=int, default=600)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--text", type=pathlib.Path, action="append", default=[],
                        help="a file of prose; its first 60 kB are compared whole")
    parser.add_argument("--pre", default="", help="further pre-tokeniser names, comma-separated")
    parser.add_argument("--library", type=pathlib.Path, default=ROOT / "build" / "libszilard.so")
    args = parser.parse_args()

    lib = ctypes.CDLL(str(args.library))
    lib.sz_last_error.restype = ctypes.c_char_p
    llama_cpp.llama_backend_init()
    quiet = llama_cpp.llama_log_callback(lambda level, text, user: None)
    llama_cpp.llama_log_set(quiet, ctypes.c_void_p(0))

    rng = random.Random(args.seed)
    texts = [random_string(rng).encode() for _ in range(args.strings)]
    texts += [p.read_bytes()[:60000].decode("utf-8", "ignore").encode() for p in args.text]
    failed = False
    with tempfile.TemporaryDirectory() as folder:
        jobs = [(p, p.name) for p in args.models]
        for path in args.models:
            for pre in filter(None, args.pre.split(",")):
                renamed = renamed_vocabulary(path, pre, pathlib.Path(folder))
                if renamed:
                    jobs.append((renamed, f"{path.name} as {pre}"))
        for path, name in jobs:
            try:
                differences, broken = compare(lib, path, name, texts)
            except RuntimeError as error:
                print(f"{name}: {error}")
                failed = True
                continue
            print(f"{name}: {len(differences)} of {2 * len(texts)} differ, {len(broken)} not restored")
            for line in differences + broken:
                print(" ", line)
            failed = failed or bool(differences or broken)
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
