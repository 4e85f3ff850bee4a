#!/usr/bin/env python3
"""Writes fuzz/corpus/grammar: grammars that are right and grammars that break one rule, with texts."""
import hashlib, json, os

FOLDER = os.path.join(os.path.dirname(os.path.abspath(__file__)), "corpus", "grammar")

GBNF = [
    (b'root ::= "yes" | "no"', b"yes"), (b"root ::= [a-c]+ [^0-9]?", b"abcx"), (b'root ::= "a"{2,3} "b"{2} "c"{1,}', b"aaabbc"),
    (b'# c\nroot ::= list # t\nlist ::= "[" (item ("," item)*)? "]"\nitem ::= [0-9] | list\n', b"[1,[2,[]]]"),
    (b'root ::=\n "a"\n | "b" "c"\n | (\n "d"\n |\n "e" )\n', b"bc"), (b'root ::= "\\x41\\u00e9\\U0001F600\\n\\t\\r\\\\\\"\\[\\]"', b"A"),
    (b"root ::= [\\u0100-\\u0800] .", "\u0100x".encode()), (b"root ::= [^\\x00-\\x7F]", "é".encode()), (b'root ::= "a" root | ""', b"aaaa"),
    (b'root ::= s\ns ::= "a" | "a" s s', b"a" * 60), (b'root ::= "(" root ")" | "x"', b"((x))"), (b'root ::= "x" ("y")?? "z"', b"xyz"),
    (b'root ::= "(" root ")" | "x"', b"(" * 1200 + b"x" + b")" * 1200), (b'root ::= s\ns ::= "a" | "a" s s', b"a" * 3000),
    (b"", b""), (b'start ::= "a"', b""), (b"root ::= missing", b""), (b'root ::= root "a"', b""), (b'root ::= a\na ::= b? root\nb ::= "b"', b""),
    (b'root ::= "a', b""), (b'root ::= "a"\nroot ::= "b"', b""), (b"root ::= [z-a]", b""), (b'root ::= ("a"', b""), (b'root ::= "a")', b""),
    (b'root ::= "a"{3,2}', b""), (b'root ::= "a"{99999}', b""), (b'root ::= "a"{', b""), (b'root ::= "a"{1', b""), (b'root ::= "\\q"', b""),
    (b"root ::= [\\uD800]", b""), (b"root ::= [\\u12", b""), (b'root = "a"', b""), (b'root ::= "\xc3"', b""), (b"root ::= " + b"(" * 300, b""),
    (b'root ::= ((("a"{4000}){4000}){4000})', b""), (b'root ::= "a\n"', b""), (b"::= x", b""), (b"root ::= []", b"a"), (b"root ::= [^]a]", b"b"),
]
REGEX = [
    (rb"^\d{4}-\d{2}$", b"2026-11"), (b"(cat|dog)s?", b"dogs"), (b"[A-Z][a-z]*( [A-Z]+)+", b"Leo S"), (b"a.c", b"abc"), (rb'[^"\\]*', b"abc"),
    (rb"\w+@\w+\.(com|org)", b"a@b.com"), (b"(?:ab)*?c", b"ababc"), (b"[]x-]+", b"]x-"), (rb"\x41\u0042\.\n\t\r\f\v\0", b"AB."), (rb"\S+\s\D\W", b"ab c!"),
    (rb"[\d\w\s\x41-\x43]", b"A"), (b"", b""), (b"(", b""), (b")", b""), (b"a{", b""), (b"*a", b""), (b"[a", b""), (b"(?=a)", b""), (rb"a\1", b""), (b"a^b", b""),
    (b"\\", b""), (rb"\x4", b""), (rb"\uD800", b""), (b"\xff", b""), (b"(" * 200, b""),
]
SCHEMAS = [
    ({}, "[1]"), (True, "1"), ({"type": "string"}, '"a"'), ({"type": "string", "minLength": 2, "maxLength": 3}, '"ab"'), ({"type": "string", "minLength": 2}, '"ab"'),
    ({"type": "string", "pattern": "^[a-z]+.[^x]\\D$"}, '"abc1"'), ({"type": "string", "format": "date-time"}, '"2026-11-25T14:30:00Z"'),
    ({"type": "string", "format": "uuid"}, '"'), ({"type": "integer", "minimum": 3, "maximum": 250}, "99"), ({"type": "integer", "exclusiveMinimum": -12, "maximum": 5}, "-3"),
    ({"type": "integer", "exclusiveMaximum": -3}, "-4"), ({"type": "integer", "minimum": 10}, "11"), ({"type": "number"}, "1.5e3"), ({"type": ["boolean", "null"]}, "null"),
    ({"enum": ["a", 1, 1.5, None, True, False, {"b": [None, "\n\\"]}]}, "1"), ({"const": 'q"'}, '"q\\""'), ({"type": "array", "items": {"type": "integer"}}, "[1,2]"),
    ({"type": "array", "minItems": 2, "maxItems": 3}, "[1,2]"), ({"type": "array", "prefixItems": [{"type": "string"}], "items": {"type": "integer"}}, '["a",1]'),
    ({"type": "array", "prefixItems": [{}, {}]}, "[1,2]"), ({"items": False}, "[]"), ({"prefixItems": [{}], "items": {}, "minItems": 3}, "[1,2,3]"),
    ({"type": "object", "properties": {"a": {"type": "integer"}, "b": {}}, "required": ["b"]}, '{"b":1}'),
    ({"properties": {"a": {}}, "additionalProperties": {"type": "boolean"}}, '{"z":true}'), ({"additionalProperties": True}, '{"x":1}'), ({"type": "object"}, '{"x":{}}'),
    ({"anyOf": [{"type": "integer"}, {"type": "string"}]}, "1"), ({"allOf": [{"type": "null"}]}, "null"),
    ({"$ref": "#/$defs/n~1o", "$defs": {"n/o": {"properties": {"next": {"anyOf": [{"$ref": "#/$defs/n~1o"}, {"type": "null"}]}}}}}, '{"next":null}'),
    ({"anyOf": [{"$ref": "#/anyOf/1"}, {"type": "null"}]}, "null"), ({"description": "anything"}, "1"),
    ({"not": {}}, ""), ({"type": "number", "minimum": 1}, ""), ({"type": "thing"}, ""), ({"$ref": "#/nowhere"}, ""), ({"$ref": "x"}, ""), ({"allOf": [{}, {}]}, ""),
    ({"enum": []}, ""), ({"type": []}, ""), ({"type": [3]}, ""), ({"type": "integer", "minimum": 5, "maximum": 4}, ""), ({"type": "integer", "minimum": 1.5}, ""), (3, ""),
    ({"properties": 3}, ""), ({"type": "string", "minLength": -1}, ""), ({"type": "string", "pattern": "(", }, ""), ({"type": "string", "pattern": "a", "minLength": 1}, ""),
    ({"items": False, "minItems": 1}, ""), ({"type": "array", "minItems": 3, "maxItems": 2}, ""),
]


def main():
    os.makedirs(FOLDER, exist_ok=True)
    for old in os.listdir(FOLDER):
        os.unlink(os.path.join(FOLDER, old))
    cases = [(b"g", *c) for c in GBNF] + [(b"r", *c) for c in REGEX]
    cases += [(b"s", json.dumps(s).encode(), t.encode()) for s, t in SCHEMAS] + [(b"s", b"{", b"")]
    for notation, grammar, text in cases:
        content = notation + grammar + b"\0" + text
        with open(os.path.join(FOLDER, notation.decode() + "-" + hashlib.sha256(content).hexdigest()[:12]), "wb") as f:
            f.write(content)


main()
