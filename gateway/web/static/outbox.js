// The outbox: messages that wait to leave, are on their way, or could not be sent.
import { doing, settle } from "./ask.js";
import { button, confirm, el, failure, number, plural, time } from "./show.js";
import { said } from "./story.js";
import { View, empty, title } from "./view.js";

const STATES = { queued: ["waiting", "waits"], sending: ["running", "is on its way"], dead: ["dead", "could not be sent"] };

export function outboxView(section) {
  const view = new View(section, { path: "/api/outbox?limit=100", list: "messages", draw: (data) => draw(data, view) });
  return view;
}

function draw({ counts, chats, messages }, view) {
  if (messages.length === 0) return [title("Outbox"), empty("Nothing waits to be sent", el("p", {}, "What a handler queues with ctx.reply leaves here, in order within a chat. Without evolution.apikey in config.yaml nothing is sent: the event then says what would be."))];
  return [
    title("Outbox"),
    el("dl", { class: "facts" }, ["queued", "sending", "dead"].map((name) => el("div", {}, el("dt", {}, { queued: "waiting", sending: "on their way", dead: "not sent" }[name]), el("dd", {}, number(counts[name]))))),
    chats.length > 0 && el("section", {}, el("h3", {}, "Chats that wait the longest"), el("ul", { class: "plain" }, chats.map(chat))),
    el("div", { class: "cards" }, messages.map((one) => card(one, view))),
  ];
}

function chat({ instance, target, waiting, oldest }) {
  return el("li", {}, el("b", {}, target), ` on ${instance} · ${plural(waiting, "message")} since `, time(oldest));
}

function card(one, view) {
  const [state, word] = STATES[one.status] ?? ["done", one.status];
  return el("article", { class: "card" },
    el("p", {}, el("span", { class: `result ${state}` }, el("span", { class: "mark", "aria-hidden": "true" }), el("b", {}, word)), " ", said(one)),
    el("p", { class: "more" }, `to ${one.target} on ${one.instance} · ${one.plugin} · `, el("a", { href: `#/events/${one.event_id}` }, `event ${one.event_id}`), " · queued at ", time(one.created),
      one.attempts > 0 && ` · ${plural(one.attempts, "try", "tries")}`, one.due && [" · next at ", time(one.due)]),
    one.error && failure(one.error, `error ${one.id}`),
    one.status === "dead" && el("p", { class: "actions" }, ask("Send again", one, view), ask("Drop", one, view)));
}

const DOING = {
  "Send again": ["/api/dead/retry", "If it has left already, it arrives twice.", "It waits to be sent again."],
  Drop: ["/api/dead/drop", "It is not sent; its event stays and can be replayed.", "It is dropped."],
};

function ask(word, { id, target }, view) {
  const [path, consequence, done] = DOING[word];
  const run = (pressed) => doing(pressed, view.notes, async (say) => {
    await settle(path, { ids: [Number(id)], messages: true }, say);
    await view.refresh();
    return done;
  });
  return button(word, (pressed) => confirm(`${word}: the message to ${target}?`, consequence, word, () => run(pressed)), { "data-key": `${word} ${id}` });
}
