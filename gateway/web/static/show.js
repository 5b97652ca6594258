// Make elements and words. Event data enters the page here, and only as text.

export function el(name, attributes = {}, ...children) {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (value !== null && value !== undefined && value !== false) element.setAttribute(key, value);
  }
  element.append(...children.filter((child) => child !== null && child !== undefined && child !== ""));
  return element;
}

const clock = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23" });
const day = new Intl.DateTimeFormat(undefined, { month: "short", day: "numeric" });
const exact = new Intl.DateTimeFormat(undefined, {
  year: "numeric", month: "2-digit", day: "2-digit", hour: "2-digit", minute: "2-digit", second: "2-digit",
  fractionalSecondDigits: 3, hourCycle: "h23", timeZoneName: "short",
});
const count = new Intl.NumberFormat();

export const number = (value) => count.format(value);
export const exactly = (seconds) => exact.format(new Date(seconds * 1000));

export function time(seconds) {
  const at = new Date(seconds * 1000);
  const isToday = at.toDateString() === new Date().toDateString();
  return el("time", { datetime: at.toISOString(), title: exact.format(at) }, isToday ? clock.format(at) : day.format(at));
}

export function duration(millis) {
  if (millis < 1) return "under 1 ms";
  if (millis < 1000) return `${Math.round(millis)} ms`;
  return millis < 60000 ? `${(millis / 1000).toFixed(1)} s` : `${Math.round(millis / 60000)} min`;
}

export function bytes(size) {
  if (size < 1024) return `${size} bytes`;
  return size < 1048576 ? `${(size / 1024).toFixed(1)} KB` : `${(size / 1048576).toFixed(1)} MB`;
}

export const plural = (amount, one, many = `${one}s`) => `${number(amount)} ${amount === 1 ? one : many}`;

const SENDING = { dead: "not sent", sending: "sending", queued: "to be sent", shown: "would send", sent: "sent" };

// The word beside a plugin's name. A handler that succeeded while its message did not leave is not "done".
export function outcome(result) {
  if (result.status !== "done" || !result.messages) return { state: result.status, word: result.status };
  const word = SENDING[result.sending] + (result.messages > 1 ? ` ${result.messages}` : "");
  const state = { dead: "dead", queued: "waiting", sending: "running" }[result.sending] ?? "done";
  return { state, word };
}

export function chip(result) {
  const { state, word } = outcome(result);
  const again = result.run > 0 ? ` (replay ${result.run})` : "";
  return el("span", { class: `result ${state}`, title: `${result.plugin}: ${word}${again}` },
    el("span", { class: "mark", "aria-hidden": "true" }), el("b", {}, result.plugin), el("em", {}, word));
}

export async function copy(button, text) {
  const before = button.textContent;
  try {
    await navigator.clipboard.writeText(text);
    button.textContent = "Copied";
  } catch {
    button.textContent = "Select and copy";
  }
  setTimeout(() => { button.textContent = before; }, 1500);
}
