# `szilard dyn conserve`: totals that are met, scores, fields that are known, and what is refused.
. "$(dirname "$0")/lib.sh"

dyn() { "$szilard" dyn conserve "$@"; }
get() { "$json_get" "$1" whole; }

printf 'mean,variance\n10,1\n20,4\n30,0\n' > "$work/parts.csv"
dyn "$work/parts.csv" --sum --total 65 > "$work/out" 2> "$work/err"
same "the sum goes where the variance is" "$(line 2 < "$work/out" | cut -d, -f1),$(line 4 < "$work/out" | cut -d, -f1)" "11,30"
has "what it did" "$(cat "$work/err")" "was off by -5"
same "corrected twice" "$(dyn "$work/out" --sum --total 65 2> /dev/null | cut -d, -f1)" "$(cut -d, -f1 < "$work/out")"
near "hardc" "$("$szilard" fit dyn conserve "$work/parts.csv" --sum --total 66 --method hardc --json 2> /dev/null | sed 's/.*"mean":\[\([0-9.]*\).*/\1/')" 12 1e-9
near "base" "$(dyn "$work/parts.csv" --sum --total 65 --method base --json | get error_after)" -5 1e-12
dyn "$work/parts.csv" --sum --total 65 --noise 5 --json > "$work/out"
near "noise" "$(get error_after < "$work/out")" -2.5 1e-12
near "gain" "$(get gain_nats < "$work/out")" 1.5965736 1e-6

dyn simulate --law stefan --parameter 0.6 --time 0.05 --json > "$work/out"
near "mass" "$(get mass < "$work/out")" 0.1859462059475557 1e-9
near "front" "$(get front < "$work/out")" 0.23508668114269443 1e-9
dyn simulate --law burgers --parameter 3 --time 0.5 --points 5 > "$work/out" 2> /dev/null
same "a shock" "$(line 4 < "$work/out") $(line 5 < "$work/out")" "0,3 0.5,0"
dyn simulate --law porous --parameter 3 --time 0.5 2> /dev/null |
    awk -F, 'NR == 1 { print "x,u,mean,variance"; next } { print $1 "," $2 "," $2 + ($2 > 0 ? 0.1 : 0) "," ($2 > 0 ? 0.01 : 0.0001) }' > "$work/wrong.csv"
mse() { dyn "$work/wrong.csv" --total 0.4292678409574994 --truth u --json "$@" | get mse; }
awk -v a="$(mse)" -v h="$(mse --method hardc)" -v b="$(mse --method base)" 'BEGIN { exit !(a < 0.5 * h && h < b) }' ||
    fail "mean squared errors: $(mse) $(mse --method hardc) $(mse --method base)"
near "diffusion keeps the total" "$(dyn "$work/wrong.csv" --total 0.4 --diffusion 0.9 --json | get error_after)" 0 1e-12

printf 'mean,variance\n1,0\n2,0\n' > "$work/still.csv"
refused 1 "zero variance along it" "$szilard" dyn conserve "$work/still.csv" --sum --total 5
refused 1 "there is no column 'x'" "$szilard" dyn conserve "$work/parts.csv" --total 5
printf 'x,mean,variance\n0,1,1\n0,2,1\n' > "$work/twice.csv"
refused 1 "not above" "$szilard" dyn conserve "$work/twice.csv" --total 5
printf 'mean,variance\n1,-1\n' > "$work/negative.csv"
refused 1 "the variance of entry 0 is -1" "$szilard" dyn conserve "$work/negative.csv" --sum --total 5
refused 2 "--total" "$szilard" dyn conserve "$work/parts.csv"
refused 2 "--law" "$szilard" dyn conserve simulate
refused 2 "say what to do" "$szilard" dyn
refused 2 "'koopman' is none" "$szilard" dyn koopman
refused 1 "the parameter is 2" "$szilard" dyn conserve simulate --law stefan --parameter 2
finish
