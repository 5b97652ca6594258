"""Everything the doctor's checks look at, gathered once: settings, server, webhooks, plugins, and what has come."""

import shutil
from collections.abc import Mapping
from typing import Final

import msgspec

from gateway import names
from gateway.config import Config
from gateway.evolution import Webhook
from gateway.evolution.errors import EvolutionError
from gateway.journal import Summary
from gateway.report import read_facts
from gateway.wiring.local import is_listening, is_running
from gateway.wiring.peer import Peer
from gateway.wiring.probe import newest
from gateway.worker.loading import SENDS_TO, load_plugins

RECENT: Final = 300
"""Events looked at for traces."""


class Scene(msgspec.Struct, frozen=True, kw_only=True):
    """What there is."""

    config: Config
    is_running: bool
    """A receiver runs on this data folder."""
    sends_to: str | None
    """Where the worker that last began sends messages; None: nowhere. As configured where none has begun yet."""
    is_listening: bool
    """A gateway answers where this one is configured to listen."""
    peer: Peer
    trouble: EvolutionError | None
    """What came instead of an answer; then there are neither instances nor hooks."""
    ahead: float | None
    """Seconds by which Evolution's clock is ahead of this machine's."""
    instances: Mapping[str, str]
    """Each instance's state: `open`, `connecting` or `close`."""
    hooks: Mapping[str, Webhook | None]
    """Each instance's webhook."""
    wanted: Mapping[str, tuple[str, ...]]
    """By event: the plugins with a handler for just this one, not for all events."""
    recent: tuple[Summary, ...]
    """The newest events, newest first."""
    patience: float
    """Seconds that an event may take which Evolution is made to send; 0: it is to send none."""

    @property
    def free(self) -> int:
        """Bytes free on the disk of the data folder, or of where it will be made."""
        folder = self.config.data
        while not folder.exists():
            folder = folder.parent
        return shutil.disk_usage(folder).free


async def look(config: Config, peer: Peer, instance: str | None, *, patience: float) -> Scene:
    """Gather it; of one instance, or of all that the key may see."""
    trouble: EvolutionError | None = None
    instances: dict[str, str] = {}
    hooks: dict[str, Webhook | None] = {}
    try:
        await peer.greet()
        instances = await _instances(peer, instance)
        hooks = {name: await peer.api.find_webhook(name) for name in instances}
    except EvolutionError as error:
        trouble = error
    return Scene(
        config=config,
        is_running=is_running(config),
        sends_to=read_facts(config.data).get(SENDS_TO, config.evolution.url),
        is_listening=await is_listening(config),
        peer=peer,
        trouble=trouble,
        ahead=None if trouble else await peer.clock_ahead(),
        instances=instances,
        hooks=hooks,
        wanted=_wanted(config),
        recent=tuple(newest(config.data, RECENT)),
        patience=patience,
    )


async def _instances(peer: Peer, wanted: str | None) -> dict[str, str]:
    if wanted is None:
        return {each.name: each.state or "close" for each in await peer.api.find_instances()}
    state = await peer.state_of(wanted)
    return {wanted: state} if state else {}


def _wanted(config: Config) -> dict[str, tuple[str, ...]]:
    wanted: dict[str, list[str]] = {}
    for each in load_plugins(config).plugins:
        named = {kind.name for handler in each.plugin.handlers for kind in handler.events} & names.EVENTS.keys()
        for event in sorted(named):
            wanted.setdefault(event, []).append(each.plugin.name)
    return {event: tuple(plugins) for event, plugins in wanted.items()}
