// The tree of item IDs as a map: areas are branches, as large as they have items. A click goes down one level.

import { tree } from "./api.js";
import { byId, count, fill, h, plural } from "./dom.js";
import { openItem } from "./item.js";
import { problem } from "./say.js";
import { onChange, state } from "./state.js";
import { treemap } from "./treemap.js";

const PAGE = 120;
const ABOUT = {
  semantic:
    "An item's ID is a few codes, made so that items alike begin alike. Each area is a code; its size tells how many items go on from there.",
  title:
    "An item's ID is its title, piece by piece. Each area is a piece; its size tells how many titles go on from there.",
  atomic: "An item's ID is one code of its own, so the tree has one level and every area is an item.",
};
let node = 0;
let offset = 0;

export function startMap() {
  byId("map-previous").addEventListener("click", () => go(node, offset - PAGE));
  byId("map-next").addEventListener("click", () => go(node, offset + PAGE));
  onChange((names) => {
    if (names.has("model")) byId("map-about").textContent = ABOUT[state.model.item_tokenizer] ?? "";
  });
}

/** Show the root, or the branch of an item. */
export const openMap = (item = "") => (item ? load({ item_id: item }, item) : load({ node, offset }));

function go(to, from = 0) {
  return load({ node: to, offset: from }).then(() => byId("map-path").querySelector("[aria-current]")?.focus());
}

async function load(where, item = "") {
  try {
    const found = await tree({ ...where, limit: PAGE });
    node = found.node;
    offset = where.offset ?? 0;
    render(found, item);
  } catch (error) {
    problem(error, () => load(where, item));
  }
}

function render(found, item) {
  const children = [...found.children].sort((one, other) => other.items - one.items);
  byId("map-facts").textContent = `${plural(found.items, "item")}, ${plural(found.total, "branch", "branches")}`;
  fill(byId("map-path"), path(found));
  const areas = treemap(
    children.map((child) => child.items),
    100,
    100,
  );
  fill(
    byId("map-nodes"),
    children.map((child, row) => areaOf(child, areas[row], found, item)),
  );
  const many = found.total > PAGE;
  byId("map-pages").hidden = !many;
  byId("map-previous").disabled = offset === 0;
  byId("map-next").disabled = offset + PAGE >= found.total;
  byId("map-nodes").querySelector(".here button")?.focus();
}

function path(found) {
  // Only the parent's node is known: the way up goes one step at a time, or to the root.
  const steps = found.path.map((code) => h("span", { class: "code" }, code));
  const last = steps.length - 1;
  if (last >= 0) {
    steps[last].setAttribute("aria-current", "location");
    steps[last].setAttribute("tabindex", "-1");
  }
  return [
    h(
      "button",
      {
        type: "button",
        class: "link",
        tabindex: last < 0 ? "-1" : null,
        "aria-current": last < 0 ? "location" : null,
        on: { click: () => go(0) },
      },
      "All items",
    ),
    steps.map((step) => [h("span", { "aria-hidden": "true", class: "muted" }, "›"), step]),
    found.parent === null
      ? null
      : h("button", { type: "button", on: { click: () => go(found.parent) } }, "Up one level"),
  ];
}

function areaOf(child, area, found, item) {
  const titles = child.samples.map((one) => one.title);
  const here = child.leaf && child.samples.some((one) => one.item_id === item);
  const open = () => (child.leaf ? openItem(child.samples[0].item_id) : go(child.node));
  const name = child.leaf
    ? titles.join(", ")
    : `Code ${child.code}, ${plural(child.items, "item")}: ${titles.join(", ")}`;
  const hue = ((found.path[0] ?? child.code) * 47 + 170) % 360;
  return h(
    "li",
    {
      class: `area${child.leaf ? " leaf" : ""}${here ? " here" : ""}`,
      style: {
        left: `${area.x}%`,
        top: `${area.y}%`,
        width: `${area.width}%`,
        height: `${area.height}%`,
        "--hue": hue,
      },
    },
    h(
      "button",
      { type: "button", "aria-label": name, title: name, on: { click: open } },
      child.leaf
        ? null
        : h(
            "span",
            { class: "area-head" },
            h("span", { class: "code" }, child.code),
            h("span", { class: "small" }, count(child.items)),
          ),
      h(
        "span",
        { class: "area-titles" },
        titles.map((title) => h("span", {}, title)),
      ),
    ),
  );
}
