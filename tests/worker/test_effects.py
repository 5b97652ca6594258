"""What the log says of a failure points at the line its author wrote."""

from collections.abc import Callable
from typing import Any

import pytest

import gateway
from gateway import Context, MessagesUpsert, Plugin
from gateway.work import Delivery, Settled
from gateway.worker.effects import describe
from tests.worker.conftest import Bench, message


def refused(ctx: Context) -> None:
    ctx.menu("Which size?", {})  # by the gateway's own code, further in


def raised(_ctx: Context) -> None:
    raise LookupError("gone")


@pytest.mark.parametrize("fail", [refused, raised])
async def test_a_failure_is_said_to_be_at_the_authors_line(bench: Bench, fail: Callable[[Context], Any]) -> None:
    plugin = Plugin("shop")

    @plugin.message()
    async def ask(event: MessagesUpsert, ctx: Context) -> None:
        del event
        fail(ctx)

    async with bench.worker(plugin, retry=()):
        await bench.post(message("hi"))
        await bench.until(lambda: bench.settled)

    line = fail.__code__.co_firstlineno + 1
    assert describe(bench.settled[0])["at"] == f"test_effects.py:{line}"


def test_where_no_line_is_the_authors_it_is_the_innermost() -> None:
    own = f'  File "{gateway.__file__}", line {{}}, in somewhere\n'
    error = f"Traceback (most recent call last):\n{own.format(3)}{own.format(7)}KeyError: 1"
    delivery = Delivery(id=1, seq=1, plugin="shop", lane="a")

    found = describe(Settled(delivery=delivery, status="dead", started=0.0, millis=0.0, error=error))

    assert found["at"] == "__init__.py:7"
