# `szilard run` on a tiny random model.
. "$(dirname "$0")/lib.sh"
export LC_ALL=C.UTF-8
tiny=$work/tiny.gguf endless=$work/endless.gguf
"$make_tiny_model" "$tiny" ctx=4096 || exit 1
"$make_tiny_model" "$endless" ctx=1000000 no_end no_template || exit 1
run() { "$szilard" run -m "$endless" --raw "$@" 2> "$work/err" < /dev/null; }

# The same seed gives the same text, whatever computes it.
text=$(run -p "hello" -n 60 --seed 5 -t 1)
for threads in 2 3; do
    same "threads $threads" "$(run -p hello -n 60 --seed 5 -t $threads)" "$text"
done
for isa in $(isas "$endless"); do
    same "$isa" "$(SZILARD_ISA=$isa run -p hello -n 60 --seed 5)" "$text"
done
[ "$(run -p hello -n 60 --seed 6)" != "$text" ] || fail "another seed gives the same text"
run -p hello -n 60 > "$work/out"
seed=$(sed -n 's/.*seed \([0-9]*\).*/\1/p' "$work/err")
same "the seed that is told" "$(run -p hello -n 60 --seed "$seed")" "$(cat "$work/out")"
[ "$(run -p hello -n 60)" != "$(run -p hello -n 60)" ] || fail "seeds do not differ by default"
same "greedy needs no seed" "$(run -p hello -n 30 --temp 0)" "$(run -p hello -n 30 --temp 0)"
same "--temp 0 is greedy" "$(run -p hello -n 30 --temp 0)" "$(run -p hello -n 30 --sampler greedy)"

# All ways to give the prompt.
want=$(run -p "one two" -n 20 --seed 1)
printf 'one two\n' > "$work/prompt"
same "words" "$("$szilard" run "$endless" --raw -n 20 --seed 1 -q one two < /dev/null)" "$want"
same "-f" "$(run -f "$work/prompt" -n 20 --seed 1)" "$want"
same "pipe" "$(printf 'one two' | "$szilard" run "$endless" --raw -n 20 --seed 1 -q)" "$want"
same "redirection" "$("$szilard" run "$endless" --raw -n 20 --seed 1 -q < "$work/prompt")" "$want"
same "-" "$("$szilard" run "$endless" - --raw -n 20 --seed 1 -q < "$work/prompt")" "$want"
want=$(run -p "one two

why" -n 20 --seed 1)
same "pipe and words" "$(printf 'one two\n' |
    "$szilard" run "$endless" --raw -n 20 --seed 1 -q why)" "$want"
same "file and -p" "$(run -f "$work/prompt" -p why -n 20 --seed 1)" "$want"
same "pipe, file - and -p" "$("$szilard" run "$endless" --raw -n 20 --seed 1 -q -f - -p why \
    < "$work/prompt")" "$want"
printf 'ignored' | "$szilard" run "$endless" --raw -n 1 -p a > /dev/null 2> "$work/err"
has "a pipe that is not read" "$(cat "$work/err")" "standard input is not read"

# -n, and the records in JSON.
run -p hello -n 7 --seed 3 --json > "$work/json"
same "lines" "$(wc -l < "$work/json" | tr -d ' ')" 8
"$json_get" id < "$work/json" > "$work/ids" || fail "a line is not JSON"
same "ids" "$(grep -c '^[0-9]' "$work/ids")" 7
same "positions" "$("$json_get" pos < "$work/json" | head -7 | tr '\n' ' ')" "4 5 6 7 8 9 10 "
same "tokens" "$("$json_get" account.tokens < "$work/json" | tail -1)" 7
same "finish" "$("$json_get" account.finish < "$work/json" | tail -1)" length
same "text" "$("$json_get" account.text < "$work/json" | tail -n +8)" "$(run -p hello -n 7 --seed 3)"
for key in surprisal_nats entropy_nats varentropy_nats2 draw_surprisal_nats draw_entropy_nats \
    kept_mass kept_n piece; do
    lacks "$key" "$("$json_get" $key < "$work/json" | head -7 | tr '\n' ' ')" "- - -"
done
same "-n 0" "$(run -p hello -n 0)" ""
same "-n 0 in JSON" "$(run -p hello -n 0 --json | "$json_get" account.tokens)" 0
exits "end of generation" 0 "$szilard" run -m "$tiny" --raw -p hello --temp 0 --json
same "end" "$("$json_get" account.finish < "$work/out" | tail -1)" end

# Stop strings, wherever they begin and however many tokens they span.
text=$(run -p hello -n 80 --seed 5)
for at in 0 1 2 5 9 14 23 31; do
    for length in 1 2 3 7; do
        stop=${text:$at:$length}
        case $stop in *\\*) continue ;; esac
        same "stop at $at, $length" "$(run -p hello -n 80 --seed 5 --stop "$stop")" \
            "$(printf '%s' "${text%%"$stop"*}")"
    done
done
same "the first of two stops" "$(run -p hello -n 80 --seed 5 --stop "${text:20:3}" \
    --stop "${text:8:3}")" "${text%%"${text:8:3}"*}"
same "a stop that never comes" "$(run -p hello -n 80 --seed 5 --stop "${text: -1}nothing like it")" \
    "$text"
same "finish of a stop" "$(run -p hello -n 80 --seed 5 --json --stop "${text:8:3}" |
    "$json_get" account.finish | tail -1)" stop

# Colours only where they are wanted; the text is the same.
run -p hello -n 30 --seed 5 > "$work/plain"
run -p hello -n 30 --seed 5 --show-entropy > "$work/out"
cmp -s "$work/plain" "$work/out" || fail "--show-entropy changes a piped text"
escapes "$work/err" && fail "escape codes in the account of a pipe"
has "roof" "$(cat "$work/err")" "of the machine's"
run -p hello -n 30 --seed 5 --show-entropy --colour always > "$work/out"
escapes "$work/out" || fail "--colour always gives no colours"
sed 's/\x1b\[[0-9;]*m//g' "$work/out" | cmp -s - "$work/plain" || fail "colours change the text"
NO_COLOR=1 run -p hello -n 30 --seed 5 --show-entropy > "$work/out"
escapes "$work/out" && fail "NO_COLOR is not honoured"
iconv -f UTF-8 -t UTF-8 "$work/plain" > /dev/null || fail "the text is not UTF-8"

# The account, on standard error only.
run -p hello -n 5 --seed 5 > /dev/null
has "account" "$(cat "$work/err")" "tokens/s"
has "account" "$(cat "$work/err")" "nats"
run -p hello -n 5 --seed 5 -q > /dev/null
same "quiet" "$(cat "$work/err")" ""
run -p hello -n 5 --seed 5 --account --unit hartley > /dev/null
has "unit" "$(cat "$work/err")" "hartleys"
lacks "unit" "$(cat "$work/err")" "nats"

# A full context is told, and stops or drops.
exits "full" 0 "$szilard" run -m "$endless" --raw -p hello -c 64
has "full" "$(cat "$work/err")" "the context of 64 tokens is full"
exits "full" 0 "$szilard" run -m "$endless" --raw -p hello -c 64 --json
same "full" "$("$json_get" account.finish < "$work/out" | tail -1)" context
exits "drop" 0 "$szilard" run -m "$endless" --raw -p hello -c 64 -n 300 --overflow drop --json
same "drop" "$("$json_get" account.tokens < "$work/out" | tail -1)" 300
has "drop" "$(cat "$work/err")" "dropped"
exits "prompt too long" 1 "$szilard" run -m "$endless" --raw -c 8 -p "a longer text than that"
has "prompt too long" "$(cat "$work/err")" "the context"

# Key-value types give a text each.
for type in f16 f32 q8_0; do
    exits "$type" 0 "$szilard" run -m "$endless" --raw -p hello -n 5 --kv-type $type
done

# The template's variables.
"$make_tiny_model" "$work/think.gguf" ctx=4096 no_end template='{% if enable_thinking is defined %}{{
    "yes" if enable_thinking else "no, no, no" }}{% endif %}{{ messages[0].content }}{% for m in
    messages if m.role == "assistant" %}{{ raise_exception("again") }}{% endfor %}' || exit 1
prompt_of() { "$szilard" run -m "$work/think.gguf" -n 1 --json -p abc "$@" 2> /dev/null < /dev/null |
    "$json_get" account.prompt_tokens | tail -1; }
same "--think" "$(prompt_of) $(prompt_of --think on) $(prompt_of --think hide) $(prompt_of --think off)" \
    "3 6 6 13"
printf 'a\nb\nc\n' | "$szilard" chat "$work/think.gguf" -n 1 > "$work/out" 2> "$work/err"
has "an error of the template" "$(cat "$work/err")" again

# What each sampler did, on stderr or in the records; the text stays the same.
run -p hello -n 5 --seed 3 --top-h 0.5 --explain > "$work/out"
same "explained text" "$(cat "$work/out")" "$(run -p hello -n 5 --seed 3 --top-h 0.5)"
run -p hello -n 5 --seed 3 --top-h 0.5 --explain > /dev/null
same "explained tokens" "$(grep -c 'top-h .*keeps .*budget' "$work/err")" 5
run -p hello -n 5 --seed 3 --explain --json > "$work/json"
same "stages" "$("$json_get" stages.3.sampler < "$work/json" | head -5 | sort -u)" temperature
same "kept by the last" "$("$json_get" stages.3.kept_n < "$work/json" | head -5)" \
    "$("$json_get" kept_n < "$work/json" | head -5)"

# Rules that end an answer.
run -p hello -n 90 --seed 3 --json --stop-when "budget 20" > "$work/json"
same "budget" "$("$json_get" account.finish < "$work/json" | tail -1)" rule
same "budget" "$("$json_get" account.rule.name < "$work/json" | tail -1)" budget
near "budget" "$("$json_get" account.rule.figure < "$work/json" | tail -1)" \
    "$("$json_get" account.total_surprisal_nats < "$work/json" | tail -1)" 1e-9
spent=$("$json_get" account.tokens < "$work/json" | tail -1)
[ "$spent" -lt 90 ] || fail "budget: $spent tokens"
same "the same beginning" "$("$json_get" account.text < "$work/json" | tail -1)" \
    "$(run -p hello -n "$spent" --seed 3)"
run -p hello -n 30 --seed 3 --account --stop-when "budget 20, confidence below=0.5 window=2" > "$work/out"
has "confidence" "$(cat "$work/err")" "geometric mean of probabilities"
run -p hello -n 40 --sampler "logit-bias 104 bias=1000, greedy" --json --stop-when repetition > "$work/json"
same "repetition" "$("$json_get" account.rule.name < "$work/json" | tail -1)" repetition
same "repetition" "$("$json_get" account.tokens < "$work/json" | tail -1)" 24
"$make_tiny_model" "$work/thought.gguf" ctx=4096 no_end \
    template='{{ messages[0].content }}<think>' || exit 1
"$szilard" run -m "$work/thought.gguf" -p hello -n 30 --seed 1 --json --stop-when "thinking tokens=5" \
    > "$work/json" 2> "$work/err" < /dev/null
same "ended thoughts" "$("$json_get" account.ended_thoughts < "$work/json" | tail -1)" 1
has "ended thoughts" "$(tail -1 "$work/json")" "</think>"
same "drawn tokens" "$("$json_get" account.tokens < "$work/json" | tail -1)" 30
exits "no such rule" 2 "$szilard" run "$tiny" x --stop-when "boredom"
has "no such rule" "$(cat "$work/err")" "choose from: entropy"

# Chains that the shortcuts, orders and presets make.
chain_of() { run -p a -n 0 --json "$@" | "$json_get" account.sampler; }
same "default" "$(chain_of)" "top-k 40, top-p 0.95, min-p 0.05, temperature 0.8"
same "shortcuts" "$(chain_of --top-k 0 --temp 1.5 --repeat-penalty 1.2 --top-h 0.3)" \
    "penalties 1.2, top-p 0.95, min-p 0.05, temperature 1.5, top-h 0.3"
same "greedy" "$(chain_of --temp 0 --top-k 5)" "temperature 0"
same "hf" "$(chain_of --sampler-preset hf --top-p 0.9)" "temperature 1, top-k 50, top-p 0.9"
same "top-h" "$(chain_of --sampler-preset top-h --temp 2 --top-h-rule hf)" \
    "temperature 2, top-h 0.4 rule=hf"
same "exact" "$(chain_of --sampler-preset top-h --top-h-exact 12)" \
    "temperature 1, top-h 0.4 exact=12"
same "target" "$(chain_of --target-entropy 1.5 --sampler-preset hf)" "target-entropy 1.5, top-k 50"
same "order" "$(chain_of --sampler-order "temperature, xtc, min-p" --temp 2)" \
    "temperature 2, xtc, min-p 0.05"
same "another spelling" "$(chain_of --sampler-order "top_k;typ_p;temp")" "top-k 40, typical, temperature 0.8"
same "breakers" "$(run -p a -n 3 --seed 1 --sampler 'dry breaker="\n" breaker=", ", temperature 1')" \
    "$(run -p a -n 3 --seed 1 --sampler 'temperature 1')"
exits "no such preset" 2 "$szilard" run "$tiny" x --sampler-preset none
exits "no such rule" 2 "$szilard" run "$tiny" x --top-h-rule none
exits "values in the order" 2 "$szilard" run "$tiny" x --sampler-order "top-k 3"
exits "no place in the order" 2 "$szilard" run "$tiny" x --sampler-order "top-k" --top-p 0.5
has "no place in the order" "$(cat "$work/err")" "top-p is not in"
exits "chain and order" 2 "$szilard" run "$tiny" x --sampler "top-k 3" --sampler-order "top-k"
exits "open quotation marks" 2 "$szilard" run "$tiny" x --sampler 'dry breaker="a'

# Wrong usage and failures.
exits "help" 0 "$szilard" run -h
has "help" "$(cat "$work/out")" "--show-entropy"
exits "no model" 2 "$szilard" run
exits "unknown option" 2 "$szilard" run "$tiny" x --no-such-option
exits "sampler" 2 "$szilard" run "$tiny" x --sampler "no-such 3"
has "sampler" "$(cat "$work/err")" "no-such"
exits "sampler value" 2 "$szilard" run "$tiny" x --sampler "top-p 7"
exits "temperature" 2 "$szilard" run "$tiny" x --temp hot
exits "chain and shortcut" 2 "$szilard" run "$tiny" x --sampler "top-k 3" --temp 1
exits "empty stop" 2 "$szilard" run "$tiny" x --stop ""
exits "kv type" 2 "$szilard" run "$tiny" x --kv-type q3
exits "-p and words" 2 "$szilard" run "$tiny" x -p y
exits "raw and system" 2 "$szilard" run "$tiny" --raw x --system y
exits "no such model" 1 "$szilard" run "$work/none.gguf" x
has "no such model" "$(cat "$work/err")" "none.gguf"
exits "not a model" 1 "$szilard" run "$work/prompt" x
exits "no such file" 1 "$szilard" run "$tiny" -f "$work/none"
exits "no prompt" 1 "$szilard" run "$tiny"
exits "system without template" 1 "$szilard" run "$endless" x --system y
printf 'a\0b' > "$work/binary"
exits "not a text" 1 "$szilard" run "$tiny" -f "$work/binary"
status=0
"$szilard" run "$endless" --raw -p x -n 5 > /dev/full 2> "$work/err" || status=$?
same "a full disk" $status 1

# Ctrl-C ends the answer at a token.
"$szilard" run -m "$endless" --raw -p hello --json > "$work/json" 2> "$work/err" < /dev/null &
pid=$!
until_true test -s "$work/json"
kill -INT $pid
status=0
wait $pid || status=$?
same "interrupted" $status 130
"$json_get" account.finish < "$work/json" > "$work/finish" || fail "an interrupted line is not JSON"
same "interrupted" "$(tail -1 "$work/finish")" interrupted
"$szilard" run -m "$endless" --raw -p hello > "$work/out" 2> "$work/err" < /dev/null &
pid=$!
until_true test -s "$work/out"
kill -INT $pid
status=0
wait $pid || status=$?
same "interrupted" $status 130
has "account after Ctrl-C" "$(cat "$work/err")" "interrupted"
iconv -f UTF-8 -t UTF-8 "$work/out" > /dev/null || fail "an interrupted text is not UTF-8"

# Answers that must look like something.
constrained() { "$szilard" run -m "$tiny" --raw -p a -q --seed "$1" -n 60 "$2" "$3" 2> "$work/err"; }
for seed in 1 2 3; do
    constrained $seed --regex '[0-9]{3}-[a-f]+z' | grep -qxE '[0-9]{3}-[a-f]{1,56}z?' || fail "regex, seed $seed"
    same "schema, seed $seed" "$(constrained $seed --json-schema '{"type":"integer","minimum":7,"maximum":7}' | tr -d ' \n\t')" 7
done
printf 'root ::= "yes" | "no"\n' > "$work/g.gbnf"
case $(constrained 4 --grammar "$work/g.gbnf") in yes | no) ;; *) fail "grammar" ;; esac
printf 'root ::= (\n' > "$work/broken.gbnf"
exits "broken grammar" 1 "$szilard" run -m "$tiny" --raw -p a --grammar "$work/broken.gbnf"
has "broken grammar" "$(cat "$work/err")" "broken.gbnf: grammar line"
exits "broken schema" 1 "$szilard" run -m "$tiny" --raw -p a --json-schema '{"type":"what"}'
has "broken schema" "$(cat "$work/err")" "what"

finish
