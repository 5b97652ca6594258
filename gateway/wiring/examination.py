"""The doctor's list of checks, and how it goes through them.

A check is a function from the scene to findings. A new one is written beside its kind and added to the list here.
"""

from collections.abc import AsyncIterator, Callable
from typing import Final

from gateway.config import Config
from gateway.wiring.checks import hooks, machine, proxy, server, traces
from gateway.wiring.finding import Finding
from gateway.wiring.peer import Peer
from gateway.wiring.probe import WITHIN
from gateway.wiring.scene import Scene, look

Check = Callable[[Scene], AsyncIterator[Finding]]

CHECKS: Final[tuple[Check, ...]] = (
    machine.gateway,
    machine.answers,
    machine.plugins,
    machine.disk,
    machine.descriptors,
    server.reach,
    server.clock,
    server.connections,
    hooks.targets,
    hooks.arrival,
    hooks.subscriptions,
    proxy.body_limits,
    traces.both_webhooks,
    traces.exposed_keys,
    traces.dropped_videos,
    traces.refused_posts,
)


async def examine(
    config: Config, peer: Peer, instance: str | None = None, *, patience: float = WITHIN
) -> AsyncIterator[Finding]:
    """Every finding, in the order in which an event passes what they are about.

    Args:
        config: of the gateway.
        peer: the Evolution that its settings name.
        instance: the one to look at; None: all that the key may see.
        patience: seconds that an event may take which Evolution is made to send, where none has come for an hour; 0: it
            is to send none.
    """
    scene = await look(config, peer, instance, patience=patience)
    for check in CHECKS:
        async for finding in check(scene):
            yield finding
