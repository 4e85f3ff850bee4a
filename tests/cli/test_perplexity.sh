# `szilard perplexity` against sums over the records of `szilard score`, on tiny random models.
. "$(dirname "$0")/lib.sh"
cd "$work" || exit 1
export LC_ALL=C
"$make_tiny_model" t.gguf no_template || exit 1
"$make_tiny_model" bos.gguf add_bos no_template || exit 1
awk 'BEGIN { for (i = 0; i < 40; i++) print "the ring", i * i, "and a hat on it" }' > text

# surprisals MODEL FROM N SCORED [FIRST]: of tokens FROM .. FROM + N - 1 of the text those at index
# >= SCORED, in a window of their own whose first token is FIRST if that is given.
surprisals() {
    "$szilard" tokenize -m "$1" --special text | tr ' ' '\n' | tail -n +$(($2 + 1)) | head -n "$3" |
        awk -v first="${5-}" 'NR == 1 && first != "" { $1 = first } { print }' |
        "$szilard" score -m "$1" --ids | "$json_get" pos,surprisal_nats |
        awk -v from="$4" -v n="$3" '$1 >= from && $1 < n { print $2 }'
}
# figures < SURPRISALS: count, mean, perplexity and their standard errors
figures() {
    awk '{ n++; s += $1; q += $1 * $1 } END {
        m = s / n; e = sqrt((q / n - m * m) / (n - 1))
        printf "%d %.9g %.9g %.9g %.9g\n", n, m, e, exp(m), e * exp(m) }'
}
# agree WHAT WANT: with what stands in `out`
agree() {
    local want=($2)
    same "$1: tokens scored" "$("$json_get" tokens_scored < out)" "${want[0]}"
    near "$1: nats" "$("$json_get" nats_per_token < out)" "${want[1]}" 1e-7
    near "$1: error of nats" "$("$json_get" nats_per_token_stderr < out)" "${want[2]}" 1e-7
    near "$1: perplexity" "$("$json_get" perplexity < out)" "${want[3]}" 1e-4
    near "$1: error of perplexity" "$("$json_get" perplexity_stderr < out)" "${want[4]}" 1e-4
}

n=$("$szilard" tokenize -m t.gguf text | wc -w)
c=100 half=50

# Whole windows, the second half of each; what is left at the end is not scored.
for chunk in 512 7; do
    "$szilard" perplexity -m t.gguf -c $c --chunk $chunk --json text > out
    agree "windows, chunk $chunk" "$(for ((i = 0; i + c <= n; i += c)); do
        surprisals t.gguf $i $c $((half + 1))
    done | figures)"
done
same "account" "$("$json_get" tokens,context,windows,all < out)" "$n $c $((n / c)) false"

# Begin-of-text takes the place of each window's first token.
"$szilard" perplexity -m bos.gguf -c $c --json text > out
agree "begin-of-text" "$(for ((i = 0; i + c <= n + 1; i += c)); do
    surprisals bos.gguf $i $c $((half + 1)) 276
done | figures)"

# --all: windows overlap by half; every token but the first is scored once.
"$szilard" perplexity -m t.gguf -c $c --all --json text > out
agree "all" "$(surprisals t.gguf 0 $c 1 > by_hand
    for ((i = half; i + half < n; i += half)); do
        surprisals t.gguf $i $((n - i < c ? n - i : c)) $half
    done >> by_hand
    figures < by_hand)"
same "all tokens but one" "$("$json_get" tokens_scored < out)" $((n - 1))
"$szilard" perplexity -m bos.gguf -c $c --all --json text > out
same "with begin-of-text all" "$("$json_get" tokens_scored,bytes_scored < out)" "$n $(wc -c < text)"

# One window for everything: the records of the whole text.
head -12 text > part
"$szilard" perplexity -m bos.gguf -c 256 --all --json part > out
agree "one window" "$("$szilard" score -m bos.gguf part | "$json_get" surprisal_nats | grep -v null |
    figures)"
near "bits per byte" "$("$json_get" bits_per_byte < out)" \
    "$("$json_get" nats < out | awk -v bytes="$(wc -c < part)" '{ printf "%.9f\n", $1 / log(2) / bytes }')" 1e-6
"$szilard" score --total -m bos.gguf -c 256 --all --json part > total
drop_speed() { sed 's/,"tokens_per_s.*//' "$1"; }
same "score --total" "$(drop_speed total)" "$(drop_speed out)"
"$szilard" tokenize -m bos.gguf --special --json part > ids
"$szilard" perplexity -m bos.gguf -c 256 --all --ids --json < ids > total
same "ids" "$(drop_speed total)" "$(drop_speed out)"
[ "$("$json_get" tokens_per_s < out | cut -c1)" != 0 ] || fail "no speed"

# A text shorter than a window is one window.
"$szilard" perplexity -m t.gguf --json part > out
m=$("$szilard" tokenize -m t.gguf part | wc -w)
same "short text" "$("$json_get" context,windows,tokens_scored < out)" "$m 1 $((m - m / 2 - 1))"
exits "text" 0 "$szilard" perplexity -m t.gguf part
has "text" "$(cat out)" "perplexity  "
has "text" "$(cat out)" "$((m - m / 2 - 1)) scored of $m, 1 window of $m"
printf 'abc' > three
printf 'ab' > two
printf 'a' > one
same "three tokens" "$("$szilard" perplexity -m t.gguf --json three | "$json_get" tokens_scored,perplexity_stderr)" "1 0"
same "two tokens" "$("$szilard" perplexity -m t.gguf --all --json two | "$json_get" tokens_scored)" 1

: > empty
refused 1 "two: 2 tokens" "$szilard" perplexity -m t.gguf two
refused 1 "one: 1 token:" "$szilard" perplexity -m t.gguf --all one
refused 1 "nothing to score" "$szilard" perplexity -m t.gguf empty
refused 1 "none.txt" "$szilard" perplexity -m t.gguf none.txt
refused 2 "no model given" "$szilard" perplexity text
refused 2 "--context takes a whole number" "$szilard" perplexity -m t.gguf -c 2 text
exits "beyond the training" 0 "$szilard" perplexity -m t.gguf -c 300 text
has "beyond the training" "$(cat err)" "more than the 256 that the file allows"
finish
