# `szilard demo mcg`: the coding game, one episode and many.
. "$(dirname "$0")/lib.sh"

demo() { "$szilard" demo mcg "$@"; }
get() { "$json_get" "$1" whole; }

demo --message 42 --rate 6 > "$work/out"
has "the message" "$(tail -1 "$work/out")" "message 42"
has "the map" "$(cat "$work/out")" "      S"
same "again" "$(demo --message 42 --rate 6)" "$(cat "$work/out")"
same "as a paper's" "$("$szilard" papers demo mcg --message 42 --rate 6)" "$(cat "$work/out")"
demo --message 7 --rate 6 --json > "$work/out"
same "message" "$(get message < "$work/out")" 7
has "moves" "$(cat "$work/out")" '"unknown_bits":'
demo --rate 6 --episodes 100 --json > "$work/out"
same "codes" "$(get codes < "$work/out")" 64
near "all arrive" "$(get accuracy < "$work/out")" 1 0.06
demo --rate 3.5 --episodes 100 --json > "$work/ours"
demo --rate 3.5 --episodes 100 --json --quantiser > "$work/groups"
awk -v a="$(get accuracy < "$work/ours")" -v b="$(get accuracy < "$work/groups")" 'BEGIN { exit !(a > b + 0.1) }' ||
    fail "equal groups carry as much: $(cat "$work/ours" "$work/groups")"
near "no rate, no message" "$(demo --rate 0 --episodes 100 --json | get accuracy)" 0 0.08
refused 2 "say which game" "$szilard" demo
refused 2 "'chess' is no game" "$szilard" demo chess
refused 2 "--message" "$szilard" demo mcg --message 64
refused 2 "--rate" "$szilard" demo mcg --rate -1
refused 2 "--episodes" "$szilard" demo mcg --message 1 --episodes 3
finish
