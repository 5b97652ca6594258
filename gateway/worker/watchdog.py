"""Notice a plugin whose loop has stopped turning, and say where it hangs.

`time.sleep` or `requests.get` in an `async def` handler holds up all handlers of its plugin. Its author sees that
nothing happens; this says at which line. A plugin that has nothing to do is not asked, so an idle worker sleeps on.
"""

import asyncio
import time
from collections.abc import Callable, Sequence
from typing import Final

from gateway.log import log
from gateway.worker.frames import place_of
from gateway.worker.host import Host

LOOK_EVERY: Final = 1.0  # seconds
BLOCKED_AFTER: Final = 5.0
"""Seconds a plugin's loop may take to answer."""

Say = Callable[[str, str | None], None]


class Watchdog:
    """Looks after the loops of all plugins."""

    def __init__(self, hosts: Sequence[Host], say: Say, clock: Callable[[], float] = time.monotonic) -> None:
        """`say`: what the page is told, by a key: a sentence, or that it is over."""
        self._pulses = [Pulse(host, say, clock) for host in hosts]

    async def run(self) -> None:
        """Look until cancelled."""
        while True:
            self.look()
            await asyncio.sleep(LOOK_EVERY)

    def look(self) -> None:
        """Ask the plugins that are at work for a sign of life, and see who has not answered."""
        for pulse in self._pulses:
            pulse.look()


class Pulse:
    """One plugin's."""

    def __init__(self, host: Host, say: Say, clock: Callable[[], float]) -> None:
        self._host = host
        self._say = say
        self._clock = clock
        self._asked: float | None = None
        self._answered: float | None = None
        self._is_reported = False

    def look(self) -> None:
        """Ask, or see whether the answer has come."""
        if self._asked is None:
            if self._host.is_busy:
                self._asked, self._answered = self._clock(), None
                self._host.call(self._answer)
        elif self._answered is not None:
            self._note_answer(self._answered - self._asked)
            self._asked = None
        elif not self._is_reported and (seconds := self._clock() - self._asked) >= BLOCKED_AFTER:
            self._report(seconds)

    def _answer(self) -> None:
        """Run by the plugin's own loop."""
        self._answered = self._clock()

    def _report(self, seconds: float) -> None:
        self._is_reported = True
        plugin = self._host.plugin
        place = place_of(self._host.thread, plugin.file, plugin.handlers)
        if place is None:
            return
        log.error(
            "plugin_blocks",
            plugin=plugin.name,
            handler=place.handler,
            function=place.function,
            file=place.file,
            line=place.line,
            seconds=round(seconds, 1),
        )
        self._say(self._key, f"{plugin.name} hangs in {place}; until that ends none of its handlers goes on.")

    def _note_answer(self, seconds: float) -> None:
        if self._is_reported or seconds >= BLOCKED_AFTER:  # the latter: whoever held the interpreter itself
            log.warning("plugin_free", plugin=self._host.plugin.name, seconds=round(seconds, 1))
            self._say(self._key, None)
        self._is_reported = False

    @property
    def _key(self) -> str:
        return f"{self._host.plugin.name} hangs"
