# `szilard model calibrate ead` on two tiny models, `kv` on one, and their results in use.
. "$(dirname "$0")/lib.sh"
export LC_ALL=C.UTF-8
small=$work/small.gguf large=$work/large.gguf
"$make_tiny_model" "$small" seed=1 ctx=4096 no_end || exit 1
"$make_tiny_model" "$large" seed=2 ctx=4096 no_end || exit 1
seq 400 > "$work/text"
calibrate() { "$szilard" model calibrate ead --small "$small" --large "$large" "$@" < "$work/text"; }

for f in 0.2 0.5 0.8; do
    calibrate --fraction $f --json > "$work/json" || fail "calibrate $f"
    near "fraction $f" "$("$json_get" large_fraction < "$work/json")" $f 0.05
done
same "twice" "$(calibrate --json | "$json_get" router)" "$(calibrate --json | "$json_get" router)"
near "tokens" "$(calibrate --tokens 100 --json | "$json_get" tokens)" 99 0.5
router=$(calibrate --router "ead window=3 min=2 hysteresis=0.9 small-signal=1" --json |
    "$json_get" router)
has "settings" "$router" "window=3 min=2 hysteresis=0.9 small-signal=1"
exits "in use" 0 "$szilard" run --small "$small" --large "$large" --router "$router" --raw -p a -n 5
same "as text" "$(calibrate | line 1)" "$(calibrate --json | "$json_get" router)"
has "break-even" "$(calibrate)" "break-even"
has "speed" "$(calibrate)" "times the large model's"

refused 2 "name the method" "$szilard" model calibrate
refused 2 "ead" "$szilard" model calibrate what
refused 2 "two models" "$szilard" model calibrate ead -m "$large"
refused 2 "ead router" "$szilard" model calibrate ead --small "$small" --large "$large" \
    --router speculative
refused 1 "tokens" "$szilard" model calibrate ead --small "$small" --large "$large"
refused 2 "fraction" "$szilard" model calibrate ead --small "$small" --large "$large" --fraction 2

# `szilard model calibrate kv`, and its file in use.
kv() { "$szilard" model calibrate kv -m "$small" -o "$work/heads.gguf" "$@" < "$work/text"; }
kv --length 64 --tokens 640 --json > "$work/json" || fail "calibrate kv"
same "texts" "$("$json_get" texts < "$work/json")" 10
has "kind" "$("$szilard" info "$work/heads.gguf")" "kv-profile"
has "as text" "$(kv --length 64)" "agreement"
policy="uncomp budget=20 groups=2 profile=$work/heads.gguf"
exits "profile in use" 0 "$szilard" run -m "$small" --raw -f "$work/text" -n 3 --kv-policy "$policy"
refused 1 "other weights" "$szilard" run -m "$large" --raw -f "$work/text" -n 3 --kv-policy "$policy"
refused 2 "not a profile" "$szilard" run -m "$small" --raw -f "$work/text" -n 3 \
    --kv-policy "uncomp profile=$small"
refused 2 "-o FILE" "$szilard" model calibrate kv -m "$small"
refused 2 "-m MODEL" "$szilard" model calibrate kv -o "$work/x"
refused 2 "one model" "$szilard" model calibrate kv -m "$small" -o "$work/x" --small "$small"
refused 1 "at least one" kv --length 5000
finish
