#!/usr/bin/env python3
"""Start, processor time and memory of Szilard beside llama.cpp: same file, same threads, in turns.

    bench/peer_start.py [-t 2] [-r 5] [-n 48] [--library build/libszilard.so] MODEL.gguf ...

Each measurement is a forked process in which both libraries are loaded but nothing has been done:
open the model, make a context, compute a prompt of 8 tokens with its logits (time to the first
token), then -n tokens one by one (processor seconds per token, of all threads). llama.cpp is
measured with and without repacking its weights; the setting with the better figure counts for each
row. The file is in the page cache. Figures are best (median) of the rounds. Peak memory is that of
`szilard run` as a process of its own, with the same prompt and one token.

On a busy machine run it as root under `chrt -f 50`, or `nice -n -20` where nothing else does.
Needs: pip install llama-cpp-python.
"""

import argparse
import ctypes
import json
import os
import pathlib
import resource
import statistics
import subprocess
import time

import llama_cpp

import peer_llama

PROMPT = 8
N_VOCAB = 1000  # ids that every file has
TEXT = "one two three four five six seven eight"


class Theirs(peer_llama.Peer):
    def __init__(self, path, threads, context, repack):
        p = llama_cpp.llama_model_default_params()
        p.use_extra_bufts = repack
        self.model = llama_cpp.llama_model_load_from_file(str(path).encode(), p)
        super().__init__(self.model, threads, context, False, PROMPT)
        self.n_vocab = N_VOCAB


def start(args, path, kind):
    """Seconds to the first token and processor seconds per later one; runs in its own process."""
    context = PROMPT + args.tokens
    began = time.perf_counter()
    if kind == "ours":
        side = peer_llama.Ours(args.library, path, args.threads, context, N_VOCAB)
    else:
        side = Theirs(path, args.threads, context, kind == "repacked")
    side.run(PROMPT, 0)
    first = time.perf_counter() - began
    cpu, began = time.process_time(), time.perf_counter()
    for i in range(args.tokens):
        side.run(1, PROMPT + i)
    return {"first_s": first, "cpu_s": (time.process_time() - cpu) / args.tokens,
            "token_s": (time.perf_counter() - began) / args.tokens}


def forked(args, path, kind):
    read, write = os.pipe()
    pid = os.fork()
    if pid == 0:
        try:
            os.close(read)
            os.write(write, json.dumps(start(args, path, kind)).encode())
        finally:
            os._exit(0)
    os.close(write)
    with os.fdopen(read) as pipe:
        text = pipe.read()
    os.waitpid(pid, 0)
    if not text:
        raise SystemExit(f"{path}: measuring {kind} failed")
    return json.loads(text)


def command(args, path):
    """`szilard run` from start to end: seconds, and its peak in bytes."""
    line = [str(args.library.parent / "szilard"), "run", "-m", str(path), "-t", str(args.threads),
            "-n", "1", "--temp", "0", "--raw", TEXT]
    began = time.perf_counter()
    process = subprocess.Popen(line, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != 0:
        raise SystemExit(f"{' '.join(line)} failed")
    own = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    if usage.ru_maxrss <= own:
        raise SystemExit("this process is larger than the one that it measures")
    return time.perf_counter() - began, 1024 * usage.ru_maxrss


def row(path, key, figures):
    """The peer's better setting, by its best figure."""
    ours = [f[key] for f in figures["ours"]]
    theirs = min(([f[key] for f in figures[kind]] for kind in ("repacked", "plain")), key=min)
    return {"model": path.name, "what": key, "ours_best": min(ours),
            "ours_median": statistics.median(ours), "llama_best": min(theirs),
            "llama_median": statistics.median(theirs), "ratio_best": min(ours) / min(theirs),
            "ratio_median": statistics.median(ours) / statistics.median(theirs)}


def measure(args, path):
    kinds = ("ours", "repacked", "plain")
    figures = {kind: [] for kind in kinds}
    runs = []
    for n in range(args.rounds + 1):
        for kind in kinds:
            time.sleep(peer_llama.PAUSE_S)
            figure = forked(args, path, kind)
            if n > 0:  # the first round brings the file into the page cache
                figures[kind].append(figure)
        runs.append(command(args, path))
    for key in ("first_s", "cpu_s", "token_s"):
        yield row(path, key, figures)
    size = path.stat().st_size
    yield {"model": path.name, "what": "command", "seconds_best": min(r[0] for r in runs),
           "peak_bytes": max(r[1] for r in runs), "file_bytes": size,
           "ratio": max(r[1] for r in runs) / size}


def show(args, r):
    if args.json:
        print(json.dumps({"threads": args.threads, **r}), flush=True)
    elif r["what"] == "command":
        print(f"{r['model'][:28]:28s} szilard run: {1e3 * r['seconds_best']:.0f} ms, peak "
              f"{r['peak_bytes'] / 2**20:.0f} MiB = {r['ratio']:.3f} x file", flush=True)
    else:
        name = {"first_s": "to the first token", "cpu_s": "processor, a token",
                "token_s": "elapsed, a token"}[r["what"]]
        print(f"{r['model'][:28]:28s} {name:18s}  ours {1e3 * r['ours_best']:8.2f} "
              f"({1e3 * r['ours_median']:8.2f}) ms  llama.cpp {1e3 * r['llama_best']:8.2f} "
              f"({1e3 * r['llama_median']:8.2f}) ms  ratio {r['ratio_best']:.2f} "
              f"({r['ratio_median']:.2f})", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("models", nargs="+", type=pathlib.Path, metavar="MODEL.gguf")
    parser.add_argument("-t", "--threads", type=int, default=2)
    parser.add_argument("-r", "--rounds", type=int, default=5)
    parser.add_argument("-n", "--tokens", type=int, default=48)
    parser.add_argument("--library", type=pathlib.Path,
                        default=peer_llama.ROOT / "build" / "libszilard.so")
    parser.add_argument("--json", action="store_true", help="one JSON object per row")
    args = parser.parse_args()

    quiet = llama_cpp.llama_log_callback(lambda level, text, user: None)
    llama_cpp.llama_log_set(quiet, ctypes.c_void_p(0))
    llama_cpp.llama_backend_init()
    if not args.json:
        print(f"{peer_llama.cpu_name()}, {os.cpu_count()} processors; llama-cpp-python "
              f"{llama_cpp.__version__}; {args.threads} threads, {args.rounds} rounds")
    for path in args.models:
        for r in measure(args, path):
            show(args, r)


if __name__ == "__main__":
    main()
