# `szilard measure` over every kind of file, with figures known beforehand.
. "$(dirname "$0")/lib.sh"

measure() { "$szilard" measure "$@" --json; }
# about WHAT GOT WANT: equal to six digits.
about() {
    awk -v got="$2" -v want="$3" 'BEGIN { d = got - want; exit !(got != "" && d * d <= 1e-12 * (1 + want * want)) }' ||
        fail "$1: '$2' is not $3"
}
get() { "$json_get" "$1" whole; }

printf '0.5\n0.25\n0.125\n0.125\n' > "$work/p.txt"
about "text" "$(measure entropy "$work/p.txt" | get shannon_nats)" 1.2130075659799042
about "bits" "$(measure entropy "$work/p.txt" --unit bit | get shannon_bits)" 1.75
about "stdin" "$(measure entropy - < "$work/p.txt" | get min_nats)" 0.6931471805599453
about "order" "$(measure entropy "$work/p.txt" --alpha 5 | get renyi_nats)" 0.8582680239952337
printf '[0, 1, -2, 0.5, "-inf"]' > "$work/z.json"
about "logits" "$(measure entropy --as logits "$work/z.json" | get shannon_nats)" 1.110522003131006
printf '10\n7\n3\n1\n1\n0\n0\n5\n' > "$work/counts.txt"
measure entropy --as counts "$work/counts.txt" --ci > "$work/out"
about "counts" "$(get grassberger_nats < "$work/out")" 1.7311614986498167
about "standard error" "$(get plug_in_standard_error_nats < "$work/out")" 0.12170811971762366
same "choice" "$(get best < "$work/out")" grassberger
printf 'a\nb\na\nb\n' > "$work/words.txt"
about "words" "$(measure entropy "$work/words.txt" | get plug_in_nats)" 0.6931471805599453
printf 'abababab' > "$work/bytes"
about "bytes" "$(measure entropy --as bytes "$work/bytes" --unit bit | get plug_in_bits)" 1
# The .npy header of two float64 values, padded to 64 bytes.
{
    printf '\223NUMPY\001\000\166\000'
    printf '%-117s\n' "{'descr': '<f8', 'fortran_order': False, 'shape': (2,), }"
    printf '\0\0\0\0\0\0\320\077\0\0\0\0\0\0\350\077'
} > "$work/p.npy"
about ".npy" "$(measure entropy "$work/p.npy" | get shannon_nats)" 0.5623351446188083

printf 'p,q\n0.5,0.5\n0.5,0\n0,0.5\n' > "$work/pq.csv"
measure divergence "$work/pq.csv" > "$work/out"
same "infinite" "$(get kl_pq_nats < "$work/out")" inf
about "JS" "$(get jensen_shannon_nats < "$work/out")" 0.34657359027997264
about "columns" "$(measure divergence "$work/pq.csv" -x q -y 2 | get kl_pq_nats)" 0

printf '10,2,3\n1,8,6\n' > "$work/table.csv"
measure mi --as counts "$work/table.csv" --perm=99 > "$work/out"
about "table" "$(get miller_madow_nats < "$work/out")" 0.19035888653071764
about "permutations" "$(get p_value_permutation < "$work/out")" "$(measure mi --as counts "$work/table.csv" --perm=99 | get p_value_permutation)"
awk 'BEGIN { for (i = 0; i < 300; i++) { x = sin(i * i * 0.7); printf "%.9f\t%.9f\t%d\n", x, x + 0.2 * cos(i * 3.1 * i), (x > 0) } }' > "$work/reals.tsv"
same "both real" "$(measure mi "$work/reals.tsv" | get best)" ksg1
same "one label" "$(measure mi "$work/reals.tsv" -y 3 | get best)" ross
same "binned" "$(measure mi "$work/reals.tsv" --binning fd | get best)" miller_madow
same "rows" "$(measure mi "$work/reals.tsv" | get samples)" 300
about "spectral" "$(printf '[[1,0],[0,1]]' | measure spectral - | get effective_rank)" 2
about "dse" "$(printf '[[0],[1000],[2000],[3000]]' | measure dse - --sigma 1 --t 1,2 | get dse_t2_bits)" 2
same "labels" "$(printf '0 a\n0.1 a\n0.2 a\n9 b\n9.1 b\n9.2 b\n' > "$work/l.txt"; measure dse "$work/l.txt" --labels 2 --sigma 1 | get samples_in_classes)" 6

printf 'p,q\n0.4,0.5\n0.3,0.25\n0.3,0.25\n' > "$work/laws.csv"
measure coupling "$work/laws.csv" --joint "$work/joint.csv" > "$work/out"
about "coupling" "$(get least_found_bits < "$work/out")" 1.9609640474436811
about "exact" "$(get exact_bits < "$work/out")" 1.9609640474436811
about "bound" "$(get lower_bound_bits < "$work/out")" 1.7024677973715656
about "gap" "$(get gap_bits < "$work/out")" 0
same "joint" "$(line 2 < "$work/joint.csv")" "1,1,0.4"
same "joint is summed" "$(awk -F, 'NR > 1 { s += $3 } END { printf "%.9f", s }' "$work/joint.csv")" 1.000000000
measure coupling "$work/laws.csv" --joint "$work/joint.npy" > "$work/out"
has "joint as .npy" "$(measure spectral "$work/joint.npy" | get of)" "3 rows x 3 columns"
printf '[[0.4,0.5],[0.3,0.3],[0.2,0.2],[0.1,0]]' | measure coupling - --rate 1.2 > "$work/out"
about "bottleneck" "$(get information_xt_bits < "$work/out")" 1.162993398347242
about "nats" "$(measure coupling "$work/laws.csv" --unit nat | get least_found_nats)" 1.3592367006650063
exits "not a law" 1 "$szilard" measure coupling "$work/bad.csv"

exits "no word" 2 "$szilard" measure
exits "wrong word" 2 "$szilard" measure heat "$work/p.txt"
exits "missing file" 1 "$szilard" measure entropy "$work/none.txt"
has "missing file" "$(cat "$work/err")" "none.txt"
printf '1,2\n3\n' > "$work/ragged.csv"
exits "ragged" 1 "$szilard" measure mi "$work/ragged.csv"
has "ragged" "$(cat "$work/err")" "line 2"
exits "column" 1 "$szilard" measure mi "$work/pq.csv" -x p -y nobody
has "column" "$(cat "$work/err")" "nobody"
printf '0.5\n0.6\n' > "$work/bad.txt"
exits "not a distribution" 1 "$szilard" measure entropy --as probabilities "$work/bad.txt"
has "not a distribution" "$(cat "$work/err")" "1.1"
exits "empty" 1 "$szilard" measure entropy /dev/null
printf '\223NUMPY\001\000\377\377' > "$work/cut.npy"
exits "cut .npy" 1 "$szilard" measure entropy "$work/cut.npy"
exits "table" 0 "$szilard" measure entropy "$work/p.txt" --explain
has "table" "$(cat "$work/out")" "* shannon"
# ---- Figures ------------------------------------------------------------------------------------
printf '1 0\n0 1\n1 1\n2 1\n0 3\n' > "$work/rows.txt"
for what in spectral dse; do
    measure $what "$work/rows.txt" --plot "$work/$what.svg" > /dev/null || fail "$what --plot"
    has "$what --plot" "$(cat "$work/$what.svg")" 'class="line"'
    same "end of the figure" "$(tail -1 "$work/$what.svg")" "</svg>"
done
measure entropy --as bytes "$work/rows.txt" --plot "$work/bytes.svg" > /dev/null || fail "entropy --plot"
has "entropy --plot" "$(cat "$work/bytes.svg")" 'class="line"'
refused 2 "--plot" "$szilard" measure mi "$work/reals.tsv" --plot "$work/x.svg"
refused 1 "--plot" "$szilard" measure entropy "$work/reals.tsv" --plot "$work/x.svg"

# ---- Files as people have them ------------------------------------------------------------------
printf '\357\273\277x;y\r\n1;2\r\n2;3\r\n1;2\r\n' > "$work/bom.csv"
same "a mark of UTF-8, semicolons, CR LF" "$(measure mi "$work/bom.csv" -x x -y y | get samples)" 3
printf 'C#\nC++ # the other\nC#\n# nothing\nC\n' > "$work/hash.txt"
same "comments and C#" "$(measure entropy "$work/hash.txt" | get cells_seen)" 3
printf 'x,y\n1.5,2\n,3\n2.5,4\n' > "$work/gap.csv"
refused 1 "line 3: column 'x' has no value" "$szilard" measure entropy "$work/gap.csv"
printf '1\nNA\n2\n' > "$work/na.txt"
refused 1 "line 2: column '1' has no value" "$szilard" measure entropy "$work/na.txt"
printf '0.5\n0.25\noops\n' > "$work/slip.txt"
refused 1 "line 3: column '1' has 'oops'" "$szilard" measure entropy "$work/slip.txt"
printf '1.5\nnan\n2.5\n3\n4\n' > "$work/nan.txt"
refused 1 "column '1', row 2 is no number" "$szilard" measure entropy "$work/nan.txt"
printf 'ab\0cd' > "$work/binary"
refused 1 "neither text nor .npy" "$szilard" measure entropy "$work/binary"
same ".npy through a pipe" "$(measure entropy - < "$work/p.npy" | get best)" shannon
{
    printf '\223NUMPY\001\000\166\000'
    printf '%-117s\n' "{'descr': '<f2', 'fortran_order': False, 'shape': (2,), }"
    printf '\000\064\000\072'
} > "$work/half.npy"
{ # 0.5 and 0.50026
    printf '\223NUMPY\001\000\166\000'
    printf '%-117s\n' "{'descr': '<f4', 'fortran_order': False, 'shape': (2,), }"
    printf '\000\000\000\077\000\021\000\077'
} > "$work/single.npy"
about "the precision of f4" "$(measure entropy "$work/single.npy" --as probabilities | get hartley_nats)" 0.6931471805599453
same "f4 is taken for probabilities" "$(measure entropy "$work/single.npy" | get best)" shannon
about "f2" "$(measure entropy "$work/half.npy" | get shannon_nats)" 0.5623351446188083
printf '["a","b","a","c"]' > "$work/words.json"
same "words in JSON" "$(measure entropy "$work/words.json" | get cells_seen)" 3
printf '[{"x":1,"y":"u"},{"y":"v","x":2},{"x":1,"y":"u"}]' > "$work/records.json"
same "records" "$(measure mi "$work/records.json" -x x -y y | get samples)" 3
printf '{"x":0.5,"z":null}\n\n{"x":0.25,"z":1}\n{"x":0.25,"z":2}\n' > "$work/lines.jsonl"
about "a record on each line" "$(measure entropy "$work/lines.jsonl" -x x | get shannon_nats)" 1.0397207708399179
refused 1 "column 'z', row 1 is no number" "$szilard" measure entropy "$work/lines.jsonl" -x z
printf '{"x":1}\n{"y":1}\n' > "$work/odd.jsonl"
refused 1 'row 2 has no "x"' "$szilard" measure entropy "$work/odd.jsonl"
printf '{"x":1}\n{"x":\n' > "$work/cut.jsonl"
refused 1 "record 2" "$szilard" measure entropy "$work/cut.jsonl"
refused 1 "not a number" "$szilard" measure entropy <(printf '[1,null]')

awk 'BEGIN { for (i = 0; i < 60; i++) print i % 7 + i / 100.0 ","  i % 7 / 7.0 }' > "$work/scalar.csv"
same "real labels are binned" "$(measure dse "$work/scalar.csv" --labels 2 | get samples_in_classes)" 60
has "isolated points" "$(measure dse "$work/rows.txt" --sigma 0.001)" "all are isolated"
has "merged points" "$(measure dse "$work/rows.txt" --sigma 1e9)" "all are one"

# ---- What does not fit is refused, and nothing asked for is passed over ---------------------------
printf 'a b\nc d\na d\n' > "$work/pairs.txt"
for what in divergence spectral dse coupling; do
    refused 1 "holds words" "$szilard" measure $what "$work/pairs.txt"
done
refused 1 "holds words" "$szilard" measure entropy "$work/pairs.txt" -x 1,2
refused 2 "--as bytes" "$szilard" measure divergence --as bytes "$work/bytes"
refused 2 "--perm" "$szilard" measure entropy --perm "$work/p.txt"
refused 2 "--unit takes one of" "$szilard" measure entropy --unit parsec "$work/p.txt"
refused 1 "no values" "$szilard" measure entropy --as bytes /dev/null
refused 1 "--alpha" "$szilard" measure entropy --alpha 2 "$work/words.txt"
about "order of logits" "$(measure entropy --as logits --alpha 2 "$work/z.json" | get renyi_nats)" \
    "$(measure entropy --as logits "$work/z.json" | get renyi_2_nats)"
same "bytes and the next" "$(measure mi --as bytes "$work/bytes" | get samples)" 7
same "bins of equal width" "$(measure mi "$work/reals.tsv" --bins 5 | get miller_madow_nats)" \
    "$(measure mi "$work/reals.tsv" --bins 5 --binning width | get miller_madow_nats)"
about "p of reals" "$(measure mi "$work/reals.tsv" --perm=19 | get p_value_permutation)" 0.05
about "p of labels" "$(measure mi "$work/reals.tsv" -y 3 --perm=19 | get p_value_permutation)" 0.05
awk 'BEGIN { for (i = 0; i < 40; i++) print (i * 37 % 11) / 7.0, "300000000" i % 2, i % 2, i % 3 }' > "$work/wide.txt"
same "labels beyond 32 bits" "$(measure mi "$work/wide.txt" -y 2 | get ross_nats)" "$(measure mi "$work/wide.txt" -y 3 | get ross_nats)"
about "joint symbols" "$(measure mi --as symbols "$work/wide.txt" -x 3,4 -y 2,4 | get plug_in_nats)" \
    "$(measure mi --as symbols "$work/wide.txt" -x 3,4 -y 3,4 | get entropy_x_nats)"
printf '7\n7\n7\n' > "$work/same.txt"
about "one cell" "$(measure entropy "$work/same.txt" | get "$(measure entropy "$work/same.txt" | get best)_nats")" 0
has "no error to tell" "$(measure entropy "$work/same.txt" --ci)" '"plug_in_standard_error_nats":null'
finish
