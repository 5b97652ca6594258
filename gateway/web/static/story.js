// What happened to one event, from top to bottom.
import { bytes, duration, el, failure, mark, plural, time } from "./show.js";

const STATES = {
  done: "done", waiting: "waits for its turn", running: "running now", skipped: "no handler matched",
  dropped: "dropped by its handler", retrying: "will be tried again", dead: "given up: a dead letter",
};
const CAME_TO = { failed: "failed", stuck: "did not come back in time", retry: "asked for another try", died: "ended with the worker" };
const SENDING = {
  shown: ["would send", ({ target }) => [`to ${target} · no evolution.apikey in config.yaml`]],
  queued: ["will send", ({ target, attempts, due }) => [`to ${target}`, attempts ? `, after ${plural(attempts, "try", "tries")}` : "", due ? [", next at ", time(due)] : ""]],
  sending: ["is sending", ({ target }) => [`to ${target}`]],
  sent: ["sent", ({ target, message_id: id, created, finished }) => [`to ${target}`, finished ? ` · Evolution took it after ${duration((finished - created) * 1000)}` : "", id ? ` · message ${id}` : ""]],
  dropped: ["was to send", ({ target }) => [`to ${target}, and was dropped by a person`]],
  dead: ["could not send", ({ target, attempts }) => [`to ${target}, after ${plural(attempts, "try", "tries")}`]],
};

export function storyOf(event, why) {
  const steps = event.stories.map((one) => story(one, why));
  return el("ol", { class: "story" }, accepted(event), steps.length ? steps : nobody(why));
}

function accepted({ row, suffix, address, size, millis, repeated_at: again }) {
  const way = [`from ${address ?? "an unknown address"}`, suffix ? `by …/${suffix}` : "by the base path", bytes(size), `read in ${duration(millis)}`];
  return step("done",
    el("p", {}, el("b", {}, "Accepted"), ` as event ${row.id} at `, time(row.at)),
    el("p", { class: "more" }, way.join(" · ")),
    row.repeats > 0 && el("p", { class: "more" }, `${plural(row.repeats, "more copy", "more copies")} came and counted as this event`, again ? [", the last at ", time(again)] : ""));
}

function story(one, why) {
  const took = one.millis !== null && !["waiting", "skipped"].includes(one.status) ? `in ${duration(one.millis)}` : "";
  const how = [
    one.handler && `handler ${one.handler}`, one.attempts > 1 && plural(one.attempts, "attempt"), took, one.run > 0 && `replay ${one.run}`,
  ].filter(Boolean).join(" · ");
  const asks = one.status === "skipped" && why(one.plugin);
  return step(one.status,
    el("p", {}, el("b", {}, one.plugin), " ", el("span", { class: "state" }, STATES[one.status] ?? one.status), asks && [" ", asks]),
    how && el("p", { class: "more" }, how),
    one.due && el("p", { class: "more" }, "next try at ", time(one.due)),
    one.history.length > 0 && attempts(one),
    one.error && one.error !== one.history.at(-1)?.error && failure(one.error, `error ${one.plugin} ${one.run}`),
    one.messages.map(message));
}

function attempts({ plugin, run, history }) {
  return el("ol", { class: "attempts" }, history.map((one, at) => {
    const isSame = one.error && one.error === history[at - 1]?.error;
    return el("li", {}, time(one.started), ` ${CAME_TO[one.result]} after ${duration(one.millis)}`, isSame && ", in the same way",
      one.error && !isSame && failure(one.error, `attempt ${plugin} ${run} ${at}`));
  }));
}

function nobody(why) {
  return step("skipped", el("p", {}, "No plugin has taken it up ", why(null)),
    el("p", { class: "more" }, "Either no loaded plugin subscribes to this event, or the worker has not come to it yet."));
}

export function step(state, ...children) {
  return el("li", { class: state }, mark(), children);
}

export function message(one) {
  const [verb, where] = SENDING[one.status] ?? [one.status, () => [`to ${one.target}`]];
  return el("div", { class: `message ${one.status}` }, `${verb} `, said(one), el("small", {}, where(one)), one.error && failure(one.error, `message ${one.id}`));
}

export function said({ kind, text }) {
  return [kind !== "text" && el("b", {}, `${kind} `), text !== null && el("q", { dir: "auto" }, text)];
}
