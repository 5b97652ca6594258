// Instances: their state and number, and the code to scan while one is pairing.
import { badge } from "./strip.js";
import { el, mark, put, time } from "./show.js";
import { empty, title } from "./view.js";

const STATES = {
  open: ["done", "connected"], connecting: ["running", "connecting"], close: ["dead", "disconnected"], refused: ["dead", "refused by WhatsApp"],
};
const stateOf = ({ state, pairing }) => (pairing ? ["waiting", "waits to be scanned"] : STATES[state] ?? ["skipped", state ?? "state not told yet"]);

export class Instances {
  constructor(section, list) {
    Object.assign(this, { section, list });
    this.show([]);
  }

  enter() {
    this.section.hidden = false;
  }

  leave() {
    this.section.hidden = true;
  }

  show(instances) {
    const cards = instances.map(card);
    put(this.section, title("Instances"), cards.length ? el("div", { class: "cards wide" }, cards)
      : empty("No instance was heard of yet", el("p", {}, "Each appears with its first event. Its state shows with the next connection.update.")));
    put(this.list, instances.map(brief));
    const pairing = instances.filter((one) => one.pairing).length;
    badge("instances", pairing ? "QR" : "");
  }
}

function brief(one) {
  const [state, word] = stateOf(one);
  return el("li", {}, el("a", { href: `#/events?instance=${encodeURIComponent(one.name)}`, title: "Show its events" },
    el("span", { class: `name ${state}` }, mark(), el("span", {}, one.name), el("small", {}, word)),
    qr(one)));
}

function card(one) {
  const [state, word] = stateOf(one);
  const about = [["Number", one.number], ["Name", one.profile_name], ["Reason", one.state !== "open" && one.reason && `code ${one.reason}`]].filter(([, value]) => value);
  return el("article", { class: "card instance" },
    el("header", {}, el("h3", {}, one.name), el("p", { class: `state ${state}` }, mark(), " ", word, one.since && [" since ", time(one.since)])),
    one.pairing && pairing(one),
    el("dl", { class: "pairs" }, about.map(([name, value]) => [el("dt", {}, name), el("dd", {}, value)]),
      one.last_event && [el("dt", {}, "Last event"), el("dd", {}, el("a", { href: `#/events/${one.last_event.id}` }, one.last_event.event), " at ", time(one.last_event.at))]),
    el("p", { class: "actions" }, el("a", { href: `#/events?instance=${encodeURIComponent(one.name)}` }, "Its events")));
}

function pairing(one) {
  return el("div", { class: "pairing" }, qr(one),
    el("p", {}, "In WhatsApp: Linked devices › Link a device."),
    one.pairing.code && el("p", {}, "Or type the code ", el("b", { class: "code" }, one.pairing.code)),
    el("p", { class: "more" }, "Good until ", time(one.pairing.expires_at), "; the next one appears here by itself."));
}

// Another picture has another address, or the browser would show the one it knows.
function qr({ name, pairing: one }) {
  return one?.qr ? el("img", { class: "qr", src: `${one.qr}?event=${one.id}`, alt: `QR code to connect ${name}`, width: 264, height: 264 }) : null;
}
