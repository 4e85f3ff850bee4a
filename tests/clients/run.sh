#!/bin/sh
# Client packages against the server with the default model. They are installed into a folder of their
# own below the user's cache, by pip.
# usage: tests/clients/run.sh SZILARD [PYTHON]
set -eu
szilard=$1
here=$(cd "$(dirname "$0")" && pwd)
cache=${XDG_CACHE_HOME:-$HOME/.cache}/szilard/clients
python=${2:-$cache/bin/python}
if [ ! -x "$python" ]; then
    python3 -m venv "$cache"
    "$cache/bin/pip" install -q openai anthropic ollama
fi
log=$(mktemp)
"$szilard" serve -m smollm2 --port 0 2> "$log" &
server=$!
trap 'kill $server 2> /dev/null; rm -f "$log"' EXIT
for _ in $(seq 100); do
    base=$(sed -n 's/.*ready at //p' "$log")
    [ -z "$base" ] || break
    sleep 0.1
done
[ -n "$base" ] || { cat "$log" >&2; exit 1; }
"$python" "$here/test_openai.py" "$base" smollm2
"$python" "$here/test_others.py" "$base" smollm2
