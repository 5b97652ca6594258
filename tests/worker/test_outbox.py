"""Messages leave in order, each at most once, and what became of each is on disk."""

import asyncio
import contextlib
import socket
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest

from gateway.evolution import Evolution
from gateway.work import Batch, Delivery, Message, Settled, WorkReader, WorkStore
from gateway.work.outbox import Sent
from gateway.work.reader import OutboxRow
from gateway.worker.outbox import AT_ONCE, Outbox
from tests.evolution.conftest import FakeEvolution, evolution, sent

__all__ = ["evolution"]  # a fixture

ANA, BIA = "5511999990002@s.whatsapp.net", "5511999990003@s.whatsapp.net"


class Desk:
    """A work store with a settled delivery, and an outbox on it."""

    def __init__(self, folder: Path, store: WorkStore) -> None:
        self._folder = folder
        self.store = store
        self.changes: list[int] = []
        self._tick = asyncio.Event()
        self._next = 1

    async def queue(self, *texts: str, target: str = ANA, age: float = 0) -> list[Message]:
        """Settle a delivery whose handler queued these texts."""
        seq = self._next
        self._next += len(texts)
        messages = [
            Message(
                id=seq + n, seq=seq, plugin="p", run=0, n=n + 1, instance="shop-1", target=target, kind="text",
                payload={"text": text, "mentions": []}, created=time.time() - age,
            )
            for n, text in enumerate(texts)
        ]  # fmt: skip
        delivery = Delivery(id=seq, seq=seq, plugin="p", lane="lane")
        settled = Settled(delivery=delivery, status="done", started=0, millis=0, messages=tuple(messages))
        await self.store.write(Batch(taken=[delivery], settled=[settled]))
        return messages

    @contextlib.asynccontextmanager
    async def outbox(self, url: str, *, expire: float = 900, grace: float = 5) -> AsyncIterator[Outbox]:
        evolution = Evolution(url, "key", timeout=5)
        outbox = Outbox(self.store, evolution, expire=expire, changed=self._on_changed, waits=(0.01,))
        try:
            yield outbox
        finally:
            await outbox.close(grace)

    def rows(self) -> list[OutboxRow]:
        reader = WorkReader(self._folder)
        with contextlib.closing(reader):
            return [row for rows in reader.outbox(list(range(1, self._next))).values() for row in rows]

    def statuses(self) -> list[str]:
        return [row.status for row in self.rows()]

    async def until(self, *statuses: str) -> None:
        """Wait until the rows on disk, in order, stand like this."""
        await self._until(lambda: self.statuses() == list(statuses))

    async def until_settled(self) -> None:
        """Wait until no message is left to send."""
        await self._until(lambda: not {"queued", "sending"} & set(self.statuses()))

    async def _until(self, condition: Callable[[], bool]) -> None:
        async with asyncio.timeout(5):
            while not condition():
                self._tick.clear()
                await self._tick.wait()

    async def moved(self) -> None:
        """Wait for the first news of a message."""
        async with asyncio.timeout(5):
            await self._tick.wait()

    def _on_changed(self, seqs: Any) -> None:  # noqa: ANN401 -- a sequence of numbers
        self.changes += seqs
        self._tick.set()


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    store = WorkStore(tmp_path)
    yield Desk(tmp_path, store)
    await store.close()


async def test_a_queued_message_is_sent_and_its_id_kept(desk: Desk, evolution: FakeEvolution) -> None:
    async with desk.outbox(evolution.url) as outbox:
        outbox.add(await desk.queue("hi"))
        await desk.until("sent")

    (row,) = desk.rows()
    assert (row.message_id, row.attempts, row.error) == ("id-hi", 1, None)
    assert row.finished is not None
    assert desk.changes == [1]


async def test_the_row_says_sending_before_the_request_leaves(desk: Desk, evolution: FakeEvolution) -> None:
    evolution.hold.clear()
    async with desk.outbox(evolution.url) as outbox:
        outbox.add(await desk.queue("hi"))
        await evolution.until(1)
        meanwhile = desk.statuses()
        evolution.hold.set()
        await desk.until("sent")

    assert meanwhile == ["sending"]


async def test_messages_to_one_chat_leave_in_order_one_at_a_time(desk: Desk, evolution: FakeEvolution) -> None:
    evolution.hold.clear()
    async with desk.outbox(evolution.url) as outbox:
        outbox.add(await desk.queue("1", "2"))
        outbox.add(await desk.queue("3", target="5511999990002"))  # the same chat, by its number
        outbox.add(await desk.queue("other", target=BIA))
        await evolution.until(2)
        under_way = set(evolution.texts)
        evolution.hold.set()
        await desk.until("sent", "sent", "sent", "sent")

    assert under_way == {"1", "other"}
    assert [text for text in evolution.texts if text != "other"] == ["1", "2", "3"]


async def test_a_refused_message_is_dead_with_its_reason_and_the_next_one_leaves(
    desk: Desk, evolution: FakeEvolution
) -> None:
    evolution.answer = lambda request: (
        (400, {"response": {"message": ["no such number"]}}) if request.body["text"] == "1" else (201, sent("id"))
    )
    async with desk.outbox(evolution.url) as outbox:
        outbox.add(await desk.queue("1", "2"))
        await desk.until("dead", "sent")

    assert desk.rows()[0].error == "Evolution answered 400: no such number"
    assert evolution.texts == ["1", "2"]


async def test_a_passing_refusal_is_tried_again_before_the_next_message(desk: Desk, evolution: FakeEvolution) -> None:
    answers = iter([(500, {"message": "busy"}), (503, {}), (201, sent("a")), (201, sent("b"))])
    evolution.answer = lambda _: next(answers)
    async with desk.outbox(evolution.url) as outbox:
        outbox.add(await desk.queue("1", "2"))
        await desk.until("sent", "sent")

    assert evolution.texts == ["1", "1", "1", "2"]
    assert desk.rows()[0].attempts == 3


async def test_a_refused_connection_is_tried_again_until_somebody_listens(desk: Desk, evolution: FakeEvolution) -> None:
    with socket.socket() as reserved:
        reserved.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        reserved.bind(("127.0.0.1", 0))
        port = reserved.getsockname()[1]
        async with desk.outbox(f"http://127.0.0.1:{port}") as outbox:
            outbox.add(await desk.queue("hi"))
            await desk.moved()
            refused = desk.rows()[0]
            reserved.close()
            relay = await asyncio.start_server(_relay_to(evolution), "127.0.0.1", port)
            async with relay:
                await desk.until("sent")

    assert refused.attempts >= 1
    assert "does not answer" in str(refused.error)
    assert evolution.texts == ["hi"]


@pytest.mark.parametrize("proxy", [False, True])
async def test_a_message_without_an_answer_may_have_left_and_is_never_sent_again(
    desk: Desk, evolution: FakeEvolution, *, proxy: bool
) -> None:
    evolution.answer = lambda request: (
        (201, sent("id")) if request.body["text"] == "2" else (504, {}) if proxy else None
    )
    async with desk.outbox(evolution.url) as outbox:
        outbox.add(await desk.queue("1", "2"))
        await desk.until("dead", "sent")
    await _start_again(desk, evolution)

    assert str(desk.rows()[0].error).startswith("It may have left: ")
    assert evolution.texts == ["1", "2"]


async def test_a_message_that_is_too_old_is_not_sent(desk: Desk, evolution: FakeEvolution) -> None:
    async with desk.outbox(evolution.url, expire=60) as outbox:
        outbox.add(await desk.queue("stale", age=61))
        outbox.add(await desk.queue("fresh", age=59))
        await desk.until("dead", "sent")

    assert evolution.texts == ["fresh"]
    assert "outbox.expire" in str(desk.rows()[0].error)


async def test_a_message_that_grows_too_old_while_it_waits_its_turn_is_not_sent(
    desk: Desk, evolution: FakeEvolution
) -> None:
    evolution.hold.clear()
    async with desk.outbox(evolution.url, expire=2) as outbox:
        for n in range(AT_ONCE):
            outbox.add(await desk.queue("early", target=f"551199999000{n}"))
        late = await desk.queue("late", target="551188888888", age=1.8)
        outbox.add(late)
        await evolution.until(AT_ONCE)
        await asyncio.sleep(late[0].created + 2.01 - time.time())  # the time that is claimed to pass
        evolution.hold.set()
        await desk.until(*["sent"] * AT_ONCE, "dead")

    assert "late" not in evolution.texts


async def test_no_more_requests_are_under_way_than_allowed(desk: Desk, evolution: FakeEvolution) -> None:
    evolution.hold.clear()
    async with desk.outbox(evolution.url) as outbox:
        for n in range(AT_ONCE + 4):
            outbox.add(await desk.queue("hi", target=f"5511999990{n:03d}"))
        await evolution.until(AT_ONCE)
        under_way = desk.statuses().count("sending")
        evolution.hold.set()
        await desk.until(*["sent"] * (AT_ONCE + 4))

    assert under_way == AT_ONCE


async def test_closing_ends_what_is_under_way_and_begins_nothing(desk: Desk, evolution: FakeEvolution) -> None:
    evolution.hold.clear()
    async with desk.outbox(evolution.url, grace=0) as outbox:
        for n in range(AT_ONCE + 4):
            outbox.add(await desk.queue("hi", target=f"5511999990{n:03d}"))
        await evolution.until(AT_ONCE)
        closing = asyncio.ensure_future(outbox.close(5))
        await asyncio.sleep(0)
        evolution.hold.set()
        await closing

    assert sorted(desk.statuses()) == ["queued"] * 4 + ["sent"] * AT_ONCE
    assert len(evolution.requests) == AT_ONCE


async def test_what_waited_when_the_worker_ended_is_sent_by_the_next(desk: Desk, evolution: FakeEvolution) -> None:
    await desk.queue("1", "2")
    await _start_again(desk, evolution)

    assert desk.statuses() == ["sent", "sent"]
    assert evolution.texts == ["1", "2"]


async def test_what_was_being_sent_when_the_worker_died_is_dead_and_never_sent_again(
    desk: Desk, evolution: FakeEvolution
) -> None:
    first, _ = await desk.queue("1", "2")
    await desk.store.write(Batch(outbox=[Sent(id=first.id, status="sending", attempts=1)]))
    await _start_again(desk, evolution)

    assert desk.statuses() == ["dead", "sent"]
    assert "may have left" in str(desk.rows()[0].error)
    assert evolution.texts == ["2"]


async def test_an_error_nobody_thought_of_does_not_silence_a_chat(desk: Desk, evolution: FakeEvolution) -> None:
    async with desk.outbox(evolution.url) as outbox:
        odd, fine = await desk.queue("odd", "fine")
        outbox.add([msgspec.structs.replace(odd, payload={}), fine])
        await desk.until("dead", "sent")

    assert evolution.texts == ["fine"]


async def _start_again(desk: Desk, evolution: FakeEvolution) -> None:
    async with desk.outbox(evolution.url) as outbox:
        await outbox.recover()
        await desk.until_settled()


def _relay_to(evolution: FakeEvolution) -> Callable[..., Awaitable[None]]:
    """Answers at one port as the fake does at its own."""

    async def relay(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there, here = await asyncio.open_connection(evolution.server.host, evolution.server.port)
        with contextlib.suppress(ConnectionError):
            await asyncio.wait(
                [asyncio.ensure_future(_pipe(reader, here)), asyncio.ensure_future(_pipe(there, writer))]
            )

    return relay


async def _pipe(source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
    while data := await source.read(65536):
        sink.write(data)
        await sink.drain()
    sink.close()
    with contextlib.suppress(ConnectionError):
        await sink.wait_closed()
