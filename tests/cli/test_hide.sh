# `szilard hide` and `szilard reveal` on tiny random models: there and back, and what does not fit.
. "$(dirname "$0")/lib.sh"
cd "$work" || exit 1
export LC_ALL=C
"$make_tiny_model" t.gguf ctx=8192 || exit 1
"$make_tiny_model" other.gguf ctx=8192 seed=9 || exit 1
printf 'sixteen bytes and more\n' > key
printf 'sixteen bytes and morf\n' > other.key
printf 'short' > short.key
printf 'noon\0\377\n' > message
: > empty
side="-m t.gguf -k key -p the --temp 1 --top-p 1 --min-p 0"

# Text and tokens; threads and instruction sets; nothing, and bytes that are no text.
for file in message empty; do
    for wire in text tokens; do
        exits "hide" 0 "$szilard" hide $side --wire $wire -t 2 -o cover $file
        has "account" "$(cat err)" "bits a token"
        [ ! -s out ] || fail "hide -o prints"
        for threads in 1 2 3; do
            for isa in "" portable; do
                SZILARD_ISA=$isa exits "reveal" 0 "$szilard" reveal $side --wire $wire -t $threads cover
                same_files "$file, $wire, $threads threads, $isa" $file out
            done
        done
    done
done
exits "quiet" 0 "$szilard" zip hide $side -q -o cover message
[ ! -s err ] || fail "-q tells '$(cat err)'"
exits "to a file" 0 "$szilard" zip reveal $side -o back cover
same_files "to a file" message back
same "pipes" "$(printf 'by pipe' | "$szilard" hide -q $side | "$szilard" reveal $side)" "by pipe"
printf 'the\n' > prompt
same "prompt from a file" "$(printf x | "$szilard" hide -q $side | "$szilard" reveal -m t.gguf -k key --prompt-file prompt --temp 1 --top-p 1 --min-p 0)" x
same "fimec" "$(printf x | "$szilard" hide -q $side --engine fimec | "$szilard" reveal $side --engine fimec)" x
same "raw" "$(printf x | "$szilard" hide -q $side --raw | "$szilard" reveal $side --raw)" x

exits "JSON" 0 "$szilard" hide $side --json message
same "placed" "$("$json_get" placed_bits < out)" 304
same "bytes" "$("$json_get" message_bytes < out)" 7
"$json_get" text whole < out > /dev/null || fail "no text in JSON"
exits "JSON of the message" 0 "$szilard" reveal $side --json cover
same "message" "$("$json_get" message_bytes < out)" 7
same "its bytes" "$("$json_get" bytes.4 < out) $("$json_get" bytes.5 < out)" "0 255"
exits "again" 0 "$szilard" hide $side -o again message
! cmp -s cover again || fail "not fresh"

# What does not fit.
refused 1 "key" "$szilard" reveal -m t.gguf -k other.key -p the --temp 1 --top-p 1 --min-p 0 cover
refused 1 "differ" "$szilard" reveal -m other.gguf -k key -p the --temp 1 --top-p 1 --min-p 0 cover
refused 1 "differ" "$szilard" reveal -m t.gguf -k key -p a --temp 1 --top-p 1 --min-p 0 cover
refused 1 "differ" "$szilard" reveal -m t.gguf -k key -p the cover
head -c 40 cover > cut
refused 1 "cut" "$szilard" reveal $side cut
{ head -c 30 cover; printf '~'; tail -c +32 cover; } > changed
refused 1 "changed" "$szilard" reveal $side changed
refused 1 "cut" "$szilard" reveal $side empty
refused 1 "3 tokens hold" "$szilard" hide $side -n 3 message
refused 1 "almost nothing" "$szilard" hide -m t.gguf -k key -p the --temp 0 message
refused 1 "16 is the least" "$szilard" hide -m t.gguf -k short.key -p the message
refused 1 "none.key" "$szilard" hide -m t.gguf -k none.key -p the message
refused 1 "none.gguf" "$szilard" hide -m none.gguf -k key -p the message
refused 1 "differ" "$szilard" reveal $side --engine fimec cover
refused 2 "engine" "$szilard" hide $side --engine steam message
refused 2 "-k" "$szilard" hide -m t.gguf -p the message
refused 2 "prompt" "$szilard" hide -m t.gguf -k key message
refused 2 "-m" "$szilard" reveal -k key -p the cover
refused 2 "left over" "$szilard" reveal $side cover cover
refused 1 "not a token id" "$szilard" reveal $side --wire tokens message
exits "help" 0 "$szilard" hide --help
has "help" "$(cat out)" "EXAMPLES"
finish
