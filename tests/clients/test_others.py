"""The server with the packages `anthropic` and `ollama`.

usage: test_others.py BASE_URL MODEL
"""
import sys
import anthropic, ollama

base, model = sys.argv[1], sys.argv[2]


def check(what, good):
    print(("ok  " if good else "FAILED  ") + what)
    if not good:
        sys.exit(1)


client = anthropic.Anthropic(base_url=base, api_key="none", max_retries=0)
ask = dict(model=model, max_tokens=24, system="Be brief.", messages=[{"role": "user", "content": "Name a colour."}],
           extra_body={"seed": 7})
message = client.messages.create(**ask)
text = message.content[0].text
check("anthropic", text and message.usage.output_tokens <= 24 and message.stop_reason in ("end_turn", "max_tokens"))
with client.messages.stream(**ask) as stream:
    check("anthropic as a stream", "".join(stream.text_stream) == text)
    check("anthropic's last message", stream.get_final_message().content[0].text == text)
try:
    client.messages.create(model="nothing", max_tokens=1, messages=ask["messages"])
    check("anthropic error", False)
except anthropic.NotFoundError as e:
    check("anthropic error", e.status_code == 404)

host = ollama.Client(host=base)
options = {"seed": 7, "num_predict": 24}
messages = [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Name a colour."}]
check("ollama list", host.list().models[0].model == model)
check("ollama chat", host.chat(model=model, messages=messages, options=options).message.content == text)
check("ollama as a stream",
      "".join(part.message.content for part in host.chat(model=model, messages=messages, options=options, stream=True)) == text)
check("ollama generate", host.generate(model=model, prompt="Name a colour.", system="Be brief.", options=options).response == text)
check("ollama embed", len(host.embed(model=model, input=["red", "blue"]).embeddings) == 2)
