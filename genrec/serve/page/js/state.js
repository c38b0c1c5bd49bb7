// What is asked for. Views change it through `change` and hear of every change.

export const state = {
  model: null, // GET /v1/model
  picks: [], // items of the history that were clicked, oldest first
  leftOut: new Set(), // ids of the history that the what-if view leaves out
  prompt: "",
  filters: [], // {column, text, expressions}
  options: { k: 10, max_per_category: null, new_items: 0, explain: true, include_seen: false, exact: false },
  visitor: { id: "", known: false, history: [], hidden: [] },
};

const listeners = [];

/** Hear of changes: `listener(names)` gets the set of what changed. */
export function onChange(listener) {
  listeners.push(listener);
}

export function change(patch) {
  Object.assign(state, patch);
  const names = new Set(Object.keys(patch));
  for (const listener of listeners) listener(names);
}

/** The whole history: what is known of the visitor, then what was picked. */
export function wholeHistory() {
  return [...state.visitor.history, ...state.picks];
}

export function pick(item) {
  change({ picks: [...state.picks, { item_id: item.item_id, title: item.title }] });
}
