"""Do what people ask for beside what comes: replay events, try dead letters again or drop them, pause plugins.

In bites, one a plugin and commit: a replay of a million events holds up nothing and takes up no memory. How far it is
goes to disk with the deliveries it makes, so a worker killed in the middle leaves nothing out and makes nothing twice.
"""

import time
from collections.abc import Iterable, Mapping, Sequence
from contextlib import closing
from datetime import datetime
from itertools import takewhile
from pathlib import Path
from typing import Final, NamedTuple, Protocol

from gateway.errors import ControlError
from gateway.journal import JournalReader
from gateway.journal.controls import Control, Letters, Question, Replay, Steer, read_payload
from gateway.journal.stored import Heading
from gateway.log import log
from gateway.work import Batch, Delivery, Settled, WorkStore
from gateway.work.batch import Status
from gateway.work.controls import ControlReader, Letter, Progress
from gateway.work.store import PAUSED, WORK
from gateway.worker.intake import Intake
from gateway.worker.pauses import Pauses, check_loaded
from gateway.worker.questions import KINDS as QUESTIONS
from gateway.worker.questions import Questions
from gateway.worker.running import Running
from gateway.worker.unsent import Unsent

AHEAD: Final = 256
"""Deliveries of one plugin that were asked for again and have not started, above which no more are made."""
BITE: Final = 512
"""Events or dead letters looked at in one read."""


class Add(Protocol):
    """Gives a plugin a delivery; the engine's."""

    def __call__(self, running: Running, row: Heading, batch: Batch, /, *, run: int, control: int) -> object:
        """Put it at the end of its lane, and into the commit."""


class _Found(NamedTuple):
    rows: Sequence[Heading]
    """Candidates, in order."""
    reach: int
    """The event up to which there are no others."""
    runs: Mapping[int, int]
    """By event: the highest run there is."""


class _Task(NamedTuple):
    progress: Progress
    payload: Replay | Letters


class Controls:
    """The engine calls `step` before each commit."""

    def __init__(
        self,
        store: WorkStore,
        intake: Intake,
        folder: Path,
        running: Mapping[str, Running],
        *,
        add: Add,
        questions: Questions,
        unsent: Unsent,
    ) -> None:
        self._intake = intake
        self._unsent = unsent
        self._questions = questions
        self._path = folder / WORK
        self._running = running
        self._add = add
        self.last, unfinished = store.controls()
        """The first is the id of the last control that was read."""
        self._open = [_Task(each, _chosen(each)) for each in unfinished if each.kind not in QUESTIONS]
        self._questions.lose([each for each in unfinished if each.kind in QUESTIONS])
        self._pauses = Pauses(store.fact(PAUSED) or {}, running)

    async def step(self, batch: Batch, asked: Sequence[Control], *, may_add: bool) -> bool:
        """Begin what was asked since, and take a bite of what is under way. True if there may be more at once."""
        for answer in self._questions.take():
            answer.progress.result = answer.result
            _end(answer.progress, answer.error)
            _note(answer.progress, batch)
        if may_add:
            self._questions.begin()
        for control in asked:
            self._begin(control, batch)
        if not may_add:
            return False
        more = self._questions.waits
        claimed: set[str] = set()
        for task in self._open:
            more = await self._advance(task, claimed, batch) or more
        self._open = [task for task in self._open if task.progress.status == "running"]
        return more

    def _begin(self, control: Control, batch: Batch) -> None:
        self.last = control.id
        progress = Progress(
            id=control.id, kind=control.kind, payload=control.payload, upto=control.upto, began=time.time()
        )
        batch.controls.append(progress)
        try:
            payload = read_payload(control.kind, control.payload)
            if isinstance(payload, Steer):
                self._steer(progress, payload, batch)
                _end(progress)
                return
            if isinstance(payload, Question):
                self._questions.add(progress, payload)
                return
            progress.cursors = dict.fromkeys(self._plugins(progress.kind, payload), 0)
        except ControlError as error:
            _end(progress, str(error))
            return
        log.info("control_begun", control=progress.id, kind=progress.kind, by=payload.by or None)
        self._open.append(_Task(progress, payload))

    def _plugins(self, kind: str, payload: Replay | Letters) -> Iterable[str]:
        """Whose events or dead letters are gone through, each with a cursor of its own: a slow one delays no other."""
        if isinstance(payload, Letters):
            if kind == "drop" or payload.messages:
                return [payload.plugin or ""]  # those of plugins that are gone as well
            wanted: Sequence[str] = [payload.plugin] if payload.plugin else []
        else:
            wanted = payload.plugins
        for name in wanted:
            check_loaded(name, self._running)
        return wanted or list(self._running)

    def _steer(self, progress: Progress, payload: Steer, batch: Batch) -> None:
        change = self._pauses.pause if progress.kind == "pause" else self._pauses.resume
        progress.found = change(payload.plugin)
        batch.facts[PAUSED] = paused = self._pauses.fact
        log.info("plugins_paused", plugins=", ".join(paused) or "none", by=payload.by or None)

    async def _advance(self, task: _Task, claimed: set[str], batch: Batch) -> bool:
        """One bite for each plugin. A plugin that is not loaded just now is waited for, as its deliveries wait."""
        progress, more = task.progress, False
        for name in list(progress.cursors):
            running = self._running.get(name)
            if isinstance(task.payload, Letters) and task.payload.messages:
                await self._unsent.bite(progress, task.payload, name, batch)
                _note(progress, batch)
                more = True
            elif isinstance(task.payload, Letters):
                if running or progress.kind == "drop":
                    more = await self._bite_letters(progress, task.payload, name, batch) or more
            elif running and name not in claimed:  # one replay at a time, or two would make the same run
                claimed.add(name)
                more = await self._bite_events(progress, task.payload, running, batch) or more
        if not progress.cursors:
            _end(progress)
            _note(progress, batch)
        return more

    async def _bite_events(self, progress: Progress, replay: Replay, running: Running, batch: Batch) -> bool:
        name = running.plugin.name
        room = AHEAD - running.lanes.again
        if room <= 0:
            return False
        span = progress.cursors[name], progress.upto
        found = await self._intake.ask(lambda journal: self._find(journal, replay, name, span))
        looked = 0
        for row in takewhile(lambda row: row.seq <= running.position, found.rows):  # what is yet to come comes first
            if _is_meant(replay, running, row):
                if not room:
                    break
                room -= 1
                self._add(running, row, batch, run=found.runs.get(row.seq, 0) + 1, control=progress.id)
                progress.found += 1
            looked += 1
            progress.cursors[name] = row.seq
        is_through = looked == len(found.rows)
        if is_through:
            self._move(progress, name, found.reach)
        if looked or is_through:
            _note(progress, batch)
        return bool(looked) or is_through

    @staticmethod
    def _move(progress: Progress, name: str, reach: int) -> None:
        progress.cursors[name] = reach
        if reach >= progress.upto:
            del progress.cursors[name]

    def _find(self, journal: JournalReader, replay: Replay, name: str, span: tuple[int, int]) -> _Found:
        """On the reader's thread: what may be meant of the next events above `span[0]`, up to `span[1]`."""
        after, upto = span
        with closing(ControlReader(self._path)) as work:
            if replay.dead or replay.ids:
                seqs = work.dead_seqs(name, after, upto, BITE) if replay.dead else _within(replay.ids, after, upto)
                meant = [seq for seq in seqs if not replay.ids or seq in replay.ids]
                rows = journal.among(meant)
            else:
                rows = journal.between(after, upto, BITE)
                seqs = [row.seq for row in rows]
            return _Found(rows, seqs[-1] if len(seqs) == BITE else upto, work.last_runs(name, [r.seq for r in rows]))

    async def _bite_letters(self, progress: Progress, letters: Letters, name: str, batch: Batch) -> bool:
        is_retry, running = progress.kind == "retry", self._running.get(name)
        room = BITE if running is None or not is_retry else min(BITE, AHEAD - running.lanes.again)
        if room <= 0:
            return False
        found = await self._intake.ask(lambda _: self._dead(progress, letters, name, room))
        touched = {each.delivery.id for each in batch.settled}
        for letter in found:
            progress.cursors[name] = letter.id
            if letter.id in touched:
                continue
            progress.found += 1
            if is_retry and running:
                batch.settled.append(_try_again(letter, progress.id, running))
            else:
                batch.settled.append(_drop(letter, letters.by))
        if len(found) < room:
            del progress.cursors[name]
        _note(progress, batch)
        return True

    def _dead(self, progress: Progress, letters: Letters, name: str, limit: int) -> list[Letter]:
        with closing(ControlReader(self._path)) as work:
            return work.letters(progress.cursors[name], progress.upto, limit, plugin=name, ids=letters.ids)


def _chosen(progress: Progress) -> Replay | Letters:
    payload = read_payload(progress.kind, progress.payload)
    assert isinstance(payload, Replay | Letters)  # noqa: S101 -- the others are no tasks
    return payload


def _within(ids: Iterable[int], after: int, upto: int) -> list[int]:
    return sorted({number for number in ids if after < number <= upto})[:BITE]


def _is_meant(replay: Replay, running: Running, row: Heading) -> bool:
    return running.plugin.wants(row.event) and replay.fits(row.event, row.instance, row.chat, row.lane, row.accepted_at)


def _try_again(letter: Letter, control: int, running: Running) -> Settled:
    """The same delivery and run, so its effects keep their ids: of a dead letter nothing was ever committed."""
    delivery = Delivery(
        id=letter.id, seq=letter.seq, plugin=letter.plugin, lane=letter.lane, run=letter.run, control=control
    )
    running.lanes.add(delivery)
    return _settled(letter, delivery, "waiting", None)


def _drop(letter: Letter, by: str) -> Settled:
    delivery = Delivery(
        id=letter.id,
        seq=letter.seq,
        plugin=letter.plugin,
        lane=letter.lane,
        run=letter.run,
        failures=letter.failures,
        retries=letter.retries,
        deaths=letter.deaths,
        control=letter.control,
    )
    when = datetime.now().astimezone().isoformat(sep=" ", timespec="seconds")
    text = f"Dropped{f' by {by}' if by else ''} at {when}. Before that:\n{letter.error or 'no error was kept'}"
    return _settled(letter, delivery, "dropped", text)


def _settled(letter: Letter, delivery: Delivery, status: Status, error: str | None) -> Settled:
    return Settled(
        delivery=delivery,
        status=status,
        started=letter.started or 0.0,
        millis=letter.millis or 0.0,
        handler=letter.handler,
        error=error,
    )


def _end(progress: Progress, error: str | None = None) -> None:
    progress.status, progress.error, progress.ended = "failed" if error else "done", error, time.time()
    log.info("control_ended", control=progress.id, kind=progress.kind, found=progress.found, error=error)


def _note(progress: Progress, batch: Batch) -> None:
    if progress not in batch.controls:
        batch.controls.append(progress)
