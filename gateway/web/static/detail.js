// The opened event: what happened to it from top to bottom, then its JSON.
import { bytes, copy, duration, el, exactly, plural } from "./show.js";

const OPEN_DEPTH = 2;
const STATES = {
  done: "done", waiting: "waiting for its turn", running: "running now", skipped: "no handler matched",
  dropped: "dropped by its handler", retrying: "will be tried again", dead: "given up: a dead letter",
};
const SENDING = {
  shown: ["would send", ({ target }) => `to ${target} (no evolution.apikey in config.yaml)`],
  queued: ["will send", ({ target, attempts }) => `to ${target}${attempts ? `, after ${plural(attempts, "try", "tries")}` : ""}`],
  sending: ["is sending", ({ target }) => `to ${target}`],
  sent: ["sent", ({ target, message_id: id }) => `to ${target}${id ? ` · message ${id}` : ""}`],
  dead: ["could not send", ({ target, attempts }) => `to ${target}, after ${plural(attempts, "try", "tries")}`],
};

export function render(panel, event, close) {
  const raw = el("button", { class: "quiet" }, "Copy");
  raw.addEventListener("click", () => copy(raw, JSON.stringify(event.raw, null, 2)));
  panel.replaceChildren(...[
    heading(event.row, close),
    event.text && el("blockquote", { dir: "auto" }, event.text),
    el("h3", {}, "What happened"),
    el("ol", { class: "story" }, accepted(event), ...event.stories.map(story), nobody(event)),
    el("div", { class: "heading" }, el("h3", {}, "JSON, without secrets"), event.note ? null : raw),
    event.note ? el("p", { class: "note" }, event.note) : el("div", { class: "tree" }, tree(event.raw)),
  ].filter(Boolean));
}

function heading(row, close) {
  const button = el("button", { class: "quiet", "aria-label": "Close the event" }, "Close");
  button.addEventListener("click", close);
  const about = [row.instance, row.from_me ? "you" : row.who, row.chat].filter(Boolean).join(" · ");
  return el("header", {}, el("div", {}, el("h2", {}, row.event), el("p", {}, about || "belongs to no instance")), button);
}

function accepted({ row, suffix, address, size, millis }) {
  const way = [`from ${address ?? "an unknown address"}`, suffix ? `by …/${suffix}` : "by the base path", bytes(size), `read in ${duration(millis)}`];
  const repeats = row.repeats ? el("p", { class: "more" }, `${plural(row.repeats, "more copy", "more copies")} came and counted as the same event.`) : null;
  return step("done", el("p", {}, el("b", {}, "Accepted "), `as event ${row.id}`), el("p", { class: "more" }, exactly(row.at)), el("p", { class: "more" }, way.join(" · ")), repeats);
}

function story(one) {
  const took = one.millis === null || ["waiting", "skipped"].includes(one.status) ? null : `in ${duration(one.millis)}`;
  const how = [
    one.handler && `handler ${one.handler}`, one.attempts > 1 && `attempt ${one.attempts}`, took,
    one.due && `next try ${exactly(one.due)}`, one.run > 0 && `replay ${one.run}`,
  ].filter(Boolean).join(" · ");
  return step(one.status,
    el("p", {}, el("b", {}, one.plugin), " ", el("span", { class: "state" }, STATES[one.status] ?? one.status)),
    how && el("p", { class: "more" }, how), one.error && failure(one.error), ...one.messages.map(message));
}

function nobody({ stories }) {
  return stories.length ? null : step("skipped", el("p", {}, "No plugin has taken it up"),
    el("p", { class: "more" }, "Either no loaded plugin subscribes to this event, or the worker has not come to it yet."));
}

function step(state, ...children) {
  return el("li", { class: state }, el("span", { class: "mark", "aria-hidden": "true" }), ...children);
}

function message(one) {
  const [verb, where] = SENDING[one.status] ?? [one.status, () => ""];
  const text = one.text === null ? one.kind : el("q", {}, one.text);
  return el("div", { class: `message ${one.status}` }, `${verb} `, text, el("small", {}, where(one)), one.error && failure(one.error));
}

// The last line of a traceback is what went wrong; the rest is how it came to that.
function failure(text) {
  const last = text.trimEnd().split("\n").at(-1);
  return el("details", { class: "error" }, el("summary", {}, last), el("pre", {}, text));
}

function tree(value, key = null, depth = 0) {
  const name = key === null ? null : el("span", { class: "key" }, key);
  if (value === null || typeof value !== "object") return el("p", {}, name, name && ": ", leaf(value));
  const entries = Object.entries(value);
  const kind = Array.isArray(value) ? plural(entries.length, "item") : plural(entries.length, "field");
  const box = el("details", { open: depth < OPEN_DEPTH ? "" : null }, el("summary", {}, name, name && " ", el("span", { class: "size" }, kind)));
  const fill = () => box.childElementCount === 1 && box.append(el("div", {}, ...entries.map(([below, item]) => tree(item, below, depth + 1))));
  if (box.open) fill();
  box.addEventListener("toggle", () => box.open && fill()); // folded parts are made when they are looked at
  return box;
}

function leaf(value) {
  if (typeof value === "string") return el("span", { class: "text" }, JSON.stringify(value));
  return el("span", { class: typeof value === "number" ? "number" : "nothing" }, String(value));
}
