# `szilard serve` on a tiny model: starting, serving, draining, and what it refuses.
. "$(dirname "$0")/lib.sh"
export LC_ALL=C.UTF-8
command -v curl > /dev/null || exit 77
tiny=$work/tiny.gguf
"$make_tiny_model" "$tiny" ctx=2048 no_end || exit 1
server=

# start OPTION...: a server at a port of its own; $base is its address, $server its process.
start() {
    rm -f "$work/log" # what the one before told is not mistaken for its own
    "$szilard" serve -m "$tiny" --port 0 -t 1 "$@" 2> "$work/log" &
    server=$!
    until_true grep -qs "ready at" "$work/log" || { cat "$work/log" >&2; finish; }
    base=$(sed -n 's/.*ready at //p' "$work/log")
}
# stop SIGNAL: the server ends by itself; sets $status.
stop() {
    kill -"$1" "$server"
    status=0
    wait "$server" || status=$?
}
code() { curl -sk -o "$work/body" -w '%{http_code}' "$@"; }

start --name little
same "health" "$(curl -s "$base/health")" '{"status":"ok"}'
same "ready" "$(code "$base/ready")" 200
same "name" "$(curl -s "$base/v1/models" | "$json_get" data.0.id)" little
same "a text" "$(curl -s "$base/v1/completions" -d '{"prompt":"a","max_tokens":3,"seed":1}' |
    "$json_get" usage.completion_tokens)" 3
# The same draw as by the command: seed, samplers and their defaults are those of run.
text=$("$szilard" run -m "$tiny" --raw -p abc -n 20 --seed 9 -q | head -c 200)
curl -s "$base/v1/completions" -d '{"prompt":"abc","max_tokens":20,"seed":9}' > "$work/json"
same "the command's text" "$("$json_get" choices.0.text < "$work/json" | head -c 200)" "$text"

# A request that runs when the signal comes is answered.
curl -s "$base/v1/completions" -d '{"prompt":"a","max_tokens":1500,"seed":1,"szilard":false}' > "$work/last" &
last=$!
until_true sh -c "curl -s $base/metrics | grep -q 'jobs_total 3'" # the third that came
stop TERM
wait "$last"
same "draining" "$status $("$json_get" usage.completion_tokens < "$work/last")" "0 1500"
has "told" "$(cat "$work/log")" "shutting down"

# A second signal does not wait.
start
same "the file's name" "$(curl -s "$base/v1/models" | "$json_get" data.0.id)" tiny
curl -sN "$base/v1/completions" -d '{"prompt":"a","max_tokens":1900,"stream":true}' > "$work/last" &
last=$!
until_true sh -c "curl -s $base/metrics | grep -q 'jobs_total 1'"
kill -INT "$server"
stop INT
wait "$last" || true
same "a second signal" "$status" 0

# Keys and TLS.
echo secret > "$work/keys"
if command -v openssl > /dev/null &&
    openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=localhost -keyout "$work/key.pem" \
        -out "$work/cert.pem" 2> /dev/null; then
    start --api-key-file "$work/keys" --tls-cert "$work/cert.pem" --tls-key "$work/key.pem"
    has "https" "$base" "https://"
    same "no key" "$(code "$base/v1/models")" 401
    same "key" "$(code -H 'Authorization: Bearer secret' "$base/v1/models")" 200
    same "a stream over TLS" "$(curl -skN -H 'Authorization: Bearer secret' "$base/v1/completions" \
        -d '{"prompt":"a","max_tokens":3,"stream":true}' | tail -2 | head -1)" "data: [DONE]"
    stop TERM
fi

# What it refuses.
refused 2 "no model given" "$szilard" serve
refused 2 "go together" "$szilard" serve -m "$tiny" --tls-cert "$work/cert.pem"
refused 2 "--port" "$szilard" serve -m "$tiny" --port 70000
refused 1 "no key" "$szilard" serve -m "$tiny" --port 0 --api-key-file /dev/null
refused 1 "$work/absent" "$szilard" serve -m "$tiny" --port 0 --api-key-file "$work/absent"
refused 1 "cannot listen at 192.0.2.1" "$szilard" serve -m "$tiny" --port 0 --host 192.0.2.1
refused 1 "" "$szilard" serve -m "$work/absent.gguf" --port 0
finish
