#!/bin/sh
# Installs into a folder and stands on it as a user does: the command, its man page and completion,
# and the programs of examples/ against the shared and against the static library by pkg-config.
# usage: check_install.sh CHECKOUT BUILD CC
set -eu
checkout=$1 build=$2 cc=$3
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
check() {
    "$@" || { echo "failed: $*" && exit 1; }
}

DESTDIR=$folder cmake --install "$build" --prefix /opt/szilard > "$folder/log"
prefix=$folder/opt/szilard
for file in bin/szilard include/szilard.h include/szilard/unstable/base.h \
    share/man/man1/szilard.1 share/bash-completion/completions/szilard; do
    check test -s "$prefix/$file"
done
check bash -n "$prefix/share/bash-completion/completions/szilard"
check grep -q '^\.TH SZILARD 1' "$prefix/share/man/man1/szilard.1"

pc=$(find "$prefix" -name szilard.pc)
export PKG_CONFIG_PATH="${pc%/*}"
lib=$(pkg-config --variable=libdir szilard)
check test "$(pkg-config --modversion szilard)" = "$("$prefix/bin/szilard" --version | grep -oE '[0-9.]+$')"
check test -e "$lib/libszilard.so.0"

"$build/make_tiny_model" "$folder/tiny.gguf"
for way in shared static; do
    if [ $way = shared ]; then
        libs=$(pkg-config --cflags --libs szilard)
    else
        libs="$(pkg-config --cflags szilard) $lib/libszilard.a $(pkg-config --libs --static szilard |
            sed 's/-lszilard//')"
    fi
    for name in generate branch samplers; do
        "$cc" -std=c17 -pedantic-errors -Wall -Wextra -Werror "$checkout/examples/$name.c" \
            $libs -o "$folder/$name"
    done
    export LD_LIBRARY_PATH="$lib"
    "$folder/generate" "$folder/tiny.gguf" "Entropy is" > "$folder/$way.out"
    "$folder/branch" "$folder/tiny.gguf" "one or" " two" " three" >> "$folder/$way.out"
    "$folder/samplers" "top-k 3, temperature 0.5" >> "$folder/$way.out"
done
check grep -q '^[0-9]* tokens carried [0-9.]* nats$' "$folder/static.out"
check grep -q '^ three: [0-9.]* nats$' "$folder/static.out"
check grep -q '^temperature: ' "$folder/static.out"
check cmp "$folder/static.out" "$folder/shared.out"
check test -z "$(LC_ALL=C nm -D "$folder/generate" | grep -o 'sz_.*')" # the last one is static
