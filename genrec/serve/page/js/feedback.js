// Likes and hides: events that are on the server's disk before the page says so.

import { newId, sendEvents } from "./api.js";
import { problem, toast } from "./say.js";
import { change, state } from "./state.js";
import { ensureVisitor, reloadVisitor } from "./visitor.js";

const DONE = { like: "Liked", hide: "Hidden", undo: "Taken back" };

/** Say what the visitor thinks of an item: like, hide or undo. `shown`: the answer and the place that showed it. */
export async function feedback(item, value, shown = {}) {
  const event = {
    event_id: newId(),
    user_id: ensureVisitor(),
    item_id: item.item_id,
    kind: "feedback",
    value,
    ...shown,
  };
  await send(event, item);
}

async function send(event, item) {
  try {
    await sendEvents([event]);
  } catch (error) {
    return problem(error, () => send(event, item)); // the same event: it counts once however often it is sent
  }
  if (event.value === "like") change({ picks: state.picks.filter((one) => one.item_id !== item.item_id) });
  await reloadVisitor(item, event.value);
  const text = `${DONE[event.value]}: ${item.title}.`;
  if (event.value === "undo") toast(text);
  else toast(`${text} The list knows it already.`, "Take back", () => feedback(item, "undo"));
}
