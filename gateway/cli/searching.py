"""The options that narrow `gateway events`, and `--follow`."""

import asyncio
import contextlib
import sqlite3
from collections.abc import Callable, Sequence
from functools import wraps
from typing import Final, ParamSpec, TypeVar, cast

import click
import msgspec

from gateway import names
from gateway.cli.moments import moment
from gateway.follow import Follow
from gateway.search import STATES, Query
from gateway.web.look import Look
from gateway.web.rows import Row

POLL: Final = 0.5
"""Seconds between two looks of `--follow`."""

P = ParamSpec("P")
R = TypeVar("R")

_OPTIONS: Final = (
    click.option("--event", help="Only this event, in any spelling."),
    click.option("--instance", help="Only this instance."),
    click.option("--chat", help="Only this chat: a telephone number or a jid."),
    click.option("--plugin", help="Only what this plugin has a delivery of."),
    click.option("--status", "states", type=click.Choice(STATES), multiple=True, help="Only deliveries like this."),
    click.option("--error", metavar="TEXT", help="Only where an error contains this."),
    click.option("--text", help="Only where this is found in the event's JSON, in any case."),
    click.option("--since", type=moment, metavar="TIME", help="Only from then on: 15m, 2h, 1d, 15:07, 2026-01-31."),
    click.option("--until", type=moment, metavar="TIME", help="Only before then."),
)


def search_options(command: Callable[P, R]) -> Callable[..., R]:
    """Options that narrow a search, given to the command as `query`."""

    @wraps(command)
    def narrowed(*args: P.args, **kwargs: P.kwargs) -> R:
        given = {name: kwargs.pop(name) for name in Query.__struct_fields__}
        event = cast("str | None", given["event"])
        given["event"] = (names.canonical(event) or event) if event else None
        given["states"] = frozenset(cast("Sequence[str]", given["states"]))
        kwargs["query"] = msgspec.convert(given, Query)
        return command(*args, **kwargs)

    wrapped: Callable[..., R] = narrowed
    for option in reversed(_OPTIONS):
        wrapped = option(wrapped)
    return wrapped


async def tell(look: Look, follow: Follow, limit: int, say: Callable[[Row], None]) -> None:
    """Say the newest events, oldest first, and then what comes and changes, until cancelled."""
    seqs = await asyncio.to_thread(_unless_busy, lambda: follow.begin(limit))
    while True:
        for start in range(0, len(seqs), limit):
            for row in reversed(await look.rows_of(seqs[start : start + limit])):
                say(row)
        await asyncio.sleep(POLL)
        seqs = await asyncio.to_thread(_unless_busy, follow.poll)


def _unless_busy(ask: Callable[[], list[int]]) -> list[int]:
    """A file that is being replaced, or is busy for long, is asked again the next time."""
    with contextlib.suppress(sqlite3.OperationalError):
        return ask()
    return []
