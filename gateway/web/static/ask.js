// Ask the gateway: read its API, and have its worker do things.

const SOON = 150; // milliseconds between two looks at a request
const LATEST = 1500;

export class Refusal extends Error {}

export async function get(path, signal = null) {
  return answerOf(await fetch(path, { signal }));
}

export async function post(path, body = {}) {
  const headers = { "Content-Type": "application/json" };
  return answerOf(await fetch(path, { method: "POST", headers, body: JSON.stringify(body) }));
}

async function answerOf(response) {
  if (response.status === 401) location.assign("/live"); // the login has ended
  const body = await response.json().catch(() => ({}));
  if (!response.ok) throw new Refusal(body.detail ?? body.title ?? `The gateway answered ${response.status}.`);
  return body;
}

// Have the worker do something, and look until it is done; `step` is told how far it is.
export async function settle(path, body, step = () => {}) {
  const { id } = await post(path, body);
  for (let pause = SOON; ; pause = Math.min(pause * 1.3, LATEST)) {
    const control = await get(`/api/controls/${id}`);
    if (control.status === "failed") throw new Refusal(control.error ?? "The worker could not do it.");
    if (control.status === "done") return control;
    step(control.status === "waiting" && pause === LATEST ? "Waiting for the worker…" : "Working…");
    await new Promise((resolve) => { setTimeout(resolve, pause); });
  }
}

// Do something for a button: it can't be pressed twice meanwhile, and what went wrong is said in `place`.
export async function doing(pressed, place, act) {
  pressed.disabled = true;
  place.classList.remove("wrong");
  const say = (text) => { place.textContent = text; };
  try {
    say(await act(say) ?? "");
  } catch (error) {
    place.classList.add("wrong");
    say(error instanceof Refusal ? error.message : "The gateway can't be reached.");
  } finally {
    pressed.disabled = false;
  }
}
