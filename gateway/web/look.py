"""Look at what is stored, for people: both files read on one thread, in short reads, and made safe to show."""

import time
from collections import OrderedDict
from collections.abc import Callable, Collection, Iterable, Sequence
from functools import lru_cache, partial
from pathlib import Path
from typing import Final

import msgspec

from gateway.config import Config
from gateway.journal import Summary
from gateway.journal.reader import RefusedPost
from gateway.redact import Redactor
from gateway.search import Query, matching
from gateway.web.answers import DeadLetter, Plugins, Refused, Strip
from gateway.web.counters import Counters, Counts, failed_per_minute, lag
from gateway.web.detail import Detail, Revealed, Story, content_of, facts_of, revealed_of, story_of
from gateway.web.finder import Finder
from gateway.web.instances import Instances
from gateway.web.outbox import Queue, queue_of
from gateway.web.plugins import plugins_of
from gateway.web.rows import Heard, Row, heard_in, row_of
from gateway.web.shown import short_text
from gateway.web.stores import Stores
from gateway.work import DeliveryRow, OutboxRow

_PARSED: Final = 64 * 2**10  # bytes; a larger body is a photo, and a list does not wait for one
_HEARD_KEPT: Final = 4096
_NAMED: Final = 4096
_REFUSED_SHOWN: Final = 3
_REFUSED_FOR: Final = 3600  # seconds
_REFUSED_TEXT: Final = 1000  # characters
_NAME: Final = 8  # characters of a generation
_RUN: Final = 200  # rows of one read


class Look:
    """Answers questions about events, deliveries and dead letters. Empty answers while nothing was ever stored."""

    def __init__(self, folder: Path, redactor: Redactor, clock: Callable[[], float] = time.time) -> None:
        """`folder` is the data folder; nothing is opened before the first question."""
        self._stores = Stores(folder)
        self._redactor = redactor
        self._clock = clock
        self._counters = Counters(folder, clock)
        self._heard: OrderedDict[int, Heard] = OrderedDict()
        self._named = lru_cache(_NAMED)(partial(short_text, redactor=redactor))
        """The same few names stand in nearly every row."""
        self.finder = Finder(folder)
        """Looks for events, on threads of its own."""
        self.instances = Instances(self._stores, redactor, clock)

    async def rows(self, limit: int, *, before: int | None = None, after: int = 0) -> list[Row]:
        """The newest events, newest first: those below `before`, if given, and above `after`."""
        return await self._stores.ask(self._rows_between, limit, before, after)

    async def rows_of(self, seqs: Iterable[int]) -> list[Row]:
        """Some events by number, newest first; those that are gone are left out."""
        return await self._stores.ask(self._rows_of, sorted(set(seqs), reverse=True))

    async def rows_after(self, seq: int, limit: int) -> list[Row]:
        """The next events above a number, in order."""
        return await self._stores.ask(self._rows_after, seq, limit)

    async def matching(self, query: Query, seqs: Sequence[int]) -> list[int]:
        """Those of some events that fit."""
        return await self._stores.ask(self._matching, query, seqs)

    async def head(self) -> tuple[str, int]:
        """A name for the journal that is there now, and the highest number in it."""
        return await self._stores.ask(self._head)

    async def event(self, seq: int) -> Detail | None:
        """One event with all that happened to it."""
        return await self._stores.ask(self._detail, seq)

    async def reveal(self, seq: int) -> Revealed | None:
        """One event's JSON with what is redacted elsewhere."""
        return await self._stores.ask(self._reveal, seq)

    async def accepted_at(self, seq: int) -> float | None:
        """When the event of this number, or the next one there is, was accepted, in unix seconds."""
        return await self._stores.ask(self._accepted_at, seq)

    async def dead(self, limit: int, before: int | None = None, plugin: str | None = None) -> list[DeadLetter]:
        """Dead letters, newest first; those with an id below `before` and of `plugin`, if given."""
        return await self._stores.ask(self._dead, limit, before, plugin)

    async def refused(self, limit: int) -> list[Refused]:
        """The newest posts that were answered 400, newest first."""
        return await self._stores.ask(self._refused, limit)

    async def plugins(self, config: Config) -> Plugins:
        """The plugins and how they do."""
        return await self._stores.ask(self._plugins, config)

    async def outbox(self, statuses: Collection[str], limit: int, before: int | None) -> Queue:
        """Messages that have not left or never will, newest first."""
        return await self._stores.ask(lambda: queue_of(self._stores.work, self._redactor, statuses, limit, before))

    async def counts(self) -> Counts:
        """The numbers above the list."""
        return await self._stores.ask(self._counts)

    async def strip(self) -> Strip:
        """Counters, and what the worker says of its plugins."""
        return await self._stores.ask(self._strip)

    async def close(self) -> None:
        """Finish the question being answered, then close the files."""
        self.finder.close()
        await self._stores.ask(self._counters.close)
        await self._stores.close()

    # What follows runs on the thread.

    def _rows_between(self, limit: int, before: int | None, after: int) -> list[Row]:
        journal = self._stores.journal
        return self._shown(journal.newest(limit, before=before, after=after)) if journal else []

    def _rows_of(self, seqs: Sequence[int]) -> list[Row]:
        journal = self._stores.journal
        if journal is None:
            return []
        spans = _spans(seqs)
        found = [one for high, low in spans for one in journal.newest(_RUN, before=high + 1, after=low - 1)]
        return self._shown(found)

    def _rows_after(self, seq: int, limit: int) -> list[Row]:
        journal = self._stores.journal
        return self._shown(journal.following(seq, limit)) if journal else []

    def _matching(self, query: Query, seqs: Sequence[int]) -> list[int]:
        journal = self._stores.journal
        return matching(journal, self._stores.work, query, seqs) if journal else []

    def _head(self) -> tuple[str, int]:
        journal = self._stores.journal
        return (journal.generation()[:_NAME], journal.last()) if journal else ("", 0)

    def _shown(self, summaries: Sequence[Summary]) -> list[Row]:
        rows: list[Row] = []
        for start in range(0, len(summaries), _RUN):
            rows += self._shown_run(summaries[start : start + _RUN])
        return rows

    def _shown_run(self, summaries: Sequence[Summary]) -> list[Row]:
        seqs = [summary.seq for summary in summaries]
        work = self._stores.work
        deliveries = work.deliveries(seqs) if work else {}
        messages = work.outbox(seqs) if work else {}
        heard = self._heard_in(summaries)
        return [
            row_of(one, heard[one.seq], deliveries.get(one.seq, ()), messages.get(one.seq, ()), self._named)
            for one in summaries
        ]

    def _heard_in(self, summaries: Sequence[Summary]) -> dict[int, Heard]:
        """Names and texts stand in the bodies: small ones are read, and what was found is remembered."""
        journal = self._stores.journal
        new = [one.seq for one in summaries if one.seq not in self._heard and one.size <= _PARSED]
        if new and journal:
            events = journal.events(new)
            self._heard.update((seq, heard_in(one.event, one.body, self._redactor)) for seq, one in events.items())
        found = {one.seq: self._heard.get(one.seq, Heard()) for one in summaries}
        while len(self._heard) > _HEARD_KEPT:
            self._heard.popitem(last=False)
        return found

    def _detail(self, seq: int) -> Detail | None:
        journal = self._stores.journal
        found = journal.find(seq) if journal else None
        if found is None or journal is None:
            return None
        summary, body = found
        content = content_of(summary.event, body, journal.phones_in(body), self._redactor)
        return Detail(
            row=self._shown_run([summary])[0],
            suffix=summary.suffix,
            address=summary.address,
            millis=summary.millis,
            size=summary.size,
            lane=short_text(summary.lane, self._redactor),
            repeated_at=summary.repeated_at,
            stories=self._stories(seq),
            text=content.text,
            raw=content.raw,
            note=content.note,
            decoded=content.decoded,
        )

    def _reveal(self, seq: int) -> Revealed | None:
        journal = self._stores.journal
        found = journal.find(seq) if journal else None
        return revealed_of(found[1]) if found else None

    def _stories(self, seq: int) -> list[Story]:
        work = self._stores.work
        if work is None:
            return []
        messages = work.outbox([seq]).get(seq, [])
        deliveries = work.deliveries([seq]).get(seq, [])
        return self._told(sorted(deliveries, key=_story_order), messages)

    def _told(self, deliveries: Sequence[DeliveryRow], messages: Sequence[OutboxRow]) -> list[Story]:
        work = self._stores.work
        history = work.failed_attempts([one.id for one in deliveries]) if work and deliveries else {}
        return [story_of(one, messages, history.get(one.id, ()), self._redactor) for one in deliveries]

    def _accepted_at(self, seq: int) -> float | None:
        journal = self._stores.journal
        ages = journal.ages(seq - 1, 1) if journal else []
        return ages[0].accepted_at if ages else None

    def _dead(self, limit: int, before: int | None, plugin: str | None) -> list[DeadLetter]:
        work = self._stores.work
        found = work.dead(limit, before, plugin) if work else []
        stories = zip(found, self._told(found, ()), strict=True)
        return [DeadLetter(id=str(one.id), event_id=str(one.seq), story=story) for one, story in stories]

    def _plugins(self, config: Config) -> Plugins:
        work = self._stores.work
        facts, open_counts = (work.facts(), work.open_by_plugin()) if work else ({}, {})
        return Plugins(
            plugins=plugins_of(facts, open_counts, config, self._redactor),
            load_errors=facts_of(facts, self._redactor)[1],
        )

    def _counts(self) -> Counts:
        work, journal = self._stores.work, self._stores.journal
        counts = self._counters.read()
        if work is None or journal is None:
            return counts
        facts = work.facts()
        return msgspec.structs.replace(
            counts, lag=lag(journal, work, self._clock()), failed_per_minute=failed_per_minute(facts, self._clock())
        )

    def _strip(self) -> Strip:
        work = self._stores.work
        plugins, load_errors = facts_of(work.facts() if work else {}, self._redactor)
        lately = [one for one in self._refused(_REFUSED_SHOWN) if one.at > self._clock() - _REFUSED_FOR]
        return Strip(counts=self._counts(), plugins=plugins, load_errors=load_errors, refused=lately)

    def _refused(self, limit: int) -> list[Refused]:
        journal = self._stores.journal
        return [self._post_shown(one) for one in (journal.refused(limit) if journal else [])]

    def _post_shown(self, post: RefusedPost) -> Refused:
        """Cut only after the redactor has seen it whole, so that no half of a key is left."""
        begins = self._redactor.text(post.body.decode(errors="replace"))
        path, reason = self._redactor.text(post.path), self._redactor.text(post.reason)
        return Refused(
            at=post.at, address=post.address, path=path, reason=reason, size=post.size, begins=begins[:_REFUSED_TEXT]
        )


def _story_order(delivery: DeliveryRow) -> tuple[str, int]:
    return delivery.plugin, delivery.run


def _spans(seqs: Sequence[int]) -> list[tuple[int, int]]:
    """Descending numbers as runs without gaps, (highest, lowest) each, so that few queries read them."""
    spans: list[tuple[int, int]] = []
    for seq in seqs:
        high, low = spans[-1] if spans else (0, 0)
        if spans and low - 1 == seq and high - seq < _RUN:
            spans[-1] = (high, seq)
        else:
            spans.append((seq, seq))
    return spans
