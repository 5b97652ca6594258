// The page: which view is shown, what its keys do, and what the stream says to all of them.
import { deadView } from "./dead.js";
import { Events } from "./events.js";
import { Instances } from "./instances.js";
import { outboxView } from "./outbox.js";
import { pluginsView } from "./plugins.js";
import { copy, tell } from "./show.js";
import { strip } from "./strip.js";

const at = (id) => document.getElementById(id);
let plugins = []; // names of the loaded ones

const events = new Events({ go, state, news, strip: numbers, instances: (all) => views.instances.show(all) });
const views = {
  events: { enter: () => { at("view-events").hidden = false; }, leave: () => { at("view-events").hidden = true; events.filters.rest(); } },
  dead: deadView(at("view-dead"), () => plugins),
  outbox: outboxView(at("view-outbox")),
  plugins: pluginsView(at("view-plugins")),
  instances: new Instances(at("view-instances"), at("present")),
};
const NAMES = Object.keys(views);

// --- addresses: #/events/42?text=…

function address() {
  const [path, query = ""] = location.hash.replace(/^#\/?/, "").split("?");
  const [name, id] = path.split("/");
  return { name: NAMES.includes(name) ? name : "events", id: /^\d{1,19}$/.test(id) ? id : null, query };
}

function go(id, query, isReplaced = false) {
  const hash = `#/events${id === null ? "" : `/${id}`}${query ? `?${query}` : ""}`;
  if (hash !== location.hash) history[isReplaced ? "replaceState" : "pushState"](null, "", hash);
  route();
}

function route() {
  const { name, id, query } = address();
  for (const link of at("views").children) {
    if (link.dataset.view === name) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
  }
  for (const [each, view] of Object.entries(views)) if (each !== name) view.leave();
  views[name].enter();
  if (name === "events") at("views").firstElementChild.setAttribute("href", location.hash || "#/events"); // the way back
  if (name === "events") events.enter(id, query);
  else if (events.query === null) events.enter(null, "");
}

// --- what the stream says

function state(name, words) {
  at("link").dataset.state = name;
  at("link").textContent = words;
}

function numbers(now) {
  plugins = now.plugins;
  events.filters.know({ plugins });
  strip(now);
  news();
}

// Something has become of an event, or of its messages, which need not change a number.
function news() {
  for (const name of ["dead", "outbox", "plugins"]) views[name].changed();
}

// --- keys

const inEvents = (act) => () => { if (address().name === "events") act(); };
const KEYS = {
  "?": keys,
  "/": inEvents(() => { at("filters").elements.text.focus(); at("filters").elements.text.select(); }),
  j: inEvents(() => events.step(1)),
  k: inEvents(() => events.step(-1)),
  p: inEvents(() => events.pause()),
  r: inEvents(() => events.detail.press("r")),
  w: inEvents(() => events.detail.press("w")),
  ...Object.fromEntries(NAMES.map((name, index) => [String(index + 1), () => at("views").children[index].click()])),
};

function keys() {
  tell(...at("keys").content.cloneNode(true).children);
}

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || at("dialog").open) return;
  const isTyping = event.target.matches("input:not([type=checkbox]), select, textarea");
  const inRows = event.target.matches(".row");
  const act = event.key === "Escape" ? () => escape(isTyping, event.target)
    : inRows && event.key === "ArrowDown" ? KEYS.j : inRows && event.key === "ArrowUp" ? KEYS.k
    : isTyping ? null : KEYS[event.key];
  if (!act) return;
  event.preventDefault();
  act();
});

function escape(isTyping, field) {
  if (isTyping) field.blur();
  else if (address().name === "events" && events.detail.id !== null) events.open(null);
}

at("show-keys").addEventListener("click", keys);
at("dialog").addEventListener("click", ({ target }) => { if (target === at("dialog")) at("dialog").close(); });
document.addEventListener("click", ({ target }) => { if (target.dataset?.copy) copy(target, target.dataset.copy); });
addEventListener("hashchange", route);
route();
