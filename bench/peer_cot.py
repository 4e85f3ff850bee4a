"""The work of bench_cot with numpy's broadcasting: agreement of one automaton with all others."""
import itertools
import time

import numpy

STATES, SYMBOLS, LENGTH = 3, 2, 8
strings = numpy.array(list(itertools.product(range(SYMBOLS), repeat=LENGTH)))
outputs, paths = [], []
for digits in itertools.product(range(STATES), repeat=STATES * SYMBOLS):
    transition = numpy.array(digits).reshape(STATES, SYMBOLS)
    state = numpy.zeros(len(strings), int)
    path = numpy.zeros(len(strings), numpy.int64)
    for i in range(LENGTH):
        state = transition[state, strings[:, i]]
        path = path * STATES + state
    for mask in range(2**STATES):
        outputs.append(mask >> state & 1)
        paths.append(path)
y, z = numpy.array(outputs), numpy.array(paths)
truths = 40
start = time.perf_counter()
for h in range(truths):
    differ = (y != y[h]).mean(axis=1)
    agree = ((y == y[h]) & (z == z[h])).mean(axis=1)
    bad = differ > 0.05
    least = -numpy.log(agree[bad].max()) if bad.any() and agree[bad].max() > 0 else numpy.inf
seconds = time.perf_counter() - start
print(f"numpy: {truths * len(y) / seconds * 1e-6:.2f} M pairs/s")
