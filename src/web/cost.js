// cost.js: what a text costs under the model, token by token.
import { byId, element } from "./dom.js";
import { postJson } from "./api.js";
import { card } from "./card.js";
import { LN2, isNumber } from "./figures.js";
import { Timeline } from "./timeline.js";
import { TokenText } from "./tokens.js";

const MOST_BYTES = 256 * 1024;

export function cost() {
  const text = byId("cost-text");
  const out = byId("cost");

  byId("cost-form").addEventListener("submit", (e) => {
    e.preventDefault();
    if (text.value) measure(text.value);
  });
  byId("cost-file").addEventListener("change", (e) => e.target.files[0] && read(e.target.files[0]));
  text.addEventListener("dragover", (e) => e.preventDefault());
  text.addEventListener("drop", (e) => {
    if (!e.dataTransfer.files.length) return;
    e.preventDefault();
    read(e.dataTransfer.files[0]);
  });

  async function read(file) {
    if (file.size > MOST_BYTES) {
      fail(new Error(`${file.name} has ${file.size} bytes; at most ${MOST_BYTES} are measured here. 'szilard zip' takes any file.`));
      return;
    }
    text.value = await file.text();
    measure(text.value);
  }

  function fail(e) {
    out.replaceChildren(element("p.error", { role: "alert" }, e.message));
  }

  async function measure(content) {
    out.replaceChildren(element("p.hint", { role: "status" }, "measuring …"));
    try {
      const reply = await postJson("/v1/completions",
        { prompt: content, echo: true, max_tokens: 0, szilard: { alternatives: 8 } });
      show(content, reply.choices[0].szilard.tokens);
    } catch (e) {
      fail(e);
    }
  }

  function show(content, figures) {
    const tokens = figures.map((t) => ({ ...t, text: t.piece }));
    const bits = tokens.reduce((sum, t) => sum + (isNumber(t.surprisal_nats) ? t.surprisal_nats / LN2 : 0), 0);
    const bytes = new TextEncoder().encode(content).length;
    const details = element("div");
    const timeline = new Timeline("surprisal_nats", "surprisal", (i) => view.choose(i));
    const view = new TokenText("The text, token by token", "surprisal_nats", (i) => {
      timeline.choose(i);
      details.replaceChildren(card(tokens[i], null, null));
    });
    view.add(tokens);
    timeline.add(tokens);
    out.replaceChildren(
      element("p", { role: "status" }, `${bytes} bytes, ${tokens.length} tokens: ${bits.toFixed(1)} bits, that is ` +
        `${Math.ceil(bits / 8)} bytes, ${((100 * bits) / 8 / bytes).toFixed(1)} % of the text; ${(bits / bytes).toFixed(3)} bits per byte. ` +
        "The first token has nothing before it and is not counted."),
      timeline.root, view.root, details);
  }
}
