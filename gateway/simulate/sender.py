"""Post as Evolution does: its headers in its order, its retries with the same bytes."""

import asyncio
import os
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from random import Random
from types import TracebackType
from typing import Final, Self

import aiohttp
import msgspec
import orjson
from multidict import CIMultiDict

from gateway.simulate.request import Post, with_host
from gateway.simulate.retry import TIMEOUT, retry_wait
from gateway.simulate.tally import Outcome, Tally

_REASON_LIMIT: Final = 300  # characters shown of an answer nobody knows

OnRetry = Callable[[Outcome, float], None]
"""Hears of an attempt that failed, and how many seconds follow until the next."""


class Pace(msgspec.Struct, frozen=True, kw_only=True):
    """How fast, and how stubbornly."""

    connections: int = 1
    """Requests under way at once."""
    rate: float | None = None
    """Events begun a second; None: as quick as they are answered."""
    retry_scale: float | None = None
    """What Evolution's waits are multiplied with; None: nothing is tried again."""
    repeat: bool = False
    """Post each event's bytes once more, as when an instance's webhook and the global one are both on."""


class Sender:
    """Posts events and counts what came of them. Use it with `async with`."""

    def __init__(self, pace: Pace, *, random: Random | None = None, on_retry: OnRetry | None = None) -> None:
        self.tally = Tally()
        self._pace = pace
        self._random = random or Random()  # noqa: S311 -- jitter, no secret
        self._on_retry = on_retry or (lambda _outcome, _wait: None)
        self._slots = asyncio.Semaphore(pace.connections)

    async def __aenter__(self) -> Self:
        self._session = aiohttp.ClientSession(
            request_class=_OrderedRequest,
            connector=aiohttp.TCPConnector(limit=self._pace.connections),
            timeout=aiohttp.ClientTimeout(total=TIMEOUT),
            cookie_jar=aiohttp.DummyCookieJar(),
            auto_decompress=False,
        )
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._session.close()

    async def send(self, posts: Iterable[Post]) -> None:
        """Post all of them. Ends early where nobody listens at all and nothing is tried again."""
        begun = time.monotonic()
        async with asyncio.TaskGroup() as tasks:
            for number, post in enumerate(posts):
                if self._pace.rate:
                    await asyncio.sleep(begun + number / self._pace.rate - time.monotonic())
                await self._slots.acquire()
                if self._is_hopeless():
                    break
                tasks.create_task(self._play(post))

    async def deliver(self, post: Post) -> Outcome:
        """Post one event, and again for as long as the pace says."""
        await self._slots.acquire()
        return await self._deliver(post)

    def _is_hopeless(self) -> bool:
        return self._pace.retry_scale is None and self.tally.sent > 0 and self.tally.sent == self.tally.unanswered

    async def _play(self, post: Post) -> None:
        """One event with its copy; the caller has taken the slot of the first attempt."""
        await self._deliver(post)
        if self._pace.repeat:
            await self.deliver(post)

    async def _deliver(self, post: Post) -> Outcome:
        """One event to its end; the caller has taken the slot of the first attempt."""
        with self._slot_taken():
            outcome = await self._attempt(post, 1)
        outcome = await self._insist(post, outcome)
        self.tally.add(outcome)
        return outcome

    async def _insist(self, post: Post, outcome: Outcome) -> Outcome:
        """Try again as long as Evolution would. Waiting takes no slot, for Evolution's events wait side by side."""
        while (wait := self._wait_after(outcome)) is not None:
            self._on_retry(outcome, wait)
            await asyncio.sleep(wait)
            async with self._slots:
                outcome = await self._attempt(post, outcome.attempts + 1)
        return outcome

    def _wait_after(self, outcome: Outcome) -> float | None:
        scale = self._pace.retry_scale
        wait = retry_wait(outcome.attempts, outcome.status, self._random.uniform(-1, 1))
        return None if wait is None or scale is None else wait * scale

    async def _attempt(self, post: Post, attempt: int) -> Outcome:
        begun = time.perf_counter()
        try:
            async with self._session.post(post.url, data=post.body, headers=post.headers) as answer:
                body = await answer.read()
        except (aiohttp.ClientError, TimeoutError) as error:
            return Outcome(status=None, detail=_explain(error), attempts=attempt, expected=post.expected)
        seconds = time.perf_counter() - begun
        outcome = _read(answer.status, body, attempts=attempt, seconds=seconds)
        return msgspec.structs.replace(outcome, is_lost=answer.method != "POST", expected=post.expected)

    @contextmanager
    def _slot_taken(self) -> Iterator[None]:
        try:
            yield
        finally:
            self._slots.release()


class _OrderedRequest(aiohttp.ClientRequest):
    """Writes the headers in the order given; aiohttp itself begins with Host."""

    async def send(self, conn: aiohttp.connector.Connection) -> aiohttp.ClientResponse:
        self.headers = CIMultiDict(with_host(list(self.headers.items()), self.headers["Host"]))
        return await super().send(conn)


def _read(status: int, body: bytes, *, attempts: int, seconds: float) -> Outcome:
    """What an answer says; the gateway's is JSON, anybody else's whatever it likes."""
    try:
        document = orjson.loads(body)
    except orjson.JSONDecodeError:
        document = None
    if not isinstance(document, dict):
        document = {"detail": body.decode(errors="replace").strip()[:_REASON_LIMIT]}
    number = document.get("id")
    return Outcome(
        status=status,
        result=str(document.get("status", "")),
        id=str(number) if number is not None else None,
        detail=str(document.get("detail", "")),
        attempts=attempts,
        seconds=seconds,
    )


def _explain(error: Exception) -> str:
    if isinstance(error, TimeoutError):
        return f"no answer within {TIMEOUT:.0f} s"
    if isinstance(error, OSError) and error.errno:
        return os.strerror(error.errno).lower()
    return str(error) or type(error).__name__
