// What was shown, as events: of a visitor who is known. Who only looks leaves no trace.

import { sendEvents } from "./api.js";
import { state } from "./state.js";

const LOOKED_AT_MS = 1000; // a list that was replaced sooner was hardly seen
let waiting = 0;
let refused = false;

/** Tell the server what this answer shows, if it stays for a moment; null: nothing is shown. */
export function showsNow(answer) {
  clearTimeout(waiting);
  const { id, known } = state.visitor;
  if (answer?.items.length && known && !refused) waiting = setTimeout(() => tell(answer, id), LOOKED_AT_MS);
}

async function tell(answer, visitor) {
  const events = answer.items.map((item, position) => ({
    event_id: `shown-${answer.request_id}-${position}`,
    user_id: visitor,
    item_id: item.item_id,
    kind: "impression",
    request_id: answer.request_id,
    position,
  }));
  try {
    await sendEvents(events);
  } catch (error) {
    if (error.status === undefined) throw error; // a fault of the page: the console has it
    refused = error.wantsKey; // nothing that a visitor waits for: no problem is shown
  }
}
