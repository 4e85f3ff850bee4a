// settings.js: how answers are sampled, as a form, and as members of a request.
import { element } from "./dom.js";

const FIELDS = [
  { name: "temperature", label: "Temperature", value: 0.8, min: 0, max: 10, step: 0.05,
    say: (t) => (t === 0 ? "always the likeliest token" : t < 1 ? "surer than the model itself" : t > 1 ? "less sure than the model" : "as sure as the model") },
  { name: "top_k", label: "Top-k", value: 40, min: 0, max: 1000, step: 1,
    say: (k) => (k ? (k === 1 ? "nothing but the likeliest token" : `at most ${k} tokens`) : null) },
  { name: "top_p", label: "Top-p", value: 0.95, min: 0, max: 1, step: 0.01,
    say: (p) => (p < 1 ? `the likeliest with ${Math.round(p * 100)} % together` : null) },
  { name: "min_p", label: "Min-p", value: 0.05, min: 0, max: 1, step: 0.01,
    say: (p) => (p ? `none below ${+(p * 100).toFixed(1)} % of the likeliest` : null) },
  { name: "top_h", label: "Top-H", value: 1, min: 0.01, max: 1, step: 0.01,
    say: (h) => (h < 1 ? `entropy at most ${h} of the whole` : null) },
  { name: "repeat_penalty", label: "Repeat penalty", value: 1, min: 0.5, max: 2, step: 0.05,
    say: (r) => (r !== 1 ? "tokens seen lately count less" : null) },
  { name: "seed", label: "Seed (empty: a new one)", value: "", min: 0, step: 1 },
  { name: "max_tokens", label: "Most tokens", value: 256, min: 1, step: 1 },
];

export class Settings {
  constructor(changed = () => {}, { system = true } = {}) {
    this.inputs = {};
    this.hint = element("p.hint", { "aria-live": "polite" });
    this.chain = element("input", { placeholder: "temperature 1.2, top-h 0.4", "aria-label": "A chain of samplers",
      spellcheck: "false" });
    this.root = element("div.settings");
    for (const f of FIELDS) {
      const input = element("input", { type: "number", value: f.value, min: f.min, max: f.max, step: f.step,
        "aria-label": f.label });
      this.inputs[f.name] = input;
      this.root.append(element("span", {}, f.label), input);
    }
    this.root.append(element("label.wide", {}, "or a chain, in place of these", this.chain));
    if (system) {
      this.system = element("textarea", { rows: 2, "aria-label": "System message" });
      this.root.append(element("label.wide", {}, "System message", this.system));
    }
    this.root.append(this.hint);
    this.root.addEventListener("input", () => {
      this.explain();
      changed();
    });
    this.explain();
  }

  number(name) {
    const input = this.inputs[name];
    return input.value === "" || !input.checkValidity() ? null : +input.value;
  }

  /** In words, while it changes. */
  explain() {
    if (this.chain.value.trim()) {
      this.hint.textContent = "The chain decides; its samplers act from left to right.";
      return;
    }
    const wrong = FIELDS.filter((f) => !this.inputs[f.name].checkValidity()).map((f) => f.label);
    if (wrong.length) {
      this.hint.textContent = `Out of range, and left out: ${wrong.join(", ")}.`;
      return;
    }
    const words = FIELDS.filter((f) => f.say).map((f) => f.say(this.number(f.name) ?? f.value)).filter(Boolean);
    this.hint.textContent = `Draws ${words.join("; ")}.`;
  }

  /** For kept.js; null where a chain decides. */
  simple() {
    if (this.chain.value.trim() || (this.number("top_h") ?? 1) < 1) return null;
    const get = (name, otherwise) => this.number(name) ?? otherwise;
    return { temperature: get("temperature", 0.8), top_k: get("top_k", 40), top_p: get("top_p", 0.95),
      min_p: get("min_p", 0.05) };
  }

  request() {
    const body = {};
    const chain = this.chain.value.trim();
    for (const f of FIELDS) {
      const v = this.number(f.name);
      const sampling = f.name !== "seed" && f.name !== "max_tokens";
      if (v !== null && !(chain && sampling) && !(f.name === "top_h" && v === 1)) body[f.name] = v;
    }
    if (chain) body.sampler = chain;
    return body;
  }

  messages(conversation) {
    const system = this.system?.value.trim();
    return system ? [{ role: "system", content: system }, ...conversation] : conversation;
  }
}
