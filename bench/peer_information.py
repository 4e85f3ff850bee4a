#!/usr/bin/env python3
"""Nearest-neighbour information beside scikit-learn and a SciPy implementation in the style of NPEET.

usage: bench/peer_information.py [LIBRARY]    (default: build/libszilard.so)

Alternates the three on the same samples, one thread each, and prints the median of five and the ratios.
Needs numpy, scipy and scikit-learn.
"""
import ctypes, os, statistics, sys, time

os.environ.setdefault("OMP_NUM_THREADS", "1")
import numpy as np
from scipy.spatial import cKDTree
from scipy.special import digamma
from sklearn.feature_selection._mutual_info import _compute_mi_cc

K = 3


class Estimate(ctypes.Structure):
    _fields_ = [("nats", ctypes.c_double), ("error", ctypes.c_double), ("ceiling", ctypes.c_double),
                ("n", ctypes.c_size_t), ("jittered", ctypes.c_bool)]


def ours(library, x, y):
    e = Estimate()
    pointer = lambda a: a.ctypes.data_as(ctypes.c_void_p)
    status = library.sz_mi_ksg1(pointer(x), ctypes.c_size_t(x.shape[1]), pointer(y), ctypes.c_size_t(y.shape[1]),
                                ctypes.c_size_t(len(x)), None, ctypes.byref(e))
    assert status == 0
    return e.nats


def in_the_style_of_npeet(x, y):
    joint, tree_x, tree_y = cKDTree(np.hstack([x, y])), cKDTree(x), cKDTree(y)
    radius = [joint.query(p, K + 1, p=np.inf)[0][K] - 1e-15 for p in np.hstack([x, y])]
    n_x = [len(tree_x.query_ball_point(p, r, p=np.inf)) for p, r in zip(x, radius)]
    n_y = [len(tree_y.query_ball_point(p, r, p=np.inf)) for p, r in zip(y, radius)]
    return digamma(K) + digamma(len(x)) - np.mean(digamma(n_x) + digamma(n_y))


def main():
    library = ctypes.CDLL(os.path.abspath(sys.argv[1] if len(sys.argv) > 1 else "build/libszilard.so"))
    random = np.random.default_rng(1)
    for n, d in ((5000, 1), (10000, 1), (10000, 3)):
        x = random.standard_normal((n, d))
        y = np.ascontiguousarray(0.6 * x + 0.8 * random.standard_normal((n, d)))
        peers = {"szilard": lambda: ours(library, x, y), "npeet style": lambda: in_the_style_of_npeet(x, y)}
        if d == 1:
            peers["scikit-learn"] = lambda: _compute_mi_cc(x[:, 0], y[:, 0], K)
        times, values = {name: [] for name in peers}, {}
        for _ in range(5):
            for name, call in peers.items():
                start = time.perf_counter()
                values[name] = call()
                times[name].append(time.perf_counter() - start)
        base = statistics.median(times["szilard"])
        for name in peers:
            t = statistics.median(times[name])
            print(f"N {n:6} d {d}  {name:14} {1e3 * t:9.1f} ms  {t / base:6.1f} x  {values[name]:.6f} nats")


main()
