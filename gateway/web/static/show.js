// Make elements and words. Event data enters the page here, and only as text.

export function el(name, attributes = {}, ...children) {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (value !== null && value !== undefined && value !== false) element.setAttribute(key, value);
  }
  return put(element, children);
}

// Fill an element anew. Lists are laid flat; what is null, false or "" is left out.
export function put(element, ...children) {
  element.replaceChildren(...children.flat(Infinity).filter((child) => child !== null && child !== undefined && child !== "" && child !== false));
  return element;
}

export function button(text, press, attributes = {}) {
  const made = el("button", { type: "button", class: "quiet", ...attributes }, text);
  made.addEventListener("click", () => press(made));
  return made;
}

const clock = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23" });
const day = new Intl.DateTimeFormat(undefined, { month: "short", day: "numeric", hour: "2-digit", minute: "2-digit", hourCycle: "h23" });
const exact = new Intl.DateTimeFormat(undefined, {
  year: "numeric", month: "2-digit", day: "2-digit", hour: "2-digit", minute: "2-digit", second: "2-digit",
  fractionalSecondDigits: 3, hourCycle: "h23", timeZoneName: "short",
});
const count = new Intl.NumberFormat();

export const number = (value) => count.format(value);
export const plural = (amount, one, many = `${one}s`) => `${number(amount)} ${amount === 1 ? one : many}`;

// A moment in the viewer's zone; the exact one shows on hover.
export function time(seconds, shown = null) {
  const at = new Date(seconds * 1000);
  const isToday = at.toDateString() === new Date().toDateString();
  return el("time", { datetime: at.toISOString(), title: exact.format(at) }, shown ?? (isToday ? clock : day).format(at));
}

export const exactly = (seconds) => time(seconds, exact.format(new Date(seconds * 1000)));

export function duration(millis) {
  if (millis < 1) return "under 1 ms";
  if (millis < 1000) return `${Math.round(millis)} ms`;
  if (millis < 60_000) return `${(millis / 1000).toFixed(1)} s`;
  if (millis < 5_400_000) return `${Math.round(millis / 60_000)} min`;
  return millis < 172_800_000 ? `${Math.round(millis / 3_600_000)} h` : `${Math.round(millis / 86_400_000)} days`;
}

export function bytes(size) {
  if (size < 1024) return `${size} bytes`;
  return size < 1_048_576 ? `${(size / 1024).toFixed(1)} KB` : `${(size / 1_048_576).toFixed(1)} MB`;
}

export const mark = () => el("span", { class: "mark", "aria-hidden": "true" });

const SENDING = { dead: "not sent", sending: "sending", queued: "to be sent", shown: "would send", sent: "sent", dropped: "not sent" };
const PLAIN = ["done", "skipped"]; // their mark says enough to the eye
const ORDER = ["dead", "retrying", "running", "waiting", "done", "dropped", "skipped"]; // what wants a look comes first

// The word beside a plugin's name. A handler that succeeded while its message did not leave is not "done".
export function outcome(result) {
  if (result.status !== "done" || !result.messages) return { state: result.status, word: result.status };
  const word = SENDING[result.sending] + (result.messages > 1 ? ` ${result.messages}` : "");
  const state = { dead: "dead", queued: "waiting", sending: "running", dropped: "dropped" }[result.sending] ?? "done";
  return { state, word };
}

export function chips(results) {
  const all = results.map((result) => ({ ...outcome(result), result }));
  return all.sort((a, b) => ORDER.indexOf(a.state) - ORDER.indexOf(b.state)).map(chip);
}

function chip({ state, word, result }) {
  const again = result.run > 0 ? ` (replay ${result.run})` : "";
  return el("span", { class: `result ${state}`, title: `${result.plugin}: ${word}${again}` },
    mark(), el("b", {}, result.plugin), el("em", { class: PLAIN.includes(word) ? "unseen" : null }, word));
}

// The last line of a traceback is what went wrong; the rest is how it came to that.
export function failure(text, key = null) {
  const last = text.trimEnd().split("\n").at(-1);
  if (last === text.trim()) return el("p", { class: "error" }, last);
  return el("details", { class: "error", "data-key": key }, el("summary", {}, last), el("pre", {}, text));
}

export async function copy(pressed, text) {
  const before = pressed.textContent;
  try {
    await navigator.clipboard.writeText(text);
    pressed.textContent = "Copied";
  } catch {
    pressed.textContent = "Not allowed";
  }
  setTimeout(() => { pressed.textContent = before; }, 1500);
}

// A dialog with these in it; the last child may be buttons. Escape closes it.
export function tell(...children) {
  const dialog = document.getElementById("dialog");
  const title = children[0]?.textContent ?? "Message";
  dialog.setAttribute("aria-label", title);
  dialog.replaceChildren(...children);
  dialog.showModal();
  return dialog;
}

export function confirm(question, consequence, doing, act) {
  const yes = button(doing, () => { dialog.close(); act(); }, { class: "danger" });
  const dialog = tell(el("h2", {}, question), el("p", {}, consequence), el("div", { class: "actions" }, button("Cancel", () => dialog.close()), yes));
}
