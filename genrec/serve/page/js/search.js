// The catalog: items by words and category, to click into the history.

import { findItems } from "./api.js";
import { byId, fill, h, icon, iconButton, plural, soon } from "./dom.js";
import { openItem } from "./item.js";
import { problem } from "./say.js";
import { onChange, pick, state, wholeHistory } from "./state.js";

const PAGE = 30;
let offset = 0;
let running = null;

export function startSearch() {
  byId("search").addEventListener("submit", (event) => (event.preventDefault(), search()));
  byId("search-words").addEventListener("input", () => soon(search));
  byId("search-category").addEventListener("change", () => search());
  byId("search-more").addEventListener("click", () => search(offset + PAGE));
  byId("history-example").addEventListener("click", takeThree);
  onChange((names) => {
    if (names.has("model")) {
      showCategories();
      search();
    }
    if (names.has("picks") || names.has("visitor")) markPicked();
  });
}

function showCategories() {
  const values = state.model.columns.find((column) => column.name === "categories")?.values ?? [];
  const select = byId("search-category");
  select.hidden = values.length === 0;
  select.replaceChildren(select.options[0], ...[...values].sort().map((value) => h("option", { value }, value)));
}

/** Show the items of a category. */
export function searchCategory(category) {
  const select = byId("search-category");
  const listed = [...select.options].some((option) => option.value === category);
  select.value = listed ? category : "";
  byId("search-words").value = listed ? "" : category;
  search();
  byId("search-words").focus();
}

async function search(from = 0) {
  offset = from;
  running?.abort();
  running = new AbortController();
  const words = `${byId("search-words").value} ${byId("search-category").value}`.trim();
  try {
    const page = await findItems({ query: words, limit: PAGE, offset: from }, running.signal);
    const rows = page.items.map(row);
    if (from) byId("search-results").append(...rows);
    else fill(byId("search-results"), rows);
    byId("search-count").textContent = page.total ? plural(page.total, "item") : "Nothing has all of these words.";
    byId("search-more").hidden = from + page.items.length >= page.total;
    markPicked();
    if (from) rows[0]?.querySelector("button").focus();
  } catch (error) {
    problem(error, () => search(from));
  }
}

function row(item) {
  return h(
    "li",
    { "data-item": item.item_id },
    h(
      "button",
      {
        type: "button",
        class: "found-item",
        "aria-label": `Add ${item.title} to the history`,
        on: { click: () => pick(item) },
      },
      icon("plus"),
      h(
        "span",
        { class: "found-text" },
        h("span", { class: "found-title" }, item.title),
        h("span", { class: "muted small" }, about(item)),
      ),
    ),
    iconButton("about", `About ${item.title}`, () => openItem(item.item_id)),
  );
}

/** Categories and one number that tells items apart, such as a year or a price. */
function about(item) {
  const column = state.model?.columns.find((one) => one.kind === "number" && typeof item[one.name] === "number");
  return [item.categories.slice(0, 3).join(", "), column && `${column.name} ${item[column.name]}`]
    .filter(Boolean)
    .join(" · ");
}

function markPicked() {
  const picked = new Set(wholeHistory().map((item) => item.item_id));
  for (const one of byId("search-results").children) one.classList.toggle("picked", picked.has(one.dataset.item));
}

async function takeThree() {
  try {
    const total = state.model?.items ?? 0;
    const start = Math.max(0, Math.floor(Math.random() * (total - 3)));
    const { items } = await findItems({ limit: 3, offset: start });
    items.forEach(pick);
    byId("results-title").scrollIntoView({ block: "nearest" });
  } catch (error) {
    problem(error, takeThree);
  }
}
