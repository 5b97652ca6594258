"""`&`, `|`, `~`, predicates, and how filters read."""

import inspect
from collections.abc import Callable
from typing import Any

import pytest

from gateway.errors import PluginError
from gateway.events import Event, MessageEvent, MessagesUpsert
from gateway.plugins import filters as f
from gateway.plugins.filters.base import Look

Arrived = Callable[..., MessagesUpsert]


async def slow_yes(_event: Event) -> bool:
    return True


async def slow_no(_event: Event) -> bool:
    return False


def yes(_event: Event) -> bool:
    return True


def no(_event: Event) -> bool:
    return False


def never(_event: Event) -> bool:
    raise AssertionError("a filter was asked in vain")


YES, NO = f.check(yes), f.check(no)
SLOW_YES, SLOW_NO = f.check(slow_yes), f.check(slow_no)


async def passes(filter_: f.Filter[Any], event: Event) -> bool:
    answer = filter_.ask(event, Look())
    return answer if isinstance(answer, bool) else await answer


@pytest.mark.parametrize(
    ("filter_", "expected"),
    [
        (YES & YES, True),
        (YES & NO, False),
        (SLOW_YES & YES, True),
        (YES & SLOW_NO, False),
        (SLOW_YES & SLOW_NO, False),
        (SLOW_NO & f.check(never), False),
        (NO & f.check(never), False),
        (NO | YES, True),
        (NO | NO, False),
        (SLOW_NO | YES, True),
        (SLOW_NO | SLOW_YES, True),
        (YES | f.check(never), True),
        (SLOW_YES | f.check(never), True),
        (~YES, False),
        (~SLOW_NO, True),
        (~(YES & SLOW_NO) | NO, True),
    ],
    ids=repr,
)
async def test_filters_compose(arrived: Arrived, filter_: f.Filter[Any], *, expected: bool) -> None:
    assert await passes(filter_, arrived()) is expected


def test_sync_filters_answer_at_once(arrived: Arrived) -> None:
    answer = ((f.text("ping") | YES) & ~f.group).ask(arrived(), Look())

    assert answer is True


async def test_only_async_predicates_answer_later(arrived: Arrived) -> None:
    answer = (YES & SLOW_YES).ask(arrived(), Look())

    assert inspect.isawaitable(answer)
    assert await answer


def test_a_truthy_answer_counts_as_true(arrived: Arrived) -> None:
    def text_of(event: MessageEvent) -> str:
        return event.text

    assert f.check(text_of).ask(arrived("hello"), Look()) is True  # type: ignore[arg-type]


async def test_groups_of_the_way_that_did_not_match_are_forgotten(arrived: Arrived) -> None:
    found = Look()
    one, other = f.regex("(?P<first>p)"), f.regex("(?P<second>g)")

    answer = (one & NO | SLOW_NO | other & ~f.regex("(?P<third>x)")).ask(arrived("ping"), found)

    assert not isinstance(answer, bool)
    assert await answer
    assert found.groups == {"second": "g"}


@pytest.mark.parametrize(
    ("filter_", "text"),
    [
        (f.text("ping", "oi"), "text('ping', 'oi')"),
        (f.regex(r"a\d"), r"regex('a\\d')"),
        (f.private & ~f.from_me | f.instance("shop-1"), "((private & ~from_me) | instance('shop-1'))"),
        (f.check(yes), "check(yes)"),
        (f.from_sender("+55 11 99999-0002"), "from_sender('+55 11 99999-0002')"),
    ],
    ids=repr,
)
def test_a_filter_reads_as_it_is_written(filter_: f.Filter[Any], text: str) -> None:
    assert repr(filter_) == text


def test_a_filter_without_its_brackets_is_refused() -> None:
    with pytest.raises(PluginError, match=r"the filter text is not called: write text\(...\)"):
        f.private & f.text  # type: ignore[operator]


def test_a_bare_predicate_is_refused_with_what_to_write() -> None:
    with pytest.raises(PluginError, match=r"a predicate is written check\(yes\)"):
        f.private | yes  # type: ignore[operator]


@pytest.mark.parametrize("wrong", [f.private, "ping", None, lambda: True, lambda _event, _ctx: True])
def test_check_takes_a_function(wrong: object) -> None:
    with pytest.raises(PluginError, match=r"check\(\) takes a function of the event"):
        f.check(wrong)  # type: ignore[arg-type]


def test_the_parts_of_a_composed_filter_can_be_walked() -> None:
    composed = f.private & ~(f.text("a") | f.from_me)

    assert [repr(leaf) for leaf in composed.leaves()] == ["private", "text('a')", "from_me"]
    assert [(part.rule, repr(part)) for part in composed.parts] == [
        ("", "private"),
        ("~", "~(text('a') | from_me)"),
    ]
