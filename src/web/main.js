// main.js: which page shows, the theme, the key.
import { byId } from "./dom.js";
import { getJson, setKeySource } from "./api.js";
import { chat } from "./chat.js";
import { compare } from "./compare.js";
import { cost } from "./cost.js";
import { server } from "./server.js";

const views = { chat: chat(), compare: compare(), cost: cost(), server: server() };
let current = null;

function show() {
  const name = location.hash.slice(1) in views ? location.hash.slice(1) : "chat";
  if (name === current) return;
  views[current]?.leave?.();
  for (const v of Object.keys(views)) byId(`view-${v}`).hidden = v !== name;
  for (const a of document.querySelectorAll("nav a"))
    if (a.hash === `#${name}`) a.setAttribute("aria-current", "page");
    else a.removeAttribute("aria-current");
  current = name;
  views[name]?.enter?.();
}

/* ---- Theme ---- */

const THEMES = ["auto", "light", "dark"];
const dark = matchMedia("(prefers-color-scheme: dark)");
let theme = localStorage.getItem("theme") ?? "auto";

function paint() {
  document.documentElement.dataset.theme = theme === "auto" ? (dark.matches ? "dark" : "light") : theme;
  byId("theme").textContent = `Theme: ${theme}`;
}

byId("theme").addEventListener("click", () => {
  theme = THEMES[(THEMES.indexOf(theme) + 1) % THEMES.length];
  localStorage.setItem("theme", theme);
  paint();
});
dark.addEventListener("change", paint);
paint();

/* ---- Key and model ---- */

setKeySource(() => new Promise((resolve) => {
  const dialog = byId("key-dialog");
  dialog.addEventListener("close", () => resolve(byId("key").value.trim() || null), { once: true });
  dialog.showModal();
}));

async function greet() {
  try {
    const models = await getJson("/v1/models");
    byId("model").textContent = models.data.map((m) => m.id).join(", ");
  } catch (e) {
    byId("model").textContent = e.message;
    if (e.status === 503) setTimeout(greet, 1000);
  }
}

window.addEventListener("hashchange", show);
show();
greet();
