# `szilard measure layers`: every layer is measured, chunks and threads change nothing, and the
# figure is drawn.
. "$(dirname "$0")/lib.sh"
cd "$work" || exit 1
export LC_ALL=C
"$make_tiny_model" t.gguf type=Q8_0 no_template || exit 1
printf 'the cat and the hat, in a ring of iron; the ring of the cat is iron and the hat is not' > text
layers() { "$szilard" measure layers -m t.gguf "$@"; }

layers --json text > whole || fail "exit status $?"
n_layers=$("$szilard" info t.gguf --json | "$json_get" n_layer whole)
[ -n "$n_layers" ] && [ "$n_layers" != - ] || n_layers=$(grep -o '"layer":' whole | wc -l)
same "layers" "$(grep -o '"layer":' whole | wc -l)" "$n_layers"
[ "$n_layers" -ge 2 ] || fail "only $n_layers layers"
tokens=$("$json_get" tokens whole < whole)
for what in "--chunk 1" "--chunk 7" "-t 1" "-t 3"; do
    layers --json $what text > other
    same_files "$what" whole other
done
SZILARD_ISA=portable layers --json text > other
same_files "portable" whole other

# What the figures cannot exceed: the logarithm of the number of states.
awk -v n="$tokens" -v dse="$("$json_get" layers.0.dse_bits whole < whole)" \
    -v rank="$("$json_get" layers.0.effective_rank whole < whole)" \
    'BEGIN { exit !(dse > 0 && dse <= log(n) / log(2) + 1e-9 && rank >= 1 && rank <= n) }' ||
    fail "figures out of their bounds: $(cat whole)"
same "nats and bits" "$(layers --json --unit nat text | "$json_get" layers.1.dse_nats whole | awk '{ printf "%.6f", $1 / log(2) }')" \
    "$("$json_get" layers.1.dse_bits whole < whole | awk '{ printf "%.6f", $1 }')"
same "few tokens" "$(layers --json --tokens 5 text | "$json_get" tokens whole)" 5
has "table" "$(layers text)" "effective rank"

layers --plot layers.svg text > /dev/null || fail "no plot"
has "plot" "$(head -1 layers.svg)" "<svg"
same "plot's end" "$(tail -1 layers.svg)" "</svg>"
same "lines" "$(grep -c 'class="line".*L' layers.svg)" 2
printf 'a' > one
refused 1 "spread" layers one
refused 2 "--tokens" layers --tokens 1 text
refused 1 "no-folder" layers --plot no-folder/x.svg text
finish
