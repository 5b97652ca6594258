// Answers the worker gives about one event: why which handler matched, and what a dry run would send.
import { settle, doing } from "./ask.js";
import { button, duration, el, exactly, failure, plural, put } from "./show.js";
import { said } from "./story.js";

// --- why

export function explain(place, id, plugin, pressed) {
  const said = el("p", { class: "more", role: "status" });
  put(place, said);
  return doing(pressed, said, async (say) => {
    say("Asking the worker…");
    const { result } = await settle("/api/explain", { id: Number(id), ...(plugin ? { plugins: [plugin] } : {}) });
    put(place,
      el("p", { class: "more" }, "As the filters answer now, ", exactly(result.as_of), ". Then it may have been another hour, or other code."),
      result.plugins.map(pluginAnswer),
      result.plugins.length === 0 && el("p", {}, "No plugin is loaded."),
      said);
  });
}

function pluginAnswer({ plugin, event, matched, handlers, error }) {
  const verdict = matched ? `handler ${matched} matches` : `no handler matches${event ? "" : " this event"}`;
  return el("div", { class: `why ${matched ? "done" : "skipped"}` }, el("p", {}, el("b", {}, plugin), ` ${verdict}`),
    error && failure(error), el("ul", {}, handlers.map(handlerAnswer)));
}

function handlerAnswer({ name, file, line, events, takes, matches, filters }) {
  const answer = takes ? yes(matches) : "no";
  return el("li", {}, tick(answer), el("b", {}, name), el("small", {}, ` ${file.split("/").at(-1)}:${line}`),
    takes ? el("ul", {}, filters.map(filterAnswer), filters.length === 0 && el("li", {}, "no filters: it takes every one"))
      : el("p", { class: "more" }, `takes only ${events.join(", ")}`));
}

function filterAnswer({ filter, answer, error, reached, parts }) {
  return el("li", { class: reached ? null : "unasked" }, tick(yes(answer)), el("code", {}, filter),
    !reached && el("small", {}, " not needed"), error && failure(error), parts.length > 0 && el("ul", {}, parts.map(filterAnswer)));
}

const yes = (answer) => ({ true: "yes", false: "no", null: "unclear" })[String(answer)];
const SIGNS = { yes: "✓", no: "✗", unclear: "?" };
const tick = (answer) => el("span", { class: `tick ${answer}` }, SIGNS[answer], el("span", { class: "unseen" }, ` ${answer}: `));

// --- replay and dry run

export function replaying(event, done) {
  const plugins = [...new Set(event.stories.map(({ plugin }) => plugin))];
  const chosen = el("select", { "aria-label": "To which plugin" }, el("option", { value: "" }, "every plugin"), plugins.map((name) => el("option", { value: name }, name)));
  const some = () => (chosen.value ? { plugins: [chosen.value] } : {});
  const told = el("p", { class: "more", role: "status" });
  const found = el("div", { class: "found" });
  const id = Number(event.row.id);
  const dry = button("Dry run", (pressed) => doing(pressed, told, async (say) => {
    say("Running the handlers…");
    const { result } = await settle("/api/dry-run", { id, ...some() }, say);
    put(found, runs(result));
    return "Nothing was sent or saved.";
  }));
  const real = button("Replay now", (pressed) => doing(pressed, told, async (say) => {
    say("Asking the worker…");
    const { found: made } = await settle("/api/replay", { ids: [id], ...some() }, say);
    done();
    return made ? `Replayed to ${plural(made, "plugin")}; what became of it stands in the story.` : "No loaded plugin takes this event.";
  }), { class: "primary" });
  return el("section", { class: "panel", "aria-label": "Replay" },
    el("p", { class: "more" }, "Handle it again as a new run. What its handlers send is sent again; a dry run shows it first."),
    el("div", { class: "actions" }, chosen, dry, real), told, found);
}

function runs({ runs: all }) {
  if (all.length === 0) return [el("p", {}, "No loaded plugin takes this event.")];
  return all.map((run) => el("div", { class: `run ${STATE[run.result] ?? run.result}` },
    el("p", {}, el("b", {}, run.plugin), ` ${WORDS[run.result] ?? run.result}`, el("small", {}, ` ${[run.handler && `handler ${run.handler}`, duration(run.millis)].filter(Boolean).join(" · ")}`)),
    run.sends.map((send) => el("div", { class: "message shown" }, "would send ", send.kind === "text" ? said({ kind: "text", text: send.payload.text }) : send.text, el("small", {}, `to ${send.to}`))),
    run.changes.map(change), run.error && failure(run.error)));
}

const STATE = { retry: "retrying", failed: "dead", stuck: "dead" };
const WORDS = { done: "would be done", skipped: "no handler matches", dropped: "would drop it", retry: "would ask for another try", failed: "would fail", stuck: "did not come back in time" };

function change({ scope, before, after }) {
  return el("div", { class: "message" }, "would remember ", el("code", {}, short(after)), el("small", {}, `${scope}, which is ${short(before)} now`));
}

function short(value) {
  const text = JSON.stringify(value ?? null);
  return text.length > 200 ? `${text.slice(0, 200)}…` : text;
}
