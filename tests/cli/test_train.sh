# `szilard train lm`: the same model however it was computed and wherever it was cut off, errors that
# lose nothing, and the commands of docs/training.md at a small scale.
. "$(dirname "$0")/lib.sh"

docs=$(cd "$(dirname "$0")/../../docs" && pwd)
cd "$work" || exit 1
awk 'BEGIN { for (i = 0; i < 400; i++) print i % 13 " times " i % 7 " is " (i % 13) * (i % 7) "." }' > text
train() { "$szilard" train lm "$@"; }
small="--layers 1 --width 16 --heads 2 --context 32 -b 2 --seed 4"

# Any number of threads; a run that was killed and resumed.
train text -o one $small -n 12 -t 1 --json > out || fail "train: $(cat out)"
same "steps" "$("$json_get" steps whole < out)" 12
near "loss" "$("$json_get" loss_nats whole < out)" 5.4 0.3
train text -o three $small -n 12 -t 3 > out
has "lines" "$(cat out)" "step 10 of 12"
has "lines" "$(cat out)" "perplexity"
same_files "threads" one/model.gguf three/model.gguf
same "log" "$(grep -c '"step":' one/log.jsonl)" 3
has "log" "$(line 3 < one/log.jsonl)" '"validation_nats":'

train text -o cut $small -n 4 --schedule constant --warmup 5 --save-every 2 --json > out
train text -o whole $small -n 400 --schedule constant --warmup 5 --save-every 0 --json > out
"$szilard" train lm text -o cut $small -n 400 --schedule constant --warmup 5 --resume --save-every 7 > out 2> err &
victim=$!
until_true grep -qs '"step":20,' cut/log.jsonl
kill -9 "$victim" 2> /dev/null
wait "$victim" 2> /dev/null
[ ! -e cut/model.gguf ] || rm -f cut/model.gguf
train text -o cut $small -n 400 --schedule constant --warmup 5 --resume --save-every 7 --json > out || fail "resume"
same_files "killed and resumed" whole/model.gguf cut/model.gguf
same "log without double steps" "$(grep -c '"step":20,' cut/log.jsonl)" 1

# Ctrl-C keeps the steps that were done.
"$szilard" train lm text -o stopped $small -n 100000 --save-every 0 > out 2> err &
victim=$!
until_true grep -qs '"step":10,' stopped/log.jsonl
kill -TERM "$victim" # SIGINT is ignored in the background of a script
wait "$victim"
same "interrupted" $? 130
has "interrupted" "$(cat err)" "--resume goes on"
[ -s stopped/checkpoint.gguf ] || fail "interrupted: no checkpoint"

# The model runs; it can be gone on from, with its vocabulary or its weights.
exits "run" 0 "$szilard" run -m one/model.gguf "1 times" -n 4
train text -o next --from one/model.gguf -n 2 -b 1 --json > out || fail "--from: $(cat out)"
train text -o same --tokens one/model.gguf $small -n 1 --json > out || fail "--tokens"
train one/tokens.npy -o again $small -n 12 --json > out
same_files "from a token file" one/model.gguf again/model.gguf
for optimiser in sgd adamw8 lion adafactor muon; do
    train text -o "$optimiser" $small -n 3 --optimiser "$optimiser" --json > out || fail "$optimiser"
done
train text -o more $small -n 3 --recompute --accumulate 2 --ema 0.9 --z-loss 1e-4 --loss comp-sum \
    --tau 1.5 --schedule wsd --filter 0.0002 --json > out || fail "other options: $(cat out)"

# What is refused.
: > empty
refused 1 "empty is empty" "$szilard" train lm empty -o none $small
refused 1 "holds a run already" "$szilard" train lm text -o one $small
refused 1 "batch 2" "$szilard" train lm text -o one $small -b 3 --resume
head -c 20 text > tiny
refused 1 "too few" "$szilard" train lm tiny -o tiny-run $small
head -c 128 one/tokens.npy > wrong.npy # as many tokens, one beyond the vocabulary
{ tail -c +129 one/tokens.npy | head -c -4; printf '\001\001\000\000'; } >> wrong.npy
refused 1 "token 257 at place" "$szilard" train lm wrong.npy -o wrong $small
head -c 1000 one/tokens.npy > short.npy
refused 1 "cut short" "$szilard" train lm short.npy -o short $small
refused 1 "no-such" "$szilard" train lm no-such -o none2 $small
refused 1 "not finite" "$szilard" train lm text -o nan $small -n 9 --rate 1e37 --warmup 0 --optimiser sgd --clip 0 --json
head -c 3000 one/checkpoint.gguf > cut.gguf
mkdir broken && cp one/start.gguf one/tokens.npy broken/ && cp cut.gguf broken/checkpoint.gguf
refused 1 "checkpoint.gguf" "$szilard" train lm text -o broken $small -n 12 --resume
same_files "a broken checkpoint stays" cut.gguf broken/checkpoint.gguf
refused 1 "heads of an even width" "$szilard" train lm text -o odd --width 30 --heads 4
refused 2 "name a folder" "$szilard" train lm text
refused 2 "--from brings" "$szilard" train lm text -o x --from one/model.gguf --layers 2
refused 2 "takes one of" "$szilard" train lm text -o x --optimiser best

# The commands of the page, with fewer steps of smaller models.
cp text shakespeare.txt
cp text notes.txt
"$szilard" train lm text -o smollm2 $small -n 1 --json > out
grep '^szilard train lm' "$docs/training.md" | sed 's/--from smollm2/--from smollm2\/model.gguf/' > commands
[ "$(wc -l < commands)" -ge 4 ] || fail "docs/training.md has no commands"
while read -r _ _ _ arguments; do
    case $arguments in
    *--from*) fewer="-n 2 -b 1 --length 16" ;;
    *) fewer="-n 2 --layers 1 --width 16 --heads 2 --kv-heads 2 --context 32 --length 32 --ff 32 -b 2" ;;
    esac
    eval "train $arguments $fewer --json" > out 2> err || fail "$arguments: $(cat err)"
done < commands
finish
