# `szilard zip` and `unzip` with the byte engine: files, pipes, options, refusals, damage, signals.
. "$(dirname "$0")/lib.sh"
cd "$work" || exit 1
export LC_ALL=C
for i in $(seq 300); do echo "line $i of a text about entropy, which is a measure of $((i % 7))"; done > text
head -c 20000 /dev/urandom > random
printf x > one
: > empty
head -c 3000 /dev/zero > zeros
cp -- text -dash

# ---- Files --------------------------------------------------------------------------------------
for f in text random one empty zeros; do
    cp $f $f.kept
    exits "zip $f" 0 "$szilard" zip $f
    same_files "source of $f" $f $f.kept
    mv $f.slz $f.first
    exits "zip $f with threads" 0 "$szilard" zip -q -T 3 $f
    [ ! -s err ] || fail "zip -q speaks"
    same_files "threads" $f.slz $f.first
    exits "test $f" 0 "$szilard" zip --test $f.slz
    rm $f
    exits "unzip $f" 0 "$szilard" unzip $f.slz
    same_files "round trip of $f" $f $f.kept
    "$szilard" zip < $f > piped && "$szilard" zip -d < piped | cmp -s - $f || fail "pipes of $f"
    same_files "pipe of $f" piped $f.first
done
[ "$(wc -c < text.slz)" -lt 2000 ] || fail "text takes $(wc -c < text.slz) bytes"
[ "$(wc -c < random.slz)" -le 20100 ] || fail "random bytes grow by too much"
[ "$(wc -c < empty.slz)" -le 17 ] || fail "an empty file takes too much"

# ---- Options ------------------------------------------------------------------------------------
mkdir sub
cp text random sub
exits "several files" 0 "$szilard" zip sub/text sub/random
exits "names" 0 "$szilard" unzip -o copy text.slz
same_files "named result" copy text
exits "to standard output" 0 "$szilard" unzip -c text.slz random.slz
cat text random > both
same_files "several to standard output" out both
exits "after --" 0 "$szilard" zip -- -dash
exits "unzip after --" 0 "$szilard" unzip -f -- -dash.slz
exits "rm" 0 "$szilard" zip --rm -f sub/text sub/random
[ ! -e sub/text ] && [ ! -e sub/random ] || fail "--rm keeps sources"
chmod 640 text
touch -d 2001-02-03 text
exits "force" 0 "$szilard" zip -f text
same "permissions and time" "$(stat -c '%a %Y' text.slz)" "$(stat -c '%a %Y' text)"
exits "all processors" 0 "$szilard" zip -q -T 0 -f text
exits "json" 0 "$szilard" zip -f --json text
same "json" "$("$json_get" file,to,engine,bytes,segments < out)" "text text.slz bytes $(wc -c < text) 1"
exits "list" 0 "$szilard" zip --list text.slz empty.slz
same "list" "$(awk 'NR == 2 { print $1, $2, $4, $6 }' out)" "$(wc -c < text.slz) $(wc -c < text) bytes text.slz"
exits "list as json" 0 "$szilard" zip --list --json text.slz
same "list as json" "$("$json_get" compressed < out)" "$(wc -c < text.slz)"

# ---- A language model ---------------------------------------------------------------------------
"$make_tiny_model" t.gguf type=Q8_0 no_template || exit 1
"$make_tiny_model" other.gguf type=Q8_0 no_template seed=9 || exit 1
printf 'the cat and the hat, in a ring of iron\n\303\251 \377 done' > prose
for f in prose one empty random; do
    exits "model: zip $f" 0 "$szilard" zip -f -q -m t.gguf --context 64 $f
    mv $f.slz $f.first
    exits "model: zip $f with threads" 0 "$szilard" zip -f -q -m t.gguf --context 64 -T 3 $f
    same_files "model: threads" $f.slz $f.first
    exits "model: unzip $f" 0 "$szilard" unzip -f -T 2 -m t.gguf -o back $f.slz
    same_files "model: round trip of $f" back $f
done
SZILARD_ISA=portable exits "portable" 0 "$szilard" zip -f -q -m t.gguf --context 64 prose
same_files "model: instruction sets" prose.slz prose.first
for i in $(seq 30); do cat prose; done > longer
exits "model: longer" 0 "$szilard" zip -f -q -m t.gguf longer
exits "the file names its model" 0 "$szilard" unzip -c longer.slz
same_files "model: longer" out longer
refused 1 "another one" "$szilard" unzip -c -m other.gguf longer.slz
for n in 1 5 16; do
    exits "segments $n" 0 "$szilard" zip -q -m t.gguf --segments $n -o split.slz -f longer
    same "segments" "$("$szilard" zip --list --json split.slz | "$json_get" segments)" "$n"
    exits "segments: unzip" 0 "$szilard" unzip -c -T 2 split.slz
    same_files "segments: back" out longer
done
"$szilard" zip -f -q -m t.gguf --segments 2 --stats -o split.slz longer 2> err
has "the split's cost" "$(cat err)" "2 segments: the first 512 bytes"
refused 2 "from 1 to 16" "$szilard" zip -m t.gguf --segments 17 longer
exits "stats" 0 "$szilard" zip -f -q -m t.gguf --stats=page.html prose
has "stats" "$(cat err)" "dearest tokens"
has "stats" "$(cat err)" "with the model"
has "page" "$(cat page.html)" "</html>"
has "page" "$(cat page.html)" 'bits at 0">'
lacks "page" "$(cat page.html)" "http"
refused 2 "tells of tokens" "$szilard" zip --stats prose
(
    export HOME=$work XDG_CACHE_HOME=$work/cache SZ_MODEL_DIR=$work/none
    for f in text random one empty; do
        "$szilard" zip -q -f -m auto -o auto.slz $f && "$szilard" unzip -q -f -o back auto.slz
        cmp $f back || echo "auto fails on $f"
        "$szilard" zip -q -m auto < $f | "$szilard" unzip -q | cmp - $f
    done
) > auto.out 2>&1
same "auto" "$(cat auto.out)" ""
mkdir elsewhere && mv t.gguf elsewhere
refused 1 "needs the model t.gguf (SHA-256 $(sha256sum < elsewhere/t.gguf | cut -c 1-64))" "$szilard" unzip -c longer.slz
exits "list without the model" 0 "$szilard" zip --list longer.slz
has "list names the engine" "$(cat out)" " lm "
exits "random bytes need no model" 0 "$szilard" unzip -c random.slz
[ "$(wc -c < random.slz)" -le 20100 ] || fail "random bytes grow by too much with a model"
"$szilard" zip -f -q text random one empty

# ---- Refusals -----------------------------------------------------------------------------------
refused 1 "is there already" "$szilard" zip text
refused 1 "cannot open" "$szilard" zip nothing
refused 1 "is a folder" "$szilard" zip sub
refused 1 "does not end in .slz" "$szilard" unzip text
refused 1 "does not begin with SLZ1" "$szilard" unzip -f -o x text
refused 1 "replace its own source" "$szilard" zip -f -o text text
refused 1 "cannot create" "$szilard" zip -o no/such/folder text
refused 2 "names one result" "$szilard" zip -o x text random
refused 2 "--rm" "$szilard" zip --rm -c text
refused 2 "nothing is written" "$szilard" zip --test -o x text.slz
refused 1 "no model or file" "$szilard" zip -f -m nonsense text
[ ! -e x ] || fail "a refused file leaves something"
exits "one of three fails" 1 "$szilard" zip -f text nothing one
[ -e one.slz ] || fail "files after a failure are left out"
if [ -w /dev/full ]; then
    got=0
    "$szilard" zip < text > /dev/full 2> err || got=$?
    same "full disk" "$got" 1
    has "full disk" "$(cat err)" "No space left"
fi
if [ "$(id -u)" != 0 ]; then
    chmod 000 one
    refused 1 "cannot open" "$szilard" zip -f one
fi

# ---- Damage -------------------------------------------------------------------------------------
size=$(wc -c < text.slz)
for at in 0 4 5 8 12 20 $((size / 2)) $((size - 1)); do
    cp text.slz bad.slz
    byte=$(od -An -tu1 -j "$at" -N 1 text.slz)
    printf "\\$(printf %o $((byte ^ 16)))" | dd of=bad.slz bs=1 seek="$at" conv=notrunc 2> /dev/null
    exits "damage at $at" 1 "$szilard" unzip bad.slz
    [ ! -e bad ] || fail "a damaged file leaves a result"
done
cat text text > twice
"$szilard" zip -q -m kt twice && head -c $(($(wc -c < twice.slz) - 60)) twice.slz > part.slz
exits "keep-broken" 1 "$szilard" unzip --keep-broken part.slz
has "keep-broken" "$(cat err)" "part holds what comes before"
cmp -s -n "$(wc -c < part)" part twice || fail "what is kept is wrong"
rm part
exits "without keep-broken" 1 "$szilard" unzip part.slz
[ ! -e part ] || fail "a damaged file leaves a result"
refused 2 "for decompressing" "$szilard" zip --keep-broken text
head -c $((size - 1)) text.slz > cut.slz
refused 1 "cut off" "$szilard" zip --test cut.slz
cat text.slz one.slz > two.slz
refused 1 "goes on behind its end" "$szilard" unzip two.slz
same "no result of a cut file" "$(ls | grep -c '^two\.[^s]\|^cut\.[^s]\|^bad\.[^s]')" 0

# ---- Signals ------------------------------------------------------------------------------------
for i in $(seq 40); do cat text random; done > large
for signal in INT TERM KILL; do
    "$szilard" zip -q -o large.slz large &
    sleep 0.3
    kill -$signal $! 2> /dev/null
    wait $! 2> /dev/null
    [ ! -e large.slz ] || "$szilard" zip --test -q large.slz || fail "$signal leaves part of a file"
    [ "$signal" = KILL ] || same "$signal: what is left" "$(ls | grep -c '^large\.slz\.')" 0
    rm -f large.slz
    [ -s large ] || fail "$signal takes the source"
done
finish
