"""Tell every open page what is new: one read and one encoding for all viewers, a few times a second.

Pages that look for the same share a channel. A page that can't keep up is dropped, not buffered for: its browser comes
back and says what it saw last, and what it missed is read from the files again.
"""

import asyncio
import contextlib
import time
from collections import OrderedDict
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterable, Mapping, Sequence
from typing import Any, Final, NamedTuple

import msgspec
import orjson
from aiohttp import web

from gateway.errors import GatewayError
from gateway.log import log
from gateway.search import Query
from gateway.web.answers import Refused
from gateway.web.channel import Channel
from gateway.web.look import Look
from gateway.web.rows import Row
from gateway.web.viewer import Viewer

PAUSE: Final = 0.2
"""Seconds between two batches."""
POLL: Final = 2.0
"""Seconds after which the newest rows are looked at although nobody said they changed."""
STRIP_PAUSE: Final = 1.0
"""Seconds between two looks at the counters."""
MISSED: Final = 10_000
"""Rows sent to a page that comes back; one that missed more begins anew."""
FRESH: Final = 100
"""Rows sent to a page that begins, and sent again to one that comes back, for they may have changed."""
BATCH: Final = 1000
"""Rows in one batch of what was missed."""
NEW: Final = 200
"""New rows in one batch, and changed ones, at most: a thousand a second, more than anybody can see."""
BEHIND: Final = 5000
"""New rows that may wait; what came faster than that is not shown as it comes, and pages begin anew."""
FLOOD_PAUSE: Final = 1.0
"""Seconds to the next batch where pages had to begin anew: as long as that goes on they show the newest rows alone."""
VIEWERS: Final = 200

_BEGINS: Final = 120  # characters of a refused body in its sentence
_POLLED: Final = 200
_KNOWN: Final = 10_000
_PENDING: Final = 5000  # changes that wait for a batch; of older ones the poll tells
_UNFINISHED: Final = frozenset({"waiting", "running", "retrying"})
_UNSENT: Final = frozenset({"queued", "sending"})


class Seen(NamedTuple):
    """The last that a page has seen: the id of a batch."""

    generation: str
    """Of the journal."""
    seq: int
    """Everything up to here was shown, as far as it fits."""

    @classmethod
    def read(cls, text: str) -> "Seen | None":
        """The id as a browser gives it back; None if it is none of ours."""
        generation, _, digits = text.partition(".")
        is_number = digits.isascii() and digits.isdigit() and len(digits) < 19  # noqa: PLR2004 -- fits 64 bits
        return cls(generation, int(digits)) if is_number else None


class Feed:
    """Gathers what changed and shows it to the viewers."""

    def __init__(self, look: Look, status: Callable[[], Mapping[str, Any]] = dict) -> None:
        """`status()["reasons"]`, a list of texts, is shown above the list: what is wrong with the gateway now."""
        self._look = look
        self._status = status
        self._channels: dict[Query, Channel] = {}
        self._pending: set[int] = set()
        self._woken = asyncio.Event()
        self._sent: OrderedDict[int, bytes] = OrderedDict()
        self._unfinished: set[int] = set()
        self._above: list[bytes] = []
        self._last: int | None = None
        self._has_more = False
        self._generation = ""

    def notify(self, seqs: Iterable[int]) -> None:
        """These events were committed, or something about them changed. Cheap; call it on the loop."""
        if self._channels:
            self._pending.update(seqs)
            self._woken.set()

    @contextlib.asynccontextmanager
    async def watch(self, query: Query, let_go: Callable[[], object]) -> AsyncIterator[Viewer]:
        """Be a viewer of what fits. What comes from now on waits for it; `begin` gives what comes before that.

        Raises:
            TooManyViewers: no more pages can be served.
        """
        if sum(len(channel.viewers) for channel in self._channels.values()) >= VIEWERS:
            raise TooManyViewers
        viewer = Viewer(let_go)
        channel = self._channels.setdefault(query, Channel(query))
        channel.viewers.add(viewer)
        try:
            await self._begin_with()
            yield viewer
        finally:
            viewer.leave()
            channel.viewers.discard(viewer)
            if not channel.viewers and self._channels.get(query) is channel:
                del self._channels[query]

    async def begin(self, query: Query, seen: Seen | None) -> AsyncGenerator[bytes]:
        """The first frames: what was missed since `seen` and the rows before it, or the newest rows."""
        yield await self._strip_frame() + await self._instances_frame()
        is_same = seen is not None and seen.generation == self._generation
        seqs = await self._missed(query, seen.seq) if seen and is_same else None
        if seqs is None:
            yield b"event: anew\ndata: {}\n\n"
            seqs = (await self._look.finder.find(query, FRESH)).seqs[::-1]
            await self._begin_with()  # the very first event may have come meanwhile, and its journal with it
        for start in range(0, len(seqs), BATCH):
            if start:
                await asyncio.sleep(PAUSE)
            part = seqs[start : start + BATCH]
            if query in self._channels:
                self._channels[query].note(part)
            rows = [msgspec.json.encode(row) for row in await self._look.rows_of(part)]
            yield self._frame(part[-1], rows)

    async def run(self) -> None:
        """Serve until cancelled."""
        strip_due = poll_due = 0.0
        clock = asyncio.get_running_loop().time
        while True:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._woken.wait(), min(STRIP_PAUSE, POLL))
            self._woken.clear()
            is_poll, is_strip = clock() >= poll_due, clock() >= strip_due
            keeps_up = await self._tick(poll=is_poll, strip=is_strip)
            poll_due = clock() + POLL if is_poll else poll_due
            strip_due = clock() + STRIP_PAUSE if is_strip else strip_due
            await asyncio.sleep(PAUSE if keeps_up else FLOOD_PAUSE)

    def end(self) -> None:
        """Send every viewer away: the gateway stops."""
        for channel in self._channels.values():
            channel.put(None)

    async def _tick(self, *, poll: bool, strip: bool) -> bool:
        """Show one batch. False if more has come than can be shown as it comes."""
        if not self._channels:
            self._forget()
            return True
        try:
            if await self._skip():
                for channel in tuple(self._channels.values()):
                    channel.put(b"".join([frame async for frame in self.begin(channel.query, None)]))
                return False
            changed = await self._changed(poll=poll)
            extra = await self._changed_above() if strip else b""
            for channel in tuple(self._channels.values()):
                if frame := await self._frame_for(channel, changed) + extra:
                    channel.put(frame)
        except Exception as error:  # noqa: BLE001 -- one failed read must not end the feed for good
            log.warning("feed_read_failed", error=str(error))
        return True

    def _forget(self) -> None:
        for known in (self._pending, self._sent, self._unfinished):
            known.clear()
        self._above, self._generation = [], ""
        self._last = None

    async def _begin_with(self) -> None:
        """Know what is there before the first viewer reads it, so that nothing is between that and what comes."""
        if not self._generation:
            self._generation, last = await self._look.head()
            self._last = last if self._last is None else self._last

    async def _changed(self, *, poll: bool) -> dict[int, bytes]:
        """Rows that are new or differ from what the viewers have, encoded."""
        new = await self._new()
        known = self._last or 0
        wanted = sorted((seq for seq in self._pending if seq <= known), reverse=True)[:NEW]
        self._pending.difference_update(wanted, {int(row.id) for row in new})
        if len(self._pending) > _PENDING:
            self._pending = set(sorted(self._pending)[-_PENDING:])
        rows = new + (await self._look.rows_of(wanted) if wanted else [])
        if poll:
            rows += await self._look.rows(_POLLED)
            rows += await self._look.rows_of(sorted(self._unfinished)[:_POLLED])
        return self._different(rows)

    async def _new(self) -> list[Row]:
        """The next events, in order and none left out, so that a batch's id says what its viewers have seen."""
        await self._begin_with()
        rows = await self._look.rows_after(self._last or 0, NEW)
        self._last = int(rows[-1].id) if rows else self._last
        self._has_more = len(rows) == NEW
        if self._has_more:
            self._woken.set()
        return rows

    async def _skip(self) -> bool:
        """Whether more has come than can be shown as it comes; then what comes next is taken up from the newest on."""
        newest = (await self._look.head())[1] if self._has_more else 0
        if newest - (self._last or 0) <= BEHIND:
            return False
        self._last, self._has_more = newest, False
        self._pending.clear()  # pages get anew what they show
        return True

    def _different(self, rows: Iterable[Row]) -> dict[int, bytes]:
        changed: dict[int, bytes] = {}
        for row in rows:
            seq, encoded = int(row.id), msgspec.json.encode(row)
            if self._sent.get(seq) != encoded:
                changed[seq] = self._sent[seq] = encoded
                is_open = any(one.status in _UNFINISHED or one.sending in _UNSENT for one in row.plugins)
                (self._unfinished.add if is_open else self._unfinished.discard)(seq)
        while len(self._sent) > _KNOWN:
            self._sent.popitem(last=False)
        return changed

    async def _frame_for(self, channel: Channel, changed: Mapping[int, bytes]) -> bytes:
        strange = channel.strange(changed)
        fitting = await self._look.matching(channel.query, strange) if strange else []
        channel.note(fitting)
        left_out = set(strange).difference(fitting)
        rows = [encoded for seq, encoded in changed.items() if seq not in left_out]
        return self._frame(self._last or 0, rows) if rows else b""

    def _frame(self, last: int, rows: Sequence[bytes]) -> bytes:
        return b"id: %s.%d\nevent: rows\ndata: [%s]\n\n" % (self._generation.encode(), last, b",".join(rows))

    async def _changed_above(self) -> bytes:
        """What stands above the list, as far as it differs from what the viewers have."""
        frames = [await self._strip_frame(), await self._instances_frame()]
        changed = b"".join(frame for frame in frames if frame not in self._above)
        self._above = frames
        return changed

    async def _strip_frame(self) -> bytes:
        seen = await self._look.strip()
        reasons = [str(reason) for reason in self._status().get("reasons") or ()] + [_sentence(r) for r in seen.refused]
        strip = msgspec.to_builtins(seen)
        return b"event: strip\ndata: %s\n\n" % orjson.dumps({**strip, "reasons": reasons})

    async def _instances_frame(self) -> bytes:
        return b"event: instances\ndata: %s\n\n" % msgspec.json.encode(await self._look.instances.all())

    async def _missed(self, query: Query, seen: int) -> list[int] | None:
        """What fits and came after `seen`, in order, and some rows before; None if that is too much."""
        missed = await self._look.finder.find(query, MISSED + 1, after=seen)
        if missed.next is not None:
            return None
        before = await self._look.finder.find(query, FRESH, before=seen + 1)
        return [*before.seqs[::-1], *missed.seqs[::-1]]


def _sentence(post: Refused) -> str:
    clock = time.strftime("%H:%M:%S", time.localtime(post.at))
    return f"Refused at {clock}: {post.reason}. It began: {post.begins[:_BEGINS] or 'with nothing'}"


class TooManyViewers(GatewayError):
    """The limit of open pages is reached."""


FEED: Final = web.AppKey("feed", Feed)
