"""One instance's way out: who may send, who waits, who finds out whether it works again."""

import asyncio

import pytest

from gateway.worker.outbox.line import AT_ONCE, Closed, Line
from gateway.worker.outbox.pace import Pacer
from gateway.worker.outbox.waiting import Tempo, Waiting
from tests.support.loops import turns

LATE = 1e12
TEMPO = Tempo(down=(1, 5), too_much=(30, 60))


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0
        self.waiting = Waiting(lambda: self.now)

    async def move(self, seconds: float) -> None:
        self.now += seconds
        self.waiting.wake()
        await turns()


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def troubles() -> list[str | None]:
    return []


@pytest.fixture
def line(clock: Clock, troubles: list[str | None]) -> Line:
    return Line("shop-1", Pacer("off", float), clock.waiting, lambda _about, text: troubles.append(text), tempo=TEMPO)


class Sender:
    """Takes one turn, and holds it until told."""

    def __init__(self, line: Line, *, until: float = LATE) -> None:
        self._line = line
        self._until = until
        self.turn: bool | None = None
        self._done = asyncio.Event()
        self.task = asyncio.create_task(self._run())

    async def end(self) -> None:
        self._done.set()
        await self.task

    async def _run(self) -> None:
        async with self._line.turn("chat", self._until) as self.turn:
            await self._done.wait()


async def test_only_so_many_requests_go_at_once(line: Line) -> None:
    senders = [Sender(line) for _ in range(AT_ONCE + 1)]
    await turns()
    before = [sender.turn for sender in senders]
    await senders[0].end()
    await turns()

    assert before == [True] * AT_ONCE + [None]
    assert senders[-1].turn is True
    for sender in senders[1:]:
        await sender.end()


async def test_while_an_instance_is_down_one_message_tries_and_the_others_wait(line: Line, clock: Clock) -> None:
    line.fails("Connection Closed", too_much=False)
    senders = [Sender(line) for _ in range(3)]
    await turns()
    at_first = [sender.turn for sender in senders]
    await clock.move(1)
    then = [sender.turn for sender in senders]
    line.works()
    await turns()

    assert at_first == [None, None, None]
    assert then == [True, None, None]
    assert [sender.turn for sender in senders] == [True, True, True]
    for sender in senders:
        await sender.end()


async def test_a_try_that_fails_too_hands_on_after_the_next_pause(line: Line, clock: Clock) -> None:
    line.fails("down", too_much=False)
    first, second = Sender(line), Sender(line)
    await clock.move(1)
    line.fails("still down", too_much=False)
    await first.end()
    await turns()
    meanwhile = second.turn
    await clock.move(5)

    assert (meanwhile, second.turn) == (None, True)
    await second.end()


async def test_a_message_whose_time_is_up_gets_no_turn(line: Line, clock: Clock) -> None:
    line.fails("down", too_much=False)
    line.fails("down", too_much=False)
    sender = Sender(line, until=clock.now + 2)
    await clock.move(2)

    assert sender.turn is False
    await sender.end()


async def test_too_much_asks_for_a_longer_pause_each_time(line: Line) -> None:
    assert [line.fails("429", too_much=True) for _ in range(3)] == [30, 60, 60]


async def test_a_person_is_told_and_told_when_it_is_over(line: Line, troubles: list[str | None]) -> None:
    line.fails("Connection Closed", too_much=False)
    line.works()

    assert troubles == ["shop-1 can't send (Connection Closed); its messages wait.", None]


async def test_a_closing_line_gives_no_turn(line: Line) -> None:
    line.fails("down", too_much=False)
    waiting = Sender(line)
    await turns()
    line.close()

    with pytest.raises(Closed):
        await waiting.task
    with pytest.raises(Closed):
        await Sender(line).task
