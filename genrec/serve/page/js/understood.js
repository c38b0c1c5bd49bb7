// What was understood of a prompt, the filters that applied, and who answered.

import { chip, h } from "./dom.js";

const LABELS = [
  ["liked", "Like"],
  ["disliked", "Not like"],
  ["wanted", "Wanted"],
  ["unwanted", "Not wanted"],
  ["title_words", "In the title"],
  ["unwanted_title_words", "Not in the title"],
  ["rest", "Not understood"],
];

export function understood(answer) {
  const said = answer.understood;
  const rows = said
    ? LABELS.filter(([name]) => said[name]?.length).map(([name, label]) => line(label, said[name], name))
    : [];
  if (answer.filters.length) rows.push(line("Only", answer.filters, "applied"));
  if (said && !rows.length)
    rows.push(
      h("p", { class: "muted small" }, "Nothing of these words was understood as a title or a value of the catalog."),
    );
  if (answer.source === "fallback") {
    rows.push(h("p", { class: "warning" }, "A simpler model answered: the generator was too slow this time."));
  }
  return rows.length
    ? h("div", { class: "understood", role: "group", "aria-label": "What was understood" }, rows)
    : null;
}

function line(label, values, kind) {
  return h(
    "p",
    { class: `understood-line ${kind}` },
    h("span", { class: "label" }, label),
    values.map((value) => chip(value)),
  );
}
