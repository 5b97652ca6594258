"""One instance's way out: how many requests go at once, at what pace, and whether it can send at all.

When an instance is down, one message tries in growing pauses and all others wait for it: five hundred queued answers
must not ask a dead server five hundred times.
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Final

from gateway.log import log
from gateway.worker.outbox.pace import Pacer
from gateway.worker.outbox.waiting import Tempo, Waiting, nth

AT_ONCE: Final = 16
"""Requests through one instance under way at most."""

Trouble = Callable[[str, str | None], None]


class Closed(Exception):
    """The outbox is closing: nothing leaves any more."""


class Line:
    """The way out of one instance."""

    def __init__(self, instance: str, pacer: Pacer, waiting: Waiting, trouble: Trouble, *, tempo: Tempo) -> None:
        self.instance = instance
        self.expired = 0
        """Messages that could not leave in time since the instance stopped sending."""
        self._pacer = pacer
        self._waiting = waiting
        self._trouble = trouble
        self._tempo = tempo
        self._slots = asyncio.Semaphore(AT_ONCE)
        self._failures = 0
        self._error = ""
        self._since = self._opens = 0.0
        self._is_probing = self._is_closed = False

    @property
    def is_down(self) -> bool:
        """The last that was heard is that it can't send."""
        return self._failures > 0

    @asynccontextmanager
    async def turn(self, chat: str, until: float) -> AsyncIterator[bool]:
        """A turn to send one message to a chat; False when it did not come until `until` (unix seconds).

        Raises:
            Closed: the outbox is closing.
        """
        now = self._waiting.now()
        await self.pause(min(now + self._pacer.chat_wait(chat, now), until))
        with self._waiting.resting():
            await self._slots.acquire()
        is_probe = False
        try:
            is_probe = await self._wait_open(until)
            if not is_probe:
                now = self._waiting.now()
                await self.pause(min(now + self._pacer.instance_wait(now), until))
            yield self._waiting.now() < until
        finally:
            self._slots.release()
            if is_probe:
                self._is_probing = False
                self._waiting.wake()

    def typing(self, kind: str, text: str) -> float:
        """Seconds of typing to show before a message."""
        return self._pacer.typing(kind, text)

    @property
    def reason(self) -> str:
        """Why it can't send, as the end of a sentence; "" while it can."""
        return f"{self.instance} could not send: {self._error}" if self.is_down else ""

    async def pause(self, moment: float) -> None:
        """Wait until a moment.

        Raises:
            Closed: the outbox is closing.
        """
        while not self._is_closed and self._waiting.now() < moment:
            await self._waiting.until(moment)
        self._check_open()

    def works(self) -> None:
        """A request got through."""
        if not self.is_down:
            return
        down_for = round(self._waiting.now() - self._since)
        log.info("instance_sends_again", instance=self.instance, after_seconds=down_for, expired=self.expired or None)
        self._failures = self.expired = 0
        self._trouble(f"outbox:{self.instance}", None)
        self._waiting.wake()

    def fails(self, error: str, *, too_much: bool) -> float:
        """It can't send now; gives the seconds until the next try."""
        now = self._waiting.now()
        if not self.is_down:
            self._since = now
            log.error("instance_cannot_send", instance=self.instance, error=error)
        wait = nth(self._tempo.too_much if too_much else self._tempo.down, self._failures)
        self._failures += 1
        self._error = error
        self._opens = now + wait
        self._trouble(f"outbox:{self.instance}", f"{self.instance} can't send ({error}); its messages wait.")
        return wait

    def close(self) -> None:
        """Give no more turns."""
        self._is_closed = True
        self._waiting.wake()

    async def _wait_open(self, until: float) -> bool:
        """Wait until the instance sends; True when it is this message's turn to find out whether it does."""
        while self.is_down and (now := self._waiting.now()) < until:
            self._check_open()
            if now >= self._opens and not self._is_probing:
                self._is_probing = True
                return True
            await self._waiting.until(until if self._is_probing else min(until, self._opens))
        self._check_open()
        return False

    def _check_open(self) -> None:
        if self._is_closed:
            raise Closed
