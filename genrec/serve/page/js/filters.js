// Filters: a fitting field for each column of the catalog, and one for expressions of one's own.

import { byId, fill, h, soon } from "./dom.js";
import { change, onChange, state } from "./state.js";

const SKIPPED = ["item_id", "title", "text"];

export function startFilters() {
  byId("filters").addEventListener("submit", (event) => (event.preventDefault(), collect()));
  byId("filters").addEventListener("input", (event) => soon(collect, typed(event) ? 350 : 0));
  byId("options").addEventListener("submit", (event) => event.preventDefault());
  byId("options").addEventListener("input", (event) => soon(readOptions, typed(event) ? 350 : 0));
  onChange((names) => names.has("model") && build());
}

const typed = (event) => event.target.matches("input:not([type=checkbox])");

function build() {
  const columns = state.model.columns.filter((column) => column.kind && !SKIPPED.includes(column.name));
  fill(
    byId("filters"),
    columns.map((column) =>
      h("fieldset", { "data-column": column.name }, h("legend", {}, column.name), widget(column)),
    ),
    h(
      "fieldset",
      { class: "own" },
      h("legend", {}, "An expression"),
      h("input", {
        name: "own",
        "aria-label": "An expression",
        placeholder: "year>=1990 and not genre=Horror",
        maxlength: 500,
        spellcheck: "false",
        autocomplete: "off",
      }),
    ),
    h(
      "div",
      { class: "row end" },
      h("button", { type: "reset", class: "quiet", on: { click: () => setTimeout(collect) } }, "Clear the filters"),
    ),
  );
}

function widget(column) {
  const named = (props) => h("input", { "aria-label": `${column.name} ${props.name}`, ...props });
  if (column.kind === "number") {
    const step = /int/.test(column.type) ? 1 : "any";
    return h(
      "div",
      { class: "range" },
      named({ name: "from", type: "number", step, placeholder: column.lowest }),
      "to",
      named({ name: "to", type: "number", step, placeholder: column.highest }),
    );
  }
  if (column.kind === "date")
    return h(
      "div",
      { class: "range" },
      named({ name: "from", type: "date" }),
      "to",
      named({ name: "to", type: "date" }),
    );
  if (column.kind === "boolean") return select("choice", column.name, ["", "true", "false"], ["any", "yes", "no"]);
  if (!column.values) return named({ name: "contains", placeholder: "contains", maxlength: 200 });
  return [
    select("mode", `${column.name}: one of, or none of`, ["any", "none"], ["one of", "none of"]),
    h(
      "div",
      { class: "values" },
      [...column.values]
        .sort()
        .map((value) =>
          h("label", { class: "check" }, h("input", { type: "checkbox", name: "value", value }), " ", value),
        ),
    ),
  ];
}

function select(name, label, values, labels) {
  return h(
    "select",
    { name, "aria-label": label },
    values.map((value, row) => h("option", { value }, labels[row])),
  );
}

function collect() {
  const filters = [...byId("filters").querySelectorAll("fieldset[data-column]")]
    .map((box) => expressions(box))
    .filter(Boolean);
  const own = byId("filters").querySelector("[name=own]").value.trim();
  if (own) filters.push({ column: "", expressions: [own] });
  const number = filters.length;
  byId("filters-count").textContent = number;
  byId("filters-count").hidden = !number;
  if (JSON.stringify(filters) !== JSON.stringify(state.filters)) change({ filters });
}

function expressions(box) {
  const column = box.dataset.column;
  const name = /^\w+$/.test(column) ? column : quoted(column);
  const value = (field) => box.querySelector(`[name=${field}]`)?.value.trim() ?? "";
  const found = [];
  if (value("from")) found.push(`${name}>=${value("from")}`);
  if (value("to")) found.push(`${name}<=${value("to")}`);
  if (value("choice")) found.push(`${name}=${value("choice")}`);
  if (value("contains")) found.push(`${name}~${quoted(value("contains"))}`);
  const values = [...box.querySelectorAll("[name=value]:checked")].map((one) => `${name}=${quoted(one.value)}`);
  const any = values.join(" or ");
  if (values.length) found.push(value("mode") === "none" ? `not (${any})` : any);
  return found.length ? { column, expressions: found } : null;
}

/** A value as the filter language reads it; it has no way to write both kinds of quotes, so one becomes the other's end. */
export function quoted(text) {
  return text.includes("'") ? `"${text.replaceAll('"', "")}"` : `'${text}'`;
}

function readOptions() {
  const form = byId("options").elements;
  const k = Math.min(100, Math.max(1, form.k.valueAsNumber || 10));
  change({
    options: {
      k,
      max_per_category: form.max_per_category.valueAsNumber || null,
      new_items: Math.min(k, Math.max(0, form.new_items.valueAsNumber || 0)),
      explain: form.explain.checked,
      include_seen: form.include_seen.checked,
      exact: form.exact.checked,
    },
  });
}
