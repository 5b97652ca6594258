// The list: newest first, only the rows in sight exist, and nothing moves that the reader did not move.
import { fill } from "./row.js";
import { el, plural } from "./show.js";

const KEPT = 10_000; // rows kept while new ones come; older ones are read again when they are scrolled to
const MOST = 50_000; // kept for a reader who has scrolled far down
const BEYOND = 8; // rows made above and below those in sight
const RESTING = 800; // milliseconds without a movement of the pointer, after which rows may move under it

export class List {
  constructor({ list, rows, fresh, open, more }) {
    Object.assign(this, { list, rows, fresh, open, more });
    this.chosen = null; // id of the opened event
    this.moved = -RESTING;
    this.timer = null;
    this.height = this.readHeight();
    this.begin();
    new ResizeObserver(() => this.resize()).observe(list);
    list.addEventListener("scroll", () => this.scrolled(), { passive: true });
    rows.addEventListener("pointermove", (event) => { if (event.movementX || event.movementY) this.moved = performance.now(); });
    rows.addEventListener("click", ({ target }) => this.press(target));
    rows.addEventListener("focusin", ({ target }) => this.point(Number(target.closest("li").dataset.id)));
    fresh.addEventListener("click", () => this.toTop());
  }

  clear() {
    this.begin();
    this.render();
  }

  begin() {
    this.ids = []; // newest first
    this.known = new Map(); // id -> row
    this.items = new Map(); // id -> its element, for rows in sight
    this.waiting = [];
    this.cursor = null; // id the keyboard is at
    this.isCut = false; // the oldest fell off the end
    this.rows.replaceChildren();
    this.note(0);
  }

  // New and changed rows, in any order. Under a moving pointer they wait until it rests.
  put(rows) {
    this.waiting.push(...rows);
    if (!this.timer) this.placeAtRest();
  }

  placeAtRest() {
    const rest = this.moved + RESTING - performance.now();
    this.timer = rest > 0 ? setTimeout(() => this.placeAtRest(), rest) : null;
    if (!this.timer) this.place(this.waiting.splice(0));
  }

  // Rows that were read, not told: what is known already is newer.
  putOlder(rows) {
    this.place(rows.filter((row) => !this.known.has(Number(row.id))));
  }

  place(rows) {
    const added = [...new Set(rows.map((row) => this.keep(row)))].filter((id) => id !== null);
    const top = this.ids[0] ?? -1;
    if (added.length) this.ids = merge(added.sort((a, b) => b - a), this.ids);
    const above = added.filter((id) => id > top).length;
    const isHeld = top >= 0 && above > 0 && this.isReading();
    if (isHeld) this.note(this.unseen + above);
    this.drop();
    this.render(isHeld ? this.list.scrollTop + above * this.height : null);
  }

  // Takes a row in; its id when it is new.
  keep(row) {
    const id = Number(row.id);
    const old = this.known.get(id);
    this.known.set(id, row);
    const item = this.items.get(id);
    if (item && JSON.stringify(old) !== JSON.stringify(row)) fill(item.firstChild, row);
    return old ? null : id;
  }

  isReading() {
    return this.list.scrollTop > 2 || this.chosen !== null || this.rows.contains(document.activeElement);
  }

  drop() {
    const room = Math.min(MOST, Math.max(KEPT, this.span()[1] + 500));
    if (this.ids.length <= room) return;
    for (const id of this.ids.splice(room)) this.known.delete(id);
    this.isCut = true;
  }

  // --- what is in sight

  span() {
    const top = this.list.scrollTop, height = this.list.clientHeight;
    return [Math.max(0, Math.floor(top / this.height) - BEYOND), Math.ceil((top + height) / this.height) + BEYOND];
  }

  render(scroll = null) {
    this.rows.style.height = `${this.ids.length * this.height}px`;
    if (scroll !== null) this.list.scrollTop = scroll;
    const [first, last] = this.span();
    const wanted = new Map(this.ids.slice(first, last).map((id, at) => [id, first + at]));
    const kept = this.cursor === null ? -1 : this.index(this.cursor);
    if (kept >= 0) wanted.set(this.cursor, kept); // the focused row stays, wherever it is
    for (const [id, item] of this.items) if (!wanted.has(id)) this.items.delete(id) && item.remove();
    let next = this.rows.firstChild;
    for (const [id, at] of [...wanted].sort((a, b) => a[1] - b[1])) {
      const item = this.items.get(id) ?? this.make(id);
      if (item === next) next = next.nextSibling;
      else this.rows.insertBefore(item, next); // only new ones: a focused element that moves loses its focus
      item.style.transform = `translateY(${at * this.height}px)`;
      item.setAttribute("aria-posinset", at + 1);
      item.setAttribute("aria-setsize", this.ids.length);
    }
    this.mark();
    if (last >= this.ids.length) this.more?.();
  }

  make(id) {
    const item = el("li", { "data-id": id }, el("button", { class: "row" }));
    fill(item.firstChild, this.known.get(id));
    this.items.set(id, item);
    return item;
  }

  mark() {
    const stop = this.cursor ?? this.ids[this.span()[0]];
    for (const [id, { firstChild: row }] of this.items) {
      row.setAttribute("aria-expanded", id === this.chosen);
      row.tabIndex = id === stop ? 0 : -1;
    }
  }

  readHeight() {
    return Number.parseFloat(getComputedStyle(this.rows).getPropertyValue("--row"));
  }

  // Rows change their height with the width of the list; the one the reader is at stays where it is.
  resize() {
    if (this.list.clientHeight === 0) return; // another view is shown
    const height = this.readHeight();
    const top = this.list.scrollTop;
    const at = this.index(this.chosen ?? this.cursor ?? this.ids[Math.floor(top / this.height)]);
    const scroll = height === this.height || at < 0 ? null : at * height - (at * this.height - top);
    this.height = height;
    this.render(scroll);
  }

  scrolled() {
    if (this.list.scrollTop <= 2) this.note(0);
    this.soon ??= requestAnimationFrame(() => { this.soon = null; this.render(); });
  }

  note(amount) {
    this.unseen = amount;
    this.fresh.hidden = amount === 0;
    this.fresh.textContent = `↑ ${plural(amount, "new event")}`;
  }

  // --- hands

  press(target) {
    const id = target.closest("li")?.dataset.id;
    if (id) this.open(Number(id) === this.chosen ? null : id);
  }

  point(id) {
    this.cursor = id;
    this.mark();
  }

  // The row above or below, brought into sight; its id.
  step(by) {
    const from = this.cursor === null ? Math.ceil(this.list.scrollTop / this.height) - Math.max(by, 0) : this.index(this.cursor);
    const at = Math.min(this.ids.length - 1, Math.max(0, from + by));
    if (at < 0) return null;
    this.cursor = this.ids[at];
    const top = at * this.height, room = this.list.clientHeight - this.height;
    this.render(Math.min(top, Math.max(this.list.scrollTop, top - room)));
    return this.cursor;
  }

  focus() {
    this.items.get(this.cursor)?.firstChild.focus({ preventScroll: true });
  }

  choose(id) {
    this.chosen = id;
    this.cursor = id ?? this.cursor;
    this.render();
  }

  toTop() {
    this.cursor = null;
    this.list.focus({ preventScroll: true });
    this.render(0);
    this.note(0);
  }

  index(id) { // by halving
    let low = 0, high = this.ids.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.ids[middle] > id) low = middle + 1;
      else high = middle;
    }
    return this.ids[low] === id ? low : -1;
  }
}

function merge(some, ids) { // both newest first
  if (!ids.length || some.at(-1) > ids[0]) return [...some, ...ids];
  if (some[0] < ids.at(-1)) return [...ids, ...some];
  return [...some, ...ids].sort((a, b) => b - a);
}
