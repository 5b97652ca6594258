// Dead letters: what was given up, to be tried again or done with, one or many.
import { doing, settle } from "./ask.js";
import { button, confirm, el, failure, number, plural, time } from "./show.js";
import { View, empty, title } from "./view.js";

const chosen = new Set();
let only = ""; // the plugin looked at

export function deadView(section, plugins) {
  const view = new View(section, { path: "/api/dead?limit=100", list: "dead", draw: (data) => draw(data, view, plugins()) });
  return view;
}

function draw({ dead }, view, plugins) {
  const here = new Set(dead.map(({ id }) => id));
  for (const id of chosen) if (!here.has(id)) chosen.delete(id);
  if (dead.length === 0 && !only) return [title("Dead letters"), empty("Nothing was given up", el("p", {}, "A delivery whose handler fails again and again ends here, with its error. It can be tried again once the cause is gone."))];
  return [
    title("Dead letters", picker(view, plugins), action(view, "retry"), action(view, "drop")),
    dead.length === 0 ? empty("Nothing of this plugin was given up") : table(dead, view),
  ];
}

function picker(view, plugins) {
  const field = el("select", { "aria-label": "Plugin", "data-key": "plugin" }, el("option", { value: "" }, "Every plugin"), plugins.map((name) => el("option", { value: name }, name)));
  field.value = only;
  field.addEventListener("change", () => {
    only = field.value;
    view.path = `/api/dead?limit=100${only ? `&plugin=${encodeURIComponent(only)}` : ""}`;
    view.pages = 1;
    chosen.clear();
    view.refresh();
  });
  return field;
}

const DOING = {
  retry: { word: "Retry", past: "waits again", many: "wait again" },
  drop: { word: "Drop", past: "is dropped", many: "are dropped" },
};

function action(view, kind) {
  const { word } = DOING[kind];
  const whose = chosen.size ? number(chosen.size) : only ? `all of ${only}` : "all";
  const run = (pressed) => doing(pressed, view.notes, async (say) => {
    const body = chosen.size ? { ids: [...chosen].map(Number) } : only ? { plugin: only } : { all: true };
    const { found } = await settle(`/api/dead/${kind}`, body, say);
    chosen.clear();
    await view.refresh();
    return `${plural(found, "dead letter")} ${found === 1 ? DOING[kind].past : DOING[kind].many}.`;
  });
  const ask = (pressed) => confirm(`Drop ${whose === "all" ? "all dead letters" : `${whose} dead letters`}?`, "Their events stay and can be replayed; these deliveries are not tried again.", "Drop", () => run(pressed));
  return button(`${word} ${whose}`, kind === "drop" ? ask : run, { "data-key": kind, class: kind === "retry" ? "primary" : "quiet" });
}

function table(dead, view) {
  const all = box("Choose all that are shown", dead.every(({ id }) => chosen.has(id)), (isOn) => { for (const { id } of dead) isOn ? chosen.add(id) : chosen.delete(id); view.redraw(); }, "all");
  return el("div", { class: "cards" }, el("p", { class: "all" }, el("label", {}, all, " ", plural(dead.length, "dead letter"))), dead.map((letter) => card(letter, view)));
}

function card({ id, event_id: event, story }, view) {
  const pick = box(`Choose the dead letter ${id}`, chosen.has(id), (isOn) => { isOn ? chosen.add(id) : chosen.delete(id); view.redraw(); }, `box ${id}`);
  return el("article", { class: "card letter" }, pick, el("div", {},
    el("p", {}, el("span", { class: "result dead" }, el("span", { class: "mark", "aria-hidden": "true" }), el("b", {}, story.plugin)), " ",
      el("a", { href: `#/events/${event}` }, `event ${event}`)),
    el("p", { class: "more" }, [story.handler && `handler ${story.handler}`, `${plural(story.attempts, "attempt")}`].filter(Boolean).join(" · "), story.started && [" · the last at ", time(story.started)]),
    story.error && failure(story.error, `error ${id}`)));
}

function box(label, isOn, change, key) {
  const field = el("input", { type: "checkbox", "aria-label": label, "data-key": key });
  field.checked = isOn;
  field.addEventListener("change", () => change(field.checked));
  return field;
}
