"""Everything the doctor's checks look at, gathered once: settings, server, webhooks, plugins, and what has come."""

import shutil
from collections.abc import Mapping
from typing import Final

import msgspec

from gateway import names
from gateway.config import Config
from gateway.evolution.errors import EvolutionError
from gateway.journal import Summary
from gateway.wiring.local import is_listening, is_running
from gateway.wiring.peer import Hook, Peer, Seen
from gateway.wiring.probe import newest
from gateway.worker.loading import load_plugins

RECENT: Final = 300
"""Events looked at for traces."""


class Scene(msgspec.Struct, frozen=True, kw_only=True):
    """What there is."""

    config: Config
    is_running: bool
    """A receiver runs on this data folder."""
    is_listening: bool
    """A gateway answers where this one is configured to listen."""
    peer: Peer
    trouble: EvolutionError | None
    """What came instead of an answer; then there are neither instances nor hooks."""
    ahead: float | None
    """Seconds by which Evolution's clock is ahead of this machine's."""
    instances: tuple[Seen, ...]
    hooks: Mapping[str, Hook | None]
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
    instances: tuple[Seen, ...] = ()
    hooks: dict[str, Hook | None] = {}
    try:
        await peer.greet()
        instances = await _instances(peer, instance)
        hooks = {seen.name: await peer.hook(seen.name) for seen in instances}
    except EvolutionError as error:
        trouble = error
    return Scene(
        config=config,
        is_running=is_running(config),
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


async def _instances(peer: Peer, wanted: str | None) -> tuple[Seen, ...]:
    if wanted is None:
        return tuple(await peer.instances())
    seen = await peer.find(wanted)
    return (seen,) if seen else ()


def _wanted(config: Config) -> dict[str, tuple[str, ...]]:
    wanted: dict[str, list[str]] = {}
    for each in load_plugins(config).plugins:
        named = {kind.name for handler in each.plugin.handlers for kind in handler.events} & names.EVENTS.keys()
        for event in sorted(named):
            wanted.setdefault(event, []).append(each.plugin.name)
    return {event: tuple(plugins) for event, plugins in wanted.items()}
