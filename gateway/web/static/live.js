// The list: rows arrive by server-sent events, newest first, and nothing moves that the reader did not move.
import { render } from "./detail.js";
import { chip, copy, el, number, plural, time } from "./show.js";

const KEPT = 2000; // rows in the page; more are behind "Show older events"
const PAGE = 100;
const CHART = { width: 240, height: 36, gap: 2 };

const at = (id) => document.getElementById(id);
const list = at("list"), rows = at("rows"), fresh = at("fresh"), older = at("older"), empty = at("empty");
const panes = at("panes"), detail = at("detail"), link = at("link");
const known = new Map(); // id -> { item, encoded }
let chosen = null; // id of the opened event
let unseen = 0;
let isFollowing = true; // old rows fall off the end, unless the reader asked for older ones
let isWhole = false; // the oldest event is shown

// --- rows

function show(batch) {
  const wasDown = list.scrollTop > 4;
  const height = rows.offsetHeight;
  const added = batch.sort((a, b) => Number(a.id) - Number(b.id)).filter(put).length;
  drop();
  if (wasDown && added) {
    if (!CSS.supports("overflow-anchor", "auto")) list.scrollTop += rows.offsetHeight - height;
    note(unseen + added);
  }
  empty.hidden = known.size > 0;
  older.hidden = isWhole || known.size < PAGE;
}

// Puts one row in its place; true when it is new on top.
function put(row) {
  const encoded = JSON.stringify(row);
  const old = known.get(row.id);
  if (old?.encoded === encoded) return false;
  if (row.id === chosen) refresh();
  if (old) {
    fill(old.item.firstChild, row);
    old.encoded = encoded;
    return false;
  }
  const item = el("li", { "data-id": row.id }, el("button", { class: "row", "aria-expanded": row.id === chosen ? "true" : "false" }));
  fill(item.firstChild, row);
  known.set(row.id, { item, encoded });
  rows.insertBefore(item, below(Number(row.id)));
  return item === rows.firstChild;
}

// The item that a row stands above: nearly always the first one, or none for older rows.
function below(id) {
  const isUnder = (item) => Number(item.dataset.id) < id;
  if (!rows.lastChild || isUnder(rows.firstChild)) return rows.firstChild;
  return isUnder(rows.lastChild) ? [...rows.children].find(isUnder) : null;
}

function fill(button, row) {
  const person = row.from_me ? "you" : row.who;
  button.replaceChildren(
    time(row.at),
    el("span", { class: "instance", title: row.instance }, row.instance ?? "–"),
    el("span", { class: "event", title: row.event }, row.event, row.repeats ? el("span", { class: "repeats", title: `came ${plural(row.repeats + 1, "time")}` }, `×${number(row.repeats + 1)}`) : null),
    el("span", { class: "who" }, person && el("bdi", {}, person), row.chat && el(person ? "small" : "span", {}, row.chat)),
    el("span", { class: "results" }, ...row.plugins.map(chip)),
  );
}

function drop() {
  while (isFollowing && known.size > KEPT) {
    known.delete(rows.lastChild.dataset.id);
    rows.lastChild.remove();
  }
}

function note(amount) {
  unseen = amount;
  fresh.hidden = amount === 0;
  fresh.textContent = `↑ ${plural(amount, "new event")}`;
}

async function showOlder() {
  const answer = await fetch(`/api/events?limit=${PAGE}&before=${rows.lastChild.dataset.id}`);
  if (!answer.ok) return;
  const { events, next } = await answer.json();
  isFollowing = false;
  isWhole = next === null;
  show(events);
}

// --- the opened event

async function open(id) {
  mark(id);
  await refresh();
  if (chosen === id) detail.focus({ preventScroll: true });
}

async function refresh() {
  const id = chosen;
  const answer = await fetch(`/api/events/${id}`);
  if (chosen !== id) return; // another one was opened meanwhile
  const body = await answer.json();
  const isSame = detail.dataset.id === id;
  const scroll = isSame ? detail.scrollTop : 0;
  if (answer.ok) render(detail, body, close);
  else detail.replaceChildren(el("p", { class: "note" }, body.detail));
  detail.dataset.id = id;
  detail.scrollTop = scroll;
}

// Rows change their height when the list makes room; the row that was pressed stays where it is.
function mark(id) {
  const row = known.get(id ?? chosen)?.item.firstChild;
  const before = row?.offsetParent && row.getBoundingClientRect().top; // on a phone the list is away meanwhile
  known.get(chosen)?.item.firstChild.setAttribute("aria-expanded", "false");
  known.get(id)?.item.firstChild.setAttribute("aria-expanded", "true");
  chosen = id;
  detail.hidden = id === null;
  panes.classList.toggle("open", id !== null);
  if (before && row.offsetParent) list.scrollTop += row.getBoundingClientRect().top - before;
}

function close() {
  const row = known.get(chosen)?.item.firstChild;
  mark(null);
  detail.replaceChildren();
  delete detail.dataset.id;
  row?.focus({ preventScroll: true });
}

// --- the strip

function strip({ counts, load_errors: broken, reasons }) {
  for (const box of at("counts").children) {
    const value = counts[box.dataset.count];
    box.querySelector("dd").textContent = number(value);
    box.classList.toggle("some", value > 0);
  }
  chart(counts.per_minute);
  alerts([...reasons.map((reason) => alert(reason)), ...broken.map(brokenFile)]);
}

function chart(minutes) {
  const most = Math.max(...minutes, 1);
  const step = CHART.width / minutes.length;
  at("chart").replaceChildren(...minutes.map((value, index) => bar(index * step, step - CHART.gap, (value / most) * CHART.height)));
  at("chart").setAttribute("aria-label", `Events a minute: ${minutes.at(-1)} in this one, at most ${most} in the last ${minutes.length}`);
}

function bar(x, width, height) {
  const rect = document.createElementNS("http://www.w3.org/2000/svg", "rect");
  const shown = height && Math.max(height, 2);
  for (const [key, value] of Object.entries({ x, width, y: CHART.height - shown, height: shown, rx: 1 })) rect.setAttribute(key, value);
  return rect;
}

const alert = (text) => el("div", { class: "alert" }, el("strong", {}, text));
const brokenFile = ({ file, line, text }) => el("div", { class: "alert" }, el("strong", {}, "A plugin could not be loaded: "), `${file}${line ? `, line ${line}` : ""}`, el("pre", {}, text));

function alerts(found) {
  const text = found.map((one) => one.textContent).join("\n");
  if (at("alerts").dataset.text === text) return; // not said again to a screen reader
  at("alerts").dataset.text = text;
  at("alerts").replaceChildren(...found);
}

// --- the stream

function listen() {
  const stream = new EventSource("/live/stream");
  const say = (state, text) => { link.dataset.state = state; link.textContent = text; };
  stream.addEventListener("open", () => { say("live", "live"); empty.hidden = known.size > 0; });
  stream.addEventListener("anew", anew);
  stream.addEventListener("rows", (message) => show(JSON.parse(message.data)));
  stream.addEventListener("strip", (message) => strip(JSON.parse(message.data)));
  stream.addEventListener("error", () => {
    say("lost", "reconnecting");
    if (stream.readyState === EventSource.CLOSED) setTimeout(returnLater, 3000);
  });
}

// The browser has given up: the login has ended, or the gateway is not there.
async function returnLater() {
  const answer = await fetch("/api/events?limit=1").catch(() => null);
  if (answer?.status === 401) location.assign("/live");
  else listen();
}

function anew() {
  known.clear();
  rows.replaceChildren();
  isFollowing = true;
  isWhole = false;
  note(0);
}

// --- hands

rows.addEventListener("click", ({ target }) => {
  const id = target.closest("li")?.dataset.id;
  if (id) id === chosen ? close() : open(id);
});
rows.addEventListener("keydown", (event) => {
  const item = event.target.closest("li");
  const next = { ArrowDown: item?.nextSibling, ArrowUp: item?.previousSibling }[event.key];
  if (!next) return;
  event.preventDefault();
  next.firstChild.focus();
});
document.addEventListener("keydown", (event) => { if (event.key === "Escape" && chosen !== null) close(); });
document.addEventListener("click", ({ target }) => { if (target.dataset?.copy) copy(target, target.dataset.copy); });
list.addEventListener("scroll", () => { if (list.scrollTop <= 4 && unseen) note(0); }, { passive: true });
fresh.addEventListener("click", () => { list.scrollTop = 0; note(0); });
older.addEventListener("click", showOlder);

listen();
