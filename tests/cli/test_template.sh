# `szilard template`: the template of a tiny random model, and templates of files.
. "$(dirname "$0")/lib.sh"
cd "$work" || exit 1
export LC_ALL=C
"$make_tiny_model" t.gguf || exit 1
"$make_tiny_model" none.gguf no_template || exit 1
echo '[{"role":"system","content":"Be \u00e9."},{"role":"user","content":"a\n<b>"}]' > talk.json
echo '[{"type":"function","function":{"name":"look","parameters":{}}}]' > tools.json

printf '<|im_start|>system\nBe \303\251.<|im_end|>\n<|im_start|>user\na\n<b><|im_end|>\n' > want
"$szilard" template -m t.gguf --messages talk.json --no-generation-prompt > got
same_files "without the prompt for the answer" want got
printf '<|im_start|>assistant\n' >> want
"$szilard" template -m t.gguf --messages talk.json > got
same_files "rendered" want got
"$szilard" tokens template -m t.gguf --messages - < talk.json > got
same_files "tree form, standard input" want got

printf '{{ bos_token }}{%% for m in messages %%}[{{ m.role }}]{{ m.content }}{{ eos_token }}{%% endfor %%}{%% if tools %%}{{ tools[0].function.name }}{%% endif %%}{%% if add_generation_prompt %%}[assistant]{%% endif %%}\n' > t.jinja
same "a file" "$("$szilard" template --template t.jinja --messages talk.json; echo .)" \
    "$(printf '[system]Be \303\251.[user]a\n<b>[assistant].')"
same "its tokens" "$("$szilard" template --template t.jinja --bos '<s>' --eos '"/' --messages talk.json)" \
    "$(printf '<s>[system]Be \303\251."/[user]a\n<b>"/[assistant]')"
same "as JSON" "$("$szilard" template --template t.jinja --messages talk.json --json)" \
    "$(printf '{"prompt":"[system]Be \303\251.[user]a\\n<b>[assistant]"}')"
same "tools" "$("$szilard" template --template t.jinja --messages talk.json --tools tools.json --no-generation-prompt)" \
    "$(printf '[system]Be \303\251.[user]a\n<b>look')"
: > empty
same "an empty template" "$("$szilard" template --template empty --messages talk.json | wc -c)" 0

echo '[1, 2' > broken.json
echo '{"role":"user"}' > object.json
printf 'one\n{{ two' > broken.jinja
printf '{{ raise_exception("no such role") }}' > raise.jinja
refused 1 "broken.json: JSON line 2" "$szilard" template -m t.gguf --messages broken.json
refused 1 "object.json: not a JSON array" "$szilard" template -m t.gguf --messages object.json
refused 1 "talk.jsn" "$szilard" template -m t.gguf --messages talk.jsn
refused 1 "object.json: not a JSON array" \
    "$szilard" template -m t.gguf --messages talk.json --tools object.json
refused 1 "no usable tokenizer.chat_template" "$szilard" template -m none.gguf --messages talk.json
refused 1 "broken.jinja: " "$szilard" template --template broken.jinja --messages talk.json
refused 1 "line 2" "$szilard" template --template broken.jinja --messages talk.json
refused 1 "no such role" "$szilard" template --template raise.jinja --messages talk.json
refused 1 "none.jinja" "$szilard" template --template none.jinja --messages talk.json
refused 2 "no template" "$szilard" template --messages talk.json
refused 2 "no conversation" "$szilard" template -m t.gguf
refused 2 "exclude each other" "$szilard" template -m t.gguf --template t.jinja --messages talk.json
refused 2 "belong to --template" "$szilard" template -m t.gguf --bos x --messages talk.json
refused 2 "left over" "$szilard" template -m t.gguf talk.json
status=0
"$szilard" template -m t.gguf --messages talk.json > /dev/full 2> err || status=$?
same "full disk" "$status" 1
finish
