// The opened event: what happened to it, then its message, then what a handler sees beside what came.
import { doing, get, post } from "./ask.js";
import { explain, replaying } from "./answers.js";
import { button, copy, el, put, time } from "./show.js";
import { storyOf } from "./story.js";
import { tree } from "./tree.js";

export class Detail {
  constructor(panel, close) {
    this.panel = panel;
    this.close = close;
    this.id = null;
  }

  // Show an event, or nothing.
  async show(id) {
    this.id = id;
    if (id === null) return put(this.panel);
    await this.load(true);
  }

  // The same event once more, for something about it changed. What the reader unfolded stays unfolded.
  refresh() {
    return this.load(false);
  }

  async load(isNew) {
    const id = this.id;
    try {
      const event = await get(`/api/events/${id}`);
      if (this.id !== id) return; // another one was opened meanwhile
      if (isNew || !this.story) this.build(event);
      else this.retell(event);
    } catch (error) {
      if (this.id !== id) return;
      this.story = null;
      put(this.panel, el("header", {}, el("div", {}, el("h3", {}, `Event ${id}`)), this.closing()), el("p", { class: "note" }, error.message));
    }
  }

  build(event) {
    this.event = event;
    this.story = storyOf(event, (plugin) => this.asking(plugin));
    this.why = el("div", { class: "panel-slot" });
    this.panels = el("div", { class: "panel-slot" });
    put(this.panel, this.heading(event), this.panels, this.story, this.why, message(event), body(event));
    this.panel.scrollTop = 0;
  }

  retell(event) {
    this.event = event;
    const open = new Set([...this.story.querySelectorAll("details[open]")].map((box) => box.dataset.key));
    const told = storyOf(event, (plugin) => this.asking(plugin));
    for (const box of told.querySelectorAll("details")) box.open = open.has(box.dataset.key);
    this.story.replaceWith(told);
    this.story = told;
  }

  heading({ row, lane, endpoint, raw, note }) {
    const about = [row.instance, row.from_me ? "you" : row.who, row.chat].filter(Boolean).join(" · ");
    return el("header", {},
      el("div", {}, el("h3", {}, row.event), el("p", {}, about || "belongs to no instance", " · ", time(row.at),
        lane.includes("@") && [" · ", el("a", { href: `#/events/${row.id}?${new URLSearchParams({ chat: lane.slice(lane.lastIndexOf("/") + 1) })}` }, "only this chat")])), this.closing(),
      el("div", { class: "actions" },
        button("Replay…", () => this.replay(), { "aria-keyshortcuts": "r" }),
        button("Why?", (pressed) => this.ask(null, pressed), { "aria-keyshortcuts": "w", title: "Ask every filter of every handler" }),
        !note && button("Copy JSON", (pressed) => copy(pressed, JSON.stringify(raw, null, 2))),
        !note && button("Copy curl", (pressed) => copy(pressed, curl(endpoint, raw)))));
  }

  closing() {
    return button("Close", () => this.close(), { class: "quiet shut", "aria-label": "Close the event", "aria-keyshortcuts": "Escape" });
  }

  // --- actions, also by key

  replay() {
    if (this.panels.firstChild) return put(this.panels);
    put(this.panels, replaying(this.event, () => this.refresh()));
    this.panels.querySelector("select").focus();
    this.panels.scrollIntoView({ block: "nearest" });
  }

  asking(plugin) {
    return button("Why?", (pressed) => this.ask(plugin, pressed), { class: "link-like" });
  }

  async ask(plugin, pressed) {
    const answer = el("section", { class: "panel", "aria-label": "Why" });
    put(this.why, answer);
    await explain(answer, this.id, plugin, pressed);
    answer.scrollIntoView({ block: "nearest" });
  }

  press(key) {
    this.panel.querySelector(`header [aria-keyshortcuts="${key}"]`)?.click();
  }
}

function message({ text }) {
  return text ? [el("h4", {}, "The message"), el("blockquote", { dir: "auto" }, text)] : [];
}

function body({ row, raw, note, decoded }) {
  if (note) return el("p", { class: "note" }, note);
  const came = el("div", { class: "tree" }, tree(raw));
  const told = el("p", { class: "more", role: "status" });
  const reveal = button("Show keys", (pressed) => doing(pressed, told, async () => {
    const shown = await post(`/api/events/${row.id}/reveal`);
    put(came, tree(shown.raw));
    pressed.remove();
    return "With its keys and tokens. Copies stay without them; that they were shown is in the log.";
  }), { title: "Show keys and tokens; the gateway's log will say so" });
  return el("div", { class: "bodies" },
    decoded && el("section", {}, el("div", { class: "heading" }, el("h4", {}, "As a handler sees it")), el("div", { class: "tree" }, tree(decoded))),
    el("section", {}, el("div", { class: "heading" }, el("h4", {}, "As it came, without secrets"), reveal), told, came));
}

function curl(endpoint, raw) {
  const quoted = (text) => `'${text.replaceAll("'", "'\\''")}'`;
  return `curl -X POST ${quoted(endpoint)} \\\n  -H 'Content-Type: application/json' \\\n  --data-raw ${quoted(JSON.stringify(raw))}`;
}
