// One event as a row of the list.
import { chips, el, number, plural, put, time } from "./show.js";

export function fill(pressed, row) {
  const person = row.from_me ? "you" : row.who;
  put(pressed,
    time(row.at),
    el("span", { class: "instance", title: row.instance }, row.instance ?? "–"),
    el("span", { class: "event", title: row.event }, el("span", {}, row.event), row.repeats ? repeats(row) : null),
    el("span", { class: "who" },
      person && el("b", {}, el("bdi", {}, person)),
      row.chat && el("span", { class: person ? "chat" : "" }, row.chat),
      row.text && el("span", { class: "text" }, el("bdi", {}, row.text))),
    el("span", { class: "results" }, ...chips(row.plugins)),
  );
}

function repeats({ repeats: more }) {
  return el("span", { class: "repeats", title: `came ${plural(more + 1, "time")}` }, `×${number(more + 1)}`);
}
