"""The webhooks of Evolution's instances: where they point, with what credential, for which events, and what arrives."""

import time
from collections.abc import AsyncIterator, Iterator
from http import HTTPStatus
from typing import Final
from urllib.parse import urlsplit

import msgspec

from gateway.evolution import Webhook
from gateway.evolution.errors import EvolutionError
from gateway.names import EVENTS, canonical
from gateway.wiring.addresses import host_of, is_here
from gateway.wiring.finding import Finding, failure, ok, warning
from gateway.wiring.local import from_here, knock, shown
from gateway.wiring.probe import FIRST, send_through
from gateway.wiring.scene import Scene

SILENCE: Final = 3600.0
"""Seconds without an event after which an instance's way here is tried."""
_NEVER: Final = "groups.update"
_ONLY_1X: Final = frozenset({"new.jwt", "chama-ai.action", "application.startup"})


async def targets(scene: Scene) -> AsyncIterator[Finding]:
    """Whether each webhook would reach this gateway and be let in."""
    for name, hook in scene.hooks.items():
        about = f"webhook {name}"
        if hook is None or not hook.enabled:
            yield _absent(scene, about, name, "not set" if hook is None else "switched off")
        else:
            for finding in _shape(about, name, hook):
                yield finding
            yield await _answer(scene, about, name, hook)


def _absent(scene: Scene, about: str, name: str, found: str) -> Finding:
    """Of an instance that posts nothing itself: the global webhook posts for all of them."""
    if any(event.instance == name for event in scene.recent):
        return ok(about, f"{found}, and its events come all the same: by the global webhook")
    return failure(about, f"{found}, and no event of this instance has come", f"gateway connect {name}")


def _shape(about: str, name: str, hook: Webhook) -> Iterator[Finding]:
    fix = f"gateway connect {name}"
    if "?" in hook.url and hook.by_events:
        found = "its URL has a ?, and Evolution glues the event's name behind the query; this gateway copes"
        yield warning(about, found, f"{fix}  sets one without; a secret belongs into a header or the path")
    elif urlsplit(hook.url).path.endswith("/") and hook.by_events:
        yield warning(about, "its URL ends in /, so Evolution posts to //event; this gateway copes", fix)


async def _answer(scene: Scene, about: str, name: str, hook: Webhook) -> Finding:
    """What a post to the URL is answered, as far as this machine can tell."""
    where, again = shown(hook.url), f"gateway connect {name}"
    if is_here(host_of(hook.url)) and not is_here(host_of(scene.peer.url)):
        return failure(about, f"posts to {where}, which is Evolution's own machine and not this one", again)
    status = await knock(from_here(scene.config, hook.url), hook.headers)
    if status == HTTPStatus.NO_CONTENT:
        return ok(about, f"posts to {where}, and would be let in")
    auth = scene.config.webhook.auth
    if status == HTTPStatus.UNAUTHORIZED and auth != "none" and auth.allow:
        found = f"posts to {where}; whether Evolution's address is in webhook.auth.allow can't be told from here"
        return warning(about, found, "See below whether its events arrive")
    return failure(about, *_refusal(scene, hook, status, again))


def _refusal(scene: Scene, hook: Webhook, status: int | None, again: str) -> tuple[str, str]:
    """What was found and what to do, by the answer."""
    where = shown(hook.url)
    if status is None:
        return f"nobody answers at {where}", f"Start the gateway there, or  {again}"
    if status == HTTPStatus.UNAUTHORIZED:
        return _credential(scene, hook), f"{again}  sets a right one"
    if status == HTTPStatus.MISDIRECTED_REQUEST:
        base = scene.config.webhook.base_path or "/"
        return f"posts to {where}, and this gateway's webhook.base_path is {base}", again
    if status // 100 == 3:  # noqa: PLR2004 -- HTTP's own numbers
        found = f"{where} redirects ({status}), and Evolution follows without the body: every event is lost"
        return found, "Name the URL that it redirects to"
    return f"what answers at {where} is no gateway ({status})", again


def _credential(scene: Scene, hook: Webhook) -> str:
    auth = scene.config.webhook.auth
    sent = [key for key in hook.headers if key.lower() not in ("content-type", "user-agent")]
    if "jwt_key" in hook.headers:
        ours = auth != "none" and any(key.reveal() == hook.headers["jwt_key"] for key in auth.jwt_key)
        return "its jwt_key is right, yet refused: look at the clocks" if ours else "its jwt_key is not webhook.auth's"
    return f"its posts are refused (401): {'header ' + ', '.join(sent) + ' is wrong' if sent else 'no credential'}"


async def arrival(scene: Scene) -> AsyncIterator[Finding]:
    """Whether events of each instance arrive; one that was silent is tried, once for each URL."""
    tried: dict[str, Finding] = {}
    for name, hook in scene.hooks.items():
        if hook is None or not hook.enabled or not scene.is_running:
            continue
        about = f"events {name}"
        last = next((event.accepted_at for event in scene.recent if event.instance == name), None)
        if last is not None and time.time() - last < SILENCE:
            yield ok(about, f"the last one came {time.time() - last:.0f} s ago")
        elif not scene.patience or scene.peer.number < FIRST:
            found = "none has come" if last is None else f"the last one came {(time.time() - last) / 3600:.1f} h ago"
            yield warning(about, found, "Write to the bot, and look with  gateway events")
        else:
            if hook.url not in tried:
                tried[hook.url] = await _try(scene, name, hook)
            yield msgspec.structs.replace(tried[hook.url], about=about)


def _is_offered(event: str, version: tuple[int, ...]) -> bool:
    """Whether a webhook of this version can have the event."""
    since = EVENTS[event].since
    if since == "never" or event in (_NEVER, "error") or (event in _ONLY_1X and version[:1] != (1,)):
        return False
    return tuple(map(int, since.split("."))) <= version


async def _try(scene: Scene, name: str, hook: Webhook) -> Finding:
    try:
        millis = await send_through(scene.peer, hook, scene.config.data, within=scene.patience)
    except EvolutionError as error:
        return warning("", f"none came lately, and no test event could be had: {error}", "Write to the bot")
    if millis is not None:
        return ok("", f"a test event came in {millis:.0f} ms")
    place = "an Evolution in a container has a 127.0.0.1 of its own" if is_here(host_of(hook.url)) else "a firewall?"
    return failure("", f"Evolution can't reach {shown(hook.url)}: {place}", f"gateway connect {name}  finds a way")


async def subscriptions(scene: Scene) -> AsyncIterator[Finding]:
    """Whether every event that a handler is for is posted."""
    for event in [event for event in scene.wanted if event == _NEVER]:
        fix = "Handle GroupParticipantsUpdate, and read the rest when it is needed (ctx.api)"
        found = f"Evolution never posts {event}: it is subscribed to as GROUP_UPDATE and emitted as GROUPS_UPDATE"
        yield warning(f"plugin {', '.join(scene.wanted[event])}", found, fix)
    for name, hook in scene.hooks.items():
        if hook is None or not hook.enabled or not hook.events:
            continue
        subscribed = {canonical(event) for event in hook.events}
        for event, plugins in scene.wanted.items():
            if event in subscribed or not _is_offered(event, scene.peer.number):
                continue
            found = f"{event} is not subscribed to, and {', '.join(plugins)} handles it"
            yield failure(f"webhook {name}", found, f"gateway connect {name}  subscribes to all")
