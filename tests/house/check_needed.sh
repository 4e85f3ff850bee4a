#!/bin/sh
# The core library needs libc and PCRE2, nothing else (libm's functions are not among them).
# usage: check_needed.sh LIBRARY
set -eu
others=$(LC_ALL=C readelf -d "$1" | sed -n 's/.*(NEEDED).*\[\(.*\)\]/\1/p' |
    grep -vE '^(libc|libpcre2-8|ld-linux[a-z0-9_-]*)\.so\.[0-9]+$' || :)
[ -z "$others" ] || { echo "$1 needs $others" && exit 1; }
