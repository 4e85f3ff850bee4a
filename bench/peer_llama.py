#!/usr/bin/env python3
"""Speed of Szilard beside llama.cpp: same file, same threads, in turns within one process.

    bench/peer_llama.py [-t 1,2] [-r 5] [--library build/libszilard.so] MODEL.gguf ...

Each round measures ours, llama.cpp without and llama.cpp with flash attention, one after the other;
its better setting counts, chosen per row by the best figure. Prefill is one pass over -p tokens;
decode is -n passes of one token after --depth tokens. Prints tokens/s as best (median) of the
rounds, the ratios, and the ceilings of this machine as `szilard bench` measures them.

On a busy machine run it as root under `chrt -f 50`: both sides then get the processors alike.
Needs: pip install llama-cpp-python.
"""

import argparse
import ctypes
import json
import os
import pathlib
import statistics
import subprocess
import time

import llama_cpp

ROOT = pathlib.Path(__file__).resolve().parent.parent
PAUSE_S = 0.05  # lets the other side's threads fall asleep


def cpu_name():
    for line in pathlib.Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.split(":", 1)[1].strip()
    return "unknown processor"


def token(position, n_vocab):
    return position * 7919 % n_vocab


class Ours:
    """One model of libszilard, through szilard.h."""

    class RuntimeConfig(ctypes.Structure):
        _fields_ = [("size", ctypes.c_size_t), ("n_threads", ctypes.c_int),
                    ("isa", ctypes.c_char_p), ("log", ctypes.c_void_p),
                    ("log_user", ctypes.c_void_p)]

    class SessionConfig(ctypes.Structure):
        _fields_ = [("size", ctypes.c_size_t), ("context", ctypes.c_uint32),
                    ("n_sequences", ctypes.c_uint32), ("chunk", ctypes.c_uint32),
                    ("kv_type", ctypes.c_int)]

    class Span(ctypes.Structure):
        _fields_ = [("seq", ctypes.c_uint32), ("ids", ctypes.POINTER(ctypes.c_int32)),
                    ("n", ctypes.c_uint32), ("want", ctypes.c_int)]

    WANT_LAST = 1

    def __init__(self, library, path, threads, context, n_vocab):
        self.lib = ctypes.CDLL(str(library))
        self.lib.sz_last_error.restype = ctypes.c_char_p
        for name in ("sz_runtime_free", "sz_model_close", "sz_session_free"):
            getattr(self.lib, name).argtypes = [ctypes.c_void_p]
            getattr(self.lib, name).restype = None
        self.n_vocab = n_vocab
        self.runtime, self.model, self.session = (ctypes.c_void_p() for _ in range(3))
        runtime = self.RuntimeConfig(n_threads=threads)
        session = self.SessionConfig(context=context, n_sequences=1)
        self.call("sz_runtime_new", ctypes.byref(runtime), ctypes.byref(self.runtime))
        self.call("sz_model_open", self.runtime, str(path).encode(), None,
                  ctypes.byref(self.model))
        self.call("sz_session_new", self.model, ctypes.byref(session), ctypes.byref(self.session))

    def call(self, name, *args):
        if getattr(self.lib, name)(*args) != 0:
            raise SystemExit(f"{name}: {self.lib.sz_last_error().decode()}")

    def cut(self, n):
        """Forgets all but the first n tokens."""
        self.call("sz_session_truncate", self.session, 0, n)

    def run(self, n, position):
        """One pass over n tokens from `position`, with logits of the last."""
        ids = (ctypes.c_int32 * n)(*(token(position + i, self.n_vocab) for i in range(n)))
        span = self.Span(seq=0, ids=ids, n=n, want=self.WANT_LAST)
        self.call("sz_session_forward", self.session, ctypes.byref(span), ctypes.c_size_t(1))

    def close(self):
        self.lib.sz_session_free(self.session)
        self.lib.sz_model_close(self.model)
        self.lib.sz_runtime_free(self.runtime)


class Peer:
    """One context of llama.cpp, through its C interface."""

    def __init__(self, model, threads, context, flash, n_batch):
        p = llama_cpp.llama_context_default_params()
        p.n_ctx = context
        p.n_batch = p.n_ubatch = n_batch
        p.n_threads = p.n_threads_batch = threads
        p.flash_attn_type = 1 if flash else 0
        self.context = llama_cpp.llama_init_from_model(model, p)
        self.n_vocab = llama_cpp.llama_vocab_n_tokens(llama_cpp.llama_model_get_vocab(model))
        self.batch = llama_cpp.llama_batch_init(n_batch, 0, 1)

    def cut(self, n):
        llama_cpp.llama_memory_seq_rm(llama_cpp.llama_get_memory(self.context), 0, n, -1)

    def run(self, n, position):
        b = self.batch
        b.n_tokens = n
        for i in range(n):
            b.token[i] = token(position + i, self.n_vocab)
            b.pos[i] = position + i
            b.n_seq_id[i] = 1
            b.seq_id[i][0] = 0
            b.logits[i] = i == n - 1
        if llama_cpp.llama_decode(self.context, b) != 0:
            raise SystemExit("llama_decode failed")
        llama_cpp.llama_synchronize(self.context)

    def close(self):
        llama_cpp.llama_batch_free(self.batch)
        llama_cpp.llama_free(self.context)


def prefill(side, args):
    side.cut(0)
    start = time.perf_counter()
    side.run(args.prefill, 0)
    return args.prefill / (time.perf_counter() - start)


def decode(side, args):
    if getattr(side, "depth", None) != args.depth:  # it stays from one round to the next
        side.cut(0)
        for at in range(0, args.depth, args.prefill):
            side.run(min(args.prefill, args.depth - at), at)
        side.depth = args.depth
    side.cut(args.depth)
    start = time.perf_counter()
    for i in range(args.decode):
        side.run(1, args.depth + i)
    return args.decode / (time.perf_counter() - start)


def row(args, path, threads, phase, ours, off, on):
    theirs = max((off, on), key=max)
    return {
        "model": path.name, "threads": threads, "phase": phase,
        "tokens": args.prefill if phase == "prefill" else args.decode,
        "depth": 0 if phase == "prefill" else args.depth,
        "ours_best": max(ours), "ours_median": statistics.median(ours),
        "llama_best": max(theirs), "llama_median": statistics.median(theirs),
        "llama_flash_attention": theirs is on,
        "ratio_best": max(ours) / max(theirs),
        "ratio_median": statistics.median(ours) / statistics.median(theirs),
    }


def compare(args, path, threads):
    model = llama_cpp.llama_model_load_from_file(
        str(path).encode(), llama_cpp.llama_model_default_params())
    if not model:
        raise SystemExit(f"llama.cpp cannot open {path}")
    context = max(args.prefill, args.depth + args.decode)
    peers = [Peer(model, threads, context, flash, args.prefill) for flash in (False, True)]
    sides = [Ours(args.library, path, threads, context, peers[0].n_vocab), *peers]
    for phase, measure in (("prefill", prefill), ("decode", decode)):
        if args.only not in (None, phase):
            continue
        rates = [[] for _ in sides]
        for n in range(args.rounds + 1):
            for side, figures in zip(sides, rates):
                time.sleep(PAUSE_S)
                rate = measure(side, args)
                if n > 0:  # the first round warms up
                    figures.append(rate)
        yield row(args, path, threads, phase, *rates)
    for side in sides:
        side.close()
    llama_cpp.llama_model_free(model)


def ceilings(args, path, threads):
    """What `szilard bench` says of the machine and the work; None where there is no such command."""
    command = [str(args.library.parent / "szilard"), "bench", "-m", str(path), "-r", "1",
               "-p", str(args.prefill), "-n", "2", "-t", str(threads), "--json"]
    try:
        out = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
        return out[0]
    except (OSError, subprocess.CalledProcessError, json.JSONDecodeError, IndexError):
        return None


def share(r, machine):
    """Of the ceiling: multiply-adds for a prompt, bytes read for single tokens."""
    if r["phase"] == "prefill":
        per_token = machine["prefill_multiply_adds"] / machine["prefill_tokens"]
        return r["ours_best"] * per_token / machine["machine_int8_multiply_adds_per_s"]
    per_token = machine["decode_bytes"] / machine["decode_tokens"]
    return r["ours_best"] * per_token / machine["machine_read_bytes_per_s"]


def show(args, r):
    if args.json:
        print(json.dumps(r), flush=True)
        return
    print(f"{r['model'][:28]:28s} {r['threads']} threads {r['phase']:7s} {r['tokens']:4d}"
          f"  ours {r['ours_best']:7.1f} ({r['ours_median']:7.1f})"
          f"  llama.cpp {r['llama_best']:7.1f} ({r['llama_median']:7.1f})"
          f"  ratio {r['ratio_best']:.2f} ({r['ratio_median']:.2f})"
          + (f"  {r['share_of_ceiling']:.0%} of ceiling" if "share_of_ceiling" in r else ""),
          flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("models", nargs="+", type=pathlib.Path, metavar="MODEL.gguf")
    parser.add_argument("-t", "--threads", default="1,2", help="thread counts (1,2)")
    parser.add_argument("-r", "--rounds", type=int, default=5)
    parser.add_argument("-p", "--prefill", type=int, default=512)
    parser.add_argument("-n", "--decode", type=int, default=64)
    parser.add_argument("--depth", type=int, default=64,
                        help="tokens before the first decoded one (64)")
    parser.add_argument("--only", choices=("prefill", "decode"), help="measure one of the two")
    parser.add_argument("--library", type=pathlib.Path,
                        default=ROOT / "build" / "libszilard.so")
    parser.add_argument("--json", action="store_true", help="one JSON object per row")
    args = parser.parse_args()

    llama_cpp.llama_backend_init()
    quiet = llama_cpp.llama_log_callback(lambda level, text, user: None)
    llama_cpp.llama_log_set(quiet, ctypes.c_void_p(0))
    if not args.json:
        print(f"{cpu_name()}, {os.cpu_count()} processors; llama-cpp-python "
              f"{llama_cpp.__version__}; {args.rounds} rounds, tokens/s as best (median)")
    for path in args.models:
        for threads in map(int, args.threads.split(",")):
            machine = ceilings(args, path, threads)
            if machine and not args.json:
                print(f"  {threads} threads: "
                      f"{2e-9 * machine['machine_int8_multiply_adds_per_s']:.0f} GOP/s in int8, "
                      f"{1e-9 * machine['machine_read_bytes_per_s']:.1f} GB/s read")
            for r in compare(args, path, threads):
                if machine:
                    r["share_of_ceiling"] = share(r, machine)
                show(args, r)


if __name__ == "__main__":
    main()
