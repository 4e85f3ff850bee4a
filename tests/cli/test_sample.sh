# `szilard sample`: tokens from a file of logits.
. "$(dirname "$0")/lib.sh"
sample() { "$szilard" sample "$@" 2> "$work/err" < /dev/null; }

# Three rows of four; of them the likeliest are 1, 0 and 3.
printf '0 2 1 -1\n3 0 0 0\n0 1 2 3\n' > "$work/rows.txt"
exits "greedy" 0 "$szilard" sample --logits "$work/rows.txt" --sampler greedy --seed 1 --json
same "greedy" "$("$json_get" id < "$work/out" | tr '\n' ' ')" "1 0 3 "
same "kept" "$("$json_get" kept_n < "$work/out" | tr '\n' ' ')" "1 1 1 "
same "words in order" "$("$szilard" run --sample --logits "$work/rows.txt" --temp 0 --json --seed 1)" \
    "$(sample "$work/rows.txt" --temp 0 --json --seed 1)"
near "entropy" "$("$json_get" entropy_nats < "$work/out" | line 3)" 0.947537 1e-5
near "surprisal" "$("$json_get" surprisal_nats < "$work/out" | line 3)" 0.440190 1e-5
near "mass" "$("$json_get" kept_mass < "$work/out" | line 3)" 0.643914 1e-5
has "text" "$(sample "$work/rows.txt" --sampler greedy --seed 1)" "draw_entropy"
near "bits" "$(sample "$work/rows.txt" --temp 0 --seed 1 --unit bit | awk 'NR == 4 { print $5 }')" 1.3670 2e-4

# An array of one dimension is one row; two rows of one token are two rows.
header() { # SHAPE
    local text="{'descr': '<f4', 'fortran_order': False, 'shape': $1, }"
    printf '\223NUMPY\001\000v\000%-117s\n' "$text"
}
{ header '(3,)'; printf '\000\000\200\077\000\000\000\100\000\000\100\100'; } > "$work/one.npy"
{ header '(2, 1)'; printf '\000\000\200\077\000\000\000\100'; } > "$work/two.npy"
{ header '(1, 2)'; printf '\000\000\300\177\000\000\000\100'; } > "$work/nan.npy"
{ header '(2, 2)'; printf '\000\000\200\077\000\000\000\100\000\000\200\377\000\000\200\377'; } \
    > "$work/inf.npy"
same "one row" "$(sample "$work/one.npy" --sampler greedy --json --seed 1 | "$json_get" id)" 2
same "one token" "$(sample "$work/two.npy" --seed 1 --json | "$json_get" id | tr '\n' ' ')" "0 0 "
same "one token" "$(sample "$work/two.npy" --seed 1 --json | "$json_get" entropy_nats | line 1)" 0
refused 1 "row 0" "$szilard" sample "$work/nan.npy" --seed 1
refused 1 "row 1" "$szilard" sample "$work/inf.npy" --seed 1

# The seed decides; many texts have the frequencies of the distribution.
printf '1 0 -1\n' > "$work/row.txt"
drawn=$(sample "$work/row.txt" --sampler "temperature 1" -n 2000 --seed 5 --json | "$json_get" id |
    sort | uniq -c | awk '{ print $1 }' | tr '\n' ' ')
same "again" "$drawn" "$(sample "$work/row.txt" --sampler "temperature 1" -n 2000 --seed 5 --json |
    "$json_get" id | sort | uniq -c | awk '{ print $1 }' | tr '\n' ' ')"
near "frequency of 0" "${drawn%% *}" 1330.5 110
sample "$work/row.txt" -n 3 > "$work/out"
has "a seed is told" "$(cat "$work/err")" "seed "

# What each sampler did, and samplers that remember.
sample "$work/rows.txt" --sampler "top-k 2, temperature 2" --seed 1 --explain --json > "$work/out"
same "stages" "$("$json_get" stages.0.sampler < "$work/out" | line 1)" top-k
same "stages" "$("$json_get" stages.0.kept_n < "$work/out" | line 1)" 2
near "stages" "$("$json_get" stages.0.kept_mass < "$work/out" | line 1)" 0.880797 1e-5
has "explain" "$(sample "$work/rows.txt" --sampler "top-h 0.4" --seed 1 --explain)" "mass bound"
same "kept tokens" "$(sample "$work/rows.txt" --sampler "top-k 2" --seed 1 --kept 9 --json |
    "$json_get" kept.1.0 | line 3)" 2
printf '2 1\n2 1\n' > "$work/same.txt"
same "penalties" "$(sample "$work/same.txt" --sampler "penalties 4, greedy" --seed 1 --json |
    "$json_get" id | tr '\n' ' ')" "0 1 "

# Wrong usage.
refused 2 "no logits" "$szilard" sample
refused 2 "left over" "$szilard" sample "$work/row.txt" "$work/rows.txt"
refused 2 "paper|repo|hf" "$szilard" sample "$work/row.txt" --sampler "top-h rule=best"
printf '1 2 x\n' > "$work/words.txt"
refused 1 "column 3 holds words" "$szilard" sample "$work/words.txt"
refused 1 "none.npy" "$szilard" sample "$work/none.npy"
same "-n 0" "$(sample "$work/row.txt" -n 0 --seed 1)" ""
finish
