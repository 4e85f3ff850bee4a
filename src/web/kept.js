// kept.js: what the samplers of the settings would keep of a token's likeliest alternatives, in the
// order top-k, top-p, min-p, temperature. The server decides over the whole vocabulary; this is a
// preview over the alternatives that it told.

/** {kept, probability: [], complete}: complete where all that is kept is among the alternatives. */
export function preview(alternatives, { temperature, top_k, top_p, min_p }) {
  const p = alternatives.map((a) => a.probability);
  let n = p.length;
  let complete = false;
  const cut = (to) => {
    if (to < n) complete = true;
    n = Math.min(n, to);
  };
  if (temperature <= 0) cut(1);
  if (top_k > 0) cut(top_k);
  const mass = complete ? p.slice(0, n).reduce((a, b) => a + b, 0) : 1;
  if (top_p < 1) {
    let sum = 0;
    const enough = p.slice(0, n).findIndex((x) => (sum += x / mass) >= top_p);
    if (enough >= 0) cut(enough + 1);
  }
  if (min_p > 0) {
    const low = p.slice(0, n).findIndex((x) => x < min_p * p[0]);
    if (low >= 0) cut(low);
  }
  const weights = p.map((x, i) => (i < n ? Math.pow(x / p[0], 1 / Math.max(temperature, 1e-3)) : 0));
  const sum = weights.reduce((a, b) => a + b, 0);
  return { kept: n, complete, probability: weights.map((w) => (complete ? w / sum : NaN)) };
}
