// The history: what is known of the visitor, then what was clicked. Any of it can be left out, to see what that does.

import { byId, fill, h, icon, iconButton, plural } from "./dom.js";
import { openItem } from "./item.js";
import { change, onChange, state, wholeHistory } from "./state.js";

const SHOWN = 8; // items of a visitor's history before the rest is unfolded
let unfolded = false;

export function startHistory() {
  byId("history-clear").addEventListener("click", () => {
    change({ picks: [], leftOut: new Set() });
    byId("search-words").focus();
  });
  onChange((names) => {
    if (names.has("visitor")) unfolded = false;
    if (names.has("picks") || names.has("leftOut") || names.has("visitor")) render();
  });
  render();
}

/** Leave an item out of the history, or take it in again. */
export function toggleLeftOut(id) {
  const leftOut = new Set(state.leftOut);
  if (!leftOut.delete(id)) leftOut.add(id);
  change({ leftOut });
}

function render() {
  const focused = document.activeElement?.closest?.("#history li")?.dataset;
  const action = document.activeElement?.dataset?.action;
  const known = state.visitor.history;
  const hiddenCount = unfolded ? 0 : Math.max(0, known.length - SHOWN);
  const rows = wholeHistory().map((item, place) => chipOf(item, place, place < known.length));
  fill(byId("history"), hiddenCount ? unfold(hiddenCount) : null, rows.slice(hiddenCount));
  byId("history-empty").hidden = rows.length > 0;
  byId("history-clear").hidden = state.picks.length === 0;
  byId("history-note").textContent = rows.length ? plural(rows.length, "item") : "";
  byId("history-hint").hidden = rows.length === 0;
  if (focused) restoreFocus(focused, action);
}

function unfold(number) {
  const show = () => ((unfolded = true), render());
  return h("li", {}, h("button", { type: "button", class: "chip more", on: { click: show } }, `${number} earlier`));
}

function chipOf(item, place, isKnown) {
  const left = state.leftOut.has(item.item_id);
  const remove = () =>
    change({
      picks: state.picks.filter((_, row) => row !== place - state.visitor.history.length),
      leftOut: without(item.item_id),
    });
  return h(
    "li",
    {
      class: `chip history-item${left ? " left-out" : ""}${isKnown ? " known" : ""}`,
      "data-item": item.item_id,
      "data-place": place,
    },
    h(
      "button",
      { type: "button", class: "title", title: item.title, on: { click: () => openItem(item.item_id) } },
      item.title,
    ),
    iconButton(
      left ? "back" : "without",
      left ? `Take ${item.title} in again` : `What if not ${item.title}?`,
      () => toggleLeftOut(item.item_id),
      {
        "aria-pressed": String(left),
        "data-action": "what-if",
      },
    ),
    isKnown
      ? null
      : h(
          "button",
          {
            type: "button",
            class: "icon-button",
            "aria-label": `Remove ${item.title} from the history`,
            title: "Remove",
            "data-action": "remove",
            on: { click: remove },
          },
          icon("cross"),
        ),
  );
}

function without(id) {
  const leftOut = new Set(state.leftOut);
  leftOut.delete(id);
  return leftOut;
}

/** What was focused is drawn anew: go to the same button, or to its neighbour. */
function restoreFocus({ item, place }, action) {
  const rows = [...byId("history").querySelectorAll("li[data-item]")];
  const row = rows.find((one) => one.dataset.item === item) ?? rows[Math.min(Number(place), rows.length - 1)];
  const button = row?.querySelector(`[data-action="${action}"]`) ?? row?.querySelector("button");
  (button ?? byId("search-words")).focus({ preventScroll: true });
}
