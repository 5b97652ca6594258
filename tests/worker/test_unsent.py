"""Messages that could not be sent: asked for again or dropped by people, those of unknown fate only by their ids."""

import contextlib
import sqlite3
from typing import Any

import pytest

from gateway import Context, MessagesUpsert, Plugin
from gateway.journal.controls import Kind, Letters, write_payload
from gateway.work import Message
from tests.worker.conftest import Bench, message
from tests.worker.test_controls import ended

SURE, UNSURE = 1, 2  # ids in the outbox


@pytest.fixture
async def two_dead(bench: Bench) -> Bench:
    """Two messages were queued and could not be sent; of one nobody knows whether it left."""
    async with bench.worker(answering()):
        await bench.post(message("hi"), message("hello"))
        await bench.until(lambda: len(bench.outcomes()) == 2)
    with contextlib.closing(sqlite3.connect(bench.folder / "work.db")) as work, work:
        work.execute("UPDATE outbox SET status = 'dead', attempts = 3, error = 'down', unsure = id - 1")
    return bench


def answering() -> Plugin[Any, Any]:
    plugin = Plugin("p")

    @plugin.message()
    async def answer(event: MessagesUpsert, ctx: Context) -> None:
        ctx.reply(f"you said {event.text}")

    return plugin


async def ask(bench: Bench, kind: Kind, **letters: Any) -> tuple[int, list[Message]]:  # noqa: ANN401 -- any field
    """How many were changed, and those that the outbox was given again."""
    async with bench.worker(answering()):
        number = await bench._journal.control(kind, write_payload(Letters(messages=True, **letters)))
        done = await ended(bench, number)
    return done.found, bench.requeued


async def test_all_are_queued_again_save_those_that_may_have_left(two_dead: Bench) -> None:
    found, again = await ask(two_dead, "retry", all=True)

    assert (found, [each.id for each in again]) == (1, [SURE])
    assert two_dead.rows("SELECT id, status, attempts, error FROM outbox ORDER BY id") == [
        (SURE, "queued", 0, None),
        (UNSURE, "dead", 3, "down"),
    ]


async def test_one_that_may_have_left_is_queued_again_by_its_id(two_dead: Bench) -> None:
    found, again = await ask(two_dead, "retry", ids=(UNSURE,))

    assert (found, [each.id for each in again]) == (1, [UNSURE])


async def test_what_is_queued_again_is_as_fresh_as_if_it_had_just_been(two_dead: Bench) -> None:
    two_dead.now += 86_400
    _, again = await ask(two_dead, "retry", all=True)

    assert again[0].created >= two_dead.now
    assert two_dead.rows("SELECT created FROM outbox WHERE id = 1") == [(again[0].created,)]


async def test_those_of_another_plugin_are_left_alone(two_dead: Bench) -> None:
    found, again = await ask(two_dead, "retry", plugin="q")

    assert (found, again) == (0, [])


async def test_dropped_ones_are_done_with(two_dead: Bench) -> None:
    found, again = await ask(two_dead, "drop", ids=(SURE, UNSURE))

    assert (found, again) == (2, [])
    assert two_dead.rows("SELECT status FROM outbox") == [("dropped",), ("dropped",)]
