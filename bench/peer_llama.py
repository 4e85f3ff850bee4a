#!/usr/bin/env python3
"""Speed of `szilard bench` beside llama.cpp: same file, same threads, in turns within one run.

    bench/peer_llama.py [-t 1,2] [-r 5] [--szilard build/szilard] MODEL.gguf ...

Prints, for prefill and decode, tokens/s as best (median) of the rounds and the ratio of each.
llama.cpp gets its better setting of flash attention, chosen per row by the best figure.
Needs: pip install llama-cpp-python.
"""

import argparse
import ctypes
import json
import pathlib
import statistics
import subprocess
import time

import llama_cpp

ROOT = pathlib.Path(__file__).resolve().parent.parent
PHASES = ("prefill", "decode")


def cpu_name():
    for line in pathlib.Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.split(":", 1)[1].strip()
    return "unknown processor"


class Peer:
    """One llama.cpp model, timed through its C interface."""

    def __init__(self, path, n_prefill, n_decode):
        self.n_prefill, self.n_decode = n_prefill, n_decode
        self.model = llama_cpp.llama_model_load_from_file(
            str(path).encode(), llama_cpp.llama_model_default_params()
        )
        if not self.model:
            raise SystemExit(f"llama.cpp cannot open {path}")
        self.n_vocab = llama_cpp.llama_vocab_n_tokens(llama_cpp.llama_model_get_vocab(self.model))
        self.batch = llama_cpp.llama_batch_init(n_prefill, 0, 1)
        self.contexts = {}

    def context(self, threads, flash):
        if (threads, flash) not in self.contexts:
            p = llama_cpp.llama_context_default_params()
            p.n_ctx = self.n_prefill + self.n_decode
            p.n_batch = p.n_ubatch = self.n_prefill
            p.n_threads = p.n_threads_batch = threads
            p.flash_attn_type = 1 if flash else 0
            self.contexts[threads, flash] = llama_cpp.llama_init_from_model(self.model, p)
        return self.contexts[threads, flash]

    def decode(self, context, n, position):
        """One pass over n tokens from `position`, with logits of the last."""
        b = self.batch
        b.n_tokens = n
        for i in range(n):
            b.token[i] = (position + i) * 7919 % self.n_vocab
            b.pos[i] = position + i
            b.n_seq_id[i] = 1
            b.seq_id[i][0] = 0
            b.logits[i] = i == n - 1
        if llama_cpp.llama_decode(context, b) != 0:
            raise SystemExit("llama_decode failed")
        llama_cpp.llama_synchronize(context)

    def measure(self, threads, flash, depth):
        context = self.context(threads, flash)
        memory = llama_cpp.llama_get_memory(context)
        llama_cpp.llama_memory_clear(memory, True)
        start = time.perf_counter()
        self.decode(context, self.n_prefill, 0)
        prefill = self.n_prefill / (time.perf_counter() - start)
        if depth == 0:
            llama_cpp.llama_memory_clear(memory, True)
        start = time.perf_counter()
        for i in range(self.n_decode):
            self.decode(context, 1, depth + i)
        return prefill, self.n_decode / (time.perf_counter() - start)

    def close(self):
        for context in self.contexts.values():
            llama_cpp.llama_free(context)
        llama_cpp.llama_batch_free(self.batch)
        llama_cpp.llama_model_free(self.model)


def measure_ours(args, path, threads):
    command = [str(args.szilard), "bench", "-m", str(path), "-p", str(args.prefill)]
    command += ["-n", str(args.decode), "-t", str(threads), "--json"]
    out = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    row = next(r for r in out if r["threads"] == threads)
    return row["prefill_tokens_per_s"], row["decode_tokens_per_s"]


def compare(args, path, threads):
    peer = Peer(path, args.prefill, args.decode)
    ours, flash_off, flash_on = [], [], []
    for flash in (False, True):
        peer.measure(threads, flash, args.depth)  # warm
    for _ in range(args.rounds):
        ours.append(measure_ours(args, path, threads))
        flash_off.append(peer.measure(threads, False, args.depth))
        flash_on.append(peer.measure(threads, True, args.depth))
    peer.close()
    rows = []
    for i, phase in enumerate(PHASES):
        mine = [r[i] for r in ours]
        theirs = max(([r[i] for r in runs] for runs in (flash_off, flash_on)), key=max)
        rows.append(
            {
                "model": path.name,
                "threads": threads,
                "phase": phase,
                "ours_best": max(mine),
                "ours_median": statistics.median(mine),
                "llama_best": max(theirs),
                "llama_median": statistics.median(theirs),
                "ratio_best": max(mine) / max(theirs),
                "ratio_median": statistics.median(mine) / statistics.median(theirs),
            }
        )
    return rows


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("models", nargs="+", type=pathlib.Path, metavar="MODEL.gguf")
    parser.add_argument("-t", "--threads", default="1,2", help="thread counts (1,2)")
    parser.add_argument("-r", "--rounds", type=int, default=5)
    parser.add_argument("-p", "--prefill", type=int, default=512)
    parser.add_argument("-n", "--decode", type=int, default=64)
    parser.add_argument("--depth", type=int, default=None,
                        help="tokens before the first decoded one: 0 or the prefill (default)")
    parser.add_argument("--szilard", type=pathlib.Path, default=ROOT / "build" / "szilard")
    parser.add_argument("--json", action="store_true", help="one JSON object per row")
    args = parser.parse_args()
    args.depth = args.prefill if args.depth is None else args.depth
    if args.depth not in (0, args.prefill):
        parser.error("--depth is 0 or the length of the prefill")

    llama_cpp.llama_backend_init()
    quiet = llama_cpp.llama_log_callback(lambda level, text, user: None)
    llama_cpp.llama_log_set(quiet, ctypes.c_void_p(0))
    if not args.json:
        print(f"{cpu_name()}; llama-cpp-python {llama_cpp.__version__}; "
              f"{args.rounds} rounds, tokens/s as best (median)")
    for path in args.models:
        for threads in map(int, args.threads.split(",")):
            for row in compare(args, path, threads):
                if args.json:
                    print(json.dumps(row), flush=True)
                    continue
                print(
                    f"{row['model']:44s} {threads} threads {row['phase']:8s}"
                    f" ours {row['ours_best']:7.1f} ({row['ours_median']:7.1f})"
                    f"  llama.cpp {row['llama_best']:7.1f} ({row['llama_median']:7.1f})"
                    f"  ratio {row['ratio_best']:.2f} ({row['ratio_median']:.2f})",
                    flush=True,
                )


if __name__ == "__main__":
    main()
