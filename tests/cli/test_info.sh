# `szilard info`: GGUF and safetensors files, and the machine.
. "$(dirname "$0")/lib.sh"
cd "$work" || exit 1
export LC_ALL=C
"$make_tiny_model" t.gguf type=Q8_0 add_bos || exit 1

"$szilard" info t.gguf --json > out
value() { "$json_get" "$1" whole < out; }
same "summary" "$(value format,version,architecture,runs,n_layer,n_embd,n_ff,n_head,n_head_kv,head_dim,n_ctx_train)" \
    "gguf 3 llama true 2 64 96 4 2 16 256"
same "size" "$(value file_bytes)" "$(wc -c < t.gguf)"
same "tokenizer" "$(value tokenizer.model,tokenizer.pre,tokenizer.n_vocab,tokenizer.bos,tokenizer.eos,tokenizer.add_bos)" \
    "gpt2 smollm 293 276 278 true"
same "template" "$(value chat_template)" true
# Embedding, final norm, and per layer two norms, four matrices of attention and three after it.
layer=$((2 * 64 + 2 * 64 * 64 + 2 * 64 * 32 + 3 * 64 * 96))
params=$((293 * 64 + 64 + 2 * layer)) floats=$((64 + 4 * 64))
same "parameters" "$(value n_params,n_tensors)" "$params 20"
same "bytes" "$(value tensor_bytes)" $(((params - floats) / 32 * 34 + 4 * floats))
same "types" "$(value types.F32.tensors,types.F32.params,types.Q8_0.tensors)" "5 $floats 15"
same "a tensor" "$(value tensors.0.name,tensors.0.type,tensors.0.shape.0,tensors.0.shape.1,tensors.0.bytes)" \
    "token_embd.weight Q8_0 293 64 $((293 * 64 / 32 * 34))"
has "arrays are shortened" "$(cat out)" '"tokenizer.ggml.tokens":{"n":293,"first":['
has "floats are short" "$(cat out)" '"llama.attention.layer_norm_rms_epsilon":1e-05'
"$szilard" info t.gguf --json --all > out
"$json_get" "" whole < out > /dev/null || fail "--all is not JSON"
lacks "--all" "$(cat out)" '"first"'

exits "text" 0 "$szilard" info t.gguf
has "text" "$(cat out)" "architecture   llama"
has "text" "$(cat out)" "begin 276 <|endoftext|> (put before every text)"
has "text" "$(cat out)" "tokenizer.ggml.token_type = [1, 1, 1, 1, 1, 1, 1, 1, ... 293 in all]"
lacks "text" "$(cat out)" "blk.0.attn_q.weight"
exits "tensors" 0 "$szilard" model info --tensors -m t.gguf
has "tensors" "$(tr -s ' ' < out)" "blk.0.attn_k.weight Q8_0 [32, 64] $((32 * 64 / 32 * 34))"

# Names of a file are foreign text: nothing of them reaches the terminal as a control sequence.
sed 's/Tiny random model/Tiny\x1b[31m\xc2\x9b\x07 mod\xff/' t.gguf > hostile.gguf
exits "hostile name" 0 "$szilard" info hostile.gguf
escapes out && fail "an escape sequence went through"
has "hostile name" "$(cat out)" 'Tiny\x1b[31m\x9b\x07 mod'
"$szilard" info hostile.gguf --json | "$json_get" name whole > /dev/null || fail "hostile name: not JSON"

# An architecture, a tokenizer that this build does not have.
sed 's/llama/ll4ma/g; s/smollm/sm0llm/' t.gguf > foreign.gguf
"$szilard" info foreign.gguf --json > out
same "foreign" "$(value architecture,runs,n_layer,tokenizer.usable)" "ll4ma false 2 false"
has "foreign" "$(value tokenizer.error)" "sm0llm"
exits "foreign" 0 "$szilard" info foreign.gguf
has "foreign" "$(cat out)" "not one that this build runs"
has "foreign" "$(cat out)" "cannot be used: "

# safetensors
header='{"__metadata__":{"format":"pt"},"a.weight":{"dtype":"F32","shape":[2,3],"data_offsets":[0,24]},"b":{"dtype":"BF16","shape":[],"data_offsets":[24,26]}}'
{
    printf "\\$(printf '%03o' ${#header})\0\0\0\0\0\0\0%s" "$header"
    head -c 26 /dev/zero
} > made.safetensors
"$szilard" info made.safetensors --json > out
same "safetensors" "$(value format,n_params,n_tensors,tensor_bytes,metadata.format,types.F32.bytes)" \
    "safetensors 7 2 26 pt 24"
same "its tensors" "$(value tensors.0.name,tensors.0.shape.1,tensors.1.type,tensors.1.shape)" "a.weight 3 BF16 0"
cp made.safetensors no_suffix
exits "by its contents" 0 "$szilard" info no_suffix --tensors
has "by its contents" "$(tr -s ' ' < out)" "a.weight F32 [2, 3] 24"
head -c 100 made.safetensors > cut.safetensors
refused 1 "cut.safetensors: " "$szilard" info cut.safetensors
head -c 3000 t.gguf > cut.gguf
refused 1 "cut.gguf: " "$szilard" info cut.gguf
echo nothing > junk
refused 1 "junk: not a GGUF file" "$szilard" info junk
: > empty
refused 1 "empty: " "$szilard" info empty
refused 1 "no model or file" "$szilard" info none.gguf
refused 2 "which model?" "$szilard" info
refused 2 "left over" "$szilard" info t.gguf t.gguf
refused 2 "not about a model" "$szilard" info --cpu t.gguf

# The machine
"$szilard" info --cpu --json > out
for key in processors available threads memory_bytes memory_available_bytes isa_available; do
    [ "$(value $key)" -ge 1 ] || fail "--cpu: $key is $(value $key)"
done
same "the best set" "$(value isa,isa_asked)" "$(value isa_available.0) null"
SZILARD_ISA=portable "$szilard" info --cpu --json > out
same "as asked" "$(value isa,isa_asked,products.Q4_1.isa,products.F16.arithmetic)" \
    "portable portable portable float"
exits "text" 0 env SZILARD_ISA=portable "$szilard" info --cpu
has "text" "$(cat out)" "portable, which SZILARD_ISA asks for"
refused 1 "instruction set 'none'" env SZILARD_ISA=none "$szilard" info --cpu
finish
