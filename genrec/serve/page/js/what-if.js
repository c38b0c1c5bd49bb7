// What leaving items out does to the list: how far each item moved, and which are gone.

import { byId, chip, fill, h, icon, plural } from "./dom.js";
import { inWords } from "./moves.js";
import { change, wholeHistory, state } from "./state.js";

/** How far an item moved, beside its place. */
export function badge(row) {
  const text = !row.from ? "new" : row.by > 0 ? `▲ ${row.by}` : row.by < 0 ? `▼ ${-row.by}` : "=";
  const kind = !row.from || row.by > 0 ? "up" : row.by < 0 ? "down" : "same";
  return h(
    "span",
    { class: `move ${kind}` },
    h("span", { "aria-hidden": "true" }, text),
    h("span", { class: "hidden-title" }, inWords(row)),
  );
}

/** Say what is left out and what that did; null where nothing is. */
export function showWhatIf(found) {
  const box = byId("what-if");
  box.hidden = byId("dropped").hidden = !found;
  if (!found) return;
  const { rows, dropped } = found;
  const names = wholeHistory()
    .filter((item) => state.leftOut.has(item.item_id))
    .map((item) => item.title);
  const moved = rows.filter((row) => row.from && row.by).length;
  const text = `${plural(moved, "item")} moved, ${dropped.length || "none"} left the list.`;
  const back = () => change({ leftOut: new Set() });
  fill(
    box,
    h("p", {}, h("strong", {}, `What if not ${[...new Set(names)].join(", ")}? `), text),
    h("button", { type: "button", on: { click: back } }, icon("back"), "Put back"),
  );
  byId("dropped").hidden = !dropped.length;
  fill(
    byId("dropped"),
    h("h3", {}, "Left the list"),
    h(
      "ul",
      { class: "chips" },
      dropped.map(({ item, from }) => h("li", {}, chip(item.title, h("span", { class: "muted" }, ` was ${from}.`)))),
    ),
  );
}
