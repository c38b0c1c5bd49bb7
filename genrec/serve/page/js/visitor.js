// Whose list it is: a user of the data set, or somebody new whose likes and hides are stored under a name made here.

import { itemsOf, newId, recommend, user } from "./api.js";
import { byId, fill, h } from "./dom.js";
import { feedback } from "./feedback.js";
import { startOwnData } from "./own-data.js";
import { problem } from "./say.js";
import { change, onChange, state } from "./state.js";

const KEPT = "genrec-visitor";

export function startVisitor() {
  byId("visitor").addEventListener("submit", (event) => {
    event.preventDefault();
    use(byId("visitor-id").value.trim());
  });
  const nobody = (note) => become({ id: "", known: false, history: [], hidden: [] }, note);
  byId("visitor-new").addEventListener("click", () =>
    nobody("Somebody new: a name is made with the first like or hide."),
  );
  startOwnData(nobody);
  onChange((names) => names.has("visitor") && render());
  render();
  const kept = localStorage.getItem(KEPT);
  if (kept) use(kept);
}

/** The visitor's id; made now if there is none. */
export function ensureVisitor() {
  if (!state.visitor.id) state.visitor.id = newId("page-", 5); // nothing is known of it yet, so no list changes
  return state.visitor.id;
}

/** Read again what is known, after `item` was said to be liked, hidden or neither. */
export async function reloadVisitor(item, value) {
  localStorage.setItem(KEPT, state.visitor.id);
  const found = await lookUp(state.visitor.id);
  if (found.hidden === null) {
    // The key may not read users: what was said here is all there is to go by.
    const others = state.visitor.hidden.filter((one) => one.item_id !== item.item_id);
    found.hidden = value === "hide" ? [...others, { item_id: item.item_id, title: item.title }] : others;
  }
  change({ visitor: { id: state.visitor.id, known: true, history: found.history, hidden: found.hidden } });
}

async function use(id) {
  if (!id) return;
  try {
    const found = await lookUp(id);
    const known = found.history.length > 0 || (found.hidden ?? []).length > 0;
    if (known) localStorage.setItem(KEPT, id);
    become(
      { id, known, history: found.history, hidden: found.hidden ?? [] },
      known ? "" : "Nobody knows this user yet. A like or a hide changes that.",
    );
  } catch (error) {
    problem(error, () => use(id));
  }
}

function become(visitor, note) {
  if (!visitor.known) localStorage.removeItem(KEPT);
  change({ visitor, leftOut: new Set() });
  byId("visitor-note").textContent = note;
}

/** History and hidden items with titles. `hidden` is null where the key does not allow to know. */
async function lookUp(id) {
  try {
    const found = await user(id);
    return { history: found.history, hidden: await itemsOf(found.hidden) };
  } catch (error) {
    if (error.status === 404) return { history: [], hidden: [] };
    if (error.status !== 403) throw error;
  }
  try {
    const answer = await recommend({ user_id: id, k: 1 }); // an answer names the history that it was made from
    const titles = new Map((await itemsOf(answer.history)).map((item) => [item.item_id, item.title]));
    return { history: answer.history.map((one) => ({ item_id: one, title: titles.get(one) ?? one })), hidden: null };
  } catch (error) {
    if (error.status === 404) return { history: [], hidden: null };
    throw error;
  }
}

function render() {
  const { id, hidden, history } = state.visitor;
  byId("visitor-id").value = id;
  byId("visitor-name").textContent = id || "new";
  if (history.length) byId("visitor-note").textContent = "";
  fill(
    byId("visitor-hidden"),
    hidden.length
      ? [
          h("h3", {}, "Hidden"),
          h(
            "ul",
            { class: "chips" },
            hidden.map((item) =>
              h(
                "li",
                {},
                h(
                  "span",
                  { class: "chip" },
                  item.title,
                  h(
                    "button",
                    {
                      type: "button",
                      class: "link small",
                      "aria-label": `Show ${item.title} again`,
                      on: { click: () => feedback(item, "undo") },
                    },
                    "Show again",
                  ),
                ),
              ),
            ),
          ),
        ]
      : null,
  );
}
