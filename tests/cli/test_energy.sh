# `szilard energy`: a metered command over a made-up tree of sensors, limits, Simon's problem, and that no run
# shows joules which nobody measured.
. "$(dirname "$0")/lib.sh"

energy() { "$szilard" energy "$@"; }
get() { "$json_get" "$1" whole; }
about() {
    awk -v got="$2" -v want="$3" 'BEGIN { d = got - want; if (d < 0) d = -d; exit !(got != "" && d <= 1e-7 * want) }' ||
        fail "$1: '$2' is not $3"
}
unset SZILARD_WATTS

zone=$work/sys/class/powercap/intel-rapl:0
mkdir -p "$zone" "$work/empty"
echo package-0 > "$zone/name"
echo 9000000 > "$zone/energy_uj"
echo 10000000 > "$zone/max_energy_range_uj"
energy meter --sysfs "$work/sys" --bits 1000 --json -- sh -c "echo 2000000 > '$zone/energy_uj'" > "$work/out"
about "a wrapped counter" "$(get energy.joules < "$work/out")" 3
same "measured" "$(get energy.measured < "$work/out")" true
about "joules over the limit" "$(get energy.over_landauer_300_kelvin < "$work/out")" "$(awk 'BEGIN { printf "%.12g", 3 / (1000 * 2.870978885078724e-21) }')"
energy meter --sysfs "$work/sys" --json -- sh -c 'exit 7' > "$work/out"
same "the command's exit status" "$?" 7
same "and in the object" "$(get exit_status < "$work/out")" 7
has "its own options" "$(energy meter --sysfs "$work/sys" -- echo --json -n 3)" "--json -n 3"

exits "no sensor is no failure" 0 "$szilard" energy status --sysfs "$work/empty"
has "no sensor" "$(cat "$work/out")" "cannot be measured"
exits "nor is it for a command" 0 "$szilard" energy meter --sysfs "$work/empty" -- true
has "not measured" "$(cat "$work/err")" "not measured"
lacks "no joules are made up" "$(cat "$work/err")" " J "
energy meter --sysfs "$work/empty" --json -- true > "$work/out"
has "null" "$(cat "$work/out")" '"energy":null'
energy meter --sysfs "$work/empty" --watts 20 --json -- sh -c 'i=0; while [ $i -lt 50000 ]; do i=$((i + 1)); done' > "$work/out"
same "an estimate is none" "$(get energy.measured < "$work/out")" false
same "an estimate" "$(get energy.source < "$work/out")" estimate

about "Landauer" "$(energy landauer --bits 8 --temp 293.15 --json | get joules)" 2.2443398937622074e-20
about "erasure" "$(energy erase --steps 10 --error 0.01 --json | get work_joules)" 3.1672975698780666e-21
energy simon -n 6 --runs 200 --json > "$work/out"
same "quantum" "$(get full.found < "$work/out")" 200
energy simon -n 8 --classical --runs 200 --json > "$work/out"
same "random" "$(get random.found < "$work/out")" 200
same "deterministic" "$(get deterministic.theory < "$work/out")" 31
energy simon -n 40 --bounds --gate 1e-16 --json > "$work/out"
[ "$(get crossover < "$work/out")" -gt 10 ] || fail "crossover: $(cat "$work/out")"

"$make_tiny_model" "$work/tiny.gguf"
run_json=$("$szilard" run -m "$work/tiny.gguf" -p "a" -n 4 --seed 1 --json 2> /dev/null | tail -1)
has "a run tells of energy" "$run_json" '"energy":'
SZILARD_WATTS=10 "$szilard" run -m "$work/tiny.gguf" -p "a" -n 4 --seed 1 --json 2> /dev/null | tail -1 > "$work/out"
same "declared watts make no measurement" "$(get account.energy.measured < "$work/out" | sed s/true/sensor/)" "$(energy status --json | get measured | sed s/true/sensor/)"

refused 2 "--temp" "$szilard" energy landauer --bits 1 --temp 0
refused 2 "needs --bits" "$szilard" energy landauer
refused 2 "--error" "$szilard" energy erase --error 0.7
refused 2 "needs a command" "$szilard" energy meter
refused 2 "say what to do" "$szilard" energy
refused 2 "needs -n" "$szilard" energy simon
refused 1 "2 to 12" "$szilard" energy simon -n 20 --mode full
exits "a command that is not there" 127 "$szilard" energy meter -- "$work/nowhere"
finish
