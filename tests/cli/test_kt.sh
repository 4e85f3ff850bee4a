# `szilard kt`: programs for bytes, scripts, generated ones, the bench, and zip's engine of programs.
. "$(dirname "$0")/lib.sh"

kt() { "$szilard" kt "$@"; }
get() { "$json_get" "$1" whole; }

# Compress prints the program; -o writes it; run makes the bytes again.
awk 'BEGIN { for (i = 0; i < 60; i++) printf "%c%c", 40 + i, 66 }' > "$work/strands"
out=$(kt compress --steps 0 "$work/strands")
has "interleaved" "$out" "ILV 120"
has "raw" "$out" "960   1.000  stored"
kt compress --json --steps 0 "$work/strands" > "$work/out"
same "form" "$(get form < "$work/out")" program
same "bytes" "$(get bytes < "$work/out")" 120
kt compress --steps 0 -o "$work/p.kt" "$work/strands" > /dev/null || fail "-o"
same "size" "$(wc -c < "$work/p.kt")" "$(get packed < "$work/out")"
kt run "$work/p.kt" > "$work/again"
same_files "run" "$work/again" "$work/strands"
kt run < "$work/p.kt" > "$work/again"
same_files "run from a pipe" "$work/again" "$work/strands"
kt run -o "$work/made" "$work/p.kt" && same_files "run -o" "$work/made" "$work/strands"
has "show" "$(kt run --show "$work/p.kt")" "RAMP 60 40 1"
refused 1 "is there already" kt compress -o "$work/p.kt" "$work/strands"
exits "force" 0 kt compress -f -o "$work/p.kt" "$work/strands"
has "annealing finds a script" "$(kt run --show "$work/p.kt")" "interleave(sequence_"
same "tree form" "$("$szilard" zip kt run "$work/p.kt" | cksum)" "$(cksum < "$work/strands")"
: > "$work/empty"
kt compress -o "$work/e.kt" "$work/empty" > /dev/null && kt run "$work/e.kt" > "$work/again"
same_files "empty" "$work/again" "$work/empty"
head -c 300 /dev/urandom > "$work/noise"
kt compress -o "$work/n.kt" "$work/noise" > /dev/null
same "noise is stored" "$(wc -c < "$work/n.kt")" 301
same "the same program" "$(kt compress -o - --seed 5 --steps 500 "$work/strands" | cksum)" "$(kt compress -o - --steps 500 --seed 5 "$work/strands" | cksum)"

# Scripts are run too, and errors name the line.
printf 'sequence_1 = range_func_up(65, 70)\noutput = sequence_1\n' > "$work/s"
same "script" "$(kt run "$work/s")" ABCDEF
has "price" "$(kt run --show "$work/s")" "6 bytes, 25.29 bits"
printf 'sequence_1 = range_func_up(65, 70)\noutput = sequence_2\n' > "$work/s"
refused 1 "line 2: sequence_2 is not defined yet" kt run "$work/s"
printf '\1\0\0' > "$work/s"
refused 1 "the program ends" kt run "$work/s"
refused 1 "empty" kt run "$work/empty"
refused 1 "No such file" kt run "$work/none"
head -c 1100000 /dev/zero > "$work/big"
refused 1 "zip -m kt" kt compress "$work/big"

# Generated scripts make what they say.
same "gen" "$(kt gen 20 --seed 3 | wc -l)" 20
same "gen again" "$(kt gen 20 --seed 3 | cksum)" "$(kt gen 20 --seed 3 | cksum)"
kt gen 1 --seed 4 > "$work/out"
"$json_get" script whole < "$work/out" > "$work/s"
kt run "$work/s" | od -An -v -tu1 | tr -s ' \n' ',' | sed 's/^,//; s/,$//' > "$work/got"
has "gen's output" "$(cat "$work/out")" "\"output\":[$(cat "$work/got")]"

kt bench -n 20 --json > "$work/out"
same "bench" "$(get strings < "$work/out")" 20
awk -v a="$(get program < "$work/out")" -v b="$(get linear < "$work/out")" 'BEGIN { exit !(a <= b && a < 0.7) }' ||
    fail "bench: $(cat "$work/out")"
has "bench of a file" "$(kt bench --length 50 "$work/strands")" "3 strings, 120 bytes"

# A model proposes: a tiny one without sense; whatever it says, the result is no longer.
"$make_tiny_model" "$work/m.gguf" ctx=4096 || fail "tiny model"
kt compress -m "$work/m.gguf" --samples 2 --steps 0 --json "$work/strands" > "$work/out" || fail "-m"
same "proposed" "$(get proposed < "$work/out")" 2
same "form with a model" "$(get form < "$work/out")" program
kt bench -m "$work/m.gguf" --samples 2 -n 2 --json > "$work/out" || fail "bench -m"
awk -v a="$(get forms_with_model < "$work/out")" -v b="$(get forms < "$work/out")" 'BEGIN { exit !(a <= b) }' ||
    fail "a model makes it longer: $(cat "$work/out")"

# The engine of zip.
cat "$work/strands" "$work/noise" "$work/strands" > "$work/mixed"
head -c 9000 /dev/zero > "$work/zeros"
for f in strands noise empty zeros mixed; do
    "$szilard" zip -q -m kt -o "$work/z.slz" -f "$work/$f" || fail "zip $f"
    "$szilard" unzip -q -f -o "$work/back" "$work/z.slz" || fail "unzip $f"
    same_files "zip $f" "$work/back" "$work/$f"
done
"$szilard" zip -q -m kt -T 2 -c "$work/mixed" > "$work/z2.slz"
"$szilard" zip -q -m kt -c "$work/mixed" > "$work/z1.slz"
same_files "threads" "$work/z1.slz" "$work/z2.slz"
has "list" "$("$szilard" zip --list "$work/z1.slz")" " kt "

refused 2 "say what to do" kt
refused 2 "frobnicate" kt frobnicate
refused 2 "how many" kt gen
refused 2 "no model is needed" kt run -m "$work/m.gguf" "$work/p.kt"
refused 2 "left over" kt gen 3 4
finish
