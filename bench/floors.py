#!/usr/bin/env python3
"""Ratios of Szilard with itself, in turns: short prompts, small batches, a busy machine.

    bench/floors.py [-t 1] [-r 5] [--szilard build/szilard] WHAT MODEL.gguf ...

WHAT is one of
  prompts   tokens/s of a prompt of 64 against one of 512
  batches   passes over 2, 4, 8 and 16 tokens in passes over one
  busy      2 threads with one processor taken by another busy process, against 1 thread beside the
            same process: decode and a prompt of 128
  contexts  tokens/s after 64, 1024 and 4096 tokens
  threads   tokens/s of a prompt and of single tokens with 1 and 2 threads

Every round measures each side once, through `szilard bench -r 1 --json`. Figures are best (median)
of the rounds. The busy process has this one's priority: where other work runs, `chrt -r 50` keeps it
out and lets the two share a processor in slices (`chrt -f` would not).
"""

import argparse
import json
import os
import pathlib
import statistics
import subprocess

ROOT = pathlib.Path(__file__).resolve().parent.parent


def bench(args, model, *options):
    line = [str(args.szilard), "bench", "-m", str(model), "-r", "1", "--json", *map(str, options)]
    out = subprocess.run(line, check=True, stdout=subprocess.PIPE, text=True).stdout
    return json.loads(out)[0]


def prompts(args, model):
    sides = [("prompt of 64", ("-p", 64, "-n", 0, "-t", args.threads)),
             ("prompt of 512", ("-p", 512, "-n", 0, "-t", args.threads))]
    return {f"{name}, tokens/s": lambda o=o: bench(args, model, *o)["prefill_tokens_per_s"]
            for name, o in sides}


def contexts(args, model):
    return {f"after {n}, tokens/s": lambda n=n: bench(
        args, model, "-p", 0, "-n", 32, "-c", n, "-t", args.threads)["decode_tokens_per_s"]
        for n in (4096, 1024, 64)}


def threads(args, model):
    sides = {}
    for key, options in (("prefill", ("-p", 512, "-n", 0)), ("decode", ("-p", 0, "-n", 64))):
        for n in (2, 1):
            sides[f"{key}, {n} threads, tokens/s"] = lambda key=key, n=n, o=options: bench(
                args, model, *o, "-t", n)[f"{key}_tokens_per_s"]
    return sides


def busy(args, model):
    sides = {}
    for key, options in (("decode", ("-p", 0, "-n", 32)), ("prefill", ("-p", 128, "-n", 0))):
        for n in (2, 1):
            sides[f"{key}, {n} threads, tokens/s"] = lambda key=key, n=n, o=options: bench(
                args, model, *o, "-t", n)[f"{key}_tokens_per_s"]
    return sides


def hog():
    """A process that takes the first processor of those allowed."""
    pid = os.fork()
    if pid == 0:
        os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
        parent = os.getppid()
        n = 0
        while n % 100000 or os.getppid() == parent:
            n += 1
        os._exit(0)
    return pid


def show(args, model, figures):
    """Each side beside the one after it of the same kind, or the last."""
    names = list(figures)
    pairs = zip(names[::2], names[1::2]) if len(names) % 2 == 0 else (
        (n, names[-1]) for n in names[:-1])
    for a, b in pairs:
        x, y = figures[a], figures[b]
        r = {"model": model.name, "what": args.what, "a": a, "b": b, "a_best": max(x),
             "a_median": statistics.median(x), "b_best": max(y), "b_median": statistics.median(y),
             "ratio_best": max(x) / max(y),
             "ratio_median": statistics.median(p / q for p, q in zip(x, y))}
        if args.json:
            print(json.dumps(r), flush=True)
        else:
            print(f"{model.name[:28]:28s} {a}: {r['a_best']:.1f} ({r['a_median']:.1f})  "
                  f"{b}: {r['b_best']:.1f} ({r['b_median']:.1f})  "
                  f"ratio {r['ratio_best']:.2f} ({r['ratio_median']:.2f})", flush=True)


def batches(args, model):
    rows = [bench(args, model, "-p", 0, "-n", 1, "-b", "2,4,8,16", "-t", args.threads)
            for _ in range(args.rounds)]
    for i, n in enumerate((2, 4, 8, 16)):
        cost = [r["batches"][i]["sequences_passes_of_one"] for r in rows]
        span = [r["batches"][i]["span_passes_of_one"] for r in rows]
        r = {"model": model.name, "what": "batches", "tokens": n, "sequences_best": min(cost),
             "sequences_median": statistics.median(cost), "span_best": min(span),
             "span_median": statistics.median(span)}
        if args.json:
            print(json.dumps(r), flush=True)
        else:
            print(f"{model.name[:28]:28s} {n:2d} sequences: {min(cost):.2f} "
                  f"({r['sequences_median']:.2f}) passes of one = {n / min(cost):.2f} x the "
                  f"tokens/s; {n} tokens of one: {min(span):.2f} ({r['span_median']:.2f})",
                  flush=True)


def measure(args, model):
    sides = {"prompts": prompts, "contexts": contexts, "threads": threads, "busy": busy}
    if args.what == "batches":
        batches(args, model)
        return
    figures = {}
    pid = hog() if args.what == "busy" else None
    for n in range(args.rounds):
        turn = list(sides[args.what](args, model).items())
        for name, side in turn if n % 2 == 0 else reversed(turn):
            figures.setdefault(name, []).append(side())
    if pid:
        os.kill(pid, 9)
        os.waitpid(pid, 0)
    order = [name for name, _ in turn]
    show(args, model, {name: figures[name] for name in order})


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("what", choices=("prompts", "batches", "busy", "contexts", "threads"))
    parser.add_argument("models", nargs="+", type=pathlib.Path, metavar="MODEL.gguf")
    parser.add_argument("-t", "--threads", type=int, default=1)
    parser.add_argument("-r", "--rounds", type=int, default=5)
    parser.add_argument("--szilard", type=pathlib.Path, default=ROOT / "build" / "szilard")
    parser.add_argument("--json", action="store_true", help="one JSON object per row")
    args = parser.parse_args()
    for model in args.models:
        measure(args, model)


if __name__ == "__main__":
    main()
