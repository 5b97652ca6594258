"""The worker hears its receiver's words, however they come together, and says in one line what changed in a moment."""

import asyncio
import socket
from collections.abc import AsyncIterator, Sequence
from typing import cast

import msgspec
import orjson
import pytest

from gateway.journal import StoredEvent
from gateway.worker.link import EVENTS, GO, LEAVE, LONGEST, LOOK, LoadReport, WorkerLink, telling
from tests.support.waiting import until

REPORT = LoadReport({}, {})


def event(seq: int, body: bytes = b"{}") -> StoredEvent:
    return StoredEvent(seq, "messages.upsert", "shop-1", None, "shop-1|é", 1.5, 2**32 - 1, body)


class Receiver:
    """The other end."""

    def __init__(self, sock: socket.socket, link: WorkerLink) -> None:
        self.sock = sock
        self.link = link

    async def line(self) -> object:
        data = b""
        while not data.endswith(b"\n"):
            data += await asyncio.get_running_loop().sock_recv(self.sock, 1)
        return orjson.loads(data)


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    ours, theirs = socket.socketpair()
    ours.setblocking(False)  # noqa: FBT003 -- as it is called
    with ours:
        link = await WorkerLink.open(theirs.detach())
        yield Receiver(ours, link)
        ours.close()
        await link.listen(lambda _event: None)


class Foreign:
    """A transport that is none of asyncio's classes, as uvloop's are none."""

    def __init__(self) -> None:
        self.written = b""

    def write(self, data: bytes) -> None:
        self.written += data

    def is_closing(self) -> bool:
        return False


async def test_it_speaks_over_another_loops_transport() -> None:
    link, foreign = WorkerLink(), Foreign()
    link.connection_made(cast("asyncio.BaseTransport", foreign))

    link.ready(["ping"], 0)

    assert orjson.loads(foreign.written) == {"ready": {"plugins": ["ping"], "errors": 0}}


async def test_it_takes_over_when_it_is_told_to(receiver: Receiver) -> None:
    receiver.sock.send(GO)

    assert await receiver.link.may_go(REPORT)
    assert await receiver.line() == {"loaded": {"plugins": {}, "errors": {}}}


async def test_it_does_not_take_over_from_a_receiver_that_is_gone(receiver: Receiver) -> None:
    receiver.sock.shutdown(socket.SHUT_RDWR)

    assert not await receiver.link.may_go(REPORT)


async def test_each_word_wakes_it_until_it_is_asked_to_leave(receiver: Receiver) -> None:
    woken: list[Sequence[StoredEvent]] = []
    listening = asyncio.create_task(receiver.link.listen(woken.append))
    receiver.sock.send(LOOK)
    await until(lambda: woken == [()], "it was woken")
    receiver.sock.send(LOOK + telling([event(1)]) + telling([event(2), event(3)]) + LEAVE)

    await listening
    assert woken == [(), (), [event(1)], [event(2), event(3)], ()]
    assert receiver.link.is_leaving


async def test_an_event_may_come_in_any_pieces(receiver: Receiver) -> None:
    woken: list[Sequence[StoredEvent]] = []
    listening = asyncio.create_task(receiver.link.listen(woken.append))
    words = telling([event(1)]) + LOOK + telling([event(2), event(3)])
    for at in range(len(words)):
        receiver.sock.send(words[at : at + 1])
        await asyncio.sleep(0)
    await until(lambda: len(woken) == 3, "all was heard")
    receiver.sock.send(LEAVE)

    await listening
    assert woken == [[event(1)], (), [event(2), event(3)], ()]


async def test_many_events_at_once_are_more_than_are_read_at_once(receiver: Receiver) -> None:
    woken: list[Sequence[StoredEvent]] = []
    listening = asyncio.create_task(receiver.link.listen(woken.append))
    events = [[event(n, b"x" * (LONGEST - 200 - n % 7))] for n in range(50)]
    await asyncio.get_running_loop().sock_sendall(receiver.sock, b"".join(map(telling, events)) + LEAVE)

    await listening
    assert woken == [*events, ()]


@pytest.mark.parametrize("more", [0, 1])
def test_what_is_too_long_for_the_line_has_to_be_looked_for(more: int) -> None:
    around = len(telling([event(1, b"x" * 1000)])) - len(EVENTS) - 4 - 1000
    word = telling([event(1, b"x" * (LONGEST - around + more))])

    assert word[:1] == (LOOK if more else EVENTS)


def test_a_long_name_counts_as_well() -> None:
    named = msgspec.structs.replace(event(1), event="x" * LONGEST)

    assert telling([named]) == LOOK


async def test_what_changes_within_a_moment_is_said_in_one_line(receiver: Receiver) -> None:
    receiver.link.changed([1, 2])
    receiver.link.changed([])
    receiver.link.changed([3])

    assert await receiver.line() == {"changed": [1, 2, 3]}
    receiver.link.changed([4])
    assert await receiver.line() == {"changed": [4]}


async def test_at_the_end_what_changed_is_said_at_once(receiver: Receiver) -> None:
    receiver.link.changed([5])
    receiver.link.flush()

    assert await asyncio.wait_for(receiver.line(), 0.04) == {"changed": [5]}
