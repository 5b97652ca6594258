"""Send what handlers queued, once their deliveries are settled.

In order within a chat, one at a time there, and chats beside each other. A row says `sending`, on disk, before its
request leaves: a message whose answer is missing is then known as such, and never sent a second time blindly.
"""

import asyncio
import contextlib
import time
from collections import deque
from collections.abc import Callable, Sequence
from typing import Final

import msgspec

from gateway.evolution import Evolution, EvolutionError
from gateway.log import log
from gateway.redact import shorten_phone
from gateway.work import Batch, Message, WorkStore
from gateway.work.outbox import OutboxStatus, Sent

AT_ONCE: Final = 8
"""Requests to Evolution under way at most."""
WAITS: Final = (1.0, 5.0, 15.0, 30.0)
"""Seconds between tries of a message that certainly has not left; the last one again until it expires."""

Chat = tuple[str, str]


class Outbox:
    """Sends messages through one Evolution server; `changed` hears of the event whose message moved on."""

    def __init__(
        self,
        store: WorkStore,
        evolution: Evolution,
        *,
        expire: float,
        changed: Callable[[Sequence[int]], None],
        waits: Sequence[float] = WAITS,
    ) -> None:
        self._store = store
        self._evolution = evolution
        self._expire = expire
        self._changed = changed
        self._waits = waits
        self._chats: dict[Chat, deque[Message]] = {}
        self._slots = asyncio.Semaphore(AT_ONCE)
        self._is_closing = False
        self._tasks: set[asyncio.Task[None]] = set()

    async def recover(self) -> None:
        """Take up what an earlier worker left. A message that was being sent when it died is a dead letter."""
        for message in self._store.open_messages():
            if message.status == "sending":
                await self._settle(message, "dead", error="The worker died while it was being sent: it may have left.")
            else:
                self.add([message])

    def add(self, messages: Sequence[Message]) -> None:
        """Queue messages behind those of the same chat."""
        for message in messages:
            chat = (message.instance, _person(message.target))
            waiting = self._chats.get(chat)
            if waiting is not None:
                waiting.append(message)
                continue
            self._chats[chat] = deque([message])
            task = asyncio.get_running_loop().create_task(self._empty(chat))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def until_idle(self) -> None:
        """Return once nothing waits to leave any more."""
        while self._tasks:
            await asyncio.wait(self._tasks)

    async def close(self, grace: float) -> None:
        """Begin no request any more, and give those under way `grace` seconds. What waits is on disk."""
        self._is_closing = True
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(grace):
                for _ in range(AT_ONCE):
                    await self._slots.acquire()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._evolution.close()

    async def _empty(self, chat: Chat) -> None:
        waiting = self._chats[chat]
        while waiting and await self._deliver(waiting[0]):
            waiting.popleft()
        if not waiting:
            del self._chats[chat]

    async def _deliver(self, message: Message) -> bool:
        """Try until it is sent, refused for good, expired or unknown; False when closing comes first."""
        attempts = message.attempts
        while True:
            async with self._slots:
                if self._is_closing:
                    return False
                attempts += 1
                wait = await self._try(message, attempts)
            if wait is None:
                return True
            await asyncio.sleep(wait)

    async def _try(self, message: Message, attempts: int) -> float | None:
        """One request. Seconds to wait before the next one, or None when the message is settled."""
        if time.time() - message.created > self._expire:
            text = f"It could not leave within {self._expire:g} s (outbox.expire)."
            await self._settle(message, "dead", attempts - 1, error=text)
            return None
        await self._write(Sent(id=message.id, status="sending", attempts=attempts))
        try:
            sent = await self._evolution.send_text(
                message.instance,
                message.target,
                message.payload["text"],
                mentions=tuple(message.payload.get("mentions", ())),
            )
        except EvolutionError as error:
            if error.passing:
                return await self._put_back(message, attempts, error)
            before = "It may have left: " if error.may_have_left else ""
            await self._settle(message, "dead", attempts, error=f"{before}{error}")
        except Exception as error:  # noqa: BLE001 -- what nobody thought of: its chat must go on
            await self._settle(message, "dead", attempts, error=f"It may have left: {_words(error)}")
        else:
            await self._settle(message, "sent", attempts, message_id=sent.id)
        return None

    async def _put_back(self, message: Message, attempts: int, error: Exception) -> float:
        wait = self._waits[min(attempts, len(self._waits)) - 1]
        log.warning("message_not_sent", **_names(message), attempt=attempts, again_in=wait, error=str(error))
        due = time.time() + wait
        await self._write(Sent(id=message.id, status="queued", attempts=attempts, due=due, error=str(error)))
        self._changed([message.seq])
        return wait

    async def _settle(
        self,
        message: Message,
        status: OutboxStatus,
        attempts: int = 0,
        *,
        message_id: str | None = None,
        error: str | None = None,
    ) -> None:
        attempts = attempts or message.attempts
        change = Sent(id=message.id, status=status, attempts=attempts, message_id=message_id, error=error)
        await self._write(msgspec.structs.replace(change, finished=time.time()))
        if status == "sent":
            log.info("message_sent", **_names(message), attempt=attempts)
        else:
            log.error("message_dead", **_names(message), attempt=attempts, error=error)
        self._changed([message.seq])

    async def _write(self, change: Sent) -> None:
        await self._store.write(Batch(outbox=[change]))


def _person(target: str) -> str:
    """Bare digits and the jid made of them are one chat."""
    return target if "@" in target else f"{target}@s.whatsapp.net"


def _words(error: Exception) -> str:
    return str(error) or type(error).__name__


def _names(message: Message) -> dict[str, str]:
    person = shorten_phone(message.target)
    return {"plugin": message.plugin, "instance": message.instance, "person": person, "id": str(message.seq)}
