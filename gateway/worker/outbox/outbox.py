"""Send what handlers queued, once their deliveries are settled: in order within a chat, chats beside each other."""

import asyncio
import contextlib
from collections import deque
from collections.abc import Callable, Sequence

from gateway.log import log
from gateway.work import Message
from gateway.worker.outbox.courier import Courier
from gateway.worker.outbox.line import Closed, Line
from gateway.worker.outbox.notes import Notes
from gateway.worker.outbox.waiting import Waiting

Chat = tuple[str, str]


class Outbox:
    """The queues, one a chat.

    `courier` takes each message to its end, `notes` has that written; `open_line` makes the way out of an instance.
    """

    def __init__(self, courier: Courier, notes: Notes, waiting: Waiting, open_line: Callable[[str], Line]) -> None:
        self._courier = courier
        self._notes = notes
        self._waiting = waiting
        self._open_line = open_line
        self._lines: dict[str, Line] = {}
        self._chats: dict[Chat, deque[Message]] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def next_due(self) -> float | None:
        """Unix seconds at which something that waits goes on; None when nothing does."""
        return self._waiting.next_due

    async def until_quiet(self) -> None:
        """Return once nothing will leave before time passes, and what has left is noted."""
        await self._waiting.until_resting(lambda: len(self._tasks))
        await self._notes.flush()

    def add(self, messages: Sequence[Message]) -> None:
        """Queue messages behind those of the same chat; what an earlier worker left comes first of all."""
        for message in messages:
            chat = (message.instance, message.chat)
            waiting = self._chats.get(chat)
            if waiting is not None:
                waiting.append(message)
                continue
            self._chats[chat] = deque([message])
            task = asyncio.get_running_loop().create_task(self._empty(chat))
            self._tasks.add(task)
            task.add_done_callback(self._end)

    def wake(self) -> None:
        """The clock was moved: look again what is due."""
        self._waiting.wake()

    async def close(self, grace: float) -> None:
        """Begin no request any more, and give those under way `grace` seconds. What waits is on disk."""
        for line in self._lines.values():
            line.close()
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._courier.until_idle(), grace)
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._notes.close(grace)
        await self._courier.close()

    def _end(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        self._waiting.ended()
        if not task.cancelled() and task.exception():
            log.error("outbox_task_failed", exc_info=task.exception())

    async def _empty(self, chat: Chat) -> None:
        waiting = self._chats[chat]
        instance = chat[0]
        line = self._lines.get(instance)
        if line is None:
            line = self._lines[instance] = self._open_line(instance)
        with contextlib.suppress(Closed):
            while waiting:
                await self._courier.deliver(waiting[0], line)
                waiting.popleft()
            del self._chats[chat]
