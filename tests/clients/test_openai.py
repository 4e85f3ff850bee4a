"""The server with the `openai` package: synchronous, asynchronous, streams, log-probabilities, tools,
structured answers, embeddings, responses, errors.

usage: test_openai.py BASE_URL MODEL
"""
import asyncio, json, sys
import openai

base, model = sys.argv[1], sys.argv[2]
client = openai.OpenAI(base_url=base + "/v1", api_key="none", max_retries=0)
ask = [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Name a colour."}]


def check(what, good):
    print(("ok  " if good else "FAILED  ") + what)
    if not good:
        sys.exit(1)


check("models", model in [m.id for m in client.models.list()])

check("one model", client.models.retrieve(model).id == model)

whole = client.chat.completions.create(model=model, messages=ask, max_tokens=24, seed=7, logprobs=True, top_logprobs=3)
text = whole.choices[0].message.content
check("chat", len(text) > 0 and whole.usage.completion_tokens <= 24)
check("finish", whole.choices[0].finish_reason in ("stop", "length"))
logprobs = whole.choices[0].logprobs.content
check("logprobs", "".join(t.token for t in logprobs) == text)
check("bytes", bytes(b for t in logprobs for b in t.bytes).decode() == text)
check("top_logprobs", all(len(t.top_logprobs) == 3 and t.logprob <= t.top_logprobs[0].logprob for t in logprobs))
check("szilard", abs(whole.choices[0].model_extra["szilard"]["tokens"][0]["surprisal_nats"] + logprobs[0].logprob) < 1e-6)

chunks = list(client.chat.completions.create(model=model, messages=ask, max_tokens=24, seed=7, stream=True,
                                             stream_options={"include_usage": True}))
check("stream", "".join(c.choices[0].delta.content or "" for c in chunks if c.choices) == text)
check("stream ends", [c.choices[0].finish_reason for c in chunks if c.choices][-1] == whole.choices[0].finish_reason)
check("stream usage", chunks[-1].usage.completion_tokens == whole.usage.completion_tokens)
plain = list(client.chat.completions.create(model=model, messages=ask, max_tokens=8, seed=7, stream=True))
check("every chunk has a choice", all(c.choices for c in plain))

many = client.chat.completions.create(model=model, messages=ask, max_tokens=12, seed=7, n=3, temperature=1.5)
check("n", [c.index for c in many.choices] == [0, 1, 2])
stopped = client.chat.completions.create(model=model, messages=ask, max_tokens=24, seed=7, stop=[text[3:6]])
check("stop", stopped.choices[0].message.content == text[: text.index(text[3:6])])

schema = {"type": "object", "properties": {"colour": {"type": "string", "maxLength": 12}, "warm": {"type": "boolean"}},
          "required": ["colour", "warm"], "additionalProperties": False}
answer = client.chat.completions.create(
    model=model, messages=ask, max_tokens=100, seed=1,
    response_format={"type": "json_schema", "json_schema": {"name": "colour", "schema": schema, "strict": True}})
value = json.loads(answer.choices[0].message.content)
check("json_schema", isinstance(value["colour"], str) and isinstance(value["warm"], bool))

# The default model's template knows no tools; a grammar makes it write a call all the same.
tools = [{"type": "function", "function": {"name": "paint", "parameters": {"type": "object", "properties": {"c": {"type": "string"}}}}}]
grammar = 'root ::= "<tool_call>\\n{\\"name\\": \\"paint\\", \\"arguments\\": {\\"c\\": \\"" [a-z]{3,8} "\\"}}\\n</tool_call>"'
called = client.chat.completions.create(model=model, messages=ask, tools=tools, seed=3, max_tokens=60, extra_body={"grammar": grammar})
call = called.choices[0].message.tool_calls[0]
check("tool call", call.function.name == "paint" and "c" in json.loads(call.function.arguments))
check("tool finish", called.choices[0].finish_reason == "tool_calls")
deltas = [c.choices[0] for c in client.chat.completions.create(model=model, messages=ask, tools=tools, seed=3, max_tokens=60,
                                                               stream=True, extra_body={"grammar": grammar})]
calls = [t for d in deltas for t in (d.delta.tool_calls or [])]
check("tool call in a stream", calls[0].function.arguments == call.function.arguments and deltas[-1].finish_reason == "tool_calls")
must = client.chat.completions.create(model=model, messages=ask, tools=tools, seed=3, max_tokens=80,
                                      tool_choice={"type": "function", "function": {"name": "paint"}})
check("tool_choice", must.choices[0].message.tool_calls[0].function.name == "paint")
again = ask + [called.choices[0].message.model_dump(exclude_none=True),
               {"role": "tool", "tool_call_id": call.id, "content": "done"}]
check("after a tool", client.chat.completions.create(model=model, messages=again, max_tokens=4).choices[0].finish_reason is not None)

old = client.completions.create(model=model, prompt="One, two, three,", max_tokens=4, temperature=0, logprobs=2, echo=True)
l = old.choices[0].logprobs
check("completions", old.choices[0].text.startswith("One, two, three,") and "".join(l.tokens) == old.choices[0].text)
check("arrays", len(l.tokens) == len(l.token_logprobs) == len(l.top_logprobs) == len(l.text_offset) and l.token_logprobs[0] is None)
streamed = "".join(c.choices[0].text for c in client.completions.create(model=model, prompt="One, two, three,", max_tokens=4, temperature=0, stream=True))
check("completions as a stream", old.choices[0].text.endswith(streamed) and streamed)

vectors = client.embeddings.create(model=model, input=["red", "blue"])
check("embeddings", len(vectors.data) == 2 and abs(sum(x * x for x in vectors.data[0].embedding) - 1) < 1e-4)

response = client.responses.create(model=model, instructions="Be brief.", input="Name a colour.", max_output_tokens=24, extra_body={"seed": 7})
check("responses", response.output_text == text)
events = list(client.responses.create(model=model, instructions="Be brief.", input="Name a colour.", max_output_tokens=24,
                                      stream=True, extra_body={"seed": 7}))
check("responses as a stream", "".join(e.delta for e in events if e.type == "response.output_text.delta") == text)
check("responses end", events[-1].response.output_text == text)

for error, arguments in ((openai.BadRequestError, {"temperature": -1}), (openai.NotFoundError, {"model": "nothing"})):
    try:
        client.chat.completions.create(**{"model": model, "messages": ask, **arguments})
        check("error", False)
    except error as e:
        check(f"error {e.status_code}", e.body["message"] and e.param in arguments)


async def together():
    many = openai.AsyncOpenAI(base_url=base + "/v1", api_key="none")
    answers = await asyncio.gather(*[many.chat.completions.create(model=model, messages=ask, max_tokens=24, seed=7) for _ in range(12)])
    check("asynchronous, together", {a.choices[0].message.content for a in answers} == {text})
    stream = await many.chat.completions.create(model=model, messages=ask, max_tokens=24, seed=7, stream=True)
    check("asynchronous stream", "".join([c.choices[0].delta.content or "" async for c in stream]) == text)


asyncio.run(together())
