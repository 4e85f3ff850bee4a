"""One model's rows of accuracy.sh: reads what compare_logits and check_reference printed.

usage: accuracy_table.py VECTORS RESULTS MODEL MEAN_KL_BOUND MAX_KL_BOUND
"""

import json
import pathlib
import sys

NLL_BOUND = {"wiki": 0.01, "long": 0.01, "code": 0.02, "multilingual": 0.02}  # nats


def load(path):
    return json.loads(pathlib.Path(path).read_text())


def main():
    vectors, results, model, mean_bound, max_bound = sys.argv[1:]
    reference = load(f"{vectors}/models.json")[model]
    rows = kl = llama = largest = 0.0
    missed = []
    print(model)
    for text in ("wiki", "code", "multilingual"):
        ours, peer = load(f"{results}/{model}-{text}.json"), reference[text]["llama_cpp"]
        rows += ours["rows"]
        kl += ours["rows"] * ours["kl_mean"]
        llama += ours["rows"] * peer["kl_exact_to_llama_mean"]
        largest = max(largest, ours["kl_max"])
        nll = ours["nll_b"] - ours["nll_a"]
        show(text, nll, missed)
        print(f"    KL mean {ours['kl_mean']:.6f} max {ours['kl_max']:.4f}, llama.cpp "
              f"{peer['kl_exact_to_llama_mean']:.6f} {peer['kl_exact_to_llama_max']:.4f}")
    long_result = pathlib.Path(f"{results}/{model}-long.json")
    if long_result.exists():
        exact = load(f"{vectors}/models-long.json")[model]["exact"]["mean_nll_nats"]
        show("long", load(long_result)["nll"] - exact, missed)
    ratio = kl / llama
    print(f"  all: KL mean {kl / rows:.6f} = {ratio:.3f} of llama.cpp's (bound {mean_bound}), "
          f"max {largest:.4f}")
    if not ratio <= float(mean_bound):
        missed.append("mean KL")
    if float(max_bound) and not largest <= float(max_bound):
        missed.append("largest KL")
    if missed:
        print(f"  MISSED: {', '.join(missed)}")
    return 1 if missed else 0


def show(text, nll, missed):
    bound = NLL_BOUND[text]
    print(f"  {text:12s} NLL {nll:+.5f} of exact (bound {bound})")
    if not abs(nll) <= bound:
        missed.append(f"NLL of {text}")


sys.exit(main())
