// server.js: what the server does now: its slots, its speed, its cache.
import { byId, element, shape } from "./dom.js";
import { getJson, getText } from "./api.js";
import { nats } from "./figures.js";

const EVERY_MS = 2000;
const HISTORY = 60;

/** Prometheus text: single values by name, histograms as lists of [upper end, count so far]. */
export function parseMetrics(text) {
  const values = {};
  const histograms = {};
  for (const line of text.split("\n")) {
    const m = /^szilard_(\w+?)(?:\{le="([^"]+)"\})? (\S+)$/.exec(line);
    if (!m) continue;
    if (m[2]) (histograms[m[1].replace(/_bucket$/, "")] ??= []).push([m[2] === "+Inf" ? Infinity : +m[2], +m[3]]);
    else values[m[1]] = +m[3];
  }
  return { values, histograms };
}

function quantile(buckets, q) {
  const total = buckets?.at(-1)?.[1] ?? 0;
  return total ? buckets.find((b) => b[1] >= q * total)[0] : null;
}

const atMost = (s) => (s === null ? "–" : s === Infinity ? "more than the last bound" : `≤ ${s < 1 ? `${+(1000 * s).toPrecision(3)} ms` : `${s} s`}`);

function spark(values) {
  const most = Math.max(...values, 1e-9);
  const d = values.map((v, i) => `${i ? "L" : "M"}${i} ${30 - (28 * v) / most}`).join("");
  return shape("svg", { viewBox: `0 0 ${HISTORY - 1} 32`, preserveAspectRatio: "none", "aria-hidden": "true" }, shape("path", { d }));
}

export function server() {
  const root = byId("server");
  const tiles = element("div.tiles");
  const about = element("div");
  const history = [];
  let before = null;
  let timer = null;
  root.append(tiles, about);

  const tile = (title, value, ...more) => element("div.tile", {}, element("h3", {}, title), element("p", {}, value), ...more);

  function draw({ values: v, histograms: h }) {
    const seconds = before ? (performance.now() - before.at) / 1000 : 0;
    const speed = before ? Math.max(v.tokens_total - before.tokens, 0) / seconds : 0;
    before = { at: performance.now(), tokens: v.tokens_total };
    history.push(speed);
    if (history.length > HISTORY) history.shift();
    const prompt = v.prompt_tokens_total + v.prompt_tokens_cached_total;
    tiles.replaceChildren(
      tile("requests that run", `${v.jobs_running}, with ${v.slots} slots`),
      tile("requests that wait", v.jobs_queued),
      tile("tokens/s", speed.toFixed(1), spark(history)),
      tile("tokens so far", v.tokens_total),
      tile("mean entropy", v.tokens_total ? nats(v.entropy_nats_total / v.tokens_total) : "–"),
      tile("mean surprisal", v.tokens_total ? nats(v.surprisal_nats_total / v.tokens_total) : "–"),
      tile("prompt tokens from the cache", prompt ? `${((100 * v.prompt_tokens_cached_total) / prompt).toFixed(0)} %` : "–"),
      tile("keys and values", `${(v.kv_bytes / 1e6).toFixed(1)} MB`),
      tile("first token, median and 95 %", `${atMost(quantile(h.first_token_seconds, 0.5))}, ${atMost(quantile(h.first_token_seconds, 0.95))}`),
      tile("between tokens, median and 99 %", `${atMost(quantile(h.between_tokens_seconds, 0.5))}, ${atMost(quantile(h.between_tokens_seconds, 0.99))}`),
      tile("most texts in one pass", v.pass_sequences_most),
      tile("answered with an error", v.http_errors_total));
  }

  async function poll() {
    try {
      draw(parseMetrics(await getText("/metrics")));
    } catch (e) {
      tiles.replaceChildren(element("p.error", { role: "alert" }, e.message));
    }
  }

  async function describe() {
    const p = await getJson("/props");
    const rows = p.endpoints.map((e) => element("tr", {}, element("td", {}, element("code", {}, `${e.method} ${e.path}`)), element("td", {}, e.what)));
    about.replaceChildren(element("p", {}, `Version ${p.version}; ${p.model} (${p.architecture}), ${p.n_vocab} tokens, context ${p.n_ctx}.`),
      element("table", {}, element("caption.hidden", {}, "Endpoints"), element("tbody", {}, ...rows)));
  }

  return {
    enter() {
      poll();
      if (!about.hasChildNodes()) describe().catch(() => {});
      timer ??= setInterval(poll, EVERY_MS);
    },
    leave() {
      clearInterval(timer);
      timer = null;
    },
  };
}
