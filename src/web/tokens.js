// tokens.js: a text as its tokens, each tinted by one of its figures; chosen by mouse, touch or keys.
import { element } from "./dom.js";
import { isNumber, nats, share } from "./figures.js";

/** A server tells the tokens of a chunk and its text. Where a character is made of several tokens,
 * their pieces do not add up to the text: then the last of them carries it, and the others nothing. */
export function withTexts(tokens, text) {
  const whole = tokens.map((t) => t.piece).join("") === text;
  return tokens.map((t, i) => ({ ...t, text: whole ? t.piece : i === tokens.length - 1 ? text : "" }));
}

export class TokenText {
  /** figure: the member that tints; pick(index): somebody chose a token. */
  constructor(label, figure, pick) {
    this.figure = figure;
    this.pick = pick;
    this.tokens = [];
    this.chosen = -1;
    this.root = element("p.tokens", { role: "group", "aria-label": label });
    this.root.addEventListener("click", (e) => this.choose(this.indexOf(e.target)));
    this.root.addEventListener("mouseover", (e) => this.describe(this.indexOf(e.target)));
    this.root.addEventListener("keydown", (e) => this.key(e));
  }

  indexOf(target) {
    return target.classList?.contains("token") ? [...this.root.children].indexOf(target) : -1;
  }

  add(tokens) {
    for (const t of tokens) {
      const value = t[this.figure];
      const span = element("span.token", {
        tabindex: this.tokens.length === 0 ? 0 : -1,
        "data-h": isNumber(value) ? value.toFixed(1) : "",
        "aria-label": `${t.text || "part of a character"}, ${nats(value)}`,
        role: "button",
      }, t.text);
      span.style.setProperty("--h", share(value).toFixed(3));
      if (t.forked) span.classList.add("forked");
      this.tokens.push(t);
      this.root.append(span);
    }
  }

  describe(i) {
    if (i < 0 || this.root.children[i].title) return;
    const t = this.tokens[i];
    const lines = [`entropy ${nats(t.entropy_nats)}`, `surprisal ${nats(t.surprisal_nats)}`];
    for (const a of (t.alternatives ?? []).slice(0, 5))
      lines.push(`${(100 * a.probability).toFixed(1)} %  ${JSON.stringify(a.piece)}`);
    this.root.children[i].title = lines.join("\n");
  }

  choose(i) {
    if (i < 0 || i >= this.tokens.length) return;
    const spans = this.root.children;
    if (this.chosen >= 0) {
      spans[this.chosen].classList.remove("chosen");
      spans[this.chosen].tabIndex = -1;
    }
    spans[0].tabIndex = -1;
    spans[i].tabIndex = 0;
    spans[i].classList.add("chosen");
    this.chosen = i;
    this.pick(i);
  }

  unchoose() {
    if (this.chosen >= 0) this.root.children[this.chosen].classList.remove("chosen");
    this.chosen = -1;
  }

  key(e) {
    const at = this.indexOf(e.target);
    const to = { ArrowRight: at + 1, ArrowDown: at + 1, ArrowLeft: at - 1, ArrowUp: at - 1, Home: 0,
      End: this.tokens.length - 1, Enter: at, " ": at }[e.key];
    if (at < 0 || to === undefined || to < 0 || to >= this.tokens.length) return;
    e.preventDefault();
    this.choose(to);
    this.root.children[to].focus();
  }
}
