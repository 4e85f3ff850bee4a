# `szilard chat` through a pipe, on tiny random models.
. "$(dirname "$0")/lib.sh"
export LC_ALL=C.UTF-8
tiny=$work/tiny.gguf endless=$work/endless.gguf
"$make_tiny_model" "$tiny" ctx=4096 || exit 1
"$make_tiny_model" "$endless" ctx=1000000 no_end no_template || exit 1
chat() { "$szilard" chat -m "$endless" --raw --seed 1 -n 12 "$@" 2> "$work/err"; }
accounts() { "$json_get" "account.$1" | grep -v '^-$' | tr '\n' ' '; }

# Each line is a turn; `run --chat` is the same command; blank lines are none.
text=$(printf 'one\n\n  \ntwo\n' | chat)
same "run --chat" "$(printf 'one\ntwo\n' | "$szilard" run --chat "$endless" --raw --seed 1 -n 12 -q)" \
    "$text"
same "turns" "$(printf 'one\n\ntwo' | chat --json | accounts tokens)" "12 12 "
printf 'one\n' | chat > /dev/null
escapes "$work/err" && fail "escape codes through a pipe"
has "account" "$(cat "$work/err")" "tokens/s"
same "no turn" "$(printf '' | chat)" ""

# What was said stays computed: of the second prompt only its own tokens are new.
printf 'one\ntwo\n' | chat --json > "$work/json"
cached=$(accounts cached_tokens < "$work/json") prompts=$(accounts prompt_tokens < "$work/json")
set -- $cached $prompts
[ "$1" = 0 ] && [ "$2" -ge "$3" ] || fail "cached $cached of $prompts"

# With a template: the messages are rendered, the oldest turns are forgotten first, the system message
# never. No answer is so long that it would be cut, so the records tell all that was drawn.
talk() { "$szilard" chat -m "$tiny" --seed 1 -n 6 "$@" 2> "$work/err"; }
printf 'one\ntwo\n/save %s\n' "$work/t.json" | talk --system rules --json > "$work/json"
same "roles" "$(for i in 0 1 2 3 4; do "$json_get" $i.role whole < "$work/t.json"; done | tr '\n' ' ')" \
    "system user assistant user assistant "
set -- $(accounts cached_tokens < "$work/json") $(accounts prompt_tokens < "$work/json")
[ "$2" -ge $(($3 - 3)) ] || fail "cached $2 of the first prompt's $3 tokens"
printf 'one\ntwo\nthree\nfour\nfive\nsix\n/save %s\n' "$work/t.json" |
    talk --system rules -c 160 --json > "$work/json"
same "turns with a full context" "$(accounts tokens < "$work/json" | wc -w | tr -d ' ')" 6
has "dropped" "$(cat "$work/err")" "dropped"
same "the system message stays" "$("$json_get" 0.content whole < "$work/t.json")" rules
[ "$("$json_get" "" whole < "$work/t.json")" -lt 13 ] || fail "nothing was dropped"
printf 'one\ntwo\nthree\nfour\nfive\nsix\n' | talk -c 160 --overflow stop > "$work/out"
has "stop" "$(cat "$work/err")" "the context 160"

# Several lines in one turn.
want=$(printf 'a b' | chat --json | accounts prompt_tokens)
same "backslash" "$(printf 'a\\\nb' | chat --json | accounts prompt_tokens)" \
    "$(printf '"""a\nb"""' | chat --json | accounts prompt_tokens)"
same "fence" "$(printf '"""\na\n\nb\n"""\n' | chat --json | accounts tokens)" "12 "
same "fence without an end" "$(printf '"""a\nb' | chat --json | accounts tokens)" "12 "

# Commands.
printf 'one\n/save %s\n/save %s\n/load %s\n' "$work/c.json" "$work/c.md" "$work/c.json" |
    chat > "$work/out"
same "saved" "$("$json_get" 0.content whole < "$work/c.json")" one
same "saved" "$("$json_get" 1.role whole < "$work/c.json")" assistant
has "saved" "$(cat "$work/c.md")" one
has "loaded" "$(cat "$work/err")" "2 messages loaded"
printf '/help\n/nonsense\n/sav\n/load %s\n/save\n/undo\n/regen\n' "$work/none" | chat > "$work/out"
err=$(cat "$work/err")
has "help" "$err" "/entropy"
has "unknown" "$err" "no command /nonsense"
has "unknown" "$err" "did you mean /save"
has "load" "$err" "$work/none"
has "undo" "$err" "no question"
same "commands print no text" "$(cat "$work/out")" ""
printf 'one\n/undo\ntwo\n/save %s\n' "$work/c.json" | chat > "$work/out"
same "undo" "$("$json_get" "" whole < "$work/c.json")" 2
printf 'one\n/regen\n/exit\nnever\n' | chat > "$work/out"
same "regen" "$(sort -u "$work/out" | wc -l | tr -d ' ')" "$(wc -l < "$work/out" | tr -d ' ')"
printf '/set sampler top-k 1\n/set temp 0.5\n/set n 3\n/set seed 9\n/set temp cold\n/set nose 3\none\n' |
    chat --json > "$work/json"
same "set" "$(accounts tokens < "$work/json")$(accounts seed < "$work/json")" "3 9 "
has "set" "$(accounts sampler < "$work/json")" "temperature 0.5"
has "set" "$(cat "$work/err")" "cold"
has "set" "$(cat "$work/err")" "nose"
same "clear" "$(printf 'one\n/clear\none\n' | chat --json | accounts prompt_tokens |
    tr ' ' '\n' | sort -u | grep -c .)" 1

# A full context: the oldest part goes, with a line that says so.
printf 'one\ntwo\nthree\nfour\nfive\nsix\n' | chat -c 48 --json > "$work/json"
same "overflow" "$(accounts tokens < "$work/json")" "12 12 12 12 12 12 "
has "overflow" "$(cat "$work/err")" "dropped"
printf 'one\ntwo\nthree\nfour\n' | chat -c 32 --overflow stop > "$work/out"
has "stop" "$(cat "$work/err")" "the context"

# Ctrl-C where nobody sits at the keyboard ends all.
mkfifo "$work/pipe"
"$szilard" chat -m "$endless" --raw < "$work/pipe" > "$work/out" 2> "$work/err" &
pid=$!
exec 9> "$work/pipe"
echo one >&9
until_true test -s "$work/out"
kill -INT $pid
status=0
wait $pid || status=$?
same "interrupted" $status 130
exec 9>&-
exits "no model" 2 "$szilard" chat
exits "left over" 2 "$szilard" chat "$tiny" hello
finish
