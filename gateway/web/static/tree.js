// JSON as a tree that folds. Folded parts are made when they are looked at.
import { el, plural } from "./show.js";

const OPEN_DEPTH = 2;
const LONG = 4096; // characters; the gateway cuts strings likewise

export function tree(value, key = null, depth = 0) {
  const name = key === null ? null : el("span", { class: "key" }, key);
  if (value === null || typeof value !== "object") return el("p", {}, name, name && ": ", leaf(value));
  const entries = Object.entries(value);
  const size = plural(entries.length, Array.isArray(value) ? "item" : "field");
  const box = el("details", { open: depth < OPEN_DEPTH ? "" : null }, el("summary", {}, name, name && " ", el("span", { class: "size" }, size)));
  const fill = () => box.childElementCount === 1 && box.append(el("div", {}, entries.map(([below, item]) => tree(item, below, depth + 1))));
  if (box.open) fill();
  box.addEventListener("toggle", () => box.open && fill());
  return box;
}

function leaf(value) {
  if (typeof value !== "string") return el("span", { class: typeof value === "number" ? "number" : "nothing" }, String(value));
  const shown = value.length > LONG ? `${value.slice(0, LONG)}… (${value.length} characters, cut)` : value;
  return el("span", { class: "text" }, JSON.stringify(shown));
}
