"""An edit is loaded by the next worker, which takes over only if it can; nothing is lost, and nothing runs twice."""

import asyncio
import os
import signal
from collections.abc import Sequence
from itertools import count, groupby
from pathlib import Path

import pytest

from tests.support.bodies import message, messages
from tests.support.evidence import repeated
from tests.support.gateway import Gateway
from tests.support.records import Record
from tests.support.waiting import until

NUMBERS = count(100_000)
"""Of messages that a test posts while it waits."""
GREET = """
@plugin.on(MessagesUpsert)
async def greet(event, ctx):
    record(ctx, note="{version}")
"""


def save(gateway: Gateway, version: str, *, before: str = "") -> None:
    """Save routes/greet.py; `before` runs when it is imported."""
    gateway.plugin("greet", before + GREET.format(version=version))


def slow_import(gateway: Gateway) -> tuple[str, Path, Path]:
    """Source that makes a file when it begins to be imported, and waits for another."""
    begun, let_go = gateway.folder / "begun", gateway.folder / "let-go"
    source = f"""
import pathlib, time
pathlib.Path({str(begun)!r}).touch()
while not pathlib.Path({str(let_go)!r}).exists():
    time.sleep(0.01)
"""
    return source, begun, let_go


async def reloads(gateway: Gateway, count: int = 1) -> None:
    await until(lambda: len(gateway.logged("plugins_reloaded")) >= count, f"{count} reloads")


async def handled_by(gateway: Gateway, version: str) -> None:
    """Post messages until one is handled by this version."""

    async def is_there() -> bool:
        await gateway.accept(message(next(NUMBERS)))
        return any(record.note == version for record in gateway.records)

    await until(is_there, f"version {version} handles events")


async def test_an_edit_takes_effect_and_the_log_says_which_plugin_and_how_long_it_took(gateway: Gateway) -> None:
    save(gateway, "one")
    await gateway.start()
    await gateway.accept(message(1))
    await gateway.settled()
    old = gateway.worker

    save(gateway, "two")
    await reloads(gateway)
    await gateway.accept(message(2))
    await gateway.settled()

    (line,) = gateway.logged("plugins_reloaded")
    assert [record.note for record in gateway.records] == ["one", "two"]
    assert gateway.worker != old
    assert (line["plugin"], line["files"]) == ("greet", "greet.py")
    assert 0 < line["seconds"] < 10
    assert line["result"].startswith("worker restarted in ")
    assert gateway.logged("worker_died") == []


async def test_what_comes_during_edits_is_handled_by_one_version_or_the_next(gateway: Gateway) -> None:
    save(gateway, "one")
    await gateway.start()
    await gateway.accept(message(1))
    await gateway.settled()

    for version in ("two", "three", "four"):
        save(gateway, version)
        await handled_by(gateway, version)
    await gateway.settled()

    assert sorted(record.seq for record in gateway.records) == sorted(gateway.events())
    assert {record.note for record in gateway.records} == {"one", "two", "three", "four"}


async def test_reloads_under_load_lose_nothing_and_run_no_handler_twice(gateway: Gateway) -> None:
    save(gateway, "0")
    await gateway.start()
    sender = gateway.sender(connections=4)
    posting = asyncio.create_task(sender.post_all(messages(3_000, chats=20)))

    for version in ("1", "2", "3"):
        save(gateway, version)
        await reloads(gateway, int(version))
    await posting
    await gateway.settled(within=60)

    assert len(sender.acknowledged) == 3_000
    assert sorted(record.seq for record in gateway.records) == sorted(gateway.events())
    assert repeated(gateway.records) == []
    assert {row.status for row in gateway.deliveries()} == {"done"}


@pytest.mark.parametrize(
    ("source", "complaint"),
    [
        ("plugin = Plugin(\n", "greet.py:5: SyntaxError"),
        ("\nraise RuntimeError('no stock')\n", "greet.py:6: RuntimeError: no stock"),
        ("import os\nos._exit(7)\n", "loading them ended the process (exit code 7)"),
    ],
)
async def test_an_edit_that_cannot_be_loaded_leaves_the_old_plugins_at_work(
    gateway: Gateway, source: str, complaint: str
) -> None:
    save(gateway, "one")
    await gateway.start()
    old = gateway.worker

    async with gateway.watched() as page:
        gateway.write("greet.py", f"from gateway import *\n\n\n\n{source}")
        (said,) = await until(lambda: page.strip.get("reasons"), "the page says why")
        await gateway.accept(message(1))
        await gateway.settled()
        running = gateway.worker
        save(gateway, "two")
        await reloads(gateway)
        await until(lambda: page.strip["reasons"] == [], "the page takes it back")

    (line,) = gateway.logged("plugins_not_reloaded")
    assert complaint in line["error"]
    assert said == f"Not reloaded, the old plugins keep running: {line['error']}"
    assert [record.note for record in gateway.records] == ["one"]
    assert running == old


async def test_the_last_of_two_quick_edits_is_what_runs(gateway: Gateway) -> None:
    save(gateway, "one")
    await gateway.start()

    save(gateway, "two")
    save(gateway, "three")

    await handled_by(gateway, "three")
    await gateway.settled()
    assert gateway.records[-1].note == "three"


async def test_an_edit_during_a_reload_is_what_runs_in_the_end(gateway: Gateway) -> None:
    save(gateway, "one")
    await gateway.start()
    slow, begun, let_go = slow_import(gateway)

    save(gateway, "two", before=slow)
    await until(begun.exists, "the second version is being loaded")
    save(gateway, "three")
    let_go.touch()

    await handled_by(gateway, "three")


async def test_a_worker_that_dies_during_a_reload_costs_neither_the_edit_nor_an_event(gateway: Gateway) -> None:
    save(gateway, "one")
    await gateway.start()
    slow, begun, let_go = slow_import(gateway)
    old = gateway.worker
    assert old is not None

    save(gateway, "two", before=slow)
    await until(begun.exists, "the second version is being loaded")
    os.kill(old, signal.SIGKILL)
    await gateway.accept(message(1))
    let_go.touch()

    await handled_by(gateway, "two")
    await gateway.settled()
    assert sorted(record.seq for record in gateway.records) == sorted(gateway.events())


async def test_a_worker_that_waits_to_take_over_ends_with_its_receiver(gateway: Gateway) -> None:
    save(gateway, "one")
    await gateway.start()
    slow, begun, let_go = slow_import(gateway)

    save(gateway, "two", before=slow)
    await until(begun.exists, "the second version is being loaded")
    await gateway.kill()
    let_go.touch()

    await until(lambda: not gateway.processes, "nothing is left")


async def test_a_new_file_is_loaded_and_a_deleted_ones_deliveries_wait_until_it_is_back(gateway: Gateway) -> None:
    gateway.recorder("always")
    await gateway.start()

    save(gateway, "one")
    await reloads(gateway, 1)
    await gateway.accept(message(1))
    await gateway.settled()
    (gateway.routes / "greet.py").unlink()
    await reloads(gateway, 2)
    missed = await gateway.accept(message(2))
    await until(lambda: any(record.seq == missed for record in gateway.records), "the other plugin goes on")
    meanwhile = [record.note for record in gateway.records if record.plugin == "greet"]
    save(gateway, "two")
    await reloads(gateway, 3)
    await gateway.settled()

    assert meanwhile == ["one"]
    assert [record.note for record in gateway.records if record.plugin == "greet"] == ["one", "two"]
    assert [line["plugin"] for line in gateway.logged("plugins_reloaded")] == ["greet"] * 3


async def test_a_file_found_broken_at_a_later_start_is_left_out_and_its_deliveries_wait(gateway: Gateway) -> None:
    gateway.recorder("always")
    save(gateway, "one")
    await gateway.start()
    await gateway.stop()
    gateway.write("greet.py", "plugin = Plugin(\n")

    await gateway.start()
    missed = await gateway.accept(message(1))
    await until(lambda: any(record.seq == missed for record in gateway.records), "the other plugin goes on")
    (left_out,) = gateway.logged("plugin_left_out")
    gateway.recorder("always", "MessagesUpsert")
    await reloads(gateway, 1)
    save(gateway, "two")
    await reloads(gateway, 2)
    await gateway.settled()

    assert left_out["file"].endswith("greet.py")
    assert left_out["line"] == 1
    assert [record.note for record in gateway.records if record.plugin == "greet"] == ["two"]


async def test_what_a_handler_does_not_finish_in_time_the_next_worker_runs_anew_and_never_both_at_once(
    gateway: Gateway,
) -> None:
    finish = gateway.folder / "finish"
    source = f"""
import asyncio, os, pathlib

@plugin.on(MessagesUpsert)
async def slow(event, ctx):
    while not pathlib.Path({str(finish)!r}).exists():
        record(ctx, note=str(os.getpid()))
        await asyncio.sleep(0.005)
"""
    gateway.plugin("slow", source)
    await gateway.start()
    await gateway.accept(message(1))
    await until(lambda: gateway.records, "the handler runs")

    gateway.plugin("slow", source + "\n")
    await until(lambda: len({record.note for record in gateway.records}) == 2, "the next worker runs it")
    finish.touch()
    await gateway.settled()

    (delivery,) = gateway.deliveries()
    assert takeovers(gateway.records) == 1
    assert {record.attempt for record in gateway.records} == {1}
    assert (delivery.status, delivery.failures, delivery.deaths) == ("done", 0, 0)


def test_two_workers_at_once_would_be_noticed() -> None:
    both = [
        Record(seq=1, plugin="slow", attempt=1, stage="ran", note=pid, at=float(at))
        for at, pid in enumerate(["1", "1", "2", "1", "2"])
    ]

    assert takeovers(both) == 3


def takeovers(records: Sequence[Record]) -> int:
    """How often the process that writes changes."""
    return len(list(groupby(records, key=lambda record: record.note))) - 1
