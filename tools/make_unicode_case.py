#!/usr/bin/env python3
"""Writes src/model/unicode_case_table.h: upper and lower case of single characters.

Run with a Python whose unicodedata is the version wanted; the version is put into the file.
"""
import sys
import unicodedata as u


def ranges(pairs):
    """{from, to} pairs as runs {first, last, stride, distance} with one distance."""
    runs = []
    for c, d in pairs:
        if runs:
            first, last, stride, distance = runs[-1]
            gap = c - last
            if d - c == distance and (gap == stride or (first == last and gap <= 2)):
                runs[-1] = (first, c, gap, distance)
                continue
        runs.append((c, c, 1, d - c))
    return runs


def table(name, mapped, out):
    single = [(c, ord(m)) for c, m in mapped if len(m) == 1]
    rows = [f"{{{a:#x}, {b:#x}, {s}, {d}}}," for a, b, s, d in ranges(single)]
    print(f"static const struct run {name}[] = {{", file=out)
    for i in range(0, len(rows), 4):
        print("    " + " ".join(rows[i:i + 4]), file=out)
    print("};", file=out)


def several(name, mapped, out):
    print(f"static const struct several {name}[] = {{", file=out)
    for c, m in mapped:
        parts = [ord(x) for x in m] + [0] * (3 - len(m))
        print("    {%#x, {%#x, %#x, %#x}}," % (c, *parts), file=out)
    print("};", file=out)


def main(out):
    every = [c for c in range(0x80, 0x110000) if not 0xD800 <= c <= 0xDFFF]
    upper = [(c, chr(c).upper()) for c in every if chr(c).upper() != chr(c)]
    lower = [(c, chr(c).lower()) for c in every if chr(c).lower() != chr(c)]
    title = [(c, chr(c).title()) for c in every if chr(c).title() != chr(c).upper()]
    print(f"/* unicode_case_table.h: made by tools/make_unicode_case.py, Unicode {u.unidata_version}. */",
          "/* clang-format off */", file=out, sep="\n")
    table("UPPER", upper, out)
    table("LOWER", lower, out)
    several("UPPER_SEVERAL", [x for x in upper if len(x[1]) > 1], out)
    several("TITLE", title, out)
    print("/* clang-format on */", file=out)


if __name__ == "__main__":
    main(sys.stdout)
