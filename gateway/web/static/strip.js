// The numbers above the list, the chart of the last half hour, and what is wrong with the gateway.
import { duration, el, number, put, tell } from "./show.js";

const CHART = { width: 300, height: 34, gap: 2 };
const at = (id) => document.getElementById(id);

export function strip({ counts, load_errors: broken, reasons }) {
  for (const box of at("counts").children) {
    const name = box.dataset.count, value = counts[name];
    box.querySelector("dd").textContent = name === "lag" ? late(value) : number(value);
    box.classList.toggle("some", name === "lag" ? value >= 1 : value > 0);
  }
  badge("dead", counts.dead ? number(counts.dead) : "");
  badge("plugins", broken.length ? "!" : "");
  chart(counts);
  alerts([...reasons.map((text) => ["", text]), ...broken.map(({ file, line, text }) => [`${file}${line ? `:${line}` : ""} could not be loaded`, text])]);
}

const late = (seconds) => (seconds < 1 ? "none" : duration(seconds * 1000));

export function badge(name, text) {
  at(`badge-${name}`).textContent = text;
}

function chart({ per_minute: events, failed_per_minute: failed }) {
  const most = Math.max(...events, ...failed, 1);
  const step = CHART.width / events.length;
  const high = (value) => value && Math.max(2, (value / most) * CHART.height);
  put(at("chart"), events.map((value, index) => [
    bar(index * step, step - CHART.gap, high(value)),
    failed[index] ? bar(index * step, step - CHART.gap, high(failed[index]), "failed") : null,
  ]));
  const said = `${number(events.at(-1))} now, at most ${number(most)}`;
  const fails = failed.reduce((sum, value) => sum + value, 0);
  at("chart-now").textContent = fails ? `${said}, ${number(fails)} failed` : said;
  at("chart").setAttribute("aria-label", `Events a minute in the last ${events.length}: ${said}; ${fails} failed attempts`);
}

function bar(x, width, height, kind = "") {
  const rect = document.createElementNS("http://www.w3.org/2000/svg", "rect");
  for (const [key, value] of Object.entries({ x, width, y: CHART.height - height, height, class: kind })) rect.setAttribute(key, value);
  return rect;
}

function alerts(found) {
  const text = found.flat().join("\n");
  if (at("alerts").dataset.text === text) return; // not said again to a screen reader
  at("alerts").dataset.text = text;
  put(at("alerts"), found.map(alert));
}

function alert([title, text]) {
  const made = el("button", { type: "button", class: "alert" }, el("span", {}, title && el("strong", {}, title), text.trimEnd().split("\n").at(title ? -1 : 0)));
  made.addEventListener("click", () => tell(el("h2", {}, title || "What is wrong"), title ? el("pre", {}, text) : el("p", {}, text)));
  return made;
}
