# `szilard score` on the default model: exact figures, and the same bits in every setting.
# labels: model
. "$(dirname "$0")/lib.sh"
need_smollm2
reference=$(cd "$(dirname "$0")/../vectors" && pwd)/models.json
name=smollm2-135m-instruct-q4_1
cd "$work" || exit 1
export LC_ALL=C
of_reference() { "$json_get" "$1" whole < "$reference"; }

# Record p + 1 is about the distribution after token p, which the reference calls position p.
for text in multilingual code; do
    "$(dirname "$json_get")/check_reference" "$reference" $name $text > ids
    "$szilard" score -m "$model" --ids --top 8 ids > records || fail "$text: score"
    at=$name.$text.exact
    "$json_get" pos,surprisal_nats,entropy_nats,varentropy_nats2 < records > figures
    awk '$2 != "null" { s += $2; n++ } $3 != "null" { h += $3; v += $4; m++ } END {
        printf "%.6f %.6f %.6f %d %d\n", s / n, h / m, v / m, n, m }' figures > means
    read -r nll entropy varentropy n m < means
    same "$text: counts" "$n $m" "$(($(of_reference $name.$text.ids) - 1)) $(of_reference $name.$text.ids)"
    near "$text: mean negative log-likelihood" "$nll" "$(of_reference $at.mean_nll_nats)" 0.02
    near "$text: mean entropy" "$entropy" "$(of_reference $at.mean_entropy_nats)" 0.03
    near "$text: mean varentropy" "$varentropy" "$(of_reference $at.mean_varentropy_nats2)" 0.15
    agree=0 positions=$(of_reference $at.positions)
    for ((i = 0; i < positions; i++)); do
        p=$at.positions.$i
        read -r pos entropy top logprob <<< "$(of_reference "$p.pos,$p.entropy,$p.top.0.0,$p.top.0.1")"
        read -r ours_entropy ours_top ours_logprob <<< \
            "$(line $((pos + 2)) < records | "$json_get" entropy_nats,top.0.0,top.0.1)"
        near "$text: entropy after $pos" "$ours_entropy" "$entropy" 0.5
        [ "$ours_top" != "$top" ] || {
            agree=$((agree + 1))
            near "$text: log-probability after $pos" "$ours_logprob" "$logprob" 0.35
        }
    done
    [ $agree -ge $((positions * 9 / 10)) ] || fail "$text: $agree of $positions likeliest tokens agree"
done

# The text gives the reference's ids (which end after 200), and the same bits as they do.
of_reference $name.code.text > with_newline
head -c -1 with_newline > text
"$szilard" tokenize -m "$model" text > tokens
same "ids" "$(cut -d' ' -f1-200 tokens)" "$(tr -d '[],' < ids)"
hash=$("$szilard" score -m "$model" --hash text)
same "text and ids" "$hash" "$("$szilard" score -m "$model" --ids --hash tokens)"
t=0
for isa in $(isas "$model"); do
    [ "$isa" != portable ] || continue
    for chunk in 1 7 64 512; do
        t=$((t % 4 + 1))
        same "$isa, chunk $chunk, $t threads" "$hash" \
            "$(SZILARD_ISA=$isa "$szilard" score -m "$model" --hash --chunk $chunk -t $t text)"
    done
done
echo 504 3575 282 4649 314 7042 30 198 > few
same "portable" "$(SZILARD_ISA=portable "$szilard" score -m "$model" --ids --hash -t 2 few)" \
    "$("$szilard" score -m "$model" --ids --hash --chunk 3 few)"

# Perplexity of one window is that of its records.
"$szilard" perplexity -m "$model" --all --json text > total
near "perplexity" "$("$json_get" nats_per_token < total)" \
    "$("$szilard" score -m "$model" text | "$json_get" surprisal_nats |
        awk '$1 != "null" { s += $1; n++ } END { printf "%.9f", s / n }')" 1e-6
finish
