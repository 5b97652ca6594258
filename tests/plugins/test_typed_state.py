"""What a plugin remembers, as a struct of its author's."""

import msgspec
import orjson
import pytest

from gateway.errors import StateError
from gateway.plugins.state import Memory, StateKey


class Cart(msgspec.Struct):
    step: str = "start"
    items: list[str] = []
    total: float = 0.0


class Other(msgspec.Struct):
    step: int = 0


class Frozen(msgspec.Struct, frozen=True):
    step: str = ""


def memory_of(stored: bytes | None) -> Memory:
    return Memory(plugin="shop", instance="i", chats=["c"], people=[], source=Fixed(stored))


class Fixed:
    """A store with one value in it."""

    def __init__(self, value: bytes | None) -> None:
        self._value = value

    def read(self, _key: StateKey) -> tuple[bytes | None, int]:
        return self._value, 1 if self._value else 0


def test_a_typed_state_begins_with_its_defaults_and_saves_what_was_changed_alone() -> None:
    memory = memory_of(b'{"other":1}')
    cart = memory.state.typed(Cart)
    cart.step = "size"
    cart.items.append("milk")

    (change,) = memory.changes()

    assert orjson.loads(change.value or b"") == {"other": 1, "step": "size", "items": ["milk"]}
    assert memory.state.typed(Cart) is cart


def test_a_typed_state_reads_what_was_saved() -> None:
    cart = memory_of(b'{"step":"size","items":["milk"]}').state.typed(Cart)

    assert (cart.step, cart.items, cart.total) == ("size", ["milk"], 0.0)


@pytest.mark.parametrize("stored", [None, b'{"step":"size"}'])
def test_a_typed_state_that_is_only_read_is_not_written(stored: bytes | None) -> None:
    memory = memory_of(stored)
    memory.state.typed(Cart)

    assert memory.changes() == ()


def test_a_typed_state_set_back_to_its_defaults_is_saved_as_such() -> None:
    memory = memory_of(b'{"step":"size"}')
    memory.state.typed(Cart).step = "start"

    assert memory.changes()[0].value == b'{"step":"start"}'


def test_typed_state_and_mapping_are_two_views_of_the_same() -> None:
    memory = memory_of(b'{"step":"size"}')
    cart = memory.state.typed(Cart)
    memory.state["seen"] = True
    cart.total = 2.5

    assert orjson.loads(memory.changes()[0].value or b"") == {"step": "size", "seen": True, "total": 2.5}


@pytest.mark.parametrize(
    ("stored", "kind", "text"),
    [
        (b'{"step":"size"}', Other, "ctx.state of shop does not fit Other: Expected `int`, got `str` - at `$.step`"),
        (None, Frozen, "needs a struct that can be changed, without frozen=True"),
    ],
)
def test_a_typed_state_that_does_not_fit_says_so(stored: bytes | None, kind: type[msgspec.Struct], text: str) -> None:
    with pytest.raises(StateError) as caught:
        memory_of(stored).state.typed(kind)

    assert text in str(caught.value)


def test_one_state_is_one_struct() -> None:
    memory = memory_of(None)
    memory.state.typed(Cart)

    with pytest.raises(StateError, match="is a Cart already, and can't be a Other too"):
        memory.state.typed(Other)
