"""Tell every open page what is new: one read and one encoding for all viewers, a few times a second.

A page that can't keep up is let go, not buffered for: its browser comes back and says what it saw last.
"""

import asyncio
import contextlib
import time
from collections import OrderedDict
from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from typing import Any, Final

import msgspec
import orjson
from aiohttp import web

from gateway.errors import GatewayError
from gateway.log import log
from gateway.web.look import Look, Refused
from gateway.web.rows import Row

PAUSE: Final = 0.2
"""Seconds between two batches."""
POLL: Final = 2.0
"""Seconds after which the newest rows are looked at although nobody said they changed."""
STRIP_PAUSE: Final = 1.0
"""Seconds between two looks at the counters."""
MISSED: Final = 500
"""Rows sent to a page that comes back; one that missed more begins anew."""
FRESH: Final = 100
"""Rows sent to a page that begins."""
VIEWERS: Final = 200

_BEGINS: Final = 120  # characters of a refused body in its sentence
_BATCH: Final = 600
_POLLED: Final = 200
_KNOWN: Final = 2000
_QUEUE: Final = 25  # frames; five seconds of a viewer that does not read
_UNFINISHED: Final = frozenset({"waiting", "running", "retrying"})


class Viewer:
    """One open page."""

    def __init__(self, let_go: Callable[[], object]) -> None:
        """`let_go` cuts the connection, when the page reads too slowly."""
        self._frames: asyncio.Queue[bytes | None] = asyncio.Queue(_QUEUE)
        self._let_go = let_go

    def put(self, frame: bytes | None) -> bool:
        """Hand over a frame (None: the end); False when too many wait already."""
        try:
            self._frames.put_nowait(frame)
        except asyncio.QueueFull:
            self._let_go()
            return False
        return True

    async def get(self) -> bytes | None:
        """The next frame; None at the end."""
        return await self._frames.get()


class Feed:
    """Gathers what changed and shows it to the viewers."""

    def __init__(self, look: Look, status: Callable[[], Mapping[str, Any]] = dict) -> None:
        """`status()["reasons"]`, a list of texts, is shown above the list: what is wrong with the gateway now."""
        self._look = look
        self._status = status
        self._viewers: set[Viewer] = set()
        self._pending: set[int] = set()
        self._woken = asyncio.Event()
        self._sent: OrderedDict[int, bytes] = OrderedDict()
        self._unfinished: set[int] = set()
        self._strip = b""
        self._last = 0

    def notify(self, seqs: Iterable[int]) -> None:
        """These events were committed, or something about them changed. Cheap; call it on the loop."""
        if self._viewers:
            self._pending.update(seqs)
            self._woken.set()

    @contextlib.asynccontextmanager
    async def watch(self, seen: int | None, let_go: Callable[[], object]) -> AsyncIterator[Viewer]:
        """Be a viewer. The first frames bring what was missed since `seen`, or the newest rows.

        Raises:
            TooManyViewers: no more pages can be served.
        """
        if len(self._viewers) >= VIEWERS:
            raise TooManyViewers
        viewer = Viewer(let_go)
        self._viewers.add(viewer)  # before reading, so that what changes meanwhile is not lost
        try:
            for frame in await self._first_frames(seen):
                viewer.put(frame)
            yield viewer
        finally:
            self._viewers.discard(viewer)

    async def run(self) -> None:
        """Serve until cancelled."""
        strip_due = poll_due = 0.0
        clock = asyncio.get_running_loop().time
        while True:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._woken.wait(), min(STRIP_PAUSE, POLL))
            self._woken.clear()
            is_poll, is_strip = clock() >= poll_due, clock() >= strip_due
            await self._tick(poll=is_poll, strip=is_strip)
            poll_due = clock() + POLL if is_poll else poll_due
            strip_due = clock() + STRIP_PAUSE if is_strip else strip_due
            await asyncio.sleep(PAUSE)

    def end(self) -> None:
        """Send every viewer away: the gateway stops."""
        for viewer in tuple(self._viewers):
            viewer.put(None)

    async def _tick(self, *, poll: bool, strip: bool) -> None:
        if not self._viewers:
            self._forget()
            return
        try:
            frames = [await self._changed_rows(poll=poll), await self._changed_strip() if strip else b""]
        except Exception as error:  # noqa: BLE001 -- one failed read must not end the feed for good
            log.warning("feed_read_failed", error=str(error))
            return
        if frame := b"".join(frames):
            self._viewers -= {viewer for viewer in self._viewers if not viewer.put(frame)}

    def _forget(self) -> None:
        for known in (self._pending, self._sent, self._unfinished):
            known.clear()
        self._strip = b""

    async def _changed_rows(self, *, poll: bool) -> bytes:
        wanted = sorted(self._pending, reverse=True)[:_BATCH]
        self._pending.clear()
        rows = await self._look.rows_of(wanted) if wanted else []
        if poll:
            rows += await self._look.rows(_POLLED)
            rows += await self._look.rows_of(sorted(self._unfinished)[:_POLLED])
        return self._frame(self._new_among(rows))

    def _new_among(self, rows: Iterable[Row]) -> list[bytes]:
        """The rows that differ from what the viewers have, encoded."""
        changed: dict[int, bytes] = {}
        for row in rows:
            seq, encoded = int(row.id), msgspec.json.encode(row)
            if self._sent.get(seq) != encoded:
                changed[seq] = self._sent[seq] = encoded
                self._note(seq, row)
        while len(self._sent) > _KNOWN:
            self._sent.popitem(last=False)
        return list(changed.values())

    def _note(self, seq: int, row: Row) -> None:
        self._last = max(self._last, seq)
        is_open = any(result.status in _UNFINISHED or result.sending in {"queued", "sending"} for result in row.plugins)
        (self._unfinished.add if is_open else self._unfinished.discard)(seq)

    def _frame(self, rows: list[bytes]) -> bytes:
        return b"id: %d\nevent: rows\ndata: [%s]\n\n" % (self._last, b",".join(rows)) if rows else b""

    async def _changed_strip(self) -> bytes:
        strip = await self._strip_frame()
        if strip == self._strip:
            return b""
        self._strip = strip
        return strip

    async def _strip_frame(self) -> bytes:
        seen = await self._look.strip()
        reasons = [str(reason) for reason in self._status().get("reasons") or ()] + [_sentence(r) for r in seen.refused]
        strip = msgspec.to_builtins(seen)
        return b"event: strip\ndata: %s\n\n" % orjson.dumps({**strip, "reasons": reasons})

    async def _first_frames(self, seen: int | None) -> list[bytes]:
        strip = await self._strip_frame()
        rows = await self._look.rows(FRESH)
        missed = await self._look.rows(MISSED + 1, after=seen) if seen is not None else []
        is_anew = seen is None or len(missed) > MISSED
        self._last = max([self._last, *(int(row.id) for row in rows)])
        encoded = {row.id: msgspec.json.encode(row) for row in (*rows, *(() if is_anew else missed))}
        return [b"event: anew\ndata: {}\n\n" if is_anew else b"", strip, self._frame(list(encoded.values()))]


def _sentence(post: Refused) -> str:
    clock = time.strftime("%H:%M:%S", time.localtime(post.at))
    return f"Refused at {clock}: {post.reason}. It began: {post.begins[:_BEGINS] or 'with nothing'}"


class TooManyViewers(GatewayError):
    """The limit of open pages is reached."""


FEED: Final = web.AppKey("feed", Feed)
