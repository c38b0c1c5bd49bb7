// One item in a dialog: all its columns, what goes with it, and where it stands on the map.

import { findItems, similar } from "./api.js";
import { byId, fill, h, icon } from "./dom.js";
import { feedback } from "./feedback.js";
import { problem } from "./say.js";
import { pick } from "./state.js";

const dialog = byId("item-dialog");
const SKIPPED = ["title", "categories"];

export async function openItem(id, requestId = "") {
  try {
    const { items } = await findItems({ item_id: id });
    if (!items.length) return;
    show(items[0], requestId);
    const answer = await similar({ item_id: id, k: 6 });
    if (dialog.dataset.item === id) fill(byId("item-similar"), answer.items.map(similarItem));
  } catch (error) {
    dialog.close();
    problem(error, () => openItem(id, requestId));
  }
}

function show(item, requestId) {
  dialog.dataset.item = item.item_id;
  byId("item-title").textContent = item.title;
  const shown = requestId ? { request_id: requestId } : {};
  const act = (value) => () => (dialog.close(), feedback(item, value, shown));
  const columns = Object.entries(item).filter(
    ([name, value]) => !SKIPPED.includes(name) && value !== null && value !== "",
  );
  fill(
    byId("item-body"),
    item.categories.length ? h("p", { class: "muted" }, item.categories.join(", ")) : null,
    h(
      "div",
      { class: "row" },
      button("plus", "Add to the history", () => (dialog.close(), pick(item))),
      button("heart", "Like", act("like")),
      button("hide", "Hide", act("hide")),
      h(
        "a",
        { class: "button", href: `#map=${encodeURIComponent(item.item_id)}`, on: { click: () => dialog.close() } },
        "On the map",
      ),
    ),
    h(
      "dl",
      { class: "columns" },
      columns.map(([name, value]) => h("div", {}, h("dt", {}, name), h("dd", {}, words(value)))),
    ),
    h("h3", { id: "similar-title" }, "Goes with it"),
    h(
      "ol",
      { id: "item-similar", class: "similar", "aria-labelledby": "similar-title" },
      h("li", { class: "muted" }, "Looking ..."),
    ),
  );
  if (!dialog.open) dialog.showModal();
  byId("item-title").focus();
}

function similarItem(item) {
  return h(
    "li",
    {},
    h("button", { type: "button", class: "link", on: { click: () => openItem(item.item_id) } }, item.title),
  );
}

function button(name, text, work) {
  return h("button", { type: "button", on: { click: work } }, icon(name), text);
}

const words = (value) =>
  Array.isArray(value) ? value.join(", ") : value === true ? "yes" : value === false ? "no" : String(value);
