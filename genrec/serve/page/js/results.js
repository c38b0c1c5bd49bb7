// The list: items with scores, reasons and what can be done with them, and how it moved.

import { byId, fill, h, icon, plural } from "./dom.js";
import { feedback } from "./feedback.js";
import { showsNow } from "./impressions.js";
import { openItem } from "./item.js";
import { gone, moves } from "./moves.js";
import { details, inShort } from "./reasons.js";
import { searchCategory } from "./search.js";
import { pick } from "./state.js";
import { understood } from "./understood.js";
import { badge, showWhatIf } from "./what-if.js";

export function showAnswer(found) {
  const list = byId("results");
  const before = positions(list);
  const hadFocus = list.contains(document.activeElement);

  showsNow(found && !found.full ? found.answer : null); // what-if lists are no offer
  byId("results-facts").textContent = found ? facts(found) : "";
  fill(byId("understood"), found ? understood(found.answer) : null);
  if (!found) {
    fill(list);
    showWhatIf(null);
    return showEmpty("Add items to the history, or say what you want: the list follows every change.");
  }
  const { answer, full } = found;
  const best = answer.items[0]?.score ?? 0;
  const rows = full ? moves(full.items, answer.items) : answer.items.map((item, row) => ({ item, place: row + 1 }));
  fill(
    list,
    rows.map((row) => itemOf(row, best, answer)),
  );
  showWhatIf(full && { rows, dropped: gone(full.items, answer.items) });
  showEmpty(answer.items.length ? "" : nothing(answer));
  glide(list, before);
  if (hadFocus && !list.contains(document.activeElement)) byId("results-title").focus?.();
  byId("results-status").textContent = spoken(answer, full && rows);
}

/** Reasons arrive after the items; null with an error where there are none. */
export function showReasons(reasons, error = null) {
  for (const row of byId("results").children) {
    const found = reasons?.get(row.dataset.item);
    const place = row.querySelector(".reason");
    fill(place, found ? inShort(found) : null);
    row.querySelector(".why").hidden = !found;
    row.querySelector(".why").setAttribute("aria-expanded", "false");
    if (found) fill(row.querySelector(".why-body"), details(found));
  }
  if (error) {
    const first = byId("results").querySelector(".reason");
    if (first) fill(first, h("span", { class: "warning" }, `No reasons: ${error.message}. ${error.hint ?? ""}`));
  }
}

function facts({ answer, ms }) {
  const parts = [
    `of ${plural(answer.eligible, "item")}`,
    `${Math.round(ms)} ms`,
    `model ${answer.model_version.slice(0, 8)}`,
  ];
  return parts.join(" · ");
}

function spoken(answer, rows) {
  const fallback = answer.source === "fallback" ? " A simpler model answered." : "";
  const moved = rows ? ` ${rows.filter((row) => row.by || !row.from).length} of them moved.` : "";
  return answer.items.length
    ? `${plural(answer.items.length, "item")}. First: ${answer.items[0].title}.${moved}${fallback}`
    : "No items.";
}

function nothing(answer) {
  return answer.eligible ? "Nothing was found." : ["No item passes these filters. Take one of them away.", ...answer.warnings].join(" ");
}

function showEmpty(text) {
  byId("results-empty").textContent = text;
  byId("results-empty").hidden = !text;
}

function itemOf(row, best, answer) {
  const { item, place } = row;
  const act = (value) => () => feedback(item, value, { request_id: answer.request_id, position: place - 1 });
  return h(
    "li",
    { class: "item", "data-item": item.item_id },
    h(
      "div",
      { class: "place" },
      h("span", {}, String(place)),
      "from" in row ? badge(row) : null,
      item.new ? h("span", { class: "count", title: "Nobody has met it yet: its words suit the history" }, "new") : null,
    ),
    h(
      "div",
      { class: "item-main" },
      h(
        "h3",
        {},
        h(
          "button",
          { type: "button", class: "title", on: { click: () => openItem(item.item_id, answer.request_id) } },
          item.title,
        ),
      ),
      h(
        "p",
        { class: "categories" },
        item.categories.slice(0, 6).map((name) =>
          h(
            "button",
            {
              type: "button",
              class: "link small",
              "aria-label": `Search ${name}`,
              on: { click: () => searchCategory(name) },
            },
            name,
          ),
        ),
      ),
    ),
    score(item, best, answer.source),
    h("p", { class: "reason" }),
    h(
      "div",
      { class: "item-actions" },
      action("heart", "Like", item, act("like")),
      action("hide", "Hide", item, act("hide")),
      action("plus", "Add", item, () => pick(item), `Add ${item.title} to the history`),
      why(item),
    ),
    h("div", { class: "why-body", hidden: true }),
  );
}

function action(name, text, item, work, label = `${text} ${item.title}`) {
  return h(
    "button",
    { type: "button", class: "action", "aria-label": label, on: { click: work } },
    icon(name),
    h("span", {}, text),
  );
}

function why(item) {
  const button = action("why", "Why?", item, unfold, `Why ${item.title}?`);
  button.classList.add("why");
  button.hidden = true; // until the reasons are there
  return button;
}

function unfold(event) {
  const button = event.currentTarget;
  const body = button.closest(".item").querySelector(".why-body");
  body.hidden = !body.hidden;
  button.setAttribute("aria-expanded", String(!body.hidden));
}

function score(item, best, source) {
  const share = Math.exp(Math.min(0, item.score - best));
  const meaning =
    source === "fallback"
      ? "score of the simpler model"
      : `score ${item.score.toFixed(4)}, log-probability ${item.logprob.toFixed(4)}`;
  return h(
    "div",
    { class: "score", title: meaning },
    h("span", { class: "bar" }, h("span", { style: { width: `${Math.max(2, 100 * share)}%` } })),
    h("span", { class: "number" }, h("span", { class: "hidden-title" }, "Score "), item.score.toFixed(2)),
  );
}

function positions(list) {
  return new Map([...list.children].map((row) => [row.dataset.item, row.getBoundingClientRect().top]));
}

/** Let rows glide from where they stood, for those who like motion. */
function glide(list, before) {
  if (matchMedia("(prefers-reduced-motion: reduce)").matches) return;
  for (const row of list.children) {
    const from = before.get(row.dataset.item);
    const by = from === undefined ? null : from - row.getBoundingClientRect().top;
    const frames =
      by === null ? [{ opacity: 0 }, { opacity: 1 }] : [{ transform: `translateY(${by}px)` }, { transform: "none" }];
    if (by !== 0) row.animate(frames, { duration: 320, easing: "cubic-bezier(.2,.7,.2,1)" });
  }
}
