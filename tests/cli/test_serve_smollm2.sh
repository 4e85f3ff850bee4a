# The examples of docs/server.md, on the default model.
# labels: model
. "$(dirname "$0")/lib.sh"
need_smollm2
command -v curl > /dev/null || exit 77
page=$(dirname "$0")/../../docs/server.md
"$szilard" serve -m "$model" --name smollm2 --port 0 -t 2 2> "$work/log" &
server=$!
trap 'kill $server; rm -rf "$work"' EXIT
until_true grep -q "ready at" "$work/log"
base=$(sed -n 's/.*ready at //p' "$work/log")

# One file for each block of the page that begins with curl.
awk -v folder="$work" '
    /^```sh$/ { inside = 1; n++; next }
    /^```$/ { inside = 0 }
    inside { print > sprintf("%s/example-%03d", folder, n) }' "$page"
n=0
for example in "$work"/example-*; do
    grep -q '^curl' "$example" || continue
    n=$((n + 1))
    sed "s|^curl|curl --fail|; s|localhost:8080|$base|" "$example" > "$work/run"
    bash "$work/run" > "$work/out" 2> "$work/err" || fail "$(head -1 "$example"): $(cat "$work/err" "$work/out")"
    case $(cat "$example") in
    *'-sN localhost:8080/v1'*) # events
        has "$(head -1 "$example")" "$(tail -c 20 "$work/out")" "[DONE]"
        sed -n 's/^data: {/{/p' "$work/out" | "$json_get" id > /dev/null || fail "$(head -1 "$example"): no JSON" ;;
    *'-sN localhost:8080/api'*) # lines
        "$json_get" done < "$work/out" | tail -1 | grep -q true || fail "$(head -1 "$example"): not done" ;;
    */metrics*) has metrics "$(cat "$work/out")" "szilard_tokens_total" ;;
    *) "$json_get" "" whole < "$work/out" > /dev/null || fail "$(head -1 "$example"): no JSON" ;;
    esac
done
[ "$n" -ge 18 ] || fail "only $n examples were found"
# What a text tells is what `szilard score` says.
curl -s "$base/v1/completions" -d '{"prompt":"The capital of France is Paris.","echo":true,"logprobs":1,"max_tokens":0}' > "$work/json"
score() { printf 'The capital of France is Paris.' | "$szilard" score -m "$model" --kv-type f16 --json; }
score | "$json_get" surprisal_nats | sed 1d | sed '$d' > "$work/want"
for i in 1 2 3 4 5 6; do
    near "token $i" "$("$json_get" choices.0.logprobs.token_logprobs.$i < "$work/json" | tr -d -)" "$(line $i < "$work/want")" 1e-5
done
finish
