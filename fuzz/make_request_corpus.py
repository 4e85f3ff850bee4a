#!/usr/bin/env python3
"""Writes fuzz/corpus/request: for each endpoint right requests, and members broken one by one.

usage: fuzz/make_request_corpus.py [FOLDER]; the order of PATHS is that of the POST routes in src/serve/routes.c
"""
import json, os, re, sys

here = os.path.dirname(os.path.abspath(__file__))
table = open(os.path.join(here, "..", "src", "serve", "routes.c")).read()
PATHS = re.findall(r'\{"POST", "([^"]+)"', table)

messages = [{"role": "developer", "content": "s"}, {"role": "user", "content": [{"type": "text", "text": "abc"}]},
            {"role": "assistant", "content": None, "tool_calls": [{"id": "1", "type": "function", "function": {"name": "f", "arguments": "{\"a\": [1, {\"b\": null}]}"}}]},
            {"role": "tool", "tool_call_id": "1", "content": "x"}, {"role": "user", "content": "b", "name": "me"}]
schema = {"type": "object", "properties": {"a": {"type": "integer"}}, "required": ["a"], "additionalProperties": False}
tool = {"type": "function", "function": {"name": "f", "description": "d", "parameters": schema}}
common = {"model": "tiny", "n": 2, "seed": 1, "max_tokens": 4, "stop": ["a", "b"], "stream": True, "temperature": 0.5, "top_p": 0.9, "top_k": 5,
          "min_p": 0.1, "typical_p": 0.9, "top_h": 0.5, "top_n_sigma": 1.5, "repeat_penalty": 1.1, "frequency_penalty": 0.1, "presence_penalty": 0.1,
          "repeat_last_n": -1, "logit_bias": {"5": -100, "6": 1.5}, "ignore_eos": True, "szilard": {"tokens": False, "alternatives": 3},
          "stream_options": {"include_usage": True}}
options = {"temperature": 0.5, "num_predict": 3, "stop": "x", "seed": 2}
right = {
    "/v1/chat/completions": [
        {"messages": messages, **common, "logprobs": True, "top_logprobs": 2, "tools": [tool], "chat_template_kwargs": {"enable_thinking": False}},
        {"messages": messages, "response_format": {"type": "json_schema", "json_schema": {"name": "n", "schema": schema}}, "szilard": False},
        {"messages": messages, "response_format": {"type": "json_object"}, "szilard": True, "stop": "x"},
        {"messages": messages, "response_format": {"type": "text"}, "temperature": 0, "max_tokens": -1, "max_completion_tokens": 3},
        {"messages": messages, "sampler": "temperature 1.2, top-h 0.4", "logit_bias": {"7": -2}, "grammar": "root ::= [a-z]+"},
        {"messages": messages, "regex": "[a-z]+", "top_k": 0}, {"messages": messages, "json_schema": schema}],
    "/v1/completions": [
        {"prompt": "abc", **common, "echo": True, "logprobs": 3, "best_of": 2}, {"prompt": ["a", "b"], "logprobs": True}, {"prompt": [5, 6, 7], "logprobs": False},
        {"prompt": [[1, 2], [3]], "max_tokens": 0, "echo": True}, {"prompt": "a", "suffix": "b"}, {"prompt": ""}, {"prompt": "x " * 300}],
    "/v1/embeddings": [{"input": "a", "encoding_format": "base64", "dimensions": 4, "pooling": "last"}, {"input": ["a", [5]], "pooling": "mean"}],
    "/tokenize": [{"content": "h\u00e9 <|im_start|>", "add_special": True, "parse_special": False, "with_pieces": True}, {"prompt": "a", "add_special_tokens": False}, {"messages": messages}, {"text": "\u00e9\u20ac", "with_pieces": True}],
    "/detokenize": [{"tokens": [5, 6, 7, 280], "special": False}, {"tokens": []}],
    "/apply-template": [{"messages": messages, "tools": [tool], "add_generation_prompt": False}],
    "/v1/messages": [
        {"system": [{"type": "text", "text": "s"}], "max_tokens": 4, "stop_sequences": ["x"], "stream": True, "tools": [{"name": "f", "description": "d", "input_schema": schema}],
         "messages": [{"role": "user", "content": "a"}, {"role": "assistant", "content": [{"type": "thinking", "thinking": "t"}, {"type": "text", "text": "b"}, {"type": "tool_use", "id": "1", "name": "f", "input": {"a": 1}}]},
                      {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "1", "content": [{"type": "text", "text": "r"}]}]}]},
        {"system": "s", "max_tokens": 4, "messages": [{"role": "user", "content": "a"}]}],
    "/v1/responses": [
        {"input": "a", "instructions": "s", "max_output_tokens": 4, "stream": True, "text": {"format": {"type": "json_object"}}, "tools": [{"type": "function", "name": "f", "parameters": schema}, {"type": "web_search"}]},
        {"input": [{"role": "user", "content": "a"}, {"type": "function_call", "call_id": "1", "name": "f", "arguments": "{}"}, {"type": "function_call_output", "call_id": "1", "output": "r"},
                   {"type": "message", "role": "user", "content": [{"type": "input_text", "text": "b"}]}]}],
    "/api/chat": [{"messages": messages, "options": options, "format": "json", "think": True, "stream": False}, {"messages": messages, "format": schema, "model": "tiny:latest"}],
    "/api/generate": [{"prompt": "a", "system": "s", "options": options}, {"prompt": "a", "raw": True, "stream": False}],
    "/api/embed": [{"input": ["a", "b"]}],
    "/infill": [{"input_prefix": "a", "input_suffix": "b", "prompt": "c", "n_predict": 3}],
}
values = [None, True, -1, 1.5, 1e300, "x", "", [], {}, [1], [""], ["\u0000"], {"a": 1}, [[]], [None], 99999999999]
folder = sys.argv[1] if len(sys.argv) > 1 else os.path.join(here, "corpus", "request")
os.makedirs(folder, exist_ok=True)


def write(name, path, body):
    body = body if isinstance(body, bytes) else json.dumps(body).encode()
    with open(os.path.join(folder, name), "wb") as file:
        file.write(bytes([PATHS.index(path)]) + body)


for path, bodies in right.items():
    stem = path.strip("/").replace("/", "_")
    for i, body in enumerate(bodies):
        write(f"{stem}_{i}", path, body)
    for k, (key, _) in enumerate(sorted(bodies[0].items())):
        write(f"{stem}_{key}", path, {**bodies[0], key: values[k % len(values)]})
chat = right["/v1/chat/completions"][0]
for i, value in enumerate(values):
    write(f"messages_{i}", "/v1/chat/completions", {"messages": value})
    write(f"content_{i}", "/v1/chat/completions", {"messages": [{"role": "user", "content": value}]})
    write(f"prompt_{i}", "/v1/completions", {"prompt": value})
    write(f"stop_{i}", "/v1/completions", {"prompt": "a", "stop": value})
    write(f"format_{i}", "/v1/chat/completions", {"messages": messages, "response_format": value})
    write(f"format_type_{i}", "/v1/chat/completions", {"messages": messages, "response_format": {"type": "json_schema", "schema": value}})
    write(f"szilard_{i}", "/v1/completions", {"prompt": "a", "szilard": value})
    write(f"bias_{i}", "/v1/completions", {"prompt": "a", "logit_bias": {"1": value}})
must = {"type": "function", "function": {"name": "f"}}
for i, choice in enumerate(["auto", "none", "required", "other", must, {"type": "function", "function": {"name": "g"}}, 3]):
    write(f"tool_choice_{i}", "/v1/chat/completions", {"messages": messages, "tools": [tool, {"type": "function", "function": {"name": "g"}}], "tool_choice": choice})
write("tool_choice_alone", "/v1/chat/completions", {"messages": messages, "tool_choice": "required"})
write("tool_choice_flat", "/v1/responses", {"input": "a", "tools": [{"type": "function", "name": "f", "parameters": schema}], "tool_choice": {"type": "function", "name": "f"}})
write("tool_choice_any", "/v1/messages", {"max_tokens": 4, "messages": messages[1:2], "tools": [{"name": "f", "input_schema": schema}], "tool_choice": {"type": "any"}})
write("tool_choice_tool", "/v1/messages", {"max_tokens": 4, "messages": messages[1:2], "tools": [{"name": "f", "input_schema": schema}], "tool_choice": {"type": "tool", "name": "f"}})
write("stops", "/v1/completions", {"prompt": "a", "stop": ["x"] * 17})
write("model", "/v1/completions", {"prompt": "a", "model": "other"})
write("empty", "/v1/completions", b"")
write("cut", "/v1/completions", b'{"prompt": ')
write("array", "/v1/completions", b"[]")
write("twice", "/v1/completions", b'{"prompt": "a", "prompt": "b"}')
write("nul", "/v1/chat/completions", b'{"messages":[{"role":"user","content":"a\\u0000b"}]}')
