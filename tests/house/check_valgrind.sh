#!/bin/sh
# The smallest runs under valgrind: no access of what is not ours, no value that was never set, no
# leak. usage: check_valgrind.sh SZILARD MAKE_TINY_MODEL
set -eu
szilard=$1 make_tiny_model=$2
command -v valgrind > /dev/null || { echo "valgrind is not installed" && exit 77; }
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

clean() {
    if ! valgrind -q --error-exitcode=99 --leak-check=full --errors-for-leak-kinds=definite,indirect \
        "$@" > "$folder/out" 2> "$folder/err"; then
        echo "valgrind $*" && cat "$folder/out" "$folder/err" && exit 1
    fi
}

"$make_tiny_model" "$folder/tiny.gguf"
"$make_tiny_model" "$folder/gemma.gguf" arch=gemma3 type=Q8_0
printf 'one two three' > "$folder/text"
for isa in portable ""; do # "": the best that valgrind knows
    export SZILARD_ISA=$isa
    clean "$szilard" run -m "$folder/tiny.gguf" -t 2 --seed 1 -n 8 "why?"
    clean "$szilard" run -m "$folder/gemma.gguf" -t 1 --seed 1 -n 4 --raw -p "so" --kv-type q8_0
done
clean "$szilard" tokenize -m "$folder/tiny.gguf" --json "$folder/text"
clean "$szilard" score -m "$folder/tiny.gguf" --hash "$folder/text"
