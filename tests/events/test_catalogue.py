"""Each attribute says what it means, in the editor and in the documentation, in the same words."""

import re
from pathlib import Path

import msgspec
import pytest

from gateway import names
from gateway.events import Event, Message, MessagesUpsert
from gateway.events.catalogue import catalogue, event_types, fields, value_types

DOCUMENT = Path(__file__).parents[2] / "docs" / "events.md"
TYPES = [*event_types(), *value_types()]


def test_documented_catalogue_is_the_one_the_types_give() -> None:
    assert DOCUMENT.read_text(encoding="utf-8") == catalogue(), "run: python -m gateway.events.catalogue docs/events.md"


@pytest.mark.parametrize("kind", TYPES, ids=lambda kind: kind.__name__)
def test_every_attribute_has_a_docstring(kind: type[msgspec.Struct]) -> None:
    bases = [base for base in kind.__mro__ if issubclass(base, msgspec.Struct) and base is not msgspec.Struct]
    said = {field.name: field.meaning for base in bases for field in fields(base)}

    assert set(kind.__struct_fields__) <= set(said)
    assert [name for name, meaning in said.items() if not meaning.endswith(".")] == []


@pytest.mark.parametrize("kind", TYPES, ids=lambda kind: kind.__name__)
def test_every_type_says_what_it_is(kind: type[msgspec.Struct]) -> None:
    assert (kind.__doc__ or "").strip()


def test_types_are_frozen() -> None:
    assert all(kind.__struct_config__.frozen for kind in TYPES)


def test_catalogue_names_every_event_with_version_and_suffixes() -> None:
    text = catalogue()

    for name in names.EVENTS.values():
        assert f"| `{name.name}` | " in text
        assert all(f"`{suffix}`" in text for suffix in name.suffixes)


def test_date_time_says_why_it_is_no_instant() -> None:
    (said,) = [field.meaning for field in fields(Event) if field.name == "date_time"]

    assert "local" in said
    assert "Never an instant" in said


def test_every_link_leads_to_a_chapter() -> None:
    text = catalogue()
    chapters = {line.lstrip("# ").lower() for line in text.splitlines() if line.startswith("#")}

    assert set(re.findall(r"\]\(#(\w+)\)", text)) <= chapters


def test_properties_are_in_the_catalogue_too() -> None:
    assert {"sent_at", "reply_to", "is_group"} <= {field.name for field in fields(Message)}
    assert fields(MessagesUpsert) == ()  # all of its own are inherited
