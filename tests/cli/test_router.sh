# `szilard run` with two tiny models that write one text.
. "$(dirname "$0")/lib.sh"
export LC_ALL=C.UTF-8
small=$work/small.gguf large=$work/large.gguf other=$work/other.gguf
"$make_tiny_model" "$small" seed=1 ctx=4096 no_end || exit 1
"$make_tiny_model" "$large" seed=2 ctx=4096 no_end || exit 1
"$make_tiny_model" "$other" seed=3 ctx=4096 || exit 1
alone() { "$szilard" run -m "$1" --raw -p hello -n 60 --seed 5 -q < /dev/null; }
both() {
    "$szilard" run --small "$small" --large "$large" --raw -p hello -n 60 --seed 5 "$@" \
        2> "$work/err" < /dev/null
}

# The limits are the models alone; --ead is short for --router ead, -m for --large.
same "all small" "$(both --router 'ead tau=1e9')" "$(alone "$small")"
same "all large" "$(both --router 'ead tau=0 start-large=1')" "$(alone "$large")"
same "--ead" "$(both --ead)" "$(both --router ead)"
same "-m" "$("$szilard" run --small "$small" -m "$large" --ead --raw -p hello -n 60 --seed 5 -q)" \
    "$(both --ead)"
same "threads" "$(both --ead -t 1)" "$(both --ead -t 3)"

# Records name the writer, and the account adds up.
entropies=$(both --router 'ead tau=1e9' --json | "$json_get" entropy_nats | head -60 | sort -n)
tau=$(echo "$entropies" | line 30)
both --router "ead tau=$tau window=2 min=3" --json > "$work/json"
n_small=$("$json_get" writer < "$work/json" | grep -c '^small$')
n_large=$("$json_get" writer < "$work/json" | grep -c '^large$')
same "all have a writer" $((n_small + n_large)) 60
[ "$n_small" -gt 5 ] && [ "$n_large" -gt 5 ] || fail "one model wrote nearly all"
account() { tail -1 "$work/json" | "$json_get" "account.$1"; }
same "written by the small model" "$(account router.written.0)" "$n_small"
same "written by the large model" "$(account router.written.1)" "$n_large"
near "fraction" "$(account router.large_fraction)" "$(awk "BEGIN { printf \"%.9f\", $n_large / 60 }")" 1e-8
[ "$(account router.switches)" -ge 2 ] || fail "no switches"
computed=$(account router.computed.1)
[ "$computed" -le 65 ] || fail "the large model computed $computed tokens of 65"
both --router "ead tau=$tau window=2 min=3" --account > /dev/null
has "trace" "$(cat "$work/err")" "written by   small "
has "saving" "$(cat "$work/err")" "of the computation"

# --explain tells who wrote a token and what each sampler did; the text stays what it is.
for router in "ead tau=$tau window=2 min=3" speculative; do
    both --router "$router" --top-h 0.5 --explain > "$work/out"
    same "explained tokens of $router" "$(grep -c 'top-h .*keeps .*budget' "$work/err")" 60
    same "explained text of $router" "$(cat "$work/out")" "$(both --router "$router" --top-h 0.5)"
done
both --router "ead tau=$tau window=2 min=3" --explain > /dev/null
same "explained writers" "$(grep -c 'by the small model, route entropy' "$work/err")" "$n_small"
both --router speculative --explain > /dev/null
has "explained route" "$(cat "$work/err")" "by the large model, route own"
both --router speculative --top-h 0.5 --explain --json > "$work/json"
same "stages of records" "$(head -1 "$work/json" | "$json_get" stages.4.sampler)" top-h

# A conversation.
printf 'one\ntwo\n' | "$szilard" chat --small "$small" --large "$large" --ead -n 20 --seed 1 \
    > "$work/out" 2> "$work/err" || fail "chat: $(cat "$work/err")"
[ -s "$work/out" ] || fail "chat says nothing"

# Speculation gives the text of the large model, with drafts of a model or of the text itself.
want=$(alone "$large")
same "--draft" "$("$szilard" run "$large" --draft "$small" --raw -p hello -n 60 --seed 5 -q)" "$want"
same "speculative" "$(both --router 'speculative thrift=0')" "$want"
same "lookup" "$("$szilard" run "$large" --router speculative --raw -p hello -n 60 --seed 5 -q)" \
    "$want"
both --router 'speculative thrift=0 lookup=0' --json > "$work/json"
[ "$(account router.drafted)" -ge 60 ] || fail "drafted $(account router.drafted)"
same "writer" "$("$json_get" writer < "$work/json" | head -60 | sort -u)" large
same "accepted" "$("$json_get" route < "$work/json" | head -60 | grep -c '^1$')" \
    "$(account router.accepted)"
both --router 'speculative thrift=0' --account > /dev/null
has "speculation" "$(cat "$work/err")" "drafted tokens were right"

# Wrong usage.
run() { "$szilard" run --raw -p a -n 3 "$@"; }
refused 2 "unknown router" run -m "$large" --router what
refused 2 "not in 1" run -m "$large" --small "$small" --router "ead window=0"
refused 2 "needs two models" run -m "$large" --ead
refused 2 "--router tells" run -m "$large" --small "$small"
refused 2 "one small model" run -m "$large" --small "$small" --draft "$small"
refused 1 "needs a small model" run -m "$large" --router "speculative lookup=0"
refused 2 "one router" run -m "$large" --small "$small" --ead --router ead
refused 2 "both name" run -m "$large" --large "$large" --small "$small" --ead
refused 1 "different vocabularies" run -m "$large" --small "$other" --ead
refused 1 "none.gguf" run -m "$large" --small "$work/none.gguf" --ead
finish
