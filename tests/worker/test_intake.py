"""One look brings what most handlers need; what it leaves out, and what can't be read, is looked for by itself."""

import asyncio
import threading
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from gateway.journal import Journal, JournalReader, StoredEvent
from gateway.journal.controls import Control
from gateway.journal.stored import Heading
from gateway.work import Delivery
from gateway.worker import intake as module
from gateway.worker.intake import Intake
from tests.support.waiting import until
from tests.worker.conftest import arrival, body, message

OVERFLOWING = "x" * 16_000  # its body takes up pages of its own


@pytest.fixture
async def journal(tmp_path: Path) -> AsyncIterator[Journal]:
    journal = Journal(tmp_path)
    yield journal
    await journal.close()


@pytest.fixture
async def intake(tmp_path: Path, journal: Journal) -> AsyncIterator[Intake]:
    del journal
    intake = await Intake.open(tmp_path, 0.02)
    yield intake
    await intake.close()


async def post(journal: Journal, *texts: str) -> None:
    for text in texts:
        await journal.append(arrival(message(text)))


async def test_a_look_brings_small_events_whole_and_of_large_ones_what_taking_them_up_needs(
    journal: Journal, intake: Intake, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "SMALL", 1_000)
    await post(journal, "small", "large" * 1_000)

    found = await intake.look({0: 10}, 0)

    small, large = found.events[0]
    assert isinstance(small, StoredEvent)
    assert not isinstance(large, StoredEvent)
    assert (await intake.events([2]))[2].intact
    assert not found.more


async def test_a_look_that_brings_as_many_as_asked_for_says_that_there_may_be_more(
    journal: Journal, intake: Intake
) -> None:
    await post(journal, "one", "two", "three")

    found = await intake.look({0: 2, 2: 2}, 0)

    assert {position: [row.seq for row in rows] for position, rows in found.events.items()} == {0: [1, 2], 2: [3]}
    assert found.more


async def test_of_what_is_kept_the_oldest_goes_first_and_is_read_again(
    journal: Journal, intake: Intake, monkeypatch: pytest.MonkeyPatch
) -> None:
    await post(journal, "one", "two", "three")
    rows = [row for row in (await intake.look({0: 10}, 0)).events[0] if isinstance(row, StoredEvent)]
    monkeypatch.setattr(module, "AT_HAND", 2 * len(rows[0].body) + 10)

    deliveries = [Delivery(id=10 + row.seq, seq=row.seq, plugin="bot", lane=row.lane) for row in rows]
    for delivery, row in zip(deliveries, rows, strict=True):
        intake.keep(delivery, row)
    found = await intake.events_of(deliveries)

    assert [found[row.seq] for row in rows] == rows
    assert [found[row.seq] is row for row in rows] == [False, True, True]


async def test_what_is_kept_for_several_deliveries_is_there_for_each_and_makes_room_for_what_comes(
    journal: Journal, intake: Intake, monkeypatch: pytest.MonkeyPatch
) -> None:
    await post(journal, *(str(number) for number in range(20)))
    rows = [row for row in (await intake.look({0: 20}, 0)).events[0] if isinstance(row, StoredEvent)]
    monkeypatch.setattr(module, "AT_HAND", 3 * len(rows[0].body))

    for row in rows:
        one, other = (Delivery(id=2 * row.seq + n, seq=row.seq, plugin="bot", lane=row.lane) for n in range(2))
        intake.keep(one, row)
        intake.keep(other, row)
        assert (await intake.events_of([one]))[row.seq] is row
        assert (await intake.events_of([other]))[row.seq] is row


async def test_after_a_look_that_took_long_the_loop_does_not_wait_for_the_next(
    journal: Journal, intake: Intake, monkeypatch: pytest.MonkeyPatch
) -> None:
    await post(journal, "one")
    monkeypatch.setattr(module, "PROMPT", 0.0)
    await intake.look({0: 10}, 0)
    is_reading, may_go_on = threading.Event(), threading.Event()
    gone_on: list[bool] = []

    def wait(*_: object) -> list[Control]:
        is_reading.set()
        gone_on.append(may_go_on.wait(5))
        return []

    monkeypatch.setattr(JournalReader, "controls", wait)
    look = asyncio.create_task(intake.look({0: 10}, 0))
    await until(is_reading.is_set, "it reads")
    may_go_on.set()

    assert [row.seq for row in (await look).events[0]] == [1]
    assert gone_on == [True]


async def order_beside_a_reader(intake: Intake) -> list[str]:
    """Look while somebody else reads; gives who was done first."""
    may_go_on, order = threading.Event(), list[str]()

    def read(_reader: JournalReader) -> None:
        may_go_on.wait(5)
        order.append("somebody else's")

    async def look() -> None:
        await intake.look({0: 10}, 0)
        order.append("the look")

    asking = asyncio.create_task(intake.ask(read))
    await asyncio.sleep(0)
    looking = asyncio.create_task(look())
    await asyncio.sleep(0)
    may_go_on.set()
    await asyncio.gather(asking, looking)
    return order


async def test_a_look_waits_for_what_somebody_else_reads(journal: Journal, intake: Intake) -> None:
    await post(journal, "one")
    assert await order_beside_a_reader(intake) == ["somebody else's", "the look"]


async def test_a_body_that_cannot_be_read_keeps_no_other_event_from_being_taken_up(
    journal: Journal, tmp_path: Path
) -> None:
    await post(journal, OVERFLOWING, "fine")
    damage(journal, tmp_path / "journal.db")
    intake = await Intake.open(tmp_path, 0.02)

    found = await intake.look({0: 10}, 0)
    events = await intake.events([1, 2])
    await intake.close()

    assert [row.seq for row in found.events[0]] == [1, 2]
    assert list(events) == [2]


def damage(journal: Journal, file: Path) -> None:
    """Empty one page in the middle of the long body."""
    journal._writer._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    pages = file.read_bytes()
    size = 4096
    middle = pages.index(b"x" * 2_000) // size + 2
    file.write_bytes(pages[: middle * size] + bytes(size) + pages[(middle + 1) * size :])


async def offered(journal: Journal, intake: Intake, *bodies: bytes) -> list[StoredEvent]:
    """Accept events in one commit, and offer them as a receiver does."""
    passed_on: list[StoredEvent] = []
    journal._accepted = lambda _seqs, events: passed_on.extend(events)
    await asyncio.gather(*(journal.append(arrival(raw)) for raw in bodies))
    assert len(passed_on) == len(bodies)
    intake.offer(passed_on)
    return passed_on


@pytest.fixture
def looks(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The positions of all looks into the file."""
    found: list[int] = []
    after = JournalReader.after

    def note(reader: JournalReader, seq: int, limit: int, whole: int = 0) -> list[Heading | StoredEvent]:
        found.append(seq)
        return after(reader, seq, limit, whole)

    monkeypatch.setattr(JournalReader, "after", note)
    return found


@pytest.fixture
async def patient(tmp_path: Path, journal: Journal) -> AsyncIterator[Intake]:
    """One that need not look by itself."""
    del journal
    intake = await Intake.open(tmp_path, 600)
    yield intake
    await intake.close()


async def test_what_the_receiver_passed_on_need_not_be_read(
    journal: Journal, patient: Intake, looks: list[int]
) -> None:
    await patient.look({0: 10}, 0)
    events = await offered(journal, patient, message("one"))
    events += await offered(journal, patient, message("two"), message("three"))

    found = await patient.look({0: 10}, 0)
    then = await patient.look({3: 10}, 0)

    assert found.events == {0: events}
    assert not found.more
    assert then.events == {3: []}
    assert looks == [0, 3]
    assert events == list((await patient.events([1, 2, 3])).values())


async def test_what_was_passed_on_is_not_looked_at_while_somebody_else_reads(journal: Journal, patient: Intake) -> None:
    key = {"remoteJid": "123456789012345@lid", "fromMe": False, "id": "3EB0FFFE"}
    await patient.look({0: 10}, 0)
    await offered(journal, patient, body("messages.upsert", {"key": key, "message": {}}))
    assert await order_beside_a_reader(patient) == ["somebody else's", "the look"]


@pytest.mark.parametrize(
    ("wanted", "case"),
    [
        ({0: 10}, "something else may be new"),
        ({0: 10}, "something else may have been new before them"),
        ({0: 10}, "nothing was looked for before"),
        ({0: 10}, "one is missing between them"),
        ({0: 10}, "one is missing before them"),
        ({0: 2}, "there is no room for the last"),
        ({0: 10, 1: 10}, "two plugins have come to different events"),
        ({0: 10}, "they are more than are held"),
        ({0: 10}, "it is time for a look"),
    ],
)
async def test_what_was_passed_on_and_is_not_all_that_is_wanted_is_looked_for(
    journal: Journal,
    patient: Intake,
    looks: list[int],
    monkeypatch: pytest.MonkeyPatch,
    *,
    wanted: dict[int, int],
    case: str,
) -> None:
    if case != "nothing was looked for before":
        await patient.look({0: 10}, 0)
        looks.clear()
    if case == "they are more than are held":
        monkeypatch.setattr(module, "OFFERED", 2)
    if case == "it is time for a look":
        patient.poll = 0
    if case == "one is missing before them":
        await post(journal, "not passed on")
    if case == "something else may have been new before them":
        patient.offer(())
    await offered(journal, patient, message("one"))
    if case == "one is missing between them":
        await post(journal, "not passed on")
    await offered(journal, patient, message("two"), message("three"))
    if case == "something else may be new":
        patient.offer(())

    found = await patient.look(wanted, 0)

    there = [row.seq for row in await patient.headings(0, 99)]
    for position, limit in wanted.items():
        assert [row.seq for row in found.events[position]] == [seq for seq in there if seq > position][:limit]
    assert looks == [*wanted]


async def test_what_was_passed_on_knows_the_telephones_of_its_lids(
    journal: Journal, patient: Intake, looks: list[int]
) -> None:
    lid, phone = "123456789012345@lid", "5511999990002@s.whatsapp.net"
    key = {"remoteJid": lid, "remoteJidAlt": phone, "fromMe": False, "id": "3EB0FFFF"}
    pair = body("messages.upsert", {"key": key, "message": {"conversation": "hi"}, "messageType": "conversation"})
    await patient.look({0: 10}, 0)
    await offered(journal, patient, message("names none"), pair, message("nor does it"))

    found = (await patient.look({0: 10}, 0)).events[0]

    assert [event.phones for event in found if isinstance(event, StoredEvent)] == [{}, {lid: "5511999990002"}, {}]
    assert found == list((await patient.events([1, 2, 3])).values())
    assert looks == [0]
