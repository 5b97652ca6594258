"""Who belongs to a group, asked of Evolution and remembered for a while: filters ask for every message."""

import time
from collections.abc import Callable, Sequence
from typing import Final

from gateway.config import Config
from gateway.errors import GatewayError
from gateway.events import Participant
from gateway.evolution import Evolution

FRESH: Final = 300.0
"""Seconds for which an answer counts."""
MOST: Final = 1_000
"""Groups remembered; above it, all are forgotten."""

Group = tuple[str, str]
"""Instance and jid."""


class Members:
    """Asked by all plugins, each on its own loop and thread; two that ask at once both have Evolution asked."""

    def __init__(self, config: Config, clock: Callable[[], float] = time.monotonic) -> None:
        self._config = config
        self._clock = clock
        self._known: dict[Group, tuple[float, Sequence[Participant]]] = {}

    async def of(self, instance: str, group: str) -> Sequence[Participant]:
        """The members, as they were at most FRESH seconds ago.

        Raises:
            EvolutionError: Evolution gave no answer.
            GatewayError: nobody can be asked without a key.
        """
        asked, members = self._known.get((instance, group), (float("-inf"), ()))
        if asked + FRESH > self._clock():
            return members
        members = await self._ask(instance, group)
        if len(self._known) >= MOST:
            self._known.clear()
        self._known[instance, group] = (self._clock(), members)
        return members

    async def _ask(self, instance: str, group: str) -> Sequence[Participant]:
        settings = self._config.evolution
        if not settings.apikey:
            raise GatewayError(f"only Evolution knows who is in {group}: set evolution.apikey in config.yaml")
        evolution = Evolution(settings.url, settings.apikey.reveal(), version=settings.version)
        try:
            return await evolution.find_members(instance, group)
        finally:
            await evolution.close()
