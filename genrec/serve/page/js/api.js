// The HTTP API: one function a route. What goes wrong becomes a Problem, in words.

let key = sessionStorage.getItem("genrec-key") ?? "";

export function useKey(text) {
  key = text;
  if (text) sessionStorage.setItem("genrec-key", text);
  else sessionStorage.removeItem("genrec-key");
}

export class Problem extends Error {
  constructor(
    { status = 0, type = "", title = "", detail = "", hint = "", field = "", request_id: id = "" },
    retryAfter = null,
  ) {
    super(detail || title);
    Object.assign(this, { status, type, title, detail, hint, field, id, retryAfter });
  }

  get wantsKey() {
    return this.status === 401 || this.type.endsWith(":scope");
  }
}

async function call(path, { method = "GET", body, signal } = {}) {
  const headers = { Accept: "application/json" };
  if (body !== undefined) headers["Content-Type"] = "application/json";
  if (key) headers.Authorization = `Bearer ${key}`;
  let response;
  try {
    response = await fetch(path, {
      method,
      headers,
      signal,
      body: body === undefined ? undefined : JSON.stringify(body),
      // With a key of our own, not the one that the browser was given as a password.
      credentials: key ? "omit" : "same-origin",
    });
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Problem({
      title: "The server cannot be reached",
      detail: "It may have stopped, or the network is down.",
    });
  }
  if (response.ok) return response.json();
  throw new Problem(await described(response), response.headers.get("Retry-After"));
}

async function described(response) {
  try {
    return await response.json();
  } catch {
    return {
      status: response.status,
      title: response.statusText,
      detail: `The server answered with status ${response.status}.`,
    };
  }
}

const query = (values) => {
  const parameters = new URLSearchParams();
  for (const [name, value] of Object.entries(values)) {
    for (const one of [value].flat()) if (one !== undefined && one !== "") parameters.append(name, one);
  }
  return parameters.toString();
};

export const model = () => call("/v1/model");
export const findItems = (values, signal) => call(`/v1/items?${query(values)}`, { signal });
export const recommend = (body, signal) => call("/v1/recommend", { method: "POST", body, signal });
export const similar = (body) => call("/v1/similar", { method: "POST", body });
export const sendEvents = (events) => call("/v1/events", { method: "POST", body: events });
export const user = (id) => call(`/v1/users/${encodeURIComponent(id)}`);
export const forgetUser = (id) => call(`/v1/users/${encodeURIComponent(id)}`, { method: "DELETE" });
export const chat = (body) => call("/v1/chat", { method: "POST", body });
export const tree = (values) => call(`/v1/tree?${query(values)}`);
export const readiness = () => call("/health/ready");

/** Items of some ids, with every column; those the catalog does not have are missing. */
export async function itemsOf(ids) {
  const found = [];
  for (let start = 0; start < ids.length; start += 50) {
    found.push(...(await findItems({ item_id: ids.slice(start, start + 50) })).items);
  }
  return found;
}

export function newId(prefix = "", length = 16) {
  const bytes = crypto.getRandomValues(new Uint8Array(length)); // randomUUID is not there without TLS
  return prefix + Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
