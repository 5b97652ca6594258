"""Every sample and every captured request comes out as it should, whatever version or channel it is from."""

import base64
import copy
from pathlib import Path
from typing import Any

import orjson
import pytest

from gateway import names, samples
from gateway.envelope import chat_of, parse
from gateway.events import ChatEvent, Event, MalformedEvent, UnknownEvent, decode
from gateway.events.catalogue import event_types
from gateway.events.view import to_view

HERE = Path(__file__).parent
EXPECTED: dict[str, dict[str, Any]] = orjson.loads((HERE / "expected.json").read_bytes())
CAPTURED = [orjson.loads(line) for line in (HERE / "captures.jsonl").read_bytes().splitlines()]


def captured_envelopes() -> list[dict[str, Any]]:
    return [parse(base64.b64decode(request["body_b64"])) for request in CAPTURED]


def read(sample: str) -> Event:
    raw = samples.load(sample)
    return decode(raw["event"], raw)


@pytest.mark.parametrize("sample", samples.names())
def test_sample_gives_exactly_its_expected_view(sample: str) -> None:
    assert to_view(read(sample)) == EXPECTED[sample]


def test_every_sample_has_an_expected_view() -> None:
    assert set(samples.names()) == set(EXPECTED)


@pytest.mark.parametrize("sample", samples.names())
def test_sample_holds_nothing_of_an_unknown_shape(sample: str) -> None:
    assert read(sample).problems == ()


@pytest.mark.parametrize("sample", samples.names())
def test_raw_is_the_envelope_itself_and_stays_as_it_came(sample: str) -> None:
    raw = samples.load(sample)
    before = copy.deepcopy(raw)

    event = decode(raw["event"], raw)
    to_view(event)

    assert event.raw is raw
    assert raw == before


@pytest.mark.parametrize("sample", samples.names())
def test_event_has_its_own_class_and_the_chat_of_its_envelope(sample: str) -> None:
    event = read(sample)

    assert type(event).name == event.event
    if isinstance(event, ChatEvent):
        assert event.chat == chat_of(event.event, event.raw.get("data"))


def test_every_known_event_has_a_class_of_its_own() -> None:
    kinds = event_types()

    assert [kind.name for kind in kinds] == list(names.EVENTS)
    assert len(set(kinds)) == len(names.EVENTS)


def test_captured_requests_hold_nothing_unknown() -> None:
    events = [decode(raw["event"], raw) for raw in captured_envelopes()]

    assert not any(isinstance(event, UnknownEvent | MalformedEvent) for event in events)
    assert [event.problems for event in events if event.problems] == []


def test_captured_events_belong_to_the_chat_of_their_envelope() -> None:
    events = [decode(raw["event"], raw) for raw in captured_envelopes()]
    in_chats = [event for event in events if isinstance(event, ChatEvent)]

    assert [event.chat for event in in_chats] == [chat_of(event.event, event.raw.get("data")) for event in in_chats]
