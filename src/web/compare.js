// compare.js: one message, two settings, side by side.
import { byId, element } from "./dom.js";
import { Answer, promptOf } from "./answer.js";
import { card } from "./card.js";
import { Settings } from "./settings.js";

export function compare() {
  const sides = ["left", "right"].map((name) => {
    const settings = new Settings();
    byId(`${name}-settings`).append(settings.hint,
      element("details", {}, element("summary", {}, "Change the settings"), settings.root));
    return { settings, root: byId(name) };
  });
  sides[1].settings.inputs.temperature.value = 1.5;
  sides[1].settings.explain();
  let running = null;

  byId("compare-stop").addEventListener("click", () => running?.abort());
  byId("compare-ask").addEventListener("submit", async (e) => {
    e.preventDefault();
    const question = byId("compare-question").value.trim();
    if (!question || running) return;
    running = new AbortController();
    byId("compare-stop").hidden = false;
    await Promise.all(sides.map((s) => answer(s, question, running.signal)));
    running = null;
    byId("compare-stop").hidden = true;
  });

  async function answer({ settings, root }, question, signal) {
    const details = element("div");
    root.replaceChildren(element("p.hint", {}, "reading …"));
    try {
      const prompt = await promptOf(settings.messages([{ role: "user", content: question }]), signal);
      const a = new Answer(prompt, settings.request(), (which, i) => details.replaceChildren(card(which.tokens[i], settings, null)));
      root.replaceChildren(a.root, details);
      await a.run(signal);
    } catch (error) {
      if (error.name !== "AbortError") root.replaceChildren(element("p.error", { role: "alert" }, error.message));
    }
  }
}
