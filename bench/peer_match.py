#!/usr/bin/env python3
"""Hamming distances beside SciPy's transforms, one per symbol, and tre-agrep.

usage: bench/peer_match.py [LIBRARY]    (default: build/libszilard.so)

Alternates the peers on the same text, one thread each, and prints the median of five of the
processor's time and the ratios. tre-agrep counts lines with at most k errors, here substitutions
alone, and is left out where it is not installed. Needs numpy and scipy.
"""
import ctypes, os, resource, shutil, statistics, subprocess, sys, tempfile, time

os.environ.setdefault("OMP_NUM_THREADS", "1")
import numpy as np
from scipy.signal import fftconvolve


class Symbols(ctypes.Structure):
    _fields_ = [("data", ctypes.c_void_p), ("n", ctypes.c_size_t), ("width", ctypes.c_uint)]


class Options(ctypes.Structure):
    _fields_ = [("method", ctypes.c_int), ("bounded", ctypes.c_bool), ("k", ctypes.c_int64), ("wild", ctypes.c_bool),
                ("wildcard", ctypes.c_uint32), ("seed", ctypes.c_uint64), ("tolerance", ctypes.c_double),
                ("rt", ctypes.c_void_p), ("costs", ctypes.c_void_p)]


METHODS = {"auto": 0, "scan": 2, "fft": 4}


def symbols(a):
    return Symbols(a.ctypes.data, len(a), a.itemsize)


def ours(library, text, pattern, method, k=-1):
    out = np.empty(len(text) - len(pattern) + 1, np.uint32)
    o = Options(method=METHODS[method], bounded=k >= 0, k=max(k, 0))
    status = library.sz_match_distances(ctypes.byref(symbols(text)), ctypes.byref(symbols(pattern)), ctypes.byref(o),
                                        out.ctypes.data_as(ctypes.c_void_p), None)
    assert status == 0
    return out


def per_symbol(text, pattern):
    matches = np.zeros(len(text) - len(pattern) + 1)
    for c in np.unique(pattern):
        matches += fftconvolve(text == c, (pattern == c)[::-1].astype(np.float32), "valid")
    return (len(pattern) - np.rint(matches)).astype(np.uint32)


def cpu(call):
    """Its result, and the processor's seconds of this process and of those that it started."""
    def spent():
        r = resource.getrusage(resource.RUSAGE_CHILDREN)
        return time.process_time() + r.ru_utime + r.ru_stime
    start = spent()
    value = call()
    return value, spent() - start


def alternate(what, peers):
    times, values = {name: [] for name in peers}, {}
    for _ in range(5):
        for name, call in peers.items():
            values[name], seconds = cpu(call)
            times[name].append(seconds)
    base = statistics.median(times[next(iter(peers))])
    for name in peers:
        t = statistics.median(times[name])
        print(f"{what:34} {name:14} {1e3 * t:10.2f} ms {t / base:8.1f} x", flush=True)
    return values


def distances(library, random):
    for name, sigma, n, m in (("dna", 4, 1000000, 4096), ("dna", 4, 1000000, 16384), ("letters", 26, 300000, 1024),
                              ("letters", 26, 300000, 16384), ("bytes", 256, 100000, 4096)):
        text = random.integers(0, sigma, n).astype(np.uint8)
        pattern = text[n // 3:n // 3 + m].copy()
        pattern[random.integers(0, m, m // 10)] = 0
        found = alternate(f"{name} n {n} m {m}", {"szilard": lambda: ours(library, text, pattern, "auto"),
                                                  "szilard fft": lambda: ours(library, text, pattern, "fft"),
                                                  "scipy fft": lambda: per_symbol(text, pattern)})
        for name in found:
            assert (found[name] == found["szilard"]).all(), name


def agrep(library, random):
    text = random.integers(ord("a"), ord("f"), (20000, 100)).astype(np.uint8)
    text[:, -1] = ord("\n")
    flat = np.ascontiguousarray(text.reshape(-1))
    with tempfile.NamedTemporaryFile() as file:
        file.write(flat.tobytes())
        file.flush()
        for m, k in ((8, 1), (16, 2), (32, 3)):
            pattern = text[5000, 10:10 + m].copy()
            command = ["tre-agrep", "-c", f"-E{k}", "-D100", "-I100", pattern.tobytes().decode(), file.name]

            def lines():  # a line break is no symbol of the pattern: alignments across it do not reach k
                at = np.flatnonzero(ours(library, flat, pattern, "auto", k) <= k)
                return len({i // 100 for i in at if i % 100 + m < 100})
            found = alternate(f"2 MB of lines m {m} k {k}", {
                "szilard": lines, "tre-agrep": lambda: int(subprocess.run(command, stdout=subprocess.PIPE).stdout)})
            assert found["szilard"] == found["tre-agrep"], found


def main():
    library = ctypes.CDLL(os.path.abspath(sys.argv[1] if len(sys.argv) > 1 else "build/libszilard.so"))
    random = np.random.default_rng(1)
    warm = np.zeros(4096, np.uint8)
    ours(library, warm, warm[:2048], "auto")  # measures the costs
    distances(library, random)
    if shutil.which("tre-agrep"):
        agrep(library, random)


main()
