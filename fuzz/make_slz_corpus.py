#!/usr/bin/env python3
"""Writes fuzz/corpus/slz: compressed files whose checks are right, so that a fuzzer reaches what lies
behind them. Usage: fuzz/make_slz_corpus.py SZILARD"""
import os
import subprocess
import sys

FOLDER = os.path.join(os.path.dirname(__file__), "corpus", "slz")


def crc32c(data):
    crc = 0xFFFFFFFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0x82F63B78 if crc & 1 else 0)
    return (crc ^ 0xFFFFFFFF).to_bytes(4, "little")


def number(n):
    out = b""
    while n >= 128:
        out += bytes([n % 128 + 128])
        n //= 128
    return out + bytes([n])


def header(engine=3, about=b"", version=1):
    h = b"SLZ1" + bytes([version, engine]) + number(len(about)) + about
    return h + crc32c(h)


def record(kind, n, data, n_code=None, original=b"\0\0\0\0"):
    r = bytes([kind]) + number(n)
    if kind == 2:
        r += number(len(data) if n_code is None else n_code)
    r += data + (original if kind == 2 else b"")
    return r + crc32c(r)


def whole(head, records, total):
    end = b"\0" + number(total)
    body = head + b"".join(records)
    return body + end + crc32c(body + end)


def main():
    os.makedirs(FOLDER, exist_ok=True)
    files = {
        "empty": whole(header(), [], 0),
        "stored": whole(header(), [record(1, 5, b"abcde")], 5),
        "stored-twice": whole(header(), [record(1, 2, b"ab"), record(1, 3, b"cde")], 5),
        "about": whole(header(about=b"x" * 200), [], 0),
        "about-long": header(about=b"x" * 2000),
        "version": header(version=9),
        "engine": whole(header(engine=200), [], 0),
        "kind": whole(header(), [record(7, 1, b"a")], 1),
        "length-0": whole(header(), [record(1, 0, b"")], 0),
        "length-max": header() + b"\x01" + b"\xff" * 9 + b"\x01",
        "length-long": header() + b"\x01\x80\x80\x00",
        "code-too-long": header() + record(2, 4, b"abcd"),
        "code-none": whole(header(), [record(2, 50, b"")], 50),
        "code-bad": whole(header(), [record(2, 50, b"\x12\x34\x56\xff\xff")], 50),
        "total": whole(header(), [record(1, 5, b"abcde")], 6),
        "tail": whole(header(), [], 0) + b"\0",
    }
    texts = {"text": b"The entropy of a source bounds its code. " * 20, "zeros": bytes(3000)}
    for name, text in texts.items():
        run = subprocess.run([sys.argv[1], "zip"], input=text, stdout=subprocess.PIPE, check=True)
        files["coded-" + name] = run.stdout
    for name, data in files.items():
        with open(os.path.join(FOLDER, name), "wb") as f:
            f.write(data)


main()
