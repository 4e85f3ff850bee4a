// chat.js: a conversation whose answers can be looked into, and forked.
import { byId, element } from "./dom.js";
import { Answer, promptOf } from "./answer.js";
import { card } from "./card.js";
import { Settings } from "./settings.js";

export function chat() {
  const conversation = byId("conversation");
  const settings = new Settings(() => showCard());
  const turns = []; // {question, answers: [Answer], at, root}
  let running = null; // AbortController
  let chosen = null; // {turn, answer, index}

  byId("chat-settings").append(settings.root);
  byId("numbers").addEventListener("change", (e) => conversation.classList.toggle("numbers", e.target.checked));
  byId("ask").addEventListener("submit", (e) => {
    e.preventDefault();
    ask();
  });
  byId("question").addEventListener("keydown", (e) => {
    if (e.key === "Enter" && !e.shiftKey && !e.isComposing) {
      e.preventDefault();
      ask();
    }
  });
  byId("stop").addEventListener("click", () => running?.abort());
  byId("clear").addEventListener("click", () => {
    running?.abort();
    turns.length = 0;
    conversation.replaceChildren();
    chosen = null;
  });

  function messages(before) {
    const said = [];
    for (const t of turns.slice(0, before)) {
      said.push({ role: "user", content: t.question });
      said.push({ role: "assistant", content: t.answers[t.at].content });
    }
    return said;
  }

  async function ask() {
    const question = byId("question").value.trim();
    if (!question || running) return;
    const turn = { question, answers: [], at: 0, root: element("div") };
    turns.push(turn);
    conversation.append(element("div.turn", {}, element("p.who", {}, "You"), element("p.said", {}, question)),
      element("div.turn", {}, element("p.who", {}, "The model"), turn.root));
    byId("question").value = "";
    const body = settings.messages([...messages(turns.length - 1), { role: "user", content: question }]);
    await grow(turn, async (signal) => new Answer(await promptOf(body, signal), settings.request(), pick(turn)));
  }

  /** Adds the answer that `make` gives to the turn, and lets it grow. */
  async function grow(turn, make) {
    running = new AbortController();
    busy(true);
    try {
      const answer = await make(running.signal);
      turn.answers.push(answer);
      show(turn, turn.answers.length - 1);
      await answer.run(running.signal);
    } catch (e) {
      if (e.name !== "AbortError") turn.root.append(element("p.error", { role: "alert" }, e.message));
    }
    running = null;
    busy(false);
  }

  function busy(is) {
    byId("send").disabled = is;
    byId("stop").hidden = !is;
    conversation.setAttribute("aria-busy", is);
    showCard();
  }

  function show(turn, at) {
    turn.at = at;
    turn.root.replaceChildren(turn.answers[at].root);
    if (turn.answers.length > 1) turn.root.prepend(branches(turn));
  }

  function branches(turn) {
    const step = (by) => () => show(turn, turn.at + by);
    return element("div.branches", {},
      element("button", { type: "button", "aria-label": "The branch before", disabled: turn.at === 0, onclick: step(-1) }, "‹"),
      `branch ${turn.at + 1} of ${turn.answers.length}`,
      element("button", { type: "button", "aria-label": "The next branch", disabled: turn.at === turn.answers.length - 1,
        onclick: step(1) }, "›"));
  }

  const pick = (turn) => (answer, index) => {
    if (chosen && chosen.answer !== answer) chosen.answer.text.unchoose();
    chosen = { turn, answer, index };
    showCard();
  };

  function showCard() {
    if (!chosen) return;
    const { turn, answer, index } = chosen;
    byId("card").replaceChildren(card(answer.tokens[index], settings, running ? null : (a) => fork(turn, answer, index, a)));
  }

  function fork(turn, answer, index, alternative) {
    const at = turns.indexOf(turn);
    while (turns.length > at + 1) {
      turns.pop();
      conversation.lastChild.remove();
      conversation.lastChild.remove();
    }
    grow(turn, async () => new Answer(answer.prompt, settings.request(), pick(turn), answer.forkedTokens(index, alternative)));
  }
}
