"""docs/evolution.md says what the client does, and these tests have seen the client do all of it."""

import inspect
import re
from pathlib import Path
from typing import Any

from gateway.evolution import Evolution, EvolutionError
from gateway.evolution.server import Server
from tests.evolution.asked import Asked
from tests.evolution.test_chats import CHATS, RECORDS
from tests.evolution.test_files import FILES
from tests.evolution.test_groups import CASES
from tests.evolution.test_instances import INSTANCES, WEBHOOKS
from tests.evolution.test_messages import CONTENT, TEXTS

PAGE = (Path(__file__).parents[2] / "docs" / "evolution.md").read_text()
CALL = re.compile(r"^\| `(\w+)` \| [^|]* \| `([A-Z]+ /[^`]*)` \| ?([^|]*?) ?\|$", re.MULTILINE)
ERROR = re.compile(r"^\| `(\w+)` \| [^|]* \| (yes)? ?\| (yes)? ?\| (yes)? ?\|$", re.MULTILINE)
CALLS = {name: (call, set(filter(None, old.split(", ")))) for name, call, old in CALL.findall(PAGE)}
"""By method: what it asks of 2.x, and what of that is otherwise in 1.x."""
ERRORS = {name: tuple(each == "yes" for each in told) for name, *told in ERROR.findall(PAGE)}
TABLES: list[Any] = [*TEXTS, *FILES, *CONTENT, *CHATS, *RECORDS, *CASES, *INSTANCES, *WEBHOOKS]


def seen() -> dict[str, tuple[str, set[str]]]:
    """The same, as the client was seen to do it."""
    found: dict[str, tuple[str, set[str]]] = {}
    for table in TABLES:
        make, two, one = table.values
        name = next(name for name in make.__code__.co_names if hasattr(Evolution, name))
        path = two.path.partition("?")[0].removesuffix("/shop-1")
        call, old = found.setdefault(name, (f"{two.method} {path}", set()))
        assert call == f"{two.method} {path}"
        old |= otherwise(two, one)
    return found


def otherwise(two: Asked, one: Asked | None) -> set[str]:
    if one is None:
        return {"none"}
    method = {f"`{one.method}`"} if one.method != two.method else set()
    return method | ({"body"} if one.body != two.body else set())


def methods() -> set[str]:
    """The calls of the client: what it can besides what any server can."""
    inherited = {name for name, _ in inspect.getmembers(Server)}
    return {name for name, _ in inspect.getmembers(Evolution) if not name.startswith("_")} - inherited


def test_each_call_is_documented_and_each_documented_call_exists() -> None:
    assert set(CALLS) == methods()


def test_each_call_was_recorded_and_asks_what_the_page_says() -> None:
    recorded = seen()
    for name in ("send_buttons", "set_webhook"):  # of these, 1.x lacks a part
        recorded[name][1].discard("none")

    assert recorded == {name: told for name, told in CALLS.items() if name != "server_info"}


def test_each_error_is_documented_with_what_may_be_done() -> None:
    classes = EvolutionError.__subclasses__()

    assert {each.__name__: (each.passing, each.may_have_left, each.is_about_instance) for each in classes} == ERRORS
