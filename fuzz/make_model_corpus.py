#!/usr/bin/env python3
"""Writes the seed corpora of fuzz_gguf and fuzz_safetensors: small valid files, and files that are
broken in one place each. Files that a fuzzer added stay. Needs nothing beyond Python."""

import json
import pathlib
import struct

CORPUS = pathlib.Path(__file__).resolve().parent / "corpus"
U8, I8, U16, I16, U32, I32, F32, BOOL, STRING, ARRAY, U64, I64, F64 = range(13)
PACK = {U8: "B", I8: "b", U16: "H", I16: "h", U32: "I", I32: "i", F32: "f", BOOL: "B", U64: "Q",
        I64: "q", F64: "d"}
HUGE = 2**64 - 1


# ---- GGUF ---------------------------------------------------------------------------------------


def text(s, length=None):
    s = s if isinstance(s, bytes) else s.encode()
    return struct.pack("<Q", len(s) if length is None else length) + s


def value(kind, v):
    return text(v) if kind == STRING else struct.pack("<" + PACK[kind], v)


def key(name, kind, v):
    return text(name) + struct.pack("<I", kind) + value(kind, v)


def array(name, kind, values, n=None):
    n = len(values) if n is None else n
    body = b"".join(value(kind, v) for v in values) if kind in PACK or kind == STRING else b""
    return text(name) + struct.pack("<IIQ", ARRAY, kind, n) + body


def tensor(name, dims, kind, offset, n_dim=None):
    n_dim = len(dims) if n_dim is None else n_dim
    return text(name) + struct.pack(f"<I{len(dims)}QIQ", n_dim, *dims, kind, offset)


def gguf(keys=(), tensors=(), data=0, version=3, magic=b"GGUF", n_kv=None, n_tensors=None, align=32):
    n_kv = len(keys) if n_kv is None else n_kv
    n_tensors = len(tensors) if n_tensors is None else n_tensors
    head = magic + struct.pack("<IQQ", version, n_tensors, n_kv) + b"".join(keys) + b"".join(tensors)
    if data:
        head += bytes(-len(head) % align) + bytes(i % 251 for i in range(data))
    return head


SCALARS = [
    key("general.architecture", STRING, "llama"), key("u8", U8, 200), key("i8", I8, -100),
    key("u16", U16, 60000), key("i16", I16, -30000), key("u32", U32, 2**32 - 1),
    key("i32", I32, -1), key("u64", U64, HUGE), key("i64", I64, -2**63), key("f32", F32, 1.5),
    key("f64", F64, 1e300), key("bool", BOOL, 1),
]
ARRAYS = [
    array("tokenizer.ggml.tokens", STRING, ["a", "", "\u0120the", b"\x00\xff"]),
    array("scores", F32, [0.5, float("-inf")]), array("types", I32, [1, 3, -1]),
    array("none", STRING, []), array("flags", BOOL, [0, 1, 2]), array("f64s", F64, [1e300]),
]
TENSORS = [tensor("token_embd.weight", [32, 2], 2, 0), tensor("norm", [5], 0, 64),
           tensor("cube", [4, 2, 3], 1, 96), tensor("four", [256, 1, 1, 1], 12, 160)]
NAN = float("nan")


def gguf_files():
    whole = gguf(SCALARS + ARRAYS, TENSORS, 304)
    yield "valid-everything", whole
    yield "valid-empty", gguf()
    yield "valid-version-2", gguf(SCALARS[:2], TENSORS[:1], 64, version=2)
    yield "valid-alignment-64", gguf([key("general.alignment", U32, 64)],
                                     [tensor("a", [4], 0, 64), tensor("b", [4], 0, 0)], 128, align=64)
    yield "valid-no-data", gguf(ARRAYS)
    yield "valid-block-types", gguf((), [tensor(f"t{t}", [256], t, 512 * i) for i, t in enumerate(
        [2, 3, 6, 7, 8, 10, 11, 12, 13, 14, 20, 23, 24, 25, 26, 27, 28, 30, 39])], 512 * 22)
    keys = len(gguf(SCALARS + ARRAYS))
    head = len(gguf(SCALARS + ARRAYS, TENSORS))
    cuts = [0, 3, 4, 7, 8, 12, 16, 20, 24, 30, 45, 57, keys // 2, keys - 100, keys - 30, keys - 1,
            keys, keys + 4, keys + 20, keys + 30, keys + 46, head - 4, head, head + 31, head + 200]
    for cut in cuts:
        yield f"cut-{cut:04}", whole[:cut]
    yield "version-1", gguf(version=1)
    yield "version-4", gguf(version=4)
    yield "big-endian", b"GGUF" + struct.pack(">IQQ", 3, 0, 0)
    yield "magic-fugg", gguf(magic=b"FUGG")
    yield "magic-ggjt", gguf(magic=b"tjgg")
    yield "magic-zip", gguf(magic=b"PK\x03\x04")
    yield "magic-html", b"<!doctype html><title>404</title>"
    yield "magic-lfs", b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n"
    for n in (1, 65536, 65537, 2**32, 2**63, HUGE):
        yield f"count-keys-{n}", gguf(n_kv=n, data=64)
        yield f"count-tensors-{n}", gguf(n_tensors=n, data=64)
    for n in (0, 65535, 65536, 2**32, 2**63, HUGE - 7, HUGE):
        yield f"key-length-{n}", gguf([text("name", n) + bytes(64)])
        yield f"string-length-{n}", gguf([text("k") + struct.pack("<I", STRING) + text("v", n)])
        yield f"array-length-{n}", gguf([array("k", U32, [1, 2], n)])
        yield f"strings-length-{n}", gguf([array("k", STRING, ["a", "b"], n)])
        inner = text("k") + struct.pack("<IIQ", ARRAY, STRING, 2) + text("a") + text("b", n)
        yield f"strings-element-{n}", gguf([inner])
        yield f"tensor-name-{n}", gguf((), [text("t", n) + bytes(40)], 64)
        yield f"tensor-dim-{n}", gguf((), [tensor("t", [n, 2], 0, 0)], 64)
        yield f"tensor-rows-{n}", gguf((), [tensor("t", [4, n], 0, 0)], 64)
        yield f"tensor-offset-{n}", gguf((), [tensor("t", [4], 0, n)], 64)
        yield f"alignment-{n}", gguf([key("general.alignment", U64, n)], TENSORS, 304)
    for n in (1, 4, 7, 8, 24, 48, 131072):
        yield f"alignment-{n}", gguf([key("general.alignment", U32, n)], TENSORS, 304)
    yield "alignment-string", gguf([key("general.alignment", STRING, "32")])
    yield "alignment-float", gguf([key("general.alignment", F32, 32.0)])
    yield "key-with-nul", gguf([key("a\0b", U8, 1)])
    yield "key-control-bytes", gguf([text("\x1b[31m\n\x07" * 30) + struct.pack("<I", 13)])
    yield "key-twice", gguf([key("k", U8, 1), key("k", U32, 2)])
    yield "key-type-13", gguf([text("k") + struct.pack("<I", 13) + bytes(64)])
    yield "key-type-max", gguf([text("k") + struct.pack("<I", 2**32 - 1) + bytes(64)])
    yield "array-type-13", gguf([text("k") + struct.pack("<IIQ", ARRAY, 13, 1) + bytes(64)])
    yield "array-of-arrays", gguf([text("k") + struct.pack("<IIQ", ARRAY, ARRAY, 1) +
                                   struct.pack("<IQ", U8, 1) + b"\0"])
    yield "array-in-itself", gguf([text("k") + struct.pack("<IIQ", ARRAY, ARRAY, 2**32) * 50])
    yield "array-f64-overflow", gguf([array("k", F64, [1.0], 2**61 + 1)])
    yield "float-nan", gguf([key("f", F32, NAN), key("d", F64, NAN), array("a", F32, [NAN])])
    yield "float-inf", gguf([key("f", F32, float("inf")), key("d", F64, float("-inf"))])
    yield "bool-two", gguf([key("b", BOOL, 2)])
    for n in (0, 5, 2**32 - 1):
        yield f"tensor-n-dim-{n}", gguf((), [tensor("t", [4] * 5, 0, 0, n)], 64)
    for kind in (4, 5, 9, 15, 16, 17, 18, 19, 21, 22, 29, 31, 34, 35, 38, 40, 255, 2**31, 2**32 - 1):
        yield f"tensor-type-{kind}", gguf((), [tensor("t", [256], kind, 0)], 512)
    yield "tensor-rows-not-blocks", gguf((), [tensor("t", [100, 4], 12, 0)], 640)
    yield "tensor-row-below-block", gguf((), [tensor("t", [16, 2], 2, 0)], 640)
    yield "tensor-product-wraps", gguf((), [tensor("t", [2**32, 2**32], 0, 0)], 64)
    yield "tensor-product-wraps-to-small", gguf((), [tensor("t", [2**62 + 1, 4], 24, 0)], 64)
    yield "tensor-bytes-wrap", gguf((), [tensor("t", [2**62, 1], 0, 0)], 64)
    yield "tensor-misaligned", gguf((), [tensor("t", [4], 0, 8)], 64)
    yield "tensor-twice", gguf((), [tensor("t", [4], 0, 0), tensor("t", [4], 0, 32)], 64)
    yield "tensors-overlap", gguf((), [tensor("a", [16], 0, 0), tensor("b", [16], 0, 32)], 128)
    yield "tensors-in-one-place", gguf((), [tensor("a", [4], 0, 0), tensor("b", [4], 0, 0)], 64)
    yield "tensor-within-another", gguf((), [tensor("a", [64], 0, 0), tensor("b", [4], 0, 64),
                                             tensor("c", [4], 0, 256)], 512)
    yield "many-tensors", gguf((), [tensor(f"t{i}", [1], 24, 32 * (49 - i)) for i in range(50)], 1600)
    yield "many-keys", gguf([key(f"k{i}", U8, i) for i in range(200)])


# ---- safetensors --------------------------------------------------------------------------------


def safetensors(header, data=0, length=None):
    if not isinstance(header, (bytes, str)):
        header = json.dumps(header, separators=(",", ":"))
    header = header if isinstance(header, bytes) else header.encode()
    n = len(header) if length is None else length
    return struct.pack("<Q", n) + header + bytes(i % 251 for i in range(data))


def one(dtype, shape, offsets):
    return {"t": {"dtype": dtype, "shape": shape, "data_offsets": offsets}}


def safetensors_files():
    sizes = {"F64": 8, "F32": 4, "F16": 2, "BF16": 2, "I64": 8, "I32": 4, "I16": 2, "I8": 1, "U8": 1,
             "BOOL": 1}
    everything, at = {"__metadata__": {"format": "pt", "\u00e9": "\u4fe1 \U0001f525\n"}}, 0
    for dtype, size in sizes.items():
        everything[dtype] = {"dtype": dtype, "shape": [2, 3], "data_offsets": [at, at + 6 * size]}
        at += 6 * size
    whole = safetensors(everything, at)
    yield "valid-everything", whole
    yield "valid-empty", safetensors("{}")
    yield "valid-padded", safetensors("{ }   \n\t ")
    yield "valid-scalar", safetensors(one("F32", [], [0, 4]), 4)
    yield "valid-zero-dim", safetensors(one("F32", [0, 2**60], [0, 0]))
    yield "valid-eight-dims", safetensors(one("U8", [1] * 8, [0, 1]), 1)
    yield "valid-escaped-name", safetensors(
        '{"\\u0074\\n\\ud83d\\udd25":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}}', 1)
    two = {"b": one("U8", [3], [4, 7])["t"], "a": one("U8", [4], [0, 4])["t"],
           "z": one("U8", [0], [4, 4])["t"], "e": one("U8", [0], [7, 7])["t"]}
    yield "valid-out-of-order", safetensors(two, 7)
    for cut in (0, 1, 7, 8, 9, 20, 40, 60, 100, 200, len(whole) - at - 1, len(whole) - at,
                len(whole) - 1):
        yield f"cut-{cut:04}", whole[:cut]
    for n in (0, 1, 100000000, 100000001, 2**32, 2**63, HUGE - 7, HUGE):
        yield f"header-length-{n}", safetensors("{}", 8, n)
    for name, header in {
        "array": "[]", "number": "7", "text": "\"a\"", "open": "{", "comma": "{,}", "trailing": "{}}",
        "nul": b"{}\0", "not-utf8": b'{"\xff\xfe":{}}', "deep": "[" * 3000, "comment": "{/**/}",
        "deep-objects": '{"a":' * 3000, "lone-surrogate": '{"\\ud800":{}}', "space-first": " {}",
        "tensor-number": '{"t":3}', "tensor-null": '{"t":null}', "no-members": '{"t":{}}',
        "metadata-number": '{"__metadata__":{"k":1}}', "metadata-array": '{"__metadata__":[]}',
        "metadata-nested": '{"__metadata__":{"k":{"l":"m"}}}', "name-nul": '{"a\\u0000b":{}}',
        "no-shape": '{"t":{"dtype":"F32","data_offsets":[0,4]}}',
        "no-offsets": '{"t":{"dtype":"F32","shape":[1]}}',
        "dtype-twice": '{"t":{"dtype":"F32","dtype":"U8","shape":[1],"data_offsets":[0,4]}}',
        "name-twice": '{"t":{"dtype":"U8","shape":[2],"data_offsets":[0,2]},'
                      '"t":{"dtype":"U8","shape":[2],"data_offsets":[2,4]}}',
        "long-name": json.dumps({"n" * 2000: 1}),
    }.items():
        yield f"json-{name}", safetensors(header, 4)
    for dtype in ("F8_E4M3", "F8_E5M2", "U16", "f32", "", "F32\0", "C64", 7, None, ["F32"]):
        yield f"dtype-{str(dtype).encode().hex() or 'empty'}", safetensors(one(dtype, [1], [0, 4]), 4)
    shapes = {"float": [1.0], "negative": [-1], "text": ["1"], "null": [None], "number": 1,
              "nine": [1] * 9, "wraps": [2**32, 2**32], "huge": [2**63 - 1], "beyond": [2**64],
              "wraps-with-size": [2**62], "wraps-to-one": [2**32 + 1, 2**32 - 1], "object": {}}
    for name, shape in shapes.items():
        yield f"shape-{name}", safetensors(one("F32", shape, [0, 4]), 4)
    offsets = {"one": [0], "three": [0, 4, 8], "none": [], "float": [0, 4.0], "negative": [-4, 0],
               "reversed": [4, 0], "beyond": [0, 8], "far": [2**62, 2**62 + 4], "text": ["0", "4"],
               "max": [2**63 - 4, 2**63], "short": [0, 3], "gap-before": [2, 4], "object": {"0": 4}}
    for name, pair in offsets.items():
        yield f"offsets-{name}", safetensors(one("F32", [1], pair), 4)
    yield "gap-after", safetensors(one("F32", [1], [0, 4]), 8)
    yield "gap-between", safetensors(
        {"a": one("U8", [2], [0, 2])["t"], "b": one("U8", [2], [3, 5])["t"]}, 5)
    yield "overlap", safetensors(
        {"a": one("U8", [4], [0, 4])["t"], "b": one("U8", [4], [3, 7])["t"]}, 7)
    yield "same-place", safetensors(
        {"a": one("U8", [4], [0, 4])["t"], "b": one("U8", [4], [0, 4])["t"]}, 4)
    yield "empty-inside-another", safetensors(
        {"a": one("U8", [4], [0, 4])["t"], "b": one("U8", [0], [2, 2])["t"]}, 4)


def main():
    for thing, files in {"gguf": gguf_files(), "safetensors": safetensors_files()}.items():
        folder = CORPUS / thing
        folder.mkdir(parents=True, exist_ok=True)
        for name, content in files:
            (folder / name).write_bytes(content)


if __name__ == "__main__":
    main()
