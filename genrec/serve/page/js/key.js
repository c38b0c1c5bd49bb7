// A key typed into the page: used instead of the one that the browser asked for, in this tab only.

import { useKey } from "./api.js";
import { byId } from "./dom.js";
import { onKeyWanted } from "./say.js";

export function startKey(afterKey) {
  const dialog = byId("key-dialog");
  let again = null;
  const open = (work) => {
    again = work;
    byId("key-button").hidden = false;
    byId("key-input").value = "";
    dialog.showModal();
  };
  onKeyWanted(open);
  byId("key-button").addEventListener("click", () => open(afterKey));
  byId("key-cancel").addEventListener("click", () => dialog.close());
  byId("key-form").addEventListener("submit", (event) => {
    event.preventDefault();
    useKey(byId("key-input").value.trim());
    byId("key-input").value = "";
    dialog.close();
    (again ?? afterKey)();
  });
}
