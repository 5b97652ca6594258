"""Why a handler was passed over, told by its filters."""

from collections.abc import Callable

import pytest

from gateway.events import Event, MessagesUpsert
from gateway.plugins import filters as f
from gateway.plugins.filters.base import Look
from gateway.plugins.filters.explain import Reason, explain

Arrived = Callable[..., MessagesUpsert]


async def slow_no(_event: Event) -> bool:
    return False


def told(reason: Reason) -> str:
    """A reason in one line: each filter with + for yes, - for no, ? for not asked."""
    mark = {True: "+", False: "-", None: "?"}[reason.answer]
    return f"{reason.filter if not reason.parts else ''}{mark}" + "".join(f"[{told(part)}]" for part in reason.parts)


@pytest.mark.parametrize(
    ("filter_", "expected"),
    [
        (f.private, "private+"),
        (f.group & f.text("ping"), "-[group-][text('ping')?]"),
        (f.private & f.text("pong"), "-[private+][text('pong')-]"),
        (f.group | f.text("ping"), "+[group-][text('ping')+]"),
        (f.private | f.text("ping"), "+[private+][text('ping')?]"),
        (~f.private, "-[private+]"),
        (~(f.group | f.private) & f.inbound, "-[-[+[group-][private+]]][inbound?]"),
        (f.check(slow_no) | ~f.group, "+[check(slow_no)-][+[group-]]"),
    ],
    ids=repr,
)
async def test_each_part_says_what_it_answered(
    arrived: Arrived, filter_: f.Filter[MessagesUpsert], expected: str
) -> None:
    (reason,) = await explain([filter_], arrived(), Look())

    assert told(reason) == expected
    assert reason.filter == repr(filter_)


async def test_filters_after_the_first_refusal_were_not_asked(arrived: Arrived) -> None:
    reasons = await explain([f.inbound, f.group, f.text("ping")], arrived(), Look())

    assert [told(reason) for reason in reasons] == ["inbound+", "group-", "text('ping')?"]


def test_the_parts_of_a_composed_filter_can_be_walked() -> None:
    composed = f.private & ~(f.text("a") | f.from_me)

    assert [repr(leaf) for leaf in composed.leaves()] == ["private", "text('a')", "from_me"]
