#!/bin/sh
# The readable reference against values computed by others: the tiny models of every architecture
# (tests/vectors/architectures), then one text of the default model (tests/vectors/models.json).
# usage: test_exact.sh BUILD_FOLDER VECTORS architectures | MODEL TEXT
set -eu
programs=$1 vectors=$2 what=$3
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

if [ "$what" = architectures ]; then
    for logits in "$vectors"/architectures/*.logits.gguf; do
        model=${logits%.logits.gguf}.gguf
        "$programs/check_vectors" "$logits" > "$folder/ids.json"
        "$programs/exact_forward" "$model" "$folder/ids.json" "$folder/logits.npy"
        printf '%s: ' "$(basename "$model")"
        "$programs/check_vectors" "$logits" "$folder/logits.npy" 1e-4
    done
    exit 0
fi

text=$4
models=${SZ_MODEL_DIR:-${XDG_CACHE_HOME:-$HOME/.cache}/szilard/models}
if [ ! -f "$models/$what.gguf" ]; then
    echo "$models/$what.gguf is missing"
    exit 77
fi
reference=$vectors/models.json
[ "$text" != - ] || reference=$vectors/models-long.json
"$programs/check_reference" "$reference" "$what" "$text" > "$folder/ids.json"
"$programs/exact_forward" "$models/$what.gguf" "$folder/ids.json" "$folder/logits.npy"
"$programs/check_reference" "$reference" "$what" "$text" "$folder/logits.npy" 1e-4
