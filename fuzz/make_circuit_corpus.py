#!/usr/bin/env python3
"""Writes the seed corpus of fuzz_circuit: a small valid circuit file, and files that are broken in
one place each. Files that a fuzzer added stay. Needs nothing beyond Python."""

import pathlib
import struct

CORPUS = pathlib.Path(__file__).resolve().parent / "corpus" / "circuit"
U32, I32, STRING, ARRAY, F64_TENSOR, F32_TENSOR = 4, 5, 8, 9, 28, 0


def text(s):
    return struct.pack("<Q", len(s)) + s.encode()


def word(key, s):
    return text(key) + struct.pack("<I", STRING) + text(s)


def count(key, n):
    return text(key) + struct.pack("<II", U32, n)


def parents(values, kind=I32):
    return (text("circuit.parents") + struct.pack("<IIQ", ARRAY, kind, len(values)) +
            struct.pack(f"<{len(values)}i", *values))


def circuit(kind="hclt", type_="circuit", d=3, m=2, k=3, parent=(1, -1, 1), root=(0.25, 0.75),
            trans=(0.5, 0.5, 0.9, 0.1) * 3, emit=(0.2, 0.3, 0.5, 1, 0, 0) * 3, leave=(),
            emit_dims=None, root_type=F64_TENSOR, parent_kind=I32):
    keys = {"type": word("general.type", type_), "kind": word("circuit.kind", kind),
            "variables": count("circuit.variables", d), "latents": count("circuit.latents", m),
            "categories": count("circuit.categories", k), "parents": parents(parent, parent_kind)}
    tensors = {"root": ((m,), root, root_type), "trans": ((m, m, d), trans, F64_TENSOR),
               "emit": (emit_dims or (k, m, d), emit, F64_TENSOR)}
    keys = [v for name, v in keys.items() if name not in leave]
    head, data = b"", b""
    n = 0
    for name, (dims, values, kind_) in tensors.items():
        if name in leave:
            continue
        head += text(name) + struct.pack(f"<I{len(dims)}QIQ", len(dims), *dims, kind_, len(data))
        data += struct.pack(f"<{len(values)}{'d' if kind_ == F64_TENSOR else 'f'}", *values)
        data += bytes(-len(data) % 32)
        n += 1
    start = b"GGUF" + struct.pack("<IQQ", 3, n, len(keys)) + b"".join(keys) + head
    return start + bytes(-len(start) % 32) + data


def files():
    whole = circuit()
    yield "valid", whole
    yield "valid-one-variable", circuit(d=1, parent=(-1,), trans=(0,) * 4, emit=(0.2, 0.3, 0.5, 1, 0, 0))
    yield "valid-one-category", circuit(k=1, emit=(1,) * 6)
    yield "valid-zero-probability", circuit(root=(0, 1))
    yield "valid-off-by-little", circuit(root=(0.25, 0.7500001))
    for at in (0, 40, len(whole) // 2, len(whole) - 200, len(whole) - 33):
        yield f"cut-{at:04}", whole[:at]
    for name in ("type", "kind", "variables", "latents", "categories", "parents", "root", "trans",
                 "emit"):
        yield f"without-{name}", circuit(leave=(name,))
    yield "kind-other", circuit(kind="spn")
    yield "type-model", circuit(type_="model")
    yield "variables-0", circuit(d=0)
    yield "variables-many", circuit(d=2**32 - 1)
    yield "latents-many", circuit(m=2**31)
    yield "categories-many", circuit(k=2**31)
    yield "parents-two-roots", circuit(parent=(-1, -1, 1))
    yield "parents-cycle", circuit(parent=(2, -1, 0))
    yield "parents-beyond", circuit(parent=(1, -1, 7))
    yield "parents-few", circuit(parent=(-1, 0))
    yield "parents-unsigned", circuit(parent_kind=U32)
    yield "root-float", circuit(root_type=F32_TENSOR)
    yield "emit-turned", circuit(emit_dims=(2, 3, 3))
    yield "root-sum", circuit(root=(0.5, 0.75))
    yield "root-nan", circuit(root=(float("nan"), 1))
    yield "trans-negative", circuit(trans=(-0.5, 1.5, 0.9, 0.1) * 3)
    yield "emit-infinite", circuit(emit=(float("inf"), 0, 0, 1, 0, 0) * 3)


CORPUS.mkdir(parents=True, exist_ok=True)
for name, data in files():
    (CORPUS / name).write_bytes(data)
