"""Answer what people ask about an event without handling it: why which handler would run, and what it would do.

Strangers' code runs for that, on the plugin's own thread and within its limits. So a question is begun only once it is
on disk as such: a worker that dies of it leaves it to nobody.
"""

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

import msgspec
import orjson

from gateway.envelope import parse
from gateway.errors import ControlError, EnvelopeError
from gateway.journal import StoredEvent
from gateway.journal.controls import Question
from gateway.log import log
from gateway.redact import Json, Redactor
from gateway.work import Delivery
from gateway.work.controls import Progress
from gateway.worker.attempt import Job
from gateway.worker.explain import PluginAnswer
from gateway.worker.intake import Intake
from gateway.worker.rehearsal import Rehearsed
from gateway.worker.running import Running

KINDS: Final = frozenset({"explain", "rehearse"})


class Answered(msgspec.Struct, frozen=True):
    """How a question ended."""

    progress: Progress
    result: str | None
    """JSON."""
    error: str | None


class Questions:
    """Asks the plugins. `woken` is called when there is an answer; `stuck`, when a plugin could not be stopped."""

    def __init__(
        self,
        intake: Intake,
        running: Mapping[str, Running],
        redactor: Redactor,
        *,
        woken: Callable[[], None],
        stuck: Callable[[], None],
    ) -> None:
        self._intake = intake
        self._running = running
        self._redactor = redactor
        self._wake = woken
        self._give_up = stuck
        self._waiting: list[tuple[Progress, Question]] = []
        self._answers: list[Answered] = []
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def waits(self) -> bool:
        """There is one that has not begun."""
        return bool(self._waiting)

    def lose(self, unfinished: Sequence[Progress]) -> None:
        """What an earlier worker has left open is never asked again."""
        text = "The worker ended before this was answered; it may have died of it."
        self._answers += [Answered(each, None, text) for each in unfinished]

    def add(self, progress: Progress, question: Question) -> None:
        """Hold a question ready, until it is on disk as begun."""
        self._waiting.append((progress, question))

    def begin(self) -> None:
        """Look for the answers to what was held ready, in the background."""
        for progress, question in self._waiting:
            task = asyncio.create_task(self._answer(progress, question), name=f"question-{progress.id}")
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        self._waiting = []

    def take(self) -> Sequence[Answered]:
        """Those that were answered since."""
        answers, self._answers = self._answers, []
        return answers

    def stop(self) -> None:
        """Answer nothing more."""
        for task in self._tasks:
            task.cancel()

    async def _answer(self, progress: Progress, question: Question) -> None:
        result, error = None, None
        try:
            result = await self._ask(progress.kind, question)
        except ControlError as refusal:
            error = str(refusal)
        except TimeoutError:
            log.error("question_stuck", control=progress.id, id=str(question.id))
            self._give_up()
            return  # the next worker answers that this one did not
        self._answers.append(Answered(progress, result, error))
        self._wake()

    async def _ask(self, kind: str, question: Question) -> str:
        event = (await self._intake.events([question.id])).get(question.id)
        if event is None:
            raise ControlError(f"there is no event {question.id}; it may be older than retention.days")
        plugins = [self._named(name) for name in question.plugins] or list(self._running.values())
        asked = time.time()
        answers = await asyncio.gather(*(self._ask_plugin(kind, each, event) for each in plugins))
        found = {"as_of": asked, "plugins" if kind == "explain" else "runs": answers}
        return await asyncio.to_thread(self._cleaned, event, found)

    def _named(self, name: str) -> Running:
        if name not in self._running:
            raise ControlError(f"no plugin {name} is loaded; there is {', '.join(self._running) or 'none'}")
        return self._running[name]

    async def _ask_plugin(self, kind: str, running: Running, event: StoredEvent) -> PluginAnswer | Rehearsed:
        if not running.host.is_ready:
            raise ControlError(f"{running.plugin.name} has not opened what it needs yet, so it can't be asked")
        delivery = Delivery(id=0, seq=event.seq, plugin=running.plugin.name, lane=event.lane, run=1)
        ask = running.host.explain if kind == "explain" else running.host.rehearse
        return await asyncio.wait_for(ask(Job(delivery, event)), running.overdue)

    def _cleaned(self, event: StoredEvent, found: Mapping[str, Any]) -> str:
        """Without what the event's own fields give away as secret."""
        try:
            raw: Json = parse(event.body)
        except EnvelopeError:
            raw = None
        answer: Json = orjson.loads(msgspec.json.encode(found))
        cleaned = self._redactor.json([raw, answer])
        assert isinstance(cleaned, list)  # noqa: S101 -- a list in, a list out
        return orjson.dumps(cleaned[1]).decode()
