// answer.js: one answer: it grows as a stream, shows its tokens and its account, and can fork.
import { element } from "./dom.js";
import { events, postJson } from "./api.js";
import { isNumber, natsAndBits } from "./figures.js";
import { Timeline } from "./timeline.js";
import { TokenText, withTexts } from "./tokens.js";

const ALTERNATIVES = 10;

export const promptOf = async (messages, signal) => (await postJson("/tokenize", { messages }, signal)).tokens;

export class Answer {
  /** prompt: ids; request: sampling; tokens: those that are there already; pick(answer, index). */
  constructor(prompt, request, pick, tokens = []) {
    this.prompt = prompt;
    this.request = request;
    this.text = new TokenText("Answer, token by token", "entropy_nats", (i) => this.choose(i, pick));
    this.timeline = new Timeline("entropy_nats", "entropy", (i) => this.text.choose(i));
    this.account = element("p.account");
    this.error = element("p.error", { hidden: true, role: "alert" });
    this.root = element("div", {}, this.text.root, this.error, this.timeline.root, this.account);
    if (tokens.length) this.add(tokens);
  }

  get tokens() {
    return this.text.tokens;
  }

  get content() {
    return this.tokens.map((t) => t.text).join("");
  }

  choose(i, pick) {
    this.timeline.choose(i);
    pick(this, i);
  }

  add(tokens) {
    this.text.add(tokens);
    this.timeline.add(tokens);
  }

  async run(signal) {
    const ids = this.tokens.map((t) => t.id);
    const request = { ...this.request, prompt: [...this.prompt, ...ids], szilard: { alternatives: ALTERNATIVES } };
    this.text.root.classList.add("busy");
    try {
      for await (const event of events("/v1/completions", request, signal)) this.take(event);
    } catch (e) {
      if (e.name !== "AbortError") this.fail(e);
      else this.account.textContent = `stopped after ${this.tokens.length} tokens`;
    } finally {
      this.text.root.classList.remove("busy");
    }
  }

  take(event) {
    const choice = event.choices?.[0];
    if (choice?.szilard) this.add(withTexts(choice.szilard.tokens, choice.text));
    if (choice?.szilard?.account) this.sums = choice.szilard.account;
    if (event.szilard?.account) this.summarise(event.szilard.account);
  }

  summarise(reply) {
    const s = this.sums ?? {};
    const speed = isNumber(reply.total_ms) && reply.total_ms > reply.first_token_ms
      ? `, ${((1000 * (reply.tokens - 1)) / (reply.total_ms - reply.first_token_ms)).toFixed(1)} tokens/s` : "";
    this.account.textContent =
      `${this.tokens.length} tokens${speed}; mean entropy ${natsAndBits(s.mean_entropy_nats)}, ` +
      `mean surprisal ${natsAndBits(s.mean_surprisal_nats)}; ended by ${s.finish}; seed ${reply.seed}; ` +
      `${reply.cached_tokens} of ${reply.prompt_tokens} prompt tokens were there already`;
  }

  fail(e) {
    this.error.hidden = false;
    this.error.textContent = e.message;
  }

  /** The tokens before place i, then another one there. */
  forkedTokens(i, alternative) {
    const old = this.tokens[i];
    const token = { ...old, id: alternative.id, piece: alternative.piece, text: alternative.piece, forked: true,
      surprisal_nats: -alternative.logprob, draw_surprisal_nats: null, draw_entropy_nats: null, kept_n: 0, kept_mass: null };
    return [...this.tokens.slice(0, i), token];
  }
}
