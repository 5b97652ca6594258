"""A bot answers each message exactly once, though its worker dies and Evolution loses answers and requests."""

import asyncio
import sys
from collections.abc import AsyncIterator
from functools import partial
from pathlib import Path

import pytest

from gateway.testing.evolution import EvolutionServer, Fault
from tests.support.gateway import Gateway
from tests.support.waiting import until

PEOPLE = [f"+55 11 97777-{n:04d}" for n in range(8)]
MESSAGES = 6  # each
KILLS = 3
BLIND = """
from gateway.worker.outbox.evidence import Evidence, Finding

async def look(self, message):
    return Finding("absent")

Evidence.look = look
"""
"""A plugin file that has the outbox take every message of unknown fate for one that did not leave."""


@pytest.fixture
async def server() -> AsyncIterator[EvolutionServer]:
    async with EvolutionServer(apikey="key", hang=0.3, typing_scale=0, retry_scale=0.01) as server:
        yield server


@pytest.fixture
async def counting(gateway: Gateway, server: EvolutionServer) -> Gateway:
    """The n-th message of a chat is answered with n."""
    gateway.plugin(
        "counting",
        """
        @plugin.message()
        async def count(event, ctx):
            record(ctx)
            ctx.chat_state["count"] = ctx.chat_state.get("count", 0) + 1
            ctx.reply(str(ctx.chat_state["count"]))
        """,
    )
    gateway.settings(evolution={"url": server.url, "apikey": server.apikey}, outbox={"pace": "off", "settle": 1})
    server.point(gateway.webhook)
    return gateway


async def test_every_message_is_answered_exactly_once(counting: Gateway, server: EvolutionServer) -> None:
    await counting.start()
    server.fail(Fault.LOST_ANSWER, "message/*", times=None, share=0.15)
    server.fail(Fault.NO_ANSWER, "message/*", times=None, share=0.1)

    async with asyncio.TaskGroup() as tasks:
        for person in PEOPLE:
            tasks.create_task(talk(server, person))
        for number in range(1, KILLS + 1):
            await until(partial(have_run, counting, number * 8), "handlers run")
            await counting.kill_worker()
    await all_answered(counting)

    assert {person: server.texts(person) for person in PEOPLE} == {
        person: [str(n + 1) for n in range(MESSAGES)] for person in PEOPLE
    }
    assert server.complaints == []


async def test_an_outbox_that_sends_again_blindly_is_found_out(counting: Gateway, server: EvolutionServer) -> None:
    counting.write("blind.py", f"{BLIND}\nfrom gateway import Plugin\nplugin = Plugin()\n")
    await counting.start()
    server.fail(Fault.LOST_ANSWER, "message/*", times=2)

    await talk(server, PEOPLE[0])
    await all_answered(counting)

    assert server.texts(PEOPLE[0]) == ["1", "1", "1", "2", "3", "4", "5", "6"]


async def test_where_nothing_tells_what_left_no_message_is_answered_twice(
    counting: Gateway, server: EvolutionServer
) -> None:
    server.muted.add("send.message")
    server.fail(Fault.SERVER_FAULT, "chat/findMessages", times=None)
    server.fail(Fault.LOST_ANSWER, "message/*", times=1)
    await counting.start()

    await talk(server, PEOPLE[0])
    await all_answered(counting)

    assert server.texts(PEOPLE[0]) == [str(n + 1) for n in range(MESSAGES)]
    dead = [row for row in counting.outbox() if row.status == "dead"]
    assert [row.payload["text"] for row in dead] == ["1"]
    assert str(dead[0].error).startswith("Unknown whether it left")


async def test_what_could_not_be_sent_is_listed_and_sent_when_somebody_says_so(
    counting: Gateway, server: EvolutionServer
) -> None:
    server.fail(Fault.NOT_ON_WHATSAPP, "message/*", times=1)
    await counting.start()
    await server.write(PEOPLE[0], "hi")
    await all_answered(counting)

    listed = await command(counting, "dead", "--messages")
    sent = await command(counting, "dead", "--messages", "--retry", "--all")
    await until(lambda: server.texts(PEOPLE[0]) == ["1"], "it is sent")

    assert "not on WhatsApp" in listed
    assert "gateway dead --messages 1 --retry" in listed
    assert sent == "  Queued again: 1 message.\n"


async def test_own_messages_say_who_sent_them(counting: Gateway, server: EvolutionServer, tmp_path: Path) -> None:
    seen = tmp_path / "seen.txt"
    counting.plugin(
        "watcher",
        f"""
        @plugin.on(MessageEvent)
        async def watch(event, ctx):
            with open({str(seen)!r}, "a") as file:
                print(event.event, event.message.origin, event.text, file=file)
        """,
    )
    await counting.start()

    await server.write(PEOPLE[0], "hi")
    await until(lambda: seen.exists() and len(seen.read_text().splitlines()) == 2, "both are seen")

    assert seen.read_text().splitlines() == ["messages.upsert contact hi", "send.message gateway 1"]


async def talk(server: EvolutionServer, person: str) -> None:
    """Write some messages, each once the one before was taken."""
    for n in range(MESSAGES):
        await server.write(person, f"message {n}")


async def command(gateway: Gateway, *arguments: str) -> str:
    """What the command line prints beside a gateway that runs."""
    config = ["--config", str(gateway.folder / "config.yaml")]
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "gateway", *arguments, *config, stdout=asyncio.subprocess.PIPE
    )
    printed, _ = await process.communicate()
    assert process.returncode == 0
    return printed.decode()


def have_run(gateway: Gateway, calls: int) -> bool:
    return len(gateway.records) >= calls


async def all_answered(gateway: Gateway) -> None:
    """Wait until every delivery is settled and every answer has come to its end."""
    await gateway.settled(within=60)
    await until(
        lambda: all(row.status in ("sent", "dead") for row in gateway.outbox()), "every answer has left", within=60
    )
