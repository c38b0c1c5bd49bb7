// A conversation: its state lies here, and goes to the server with what is said next.

import { chat } from "./api.js";
import { byId, chip, fill, h } from "./dom.js";
import { openItem } from "./item.js";
import { clearProblem, problem } from "./say.js";
import { onChange, state } from "./state.js";

const FIRST_HINTS = 3;
const LATER_HINTS = ["others", "why the first?", "undo"];
const KINDS = { liked: "like", disliked: "not like", wanted: "", unwanted: "no", limit: "", words: "" };
let talk = null;
let waiting = false;

export function startChat() {
  byId("chat-form").addEventListener("submit", (event) => {
    event.preventDefault();
    const text = byId("chat-text").value.trim();
    if (text) say(text);
  });
  byId("chat-restart").addEventListener("click", () => {
    talk = null;
    fill(byId("chat-log"), greeting());
    showStanding();
    byId("chat-text").focus();
  });
  onChange((names) => names.has("model") && showStanding());
  fill(byId("chat-log"), greeting());
}

const greeting = () =>
  bubble(
    "answer",
    h("p", {}, "Say what you are after: a title, a category, a year, a price. It adds up, and can be taken back."),
  );

async function say(text) {
  if (waiting) return;
  waiting = true;
  byId("chat-text").value = "";
  const mine = bubble("said", h("p", {}, text));
  const theirs = bubble("answer pending", h("p", { class: "muted" }, "..."));
  byId("chat-log").append(mine, theirs);
  down();
  try {
    const turn = await chat({
      text,
      k: 5,
      ...(talk && { state: talk }),
      ...(state.visitor.known && { user_id: state.visitor.id }),
    });
    talk = turn.state;
    theirs.replaceWith(answerOf(turn));
    clearProblem("chat");
  } catch (error) {
    mine.remove();
    theirs.remove();
    byId("chat-text").value = text;
    problem(error, () => say(text), "chat");
  }
  waiting = false;
  showStanding();
  down();
}

function answerOf(turn) {
  // The items stand below as buttons: their lines in the text would say them twice.
  const lines = turn.text.split("\n").filter((line) => !(turn.items.length && /^\d+\. /.test(line)));
  const items = turn.items.map((item) =>
    h(
      "li",
      {},
      h("button", { type: "button", class: "link", on: { click: () => openItem(item.item_id) } }, item.title),
    ),
  );
  return bubble(
    "answer",
    lines.map((line) => h("p", {}, line)),
    items.length ? h("ol", { class: "similar" }, items) : null,
  );
}

const bubble = (kind, ...children) =>
  h(
    "div",
    { class: `bubble ${kind}` },
    h("span", { class: "hidden-title" }, kind === "said" ? "You: " : "Answer: "),
    ...children,
  );

function down() {
  const log = byId("chat-log");
  log.scrollTop = log.scrollHeight;
}

function showStanding() {
  const said = (talk?.said ?? []).filter((one) => one.kind in KINDS);
  fill(
    byId("chat-standing"),
    said.length
      ? h(
          "p",
          { class: "understood-line" },
          h("span", { class: "label" }, "Looking for"),
          said.map((one) => chip(`${KINDS[one.kind]} ${one.text}`.trim())),
        )
      : null,
  );
  byId("chat-restart").hidden = !talk;
  const hints = talk?.shown.length ? LATER_HINTS : firstHints();
  fill(
    byId("chat-hints"),
    hints.map((text) => h("button", { type: "button", class: "chip more", on: { click: () => say(text) } }, text)),
  );
}

/** Things that this catalog can answer. */
function firstHints() {
  const values = state.model?.columns.find((column) => column.name === "categories")?.values ?? [];
  return values.slice(0, FIRST_HINTS).map((value) => `something from ${value}`);
}
