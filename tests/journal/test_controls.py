"""What people ask of the worker is kept as surely as an event, in order, under a number never used twice."""

import time
from pathlib import Path

import orjson
import pytest

from gateway.envelope import read_envelope
from gateway.errors import ControlError
from gateway.journal import Arrival, Journal, JournalReader
from gateway.journal.controls import Letters, Replay, Steer, read_payload, write_payload

ANA = "5511999990002@s.whatsapp.net"


def arrival(number: int) -> Arrival:
    body = orjson.dumps({"event": "connection.update", "instance": "shop-1", "data": {"n": number}})
    return Arrival(read_envelope(body, None), body, None, None, time.perf_counter())


async def test_a_control_is_there_with_the_number_of_the_newest_event(tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    for number in range(3):
        await journal.append(arrival(number))

    number = await journal.control("pause", "{}")

    (control,) = JournalReader(tmp_path).controls(0, 10)
    assert (control.id, control.kind, control.upto, control.payload) == (number, "pause", 3, "{}")
    await journal.close()


async def test_ids_go_on_after_a_restart_and_above_what_the_worker_has_seen(tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    first = await journal.control("pause", "{}")
    await journal.close()
    journal = Journal(tmp_path, control_floor=40)

    second = await journal.control("resume", "{}")
    third = await journal.control("resume", "{}")

    assert (first, second, third) == (1, 41, 42)
    assert [each.id for each in JournalReader(tmp_path).controls(1, 10)] == [41, 42]
    await journal.close()


async def test_a_disk_with_too_little_room_for_events_still_takes_controls(tmp_path: Path) -> None:
    journal = Journal(tmp_path, min_free=2**62)

    assert await journal.control("drop", '{"all":true}') == 1
    await journal.close()


@pytest.mark.parametrize(
    ("kind", "text", "says"),
    [
        ("replay", "{}", "every event there is"),
        ("replay", '{"id":[1]}', "unknown field"),
        ("replay", '{"ids":"1"}', "array"),
        ("retry", "{}", "which dead letters"),
        ("drop", '{"ids":[1],"all":true}', "either"),
        ("pause", "[]", "object"),
        ("explode", "{}", "nobody knows"),
        ("pause", "{", "truncated"),
    ],
)
def test_what_can_hardly_be_meant_is_refused_with_the_reason(kind: str, text: str, says: str) -> None:
    with pytest.raises(ControlError, match=says):
        read_payload(kind, text)


@pytest.mark.parametrize(
    ("kind", "payload"),
    [
        ("replay", Replay(ids=(1, 2), plugins=("a",), by="ana")),
        ("replay", Replay(all=True)),
        ("retry", Letters(plugin="shop")),
        ("resume", Steer()),
    ],
)
def test_what_was_written_is_read_back(kind: str, payload: Replay | Letters | Steer) -> None:
    assert read_payload(kind, write_payload(payload)) == payload


@pytest.mark.parametrize("chat", [ANA, "5511999990002", "+55 (11) 99999-0002"])
def test_a_chat_is_meant_by_jid_or_telephone_also_where_the_event_shows_its_lid(chat: str) -> None:
    replay = Replay(chat=chat)

    assert replay.fits("messages.upsert", "i", ANA, f"i/{ANA}", 1.0)
    assert replay.fits("messages.upsert", "i", "123456789012345@lid", f"i/{ANA}", 1.0)
    assert not replay.fits("messages.upsert", "i", "5511999990003@s.whatsapp.net", "i/x", 1.0)
    assert not replay.fits("connection.update", "i", None, "i#connection", 1.0)


def test_everything_that_is_given_must_fit() -> None:
    replay = Replay(event="call", instance="i", since=10.0, until=20.0)

    assert replay.fits("call", "i", None, "i#call", 15.0)
    assert not replay.fits("call", "other", None, "i#call", 15.0)
    assert not replay.fits("messages.upsert", "i", None, "i#call", 15.0)
    assert not replay.fits("call", "i", None, "i#call", 9.9)
    assert not replay.fits("call", "i", None, "i#call", 20.1)
