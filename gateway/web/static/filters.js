// The filters above the list. They stand in the address, so that a search can be kept and sent to somebody.
import { el } from "./show.js";

const NAMES = ["text", "event", "chat", "instance", "plugin", "state"];
const TYPING = 300; // milliseconds after the last key

export class Filters {
  constructor(form, changed) {
    this.form = form;
    this.changed = changed;
    this.timer = null;
    form.addEventListener("input", () => this.soon(TYPING));
    form.addEventListener("change", () => this.soon(0)); // a field is left: nothing is waited for
    form.addEventListener("submit", (event) => { event.preventDefault(); this.soon(0); });
    form.addEventListener("reset", () => this.soon(0));
    const fold = form.querySelector(".fold");
    fold.addEventListener("click", () => fold.setAttribute("aria-expanded", form.classList.toggle("unfolded")));
  }

  soon(pause) {
    this.rest();
    this.timer = setTimeout(() => this.now(), pause);
  }

  // What was typed a moment ago is followed before anything else happens.
  now() {
    if (this.timer === null) return;
    this.rest();
    this.changed(this.query);
  }

  // The reader has gone elsewhere; a text half typed is not followed there.
  rest() {
    clearTimeout(this.timer);
    this.timer = null;
  }

  // As in an address: only those that are set.
  get query() {
    const set = NAMES.map((name) => [name, this.form.elements[name].value.trim()]).filter(([, value]) => value);
    return new URLSearchParams(set).toString();
  }

  set query(text) {
    const wanted = new URLSearchParams(text);
    for (const name of NAMES) {
      const field = this.form.elements[name], value = wanted.get(name) ?? "";
      if (field.value.trim() === value) continue; // what is being typed is left alone
      if (field.matches("select")) offer(field, [value]);
      field.value = value;
    }
    this.show();
  }

  show() {
    const used = NAMES.filter((name) => this.form.elements[name].value.trim());
    for (const name of NAMES) this.form.elements[name].classList.toggle("used", used.includes(name));
    const behind = used.filter((name) => name !== "text").length;
    this.form.querySelector(".fold").textContent = behind ? `Filters (${behind})` : "Filters";
    this.form.querySelector("#clear").disabled = used.length === 0;
  }

  clear() {
    this.form.reset();
  }

  // Names to choose from, as they become known.
  know({ instances = [], plugins = [], events = [] }) {
    offer(this.form.elements.instance, instances);
    offer(this.form.elements.plugin, plugins);
    offer(this.form.querySelector("datalist"), events);
  }
}

function offer(list, values) {
  const known = new Set([...list.querySelectorAll("option")].map((option) => option.value));
  list.append(...values.filter((value) => value && !known.has(value)).map((value) => el("option", { value }, list.matches("select") ? value : null)));
}
