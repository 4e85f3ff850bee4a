// figures.js: how information is shown.

export const LN2 = Math.LN2;
const SCALE_NATS = 5; // what is tinted in full

export const isNumber = (x) => typeof x === "number" && Number.isFinite(x);
export const share = (nats) => (isNumber(nats) ? Math.min(Math.max(nats / SCALE_NATS, 0), 1) : 0);
export const nats = (x) => (isNumber(x) ? `${x.toFixed(2)} nats` : "–");
export const natsAndBits = (x) => (isNumber(x) ? `${x.toFixed(2)} nats · ${(x / LN2).toFixed(2)} bits` : "–");
export const percent = (p) => {
  if (!isNumber(p)) return "–";
  if (p >= 0.9995) return "100 %";
  return p >= 0.01 ? `${(100 * p).toFixed(1)} %` : `${(100 * p).toPrecision(2)} %`;
};

/** A piece as it can be seen: blanks, ends of lines and bytes that are no character show. */
export function visible(piece) {
  if (piece === "") return "∅";
  return piece.replace(/ /g, "·").replace(/\n/g, "⏎").replace(/\t/g, "⇥").replace(/\r/g, "␍");
}
