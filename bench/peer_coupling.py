#!/usr/bin/env python3
"""Greedy couplings beside ssokota/mec, the Python of the iterative couplings' authors.

usage: PYTHONPATH=MEC bench/peer_coupling.py [LIBRARY]    (default: build/libszilard.so)

Alternates the two on the same marginals, one thread each, and prints the median of three, the ratio and
both entropies. Needs numpy; MEC is a checkout of ssokota/mec. Where its compiled extension is installed,
mec uses that.
"""
import ctypes, os, statistics, sys, time

import numpy as np
from mec import greedy_mec


class Coupling(ctypes.Structure):
    _fields_ = [("n", ctypes.c_size_t), ("k", ctypes.c_size_t), ("index", ctypes.c_void_p), ("mass", ctypes.c_void_p)]


def ours(library, p, q):
    c = Coupling()
    pointer = lambda a: a.ctypes.data_as(ctypes.c_void_p)
    status = library.sz_mec_greedy(pointer(p), ctypes.c_size_t(len(p)), pointer(q), ctypes.c_size_t(len(q)),
                                   ctypes.byref(c))
    assert status == 0
    return c


def main():
    library = ctypes.CDLL(os.path.abspath(sys.argv[1] if len(sys.argv) > 1 else "build/libszilard.so"))
    library.sz_coupling_entropy.restype = ctypes.c_double
    random = np.random.default_rng(4)
    for n_p, n_q in ((256, 256), (1024, 50000)):
        p, q = (random.exponential(size=n) ** 2 for n in (n_p, n_q))
        p, q = p / p.sum(), q / q.sum()
        times = {"szilard": [], "mec": []}
        for _ in range(3):
            start = time.perf_counter()
            c = ours(library, p, q)
            times["szilard"].append(time.perf_counter() - start)
            h = library.sz_coupling_entropy(ctypes.byref(c))
            library.sz_coupling_free(ctypes.byref(c))
            start = time.perf_counter()
            peer = greedy_mec(p, q, sparse=True)
            times["mec"].append(time.perf_counter() - start)
        mass = np.array([float(m) for m in peer.values()])
        mass = mass[mass > 0]
        a, b = (statistics.median(times[name]) for name in ("szilard", "mec"))
        print(f"{n_p:5} x {n_q:5}  szilard {1e3 * a:8.2f} ms  mec {1e3 * b:9.1f} ms  {b / a:6.0f} x  "
              f"{h:.6f} and {-(mass * np.log(mass)).sum():.6f} nats")


main()
