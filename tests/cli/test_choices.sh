# `szilard run --choices` on a tiny model, beside `szilard score`.
. "$(dirname "$0")/lib.sh"
export LC_ALL=C.UTF-8
tiny=$work/tiny.gguf
"$make_tiny_model" "$tiny" ctx=4096 || exit 1
choose() { "$szilard" run -m "$tiny" --raw -p "one:" "$@" 2> "$work/err" < /dev/null; }

# Figures are those that score gives to the whole text.
choose --kv-type f32 --choices 'ab,xyz,\,\\n' --json > "$work/json"
value() { "$json_get" "$1" < "$work/json"; }
same "texts" "$(value choices.0.text,choices.1.text,choices.2.text)" 'ab xyz ,\n'
for i in 0 1; do
    text="one:$(value choices.$i.text)" n=$(value choices.$i.ids)
    printf '%s' "$text" | "$szilard" score -m "$tiny" --json > "$work/score" || fail "score"
    want=$("$json_get" surprisal_nats,next < "$work/score" | grep -v true | tail -"$n" |
        awk '{ sum += $1 } END { printf "%.9f\n", sum }')
    near "$text" "$(value choices.$i.surprisal_nats)" "$want" 1e-5
done
near "shares" "$(value choices.0.share,choices.1.share,choices.2.share | awk '{
    printf "%.9f\n", $1 + $2 + $3 }')" 1 1e-8
near "mass" "$(value mass)" "$(value choices.0.probability,choices.1.probability,choices.2.probability |
    awk '{ printf "%.12f\n", $1 + $2 + $3 }')" 1e-9
near "share" "$(value choices.0.share)" "$(value choices.0.probability,mass |
    awk '{ printf "%.9f\n", $1 / $2 }')" 1e-6

# As text: the likeliest first.
choose --choices 'b,a,xyz,c' > "$work/out"
same "lines" "$(wc -l < "$work/out" | tr -d ' ')" 4
same "order" "$(cut -d' ' -f1 "$work/out")" "$(cut -d' ' -f1 "$work/out" | sort -r)"
same "the least likely" "$(tail -1 "$work/out" | awk '{ print $NF }')" xyz
has "entropy" "$(cat "$work/err")" "entropy"
has "bits" "$(choose --choices a,b --unit bit)" " bits  "
same "quiet" "$(choose --choices a,b -q > /dev/null; cat "$work/err")" ""
choose --choices 'a,ab' > /dev/null
has "overlap" "$(cat "$work/err")" "'a' is the beginning of 'ab'"
"$szilard" run "$tiny" "A question?" --choices yes,no > "$work/out" 2> /dev/null < /dev/null ||
    fail "with a template"
same "many" "$(choose --choices "$(seq -s, 300)" | wc -l | tr -d ' ')" 300

# Bad input.
run() { "$szilard" run -m "$tiny" --raw -p a "$@"; }
refused 1 "text 2 is empty" run --choices a,,b
refused 1 "is empty" run --choices ""
refused 1 "'a' stands twice" run --choices a,b,a
refused 2 "one model" run --choices a,b --router speculative
refused 2 "without constraints" run --choices a,b --regex a
refused 1 "no text" "$szilard" run -m "$tiny" --raw -p "" --choices a,b
finish
