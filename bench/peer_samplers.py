#!/usr/bin/env python3
"""Top-H and top-p beside the warpers of transformers and the samplers of llama.cpp.

usage: bench/peer_samplers.py [LIBRARY]    (default: build/libszilard.so)

For vocabularies of 49152, 151936 and 262144 tokens and the logits of bench_samplers' unsure model, one thread
each: all take turns on the same row, copied before every turn; prints the median of the turns and the ratio to
our top-H. First it checks that top-h rule=hf keeps exactly what transformers keeps. Needs numpy; torch with
transformers, and llama_cpp, each where they are there.
"""
import ctypes, math, os, statistics, sys, time

os.environ.setdefault("OMP_NUM_THREADS", "1")
import numpy as np

SIZES, TURNS = (49152, 151936, 262144), 31


class Candidates(ctypes.Structure):
    _fields_ = [("id", ctypes.POINTER(ctypes.c_int32)), ("logit", ctypes.POINTER(ctypes.c_float)),
                ("scratch", ctypes.POINTER(ctypes.c_float)), ("n", ctypes.c_size_t), ("kernels", ctypes.c_void_p)]


class Input(ctypes.Structure):  # sz_sampler_input: zeros but for what a sampler of the bench looks at
    _fields_ = [("bytes", ctypes.c_uint8 * 256)]


def make_logits(n):
    random = np.random.default_rng(1)
    x = random.normal(0, 2, n).astype(np.float32)
    for rank, at in enumerate(random.integers(0, n, 500)):
        x[at] = 13 - 0.9 * math.log(rank + 1)
    return x


class Ours:
    def __init__(self, library, text, n):
        self.library, self.input = library, Input()
        self.chain, self.c, runtime = ctypes.c_void_p(), Candidates(), ctypes.c_void_p()
        assert library.sz_runtime_new(None, ctypes.byref(runtime)) == 0
        assert library.sz_chain_parse(text.encode(), ctypes.byref(self.chain)) == 0
        assert library.sz_candidates_new(runtime, ctypes.c_size_t(n), ctypes.byref(self.c)) == 0

    def prepare(self, row):
        pointer = row.ctypes.data_as(ctypes.c_void_p)
        self.library.sz_candidates_fill(ctypes.byref(self.c), pointer, ctypes.c_size_t(len(row)))

    def call(self):
        assert self.library.sz_chain_apply(self.chain, ctypes.byref(self.input), ctypes.byref(self.c)) == 0

    def kept(self):
        return set(self.c.id[: self.c.n])


class Transformers:
    def __init__(self, warper):
        self.warper = warper

    def prepare(self, row):
        self.scores = torch.from_numpy(row.copy()).unsqueeze(0)

    def call(self):
        self.out = self.warper(None, self.scores)

    def kept(self):
        return set(torch.isfinite(self.out[0]).nonzero()[:, 0].tolist())


class Llama:
    def __init__(self, sampler, n):
        self.sampler, self.n = sampler, n
        self.data = (llama_cpp.llama_token_data * n)()
        self.view = np.ctypeslib.as_array(self.data).view(
            np.dtype([("id", np.int32), ("logit", np.float32), ("p", np.float32)])).reshape(-1)

    def prepare(self, row):
        self.view["id"], self.view["logit"], self.view["p"] = np.arange(self.n), row, 0
        self.array = llama_cpp.llama_token_data_array(data=self.data, size=self.n, selected=-1, sorted=False)

    def call(self):
        llama_cpp.llama_sampler_apply(self.sampler, ctypes.byref(self.array))

    def kept(self):
        return set(self.data[i].id for i in range(self.array.size))


def peers_of(library, n):
    peers = {"szilard top-h": Ours(library, "top-h 0.4", n), "szilard top-h rule=hf": Ours(library, "top-h 0.4 rule=hf", n),
             "szilard top-p": Ours(library, "top-p 0.9", n)}
    if transformers:
        peers["transformers top-h"] = Transformers(transformers.TopHLogitsWarper(0.4))
        peers["transformers top-p"] = Transformers(transformers.TopPLogitsWarper(0.9))
    if llama_cpp:
        peers["llama.cpp top-p"] = Llama(llama_cpp.llama_sampler_init_top_p(0.9, 1), n)
    return peers


def measure(library, n):
    row, peers = make_logits(n), peers_of(library, n)
    times = {name: [] for name in peers}
    for _ in range(TURNS):
        for name, peer in peers.items():
            peer.prepare(row)
            start = time.thread_time()
            peer.call()
            times[name].append(time.thread_time() - start)
    if transformers:
        same = peers["szilard top-h rule=hf"].kept() == peers["transformers top-h"].kept()
        print(f"{n:7}  top-h rule=hf keeps what transformers keeps: {'yes' if same else 'NO'}")
    base = statistics.median(times["szilard top-h"])
    for name, peer in peers.items():
        t = statistics.median(times[name])
        print(f"{n:7}  {name:24} {1e6 * t:9.1f} us  {t / base:7.2f} x top-h  {len(peer.kept()):7} kept")


def load(name):
    try:
        return __import__(name)
    except ImportError:
        print(f"without {name}: it is not installed")
        return None


torch = load("torch")
transformers = load("transformers") if torch else None
llama_cpp = load("llama_cpp")
if torch:
    torch.set_num_threads(1)
shared = ctypes.CDLL(os.path.abspath(sys.argv[1] if len(sys.argv) > 1 else "build/libszilard.so"))
for size in SIZES:
    measure(shared, size)
