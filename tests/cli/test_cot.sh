# `szilard cot`: classes by name and from files, plans, curves, and files that are refused.
. "$(dirname "$0")/lib.sh"

cot() { "$szilard" cot "$@"; }
get() { "$json_get" "$1" whole; }
near() { awk -v a="$2" -v b="$3" -v e="$4" 'BEGIN { d = a - b; if (d < 0) d = -d; exit !(a != "" && d <= e) }' || fail "$1: '$2' is not near $3"; }

cot info checks --symbols 4 --checks 3 --json > "$work/out"
near "checks" "$(get info.0.cot_nats < "$work/out")" 0.693147 1e-6
near "bits" "$(cot info checks --symbols 4 --checks 3 --unit bit --json | get info.0.cot_bits)" 1 1e-6
cot info dfa --star 0,1,1,2,2,0:4 --eps 0.05,0.4 --json > "$work/out"
same "hypotheses" "$(get hypotheses < "$work/out")" 5832
near "automata" "$(get info.1.cot_nats < "$work/out")" 1.090830148 1e-6
same "enough" "$(get info.0.enough_with_traces < "$work/out")" 29
same "parity teaches nothing" "$(cot info parity --json | get info.0.enough_with_traces)" "$(cot info parity --json | get info.0.enough_without)"
has "drawn strings" "$(cot info dfa --length 40 --states 2 --draws 300)" "limits, not values"
near "every truth" "$(cot info checks --checks 3 --all --json | get over_all_truths.median)" 0.693147 1e-6

cat > "$work/prompts.json" << 'JSON'
{"x": [0.1, 0.2, 0.3, 0.4], "star": 0, "hypotheses": [
  {"y": ["4", "6", "9", "1"], "z": [["2+2"], ["2*3"], ["3*3"], ["1"]]},
  {"y": ["4", "6", "9", "1 "], "z": [["2*2"], ["2*3"], ["3*3"], ["1 "]]},
  {"y": ["4", "5", "9", "1"], "z": [["2+2"], ["2+3"], ["3*3"], ["1"]]}]}
JSON
cot info "$work/prompts.json" --json > "$work/out"
same "one is wrong" "$(get info.0.bad_hypotheses < "$work/out")" 1
near "it shows on a fifth" "$(get info.0.cot_nats < "$work/out")" 0.2231436 1e-6
same "blanks do not count" "$(get different < "$work/out")" 3
cot plan checks --checks 3 --price-cot 1000 --json > "$work/out"
same "dear traces" "$(get annotated < "$work/out")" 0
cot curve checks --checks 3 --runs 30 --json > "$work/out"
[ "$(get with_traces.median < "$work/out")" -lt "$(get without.median < "$work/out")" ] || fail "curve: $(cat "$work/out")"

printf '{"hypotheses":[]}' > "$work/bad.json"
refused 1 "no list 'hypotheses'" "$szilard" cot info "$work/bad.json"
printf '{"hypotheses":[{"y":[1,2],"z":[1,2]},{"y":[1,2],"z":[1]}]}' > "$work/bad.json"
refused 1 "hypothesis 1: 'z' has 1 entries, not 2" "$szilard" cot info "$work/bad.json"
printf '{"hypotheses":[{"y":[1,2],"z":[1,"a"]}]}' > "$work/bad.json"
refused 1 "hypothesis 0, input 1: 'z' is of another type" "$szilard" cot info "$work/bad.json"
printf '{"x":[1,1],"hypotheses":[{"y":[1,2],"z":[1,2]}]}' > "$work/bad.json"
refused 1 "the weights sum to 2" "$szilard" cot info "$work/bad.json"
exits "unless asked" 0 "$szilard" cot info "$work/bad.json" --renormalise
refused 1 "is not one of 1 hypotheses" "$szilard" cot info "$work/bad.json" --renormalise --star 4
refused 1 "draw inputs" "$szilard" cot info dfa --length 25
refused 1 "transitions, not 6" "$szilard" cot info dfa --star 0,1:1
refused 2 "--eps" "$szilard" cot info checks --eps 1.5
refused 2 "needs a class" "$szilard" cot info
finish
