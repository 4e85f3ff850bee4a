# labels: model
# The gallery of docs/decoding.md is what the command prints.
. "$(dirname "$0")/lib.sh"
need_smollm2
export LC_ALL=C.UTF-8
root=$(dirname "$0")/../..
"$root/tools/gallery" "$szilard" "$model" > "$work/out" || fail "tools/gallery"
sed -n '/^<!-- gallery/,/^<!-- end of the gallery/p' "$root/docs/decoding.md" | sed '1d;$d' > "$work/page"
same "rows" "$(grep -c . "$work/page")" 10
same_files "the page" "$work/page" "$work/out"
finish
