# `szilard tune`: every mode with figures known beforehand, mixtures of two models' records, and bad files.
. "$(dirname "$0")/lib.sh"

tune() { "$szilard" tune "$@"; }
get() { "$json_get" "$1" whole; }
near() { awk -v a="$2" -v b="$3" -v e="$4" 'BEGIN { d = a - b; if (d < 0) d = -d; exit !(a != "" && d <= e) }' || fail "$1: '$2' is not near $3"; }

printf -- '-0.802,-1.324\n-0.248,0.42\n1.136,0.11\n-0.553,-0.785\n0.749,1.635\n0.273,-1.233\n' > "$work/a.csv"
printf -- '-0.958,1.6\n0.203,-1.732\n-0.084,-1.163\n-0.629,-0.488\n-0.713,0.553\n-0.063,-0.589\n' > "$work/b.csv"
printf '0\n1\n0\n1\n0\n0\n' > "$work/labels"
tune interp "$work/a.csv" "$work/b.csv" --labels "$work/labels" --pieces --json > "$work/out"
near "interp" "$(get alpha < "$work/out")" 0.08474025974025974 1e-6
near "share" "$(get best < "$work/out")" 0.6666667 1e-6
near "pieces" "$(get pieces.2.1 < "$work/out")" 0.6219839142091153 1e-6
same "few tasks prove nothing" "$(get vacuous < "$work/out")" true

printf '[{"breaks":[0.5],"values":[0,1]},{"breaks":[],"values":[0.25]},{"breaks":[0.25,0.75],"values":[0,1,0]}]' > "$work/steps.json"
tune steps "$work/steps.json" --json > "$work/out"
near "steps" "$(get best < "$work/out")" 0.75 1e-12
near "plateau" "$(get alpha < "$work/out")" 0.625 1e-12
same "cells" "$(get cells < "$work/out")" 4

printf '{"scores":[[[0,1],[0.5]],[[1,0],[0,2]]],"label":[0,0]}' > "$work/poly.json"
refused 1 "ragged" "$szilard" tune poly "$work/poly.json"
printf '{"scores":[[[0,1],[0.5,0]],[[1,0],[0,2]]],"label":[0,1]}' > "$work/poly.json"
near "poly" "$(tune poly "$work/poly.json" --json | get alpha)" 0.75 1e-9
printf '{"candidates":[[[0,1],[1,-1]],[[0.5,0],[0,0.1]]]}' > "$work/envelope.json"
near "envelope" "$(tune poly "$work/envelope.json" --json | get best)" 0.75 1e-9
printf '{"dist":[[0,1],[1,0]],"features_times_weights":[[1,0],[0,1]],"degree":2,"label":[1,0]}' > "$work/graph.json"
near "graph" "$(tune graph "$work/graph.json" --lo -2 --hi 2 --json | get best)" 1 1e-12
printf '{"weights":[[[1]],[[1]]],"x":[[-1],[1]],"y":[-0.25,1]}' > "$work/net.json"
tune act "$work/net.json" --json > "$work/out"
near "act" "$(get alpha < "$work/out")" 0.75 1e-9
near "loss" "$(get best < "$work/out")" 0 1e-12

printf '{"pos":0,"surprisal_nats":null}\n{"surprisal_nats":0.1}\n{"surprisal_nats":3}\n' > "$work/x.jsonl"
printf '{"pos":0,"surprisal_nats":null}\n{"surprisal_nats":3}\n{"surprisal_nats":0.1}\n' > "$work/y.jsonl"
tune mix "$work/x.jsonl" "$work/y.jsonl" --json > "$work/out"
near "mix" "$(get alpha < "$work/out")" 0.5 1e-9
same "tokens" "$(get tokens < "$work/out")" 2
printf '0.5\n0.25\n' > "$work/p"
near "probabilities" "$(tune mix "$work/p" "$work/p" --json | get nats_per_token)" 1.0397208 1e-6
"$make_tiny_model" "$work/tiny.gguf"
printf 'abcabcab' > "$work/text"
"$szilard" score -m "$work/tiny.gguf" "$work/text" > "$work/records.jsonl" 2> /dev/null
same "records of score" "$(tune mix "$work/records.jsonl" "$work/records.jsonl" --json | get alpha)" 0

tune size --oscillations 10 --eps 0.1 --json > "$work/out"
same "tasks" "$(get tasks_piecewise_constant < "$work/out")" 12182
same "in general" "$(get tasks_general < "$work/out")" 489508
same "network" "$(tune size --widths 10,16,1 --json | get pseudo_dimension)" 1099

refused 1 "values, not 2 for 1 breaks" "$szilard" tune steps <(printf '[{"breaks":[0.5],"values":[0,1,2]}]')
refused 1 "does not rise" "$szilard" tune steps <(printf '[{"breaks":[0.5,0.2],"values":[0,1,2]}]')
refused 1 "scores 2 tokens" "$szilard" tune mix "$work/x.jsonl" <(printf '0.5\n')
refused 1 "line 1: a record has no" "$szilard" tune mix <(printf '{"a":1}\n') "$work/x.jsonl"
refused 1 "not a list of tasks" "$szilard" tune steps <(printf '{}')
refused 2 "needs --labels" "$szilard" tune interp "$work/a.csv" "$work/b.csv"
refused 2 "is not below" "$szilard" tune steps "$work/steps.json" --lo 2
refused 2 "say what to tune" "$szilard" tune
finish
