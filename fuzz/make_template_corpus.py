#!/usr/bin/env python3
"""Writes the seed corpus of fuzz_template from tests/vectors/templates.json: what renders is put
together by the dozen, what fails stands alone; templates of families with their conversations.
Files that a fuzzer added stay. Needs nothing beyond Python."""

import hashlib
import json
import pathlib

HERE = pathlib.Path(__file__).resolve().parent
VECTORS = HERE.parent / "tests" / "vectors"
CORPUS = HERE / "corpus" / "template"
DOZEN = 12
EXTRA = [  # what jinja2's sandbox forbids
    "{{ l.append(4) }}{{ l.extend('ab') }}{{ l.insert(1, 9) }}{{ l.pop() }}{{ l.pop(0) }}{{ l.copy() }}{{ l }}",
    "{{ d.update({'a': 1}, b=2) }}{{ d.pop('a') }}{{ d.pop('z', 0) }}{{ d.setdefault('e', 1) }}{{ d }}",
    "{{ d.pop('zz') }}", "{{ l.pop(99) }}", "{{ (1,).append(2) }}",
    "{% set x = [] %}{{ x.append(x) }}{{ x }}",
    "{{ {'a': 'b c', 'd/': 1}|urlencode }}{{ [(1, 2)]|urlencode }}", "{{ [1]|urlencode }}",
]


def main():
    vectors = json.loads((VECTORS / "templates.json").read_text())
    CORPUS.mkdir(parents=True, exist_ok=True)

    def write(kind, text):
        text = text.encode()
        (CORPUS / f"{kind}-{hashlib.sha256(text).hexdigest()[:10]}").write_bytes(text)

    together, seen = [], set()
    for case in vectors["cases"]:
        if "file" in case:
            chat = case["variables"]
            ends = case.get("error", chat)
            if (case["file"], ends) in seen or chat not in ("one call", "tool calls", "parts", "bad role"):
                continue
            seen.add((case["file"], ends))
            variables = json.dumps(vectors["variables"][chat], ensure_ascii=False)
            source = (VECTORS / "templates" / case["file"]).read_text()
            write("family", source + "\n%%%%\n" + variables)
        elif "error" in case:
            write("error", case["template"])
        else:
            together.append(case["template"])
    for template in EXTRA:
        write("extra", template)
    for i in range(0, len(together), DOZEN):
        write("valid", "\n".join(together[i:i + DOZEN]))


if __name__ == "__main__":
    main()
