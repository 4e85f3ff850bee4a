# lib.sh: what the tests of the command share. Source it with the arguments of the test: the command,
# the program that writes tiny models, and the one that reads JSON. A test ends with `finish`.
set -u
szilard=$1 make_tiny_model=$2 json_get=$3
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export XDG_STATE_HOME=$work/state
unset NO_COLOR COLORTERM SZILARD_ISA
failures=0

fail() {
    echo "FAILED: $*" >&2
    failures=$((failures + 1))
}
finish() {
    [ "$failures" = 0 ] && echo "all right"
    exit $((failures > 0))
}
# same WHAT A B: both texts are equal.
same() {
    [ "$2" = "$3" ] || fail "$1: '$2' is not '$3'"
}
# has WHAT TEXT PART; lacks WHAT TEXT PART
has() {
    case $2 in *"$3"*) ;; *) fail "$1: no '$3' in '$2'" ;; esac
}
lacks() {
    case $2 in *"$3"*) fail "$1: '$3' in '$2'" ;; esac
}
# exits WHAT STATUS COMMAND...: output goes to $work/out and $work/err.
exits() {
    local what=$1 want=$2 got=0
    shift 2
    "$@" < /dev/null > "$work/out" 2> "$work/err" || got=$?
    [ "$got" = "$want" ] || fail "$what: exit status $got, not $want: $(head -c 300 "$work/err")"
}
# refused STATUS PART COMMAND...: it exits with that status, says PART and prints nothing.
refused() {
    local want=$1 part=$2
    shift 2
    exits "$*" "$want" "$@"
    has "$*" "$(cat "$work/err")" "$part"
    [ ! -s "$work/out" ] || fail "$*: printed '$(head -c 200 "$work/out")'"
}
# same_files WHAT A B: both hold the same bytes.
same_files() {
    cmp -s "$2" "$3" || fail "$1: $2 and $3 differ: $(diff -a "$2" "$3" | head -3)"
}
# near WHAT GOT WANT ABSOLUTE
near() {
    awk -v a="$2" -v b="$3" -v most="$4" 'BEGIN {
        d = a < b ? b - a : a - b; exit !(a == a + 0 && b == b + 0 && d <= most) }' ||
        fail "$1: $2 is not $3 within $4"
}
# escapes FILE: whether it holds escape sequences.
escapes() { LC_ALL=C grep -q "$(printf '\033')" "$1"; }
# line N < FILE: one line
line() { sed -n "$1p"; }
# until_true COMMAND...: waits until it succeeds, at most ten seconds.
until_true() {
    local i
    for i in $(seq 100); do
        "$@" && return 0
        sleep 0.1
    done
    fail "it took too long: $*"
    return 1
}
# The instruction sets that this machine has.
isas() {
    local isa
    for isa in portable avx2 avx512 neon; do
        SZILARD_ISA=$isa "$szilard" run -m "$1" --raw -p a -n 0 -q > /dev/null 2>&1 && echo $isa
    done
}
# The default model, or skip.
need_smollm2() {
    model=${SZ_MODEL_DIR:-${XDG_CACHE_HOME:-$HOME/.cache}/szilard/models}/smollm2-135m-instruct-q4_1.gguf
    [ -f "$model" ] || exit 77
}
