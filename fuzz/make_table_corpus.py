#!/usr/bin/env python3
"""Writes fuzz/corpus/table: small tables of every kind, right ones and broken ones.

usage: fuzz/make_table_corpus.py [FOLDER]
"""
import os, struct, sys


def npy(descr, shape, data, order="False"):
    header = "{'descr': '%s', 'fortran_order': %s, 'shape': %s, }" % (descr, order, shape)
    header = header.ljust(117) + "\n"
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header.encode() + data


texts = {
    "csv": "x,y\n1,2\n3,4\n", "semicolons": "1;2\n3;4\n", "tabs": "a\tb\n1\t2\n", "blanks": "1 2\n3  4 # end\n",
    "words": "red\ngreen\nred\n", "quoted": '"a, b",1\n"c",2\n', "gap": "1,2\n,3\n", "slip": "0.5\noops\n", "ragged": "1,2\n3\n",
    "mark": "\ufeffx,y\r\n1,2\r\n", "comment": "# nothing\n", "long": "1" * 70 + "\n", "nan": "nan\ninf\n-inf\n1e999\n",
    "array": "[1, 2.5, \"inf\"]", "rows": "[[1,2],[3,4]]", "columns": '{"x":[1,2],"y":["u","v"]}',
    "records": '[{"x":1,"y":"u"},{"y":"v","x":null}]', "lines": '{"x":1}\n\n{"x":true}\n', "cut_lines": '{"x":1}\n{"x":\n',
    "odd_record": '[{"x":1},{"y":2}]', "mixed": '["a", 1]', "nested": '[[1,[2]]]', "empty_object": "{}", "empty_array": "[]", "empty": "",
}
arrays = {
    "npy_f8": npy("<f8", "(2,)", struct.pack("<2d", 1, 2)), "npy_f4": npy("<f4", "(1, 2)", struct.pack("<2f", 1, 2)),
    "npy_f2": npy("<f2", "(2,)", b"\0\x3c\0\x40"), "npy_i1": npy("|i1", "(2, 2)", b"\xff\0\1\2", "True"),
    "npy_u8": npy("<u8", "()", struct.pack("<Q", 5)), "npy_big": npy(">f8", "(1,)", b"\0" * 8),
    "npy_short": npy("<f8", "(3,)", b"\0" * 8), "npy_huge": npy("|u1", "(9999999999999999999, 2)", b""),
    "npy_3d": npy("|u1", "(1, 1, 1)", b"\0"), "npy_cut": b"\x93NUMPY\1\0\xff\xff{...", "nul": b"1\0002\n",
}
folder = sys.argv[1] if len(sys.argv) > 1 else os.path.join(os.path.dirname(__file__), "corpus", "table")
os.makedirs(folder, exist_ok=True)
for name, content in {**{k: v.encode() for k, v in texts.items()}, **arrays}.items():
    with open(os.path.join(folder, name), "wb") as file:
        file.write(content)
