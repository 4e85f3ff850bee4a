# `szilard run --kv-policy` on a tiny model: what is kept, what it costs, and what is refused.
. "$(dirname "$0")/lib.sh"
tiny=$work/tiny.gguf
"$make_tiny_model" "$tiny" ctx=4096 || exit 1
prompt=$(seq -s ' ' 60)
run() { "$szilard" run -m "$tiny" --raw -p "$prompt" -n 12 --temp 0 "$@" < /dev/null; }
figures() {
    run --json --kv-report --kv-policy "$@" > "$work/json" 2> "$work/err" || fail "run $*"
    tail -1 "$work/json" > "$work/account"
}
value() { "$json_get" "account.kv.$1" < "$work/account"; }

# A policy that keeps everything changes nothing, and costs nothing.
plain=$(run 2> /dev/null)
for policy in none "snapkv budget=4000" "uncomp budget=4000" h2o "streaming budget=4000"; do
    same "$policy" "$(run --kv-policy "$policy" 2> /dev/null)" "$plain"
done
figures none
near "no divergence" "$(value kl_nats)" 0 1e-9
same "all bytes" "$(value bytes)" "$(value full_bytes)"

# The budget is kept, and memory shrinks with it.
n=$(value prompt_tokens)
last=$(value full_bytes)
for budget in 100 20; do
    for policy in "uncomp groups=2" snapkv h2o streaming waterfill random; do
        figures "$policy budget=$budget"
        near "$policy" "$(value kept_mean)" $budget 1e-6
        same "tokens measured" "$(value loss_tokens)" 12
    done
    figures "snapkv budget=$budget"
    [ "$(value bytes)" -lt "$last" ] || fail "$budget tokens do not take less than $last bytes"
    last=$(value bytes)
done
[ "$n" -gt 100 ] || fail "a prompt of $n tokens"
run --kv-policy "streaming budget=30" --kv-report > /dev/null 2> "$work/err"
has report "$(cat "$work/err")" "30.0 of $n prompt tokens kept per head (30 to 30)"
has report "$(cat "$work/err")" "nats per token over 12 tokens"
same "threads" "$(run -t 1 --kv-policy "snapkv budget=30" 2> /dev/null)" \
    "$(run -t 3 --kv-policy "snapkv budget=30" 2> /dev/null)"

# The budget holds while the answer is written, by default every 64 tokens.
long() { run -n 100 --kv-report "$@"; }
figures "snapkv budget=30" -n 100
near "end" "$(value end.kept_mean)" "$(awk "BEGIN { print 30 + 100 % 64 }")" 1e-6
same "rounds" "$(value end.rounds)" 2
same "tokens measured" "$(value loss_tokens)" 100
figures "snapkv budget=30 every=10" -n 100
near "end" "$(value end.kept_mean)" 40 1e-6
same "rounds" "$(value end.rounds)" 10
figures "snapkv budget=30 every=0" -n 100
near "end" "$(value end.kept_mean)" 130 1e-6
long --kv-policy "streaming budget=30 every=10" > /dev/null 2> "$work/err"
has report "$(cat "$work/err")" "at the end: 40.0 of"
has report "$(cat "$work/err")" "; forgot 9 times more"

# Bad input.
refused 2 "unknown kv policy 'lru'; choose from: none, uncomp" run --kv-policy lru
refused 2 "no room" run --kv-policy "snapkv budget=8"
refused 2 "none is given" run --kv-report
refused 2 "whole prompt" run --kv-policy snapkv --choices a,b
refused 2 "whole prompt" run --kv-policy snapkv --best-of 2
refused 2 "one model" run --kv-policy snapkv --router speculative
refused 2 "computes texts anew" run --kv-policy snapkv --overflow drop
refused 1 "fewer" run --kv-policy "uncomp budget=20 groups=500"
finish
