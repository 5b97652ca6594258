// The view of events: filters, the stream, the list and the opened event, put together.
import { get } from "./ask.js";
import { Detail } from "./detail.js";
import { Filters } from "./filters.js";
import { List } from "./list.js";
import { plural, put, time } from "./show.js";
import { Stream } from "./stream.js";

const PAGE = 200;
const PATIENCE = 8; // pages in a row without a find
const at = (id) => document.getElementById(id);

export class Events {
  constructor({ go, strip, instances, state, news }) {
    this.go = go; // to another address: id of the opened event or null, filters, and whether this one is left behind
    this.query = null;
    this.detail = new Detail(at("detail"), () => this.open(null));
    this.list = new List({
      list: at("list"), rows: at("rows"), fresh: at("fresh"),
      open: (id) => this.open(id, true), more: () => this.readSoon(),
    });
    this.filters = new Filters(at("filters"), (query) => this.go(this.detail.id, query, true));
    this.stream = new Stream({
      rows: (rows) => this.show(rows), anew: () => this.forget(true), held: (amount) => this.held(amount), strip, instances, state, news,
    });
    at("pause").addEventListener("click", () => this.pause());
    at("tail").querySelector("button").addEventListener("click", () => this.lookFurther());
    at("clear-all").addEventListener("click", () => this.filters.clear());
  }

  // Show what an address says.
  enter(id, query) {
    this.filters.query = query;
    if (query !== this.query) {
      this.query = query;
      if (this.stream.isPaused) this.hold(false);
      this.forget(false);
      this.stream.watch(query);
    }
    if (id !== this.detail.id) this.lay(id);
  }

  open(id, isFocused = false) {
    this.isFocused = isFocused;
    this.go(id, this.query);
  }

  // The next or previous row; beside an open event, that one is opened.
  step(by) {
    const id = this.list.step(by);
    if (id === null) return;
    if (this.detail.id !== null) this.go(String(id), this.query, true);
    if (!at("detail").contains(document.activeElement)) this.list.focus();
  }

  lay(id) {
    const wasIn = at("detail").contains(document.activeElement);
    at("detail").hidden = id === null;
    at("panes").classList.toggle("open", id !== null);
    this.list.choose(id === null ? null : Number(id));
    this.detail.show(id);
    if (id !== null && this.isFocused) at("detail").focus({ preventScroll: true });
    if (id === null && wasIn) this.list.focus();
    this.isFocused = false;
  }

  // --- rows

  show(rows) {
    this.list.put(rows);
    this.filters.know({ instances: rows.map((row) => row.instance), events: rows.map((row) => row.event) });
    if (rows.some((row) => row.id === this.detail.id)) this.detail.refresh();
    this.say();
  }

  // Begin with an empty list; the stream has begun, or is about to.
  forget(isOpen) {
    this.reading?.abort();
    Object.assign(this, { isOpen, reading: null, next: undefined, reached: null, inVain: 0 });
    this.list.clear();
    this.say();
  }

  // Older events, when the reader comes to the end of those shown. A search that finds nothing looks further back by
  // itself for a while; then it says how far it came, and asks.
  readSoon() {
    if (this.list.isCut) Object.assign(this, { next: undefined });
    this.list.isCut = false;
    if (this.isOpen && this.next !== null && this.inVain < PATIENCE) this.soon ??= setTimeout(() => this.readOn(), 30);
  }

  async readOn() {
    this.soon = null;
    if (this.reading) return;
    const reading = this.reading = new AbortController();
    this.say();
    try {
      const before = this.next ?? this.list.ids.at(-1);
      const page = new URLSearchParams({ limit: PAGE, ...(before && { before }) });
      const { events, next, reached } = await get(`/api/events?${this.query}&${page}`, reading.signal);
      Object.assign(this, { next, reached, inVain: events.length ? 0 : this.inVain + 1 });
      this.reading = null;
      this.list.putOlder(events);
    } catch {
      if (this.reading !== reading) return; // the filter is another one now
      Object.assign(this, { reading: null, inVain: PATIENCE });
    }
    this.say();
  }

  lookFurther() {
    this.inVain = 0;
    this.readOn();
  }

  say() {
    const isNone = this.list.ids.length === 0, isWhole = this.next === null, isSearching = this.reading !== null;
    at("empty").hidden = !(isNone && isWhole && !this.query);
    at("nothing").hidden = !(isNone && isWhole && this.query);
    const [words, ask] = at("tail").children;
    at("tail").hidden = isNone ? isWhole || !this.isOpen : false;
    ask.hidden = isSearching || this.inVain < PATIENCE;
    put(words, isSearching ? "Looking further back…" : isWhole && "That is the oldest event that is kept.",
      this.reached && !isWhole && [" Seen all since ", time(this.reached)]);
  }

  // --- pause

  pause() {
    this.filters.now();
    this.hold(!this.stream.isPaused);
  }

  hold(isPaused) {
    this.stream.pause(isPaused);
    at("pause").setAttribute("aria-pressed", isPaused);
  }

  held(amount) {
    const isPaused = this.stream?.isPaused;
    at("pause").textContent = !isPaused ? "Pause" : amount ? `Go on (${plural(amount, "event")})` : "Go on";
  }
}
