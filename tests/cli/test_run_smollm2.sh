# labels: model
# `szilard run` and `chat` on the default model.
. "$(dirname "$0")/lib.sh"
need_smollm2
export LC_ALL=C.UTF-8
run() { "$szilard" run -m "$model" "$@" 2> "$work/err" < /dev/null; }

has "a fact" "$(run --raw -p "The capital of France is" -n 8 --temp 0)" Paris

# The same seed gives the same answer with any number of threads and any instruction set.
text=$(run -p "Why is the sky blue?" -n 24 --seed 3 -t 1)
same "threads 2" "$(run -p "Why is the sky blue?" -n 24 --seed 3 -t 2)" "$text"
same "threads 3" "$(run -p "Why is the sky blue?" -n 24 --seed 3 -t 3)" "$text"
for isa in $(isas "$model"); do
    same "$isa" "$(SZILARD_ISA=$isa run -p "Why is the sky blue?" -n 24 --seed 3)" "$text"
done
same "a context of another size" "$(run -p "Why is the sky blue?" -n 24 --seed 3 -c 512)" "$text"

# The template counts: the answer ends by itself, and the system message is heard.
exits "an end" 0 "$szilard" run -m "$model" -p "Say yes." --temp 0 -n 400 --json
same "an end" "$("$json_get" account.finish < "$work/out" | tail -1)" end
[ "$(run -p "Who are you?" -n 16 --temp 0)" != \
    "$(run -p "Who are you?" -n 16 --temp 0 --system "You are a pirate. Talk like one.")" ] ||
    fail "the system message changes nothing"

# A second turn computes its own tokens only, and gives what it would give without a cache.
printf 'My name is Ada.\nWhat is my name?\n/save %s\n' "$work/c.json" |
    "$szilard" chat -m "$model" --temp 0 -n 24 --json > "$work/json" 2> "$work/err"
"$json_get" account.cached_tokens < "$work/json" | grep -v '^-$' > "$work/cached"
[ "$(tail -1 "$work/cached")" -gt 30 ] || fail "cached: $(tail -1 "$work/cached")"
printf '/load %s\n/regen\n/save %s\n' "$work/c.json" "$work/d.json" |
    "$szilard" chat -m "$model" --temp 0 -n 24 > /dev/null 2> "$work/err"
cmp -s "$work/c.json" "$work/d.json" || fail "the cache changes the answer"
finish
