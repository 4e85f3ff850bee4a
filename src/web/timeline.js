// timeline.js: a figure over the tokens of a text: a bar each, the mean of a window, a threshold.
import { element, shape } from "./dom.js";
import { isNumber } from "./figures.js";

const HEIGHT = 60;
let threshold = 2; // nats, the same in all of them
const all = new Set();

export class Timeline {
  constructor(figure, name, pick) {
    this.figure = figure;
    this.pick = pick;
    this.tokens = [];
    this.here = -1;
    this.svg = shape("svg", { class: "timeline", preserveAspectRatio: "none", role: "img" });
    this.svg.addEventListener("click", (e) => this.click(e));
    this.count = element("span");
    this.slider = element("input", { type: "range", min: 0, max: 6, step: 0.1, value: threshold,
      "aria-label": `threshold of ${name}, in nats`, oninput: (e) => setThreshold(+e.target.value) });
    this.value = element("span", {}, `${threshold.toFixed(1)} nats`);
    this.root = element("div", {}, this.svg, element("p.legend", {},
      element("span", {}, `bars: ${name} of each token; line: mean of 16`),
      element("label", {}, "threshold ", this.slider, " ", this.value), this.count));
    this.name = name;
    all.add(new WeakRef(this));
  }

  add(tokens) {
    this.tokens.push(...tokens);
    this.schedule();
  }

  choose(i) {
    this.here = i;
    this.schedule();
  }

  /** Draws once for all that comes before the next frame. */
  schedule() {
    this.waiting ??= requestAnimationFrame(() => {
      this.waiting = undefined;
      this.draw();
    });
  }

  click(e) {
    const box = this.svg.getBoundingClientRect();
    this.pick(Math.min(Math.floor(((e.clientX - box.left) / box.width) * this.tokens.length), this.tokens.length - 1));
  }

  draw() {
    const values = this.tokens.map((t) => t[this.figure]);
    const n = Math.max(values.length, 1);
    const most = Math.max(6, ...values.filter(isNumber));
    const y = (v) => HEIGHT - (HEIGHT * v) / most;
    const above = values.filter((v) => isNumber(v) && v > threshold).length;
    const bars = values.map((v, i) => isNumber(v) && shape("rect", {
      class: v > threshold ? "bar above" : "bar", x: i, width: 0.85, y: y(v), height: HEIGHT - y(v) })).filter(Boolean);
    this.svg.setAttribute("viewBox", `0 0 ${n} ${HEIGHT}`);
    this.svg.setAttribute("aria-label", `${this.name} of ${values.length} tokens, ${above} above ${threshold} nats`);
    this.svg.replaceChildren(...bars,
      shape("path", { class: "mean", d: meanPath(values, y) }),
      shape("line", { class: "threshold", x1: 0, x2: n, y1: y(threshold), y2: y(threshold) }));
    if (this.here >= 0)
      this.svg.append(shape("rect", { class: "here", x: this.here, width: 1, y: 0, height: HEIGHT }));
    this.count.textContent = `${above} of ${values.length} tokens above`;
    this.slider.value = threshold;
    this.value.textContent = `${threshold.toFixed(1)} nats`;
  }
}

function setThreshold(t) {
  threshold = t;
  for (const r of all) {
    const timeline = r.deref();
    if (timeline) timeline.schedule();
    else all.delete(r);
  }
}

function meanPath(values, y) {
  const points = [];
  const window = [];
  values.forEach((v, i) => {
    if (isNumber(v)) window.push(v);
    if (window.length > 16) window.shift();
    if (window.length) points.push(`${i + 0.5} ${y(window.reduce((a, b) => a + b) / window.length)}`);
  });
  return points.length ? `M${points.join("L")}` : "";
}
