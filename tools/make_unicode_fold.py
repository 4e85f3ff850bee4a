#!/usr/bin/env python3
"""Writes src/model/unicode_fold_table.h: canonical decomposition without marks, then lower case.

Run with a Python whose unicodedata is the version wanted; the version is put into the file.
"""
import sys
import unicodedata as u

HANGUL = range(0xAC00, 0xD7A4)  # decomposed by arithmetic


def fold(c):
    parts = u.normalize("NFD", chr(c))
    return "".join(p for p in parts if u.category(p) != "Mn").lower()


def rows(items, per_line):
    for i in range(0, len(items), per_line):
        yield "    " + " ".join(items[i:i + per_line])


def main(out):
    single, several = [], []
    for c in range(0x80, 0x110000):
        if c in HANGUL or 0xD800 <= c <= 0xDFFF or u.category(chr(c)) == "Mn":
            continue
        f = fold(c)
        if f == chr(c):
            continue
        if len(f) == 1:
            single.append(f"{{{c:#x}, {ord(f):#x}}},")
        else:
            parts = [ord(p) for p in f] + [0] * (3 - len(f))
            several.append("{%#x, {%#x, %#x, %#x}}," % (c, *parts))
    print(f"/* unicode_fold_table.h: made by tools/make_unicode_fold.py, Unicode {u.unidata_version}. */",
          "/* clang-format off */", file=out, sep="\n")
    print("static const struct { uint32_t from, to; } SINGLE[] = {", *rows(single, 5), "};", sep="\n", file=out)
    print("static const struct { uint32_t from, to[3]; } SEVERAL[] = {", *rows(several, 2), "};", sep="\n", file=out)
    print("/* clang-format on */", file=out)


if __name__ == "__main__":
    main(sys.stdout)
