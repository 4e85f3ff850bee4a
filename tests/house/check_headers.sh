#!/bin/sh
# Every public header compiles alone, as strict C17 and as C++; no installed header needs src/.
# usage: check_headers.sh CHECKOUT CC CXX
set -eu
include=$1/include cc=$2 cxx=$3
for header in szilard.h $(cd "$include" && ls szilard/unstable/*.h); do
    echo "#include <$header>" |
        "$cc" -std=c17 -pedantic-errors -Wall -Wextra -Werror -I "$include" -fsyntax-only -xc -
    command -v "$cxx" > /dev/null || continue
    echo "#include <$header>" |
        "$cxx" -std=c++11 -pedantic-errors -Wall -Wextra -Werror -I "$include" -fsyntax-only -xc++ -
done
lines=$(wc -l < "$include/szilard.h")
[ "$lines" -le 300 ] || { echo "szilard.h has $lines lines; 300 is the most" && exit 1; }
