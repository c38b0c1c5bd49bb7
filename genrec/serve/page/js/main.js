// Starts everything, and shows the view that the address names: #recommend, #chat, #map, #map=ITEM, #model.

import { openModel } from "./about.js";
import { model } from "./api.js";
import { startAsking } from "./ask.js";
import { startChat } from "./chat.js";
import { byId, count, fill } from "./dom.js";
import { startFilters } from "./filters.js";
import { startHistory } from "./history.js";
import { startKey } from "./key.js";
import { openMap, startMap } from "./map.js";
import { showAnswer, showReasons } from "./results.js";
import { problem } from "./say.js";
import { startSearch } from "./search.js";
import { change, state } from "./state.js";
import { startVisitor } from "./visitor.js";

const VIEWS = ["recommend", "chat", "map", "model"];
const OPENED = { map: openMap, model: openModel };

async function load() {
  try {
    change({ model: await model() });
    byId("served").textContent = `${state.model.dataset || "Catalog"}: ${count(state.model.items)} items`;
    route(false);
  } catch (error) {
    problem(error, load);
  }
}

function route(moveFocus = true) {
  const [name, argument = ""] = decodeURIComponent(location.hash.slice(1)).split(/=(.*)/s);
  if (name === "main") return; // the link that skips the header
  const view = VIEWS.includes(name) ? name : "recommend";
  if (byId(view).hidden) fill(byId("alerts"));
  for (const one of VIEWS) byId(one).hidden = one !== view;
  for (const link of document.querySelectorAll("nav[aria-label=Views] a")) {
    if (link.hash === `#${view}`) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
  }
  const title = byId(`${view}-title`);
  document.title = `${title.textContent} - genrec`;
  if (moveFocus) title.focus({ preventScroll: true });
  if (state.model) OPENED[view]?.(argument);
}

startHistory();
startFilters();
startAsking(showAnswer, showReasons);
startMap();
startChat();
startKey(load);
startVisitor();
startSearch();
showAnswer(null);
addEventListener("hashchange", () => route());
route(false);
load();
