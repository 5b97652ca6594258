// What happens, as it happens: rows and numbers from the gateway, held back while the reader has paused.

const AGAIN = 2500; // milliseconds until a closed stream is opened anew
const HELD = 20_000; // rows held back while paused; beyond them the list begins anew, and reads the rest when it is scrolled to

export class Stream {
  constructor({ rows, anew, strip, instances, held, state, news }) {
    this.tell = { rows, anew, strip, instances, held, state, news };
    this.query = "";
    this.last = null;
    this.source = null;
    this.isPaused = false;
    this.newest = 0; // the highest id that was passed on
    this.forget();
  }

  // Watch the events that a filter lets through, from the newest on.
  watch(query) {
    this.query = query;
    this.last = null;
    this.newest = 0;
    this.forget();
    this.tell.held(0);
    this.connect();
  }

  connect() {
    this.source?.close();
    const asked = new URLSearchParams(this.query);
    if (this.last !== null) asked.set("after", this.last);
    const source = new EventSource(`/live/stream?${asked}`);
    const on = (name, take) => source.addEventListener(name, (message) => take(JSON.parse(message.data), message));
    this.source = source;
    on("anew", () => this.take(null));
    on("rows", (rows, { lastEventId }) => { this.last = lastEventId || this.last; this.take(rows); this.tell.news(); });
    on("strip", this.tell.strip);
    on("instances", this.tell.instances);
    on("dropped", () => this.tell.state("lost", "reconnecting"));
    source.addEventListener("open", () => this.say());
    source.addEventListener("error", () => this.lost(source));
  }

  // The browser comes back by itself, unless it was refused: the login has ended, or the gateway is not there.
  lost(source) {
    this.tell.state("lost", "reconnecting");
    if (source.readyState !== EventSource.CLOSED) return;
    setTimeout(async () => {
      if (source !== this.source) return;
      const answer = await fetch("/api/events?limit=1").catch(() => null);
      if (answer?.status === 401) location.assign("/live");
      else if (source === this.source) this.connect();
    }, AGAIN);
  }

  take(rows) {
    if (!this.isPaused) return this.pass(rows);
    if (rows === null) this.forget(true);
    for (const row of rows ?? []) {
      if (Number(row.id) > this.newest && !this.held.has(row.id)) this.fresh += 1;
      this.held.set(row.id, row);
    }
    if (this.held.size > HELD) this.forget(true);
    this.tell.held(this.fresh);
  }

  pass(rows) {
    if (rows === null) this.tell.anew();
    else this.tell.rows(rows);
    this.newest = Math.max(this.newest, ...(rows ?? []).map((row) => Number(row.id)));
  }

  pause(isPaused) {
    this.isPaused = isPaused;
    if (!isPaused) {
      if (this.isAnew) this.pass(null);
      this.pass([...this.held.values()]);
      this.forget();
    }
    this.tell.held(this.fresh);
    this.say();
  }

  forget(isAnew = false) {
    this.held = new Map(); // id -> the newest state of its row
    this.fresh = 0; // how many of them were not shown before
    this.isAnew = isAnew;
  }

  say() {
    if (this.source?.readyState === EventSource.OPEN) this.tell.state(...(this.isPaused ? ["paused", "paused"] : ["live", "live"]));
  }
}
