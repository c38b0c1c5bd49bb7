// What the page says by itself: problems, and short notes that go away.

import { byId, fill, h } from "./dom.js";

const TITLES = {
  400: "That cannot be asked",
  401: "A key is needed",
  403: "The key may not do this",
  404: "That is not there",
  413: "That is too much at once",
  422: "That cannot be asked",
  429: "The server is busy",
  503: "The server cannot answer now",
  504: "The answer took too long",
  507: "The server's disk is full",
};

let askForKey = () => {};
export const onKeyWanted = (ask) => {
  askForKey = ask;
};

/** Show a problem in words, with a way to try again. `topic`: what it is about, see clearProblem. */
export function problem(error, again = null, topic = "") {
  if (error.name === "AbortError") return;
  if (error.status === undefined) throw error; // a fault of the page: the console has it
  const wait = error.retryAfter ? ` Try again in ${error.retryAfter} s.` : "";
  const button = (text, work) =>
    h("button", { type: "button", on: { click: () => (fill(byId("alerts")), work()) } }, text);
  fill(
    byId("alerts"),
    h(
      "div",
      { class: "alert", "data-topic": topic },
      h(
        "div",
        {},
        h("strong", {}, TITLES[error.status] ?? (error.title || "Something went wrong")),
        h("p", {}, sentence(error.detail), wait),
        error.hint && h("p", { class: "small" }, sentence(error.hint)),
      ),
      h(
        "div",
        { class: "row" },
        error.wantsKey && button("Enter a key", () => askForKey(again)),
        again && mayHelp(error) && button("Try again", again),
        button("Dismiss", () => {}),
      ),
    ),
  );
}

/** Whether the same request may be answered later. */
const mayHelp = (error) => error.status === 0 || error.status === 429 || error.status >= 500;

/** Something went well: a problem with the same is over. */
export function clearProblem(topic) {
  if (byId("alerts").firstElementChild?.dataset.topic === topic) fill(byId("alerts"));
}

function sentence(text) {
  if (!text) return "";
  const first = text[0].toUpperCase() + text.slice(1);
  return /[.!?]$/.test(first) ? first : `${first}.`;
}

/** A note that goes away, with something to do about it, such as taking back. */
export function toast(text, action = null, work = null) {
  const note = h("div", { class: "toast" }, h("span", {}, text));
  const close = () => note.remove();
  if (action)
    note.append(h("button", { type: "button", class: "link", on: { click: () => (close(), work()) } }, action));
  byId("toasts").append(note);
  setTimeout(close, 8000);
  while (byId("toasts").children.length > 3) byId("toasts").firstElementChild.remove();
}
