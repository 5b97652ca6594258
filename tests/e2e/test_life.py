"""Starting, stopping and being edited: nothing is lost, nobody is left behind, and two never write one folder."""

import asyncio
import signal
from functools import partial

import pytest

from tests.support.bodies import message, messages
from tests.support.evidence import Evidence, complaints, repeated
from tests.support.gateway import Gateway
from tests.support.sender import Sender
from tests.support.waiting import until

STOP_WITHIN = 15.0  # seconds; handlers get 5
POSTS = 600


async def test_a_second_gateway_on_the_same_folder_refuses_and_names_the_holder(gateway: Gateway) -> None:
    gateway.recorder()
    await gateway.start()

    second = gateway.again()

    assert second.returncode == 1
    assert f"{gateway.data} is in use: process {gateway.process.pid} is its receiver" in second.stderr
    assert "Traceback" not in second.stderr
    seq = await gateway.accept(message(1))
    await gateway.settled()
    assert [record.seq for record in gateway.records] == [seq]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_a_stop_under_load_ends_well_leaves_no_process_and_loses_nothing(
    gateway: Gateway, number: signal.Signals
) -> None:
    gateway.plugin(
        "recorder",
        """
        import asyncio

        @plugin.message()
        async def note(event, ctx):
            await asyncio.sleep(0.01)
            record(ctx)
        """,
    )
    await gateway.start()
    sender = gateway.sender()

    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(sender.post_all(messages(POSTS, chats=30)))
        await until(partial(has_reached, sender, POSTS // 4), "a quarter is acknowledged")
        gateway.process.send_signal(number)
        code = await gateway.ended(within=STOP_WITHIN)
        left_over = gateway.processes
        before = len(sender.acknowledged)
        await gateway.start()
    await gateway.settled()

    assert code == 0
    assert left_over == []
    assert before < POSTS
    assert {answer.status for answer in sender.refused} <= {503}
    evidence = gather(gateway, sender)
    assert len(evidence.acknowledged) == POSTS
    assert complaints(evidence) == []
    assert repeated(evidence.records) == []  # a stop that was asked for repeats nothing


async def test_a_stop_does_not_wait_for_a_handler_that_blocks(gateway: Gateway) -> None:
    gateway.plugin(
        "recorder",
        """
        import time

        @plugin.message()
        async def block(event, ctx):
            record(ctx)
            time.sleep(60)
        """,
    )
    await gateway.start()
    seq = await gateway.accept(message(1))
    await until(lambda: gateway.records, "the handler blocks")

    code = await gateway.stop(within=STOP_WITHIN)

    assert code == 0
    assert gateway.processes == []
    (delivery,) = gateway.deliveries(seq=seq)
    assert (delivery.status, delivery.failures, delivery.deaths) == ("waiting", 0, 0)


async def test_a_receiver_that_is_killed_takes_its_worker_with_it(gateway: Gateway) -> None:
    gateway.recorder()
    await gateway.start()
    assert len(gateway.processes) == 2

    await gateway.kill()

    await until(lambda: not gateway.processes, "the worker has ended too", within=STOP_WITHIN)


async def test_a_process_that_a_plugin_forked_keeps_no_later_worker_from_starting(gateway: Gateway) -> None:
    gateway.plugin(
        "forks",
        """
        import os
        import time

        @plugin.message()
        async def fork(event, ctx):
            if os.fork() == 0:
                time.sleep(60)
                os._exit(0)
            record(ctx)
        """,
    )
    await gateway.start()
    await gateway.accept(message(1))
    await gateway.settled()
    forked = set(gateway.processes) - {gateway.process.pid, gateway.worker}

    await gateway.kill()
    await until(lambda: set(gateway.processes) == forked, "only what was forked is left", within=STOP_WITHIN)
    await gateway.start()

    assert len(forked) == 1
    assert forked < set(gateway.processes)


async def test_an_edited_plugin_takes_effect_and_no_event_is_lost_or_handled_twice_meanwhile(gateway: Gateway) -> None:
    write_version(gateway, 1)
    await gateway.start()
    sender = gateway.sender(connections=4)
    worker = gateway.worker

    async with asyncio.TaskGroup() as tasks:
        stop = asyncio.Event()
        tasks.create_task(keep_posting(sender, stop))
        await until(partial(has_reached, sender, 100), "100 are acknowledged")
        write_version(gateway, 2)
        await until(lambda: [r for r in gateway.records if r.note == "version 2"], "the new version works")
        stop.set()
    await gateway.settled()

    evidence = gather(gateway, sender)
    assert complaints(evidence) == []
    assert repeated(evidence.records) == []
    versions = [record.note for record in evidence.records]
    assert versions == sorted(versions)
    assert set(versions) == {"version 1", "version 2"}
    assert gateway.worker != worker
    assert gateway.logged("plugins_reloaded", files="recorder.py")
    assert gateway.logged("worker_died") == []


async def test_a_plugin_saved_with_a_syntax_error_leaves_the_old_one_running_and_is_reported(gateway: Gateway) -> None:
    write_version(gateway, 1)
    await gateway.start()
    worker = gateway.worker

    async with gateway.watched() as page:
        gateway.write("recorder.py", "plugin = = 1\n")
        await until(lambda: page.strip.get("reasons"), "the page reports it")
    seq = await gateway.accept(message(1))
    await gateway.settled()

    (reason,) = page.strip["reasons"]
    (line,) = gateway.logged("plugins_not_reloaded")
    assert "Not reloaded, the old plugins keep running" in reason
    assert "recorder.py:1: SyntaxError: invalid syntax" in reason
    assert "recorder.py:1: SyntaxError: invalid syntax" in line["error"]
    assert [(record.seq, record.note) for record in gateway.records] == [(seq, "version 1")]
    assert gateway.worker == worker

    write_version(gateway, 3)
    await until(lambda: gateway.logged("plugins_reloaded"), "the mended file is loaded")
    async with gateway.watched() as page:
        await until(lambda: page.strip and not page.strip["reasons"], "nothing is wrong any more")
    await gateway.accept(message(2))
    await gateway.settled()
    assert [record.note for record in gateway.records] == ["version 1", "version 3"]


async def test_a_broken_plugin_at_a_later_start_is_left_out_and_its_events_wait_for_it(gateway: Gateway) -> None:
    write_version(gateway, 1)
    gateway.recorder("other")
    await gateway.start()
    await gateway.accept(message(1))
    await gateway.settled()
    assert await gateway.stop() == 0

    gateway.write("recorder.py", "import nothing_of_this_name\n")
    await gateway.start()
    second = await gateway.accept(message(2))
    await until(lambda: [r for r in gateway.records if (r.plugin, r.seq) == ("other", second)], "the other goes on")
    assert gateway.logged("plugin_left_out", line=1)
    write_version(gateway, 2)
    await until(lambda: [r for r in gateway.records if r.note == "version 2"], "the mended one catches up")
    await gateway.settled()

    assert [(r.seq, r.note) for r in gateway.records if r.plugin == "recorder"] == [
        (1, "version 1"),
        (second, "version 2"),
    ]


def write_version(gateway: Gateway, version: int) -> None:
    gateway.plugin(
        "recorder",
        f"""
        @plugin.message()
        async def note(event, ctx):
            record(ctx, note="version {version}")
        """,
    )


async def keep_posting(sender: Sender, stop: asyncio.Event) -> None:
    """Post on, about 100 a second, until told to stop."""
    number = 0
    while not stop.is_set():
        await sender.post_all(messages(10, first=number, chats=10))
        number += 10


def has_reached(sender: Sender, moment: int) -> bool:
    return len(sender.acknowledged) >= moment


def gather(gateway: Gateway, sender: Sender) -> Evidence:
    return Evidence(
        acknowledged={body: answer.id for body, answer in sender.acknowledged.items()},
        journal=gateway.events(),
        records=gateway.records,
        deliveries=gateway.deliveries(),
        plugins=["recorder"],
    )
