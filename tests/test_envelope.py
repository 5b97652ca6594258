"""Bytes and a URL in, an envelope out: Evolution's own oddities, one claim each."""

from pathlib import Path

import orjson
import pytest

from gateway import samples
from gateway.envelope import chat_of, parse, read_envelope, suffix_of
from gateway.errors import EnvelopeError

EXPECTED: dict[str, dict[str, object]] = orjson.loads((Path(__file__).parent / "events" / "expected.json").read_bytes())


def body(**fields: object) -> bytes:
    return orjson.dumps({"event": "messages.upsert", "instance": "shop-1", "data": {}, **fields})


@pytest.mark.parametrize(
    "spelling", ["messages.upsert", "message.upsert", "MESSAGES_UPSERT", "messages-upsert", " Messages.Upsert "]
)
def test_every_spelling_of_a_name_is_the_same_event(spelling: str) -> None:
    assert read_envelope(body(event=spelling), None).event == "messages.upsert"


def test_the_bodys_event_wins_over_the_urls() -> None:
    assert read_envelope(body(event="connection.update"), "messages-upsert").event == "connection.update"


@pytest.mark.parametrize("named", [None, "", "   ", 7, ["messages.upsert"]])
def test_the_url_names_the_event_where_the_body_does_not(named: object) -> None:
    assert read_envelope(body(event=named), "send-messages").event == "send.message"


def test_an_event_nobody_knows_keeps_its_own_name() -> None:
    assert read_envelope(body(event="moon.landed"), None).event == "moon.landed"


def test_an_event_named_nowhere_is_called_unknown() -> None:
    assert read_envelope(body(event=None), None).event == "unknown"


def test_a_name_of_a_megabyte_is_cut() -> None:
    assert len(read_envelope(body(event="x" * 2**20, instance="y" * 2**20), None).event) == 200


@pytest.mark.parametrize("instance", [None, "", 5, {}])
def test_an_instance_that_is_no_text_is_none(instance: object) -> None:
    assert read_envelope(body(instance=instance), None).instance is None


@pytest.mark.parametrize("name", EXPECTED)
def test_each_samples_event_instance_and_chat_are_found(name: str) -> None:
    envelope = read_envelope(samples.read(name), None)

    expected = EXPECTED[name]
    assert (envelope.event, envelope.instance, envelope.chat) == (
        expected["event"],
        expected["instance"],
        expected["lane"],
    )


def test_messages_of_one_chat_share_a_lane_and_other_instances_have_their_own() -> None:
    data = {"key": {"remoteJid": "5511999990002:7@s.whatsapp.net", "id": "A"}}
    twin = {"key": {"remoteJid": "5511999990002@s.whatsapp.net", "id": "B"}}

    lane = read_envelope(body(data=data), None).lane

    assert lane == read_envelope(body(data=twin, event="send.message"), None).lane
    assert lane != read_envelope(body(data=twin, instance="shop-2"), None).lane


def test_events_without_a_chat_share_a_lane_by_family_and_never_a_chats() -> None:
    connection = read_envelope(body(event="connection.update", data={"state": "open"}), None)
    qrcode = read_envelope(body(event="qrcode.updated", data={}), None)
    history = read_envelope(body(event="messages.set", data=[]), None)

    assert connection.lane == qrcode.lane != history.lane


def test_a_batch_of_history_belongs_to_no_chat_so_that_it_delays_none() -> None:
    item = {"key": {"remoteJid": "5511999990002@s.whatsapp.net"}}

    assert chat_of("messages.set", [item]) is None


def test_an_edits_key_is_trusted_for_groups_only() -> None:
    assert chat_of("messages.edited", {"key": {"remoteJid": "5511999990001@s.whatsapp.net"}}) is None
    assert chat_of("messages.edited", {"key": {"remoteJid": "120363@g.us"}}) == "120363@g.us"


@pytest.mark.parametrize(
    "data", [None, 5, "text", [], [None, 3], {"key": 5}, {"key": {"remoteJid": ["x"]}}, {"key": {}}]
)
@pytest.mark.parametrize("event", ["messages.upsert", "messages.delete", "chats.update", "call", "contacts.upsert"])
def test_data_of_any_shape_names_no_chat_and_raises_nothing(event: str, data: object) -> None:
    assert chat_of(event, data) in {None, "text"}


@pytest.mark.parametrize(
    ("extra", "dated"), [({"date_time": "2026-01-01T00:00:00.000Z"}, True), ({"date_time": 5}, False), ({}, False)]
)
def test_bodies_before_1_5_0_are_told_by_their_missing_date(extra: dict[str, object], dated: bool) -> None:  # noqa: FBT001
    assert read_envelope(body(**extra), None).dated is dated


@pytest.mark.parametrize(
    ("bad", "where"),
    [
        (b'{"a": 1,', "line 1, column 9"),
        (b'{\n "a": NaN}', "line 2, column 7"),
        (b"\xef\xbb\xbf{}", "line 1, column 1"),
        (b'{"a": "\xff"}', "byte 0xff at position 7"),
        (b'{"a": "\x00"}', "line 1, column 8"),
        (b"", "line 1, column 1"),
        (b"[" * 100_000, "depth"),
        (b'{"a":' + b"9" * 5_000 + b"}", "number"),
        (b"[]", "an array"),
        (b'"x"', "a string"),
        (b"null", "null"),
        (b"7", "a number"),
        (b"true", "a boolean"),
    ],
)
def test_what_is_no_json_object_is_refused_with_what_and_where(bad: bytes, where: str) -> None:
    with pytest.raises(EnvelopeError, match=where):
        read_envelope(bad, None)


def test_a_lone_surrogate_becomes_a_replacement_character_and_all_else_stays() -> None:
    document = parse(
        rb'{"cut": "a\ud83d", "whole": "\ud83d\ude00", "low": "\udc00!", "written": "\\ud83d", "n": "\ud83d\n"}'
    )

    assert document == {"cut": "a\ufffd", "whole": "😀", "low": "\ufffd!", "written": "\\ud83d", "n": "\ufffd\n"}


def test_a_lone_surrogate_excuses_no_other_error() -> None:
    with pytest.raises(EnvelopeError):
        parse(rb'{"cut": "a\ud83d", "n": NaN}')


@pytest.mark.parametrize(
    ("parts", "query", "suffix"),
    [
        ((), "", None),
        (("messages-upsert",), "", "messages-upsert"),
        (("", "messages-upsert", ""), "", "messages-upsert"),
        (("shop", "messages-upsert"), "", "messages-upsert"),
        (("plain",), "token=abc/messages-upsert", "messages-upsert"),
        ((), "token=abc/MESSAGES-UPSERT", "MESSAGES-UPSERT"),
        ((), "token=abc/def", None),
        (("calls",), "token=a/b", "calls"),
    ],
)
def test_the_suffix_is_found_wherever_evolution_glues_it(
    parts: tuple[str, ...], query: str, suffix: str | None
) -> None:
    assert suffix_of(parts, query) == suffix
