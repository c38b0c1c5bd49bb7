// Asks for recommendations whenever what is asked for changes, and keeps the last answer.

import { recommend } from "./api.js";
import { byId, soon } from "./dom.js";
import { clearProblem, problem } from "./say.js";
import { onChange, state, wholeHistory } from "./state.js";

const PARTS = ["picks", "leftOut", "prompt", "filters", "options", "visitor"];
let show = () => {};
let explained = () => {};
let running = null;

/** `onAnswer({answer, full, ms})` gets each answer, null when there is nothing to ask for; `onReasons` what follows. */
export function startAsking(onAnswer, onReasons) {
  show = onAnswer;
  explained = onReasons;
  onChange((names) => {
    if (!PARTS.some((name) => names.has(name))) return;
    byId("results").setAttribute("aria-busy", "true");
    soon(ask, 60);
  });
  byId("ask").addEventListener("submit", (event) => {
    event.preventDefault();
    state.prompt = byId("prompt").value.trim();
    ask();
  });
  byId("prompt").addEventListener("keydown", (event) => {
    if (event.key === "Enter" && !event.shiftKey) {
      event.preventDefault();
      byId("ask").requestSubmit();
    }
  });
}

export async function ask() {
  running?.abort();
  const { signal } = (running = new AbortController());
  const list = byId("results");
  const done = () => running.signal === signal && list.removeAttribute("aria-busy");
  const bodies = requests();
  if (!bodies) return (show(null), done());
  list.setAttribute("aria-busy", "true");
  const start = performance.now();
  try {
    const { answers } = await recommend({ requests: bodies }, signal);
    const [answer, full = null] = answers;
    for (const one of answers) one.items = shown(one.items);
    clearProblem("list");
    list.toggleAttribute("data-reasons-pending", state.options.explain && answer.items.length > 0);
    show({ answer, full, ms: performance.now() - start });
    done();
    if (state.options.explain && answer.items.length) await giveReasons(bodies[0], signal);
  } catch (error) {
    problem(error, ask, "list");
    done();
  }
}

/** The items are there first: reasons cost the model a prompt for each item of the history. */
async function giveReasons(body, signal) {
  try {
    const answer = await recommend({ ...body, explain: true }, signal);
    explained(new Map(answer.items.map((item) => [item.item_id, item.reasons])));
  } catch (error) {
    if (error.name === "AbortError") return;
    explained(null, error);
  } finally {
    if (running.signal === signal) byId("results").removeAttribute("data-reasons-pending");
  }
}

/** What to ask: the list to show and, where something is left out, the list with everything. */
function requests() {
  const { picks, leftOut, prompt, filters, options, visitor, model } = state;
  if (!wholeHistory().length && !prompt) return null;
  const common = {
    k: options.k,
    include_seen: options.include_seen,
    exact: options.exact,
    filters: filters.flatMap((filter) => filter.expressions),
    ...(prompt && { prompt }),
    ...(options.max_per_category && { max_per_category: options.max_per_category }),
    ...(options.new_items && { new_items: options.new_items }),
  };
  const ids = (items) => items.map((item) => item.item_id);
  if (!leftOut.size) {
    return [{ ...common, history: ids(picks), ...(visitor.known && { user_id: visitor.id }) }];
  }
  // Both lists are made in the same way, from a written history, so that nothing but what is left out differs.
  const limit = model?.limits.history ?? 1000;
  const whole = ids(wholeHistory()).slice(-limit);
  const k = Math.min(options.k + visitor.hidden.length + leftOut.size, model?.limits.k ?? 200);
  const history = whole.filter((id) => !leftOut.has(id));
  return [
    { ...common, k, history },
    { ...common, k, history: whole },
  ];
}

/** Without what the visitor hid, and without what was left out of the history: nobody asks whether to meet it again. */
function shown(items) {
  const { leftOut, options, visitor } = state;
  const hidden = new Set([...visitor.hidden.map((item) => item.item_id), ...(options.include_seen ? [] : leftOut)]);
  return items.filter((item) => !hidden.has(item.item_id)).slice(0, options.k);
}
