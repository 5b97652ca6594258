"""A task that begins at once is a task like any other."""

import asyncio
from collections.abc import Callable, Iterator
from contextvars import ContextVar

import pytest

from gateway.worker.eager import EagerLoop
from tests.support.loops import ignore

Turn = Callable[[Callable[[], object]], None]
who: ContextVar[str] = ContextVar("who", default="nobody")


@pytest.fixture
def loop() -> Iterator[EagerLoop]:
    with asyncio.Runner(loop_factory=EagerLoop) as runner:
        loop = runner.get_loop()
        assert isinstance(loop, EagerLoop)
        yield loop


@pytest.fixture
def within(loop: EagerLoop) -> Turn:
    """Has the loop call a function, and turn on until nothing is left to do."""

    def run(function: Callable[[], object]) -> None:
        raised: list[BaseException] = []

        def guarded() -> None:
            try:
                function()
            except BaseException as error:  # noqa: BLE001 -- raised again outside the loop
                raised.append(error)

        loop.call_soon(guarded)
        loop.run_until_complete(asyncio.sleep(0.01))
        if raised:
            raise raised[0]

    return run


def test_what_waits_for_nothing_has_ended_when_begin_returns(loop: EagerLoop, within: Turn) -> None:
    seen: list[object] = []

    async def note() -> None:
        seen.append(asyncio.current_task())

    def begin() -> None:
        task = loop.begin(note())
        assert seen == [task]
        assert task.done()
        assert asyncio.current_task(loop) is None

    within(begin)
    assert len(seen) == 1


def test_what_waits_goes_on_once_that_is_there(loop: EagerLoop, within: Turn) -> None:
    seen: list[str] = []

    async def wait() -> None:
        seen.append("begun")
        await asyncio.sleep(0)
        async with asyncio.timeout(5):
            await asyncio.gather(note("one"), note("two"))
        seen.append("ended")

    async def note(text: str) -> None:
        seen.append(text)

    def begin() -> None:
        assert not loop.begin(wait()).done()
        assert seen == ["begun"]

    within(begin)
    assert seen == ["begun", "one", "two", "ended"]


def test_each_has_context_variables_of_its_own(loop: EagerLoop, within: Turn) -> None:
    seen: list[str] = []

    async def call_itself(name: str) -> None:
        seen.append(who.get())
        who.set(name)
        await asyncio.sleep(0)
        seen.append(who.get())

    def begin() -> None:
        loop.begin(call_itself("ana"))
        loop.begin(call_itself("bia"))
        assert who.get() == "nobody"

    within(begin)
    assert seen == ["nobody", "nobody", "ana", "bia"]


def test_what_is_raised_is_the_tasks(loop: EagerLoop, within: Turn) -> None:
    tasks: list[asyncio.Task[None]] = []

    async def fail() -> None:
        raise LookupError("nothing there")

    within(lambda: tasks.append(loop.begin(fail())))

    assert isinstance(tasks[0].exception(), LookupError)


def test_an_exit_comes_out_and_the_loop_begins_others_after_it(loop: EagerLoop, within: Turn) -> None:
    seen: list[str] = []

    async def leave() -> None:
        raise SystemExit

    async def note() -> None:
        seen.append("begun")

    loop.set_exception_handler(ignore)  # nobody has the task to ask it
    with pytest.raises(SystemExit):
        within(lambda: loop.begin(leave()))
    within(lambda: loop.begin(note()))

    assert seen == ["begun"]


def test_one_that_waits_can_be_cancelled(loop: EagerLoop, within: Turn) -> None:
    tasks: list[asyncio.Task[None]] = []

    async def wait() -> None:
        await asyncio.Event().wait()

    within(lambda: tasks.append(loop.begin(wait())))
    within(tasks[0].cancel)

    assert tasks[0].cancelled()
