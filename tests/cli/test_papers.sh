# `szilard papers`: the list, and every reproduction in its short form.
. "$(dirname "$0")/lib.sh"

exits "list" 0 "$szilard" papers
same "papers" "$(grep -c . "$work/out")" 51
exits "JSON" 0 "$szilard" papers list --json
same "titles" "$("$json_get" 0.title whole < "$work/out")" "Information core"
exits "show" 0 "$szilard" papers show 1
has "show" "$(cat "$work/out")" "Top-H"
exits "unknown" 1 "$szilard" papers run 99
has "unknown" "$(cat "$work/err")" "papers list"
exits "no number" 2 "$szilard" papers run
exits "smoke" 0 "$szilard" papers run all --smoke
lacks "smoke" "$(cat "$work/out")" "MISS"
cp "$work/out" "$work/first"
exits "rows" 0 "$szilard" papers run 00 --smoke --json
same "passed" "$("$json_get" passed < "$work/out" | sort -u)" true
finish
