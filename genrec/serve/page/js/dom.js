// Elements are made here and nowhere else: text only ever becomes text, so no title or answer is read as markup.

const SVG = "http://www.w3.org/2000/svg";

/** Make an element. `props`: class, on (listeners by event), style (custom properties), anything else an attribute. */
export function h(tag, props = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(props)) {
    if (value === undefined || value === null || value === false) continue;
    if (name === "on") for (const [event, listener] of Object.entries(value)) element.addEventListener(event, listener);
    else if (name === "style") for (const [key, one] of Object.entries(value)) element.style.setProperty(key, one);
    else element.setAttribute(name, value === true ? "" : String(value));
  }
  element.append(
    ...children.flat(Infinity).filter((child) => child !== null && child !== undefined && child !== false),
  );
  return element;
}

export const byId = (id) => document.getElementById(id);

export function fill(element, ...children) {
  element.replaceChildren(...children.flat(Infinity).filter(Boolean));
  return element;
}

const PATHS = {
  heart:
    "M12 20s-7-4.4-9-9c-1.300-3 .4-6.500 4-6.500 2.200 0 3.800 1.200 5 3 1.200-1.800 2.800-3 5-3 3.600 0 5.300 3.500 4 6.500-2 4.600-9 9-9 9z",
  hide: "M4 4l16 16M9.900 5.200A10 10 0 0 1 12 5c5 0 8.500 4 10 7a15 15 0 0 1-3 4M6 7.500A15 15 0 0 0 2 12c1.500 3 5 7 10 7a10 10 0 0 0 4-.8",
  plus: "M12 5v14M5 12h14",
  cross: "M6 6l12 12M18 6L6 18",
  about: "M12 11v6M12 7.500v.1M12 3a9 9 0 1 0 0 18 9 9 0 0 0 0-18z",
  why: "M9 9a3 3 0 1 1 4 2.800c-.8.300-1 .9-1 1.700M12 17.500v.1M12 3a9 9 0 1 0 0 18 9 9 0 0 0 0-18z",
  without: "M5 12h14M12 3a9 9 0 1 0 0 18 9 9 0 0 0 0-18z",
  back: "M9 14L4 9l5-5M4 9h10a6 6 0 0 1 0 12h-3",
};

/** A drawing beside a button's text; screen readers pass it by. */
export function icon(name) {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("viewBox", "0 0 24 24");
  svg.setAttribute("class", "icon");
  svg.setAttribute("aria-hidden", "true");
  const path = document.createElementNS(SVG, "path");
  path.setAttribute("d", PATHS[name]);
  svg.append(path);
  return svg;
}

/** A small round button with a drawing; `label` is its name and its tooltip. */
export function iconButton(name, label, onClick, extra = {}) {
  return h(
    "button",
    { type: "button", class: "icon-button", "aria-label": label, title: label, on: { click: onClick }, ...extra },
    icon(name),
  );
}

export function chip(...children) {
  return h("span", { class: "chip" }, ...children);
}

const waiting = new Map();
/** Call `work` once it was not asked for again for a moment. */
export function soon(work, ms = 200) {
  clearTimeout(waiting.get(work));
  waiting.set(
    work,
    setTimeout(() => work(), ms),
  );
}

export const count = (number) => Number(number).toLocaleString("en");
export const plural = (number, one, many = `${one}s`) => `${count(number)} ${number === 1 ? one : many}`;
