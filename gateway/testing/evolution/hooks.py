"""Post an instance's events to its webhook, with Evolution's envelope, headers and retries."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from contextlib import AsyncExitStack
from datetime import datetime
from random import Random
from typing import Any, Final, Self

import msgspec
import orjson

from gateway.simulate import OnRetry, Outcome, Pace, Sender, Target
from gateway.simulate.request import make_post
from gateway.testing.evolution.place import Place
from gateway.testing.evolution.world import Instance, World

CONNECTIONS: Final = 1000
"""Posts under way at once; Evolution opens one connection for each event that waits."""
Inbox = Callable[[bytes], Awaitable[object]]
"""Takes an event's body, as a webhook would."""
_ENVIRONMENT: Final = str.maketrans(".-", "__")


class Hooks:
    """Posts what happens. Use it with `async with`; nothing is posted any more after its end."""

    def __init__(
        self,
        world: World,
        *,
        retry_scale: float,
        random: Random,
        inbox: Inbox | None = None,
        on_retry: OnRetry | None = None,
    ) -> None:
        """`retry_scale` multiplies the waits between Evolution's ten attempts; `on_retry` hears of each that failed.

        An `inbox` takes all events instead.
        """
        self._world = world
        self._inbox = inbox
        self._sender = Sender(Pace(connections=CONNECTIONS, retry_scale=retry_scale), random=random, on_retry=on_retry)
        self._tasks: set[asyncio.Task[Outcome | None]] = set()
        self._stack = AsyncExitStack()
        self.place = Place()
        """Where it stands, as far as what it can reach goes."""
        self.muted: set[str] = set()
        """Events that are never posted: `send.message`, ..."""
        self.failed: list[Outcome] = []
        """What was given up, or refused for good."""

    async def __aenter__(self) -> Self:
        await self._stack.enter_async_context(self._sender)
        return self

    async def __aexit__(self, *_: object) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._stack.aclose()

    def emit(self, instance: Instance, event: str, data: object) -> "asyncio.Task[Outcome | None]":
        """Post an event in the background. The task gives what came of it; None where nobody wants it."""
        return self._start(self._post(instance, event, self.envelope(instance, event, data)))

    def envelope(self, instance: Instance, event: str, data: object) -> dict[str, Any]:
        """What goes around an event's data: the fields in Evolution's order (1.x has the same since 1.5)."""
        # Evolution writes its local time with a Z it does not deserve.
        now = datetime.fromtimestamp(self._world.now()).astimezone().replace(tzinfo=None)
        hook = instance.webhook
        return {
            "event": event,
            "instance": instance.name,
            "data": data,
            **({"destination": hook.url} if hook else {}),
            "date_time": f"{now.isoformat(timespec='milliseconds')}Z",
            **({"sender": instance.jid} if instance.state == "open" else {}),
            "server_url": self._world.url,
            "apikey": instance.token,
        }

    async def settled(self) -> None:
        """Wait until nothing is being posted."""
        while self._tasks:
            await asyncio.wait(self._tasks)

    async def _post(self, instance: Instance, event: str, envelope: dict[str, Any]) -> Outcome | None:
        hook = instance.webhook
        is_wanted = hook and (not hook.events or event.upper().translate(_ENVIRONMENT) in hook.events)
        if hook is None or not hook.enabled or not is_wanted or event in self.muted:
            return None
        if self._inbox:
            await self._inbox(orjson.dumps(envelope))
            return None
        headers = dict(hook.headers or {})
        jwt_key = headers.pop("jwt_key", "")
        target = Target(url=hook.url, headers=tuple(headers.items()), jwt_key=jwt_key, by_events=hook.by_events)
        post = make_post(target, event, orjson.dumps(envelope), self._world.now)
        outcome = await self._sender.deliver(msgspec.structs.replace(post, url=self.place.way_to(post.url)))
        if not outcome.is_ok:
            self.failed.append(outcome)
        return outcome

    def _start(self, posting: Coroutine[Any, Any, Outcome | None]) -> "asyncio.Task[Outcome | None]":
        task = asyncio.get_running_loop().create_task(posting)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task


Emit = Callable[[Instance, str, object], "asyncio.Task[Outcome | None]"]
"""How the calls say what happened."""
