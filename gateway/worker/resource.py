"""One plugin's lifespan: opened on the plugin's own loop before its first event, and closed when the worker stops.

What can't be opened is most often down for a while, so it is tried again, and the plugin's deliveries wait for it.
"""

import asyncio
import contextlib
from collections.abc import Callable
from contextlib import AsyncExitStack
from typing import Any, Final

from gateway.log import log
from gateway.plugins import Plugin
from gateway.redact import Redactor
from gateway.worker.effects import shorten_phone_numbers

WAITS: Final = (1.0, 5.0, 15.0, 30.0)
"""Seconds between tries; the last one again and again."""


class Resource:
    """Lives in one task, as context managers want it. `told` hears why it can't be opened, and None once it is."""

    def __init__(
        self, plugin: Plugin[Any, Any], *, timeout: float, redactor: Redactor, told: Callable[[str | None], None]
    ) -> None:
        self._plugin = plugin
        self._timeout = timeout
        self._redactor = redactor
        self._tell = told
        self._stop = asyncio.Event()

    async def live(self, use: Callable[[object], None]) -> None:
        """Open, trying as long as it takes; call `use` with what is yielded; close after `stop`."""
        failures = 0
        while not self._stop.is_set():
            stack = AsyncExitStack()
            try:
                async with asyncio.timeout(self._timeout):
                    value = await stack.enter_async_context(self._plugin.open())
            except BaseException as error:
                if self._stop.is_set() or isinstance(error, GeneratorExit):
                    raise
                wait = WAITS[min(failures, len(WAITS) - 1)]
                failures += 1
                self._complain(error, wait)
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(self._stop.wait(), wait)
                continue
            use(value)
            self._tell(None)
            await self._stop.wait()
            await self._close(stack)

    def stop(self) -> None:
        """Let `live` close it and return; the caller cancels one that has not opened yet."""
        self._stop.set()

    def _complain(self, error: BaseException, wait: float) -> None:
        late = f"it took longer than {self._timeout:g} s (delivery.timeout)"
        said = late if isinstance(error, TimeoutError) and not str(error) else f"{type(error).__name__}: {error}"
        text = shorten_phone_numbers(self._redactor.text(said))
        log.error("plugin_not_opened", plugin=self._plugin.name, error=text, again_in=wait)
        self._tell(
            f"{self._plugin.name} can't open what it needs ({text}); its deliveries wait, and it is tried again."
        )

    async def _close(self, stack: AsyncExitStack) -> None:
        try:
            await stack.aclose()
        except BaseException as error:  # noqa: BLE001 -- a stranger's code ran
            text = self._redactor.text(f"{type(error).__name__}: {error}")
            log.error("plugin_not_closed", plugin=self._plugin.name, error=text)
