"""A whole bot without WhatsApp: `gateway serve` with default settings, and `gateway simulate --server` beside it."""

import asyncio
import os
import pty
import signal
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import orjson
import pytest

from gateway.play import FILE
from tests.support.bodies import message
from tests.support.gateway import ROOT, Gateway
from tests.support.waiting import until

PING: Final = (ROOT / "routes" / "ping.py").read_text()
GREETING: Final = [
    "",
    "  You are Ana, +12025550142. Write to the bot. Ctrl-D ends it, :help says what else you can do.",
    "",
]


class Played:
    """What a piped play left behind."""

    def __init__(self, code: int, out: str, err: str) -> None:
        self.code = code
        self.lines = out.splitlines()
        self.err = err


async def play(gateway: Gateway, *typed: str, options: Sequence[str] = ()) -> Played:
    """Type these lines into `gateway simulate --server`, and let it end."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "gateway", "simulate", "--server"),
        *options,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        cwd=gateway.folder,
    )
    out, err = await process.communicate("".join(f"{line}\n" for line in typed).encode())
    return Played(process.returncode or 0, out.decode(), err.decode())


async def test_a_person_types_a_message_and_sees_the_answer(gateway: Gateway) -> None:
    gateway.write("ping.py", PING)
    await gateway.start()

    played = await play(gateway, "ping", "hello")

    assert played.lines == [
        *GREETING,
        "  you  ping",
        "  bot  pong",
        "  you  hello",
        "       no plugin answers that",
    ]
    assert played.code == 0


async def test_a_group_is_written_to_like_a_person(gateway: Gateway) -> None:
    gateway.plugin(
        "greeter",
        """
        @plugin.message(f.group & f.text("hi"))
        async def greet(event, ctx):
            ctx.quote("hi, " + (event.message.sender.name or ""))
        """,
    )
    await gateway.start()

    played = await play(gateway, "hi", options=["--group", "--name", "Bia"])

    assert played.lines[-3:] == ["  you  hi", "  bot  ▏hi", "       hi, Bia"]


async def test_it_may_begin_before_the_gateway_does(gateway: Gateway) -> None:
    gateway.write("ping.py", PING)

    playing = asyncio.create_task(play(gateway, "ping"))
    await until((gateway.data / FILE).exists, "somebody plays")
    await gateway.start()
    played = await playing

    assert "  bot  pong" in played.lines


async def test_after_the_play_answers_are_only_shown_again(gateway: Gateway) -> None:
    gateway.write("ping.py", PING)
    await gateway.start()
    await play(gateway, "ping")

    await until(lambda: len(gateway.logged("plugins_reloaded", files=FILE)) == 2, "the worker is itself again")
    (answer,) = gateway.outbox()

    assert answer.status == "sent"
    assert not (gateway.data / FILE).exists()
    assert [line["plugin"] for line in gateway.logged("plugins_reloaded")] == ["ping", "ping"]


async def test_a_gateway_with_a_key_is_never_played_with(gateway: Gateway) -> None:
    gateway.settings(evolution={"apikey": "the-real-key"})

    played = await play(gateway, "ping")

    assert played.code == 1
    assert "evolution.apikey is set: this gateway answers real people" in played.err


async def test_what_a_killed_player_left_behind_counts_for_nothing(gateway: Gateway) -> None:
    gateway.write("ping.py", PING)
    gateway.data.mkdir()
    (gateway.data / FILE).write_bytes(orjson.dumps({"url": "http://127.0.0.1:9", "apikey": "of the play"}))
    await gateway.start()

    await gateway.accept(message(1, "ping"))
    (answer,) = await until(gateway.outbox, "there is an answer")

    assert answer.status == "shown"


@pytest.mark.parametrize("number", [signal.SIGHUP, signal.SIGTERM, signal.SIGINT])
async def test_a_play_that_is_ended_from_outside_leaves_nothing_behind(
    gateway: Gateway, number: signal.Signals
) -> None:
    terminal = await Terminal.open(gateway.folder)
    await until((gateway.data / FILE).exists, "somebody plays")

    terminal.signal(number)

    assert await terminal.ended() == 0
    assert not (gateway.data / FILE).exists()


async def test_a_handler_that_fails_is_told_of(gateway: Gateway) -> None:
    gateway.plugin(
        "shop",
        """
        @plugin.message(f.text("boom"))
        async def boom(event, ctx):
            raise RuntimeError("the till is on fire")
        """,
    )
    gateway.settings(delivery={"retry": []})
    await gateway.start()

    played = await play(gateway, "boom")

    assert played.lines[-1].startswith("       shop failed for good: gateway events ")


async def test_on_a_terminal_the_answer_comes_above_the_line_being_typed(gateway: Gateway) -> None:
    gateway.write("ping.py", PING)
    await gateway.start()
    terminal = await Terminal.open(gateway.folder)

    await terminal.until("You are Ana")
    terminal.type("ping\r")
    await terminal.until("pong")
    terminal.type("\x04")

    assert await terminal.ended() == 0


class Terminal:
    """A play on a terminal of its own."""

    def __init__(self, process: asyncio.subprocess.Process, descriptor: int) -> None:
        self._process = process
        self._descriptor = descriptor
        self._seen = ""
        asyncio.get_running_loop().add_reader(descriptor, self._read)

    @classmethod
    async def open(cls, folder: Path) -> "Terminal":
        ours, theirs = pty.openpty()
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "gateway", "simulate", "--server"),
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            cwd=folder,
        )
        os.close(theirs)
        return cls(process, ours)

    def signal(self, number: signal.Signals) -> None:
        self._process.send_signal(number)

    def type(self, keys: str) -> None:
        os.write(self._descriptor, keys.encode())

    async def until(self, words: str) -> None:
        await until(lambda: words in self._seen, f"the terminal shows {words!r}")

    async def ended(self) -> int:
        code = await asyncio.wait_for(self._process.wait(), 20)
        asyncio.get_running_loop().remove_reader(self._descriptor)
        os.close(self._descriptor)
        return code

    def _read(self) -> None:
        try:
            self._seen += os.read(self._descriptor, 65_536).decode(errors="replace")
        except OSError:  # the other end is closed
            asyncio.get_running_loop().remove_reader(self._descriptor)
