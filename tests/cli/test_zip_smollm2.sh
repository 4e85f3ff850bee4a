# `szilard zip` with the default model: a quarter of the text, the same file in every setting.
# labels: model
. "$(dirname "$0")/lib.sh"
need_smollm2
text=$(cd "$(dirname "$0")/../../docs" && pwd)/bits.md
cd "$work" || exit 1
export LC_ALL=C
head -c 700 "$text" > prose
exits "zip" 0 "$szilard" zip -q -m smollm2 -T 1 -o one.slz prose
exits "zip, two threads" 0 "$szilard" zip -q -m smollm2 -T 2 -o two.slz prose
same_files "threads" one.slz two.slz
SZILARD_ISA=portable exits "zip, portable" 0 "$szilard" zip -q -m smollm2 -o portable.slz prose
same_files "instruction sets" one.slz portable.slz
exits "unzip" 0 "$szilard" unzip -q -T 2 -o back one.slz
same_files "round trip" prose back
[ $(($(wc -c < one.slz) - 131)) -lt 260 ] || fail "$(wc -c < one.slz) bytes"
finish
