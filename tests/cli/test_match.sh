# `szilard match`: patterns, files, symbols, bounds, methods, JSON, what is refused.
. "$(dirname "$0")/lib.sh"

match() { "$szilard" match "$@"; }
get() { "$json_get" "$1" whole; }
list() { sed 's/.*"distances":\(\[[^]]*\]\).*/\1/'; }
tab=$(printf '\t')

printf 'the cat sat on the mat; the bat sat on the hat; that rat sat flat' > "$work/t"
same "nearest" "$(match 'the rat' "$work/t")" "0${tab}1${tab}the cat"
same "tree word" "$("$szilard" measure match 'the hat' "$work/t")" "39${tab}0${tab}the hat"
same "within" "$(match -k 1 'the rat' "$work/t" | cut -f 1 | tr '\n' ' ')" "0 15 24 39 "
same "count" "$(match -k 1 --count 'the rat' "$work/t")" 4
same "share" "$(match -k 15% --count 'the rat' "$work/t")" 4
same "standard input" "$(match -k 0 -e 'bat' - < "$work/t")" "28${tab}0${tab}bat"
printf 'the rat' > "$work/p"
same "pattern file" "$(match -k 1 --count -f "$work/p" "$work/t")" 4
same "several files" "$(match -k 0 sat "$work/p" "$work/t" | cut -d : -f 1 | sort -u)" "$work/t"
match -k 2 'the rat' "$work/t" --json > "$work/out"
same "JSON" "$(cat "$work/out")" '{"symbols":"bytes","pattern":7,"text":65,"alignments":59,"k":2,"matches":[{"position":0,"distance":1},{"position":15,"distance":1},{"position":24,"distance":1},{"position":39,"distance":1}],"count":4,"min_distance":1,"argmin":0,"methods":{"scan":59}}'
match ab --all --json - > "$work/out" <<< 'abxb'
same "all" "$(list < "$work/out")" '[0,2,1,2]'
same "argmin" "$(get argmin < "$work/out")" 0
same "control bytes" "$(printf 'a\n\001b\377' | match 'a')" "0${tab}0${tab}a"
same "excerpt" "$(printf 'a\n\001b\377' | match -e "$(printf 'a\n\001b\377')")" "0${tab}0${tab}a\\n\\x01b\\xff"

# Every method finds the same.
for i in $(seq 400); do printf '%d' $((i * i % 97)); done > "$work/digits"
for method in auto naive scan scatter fft ntt split; do
    same "$method" "$(match --method $method --all 49625 "$work/digits" | cksum)" "$(match --all 49625 "$work/digits" | cksum)"
done
for method in auto naive scan scatter fft ntt split bits blocks jumps sample; do
    same "$method -k" "$(match --method $method -k 2 49625 "$work/digits" | cksum)" "$(match -k 2 49625 "$work/digits" | cksum)"
done
has "explain" "$(match --method scatter --explain 49625 "$work/digits" 2>&1 > /dev/null)" "scatter"
same "threads" "$(match -t 1 --all 49 "$work/digits" | cksum)" "$(match -t 3 --all 49 "$work/digits" | cksum)"

has "chance" "$(match --explain -f "$work/p" "$work/t" 2>&1 > /dev/null)" "by chance 6."
same "chance in JSON" "$(match --json -e 'the rat' "$work/t" | get min_distance)" 1
near "expected" "$(match --json -e 'ab' - <<< 'abab' | get expected_distance)" 1.2 1e-9

# Ids, wildcards, approximate distances.
same "ids" "$(match --as ids '5 9' --all --json - <<< '[1,5,9,2,5,9]' | list)" '[2,0,2,2,0]'
same "ids as JSON" "$(match --as ids '{"ids":[5,9]}' -k 0 - <<< '5 9 9' | cut -f 1)" 0
same "wildcard" "$(printf 'GATTACA' | match 'G?TTA' --wildcard '?' -k 0)" "0${tab}0${tab}GATTA"
same "wildcard id" "$(match --as ids '5 7 9' --wildcard 7 -k 0 - <<< '5 1 9' | cut -f 1)" 0
match --approx 0.2 --all --json 496259 "$work/digits" > "$work/lower"
same "epsilon" "$(get epsilon < "$work/lower")" 0.2
awk -v lower="$(list < "$work/lower")" -v exact="$(match --all --json 496259 "$work/digits" | list)" 'BEGIN {
    n = split(substr(lower, 2), l, ","); if (n != split(substr(exact, 2), d, ",") || n < 100) exit 1
    for (i = 1; i <= n; i++) if (l[i] + 0 > d[i] + 0 || l[i] + 0 < 0.8 * d[i]) exit 1 }' || fail "approximate distances"

# Tokens of a model.
"$make_tiny_model" "$work/m.gguf" no_template || exit 1
printf 'the time and the ring and the thing' > "$work/words"
same "tokens" "$(match -m "$work/m.gguf" -k 0 ' the' "$work/words" | cut -f 2,3 | sort -u)" "0${tab} the"
same "positions are those of tokens" "$(match -m "$work/m.gguf" 'the time' "$work/words" | cut -f 1)" 0
same "as bytes" "$(match -m "$work/m.gguf" --as bytes -k 0 --count the "$work/words")" 3

# A text shorter than the pattern has no alignment; that is no error.
same "short text" "$(printf 'ab' | match abc)" ""
same "short text in JSON" "$(printf 'ab' | match abc --all --json | list)" '[]'
same "empty text" "$(printf '' | match -k 1 --count abc)" 0
same "NUL bytes" "$(printf 'a\0b\0c' | match -k 0 --json b | get argmin)" 2

# Duplicates: files, folders, lines, JSON Lines.
mkdir -p "$work/corpus/deep"
words=$(seq 100 130 | tr '\n' ' ')
printf 'One %sand Seven.\n' "$words" > "$work/corpus/a.txt"
printf 'Another begin; %s' "$(printf '%s' "$words" | sed 's/115/x/')" > "$work/corpus/deep/b.txt"
printf 'nothing of this kind\n' > "$work/corpus/c.txt"
match dup "$work/corpus" > "$work/out" 2> "$work/err"
same "duplicates" "$(wc -l < "$work/out")" 1
has "similarity, words, places" "$(cat "$work/out")" "0.968${tab}31${tab}$work/corpus/a.txt 4-127${tab}$work/corpus/deep/b.txt 15-136${tab}100 101"
has "what there is" "$(cat "$work/err")" "3 documents, 1 passages twice, 1 clusters of 2 documents"
match dup "$work/corpus" --json > "$work/out"
same "in JSON" "$(get documents,pairs.0.from_b,pairs.0.to_b,pairs.0.mismatches,pairs.0.length,clusters.0.1 < "$work/out")" "3 15 136 1 31 $work/corpus/deep/b.txt"
same "above the similarity" "$(match dup "$work/corpus" --similarity 1 --least 20 2> /dev/null)" ""
printf '%s\nother words\n\nSO %s' "$words" "$words" > "$work/lines"
same "lines" "$(match dup "$work/lines" 2> /dev/null | cut -f 3-4)" "$work/lines:1 0-123${tab}$work/lines:4 141-264"
same "by file" "$(match dup --by file "$work/lines" 2> /dev/null | cut -f 1-2)" "1.000${tab}31"
printf '{"text":"%s"}\n{"text":"\\u0041 %s"}\n' "$words" "$words" > "$work/l.jsonl"
same "JSON Lines" "$(match dup --json "$work/l.jsonl" | get pairs.0.a,pairs.0.from_b)" "$work/l.jsonl:1 2"
same "standard input" "$(printf '%s\n%s\n' "$words" "$words" | match dup - 2> /dev/null | cut -f 3)" "-:1 0-123"
same "tokens" "$(match dup -m "$work/m.gguf" "$work/corpus" --json | get clusters.0.1)" "$work/corpus/deep/b.txt"
same "empty corpus" "$(match dup --json - < /dev/null | get documents)" 0
printf '{"text":1}\n' > "$work/bad.jsonl"
refused 1 "bad.jsonl: line 1" "$szilard" match dup "$work/bad.jsonl"
refused 1 "nofile" "$szilard" match dup "$work/nofile"
mkdir "$work/none"
refused 1 "no file" "$szilard" match dup "$work/none"
refused 2 "corpus" "$szilard" match dup
refused 2 "dup takes" "$szilard" match dup -k 3 "$work/corpus"
refused 2 "--as ids" "$szilard" match dup --as ids "$work/corpus"
refused 2 "--similarity" "$szilard" match dup --similarity 2 "$work/corpus"
same "the word itself" "$(printf 'a dup' | match -e dup)" "2${tab}0${tab}dup"

refused 1 "empty pattern" "$szilard" match '' "$work/t"
refused 1 "negative" "$szilard" match -k -1 a "$work/t"
refused 1 "'x' is neither" "$szilard" match -k x a "$work/t"
refused 1 "nofile" "$szilard" match a "$work/nofile"
refused 1 "needs a bound" "$szilard" match --method jumps a "$work/t"
refused 1 "knows no wildcards" "$szilard" match --method blocks -k 1 --wildcard x a "$work/t"
refused 1 "64 bits" "$szilard" match --method bits -k 60 "$(cat "$work/t")" "$work/t"
refused 1 "not one byte" "$szilard" match --wildcard xy a "$work/t"
refused 1 "position 0" "$szilard" match --as ids '1 2' "$work/t"
refused 2 "--method" "$szilard" match --method quick a "$work/t"
refused 2 "--approx" "$szilard" match --approx 1.5 a "$work/t"
refused 2 "which pattern" "$szilard" match
refused 2 "needs a model" "$szilard" match --as tokens a "$work/t"
refused 2 "--count needs -k" "$szilard" match --count a "$work/t"
finish
