# `szilard pc` from data to compressed files: every word, every format, and what is refused.
. "$(dirname "$0")/lib.sh"

pc() { "$szilard" pc "$@"; }
get() { "$json_get" "$1" whole; }

# A column of three values, its copy, and noise.
awk 'BEGIN { for (i = 0; i < 300; i++) print (i * 7 % 3) "," (i * 7 % 3) "," (i * i % 5 % 2) }' > "$work/t.csv"
pc train "$work/t.csv" --latents 4 --seed 3 -o "$work/t.gguf" --json > "$work/out"
same "variables" "$(get variables < "$work/out")" 3
same "categories" "$(get categories < "$work/out")" 3
same "records" "$(get records < "$work/out")" 270
same "validation" "$(get validation < "$work/out")" 30
pc train "$work/t.csv" --latents 4 --seed 3 -T 3 -o "$work/t3.gguf" > "$work/out"
has "train" "$(cat "$work/out")" "train_per_record"
same_files "threads" "$work/t.gguf" "$work/t3.gguf"
same "info" "$(pc info -m "$work/t.gguf" --json | get variables)" 3
has "tree form" "$("$szilard" fit circuit info -m "$work/t.gguf")" "sha256"

pc loglik -m "$work/t.gguf" "$work/t.csv" --json > "$work/out"
near "surprisal" "$(get per_record_bits < "$work/out")" 2.55 0.15
same "each" "$(pc loglik -m "$work/t.gguf" "$work/t.csv" --each | wc -l)" 300
first=$(pc loglik -m "$work/t.gguf" "$work/t.csv" --each --json | line 1)
has "each json" "$first" '"surprisal_bits":'
printf 'a b c\n0 nan 1\n1 -1 nan\n' > "$work/gaps.txt"
same "missing values" "$(pc loglik -m "$work/t.gguf" "$work/gaps.txt" --json | get records)" 2

pc marginal -m "$work/t.gguf" --given 0=2 --json > "$work/out"
near "P of what is given" "$(get p_given < "$work/out")" 0.333 0.03
has "its copy" "$(cat "$work/out")" '"column":1,"best":2'
has "as text" "$(pc marginal -m "$work/t.gguf" --given 0=2)" "P(given)"
same "samples" "$(pc sample -m "$work/t.gguf" -n 5 --seed 1 | wc -l)" 5
same "the same samples" "$(pc sample -m "$work/t.gguf" -n 5 --seed 1 -T 2)" "$(pc sample -m "$work/t.gguf" -n 5 --seed 1 -T 1)"
same "given samples" "$(pc sample -m "$work/t.gguf" -n 50 --given 2=1 | cut -d, -f3 | sort -u)" 1

# Plain bytes, IDX and compressed files.
awk 'BEGIN { for (i = 0; i < 3200; i++) printf "%c", 65 + (i % 8 < 4 ? i % 3 : i % 2) }' > "$work/plain"
pc train --width 8 "$work/plain" --latents 2 --epochs 5 -o "$work/b.gguf" > /dev/null || fail "bytes"
{ printf '\0\0\010\002\0\0\001\220\0\0\0\010'; cat "$work/plain"; } > "$work/digits-idx"
same "IDX" "$(pc loglik -m "$work/b.gguf" "$work/digits-idx" --json | get total_bits)" \
    "$(pc loglik -m "$work/b.gguf" --width 8 "$work/plain" --json | get total_bits)"
pc zip -q -m "$work/b.gguf" "$work/digits-idx" || fail "zip"
[ "$(wc -c < "$work/digits-idx.slz")" -lt 700 ] || fail "zip is large"
pc zip -q -d -m "$work/b.gguf" "$work/digits-idx.slz" -o "$work/back" || fail "unzip"
same_files "round trip" "$work/digits-idx" "$work/back"
"$szilard" unzip -q -f -m "$work/b.gguf" "$work/digits-idx.slz" -o "$work/back" || fail "unzip by itself"
same_files "round trip by unzip" "$work/digits-idx" "$work/back"
"$szilard" zip -q -T 3 -m "$work/b.gguf" < "$work/plain" | "$szilard" unzip -m "$work/b.gguf" > "$work/back"
same_files "round trip by pipes" "$work/plain" "$work/back"
has "list" "$("$szilard" zip --list "$work/digits-idx.slz")" circuit

# Circuits among the models of the machine are found by name and by what a compressed file says, and
# -m auto takes the one that fits.
mkdir "$work/models" || exit 1
cp "$work/t.gguf" "$work/models/table.gguf"
awk 'BEGIN { # one state a record, and noise
    for (r = 0; r < 400; r++) {
        z = int((x = (x * 16807 + 11) % 2147483647) / 1009) % 2
        for (c = 0; c < 8; c++)
            printf "%c", 65 + (int((x = (x * 16807 + 11) % 2147483647) / 1009) % 8 ? z : 1 - z) + 2 * (c % 2)
    }
}' > "$work/states"
pc train --width 8 "$work/states" --latents 2 --seed 1 -o "$work/s.gguf" > /dev/null || fail "states"
{ printf '\0\0\010\002\0\0\001\220\0\0\0\010'; cat "$work/states"; } > "$work/states-idx"
kept() { SZ_MODEL_DIR="$work/models" "$szilard" "$@"; }
kept zip -q -m auto "$work/states" -o "$work/auto.slz" || fail "auto without a circuit that fits"
has "no circuit fits" "$("$szilard" zip --list "$work/auto.slz")" bytes
cp "$work/s.gguf" "$work/models/states.gguf"
kept zip -q -f -m auto "$work/states-idx" -o "$work/auto.slz" || fail "auto with a circuit"
has "a circuit fits" "$("$szilard" zip --list "$work/auto.slz")" circuit
kept unzip -q -f "$work/auto.slz" -o "$work/back" || fail "unzip finds the circuit"
same_files "round trip by auto" "$work/states-idx" "$work/back"
kept zip -q -f -m states "$work/states-idx" -o "$work/named.slz" || fail "a circuit by name"
same_files "by name and by auto" "$work/named.slz" "$work/auto.slz"
kept zip -q -m auto < "$work/states-idx" > "$work/piped.slz"
same_files "the header tells through a pipe" "$work/named.slz" "$work/piped.slz"
head -c 3199 "$work/states" > "$work/odd"
kept zip -q -f -m auto "$work/odd" -o "$work/odd.slz" || fail "auto with half a record"
has "half a record is none" "$("$szilard" zip --list "$work/odd.slz")" bytes
printf 'A%.0s' $(seq 8) > "$work/one" # one record
kept zip -q -f -m auto "$work/one" -o "$work/one.slz" && kept unzip -q -f "$work/one.slz" -o "$work/back" ||
    fail "auto on one record"
same_files "one record" "$work/one" "$work/back"

refused 1 "name its file with -m" "$szilard" unzip -f "$work/digits-idx.slz" -o "$work/x"
refused 1 "is none" "$szilard" unzip -m "$work/plain" "$work/digits-idx.slz" -o "$work/x"
refused 1 "was coded with circuit" "$szilard" unzip -m "$work/t.gguf" "$work/digits-idx.slz" -o "$work/x"
refused 1 "the circuit knows the values from 0 to 2" "$szilard" pc zip -m "$work/t.gguf" "$work/plain" -o "$work/x"
[ ! -e "$work/x" ] || fail "something is left of what failed"
refused 2 "needs -m" "$szilard" pc zip "$work/plain"
refused 2 "say what to do" "$szilard" pc
refused 2 "needs a file of records" "$szilard" pc train -o "$work/x"
refused 1 "cannot create" "$szilard" pc train "$work/t.csv" -o "$work/no/such/x"
refused 2 "needs -o" "$szilard" pc train "$work/t.csv"
refused 2 "needs -m" "$szilard" pc sample
refused 2 "--latents takes a whole number" "$szilard" pc train "$work/t.csv" --latents 0 -o "$work/x"
refused 1 "column 0 = 3" "$szilard" pc marginal -m "$work/t.gguf" --given 0=3
refused 1 "is not COLUMN=VALUE" "$szilard" pc marginal -m "$work/t.gguf" --given 0:3
refused 1 "3 variables" "$szilard" pc loglik -m "$work/t.gguf" --width 8 "$work/plain"
refused 1 "not whole records" "$szilard" pc loglik -m "$work/t.gguf" --width 7 "$work/plain"
"$make_tiny_model" "$work/llama.gguf" > /dev/null 2>&1
refused 1 "not a circuit" "$szilard" pc info -m "$work/llama.gguf"
printf '0,0,0\n7,0,0\n' > "$work/beyond.csv"
refused 1 "row 1, column 0: 7" "$szilard" pc loglik -m "$work/t.gguf" "$work/beyond.csv"
printf '0,0.5\n' > "$work/half.csv"
refused 1 "row 0, column 1: 0.5" "$szilard" pc train "$work/half.csv" -o "$work/x"
printf 'a,b\nb,a\n' > "$work/words.csv"
refused 1 "holds words" "$szilard" pc train "$work/words.csv" -o "$work/x"
printf '\037\213\010' > "$work/packed"
refused 1 "unpack it first" "$szilard" pc train "$work/packed" -o "$work/x"
finish
