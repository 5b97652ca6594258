"""Evolution's part towards the gateway: many connections at once, and each event again until it is acknowledged."""

import asyncio
import io
import time
from collections.abc import Iterable, Iterator
from typing import Any, Final

import aiohttp
import msgspec
import orjson

AGAIN: Final = 0.05
"""Seconds between two tries; Evolution waits 5 and more."""


class Answer(msgspec.Struct, frozen=True):
    """What the gateway said to one post."""

    status: int
    body: bytes
    headers: dict[str, str]
    """Names in lower case."""
    seconds: float
    """How long it took."""

    @property
    def json(self) -> Any:  # noqa: ANN401 -- JSON
        return orjson.loads(self.body)

    @property
    def id(self) -> int:
        return int(self.json["id"])

    @property
    def is_acknowledgement(self) -> bool:
        return self.status // 100 == 2


class Sender:
    """Posts to one URL, over at most so many connections."""

    def __init__(self, url: str, connections: int = 16) -> None:
        self._url = url
        self.pause = 0.0
        """Seconds that a connection rests after each body."""
        self._connections = connections
        self.acknowledged: dict[bytes, Answer] = {}
        """By body, in the order of the answers."""
        self.refused: list[Answer] = []
        """Every answer that was no acknowledgement."""
        self.unanswered = 0
        """Tries that got no answer at all."""

    async def post_all(self, bodies: Iterable[bytes], *, insist: bool = True) -> None:
        """Post each body once, or until it is acknowledged if the sender insists."""
        waiting = iter(bodies)
        connector = aiohttp.TCPConnector(limit=self._connections)
        async with aiohttp.ClientSession(connector=connector) as session, asyncio.TaskGroup() as tasks:
            for _ in range(self._connections):
                tasks.create_task(self._work(session, waiting, insist=insist))

    async def _work(self, session: aiohttp.ClientSession, waiting: Iterator[bytes], *, insist: bool) -> None:
        for body in waiting:
            while True:
                if await self._try(session, body) or not insist:
                    break
                await asyncio.sleep(AGAIN)
            if self.pause:
                await asyncio.sleep(self.pause)

    async def _try(self, session: aiohttp.ClientSession, body: bytes) -> bool:
        try:
            answer = await post(session, self._url, body)
        except (aiohttp.ClientError, ConnectionError, TimeoutError):
            self.unanswered += 1
            return False
        if answer.is_acknowledgement:
            self.acknowledged[body] = answer
        else:
            self.refused.append(answer)
        return answer.is_acknowledgement


async def post(session: aiohttp.ClientSession, url: str, body: bytes, **headers: str) -> Answer:
    """One request with one body."""
    began = time.perf_counter()
    sent = {"Content-Type": "application/json", "User-Agent": "axios/1.12.2", **headers}
    async with session.post(url, data=io.BytesIO(body), headers=sent) as response:
        content = await response.read()
    received = {name.lower(): value for name, value in response.headers.items()}
    return Answer(response.status, content, received, time.perf_counter() - began)
