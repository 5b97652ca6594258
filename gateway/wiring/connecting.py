"""The way from "installed" to "my number answers", a step at a time.

Every step says what it found; the first that fails says the one thing to do, and nothing after it is tried. The webhook
is set before the QR code is shown, so that no event is missed and the page shows the code as well.
"""

import asyncio
import time
from collections.abc import Sequence
from http import HTTPStatus
from typing import Final, Protocol

import msgspec

from gateway import names
from gateway.config import Config
from gateway.errors import GatewayError
from gateway.evolution import Webhook
from gateway.evolution.errors import EvolutionError, EvolutionUnreachable, Unauthorized
from gateway.journal import Summary
from gateway.wiring.addresses import DOCKER_BRIDGE, bridges, host_of, is_here, towards
from gateway.wiring.local import (
    Credential,
    credential_of,
    is_listening,
    is_running,
    knock,
    local_origin,
    shown,
    urls_of,
)
from gateway.wiring.peer import Peer
from gateway.wiring.probe import FIRST, WITHIN, arrived, send_through

_LOOK_EVERY: Final = 1.0  # seconds between looks at the connection
_NEW_CODE: Final = 15.0
"""Seconds after which the QR code is asked for again: WhatsApp lets each live about twenty."""


class Stuck(GatewayError):
    """A step failed."""

    def __init__(self, found: str, fix: str) -> None:
        super().__init__(f"{found}. {fix}")
        self.found = found
        self.fix = fix
        """The one thing to do."""


class Wishes(msgspec.Struct, frozen=True, kw_only=True):
    """What was asked for."""

    instance: str
    create: bool = False
    """Make the instance if there is none."""
    url: str | None = None
    """The webhook's URL as Evolution is to know it, without a secret path; None: found out."""
    events: tuple[str, ...] = ()
    """Names in any spelling; none: all."""
    by_events: bool = True
    base64: bool = False
    wait: float = 120.0
    """Seconds to wait for the code to be scanned."""
    patience: float = WITHIN
    """Seconds a test event may take."""


class Say(Protocol):
    """How the steps are shown."""

    def done(self, text: str) -> None:
        """A step succeeded."""

    def note(self, text: str) -> None:
        """Something to know, or to do elsewhere."""

    def code(self, code: str, pairing_code: str | None) -> None:
        """A QR code to scan."""


async def connect(config: Config, peer: Peer, wishes: Wishes, say: Say) -> None:
    """Go all the way.

    Raises:
        Stuck: with what to do.
        EvolutionError: Evolution refused a call, in its own words.
    """
    wishes = msgspec.structs.replace(wishes, events=tuple(map(subscribable, wishes.events)))
    await _look_at_gateway(config)
    state = await _greet(peer, wishes.instance, say) or await _make(peer, wishes, say)
    credential = credential_of(config, peer.number)
    await _try_credential(config, credential)
    hook, millis = await _choose_hook(config, peer, wishes, credential, say)
    await _set_hook(peer, wishes.instance, hook, credential, say)
    if millis is not None:
        say.done(f"test event came back in {millis:.0f} ms")
    await _pair(config, peer, wishes, state, say, is_proven=millis is not None)
    _mind_replies(config, peer, say)


async def _look_at_gateway(config: Config) -> None:
    where = f"{config.webhook.host}:{config.webhook.port}"
    if not is_running(config):
        other = f", though another one listens on {where}" if await is_listening(config) else ""
        raise Stuck(f"no gateway runs on {config.data}{other}", "Start it in another terminal:  gateway serve")
    if not await is_listening(config):
        raise Stuck(
            f"the gateway on {config.data} does not listen on {where}", "Start it again: config.yaml has changed"
        )


async def _greet(peer: Peer, instance: str, say: Say) -> str | None:
    """Ask for the instance at once, and give its state: a key of this instance alone is good for no other call."""
    try:
        await peer.greet()
        state = await peer.state_of(instance)
    except EvolutionUnreachable as error:
        raise Stuck(str(error), "Start Evolution, or say where it is:  --evolution http://HOST:8080") from error
    except Unauthorized as error:
        fix = "Give its AUTHENTICATION_API_KEY: set EVOLUTION_APIKEY, or evolution.apikey in config.yaml"
        raise Stuck(f"Evolution answers at {peer.url} and refuses the key", fix) from error
    say.done(f"Evolution API {peer.version or 'of an unknown version'} answers at {peer.url} (key accepted)")
    return state


async def _make(peer: Peer, wishes: Wishes, say: Say) -> str:
    """Make the instance that is not there; gives its state."""
    if not wishes.create:
        there = ", ".join(each.name for each in await peer.api.find_instances()) or "none at all"
        raise Stuck(f"Evolution has no instance {wishes.instance} (it has: {there})", "Add --create to make it")
    await peer.api.create_instance(wishes.instance, qr=False)
    say.done(f"instance {wishes.instance} created")
    return "close"


async def _try_credential(config: Config, credential: Credential) -> None:
    """Whether the gateway that runs takes what it will be sent: its settings may be older than the file."""
    auth = config.webhook.auth
    if auth != "none" and auth.allow:
        return  # from here nobody can tell what Evolution's address is worth
    own = f"{local_origin(config)}{config.webhook.base_path}"
    status = await knock(f"{own}/{credential.path}" if credential.path else own, credential.headers)
    if status in (HTTPStatus.UNAUTHORIZED, HTTPStatus.MISDIRECTED_REQUEST):
        raise Stuck(
            f"the gateway that runs refuses what Evolution would send by config.yaml ({status})",
            "Start it again: its settings, or data/webhook.token, are newer than it",
        )


async def _choose_hook(
    config: Config, peer: Peer, wishes: Wishes, credential: Credential, say: Say
) -> tuple[Webhook, float | None]:
    """The first URL by which an event of Evolution's really arrives, and in how many milliseconds."""
    urls = [wishes.url.rstrip("/")] if wishes.url else urls_of(config, peer.url)
    hooks = [_hook(url, wishes, credential) for url in urls]
    if not wishes.url and config.webhook.is_local and not is_here(host_of(peer.url)):
        raise _unreachable_from_afar(config, peer)
    if peer.number < FIRST:
        say.note(f"no test event: Evolution {peer.version} can't be made to send one; write to the bot and see")
        return hooks[0], None
    for hook in hooks:
        try:
            millis = await send_through(peer, hook, config.data, within=wishes.patience)
        except EvolutionError as error:
            say.note(f"no test event: Evolution made no instance to send one ({error})")
            return hooks[0], None
        if millis is not None:
            return hook, millis
    raise _nothing_came(config, peer, wishes, urls)


def _hook(url: str, wishes: Wishes, credential: Credential) -> Webhook:
    return Webhook(
        url=f"{url}/{credential.path}" if credential.path else url,
        by_events=wishes.by_events,
        base64=wishes.base64,
        events=wishes.events,
        headers=credential.headers,
    )


def subscribable(event: str) -> str:
    """The event that a spelling means, if a webhook can have it.

    Raises:
        Stuck: nobody knows it, or Evolution never posts it.
    """
    known = names.canonical(event)
    if known is None:
        raise Stuck(f"there is no event {event}", "See  gateway routes")
    if known == "groups.update":
        fix = "Leave it out: ask for GROUP_PARTICIPANTS_UPDATE, and read the rest with ctx.api"
        raise Stuck("Evolution never posts groups.update: it knows it by two names that never meet", fix)
    return known


def _unreachable_from_afar(config: Config, peer: Peer) -> Stuck:
    address = towards(host_of(peer.url)) or "an address of this machine"
    return Stuck(
        f"Evolution at {peer.url} is another machine, and this gateway listens on {config.webhook.host} alone",
        f"In config.yaml set  webhook: {{host: {address}}}  and start the gateway again: {_TOKEN}",
    )


def _nothing_came(config: Config, peer: Peer, wishes: Wishes, urls: Sequence[str]) -> Stuck:
    tried = " and ".join(urls)
    if wishes.url is None and config.webhook.is_local:
        bridge = next(iter(bridges()), DOCKER_BRIDGE)
        return Stuck(
            f"no event came from Evolution through {tried}: it seems to run in a container, whose 127.0.0.1 is not "
            "this one",
            f"In config.yaml set  webhook: {{host: {bridge}}}  (the bridge to the containers) and start the gateway "
            f"again: {_TOKEN}",
        )
    return Stuck(
        f"Evolution at {peer.url} was told to post to {tried}, and nothing came",
        "Look for a firewall between the two, or name the URL that leads here from there:  --webhook-url URL",
    )


_TOKEN: Final = "it will ask for the secret in data/webhook.token, which connect gives to Evolution as a header"  # noqa: S105


async def _set_hook(peer: Peer, instance: str, hook: Webhook, credential: Credential, say: Say) -> None:
    before = await peer.api.find_webhook(instance)
    await peer.api.set_webhook(instance, hook)
    after = await peer.api.find_webhook(instance)
    if after is None or after.url != hook.url or not after.enabled:
        raise Stuck(
            f"Evolution took the webhook of {instance} and does not have it", f"Look at {peer.url}/manager, then again"
        )
    if before and before.enabled and before.url != hook.url:
        say.note(f"in place of {shown(before.url)}")
    parts = [
        _shown(hook.url, credential),
        "by events" if after.by_events else "one URL for all events",
        f"{len(after.events)} events" if after.events else "all events",
        *(["base64"] if after.base64 else []),
        credential.said,
    ]
    say.done(f"webhook set: {', '.join(parts)}")


def _shown(url: str, credential: Credential) -> str:
    return url.replace(credential.path, "SECRET") if credential.path else url


async def _pair(config: Config, peer: Peer, wishes: Wishes, state: str, say: Say, *, is_proven: bool) -> None:
    """Show the code until it is scanned."""
    began, deadline = time.time(), time.monotonic() + wishes.wait
    shown, shown_at = "", -_NEW_CODE
    while state != "open":
        if time.monotonic() >= deadline:
            raise Stuck(f"nobody scanned the code within {wishes.wait:.0f} s", "Run this again, with the phone at hand")
        if time.monotonic() - shown_at >= _NEW_CODE:
            shown, shown_at = await _show_code(peer, wishes.instance, shown, say), time.monotonic()
        if not is_proven and await _has_come(config, wishes.instance, began):
            is_proven = True
            say.done("its events arrive")
        await asyncio.sleep(_LOOK_EVERY)
        state = await peer.state_of(wishes.instance) or state
    owner = await _owner(peer, wishes.instance)
    say.done(f"connected as +{owner}" if owner else "connected to WhatsApp")


async def _show_code(peer: Peer, instance: str, shown: str, say: Say) -> str:
    """Show the code if it is another than the one shown before; gives the one that is shown now."""
    qr = (await peer.api.connect_instance(instance)).qr
    if qr is None or not qr.code or qr.code == shown:
        return shown
    say.code(qr.code, qr.pairing_code)
    return qr.code


async def _has_come(config: Config, instance: str, since: float) -> bool:
    def is_it(event: Summary) -> bool:
        return event.instance == instance and event.accepted_at > since

    return await arrived(config.data, is_it, within=0) is not None


async def _owner(peer: Peer, instance: str) -> str | None:
    """The account's number; None for a key that may not list instances."""
    try:
        found = await peer.api.find_instances(instance)
    except EvolutionError:
        return None
    return found[0].phone if found else None


def _mind_replies(config: Config, peer: Peer, say: Say) -> None:
    """What a bot needs to answer is in config.yaml, which is its author's to write."""
    if not config.evolution.apikey:
        line = 'apikey: "${EVOLUTION_APIKEY:-}"'
        say.note(f"so that replies leave: evolution.apikey in config.yaml, such as  {line}  and then a new start of it")
    elif config.evolution.url != peer.url:
        say.note(f"so that replies leave: evolution.url in config.yaml is {config.evolution.url}, not {peer.url}")
