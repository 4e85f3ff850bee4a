"""Writes formats.bin: random blocks of every quantised type and the floats that they stand for,
worked out by the Python package gguf (pip install gguf numpy).

Layout, little endian, per type: name (8 bytes, zero padded), number of weights (u32), number of
bytes (u32), the blocks, the floats.
"""
import struct
from pathlib import Path

import numpy as np
from gguf import GGML_QUANT_SIZES, GGMLQuantizationType, quants

NAMES = """F16 BF16 Q4_0 Q4_1 Q5_0 Q5_1 Q8_0 Q2_K Q3_K Q4_K Q5_K Q6_K IQ4_NL IQ4_XS MXFP4""".split()
# Offsets of the halves in a block: random bytes there could make infinities and NaNs.
HALVES = {
    "Q4_0": [0], "Q4_1": [0, 2], "Q5_0": [0], "Q5_1": [0, 2], "Q8_0": [0], "Q2_K": [80, 82],
    "Q3_K": [108], "Q4_K": [0, 2], "Q5_K": [0, 2], "Q6_K": [208], "IQ4_NL": [0], "IQ4_XS": [0],
}
N_WEIGHTS = 1024


def random_blocks(name, rng):
    block, size = GGML_QUANT_SIZES[GGMLQuantizationType[name]]
    n = N_WEIGHTS // block
    raw = rng.integers(0, 256, (n, size), dtype=np.uint8)
    for at in HALVES.get(name, []):
        halves = (rng.standard_normal(n) * 10.0 ** rng.uniform(-7, 2, n)).astype(np.float16)
        raw[:, at : at + 2] = halves.view(np.uint8).reshape(n, 2)
    if name in ("F16", "BF16"):
        floats = rng.standard_normal(N_WEIGHTS) * 10.0 ** rng.uniform(-8, 4, N_WEIGHTS)
        return quants.quantize(floats.astype(np.float32), GGMLQuantizationType[name]).view(np.uint8)
    return raw


def main():
    rng = np.random.default_rng(20240229)
    out = bytearray()
    for name in NAMES:
        raw = random_blocks(name, rng)
        floats = quants.dequantize(raw, GGMLQuantizationType[name]).astype(np.float32).ravel()
        assert floats.size == N_WEIGHTS and np.isfinite(floats).all(), name
        data = raw.tobytes()
        out += struct.pack("<8sII", name.encode(), floats.size, len(data)) + data + floats.tobytes()
    (Path(__file__).parent / "formats.bin").write_bytes(out)


if __name__ == "__main__":
    main()
