// What is stored of the visitor: to take along, and to erase.

import { forgetUser, user } from "./api.js";
import { byId, h, plural } from "./dom.js";
import { problem } from "./say.js";
import { onChange, state } from "./state.js";

/** `onForgotten(note)` is called when nothing of the visitor is left, with what to say about it. */
export function startOwnData(onForgotten) {
  const dialog = byId("forget-dialog");
  onChange((names) => {
    if (names.has("visitor")) byId("visitor-data").hidden = !state.visitor.known;
  });
  byId("visitor-export").addEventListener("click", () => save(state.visitor.id));
  byId("visitor-forget").addEventListener("click", () => {
    byId("forget-whom").textContent = state.visitor.id;
    dialog.showModal();
  });
  byId("forget-cancel").addEventListener("click", () => dialog.close());
  byId("forget-form").addEventListener("submit", (event) => {
    event.preventDefault();
    dialog.close();
    forget(state.visitor.id, onForgotten);
  });
}

async function save(id) {
  try {
    const text = JSON.stringify(await user(id), null, 2);
    const address = URL.createObjectURL(new Blob([text], { type: "application/json" }));
    h("a", { href: address, download: `${id.replace(/[^\w.-]/g, "_")}.json` }).click();
    setTimeout(() => URL.revokeObjectURL(address), 60_000);
  } catch (error) {
    problem(error, () => save(id));
  }
}

async function forget(id, onForgotten) {
  try {
    const done = await forgetUser(id);
    onForgotten(`${plural(done.events, "event")} erased. ${done.advice}`);
  } catch (error) {
    problem(error, () => forget(id, onForgotten));
  }
}
