"""Whether a message left whose answer is missing, told by echoes in the journal and by Evolution's own records."""

import time
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from gateway.envelope import read_envelope
from gateway.errors import GatewayError
from gateway.journal import Arrival, Journal
from gateway.work import Batch, Delivery, Message, OutboxReader, Settled, WorkStore
from gateway.work.outbox import Sent
from gateway.worker.intake import Intake
from gateway.worker.outbox.evidence import Evidence, spellings
from tests.worker.conftest import ANA, BIA, body

Record = dict[str, Any]


class Scene:
    """A message whose request has left, a journal in which echoes arrive, and what Evolution would answer."""

    def __init__(self, store: WorkStore, journal: Journal, intake: Intake, outbox: OutboxReader) -> None:
        self.began = time.time()
        self.records: Sequence[Record] | GatewayError = GatewayError("Evolution does not answer")
        self._store = store
        self._journal = journal
        self.evidence = Evidence(intake, outbox, self._read)
        self._numbers = 0

    async def message(self, kind: str = "text", target: str = ANA, **payload: Any) -> Message:  # noqa: ANN401 -- JSON
        self._numbers += 1
        n = self._numbers
        message = Message(
            id=n, seq=n, plugin="p", run=0, n=1, instance="shop-1", target=target, kind=kind, began=self.began,
            payload=payload or {"text": "pong"}, created=self.began, status="sending",
        )  # fmt: skip
        delivery = Delivery(id=n, seq=n, plugin="p", lane="lane")
        settled = Settled(delivery=delivery, status="done", started=0, millis=0, messages=(message,))
        await self._store.write(Batch(taken=[delivery], settled=[settled]))
        return message

    async def claim(self, message: Message, message_id: str) -> None:
        await self._store.write(Batch(outbox=[Sent(id=message.id, status="sent", attempts=1, message_id=message_id)]))

    async def echo(self, record: Record, event: str = "send.message") -> None:
        raw = body(event, record)
        await self._journal.append(Arrival(read_envelope(raw, None), raw, None, "127.0.0.1", time.perf_counter()))

    async def _read(self, _message: Message, _chats: Sequence[str]) -> Sequence[Mapping[str, Any]]:
        if isinstance(self.records, GatewayError):
            raise self.records
        return self.records


def record(
    text: str = "pong", *, id_: str = "3EB0AA", chat: str = ANA, from_me: bool = True, at: float | None = None
) -> Record:
    return {
        "key": {"remoteJid": chat, "fromMe": from_me, "id": id_},
        "messageType": "conversation",
        "message": {"conversation": text},
        "messageTimestamp": int(at if at is not None else time.time()),
    }


@pytest.fixture
async def scene(tmp_path: Path) -> AsyncIterator[Scene]:
    store, journal = WorkStore(tmp_path), Journal(tmp_path)
    intake = await Intake.open(tmp_path, 0.02)
    outbox = OutboxReader(tmp_path / "work.db")
    yield Scene(store, journal, intake, outbox)
    outbox.close()
    await intake.close()
    await journal.close()
    await store.close()


@pytest.mark.parametrize("event", ["send.message", "messages.upsert"])
async def test_an_echo_in_the_journal_shows_that_it_left(scene: Scene, event: str) -> None:
    message = await scene.message()
    await scene.echo(record(), event)

    assert await scene.evidence.look(message) == ("found", "3EB0AA", "")


@pytest.mark.parametrize(
    "other",
    [
        record("another text"),
        record(chat=BIA),
        record(from_me=False),
        record(at=time.time() - 3600),
        record(id_=""),
        {"key": {"remoteJid": ANA, "fromMe": True, "id": "3EB0AA"}, "message": {"locationMessage": {}}},
    ],
    ids=["other words", "other chat", "not ours", "long ago", "no id", "other kind"],
)
async def test_another_message_is_no_echo_of_it(scene: Scene, other: Record) -> None:
    message = await scene.message()
    await scene.echo(other)

    assert (await scene.evidence.look(message)).fate == "unreadable"


async def test_evolutions_record_shows_that_it_left(scene: Scene) -> None:
    message = await scene.message()
    scene.records = [record("hi", from_me=False, id_="A1"), record()]

    assert (await scene.evidence.look(message)).message_id == "3EB0AA"


async def test_a_chat_that_is_kept_and_does_not_hold_it_shows_that_it_did_not_leave(scene: Scene) -> None:
    message = await scene.message()
    scene.records = [record("hi", from_me=False, id_="A1")]

    assert (await scene.evidence.look(message)).fate == "absent"


async def test_an_evolution_that_keeps_no_messages_says_nothing(scene: Scene) -> None:
    message = await scene.message()
    scene.records = []

    assert await scene.evidence.look(message) == ("unreadable", None, "Evolution keeps no messages of this chat")


async def test_a_message_that_another_row_has_been_given_is_not_taken_twice(scene: Scene) -> None:
    first, second = await scene.message(), await scene.message()
    await scene.claim(first, "3EB0AA")
    scene.records = [record()]
    before = await scene.evidence.look(second)
    scene.records = [record(), record(id_="3EB0BB")]
    after = await scene.evidence.look(second)

    assert (before.fate, after.message_id) == ("absent", "3EB0BB")


async def test_a_brazilian_number_is_found_with_and_without_its_ninth_digit(scene: Scene) -> None:
    message = await scene.message(target="5511999990002")
    await scene.echo(record(chat="551199990002@s.whatsapp.net"))

    assert (await scene.evidence.look(message)).fate == "found"
    assert spellings("551199990002@s.whatsapp.net")[1] == "5511999990002@s.whatsapp.net"
    assert spellings("4915112345678@s.whatsapp.net") == ["4915112345678@s.whatsapp.net"]


async def test_a_picture_is_known_by_its_caption(scene: Scene) -> None:
    message = await scene.message("media", media="image", caption="menu", name="menu.jpg")
    image: Callable[[str], Record] = lambda caption: {  # noqa: E731 -- used twice, here alone
        "key": {"remoteJid": ANA, "fromMe": True, "id": f"id-{caption}"},
        "message": {"imageMessage": {"caption": caption}},
        "messageTimestamp": int(time.time()),
    }
    scene.records = [image("something else"), image("menu")]

    assert (await scene.evidence.look(message)).message_id == "id-menu"
