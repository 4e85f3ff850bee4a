#!/usr/bin/env python3
"""Writes the seed corpus of fuzz_json: texts that RFC 8259 allows, and texts that break it in one
place each. Files that a fuzzer added stay. Needs nothing beyond Python."""

import pathlib

CORPUS = pathlib.Path(__file__).resolve().parent / "corpus" / "json"

VALID = {
    "null": "null", "true": "true", "false": " false\n", "zero": "0", "minus-zero": "-0",
    "int-max": "9223372036854775807", "int-min": "-9223372036854775808",
    "int-beyond": "9223372036854775808", "fraction": "-12.5", "exponent": "1.5E+30",
    "exponent-below": "1e-320", "power-of-two": "5.684341886080802e-14", "third": "0.1e-4",
    "large": "1.7976931348623157e308", "underflow": "1e-99999999999", "many-digits": "0." + "1" * 900,
    "string-empty": '""', "escapes": r'"\"\\\/\b\f\n\r\t"', "unicode": r'"\u00e9\u20ac\ud83d\ude00"',
    "utf8": '"é€😀\x7f"', "nul": r'"a\u0000b"', "array-empty": "[]", "array": "[1,[2,[3]],null]",
    "object-empty": "{ }", "object": '{"a":1,"b":[true,{"c":"d"}],"":0.25}',
    "blanks": "\t{ \"a\"\r\n: [ 1 ,\n2 ] } ", "depth-128": "[" * 128 + "]" * 128,
    "keys": "{" + ",".join(f'"key{i}":{i}' for i in range(40)) + "}",
    "nul-in-key": r'{"a":1,"a\u0000":2}',
}
BROKEN = {
    "empty": "", "blank": "  ", "word": "nul", "two-values": "1 2", "comma-last": "[1,]",
    "comma-none": "[1 2]", "colon": '{"a" 1}', "key-number": "{1:2}", "key-twice": '{"a":1,"a":2}',
    "open-array": "[1", "open-object": '{"a":1', "open-string": '"abc', "wrong-bracket": "[1}",
    "leading-zero": "01", "minus": "-", "point": "1.", "point-first": ".5", "exponent-empty": "1e",
    "plus": "+1", "nan": "NaN", "infinite": "1e999", "digits": "1" * 5000, "escape": r'"\x"',
    "escape-cut": '"\\', "hex": r'"\u12g4"', "hex-cut": '"\\u12', "low-first": r'"\udc00"',
    "high-alone": r'"\ud800"', "high-twice": r'"\ud800\ud800"', "control": '"a\nb"',
    "depth-129": "[" * 129, "depth-objects": '{"a":' * 129, "comment": "/**/1", "bom": "\ufeff1",
}
BROKEN_BYTES = {
    "utf8-continuation": b'"\x80"', "utf8-overlong": b'"\xc0\xaf"', "utf8-surrogate": b'"\xed\xa0\x80"',
    "utf8-beyond": b'"\xf4\x90\x80\x80"', "utf8-cut": b'"\xe2\x82"', "nul-byte": b"1\0",
}

if __name__ == "__main__":
    CORPUS.mkdir(parents=True, exist_ok=True)
    for kind, texts in (("valid", VALID), ("broken", BROKEN), ("broken", BROKEN_BYTES)):
        for name, text in texts.items():
            bytes_ = text if isinstance(text, bytes) else text.encode()
            (CORPUS / f"{kind}-{name}").write_bytes(bytes_)
