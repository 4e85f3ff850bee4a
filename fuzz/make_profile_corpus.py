#!/usr/bin/env python3
"""Writes the seed corpus of fuzz_profile: a small valid profile, and files that are broken in one
place each. Files that a fuzzer added stay. Needs nothing beyond Python."""

import pathlib
import struct

CORPUS = pathlib.Path(__file__).resolve().parent / "corpus" / "profile"
U32, F32, STRING, F64_TENSOR, F32_TENSOR = 4, 6, 8, 28, 0
DIGEST = "0123456789abcdef" * 4


def text(s):
    return struct.pack("<Q", len(s)) + s.encode()


def word(key, s):
    return text(key) + struct.pack("<I", STRING) + text(s)


def count(key, n):
    return text(key) + struct.pack("<II", U32, n)


def profile(type_="kv-profile", layers=2, heads=3, dim=8, k=2, texts=4, length=16, digest=DIGEST,
            rank=(2, 1.5, 3, 1, 8, 4), deviation=(0.5, 0, 1, 0, 0, 2), agreement=0.5, leave=(),
            dims=None, kind=F64_TENSOR):
    keys = {"type": word("general.type", type_), "agreement":
            text("kv-profile.agreement") + struct.pack("<If", F32, agreement)}
    for name, n in (("layers", layers), ("heads", heads), ("head_dim", dim), ("eigenvalues", k),
                    ("texts", texts), ("length", length)):
        keys[name] = count("kv-profile." + name, n)
    for name in ("model_digest", "text_digest"):
        keys[name] = word("kv-profile." + name, digest)
    keys = [v for name, v in keys.items() if name not in leave]
    head, data, n = b"", b"", 0
    for name, values in (("rank", rank), ("deviation", deviation)):
        if name in leave:
            continue
        shape = dims or (heads, layers)
        head += text(name) + struct.pack(f"<I{len(shape)}QIQ", len(shape), *shape, kind, len(data))
        data += struct.pack(f"<{len(values)}{'d' if kind == F64_TENSOR else 'f'}", *values)
        data += bytes(-len(data) % 32)
        n += 1
    start = b"GGUF" + struct.pack("<IQQ", 3, n, len(keys)) + b"".join(keys) + head
    return start + bytes(-len(start) % 32) + data


def files():
    whole = profile()
    nan = float("nan")
    yield "valid", whole
    yield "valid-one-head", profile(layers=1, heads=1, rank=(1,), deviation=(0,))
    yield "valid-no-agreement", profile(leave=("agreement",))
    for at in (0, 40, len(whole) // 2, len(whole) - 50):
        yield f"cut-{at:04}", whole[:at]
    for name in ("type", "layers", "heads", "head_dim", "eigenvalues", "texts", "length",
                 "model_digest", "text_digest", "rank", "deviation"):
        yield f"without-{name}", profile(leave=(name,))
    yield "another-type", profile(type_="model")
    yield "no-layers", profile(layers=0, dims=(3, 2))
    yield "huge", profile(layers=1 << 31, heads=1 << 31, dims=(3, 2))
    yield "more-eigenvalues", profile(k=9)
    yield "no-texts", profile(texts=0)
    yield "short-digest", profile(digest=DIGEST[1:])
    yield "digest-not-hex", profile(digest="g" * 64)
    yield "rank-nan", profile(rank=(2, nan, 3, 1, 8, 4))
    yield "rank-too-high", profile(rank=(2, 9, 3, 1, 8, 4))
    yield "rank-zero", profile(rank=(2, 0, 3, 1, 8, 4))
    yield "deviation-negative", profile(deviation=(0, -1, 0, 0, 0, 0))
    yield "agreement-nan", profile(agreement=nan)
    yield "other-shape", profile(dims=(2, 3))
    yield "three-dimensions", profile(dims=(3, 2, 1))
    yield "float-tensor", profile(kind=F32_TENSOR)


if __name__ == "__main__":
    CORPUS.mkdir(parents=True, exist_ok=True)
    for name, data in files():
        (CORPUS / name).write_bytes(data)
