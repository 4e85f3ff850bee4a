# `szilard bench` on a tiny random model: the figures are there and fit together. No speeds are asked.
. "$(dirname "$0")/lib.sh"
tiny=$work/tiny.gguf
"$make_tiny_model" "$tiny" type=Q8_0 || exit 1

exits "json" 0 "$szilard" bench -m "$tiny" -p 32 -n 8 -t 1,2 -r 2 --json
value() { "$json_get" "$1" whole < "$work/out" || fail "not JSON"; }
same "objects" "$("$json_get" "" whole < "$work/out")" 2
same "threads" "$(value 0.threads) $(value 1.threads)" "1 2"
same "tokens" "$(value 0.prefill_tokens) $(value 0.decode_tokens)" "32 8"
for key in prefill_tokens_per_s decode_tokens_per_s prefill_tokens_per_s_median prefill_bytes \
    prefill_multiply_adds decode_bytes decode_multiply_adds decode_bytes_per_s \
    prefill_multiply_adds_per_s machine_read_bytes_per_s machine_int8_multiply_adds_per_s \
    decode_share_of_read_bandwidth prefill_share_of_int8_peak; do
    case $(value 0.$key) in
    [1-9]* | 0.*) ;;
    *) fail "$key is '$(value 0.$key)'" ;;
    esac
done
# 2 layers of width 64, 4 heads, 2 of them for keys and values, 96 wide within, 293 tokens.
layer=$((2 * (64 * 64 + 2 * 32 * 64 + 64 * 64 + 3 * 64 * 96))) head=$((304 * 64))
looks=$((2 * (65 + 72) * 8 / 2 * 2 * 64)) # after the context of 64
got=$(value 0.decode_multiply_adds) least=$((8 * layer + looks))
[ "$got" -ge $((least + 8 * 293 * 64)) ] && [ "$got" -le $((least + 8 * head)) ] ||
    fail "decode multiply-adds: $got, not about $((least + 8 * head))"

exits "table" 0 "$szilard" bench "$tiny" -p 16 -n 4 -r 1
has "table" "$(cat "$work/out")" "GB/s"
exits "only prefill" 0 "$szilard" bench "$tiny" -p 16 -n 0 -r 1 --json
same "only prefill" "$(value 0.decode_tokens_per_s)" null
exits "batches" 0 "$szilard" bench "$tiny" -p 0 -n 2 -c 5 -b 2,4 -r 2 --json
same "batches" "$(value 0.batches.0.tokens) $(value 0.batches.1.tokens)" "2 4"
for key in sequences_tokens_per_s sequences_passes_of_one span_passes_of_one; do
    case $(value 0.batches.1.$key) in
    [1-9]* | 0.*) ;;
    *) fail "$key is '$(value 0.batches.1.$key)'" ;;
    esac
done
same "context" "$(value 0.decode_context)" 5
exits "batches" 2 "$szilard" bench "$tiny" -b 65
exits "operators" 0 "$szilard" bench "$tiny" -p 16 -n 2 -c 5 -b 3 -r 2 --ops --json
same "passes" "$(value 0.passes.0.name) $(value 0.passes.1.name) $(value 0.passes.2.name)" \
    "decode batch prefill"
same "tokens" "$(value 0.passes.0.tokens) $(value 0.passes.1.tokens) $(value 0.passes.2.tokens)" \
    "1 3 16"
for pass in 0 1 2; do
    case $(value 0.passes.$pass.seconds) in
    [1-9]*e-* | 0.*) ;;
    *) fail "pass $pass took '$(value 0.passes.$pass.seconds)' s" ;;
    esac
done
exits "operators" 0 "$szilard" bench "$tiny" -p 0 -n 1 -c 1 -r 1 --ops
has "operators" "$(cat "$work/out")" "ffn_gate, ffn_up"
has "operators" "$(cat "$work/out")" "attention"
lacks "operators" "$(cat "$work/out")" "prefill: a pass"
exits "pair" 0 "$szilard" bench "$tiny" -p 8 -n 2 -b 2 -r 1 -t 1 --pair "$szilard" --json
same "pair" "$(value 0.rounds) $(value 0.threads)" "1 1"
same "pair" "$(value 0.rows.0.name) $(value 0.rows.1.name) $(value 0.rows.2.name)" \
    "prefill decode batch"
same "pair" "$("$json_get" 0.rows.2.this whole < "$work/out")" 1
same "pair" "$(value 0.rows.2.confidence)" 0
for key in this_best this_median other_best other_median ratio_best ratio_median; do
    case $(value 0.rows.1.$key) in
    [1-9]* | 0.*) ;;
    *) fail "$key of a pair is '$(value 0.rows.1.$key)'" ;;
    esac
done
exits "pair" 0 "$szilard" bench "$tiny" -p 8 -n 2 -r 1 -t 1 --pair "$szilard"
has "pair" "$(cat "$work/out")" "ratio"
printf '#!/bin/sh\nexit 3\n' > "$work/broken"
printf '#!/bin/sh\necho "[{}]"\n' > "$work/silent"
chmod +x "$work/broken" "$work/silent"
refused 1 "'$work/none' cannot be started" "$szilard" bench "$tiny" -n 1 --pair "$work/none"
refused 1 "'$work/broken bench' failed" "$szilard" bench "$tiny" -n 1 -p 1 --pair "$work/broken"
refused 1 "no speed of decode 1" "$szilard" bench "$tiny" -n 1 -p 0 --pair "$work/silent"
refused 2 "goes without" "$szilard" bench "$tiny" --ops --pair "$szilard"
exits "plot" 0 "$szilard" bench "$tiny" -p 16 -n 2 -c 5 -b 2,8 -r 1 --ops --plot "$work/roof.svg"
for part in "<svg" "int8 products" "prefill 16" "decode 2" "batch 8" " of a decode pass"; do
    has "plot" "$(cat "$work/roof.svg")" "$part"
done
lacks "plot" "$(cat "$work/roof.svg")" nan
refused 2 "one number of threads" "$szilard" bench "$tiny" -t 1,2 --plot "$work/roof.svg"
exits "machine" 0 "$szilard" bench --machine -t 1 --json
same "machine" "$("$json_get" "" whole < "$work/out")" 1
exits "no model" 2 "$szilard" bench
exits "threads" 2 "$szilard" bench "$tiny" -t 0
exits "threads" 2 "$szilard" bench "$tiny" -t 1,x
finish
