"""A sender in a process of its own: `python -m bench.client ORDER` posts as a file says and prints what came of it.

It stands in for wrk where that is not installed, and posts at a steady rate, which wrk does not.
"""

import asyncio
import statistics
import sys
import time
from pathlib import Path
from typing import Final

import msgspec
import orjson

from bench.bodies import body

_HEAD: Final = (
    "POST /webhook/messages-upsert HTTP/1.1\r\nHost: 127.0.0.1\r\nUser-Agent: axios/1.12.2\r\n"
    "Content-Type: application/json\r\nContent-Length: {}\r\n\r\n"
)
_PATIENCE: Final = 30.0  # seconds for an answer


class Order(msgspec.Struct, frozen=True, kw_only=True):
    """What to post, and how."""

    port: int
    connections: int
    seconds: float
    form: bytes
    first: int
    """Number of the first post; no two posts of a run share one."""
    rate: float = 0.0
    """Posts a second, spread evenly whatever the answers take; 0: as fast as answers come."""
    count: int = 0
    """Posts in all; 0: as many as there is time for."""


class Answered(msgspec.Struct, frozen=True):
    """One post that was acknowledged."""

    id: int
    """The event's number, as the answer says."""
    due: float
    """When it was to be sent, by the machine's monotonic clock: a late sender must not look like a quick server."""
    seconds: float
    """From then to the answer."""


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """What came of it."""

    answers: int
    seconds: float
    failed: int
    """Posts that got no answer."""
    refused: int
    """Answers that were no acknowledgement."""
    p50: float
    """Milliseconds."""
    p99: float
    posts: list[Answered] = []
    """Only of posts at a rate."""

    @property
    def rate(self) -> float:
        """Answers a second."""
        return self.answers / self.seconds


class _Sender:
    def __init__(self, order: Order) -> None:
        self._order = order
        last = order.first + order.count if order.count else sys.maxsize
        self._numbers = iter(range(order.first, last))
        self._head = _HEAD.format(len(order.form)).encode()
        self._posts: list[Answered] = []
        self._refused = self._failed = 0

    async def run(self) -> Outcome:
        began = time.monotonic()
        work = [self._connection(began) for _ in range(self._order.connections)]
        for ended in await asyncio.gather(*work, return_exceptions=True):
            self._failed += isinstance(ended, BaseException)
        millis = [post.seconds * 1000 for post in self._posts] * 2 or [0.0, 0.0]  # twice: one post has quantiles too
        return Outcome(
            answers=len(self._posts) + self._refused,
            seconds=time.monotonic() - began,
            failed=self._failed,
            refused=self._refused,
            p50=statistics.median(millis),
            p99=statistics.quantiles(millis, n=100)[-1],
            posts=self._posts if self._order.rate else [],
        )

    async def _connection(self, began: float) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", self._order.port)
        for number in self._numbers:
            due = time.monotonic()
            if self._order.rate:
                due = began + (number - self._order.first) / self._order.rate
                await asyncio.sleep(due - time.monotonic())
            if due - began >= self._order.seconds:
                break
            writer.write(self._head + body(self._order.form, number))
            async with asyncio.timeout(_PATIENCE):
                status, content = await _answer(reader)
            if status in (200, 202):
                id_ = int(orjson.loads(content)["id"])
                self._posts.append(Answered(id_, due, time.monotonic() - due))
            else:
                self._refused += 1
        writer.close()


async def _answer(reader: asyncio.StreamReader) -> tuple[int, bytes]:
    head = (await reader.readuntil(b"\r\n\r\n")).lower()
    length = int(head.split(b"content-length:")[1].split(b"\r\n")[0])
    return int(head.split(b" ", 2)[1]), await reader.readexactly(length)


if __name__ == "__main__":
    found = asyncio.run(_Sender(msgspec.msgpack.decode(Path(sys.argv[1]).read_bytes(), type=Order)).run())
    sys.stdout.buffer.write(msgspec.json.encode(found))
