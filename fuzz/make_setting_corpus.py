#!/usr/bin/env python3
"""Writes fuzz/corpus/setting: chains of samplers and stop rules, right ones, and each rule of their grammar broken once.

usage: fuzz/make_setting_corpus.py [FOLDER]
"""
import os, sys

right = {
    "chain": "top-k 40, top-p p=0.95, min-p 0.05, temperature 0.8",
    "all_cuts": "typical 0.9, epsilon 0.001, eta 0.001, top-n-sigma 1.5, xtc 1 threshold=0.2, mirostat 3 version=1",
    "temperatures": "dynamic-temperature 1 range=0.5 exponent=2, target-entropy 1.2, temperature 1e-3",
    "top_h": "top-h 0.4 min-keep=2 carry=0.5, top-h rule=hf, top-h repo",
    "exact": "top-h 0.6 exact=20",
    "memory": "penalties 1.2 frequency=0.5 presence=-0.5 last=4, logit-bias 3 bias=-1e9, dry 1",
    "texts": 'dry breaker="\\n\\t\\r\\"\\\\" breaker="a, b" breaker=c breaker=""',
    "empty": "",
    "greedy": "  greedy  ",
}
wrong = {
    "unknown": "top-x 3", "left_over": "top-k 3 4", "no_option": "top-k q=1", "twice": "top-k 1 k=2", "not_number": "top-p x",
    "range": "top-p 1.5", "not_whole": "top-k 1.5", "word": "top-h rule=best", "last_comma": "top-k 1,", "first_comma": ",top-k",
    "open_marks": 'dry breaker="a', "open_escape": 'dry breaker="a\\"', "escape": 'dry breaker="\\q"', "bare_text": 'top-k "3"',
    "long_breaker": "dry breaker=" + "a" * 41, "many": ", ".join(["greedy"] * 33), "no_options": "greedy 1", "digits": "temperature " + "1" * 41,
    "exponent": "temperature 1e", "great_exponent": "temperature 1e99", "breakers": "dry" + " breaker=x" * 17,
}
rules = {
    "rules": "entropy window=4 above=3, confidence certainty window=2 below=0.5, repetition times=2 tokens=6, budget 9 of=entropy, thinking tokens=3",
    "no_rule": "boredom", "rule_range": "entropy window=0", "no_rules": "",
}
folder = sys.argv[1] if len(sys.argv) > 1 else os.path.join(os.path.dirname(__file__), "corpus", "setting")
os.makedirs(folder, exist_ok=True)
for first, texts in (("s", right), ("s", wrong), ("r", rules)):
    for name, text in texts.items():
        with open(os.path.join(folder, name), "w") as file:
            file.write(first + text)
