# `szilard score`: records, logits, hashes and refusals, on tiny random models.
. "$(dirname "$0")/lib.sh"
cd "$work" || exit 1
export LC_ALL=C
"$make_tiny_model" t.gguf type=Q8_0 no_template || exit 1
"$make_tiny_model" bos.gguf add_bos no_template || exit 1
printf 'the cat and the hat, in a ring of iron\n\303\251 \377 done' > text
"$szilard" tokenize -m t.gguf --json text > tokens.json
n=$("$json_get" ids whole < tokens.json)
vocab=$("$szilard" info t.gguf --json | "$json_get" tokenizer.n_vocab whole)

# ---- Records ------------------------------------------------------------------------------------
"$szilard" score -m t.gguf --top "$vocab" --json text > records
"$json_get" "" < records > /dev/null || fail "records are not JSON Lines"
same "number of lines" "$(wc -l < records)" $((n + 1))
same "first record" "$(head -1 records | "$json_get" pos,surprisal_nats,entropy_nats,varentropy_nats2,top,next)" \
    "0 null null null null -"
same "last record" "$(tail -1 records | "$json_get" pos,id,piece,surprisal_nats,next,top)" \
    "$n null null null true $vocab"
"$json_get" id < records | head -n "$n" | tr '\n' ',' | sed 's/.*/[&/; s/,$/]/' > ids
same "ids" "$(cat ids)" "$(sed 's/.*"ids":\(\[[^]]*\]\).*/\1/' tokens.json)"
same "a piece that is not UTF-8" "$(grep '"bytes"' records | "$json_get" bytes.0)" 255

# With the whole vocabulary in `top`: probabilities sum to one, their entropy and varentropy are
# those of the record, they fall, and the token's own is the surprisal.
sed 1d records | tr -d ']}' | sed 's/.*"id":\([a-z0-9]*\),.*"surprisal_nats":\([^,]*\),"entropy_nats":\([^,]*\),"varentropy_nats2":\([^,]*\),"top":\[*/\1 \2 \3 \4 /; s/,"next.*//; s/,*\[/ /g; s/,/ /g' > flat
awk -v vocab="$vocab" '
    function off(a, b) { return a > b ? a - b : b - a }
    {
        mass = h = h2 = 0; own = "null"; last = 1; lastid = -1
        if (NF != 4 + 2 * vocab) bad("fields " NF)
        for (i = 5; i < NF; i += 2) {
            lp = $(i + 1); p = exp(lp); mass += p; h -= p * lp; h2 += p * lp * lp
            if (lp > last || (lp == last && $i <= lastid)) bad("order")
            last = lp; lastid = $i
            if ($i == $1) own = -lp
        }
        if (off(mass, 1) > 1e-6) bad("mass " mass - 1)
        if (off(h, $3) > 4e-6) bad("entropy " h " " $3)
        if (off(h2 - h * h, $4) > 4e-5) bad("varentropy " h2 - h * h " " $4)
        if ($1 != "null" && off(own, $2) > 1e-12) bad("surprisal " own " " $2)
    }
    function bad(what) { print "line " NR ": " what; failed = 1 }
    END { exit failed || NR == 0 }' flat || fail "records do not agree with their own top lists"

"$szilard" score -m t.gguf --top 3 text > top3
same "top 3" "$("$json_get" top < top3 | sort | uniq -c | tr -s ' ' | tr '\n' ';')" " $n 3; 1 null;"
same "likeliest" "$("$json_get" top.0.0,top.2.1 < top3)" "$("$json_get" top.0.0,top.2.1 < records)"
"$szilard" score -m t.gguf text > plain
same "no top asked for" "$("$json_get" top < plain | sort -u | tr '\n' ' ')" "0 null "
"$json_get" surprisal_nats,entropy_nats < plain > a
"$json_get" surprisal_nats,entropy_nats < records > b
same_files "records with and without top" a b

# ---- Input --------------------------------------------------------------------------------------
"$szilard" score -m t.gguf --ids ids > by_ids
same_files "ids in place of text" plain by_ids
"$szilard" score -m t.gguf --ids < tokens.json > by_ids
same_files "what tokenize printed in place of text" plain by_ids
"$szilard" score -m t.gguf - < text > by_stdin
same_files "standard input" plain by_stdin
"$szilard" score -m bos.gguf text > with_bos
same "begin-of-text" "$("$json_get" id < with_bos | head -1)" 276
same "begin-of-text counts" "$(wc -l < with_bos)" $((n + 2))
same "ids get none" "$("$szilard" score -m bos.gguf --ids ids | wc -l)" $((n + 1))
printf '<|im_end|>' > control
same "control tokens are text" "$("$szilard" score -m t.gguf control | "$json_get" id | head -1)" 60
same "unless asked for" "$("$szilard" score -m t.gguf --special control | "$json_get" id | head -1)" 278

# ---- The same bits, and logits ------------------------------------------------------------------
"$szilard" score -m t.gguf --logits logits.npy text > with_logits
same_files "records beside logits" plain with_logits
same "files" "$(ls logits.npy*)" logits.npy
tail -c $((4 * n * vocab)) logits.npy > payload
same "size of the header" $(($(wc -c < logits.npy) - 4 * n * vocab)) 128
same "header" "$(head -c 128 logits.npy | tail -c +11 | tr -s ' \n' '  ')" \
    "{'descr': '<f4', 'fortran_order': False, 'shape': ($n, $vocab), } "
"$szilard" score -m t.gguf --hash text > hash
same "hash" "$(cat hash)" "$(sha256sum < payload | cut -d' ' -f1)"
same "hash beside logits" "$("$szilard" score -m t.gguf --hash --logits again.npy text)" "$(cat hash)"
same_files "logits beside a hash" logits.npy again.npy

# Row i of the logits gives the entropy of record i + 1.
od -An -v -t f4 -w$((4 * vocab)) payload | awk '{
    m = $1; for (i = 2; i <= NF; i++) if ($i > m) m = $i
    s = e = 0; for (i = 1; i <= NF; i++) { w = exp($i - m); s += w; e += w * ($i - m) }
    print log(s) - e / s }' > from_logits
"$json_get" entropy_nats < plain | sed 1d | paste - from_logits |
    awk '{ d = $1 - $2; if (d > 1e-5 || d < -1e-5) bad = 1 } END { exit bad || NR == 0 }' ||
    fail "entropies do not follow from the logits"

sets=$(isas t.gguf)
t=0
for isa in $sets; do
    for chunk in 1 7 64 512; do
        t=$((t % 4 + 1))
        SZILARD_ISA=$isa "$szilard" score -m t.gguf --hash --json --chunk $chunk -t $t text > out
        same "hash on $isa, chunk $chunk, $t threads" "$("$json_get" sha256 < out)" "$(cat hash)"
        same "threads" "$("$json_get" isa,threads,tokens,vocabulary < out)" "$isa $t $n $vocab"
        for other in $sets; do
            products=$("$json_get" "products.$other" < out)
            if [ "$other" = "$isa" ]; then
                [ "$products" -gt 0 ] || fail "no product with $isa"
            else
                same "products with $other" "$products" 0
            fi
        done
    done
    SZILARD_ISA=$isa "$szilard" score -m t.gguf --chunk 3 --top 5 text > chunked
    "$szilard" score -m t.gguf --top 5 text > whole
    same_files "records on $isa in chunks" chunked whole
done
kinds=$(for kv in f16 f32 q8_0; do "$szilard" score -m t.gguf --hash --kv-type $kv text; done)
same "hashes of three cache types" "$(echo "$kinds" | sort -u | wc -l)" 3
same "the model itself is measured: 32 bits are the default" "$(echo "$kinds" | line 2)" "$(cat hash)"

# ---- Refusals -----------------------------------------------------------------------------------
: > empty
echo '[1, 2, 9999]' > beyond
echo '[1, -2]' > negative
echo '[1, "two"]' > words
echo '[1, 2' > broken
yes '<' | head -450 > long
refused 2 "no model given" "$szilard" score text
refused 1 "no model or file 'none.gguf'" "$szilard" score -m none.gguf text
refused 1 "none.txt" "$szilard" score -m t.gguf none.txt
refused 2 "left over" "$szilard" score -m t.gguf text text
refused 2 "--top takes a whole number" "$szilard" score -m t.gguf --top x text
refused 2 "--top takes a whole number" "$szilard" score -m t.gguf --top -1 text
refused 2 "--chunk takes a whole number" "$szilard" score -m t.gguf --chunk 0 text
refused 2 "--kv-type takes one of f16, f32, q8_0" "$szilard" score -m t.gguf --kv-type f64 text
refused 2 "unrecognized option" "$szilard" score -m t.gguf --nothing text
refused 2 "--special is for text" "$szilard" score -m t.gguf --special --ids ids
refused 1 "nothing to score" "$szilard" score -m t.gguf empty
refused 1 "nothing to score" "$szilard" score -m t.gguf --ids empty
refused 1 "beyond: id 9999 at position 2" "$szilard" score -m t.gguf --ids beyond
refused 1 "negative: id -2 at position 1" "$szilard" score -m t.gguf --ids negative
refused 1 "words: the element at position 1" "$szilard" score -m t.gguf --ids words
refused 1 "broken: JSON line 2" "$szilard" score -m t.gguf --ids broken
refused 1 "'the' at position 0 is not a token id" "$szilard" score -m t.gguf --ids text
refused 1 "context of 256 (the file allows 256): give a longer one with -c 900" \
    "$szilard" score -m t.gguf --logits long.npy long
refused 1 "context of 8 " "$szilard" score -m t.gguf -c 8 text
refused 1 "none/x.npy" "$szilard" score -m t.gguf --hash --logits none/x.npy text
refused 1 "Is a directory" "$szilard" score -m t.gguf --hash --logits . text
refused 1 "no such isa" env SZILARD_ISA="no such isa" "$szilard" score -m t.gguf text
same "a longer context on request" "$("$szilard" score -m t.gguf -c 900 long 2> note | wc -l)" 901
grep -q "more than the 256 that the file allows" note || fail "no note on the context"
"$szilard" score --help | grep -q EXAMPLES || fail "no examples in --help"

# ---- Output that fails, and interruption --------------------------------------------------------
status=0
"$szilard" score -m t.gguf text > /dev/full 2> err || status=$?
same "exit status with a full disk" "$status" 1
has "full disk" "$(cat err)" "No space left"
refused 1 "No space left" "$szilard" score -m t.gguf --hash --logits /dev/full text
yes '<' | head -49000 > endless
"$szilard" score -m t.gguf -c 100000 --chunk 1 --logits gone.npy endless 2> err | head -1 > /dev/null
same "what is said when a reader goes away" "$(grep -v 'file allows' err)" ""
gone() { [ -z "$(ls gone.npy* 2> /dev/null)" ]; }
until_true gone

"$szilard" score -m t.gguf -c 100000 --chunk 1 --hash --logits half.npy endless > out 2> err &
pid=$!
under_way() { [ -n "$(ls half.npy.* 2> /dev/null)" ]; }
until_true under_way
kill -INT $pid
status=0
wait $pid || status=$?
same "exit status after Ctrl-C" "$status" 130
same "files after Ctrl-C" "$(ls half.npy* 2> /dev/null)" ""
[ ! -s out ] || fail "output after Ctrl-C"
finish
