// A view that is read from the gateway when it is entered, and again while it is looked at and something has changed.
import { get } from "./ask.js";
import { button, el, put } from "./show.js";

const REST = 1500; // milliseconds between two readings

export class View {
  // `path` is read, `draw` gives what to show of the answer; with `list`, older pages of it can be had.
  constructor(section, { path, draw, list = null }) {
    Object.assign(this, { section, path, draw, list, isShown: false, pages: 1, read: null });
    this.notes = el("p", { class: "told", role: "status" });
  }

  async enter() {
    this.isShown = true;
    this.section.hidden = false;
    await this.refresh();
  }

  leave() {
    this.isShown = false;
    this.section.hidden = true;
  }

  // Something may have changed; looked at soon, if anybody looks.
  changed() {
    if (this.isShown) this.timer ??= setTimeout(() => { this.timer = null; this.refresh(); }, REST);
  }

  async refresh() {
    let data;
    try {
      data = await this.load();
    } catch (error) {
      this.notes.textContent = error.message;
      if (!this.section.contains(this.notes)) put(this.section, this.notes);
      return;
    }
    const text = JSON.stringify(data);
    if (text === this.read) return;
    this.read = text;
    this.data = data;
    this.redraw();
  }

  async load() {
    const data = await get(this.path);
    for (let page = 1; this.list && data.next !== null && page < this.pages; page += 1) {
      const more = await get(`${this.path}${this.path.includes("?") ? "&" : "?"}before=${data.next}`);
      Object.assign(data, { [this.list]: [...data[this.list], ...more[this.list]], next: more.next });
    }
    return data;
  }

  // What was unfolded stays so, and the focus stays where it is.
  redraw() {
    const open = new Set([...this.section.querySelectorAll("details[open]")].map((box) => box.dataset.key));
    const focused = this.section.contains(document.activeElement) ? document.activeElement.dataset.key : null;
    const older = this.data.next != null && button("Show older", () => { this.pages += 1; this.refresh(); }, { class: "quiet older", "data-key": "older" });
    put(this.section, this.draw(this.data, this), this.notes, older);
    for (const box of this.section.querySelectorAll("details")) box.open ||= open.has(box.dataset.key);
    if (focused) this.section.querySelector(`[data-key="${CSS.escape(focused)}"]`)?.focus({ preventScroll: true });
  }
}

export function title(words, ...actions) {
  return el("header", {}, el("h2", {}, words), el("div", { class: "actions" }, actions));
}

export function empty(words, ...hints) {
  return el("div", { class: "empty" }, el("h3", {}, words), hints);
}
