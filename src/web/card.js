// card.js: what is known of one token, and of those that might have stood there.
import { element } from "./dom.js";
import { isNumber, natsAndBits, percent, visible } from "./figures.js";
import { preview } from "./kept.js";

function row(list, name, value) {
  list.append(element("dt", {}, name), element("dd", {}, value));
}

function figures(t) {
  const list = element("dl.figures");
  row(list, "entropy", natsAndBits(t.entropy_nats));
  row(list, "surprisal", natsAndBits(t.surprisal_nats));
  if (isNumber(t.varentropy_nats2)) row(list, "varentropy", `${t.varentropy_nats2.toFixed(2)} nats²`);
  if (isNumber(t.window_entropy_nats)) row(list, "mean entropy of 16", natsAndBits(t.window_entropy_nats));
  if (t.kept_n) row(list, "kept by the samplers", `${t.kept_n} tokens, ${percent(t.kept_mass)}`);
  if (isNumber(t.draw_entropy_nats)) row(list, "entropy of the draw", natsAndBits(t.draw_entropy_nats));
  if (t.model) row(list, "computed by", t.model);
  return list;
}

/** settings: Settings or null; fork(alternative): continue with that token instead, or null. */
export function card(t, settings, fork) {
  const box = element("div", {}, element("p", {}, element("code", {}, visible(t.piece)), ` token ${t.id}`), figures(t));
  const alternatives = t.alternatives ?? [];
  if (!alternatives.length) return box;
  const simple = settings?.simple();
  const kept = simple ? preview(alternatives, simple) : null;
  box.append(element("p.hint", {}, fork ? "Choose another token, and the answer goes on from there:" : "The likeliest tokens here:"));
  const list = element("ul.alternatives");
  alternatives.forEach((a, i) => {
    const out = kept && i >= kept.kept;
    const button = element(`button${a.id === t.id ? ".now" : ""}${out ? ".out" : ""}`, {
      type: "button", disabled: !fork || a.id === t.id, onclick: () => fork?.(a),
      title: out ? "the settings drop it" : kept?.complete ? `${percent(kept.probability[i])} with these settings` : "",
    }, element("code", {}, visible(a.piece)), element("span", {}, percent(a.probability)));
    button.style.setProperty("--p", `${(100 * a.probability).toFixed(2)}%`);
    list.append(element("li", {}, button));
  });
  box.append(list);
  if (kept)
    box.append(element("p.hint", {}, kept.complete
      ? `The settings beside would keep ${kept.kept} of these tokens.`
      : `The settings beside would keep all of these ${alternatives.length}, and more.`));
  return box;
}
