// Why an item is there: the sentence, and the facts it was made of.

import { h, plural } from "./dom.js";
import { toggleLeftOut } from "./history.js";
import { state, wholeHistory } from "./state.js";

/** The sentence without the title, which stands above it. */
export function inShort(reasons) {
  const text = reasons.sentence.startsWith(`${reasons.title}: `)
    ? reasons.sentence.slice(reasons.title.length + 2)
    : reasons.sentence;
  return h("span", {}, text.charAt(0).toUpperCase() + text.slice(1));
}

export function details(reasons) {
  return [
    reasons.history.length
      ? part("History", "What each item does: with it, against without it.", history(reasons.history))
      : null,
    reasons.words.length
      ? part(
          "Words",
          null,
          list(
            reasons.words.map((word) => [`“${word.text}”`, word.kind === "limit" ? values(word.values) : word.what]),
          ),
        )
      : null,
    reasons.evidence.length
      ? part("People", null, list(reasons.evidence.slice(0, 5).map((one) => [one.title, people(one)])))
      : null,
    reasons.filters.length
      ? part("Filters", null, list(reasons.filters.map((one) => [one.expression, values(one.values)])))
      : null,
    h(
      "p",
      { class: "muted small" },
      `Score ${reasons.score.toFixed(4)}, log-probability ${reasons.logprob.toFixed(4)}`,
    ),
  ];
}

function part(title, about, body) {
  return h(
    "section",
    { class: "why-part" },
    h("h4", {}, title),
    about && h("p", { class: "muted small" }, about),
    body,
  );
}

function list(rows) {
  return h(
    "ul",
    { class: "plain" },
    rows.map(([what, fact]) => h("li", {}, h("strong", {}, what), " ", h("span", { class: "muted" }, fact))),
  );
}

function history(rows) {
  const most = Math.max(...rows.map((row) => Math.abs(row.delta)), 0.01);
  const mine = new Set(wholeHistory().map((item) => item.item_id));
  return h(
    "ul",
    { class: "plain deltas" },
    rows.slice(0, 12).map((row) => delta(row, most, mine)),
  );
}

function delta(row, most, mine) {
  const width = `${(50 * Math.abs(row.delta)) / most}%`;
  const against = row.delta < 0;
  const factor = Math.exp(Math.abs(row.delta));
  const fact =
    factor < 1.05
      ? "makes no difference"
      : `${factor.toFixed(1)} times ${against ? "less" : "more"} likely with it; without it at place ${row.place_without}`;
  const left = state.leftOut.has(row.item_id);
  return h(
    "li",
    {},
    h("span", { class: "delta-title" }, row.title),
    h(
      "span",
      { class: "delta-bar", "aria-hidden": "true" },
      h("span", { class: against ? "against" : "for", style: { width } }),
    ),
    h("span", { class: "muted small delta-fact" }, fact),
    mine.has(row.item_id) && !left
      ? h(
          "button",
          {
            type: "button",
            class: "link small",
            "aria-label": `Leave out ${row.title}`,
            on: { click: () => toggleLeftOut(row.item_id) },
          },
          "Leave out",
        )
      : null,
  );
}

const people = (one) =>
  `${one.both} of the ${plural(one.people, "person", "people")} who met it met this too; of all ${one.everyone}, ${one.met} did`;
const values = (found) =>
  Object.entries(found)
    .map(([name, value]) => `${name} ${Array.isArray(value) ? value.join(", ") : value}`)
    .join("; ");
