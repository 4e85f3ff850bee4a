# `szilard run --steer` on a tiny model: constraints, commands, a second model, bad input.
. "$(dirname "$0")/lib.sh"
export LC_ALL=C.UTF-8
tiny=$work/tiny.gguf other=$work/other.gguf
"$make_tiny_model" "$tiny" || exit 1
"$make_tiny_model" "$other" seed=8 || exit 1
steer() { "$szilard" run -m "$tiny" --raw -p "one:" -n 3 --seed 3 --sampler "" "$@" 2> "$work/err" < /dev/null; }
value() { "$json_get" "$1" < "$work/json"; }

# A text of one of two letters: what is drawn is weighed by the probability that it was left with.
steer --regex '[ab]{3}' --steer "smc particles=8" --json > "$work/json" || fail "regex"
same "method" "$(value method,particles)" "smc 8"
same "texts" "$("$json_get" texts.0.text < "$work/json" | grep -c '^[ab][ab][ab]$')" 1
near "shares" "$(grep -o '"share":[0-9.e-]*' "$work/json" | awk -F: '{ s += $2 } END { printf "%.9f\n", s }')" 1 1e-6
steer --steer 'smc particles=8 regex="[ab]{3}"' --json > "$work/again"
same_files "the rule's own expression" "$work/json" "$work/again"
steer -t 2 --regex '[ab]{3}' --steer "smc particles=8" --json > "$work/again"
same_files "threads" "$work/json" "$work/again"
steer --regex '[ab]{3}' --steer smc > "$work/out"
has "account" "$(cat "$work/err")" "effective sample size"
has "evidence" "$(cat "$work/err")" "log Z -"
same "lines" "$(grep -c '^[01]\.[0-9]*  [ab][ab][ab]$' "$work/out")" "$(wc -l < "$work/out" | tr -d ' ')"
steer --regex '[ab]{3}' --steer smc -q > "$work/out"
same "quiet" "$(grep -c '^[ab][ab][ab]$' "$work/out")" 1

# One letter of two: Z is their probability, which score tells.
steer --regex '[ab]' -n 1 --steer "smc particles=4" --json > "$work/json"
steer --choices a,b --json > "$work/choices"
near "Z" "$(value log_z_nats | awk '{ printf "%.9f\n", exp($1) }')" \
    "$("$json_get" mass < "$work/choices")" 1e-4

# Commands.
printf '%s\n' '/b/ { print "-inf"; next }' '{ print 0 }' > "$work/no_b.awk"
printf '%s\n' '{ print length($0) }' > "$work/length.awk"
steer --regex '[ab]{3}' --steer "smc particles=16 command=\"awk -f $work/no_b.awk\"" -q > "$work/out" ||
    fail "command: $(cat "$work/err")"
same "refused texts" "$(cat "$work/out")" aaa
steer --regex '[ab\n]{3}' --steer "smc particles=16 every=1 command=\"awk -f $work/length.awk\"" > "$work/out" ||
    fail "scores of growing texts: $(cat "$work/err")"
failing() { refused 1 "$1" "$szilard" run -m "$tiny" --raw -p a -n 2 --sampler "" --regex '[ab]{2}' --steer "smc particles=4 $2"; }
failing "took longer than 0.2 s" 'timeout=0.2 command="sleep 20"'
failing "ended with status 3" 'command="exit 3"'
failing "wrote 0 lines for 4 texts" 'command=true'
failing "more than a line for each" 'command="seq 9"'
failing "line 1: 'x' is not a score" 'command="sed s/.*/x/"'
failing "the score is 'nan'" 'command="sed s/.*/nan/"'
failing "ended with status 127" 'command=/no/such/program'

# A second model.
steer --regex '[ab]{3}' --steer "smc particles=8 model=$other power=0.5" --json > "$work/json" || fail "model"
near "its mass" "$(value log_z_nats | awk '{ print $1 < -10 }')" 1 0

# Nothing satisfies: a result with a status of its own.
exits "nothing" 3 "$szilard" run -m "$tiny" --raw -p a -n 2 --regex 'a{9}' --steer "smc particles=4"
has "nothing" "$(cat "$work/err")" "no particle satisfies"
exits "nothing, JSON" 3 "$szilard" run -m "$tiny" --raw -p a -n 2 --regex 'a{9}' --steer "smc particles=4" --json
has "nothing, JSON" "$(cat "$work/out")" '"texts":[],"log_z_nats":null'

# Bad input.
run() { "$szilard" run -m "$tiny" --raw -p a "$@"; }
refused 2 "unknown method 'x'" run --steer x
refused 2 "no method" run --steer ""
refused 2 "is not in" run --steer "smc particles=0"
refused 2 "given twice" run --steer "smc regex=a regex=b"
refused 2 "left over" run --steer "smc nonsense=1"
refused 2 "at a time" run --steer smc --beams 2
refused 2 "one model" run --steer smc --router speculative
refused 1 "another constraint" run --steer "smc regex=a" --regex b
refused 1 "regular expression" run --steer 'smc regex="("'
refused 1 "no-such-model" run --steer "smc model=no-such-model"
finish
