// Plugins: what is loaded, how it does, what is held back, and files that could not be loaded.
import { doing, settle } from "./ask.js";
import { button, duration, el, failure, mark, number, time } from "./show.js";
import { View, empty, title } from "./view.js";

export function pluginsView(section) {
  const view = new View(section, { path: "/api/plugins", draw: (data) => draw(data, view) });
  return view;
}

function draw({ plugins, load_errors: broken }, view) {
  return [
    title("Plugins", plugins.length > 1 && switching(plugins, view)),
    ...broken.map(brokenFile),
    plugins.length === 0 ? empty("No plugin is loaded", el("p", {}, "Save a Python file in the folder routes/; it is loaded within two seconds. ", el("code", {}, "gateway init"), " makes one to start from."))
      : el("div", { class: "cards wide" }, plugins.map((one) => card(one, view))),
  ];
}

function brokenFile({ file, line, text }) {
  return el("article", { class: "card broken" }, el("p", {}, el("b", {}, `${file}${line ? `, line ${line}` : ""}`), " could not be loaded. What was loaded before goes on."), el("pre", {}, text));
}

function switching(plugins, view) {
  const isPaused = plugins.every((one) => one.paused);
  return steer(isPaused ? "resume" : "pause", isPaused ? "Resume all" : "Pause all", {}, view, "pause *");
}

function steer(kind, words, body, view, key) {
  return button(words, (pressed) => doing(pressed, view.notes, async (say) => {
    await settle(`/api/${kind}`, body, say);
    await view.refresh();
    return kind === "pause" ? "Paused: events wait, and nothing is lost." : "Resumed.";
  }), { "data-key": key });
}

function stateOf({ paused, breaker, last_failure: failed }) {
  if (paused) return ["waiting", el("span", {}, "paused since ", time(paused))];
  if (breaker) return ["retrying", el("span", {}, "held back since ", time(breaker.since), ": it failed again and again")];
  return ["done", el("span", {}, failed ? "works" : "works, nothing failed")];
}

function card(one, view) {
  const { name, file, handlers, events, settings, paused, breaker, counts, latency, last_failure: failed, delivery } = one;
  const [state, words] = stateOf(one);
  return el("article", { class: "card plugin" },
    el("header", {}, el("div", {}, el("h3", {}, name), el("small", {}, file)),
      steer(paused ? "resume" : "pause", paused ? "Resume" : "Pause", { plugin: name }, view, `pause ${name}`)),
    el("p", { class: `state ${state}` }, mark(), " ", words),
    breaker && failure(breaker.error, `breaker ${name}`),
    el("dl", { class: "facts" }, facts(counts, latency)),
    failed && el("p", { class: "more" }, "Last failure ", time(failed.at), " in ", el("a", { href: `#/events/${failed.event_id}` }, `event ${failed.event_id}`), failure(failed.error)),
    el("details", { "data-key": `handlers ${name}` }, el("summary", {}, "Handlers and filters"), el("ul", { class: "plain" }, handlers.map(handler)),
      el("p", { class: "more" }, events.length ? `Takes ${events.join(", ")}` : "Takes every event")),
    el("details", { "data-key": `settings ${name}` }, el("summary", {}, "Settings"), el("pre", {}, settings ? JSON.stringify(settings, null, 2) : "none of its own"),
      el("p", { class: "more" }, `Timeout ${delivery.timeout} s · tries again after ${delivery.retry.join(", ")} s · ${number(delivery.concurrency)} at once · order by ${delivery.order}`)));
}

function facts(counts, latency) {
  const shown = [
    ["done", counts.done], ["skipped", counts.skipped], ["failed", counts.failed, "dead"], ["waiting", counts.waiting, "waiting"], ["dead", counts.dead, "dead"],
  ].map(([name, value, tone]) => [name, number(value), value ? tone : ""]);
  if (latency) shown.push(["median", duration(latency.p50)], ["95 % within", duration(latency.p95)]);
  return shown.map(([name, value, tone]) => el("div", { class: tone }, el("dt", {}, name), el("dd", {}, value)));
}

function handler({ name, line, events, filters }) {
  return el("li", {}, el("b", {}, name), el("small", {}, ` line ${line} · ${events.join(", ")}`), filters.length > 0 && el("code", {}, filters.join(" & ")));
}
