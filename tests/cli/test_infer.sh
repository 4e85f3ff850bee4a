# `szilard infer`: programs with their data, evidence and posteriors known beforehand, laws.
. "$(dirname "$0")/lib.sh"

infer() { "$szilard" infer "$@"; }
get() { "$json_get" "$1" whole; }
about() {
    awk -v got="$2" -v want="$3" 'BEGIN { d = got - want; exit !(got != "" && d * d <= 1e-12 * (1 + want * want)) }' ||
        fail "$1: '$2' is not $3"
}

printf 'a ~ flip(0.7); b ~ flip(0.3)\nif a or b { score 1 } else { score 0.2 }\nreturn 2*a + b\n' > "$work/coins.szp"
infer run "$work/coins.szp" --json > "$work/out"
same "finite" "$(get method < "$work/out")" exact
about "evidence" "$(get log_evidence_nats < "$work/out")" -0.18392283816092864
about "bits" "$(infer run "$work/coins.szp" --json --unit bit | get log_evidence_bits)" -0.26534456652099494
about "mean" "$(get mean < "$work/out")" 2.0432692307692308
has "shares" "$(infer run "$work/coins.szp")" "P(2)            0.588942"
same "the tree's word" "$("$szilard" fit bayes run "$work/coins.szp" --json)" "$(cat "$work/out")"

# Seven tosses, one of them heads: the posterior of a uniform rate has mean 2/9.
printf 'y = [0]; r ~ uniform(0, 1); i = 0\nwhile i < len(y) { observe y[i] ~ flip(r); i = i + 1 }\nreturn r\n' > "$work/rate.szp"
infer run "$work/rate.szp" -d y=0,0,1,0,0,0,0 -n 20000 --json > "$work/out"
same "real" "$(get method < "$work/out")" smc
near() { awk -v a="$2" -v b="$3" -v e="$4" 'BEGIN { d = a - b; if (d < 0) d = -d; exit !(a != "" && d <= e) }' || fail "$1: $2 is not near $3"; }
near "conjugate evidence" "$(get log_evidence_nats < "$work/out")" -4.025351690735147 0.03
near "conjugate mean" "$(get mean < "$work/out")" 0.2222222 0.01
printf 'toss\n0\n0\n1\n0\n0\n0\n0\n' > "$work/tosses.csv"
same "data in a file" "$(infer run "$work/rate.szp" -d "y=$work/tosses.csv" -n 20000 --json)" "$(cat "$work/out")"
same "threads" "$(infer run "$work/rate.szp" -d y=0,0,1,0,0,0,0 -n 20000 -T 3 --json)" "$(cat "$work/out")"
for method in importance smc mcmc pimh; do
    near "$method" "$(infer run "$work/rate.szp" -d y=0,0,1,0,0,0,0 -n 500 --moves 1 --method $method --samples 3000 --json | get mean)" 0.2222222 0.02
done
infer run "$work/rate.szp" -n 50 -o "$work/r.csv" > /dev/null
same "header" "$(head -1 "$work/r.csv")" value,share
about "shares sum" "$(awk -F, 'NR > 1 { s += $2 } END { printf "%.12f", s }' "$work/r.csv")" 1

exits "laws hold" 0 "$szilard" infer check "$work/coins.szp"
lacks "laws hold" "$(cat "$work/out")" broken
infer check "$work/coins.szp" --json > "$work/out"
same "broken laws" "$(get broken < "$work/out")" 0
exits "simulated laws hold" 0 "$szilard" infer check "$work/rate.szp" -d y=0,1,1 --runs 400
has "simulated laws" "$(cat "$work/out")" "ranks of true values"
printf 'score 0\nreturn 1\n' > "$work/dead.szp"
exits "a dead program" 3 "$szilard" infer run "$work/dead.szp"
has "a dead program" "$(cat "$work/out")" "every run was rejected"
exits "a dead population" 3 "$szilard" infer run "$work/dead.szp" --method smc --json
has "a dead population" "$(cat "$work/out")" '"-inf"'

printf 'x ~ normal(0, 1)\nscore x\nreturn x\n' > "$work/negative.szp"
refused 1 "line 2: the score is -" "$szilard" infer run "$work/negative.szp"
printf 'x ~ gamma(1, 1)\nreturn x\n' > "$work/unknown.szp"
refused 1 "unknown.szp: line 1: 'gamma' stands where a distribution" "$szilard" infer run "$work/unknown.szp"
refused 1 "the program sets no 'z'" "$szilard" infer run "$work/rate.szp" -d z=1
refused 1 "is not NAME=VALUES" "$szilard" infer run "$work/rate.szp" -d y
refused 1 "nowhere" "$szilard" infer run "$work/rate.szp" -d "y=$work/nowhere.csv"
refused 1 "real numbers" "$szilard" infer run "$work/rate.szp" --method exact
refused 2 "say what to do" "$szilard" infer
refused 2 "needs a program" "$szilard" infer run
refused 2 "--particles" "$szilard" infer run "$work/rate.szp" -n 0
finish
