#!/usr/bin/env python3
"""How small: the engines of szilard zip beside other compressors, as a table in Markdown.

usage: bench/peer_compressors.py [--data FOLDER] [--model NAME] [--most BYTES] [--szilard PROGRAM]

FOLDER holds wikitext2-valid.txt and tinyshakespeare.txt; rows whose file is missing are left out. The other
rows are this project's own files, as git lists them: its documents and headers, and its sources. --model
(smollm2; none: '') codes texts up to --most bytes (70000: minutes). Every result of ours is decompressed and
compared. Peers that are not installed have an empty column: bzip2 -9, brotli -q 11 --lgwin=24, zstd --ultra -22,
xz -9e, 7z PPMd (order 16, 256 MB), zpaq -m5.
"""
import argparse, os, shutil, subprocess, tempfile

ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..")

# enwik8 (100,000,000 bytes), bits per byte: published elsewhere, not measured here.
PUBLISHED = [("xz", "1.989", ""), ("bzip2", "2.321", ""), ("PPMd var. J", "1.711", ""),
             ("paq8hp12any", "1.298", "has an English dictionary"), ("nncp v3.2", "1.193", "learns as it goes"),
             ("cmix v21", "1.170", "31 GB of memory"), ("ts_zip, RWKV 169M", "1.106", "model not counted"),
             ("FineZip, Llama 3 8B", "1.024", "model not counted"),
             ("Nacrith, SmolLM2-135M", "0.939", "model not counted; it has very likely read enwik8")]


def output_of(command, data):
    return subprocess.run(command, input=data, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=True).stdout


def piped(*command):
    return lambda data: len(output_of(command, data))


def archived(archive, *command):
    """A program that writes an archive of a file."""
    def size(data):
        with tempfile.TemporaryDirectory() as folder:
            with open(os.path.join(folder, "data"), "wb") as f:
                f.write(data)
            subprocess.run(command, cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=True)
            return os.path.getsize(os.path.join(folder, archive))
    return size


PEERS = [("bzip2", piped("bzip2", "-9c")), ("brotli", piped("brotli", "-q", "11", "--lgwin=24", "-c")),
         ("zstd", piped("zstd", "--ultra", "-22", "-qc")), ("xz", piped("xz", "-9ec")),
         ("7z", archived("x.7z", "7z", "a", "-m0=PPMd:o=16:mem=256m", "x.7z", "data")),
         ("zpaq", archived("x.zpaq", "zpaq", "a", "x.zpaq", "data", "-m5"))]


def ours(program, model, data):
    code = output_of([program, "zip", "-q", "-m", model], data)
    if output_of([program, "unzip", "-q"], code) != data:
        raise SystemExit(f"{model}: another text comes back")
    return len(code)


def tracked(*patterns):
    names = subprocess.run(["git", "ls-files", *patterns], cwd=ROOT, stdout=subprocess.PIPE, check=True, text=True)
    parts = []
    for name in sorted(names.stdout.split("\n")):
        if name:
            with open(os.path.join(ROOT, name), "rb") as f:
                parts.append(f.read())
    return b"".join(parts)


def texts(folder):
    def read(name):
        path = os.path.join(folder, name) if folder else ""
        return open(path, "rb").read() if os.path.isfile(path) else b""
    wiki, documents, sources = read("wikitext2-valid.txt"), tracked("*.md", "*.h"), tracked("src/*.c")
    yield "WikiText-2 valid, first 64 KiB", wiki[:1 << 16]
    yield "WikiText-2 valid", wiki
    yield "tinyshakespeare", read("tinyshakespeare.txt")
    yield "this project's documents, first 64 KiB", tracked("docs/*.md")[:1 << 16]
    yield "this project's documents and headers, to 1 MiB", documents[:1 << 20]
    yield "this project's sources, first 64 KiB", sources[:1 << 16]
    yield "this project's sources, first MiB", sources[:1 << 20]


def cell(size, data):
    return f"{size:,} ({8 * size / len(data):.2f})" if size else ""


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--data")
    parser.add_argument("--model", default="smollm2")
    parser.add_argument("--model-bytes", type=int, default=98362432)
    parser.add_argument("--most", type=int, default=70000)
    parser.add_argument("--szilard", default=os.path.join(ROOT, "build", "szilard"))
    a = parser.parse_args()
    heads = ["text", "bytes"] + [name for name, _ in PEERS] + ["`bytes`"]
    heads += [f"`{a.model}`", "with the model"] if a.model else []
    print("| " + " | ".join(heads) + " |\n" + "|---" * len(heads) + "|")
    for name, data in texts(a.data):
        if not data:
            continue
        row = [name, f"{len(data):,}"]
        for peer, size in PEERS:
            row.append(cell(size(data) if shutil.which(peer) else 0, data))
        row.append(f"**{cell(ours(a.szilard, 'bytes', data), data)}**")
        if a.model:
            small = len(data) <= a.most
            size = ours(a.szilard, a.model, data) if small else 0
            row += [f"**{cell(size, data)}**" if size else "", f"{size + a.model_bytes:,}" if size else ""]
        print("| " + " | ".join(row) + " |", flush=True)
    print("\nenwik8, published elsewhere:\n\n| program | bits per byte | |\n|---|---|---|")
    for row in PUBLISHED:
        print("| " + " | ".join(row) + " |")


main()
