# `szilard run --best-of`, `--beams` and `--branch` on a tiny model, beside `szilard score`.
. "$(dirname "$0")/lib.sh"
export LC_ALL=C.UTF-8
tiny=$work/tiny.gguf
"$make_tiny_model" "$tiny" || exit 1
several() { "$szilard" run -m "$tiny" --raw -p "one:" -n 6 --seed 3 "$@" 2> "$work/err" < /dev/null; }
value() { "$json_get" "$1" < "$work/json"; }

for method in best-of=5 beams=5 "branch=entropy above=1 most=5"; do
    several --kv-type f32 "--${method%%=*}" "${method#*=}" --json > "$work/json" || fail "$method"
    same "$method: name" "$(value method)" "${method%%=*}"
    best=$(value best)
    near "$method: per token" "$(value continuations.$best.per_token_nats)" \
        "$(value continuations.$best.log_likelihood_nats,continuations.$best.tokens |
            awk '{ printf "%.9f\n", $1 / $2 }')" 1e-6
    several --kv-type f32 "--${method%%=*}" "${method#*=}" -q > "$work/quiet"
    several --kv-type f32 "--${method%%=*}" "${method#*=}" > "$work/out"
    has "$method: quiet" "$(tr -d '\0' < "$work/out")" "$(tr -d '\0' < "$work/quiet")"
    same "$method: count" "$(grep -ac '^#[1-5]  log-likelihood' "$work/out")" 5
    has "$method: account" "$(cat "$work/err")" "5 answers: "
    [ "${method%%=*}" = branch ] && has "tree" "$(cat "$work/out")" "; from #1 after "
    several --kv-type f32 -t 2 "--${method%%=*}" "${method#*=}" --json > "$work/again"
    same_files "$method: again" "$work/json" "$work/again"
done

# One beam is the greedy text, and the account of run has its likelihood.
several --beams 1 --json > "$work/json"
near "greedy" "$(value continuations.0.log_likelihood_nats)" "-$(several --temp 0 --json |
    "$json_get" surprisal_nats | awk '/^[0-9.e+-]+$/ { sum += $1 } END { printf "%.9f\n", sum }')" 1e-3
several --best-of 3 --length-penalty 0.5 --json > "$work/json"
near "penalty" "$(value continuations.1.score)" "$(value \
    continuations.1.log_likelihood_nats,continuations.1.tokens |
    awk '{ printf "%.9f\n", $1 / sqrt($2) }')" 1e-6
several --best-of 3 --regex '[ab]{3}' -q > "$work/out"
same "constraint" "$(grep -c '^[ab]*$' "$work/out")" 1

# Bad input.
run() { "$szilard" run -m "$tiny" --raw -p a "$@"; }
refused 2 "at a time" run --best-of 2 --beams 2
refused 2 "--best-of" run --best-of 0
refused 2 "unknown rule 'x'" run --branch x
refused 2 "no rule" run --branch ""
refused 2 "is not in" run --branch "entropy above=-1"
refused 2 "one rule" run --branch "entropy, entropy"
refused 2 "--choices" run --choices a,b --beams 2
refused 2 "constraint" run --beams 2 --regex a
refused 2 "one model" run --best-of 2 --router speculative
refused 2 "--stop" run --best-of 2 --stop a
refused 2 "ranks" run --length-penalty 1
refused 1 "no text" "$szilard" run -m "$tiny" --raw -p "" --beams 2
finish
