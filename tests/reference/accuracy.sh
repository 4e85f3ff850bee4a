#!/bin/sh
# How far the engine lies from the exact forward pass, beside llama.cpp: over all tokens of a model's
# three texts the mean and largest KL(exact || ours) over the whole vocabulary, and for each text, the
# long one of models-long.json included, the difference of mean negative log-likelihoods. Prints a
# table; exit status 1 if a bound is missed, 77 if a model file is missing.
#
#     accuracy.sh BUILD_FOLDER VECTORS MODEL...
#
# Exact logits take minutes and up to 0.5 GB a text: they are kept in BUILD_FOLDER/exact.
set -eu
build=$1 vectors=$2
shift 2
models=${SZ_MODEL_DIR:-${XDG_CACHE_HOME:-$HOME/.cache}/szilard/models}
exact=$build/exact
mkdir -p "$exact"
work=$(mktemp -d "$exact/run.XXXXXX")
trap 'rm -rf "$work"' EXIT

# Bounds: mean KL as a multiple of llama.cpp's, largest KL in nats (0: none).
bounds() {
    case $1 in
    smollm2-*) echo 1.1 0 ;;
    gemma3-*) echo 0.6 0 ;;
    qwen2.5-coder-0.5b-*) echo 0.7 0.3 ;;
    qwen2.5-coder-1.5b-*) echo 0.2 0.3 ;;
    *) echo "accuracy.sh: no bounds for $1" >&2; exit 2 ;;
    esac
}

# Exact logits of a text, once.
exact_logits() { # MODEL TEXT
    logits=$exact/$1-$2.npy
    "$build/check_reference" "$vectors/models.json" "$1" "$2" > "$exact/$1-$2.json"
    [ ! -f "$logits" ] || return 0
    "$build/exact_forward" "$models/$1.gguf" "$exact/$1-$2.json" "$work/exact.npy"
    "$build/check_reference" "$vectors/models.json" "$1" "$2" "$work/exact.npy" 1e-4 >/dev/null
    mv "$work/exact.npy" "$logits"
}

our_logits() { # MODEL IDS
    "$build/szilard" score -m "$models/$1.gguf" --ids --logits "$work/ours.npy" "$2" >/dev/null
}

measure() { # MODEL
    for text in wiki code multilingual; do
        exact_logits "$1" $text
        our_logits "$1" "$exact/$1-$text.json"
        "$build/compare_logits" "$exact/$1-$text.npy" "$work/ours.npy" "$exact/$1-$text.json" \
            > "$work/$1-$text.json"
    done
    grep -q "\"$1\"" "$vectors/models-long.json" || return 0
    "$build/check_reference" "$vectors/models-long.json" "$1" - > "$work/ids.json"
    our_logits "$1" "$work/ids.json"
    # differences of single positions are no matter here: its table is read for the mean only
    "$build/check_reference" "$vectors/models-long.json" "$1" - "$work/ours.npy" 1e9 \
        > "$work/$1-long.json"
}

missed=0
for model; do
    if [ ! -f "$models/$model.gguf" ]; then
        echo "$models/$model.gguf is missing"
        exit 77
    fi
    measure "$model"
    set -- $(bounds "$model")
    python3 "$(dirname "$0")/accuracy_table.py" "$vectors" "$work" "$model" "$1" "$2" || missed=1
done
exit $missed
