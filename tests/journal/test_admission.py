"""What counts as the same event, and which lane a chat with two addresses is in."""

import time
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import orjson
import pytest

from gateway import samples
from gateway.config import Dedupe
from gateway.envelope import read_envelope
from gateway.journal import Arrival, Journal, JournalReader, Receipt

Post = Callable[..., Awaitable[Receipt]]

LID = "201110000000002@lid"
PHONE = "5511999990002@s.whatsapp.net"


@pytest.fixture
async def journal(tmp_path: Path) -> AsyncIterator[Journal]:
    journal = Journal(tmp_path)
    yield journal
    await journal.close()


async def post(journal: Journal, document: dict[str, Any]) -> Receipt:
    body = orjson.dumps(document)
    return await journal.append(Arrival(read_envelope(body, None), body, None, None, time.perf_counter()))


def later(document: dict[str, Any], **data: object) -> dict[str, Any]:
    """The same event with other bytes, as a re-emission has."""
    return {**document, "date_time": "2030-01-01T00:00:00.000Z", "data": {**document["data"], **data}}


def message(n: int, chat: str, **key: object) -> dict[str, Any]:
    return {
        "event": "messages.upsert",
        "instance": "shop-1",
        "date_time": f"2026-01-01T00:00:{n:02}.000Z",
        "data": {"key": {"remoteJid": chat, "fromMe": False, "id": f"M{n}", **key}},
    }


@pytest.mark.parametrize(
    "name",
    [
        "messages-upsert__text-private-v223.json",
        "messages-upsert__text-private-v18.json",
        "send-message__text-v236.json",
        "messages-update__delivery-ack-v236.json",
        "messages-update__read-nodb-v236.json",
        "messages-update__business-read-v236.json",
    ],
)
async def test_an_event_emitted_again_with_other_bytes_is_a_repeat(journal: Journal, name: str) -> None:
    document = samples.load(name)
    first = await post(journal, document)

    assert await post(journal, later(document)) == Receipt(first.seq, repeat=True)


@pytest.mark.parametrize(
    ("name", "changed"),
    [
        ("messages-update__poll-votes-v230.json", {}),
        ("messages-update__poll-votes-v18.json", {}),
        ("messages-update__edit-no-status-v223.json", {}),
        ("messages-update__read-group-v236.json", {"participant": "201110000000009@lid"}),
        ("messages-update__delivery-ack-v236.json", {"status": "READ"}),
        ("connection-update__connecting-v236.json", {}),
        ("presence-update__available-v223.json", {}),
    ],
)
async def test_what_only_looks_alike_is_delivered(journal: Journal, name: str, changed: dict[str, object]) -> None:
    document = samples.load(name)
    await post(journal, document)

    assert not (await post(journal, later(document, **changed))).repeat


@pytest.mark.parametrize("key", [{"id": None}, {"id": ""}, {}])
async def test_sends_without_an_id_are_never_repeats_of_each_other(journal: Journal, key: dict[str, object]) -> None:
    document = samples.load("send-message__buttons-v236.json")
    document["data"]["key"] = {"remoteJid": PHONE, "fromMe": True, **key}
    await post(journal, document)

    assert not (await post(journal, later(document))).repeat


async def test_a_repeat_by_message_is_known_by_its_own_bytes_too(journal: Journal) -> None:
    document = message(1, PHONE)
    await post(journal, document)
    await post(journal, later(document))
    await post(journal, later(document))

    assert JournalReader(journal.folder).newest(5)[0].repeats == 2


async def test_one_id_in_two_chats_two_instances_or_from_two_sides_is_several_messages(journal: Journal) -> None:
    one = message(1, PHONE)
    others = [message(1, "5511999990003@s.whatsapp.net"), {**one, "instance": "shop-2"}, message(1, PHONE, fromMe=True)]

    receipts = [await post(journal, document) for document in (one, *others)]

    assert [receipt.repeat for receipt in receipts] == [False] * 4


@pytest.mark.parametrize("names", [("messages.upsert",), ("all",)])
async def test_each_kind_of_repeat_can_be_switched_off(tmp_path: Path, names: tuple[str, ...]) -> None:
    journal = Journal(tmp_path, dedupe=Dedupe(same_bytes_off=names, same_message_off=names))
    document = message(1, PHONE)

    receipts = [await post(journal, document), await post(journal, document), await post(journal, later(document))]
    await journal.close()

    assert [receipt.repeat for receipt in receipts] == [False] * 3


async def lanes(journal: Journal) -> list[str]:
    return [row.lane for row in JournalReader(journal.folder).after(0, 100)]


async def test_a_chat_is_one_lane_by_lid_and_by_phone_from_the_event_on_that_shows_both(journal: Journal) -> None:
    await post(journal, message(1, LID))
    await post(journal, message(2, LID, remoteJidAlt=PHONE))
    await post(journal, message(3, LID))
    await post(journal, message(4, PHONE))

    assert await lanes(journal) == [f"shop-1/{LID}", *[f"shop-1/{PHONE}"] * 3]


async def test_a_lid_is_known_after_a_restart(tmp_path: Path, journal: Journal) -> None:
    await post(journal, message(1, LID, remoteJidAlt=PHONE))
    await journal.close()

    reopened = Journal(tmp_path)
    await post(reopened, message(2, LID))
    await reopened.close()

    assert await lanes(reopened) == [f"shop-1/{PHONE}"] * 2


async def test_a_message_that_comes_again_under_its_other_address_is_a_repeat(journal: Journal) -> None:
    await post(journal, message(1, LID, remoteJidAlt=PHONE))

    assert (await post(journal, message(1, PHONE))).repeat


async def test_a_lid_in_a_group_moves_no_group(journal: Journal) -> None:
    group = "120363400000000001@g.us"
    await post(journal, message(1, group, participant=LID, participantAlt=PHONE))
    await post(journal, message(2, group, participant=LID))
    await post(journal, message(3, LID))

    assert await lanes(journal) == [f"shop-1/{group}", f"shop-1/{group}", f"shop-1/{PHONE}"]


async def test_the_worker_is_given_the_phones_of_the_lids_in_a_body(journal: Journal) -> None:
    await post(journal, message(1, LID, remoteJidAlt=PHONE))
    receipt = await post(journal, message(2, LID))

    assert JournalReader(journal.folder).events([receipt.seq])[receipt.seq].phones == {LID: "5511999990002"}
