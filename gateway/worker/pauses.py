"""Which plugins rest because somebody asked for it; that lasts over restarts, until somebody takes it back."""

import time
from collections.abc import Collection, Mapping

from gateway.errors import ControlError
from gateway.work.store import EVERYBODY
from gateway.worker.running import Running


class Pauses:
    """Tells the plugins. `paused`: by plugin, or for all, since when in unix seconds, as it was last written."""

    def __init__(self, paused: Mapping[str, float], running: Mapping[str, Running]) -> None:
        self._paused = dict(paused)
        self._running = running
        self._apply()

    @property
    def fact(self) -> dict[str, float]:
        """What is to be written down."""
        return dict(self._paused)

    def pause(self, name: str | None) -> int:
        """Let a plugin rest, or all, those loaded later included. Gives how many entries of `fact` changed.

        Raises:
            ControlError: there is no such plugin.
        """
        if name is None:
            return self._become({EVERYBODY: time.time()})
        check_loaded(name, self._running)
        if EVERYBODY in self._paused:
            return 0
        return self._become({**self._paused, name: self._paused.get(name, time.time())})

    def resume(self, name: str | None) -> int:
        """Let a plugin go on, or all. Gives how many entries of `fact` changed.

        Raises:
            ControlError: there is no such plugin.
        """
        if name is None:
            return self._become({})
        if name not in self._paused:
            check_loaded(name, self._running)
        paused = self._paused
        if EVERYBODY in paused:  # all but this one, then
            paused = dict.fromkeys(self._running, paused[EVERYBODY])
        return self._become({other: since for other, since in paused.items() if other != name})

    def _become(self, paused: dict[str, float]) -> int:
        changed = len(paused.keys() ^ self._paused.keys())
        self._paused = paused
        self._apply()
        return changed

    def _apply(self) -> None:
        for name, running in self._running.items():
            running.paused = name in self._paused or EVERYBODY in self._paused


def check_loaded(name: str, loaded: Collection[str]) -> None:
    """Refuse a plugin that is not there.

    Raises:
        ControlError: says which are.
    """
    if name not in loaded:
        raise ControlError(f"no plugin {name} is loaded; there is {', '.join(loaded) or 'none'}")
