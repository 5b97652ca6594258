"""Whatever becomes of a payload's fields, decoding never raises, and what was not touched still comes out."""

import copy
from collections.abc import Iterator
from typing import Any

import msgspec
import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gateway import names, samples
from gateway.envelope import read_envelope
from gateway.events import Event, decode
from gateway.events.pairs import pairs
from gateway.events.view import to_view

Path = tuple[str | int, ...]
Json = Any

OF_EVERY_TYPE: tuple[Json, ...] = (
    None,
    True,
    0,
    -7,
    1.5,
    1e300,
    2**64,
    "",
    "x",
    "9" * 30,
    [],
    ["x"],
    [[]],
    {},
    {"a": {}},
)
UNHEARD_OF: tuple[Json, ...] = ({"unheard": ["of"]}, [[{}]])
"""No field of any event takes one of these."""


def paths(value: Json, at: Path = ()) -> Iterator[Path]:
    """Every place inside a payload. Of an index dictionary only the first entries, which stand for all."""
    if at:
        yield at
    if isinstance(value, dict):
        bytewise = len(value) > 4 and all(key.isdigit() for key in value)
        for key in list(value)[:2] if bytewise else value:
            yield from paths(value[key], (*at, key))
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from paths(item, (*at, index))


class Mutant:
    """One payload with one place changed, and put back afterwards."""

    def __init__(self, raw: dict[str, Json], path: Path) -> None:
        self.raw = raw
        parent: Json = raw
        for step in path[:-1]:
            parent = parent[step]
        self.parent: Json = parent
        self.last: Json = path[-1]
        self.value = self.parent[self.last]

    def with_value(self, value: Json) -> dict[str, Json]:
        self.parent[self.last] = value
        return self.raw

    def without(self) -> dict[str, Json]:
        """The place is gone; in a list its neighbours move up."""
        del self.parent[self.last]
        return self.raw

    def variants(self, *values: Json) -> Iterator[dict[str, Json]]:
        """The payload with each of some values at the place, then without the place; as it was after the last."""
        before = copy.copy(self.parent)
        for value in values:
            yield self.with_value(value)
        yield self.without()
        self.parent.clear()
        self.parent.extend(before) if isinstance(before, list) else self.parent.update(before)


def look(name: str, raw: dict[str, Json]) -> dict[str, Json]:
    """Decode, and read all that the view shows; it must be JSON again."""
    pairs(name, raw)
    view = to_view(decode(name, raw))
    orjson.dumps(view)
    return view


def changed_shapes(value: Json) -> Iterator[Json]:
    """The same value nested and repeated, and values of a shape nobody knows."""
    yield {"nested": value}
    yield [value, value]
    yield from UNHEARD_OF


@pytest.mark.parametrize("sample", samples.names())
def test_any_value_at_any_place_is_survived(sample: str) -> None:
    raw = samples.load(sample)
    name = raw["event"]

    for path in list(paths(raw)):
        mutant = Mutant(raw, path)
        for mutated in mutant.variants(*OF_EVERY_TYPE, *changed_shapes(mutant.value)):
            look(name, mutated)

    assert raw == samples.load(sample)


@pytest.mark.parametrize("sample", samples.names())
def test_what_was_not_touched_still_comes_out(sample: str) -> None:
    """A field of an unknown shape costs at most what its absence costs."""
    raw = samples.load(sample)
    name = raw["event"]
    whole = leaves(look(name, raw))

    for path in list(paths(raw)):
        allowed = lost_without(raw, name, field_of(path), whole)
        mutant = Mutant(raw, path)
        for mutated in mutant.variants(*changed_shapes(mutant.value)):
            left = leaves(look(name, mutated))
            touched = {leaf for leaf in whole if left.get(leaf, ...) != whole[leaf]}
            assert touched <= allowed, (path, mutant.parent)


def field_of(path: Path) -> Path:
    """The field of the envelope, of `data`, or of one item of `data` that a place lies in."""
    if path[0] != "data" or len(path) == 1:
        return path[:1]
    return path[: 3 if isinstance(path[1], int) else 2]


TWINS = (("data", "contextInfo"), ("data", "message"))
"""Many versions write `contextInfo` in both, so only both together are without it."""


def lost_without(raw: dict[str, Json], name: str, field: Path, whole: dict[str, Json]) -> set[str]:
    mutant = Mutant(raw, field)
    if isinstance(mutant.parent, list):  # an item that is no object leaves the list, and its successors move up
        return {leaf for leaf in whole if leaf.count("[") or leaf == ".lane"}
    before = dict(mutant.parent)
    for _, key in TWINS if field in TWINS else [("", mutant.last)]:
        mutant.parent.pop(key, None)
    left = leaves(look(name, raw))
    mutant.parent.clear()
    mutant.parent.update(before)
    lost = {leaf for leaf in whole if left.get(leaf, ...) != whole[leaf]}
    person = {leaf for leaf in whole if ".sender." in leaf}  # without `fromMe` it is somebody else altogether
    return lost | person if lost & person else lost


def leaves(view: Json, at: str = "") -> dict[str, Json]:
    """Each single value of a view by its path; `problems` and what has no children is a value itself."""
    if isinstance(view, dict) and view:
        return {
            k: v for key, inner in view.items() if key != "problems" for k, v in leaves(inner, f"{at}.{key}").items()
        }
    if isinstance(view, list) and view:
        return {k: v for index, inner in enumerate(view) for k, v in leaves(inner, f"{at}[{index}]").items()}
    return {at: view}


@pytest.mark.parametrize("sample", samples.names())
def test_keys_nobody_knows_change_nothing(sample: str) -> None:
    raw = samples.load(sample)
    before = look(raw["event"], raw)
    for path in [path for path in paths(raw) if not isinstance(path[-1], int)]:
        mutant = Mutant(raw, path)
        if "presences" not in path and "variables" not in path and "prefilledVariables" not in path:
            mutant.parent["x-new-in-3.0"] = {"of": ["tomorrow"]}

    assert look(raw["event"], raw) == before


SURVIVAL = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
"""A busy machine is no mistake of the payload."""

VALUES: st.SearchStrategy[Json] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
WORDS = sorted({str(step) for name in samples.names() for path in paths(samples.load(name)) for step in path})
PAYLOADS: st.SearchStrategy[Json] = st.recursive(
    VALUES,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(WORDS), inner, max_size=6),
    max_leaves=20,
)
DIRECTORIES = st.dictionaries(st.sampled_from(["201110000000002@lid", "201110000000004@lid"]), st.just("5511999990002"))


@settings(SURVIVAL, max_examples=400)
@given(st.data())
def test_several_mutations_at_once_are_survived(data: st.DataObject) -> None:
    raw = samples.load(data.draw(st.sampled_from(samples.names())))
    name = raw["event"]
    for _ in range(data.draw(st.integers(1, 4))):
        mutant = Mutant(raw, data.draw(st.sampled_from(list(paths(raw)))))
        if data.draw(st.booleans()):
            mutant.with_value(data.draw(PAYLOADS))
        elif len(raw) > 1:
            mutant.without()
    before = copy.deepcopy(raw)

    event = decode(name, raw, directory=data.draw(DIRECTORIES))

    read_all(event)
    assert event.raw is raw
    assert raw == before


@settings(SURVIVAL, max_examples=400)
@given(
    st.sampled_from([*names.EVENTS, "from.tomorrow", ""]),
    st.dictionaries(st.sampled_from(WORDS), PAYLOADS, max_size=6),
    PAYLOADS,
)
def test_any_json_object_is_survived(name: str, raw: dict[str, Json], payload: Json) -> None:
    read_all(decode(name, {**raw, "data": payload}))


@settings(SURVIVAL, max_examples=200)
@given(st.data())
def test_the_receiver_and_the_typed_event_agree_on_names(data: st.DataObject) -> None:
    raw = samples.load(data.draw(st.sampled_from(samples.names())))
    mutant = Mutant(raw, data.draw(st.sampled_from(list(paths(raw)))))
    mutant.with_value(data.draw(st.text(max_size=12) | st.none() | st.integers(0, 9)))

    envelope = read_envelope(orjson.dumps(raw), None)

    assert decode(envelope.event, raw).event == envelope.event


def read_all(event: Event) -> None:
    """Touch every attribute and property of an event, however deep."""
    waiting: list[object] = [event]
    while waiting:
        one = waiting.pop()
        if isinstance(one, tuple):
            waiting.extend(one)
        elif isinstance(one, msgspec.Struct):
            attributes = {attribute for attribute in dir(type(one)) if not attribute.startswith("_")}
            waiting.extend(getattr(one, attribute) for attribute in attributes - {"raw", "content"})
    repr(event)
    orjson.dumps(to_view(event))
