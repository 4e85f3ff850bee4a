#!/usr/bin/env python3
"""Writes pretokenizers.json and tokenizers-small.json: what the tokenizers of other projects make of
awkward strings.

pretokenizers.json: the words, as numbers of bytes, into which Hugging Face's `tokenizers` cuts each
string by the patterns of the models themselves. tokenizers-small.json: small vocabularies that
`tokenizers` (byte-level BPE, WordPiece) and `sentencepiece` (SPM) learn from those strings, and the
ids that they give them.

Needs: pip install tokenizers sentencepiece
"""

import io
import json
import pathlib
import random
import unicodedata

import sentencepiece
from tokenizers import Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, trainers

FOLDER = pathlib.Path(__file__).resolve().parent

# ---- Strings --------------------------------------------------------------------------------------

RANGES = [
    (0x20, 0x7E), (0x61, 0x7A), (0x41, 0x5A), (0x30, 0x39), (0xA1, 0x24F), (0x300, 0x36F), (0x370, 0x3FF),
    (0x400, 0x52F), (0x531, 0x556), (0x590, 0x5FF), (0x600, 0x6FF), (0x900, 0x97F), (0x980, 0x9FF),
    (0xB80, 0xBFF), (0xE01, 0xE5B), (0x1000, 0x109F), (0x10A0, 0x10FF), (0x1200, 0x135A), (0x1780, 0x17FF),
    (0x1E00, 0x1FFF), (0x2000, 0x206F), (0x20A0, 0x20BF), (0x2100, 0x218F), (0x2190, 0x27BF), (0x3000, 0x30FF),
    (0x3400, 0x34FF), (0x4E00, 0x9FFF), (0xAC00, 0xD7A3), (0xFB00, 0xFB4F), (0xFE70, 0xFEFC), (0xFF01, 0xFFEE),
    (0x10300, 0x1034A), (0x1D400, 0x1D7FF), (0x1F1E6, 0x1F1FF), (0x1F300, 0x1F64F), (0x20000, 0x2A6D6),
    (0xE0100, 0xE01EF),
]
SPACES = [0x9, 0xA, 0xB, 0xC, 0xD, 0x20, 0x20, 0x85, 0xA0, 0x1680, 0x2000, 0x2009, 0x200A, 0x2028, 0x2029, 0x202F,
          0x205F, 0x3000, 0x180E, 0x200B, 0x200D, 0xFEFF, 0x1C, 0x1F]
PIECES = [
    " ", "  ", "   ", "\n", "\n\n", "\r\n", "\t", " \n", "\n ", "'s", "'S", "'t", "'re", "'VE", "'Ll", "'d", "'m",
    "\u2019s", "'\u017f", "don't", "I'M", "...", "?!", "---", "12", "123", "1234567", "3.14", "2026-01-01", "0xFF",
    "na\u00efve", "e\u0301", "\u0130", "_", "__init__", "->", "!=", "//", "a/b", "f(x)", "$x^2$", "HTTPServer",
    "iPhone", "\u0661\u0662\u0663", "\u0967\u0968", "\u00b2\u00bd", "\u2167", "\U0001f468\u200d\U0001f469",
    "\u2764\ufe0f", "1\ufe0f\u20e3", "\U0001f1e9\U0001f1ea", "\u200f", "the", " The", " of", "\u4fe1\u606f",
    "\u7684\u5ea6\u91cf", "\u3053\u3093", "\u0928\u092e\u0938\u094d\u0924\u0947", "\uc815\ubcf4",
]


def random_string(rng):
    out = []
    ranges = rng.sample(RANGES, rng.randint(1, 3))
    for _ in range(rng.randint(2, 14)):
        kind = rng.random()
        if kind < 0.45:
            out.append(rng.choice(PIECES))
        elif kind < 0.6:
            out.append("".join(chr(rng.choice(SPACES)) for _ in range(rng.randint(1, 4))))
        else:
            low, high = rng.choice(ranges)
            out.append("".join(chr(rng.randint(low, high)) for _ in range(rng.choice([1, 2, 3, 5]))))
    return "".join(out)


def known(text):
    """Whether all characters have existed for long: later ones differ between Unicode versions."""
    return all(unicodedata.category(c) != "Cn" for c in text)


def make_strings():
    rng = random.Random(20)
    reference = json.loads((FOLDER / "tokenizers.json").read_text())["strings"]
    made = [s for s in (random_string(rng) for _ in range(400)) if known(s)]
    return [s for s in reference if s] + made[:170]


# ---- Pre-tokenisers ---------------------------------------------------------------------------------

GPT2 = r"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+"
SHORT = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)"
LINES = r"|\s*[\r\n]+|\s+(?!\S)|\s+"
UPPER, LOWER = r"[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]", r"[\p{Ll}\p{Lm}\p{Lo}\p{M}]"


def cased(tail):
    lead = r"[^\r\n\p{L}\p{N}]?"
    return f"{lead}{UPPER}*{LOWER}+{tail}|{lead}{UPPER}+{LOWER}*{tail}"


CLAUSES = " ?[^(\\s|[.,!?\u2026\u3002\uff0c\u3001\u0964\u06d4\u060c])]+"
HAN_KANA = "[\u4e00-\u9fa5\u3040-\u309f\u30a0-\u30ff]+"
HAN_HANGUL = "[\u4e00-\u9fa5\u0800-\u4e00\uac00-\ud7ff]+"
STAGES = {
    "default": [r"[\p{P}\$\+<=>\^~\|]+", GPT2, r"\p{N}+", "[0-9][0-9][0-9]"],
    "gpt-2": [GPT2],
    "smollm": [r"\p{N}", GPT2],
    "llama-bpe": [SHORT + r"|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*" + LINES],
    "dbrx": [SHORT + r"|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*" + LINES],
    "qwen2": [SHORT + r"|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*" + LINES],
    "qwen35": [SHORT + r"|[^\r\n\p{L}\p{N}]?[\p{L}\p{M}]+|\p{N}| ?[^\s\p{L}\p{M}\p{N}]+[\r\n]*" + LINES],
    "bailingmoe": [r"'(?i:[sdmt]|ll|ve|re)|[^\r\n\p{L}\p{N}]?+\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]++[\r\n]*|\s*[\r\n]"
                   r"|\s+(?!\S)|\s+"],
    "seed-coder": [SHORT + r"|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1}| ?[^\s\p{L}\p{N}\r\n]+" + LINES],
    "tekken": [cased("") + r"|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n/]*" + LINES],
    "gpt-4o": [cased(SHORT + "?") + r"|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n/]*" + LINES],
    "falcon": [r"[\p{P}\$\+<=>\^~\|`]+", GPT2, "[0-9][0-9][0-9]"],
    "deepseek-coder": [r"[\r\n]", r"\s?\p{L}+", r"\s?\p{P}+", HAN_HANGUL, r"\p{N}"],
    "deepseek-v3": [r"\p{N}{1,3}", HAN_KANA,
                    r"[!\"#$%&'()*+,\-./:;<=>?@\[\\\]^_`{|}~][A-Za-z]+|[^\r\n\p{L}\p{P}\p{S}]?[\p{L}\p{M}]+"
                    r"| ?[\p{P}\p{S}]+[\r\n]*" + LINES],
    "bloom": [CLAUSES],
    "viking": [CLAUSES, r"\p{N}"],
}


def splitter(stages):
    return pre_tokenizers.Sequence([pre_tokenizers.Split(Regex(s), "isolated") for s in stages])


def words_of(strings):
    return {name: [[len(w.encode()) for w, _ in splitter(stages).pre_tokenize_str(s)] for s in strings]
            for name, stages in STAGES.items()}


# ---- Small vocabularies -----------------------------------------------------------------------------


def byte_level_bpe(strings):
    t = Tokenizer(models.BPE())
    t.pre_tokenizer = pre_tokenizers.Sequence([splitter(STAGES["qwen2"]),
                                               pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)])
    t.train_from_iterator(strings, trainers.BpeTrainer(
        vocab_size=900, initial_alphabet=pre_tokenizers.ByteLevel.alphabet(), show_progress=False))
    state = json.loads(t.to_str())["model"]
    tokens = sorted(state["vocab"], key=state["vocab"].get)
    merges = [m if isinstance(m, str) else " ".join(m) for m in state["merges"]]
    return {"pre": "qwen2", "tokens": tokens, "merges": merges, "ids": [t.encode(s).ids for s in strings]}


def spm(strings, prefix):
    model = io.BytesIO()
    lines = [line for s in strings[:45] for line in s.replace("\0", "").split("\n") if line]
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(lines), model_writer=model, vocab_size=950, model_type="bpe", byte_fallback=True,
        add_dummy_prefix=prefix, normalization_rule_name="identity", remove_extra_whitespaces=False,
        character_coverage=0.98, allow_whitespace_only_pieces=True, num_threads=1, minloglevel=9)
    p = sentencepiece.SentencePieceProcessor(model_proto=model.getvalue())
    ids = range(p.get_piece_size())
    types = [2 if p.is_unknown(i) else 3 if p.is_control(i) else 6 if p.is_byte(i) else 1 for i in ids]
    clean = [s.replace("\0", "") for s in strings]  # sentencepiece ends a text there
    return {"prefix": prefix, "tokens": [p.id_to_piece(i) for i in ids], "scores": [p.get_score(i) for i in ids],
            "types": types, "ids": [p.encode(s) if s == c else None for s, c in zip(strings, clean)]}


def wordpiece(strings):
    t = Tokenizer(models.WordPiece(unk_token="[UNK]"))
    t.normalizer = normalizers.BertNormalizer()
    t.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    t.decoder = decoders.WordPiece()
    t.train_from_iterator(strings, trainers.WordPieceTrainer(
        vocab_size=700, show_progress=False, special_tokens=["[PAD]", "[UNK]", "[CLS]", "[SEP]"]))
    vocab = t.get_vocab()
    tokens = sorted(vocab, key=vocab.get)
    return {"tokens": tokens, "ids": [t.encode(s).ids for s in strings]}


def main():
    strings = make_strings()
    write = lambda name, value: (FOLDER / name).write_text(
        json.dumps(value, ensure_ascii=True, separators=(",", ":")) + "\n")
    write("pretokenizers.json", {"strings": strings, "words": words_of(strings)})
    write("tokenizers-small.json", {
        "strings": strings, "bpe": byte_level_bpe(strings), "spm": spm(strings, False),
        "spm-prefix": spm(strings, True), "wordpiece": wordpiece(strings)})


if __name__ == "__main__":
    main()
