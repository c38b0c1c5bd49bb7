// What model answers here, and the benchmark's report on it.

import { byId, count, fill, h } from "./dom.js";
import { state } from "./state.js";

const KINDS = {
  atomic: "one code an item",
  semantic: "semantic IDs: items alike begin alike",
  title: "titles, piece by piece",
};

export function openModel() {
  const model = state.model;
  if (!model) return;
  fill(
    byId("model-facts"),
    h(
      "dl",
      { class: "columns" },
      facts(model).map(([name, value]) => h("div", {}, h("dt", {}, name), h("dd", {}, value))),
    ),
    table(
      "Measured when it was made",
      ["measure", "value"],
      Object.entries(model.metrics).map(([name, value]) => [name, value.toFixed(4)]),
    ),
    table(
      "Columns that filters can use",
      ["column", "type", "holds"],
      model.columns.filter((column) => column.kind).map((column) => [column.name, column.type, holds(column)]),
    ),
    table(
      "Limits of a request",
      ["what", "at most"],
      Object.entries(model.limits).map(([name, value]) => [name.replaceAll("_", " "), count(value)]),
    ),
  );
  const frame = byId("report-frame");
  byId("report-none").hidden = model.report;
  frame.hidden = byId("report-link").hidden = !model.report;
  if (model.report && !frame.src) frame.src = "/v1/report";
}

function facts(model) {
  return [
    ["Data set", model.dataset || "unnamed"],
    ["Items", count(model.items)],
    [
      "Item IDs",
      `${KINDS[model.item_tokenizer] ?? model.item_tokenizer}; ${model.levels} ${model.levels === 1 ? "level" : "levels"}`,
    ],
    ["History", `reads the last ${count(model.max_items)} items`],
    ["Prompts", model.reads_text ? "reads every word" : "uses titles, values, years and prices"],
    ["Base model", model.base.name ?? model.base.path ?? model.base.kind ?? "unnamed"],
    ["Version", h("code", {}, model.version)],
    ["genrec", model.genrec_version],
  ];
}

function table(title, head, rows) {
  if (!rows.length) return null;
  return h(
    "table",
    {},
    h("caption", {}, title),
    h(
      "thead",
      {},
      h(
        "tr",
        {},
        head.map((name) => h("th", { scope: "col" }, name)),
      ),
    ),
    h(
      "tbody",
      {},
      rows.map((row) =>
        h(
          "tr",
          {},
          row.map((cell, place) => (place ? h("td", {}, cell) : h("th", { scope: "row" }, cell))),
        ),
      ),
    ),
  );
}

function holds(column) {
  if (column.values)
    return column.values.length > 8
      ? `${column.values.slice(0, 8).join(", ")} and ${column.values.length - 8} more`
      : column.values.join(", ");
  return column.lowest === undefined || column.lowest === null ? "" : `${column.lowest} to ${column.highest}`;
}
