# `szilard tokenize` and `szilard detokenize` on tiny random models.
. "$(dirname "$0")/lib.sh"
cd "$work" || exit 1
export LC_ALL=C
"$make_tiny_model" t.gguf no_template || exit 1
"$make_tiny_model" bos.gguf add_bos no_template || exit 1

# Every byte, lines of several scripts, control tokens, nothing.
awk 'BEGIN { for (i = 0; i < 256; i++) printf "\\%03o", i }' | xargs -0 printf > bytes
printf 'the \303\251t\303\251\n\n  \344\270\255\346\226\207 \360\237\230\200 and ring\r\n\t' > text
printf '<|im_start|>user\nthe<|im_end|>\n' > talk
: > empty
same "bytes" "$(wc -c < bytes)" 256
for file in bytes text talk empty; do
    for options in "" "--special"; do
        for model in t bos; do
            "$szilard" tokenize -m $model.gguf $options $file > plain.ids
            "$szilard" tokenize -m $model.gguf $options --json $file > json.ids
            "$json_get" ids < json.ids > /dev/null || fail "$file: not JSON"
            for ids in plain.ids json.ids; do
                "$szilard" detokenize -m $model.gguf $ids > back
                same_files "$file, $options, $model, $ids" $file back
            done
        done
    done
done

same "ids" "$("$szilard" tokenize -m t.gguf talk | cut -d' ' -f1-3)" "60 124 105"
same "control tokens" "$("$szilard" tokenize -m t.gguf --special talk)" "277 117 115 260 10 116 257 278 10"
same "begin-of-text" "$("$szilard" tokenize -m bos.gguf --special talk)" \
    "276 277 117 115 260 10 116 257 278 10"
same "none without --special" "$(printf a | "$szilard" tokenize -m bos.gguf)" 97
same "pieces" "$(printf 'a\303' | "$szilard" tokenize -m t.gguf --json)" \
    "$(printf '{"ids":[97,195],"pieces":["a","\357\277\275"],"bytes":[null,[195]]}')"
same "nothing" "$("$szilard" tokenize -m t.gguf --json empty)" '{"ids":[],"pieces":[]}'
same "tree form" "$(printf a | "$szilard" tokens encode -m t.gguf)" 97

same "an array" "$(echo '[258, 272]' | "$szilard" detokenize -m t.gguf)" " the and"
same "words" "$(printf '258\n 272,\t33\n' | "$szilard" tokens decode -m t.gguf -)" " the and!"
same "a begin-of-text that the file would not add" "$(echo 276 97 | "$szilard" detokenize -m t.gguf)" \
    "<|endoftext|>a"
same "as JSON" "$(echo 97 34 195 | "$szilard" detokenize -m t.gguf --json)" \
    "$(printf '{"text":"a\\"\357\277\275","bytes":[97,34,195]}')"
same "as JSON" "$(echo 195 169 | "$szilard" detokenize -m t.gguf --json)" \
    "$(printf '{"text":"\303\251"}')"
same "no newline is added" "$(echo 97 | "$szilard" detokenize -m t.gguf | wc -c)" 1
same "nothing in, nothing out" "$("$szilard" detokenize -m t.gguf empty | wc -c)" 0

bad() { # PART IDS: refused with that in the message
    printf '%s' "$2" > ids
    refused 1 "$1" "$szilard" detokenize -m t.gguf ids
}
bad "ids: id 293 at position 1 is not in the vocabulary of 293 tokens" '1 293'
bad "ids: id -1 at position 0" '[-1]'
bad "ids: '-1' at position 0 is not a token id" '-1'
bad "ids: 'x7' at position 2 is not a token id" '1 2 x7'
bad "ids: id 99999999999 at position 0" '[99999999999]'
bad "ids: '99999999999999999999' at position 0" '99999999999999999999'
bad "ids: the element at position 1 is not a whole number" '[1, 2.5]'
bad "ids: the element at position 0 is not a whole number" '[[1]]'
bad "ids: neither an array of ids nor an object" '{"id": [1]}'
bad "ids: JSON line 1, column" '[1, 2'
refused 1 "none" "$szilard" detokenize -m t.gguf none
refused 2 "left over" "$szilard" detokenize -m t.gguf ids ids
refused 2 "no model given" "$szilard" detokenize ids
refused 2 "no model given" "$szilard" tokenize text
refused 1 "text: " "$szilard" tokenize -m text text
status=0
echo 97 | "$szilard" detokenize -m t.gguf > /dev/full 2> err || status=$?
same "full disk" "$status" 1
has "full disk" "$(cat err)" "No space left"
finish
