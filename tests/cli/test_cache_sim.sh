# The command 'bench cache-sim': traces of every form, bits, bounds, and what it refuses.
. "$(dirname "$0")/lib.sh"
printf '1\n2\n3\n4\n1\n2\n5\n1\n2\n3\n4\n5\n' > "$work/anomaly"
same "FIFO with 3 pages" "$("$szilard" cache-sim "$work/anomaly" -k 3 --policies fifo --json | "$json_get" 0.policies.0.misses)" 9
same "FIFO with 4 pages" "$("$szilard" bench cache-sim "$work/anomaly" -k 4 --policies fifo --json | "$json_get" 0.policies.0.misses)" 10
same "sizes" "$("$szilard" cache-sim "$work/anomaly" -k 3,4 --policies lru --json | "$json_get" 1.size)" 4
# words as ids, a header, bits, comments
printf 'page,bit\n# all are safe\na,1\nb,1\na,1\nc,1\n' > "$work/words.csv"
same "words" "$("$szilard" cache-sim "$work/words.csv" -k 2 --policies flush0 --json | "$json_get" 0.policies.0.misses)" 3
printf '\1\0\0\0\0\0\0\0\2\0\0\0\0\0\0\0\1\0\0\0\0\0\0\0' > "$work/trace.u64"
same "numbers" "$("$szilard" cache-sim "$work/trace.u64" -k 1 --policies lru --json | "$json_get" 0.policies.0.misses)" 3
same "nothing" "$(printf '' | "$szilard" cache-sim - -k 1 --policies lru,belady --json | "$json_get" 0.policies.1.misses)" 0
# true bits cost no more than the optimum; exact means
seq 1 400 | awk '{ print ($1 * $1 + int($1 / 7)) % 23 }' > "$work/trace"
"$szilard" cache-sim "$work/trace" -k 5 --bits oracle --policies flush0,mark0,marker --expected --json > "$work/out"
same "true bits" "$("$json_get" 0.policies.0.misses < "$work/out")" "$("$json_get" 0.optimum < "$work/out")"
same "true bits, by chance" "$("$json_get" 0.policies.1.misses < "$work/out")" "$("$json_get" 0.optimum < "$work/out")"
"$szilard" cache-sim "$work/trace" -k 5 --bits oracle:flip=0.2 --seed 3 --json > "$work/a"
"$szilard" cache-sim "$work/trace" -k 5 --bits oracle:flip=0.2 --seed 3 --json > "$work/b"
cmp "$work/a" "$work/b" || fail "the same seed gives other figures"
has "a table" "$("$szilard" cache-sim "$work/trace" -k 5 --bits oracle)" "bounds: flush0"
"$szilard" cache-sim "$work/trace" -k 2,4,8 --plot "$work/out.svg" > "$work/out"
has "a figure" "$(cat "$work/out.svg")" "belady"
# what is wrong is named
printf '1 0\n2 2\n' > "$work/bits"
printf 'page,size\n1,16\n2,32\n' > "$work/sizes.csv"
printf '0\n1\n' > "$work/short"
refused 1 "line 2: the bit is 0 or 1, not '2'" "$szilard" cache-sim "$work/bits" -k 1
refused 1 "line 3: a page of size 32" "$szilard" cache-sim "$work/sizes.csv" -k 1
refused 1 "2 bits for 400 requests" "$szilard" cache-sim "$work/trace" -k 1 --bits "$work/short"
refused 2 "it needs --size" "$szilard" cache-sim "$work/trace"
refused 2 "--size" "$szilard" cache-sim "$work/trace" -k 0
refused 2 "there is no policy 'lifo'" "$szilard" cache-sim "$work/trace" -k 1 --policies lifo
refused 2 "marker draws" "$szilard" cache-sim "$work/trace" -k 1 --policies marker
head -c 20 "$work/trace.u64" > "$work/cut.u64"
refused 1 "are no 64-bit numbers" "$szilard" cache-sim "$work/cut.u64" -k 1
