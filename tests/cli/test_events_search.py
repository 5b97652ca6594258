"""`gateway events` finds what it is asked for, and goes on with `-f`, beside a gateway or alone."""

import asyncio
import json
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import orjson
import pytest

from gateway.envelope import read_envelope
from gateway.journal import Arrival, Journal
from gateway.work import Batch, Delivery, Failed, Settled, WorkStore
from gateway.work.batch import Status
from gateway.work.store import HAS_RUN

Command = Callable[..., subprocess.CompletedProcess[str]]

ANA, ANA_LID = "5511999990002@s.whatsapp.net", "201110000000002@lid"
HOUR = 3600.0
WAIT = 30.0  # seconds for one line, on a busy machine


class Store:
    """What a gateway would have written."""

    def __init__(self, folder: Path) -> None:
        self.ago = 0.0
        self.journal = Journal(folder, clock=lambda: time.time() - self.ago)
        self.work = WorkStore(folder)

    async def post(self, chat: str = ANA, event: str = "messages.upsert", **key: str) -> int:
        data = {"key": {"remoteJid": chat, "fromMe": False, "id": f"M{self.journal.last}", **key}}
        body = orjson.dumps({"event": event, "instance": "shop", "date_time": "2026-01-01", "data": data})
        receipt = await self.journal.append(Arrival(read_envelope(body, None), body, None, None, time.perf_counter()))
        return receipt.seq

    async def end(self, seq: int, status: Status, error: str | None = None, plugin: str = "bot") -> None:
        made = Delivery(id=seq, seq=seq, plugin=plugin, lane="l")
        settled = Settled(delivery=made, status=status, started=time.time(), millis=1.0, error=error)
        facts = {"plugins": [{"name": plugin}], HAS_RUN: True}
        await self.work.write(Batch(taken=[made], positions={plugin: ("g", seq)}, facts=facts))
        await self.work.write(Batch(settled=[settled]))


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[Store]:
    (tmp_path / "data").mkdir()
    store = Store(tmp_path / "data")
    yield store
    await store.journal.close()
    await store.work.close()


def ids(done: subprocess.CompletedProcess[str]) -> list[int]:
    assert done.returncode == 0, done.stderr
    return [int(json.loads(line)["id"]) for line in done.stdout.splitlines()]


@pytest.fixture
async def filled(store: Store) -> Store:
    store.ago = 48 * HOUR
    await store.end(await store.post(chat=ANA_LID, remoteJidAlt=ANA), "dead", "ValueError: the till is on fire")
    store.ago = 2 * HOUR
    await store.end(await store.post(event="call"), "skipped", plugin="log")
    store.ago = 0.0
    await store.end(await store.post(), "done")
    return store


@pytest.mark.usefixtures("filled")
@pytest.mark.parametrize(
    ("options", "found"),
    [
        ([], [3, 2, 1]),
        (["--limit", "1"], [3]),
        (["--chat", "+55 11 99999-0002"], [3, 1]),
        (["--plugin", "log"], [2]),
        (["--status", "dead"], [1]),
        (["--status", "dead", "--status", "skipped"], [2, 1]),
        (["--error", "TILL is on"], [1]),
        (["--text", "remotejidalt"], [1]),
        (["--since", "3h"], [3, 2]),
        (["--until", "1h"], [2, 1]),
        (["--since", "3d", "--until", "1d"], [1]),
        (["--since", "1999-12-31"], [3, 2, 1]),
        (["--until", "1999-12-31T23:59:59+02:00"], []),
        (["--event", "MESSAGES_UPSERT", "--instance", "shop", "--status", "done"], [3]),
        (["--plugin", "log", "--status", "dead"], []),
    ],
)
def test_options_narrow_the_list_and_all_must_fit(gateway: Command, options: list[str], found: list[int]) -> None:
    assert ids(gateway("events", "--json", *options)) == found


async def test_one_event_shows_every_attempt_that_failed(filled: Store, gateway: Command) -> None:
    attempt = Failed(delivery=1, result="failed", started=time.time(), millis=1.5, error="Traceback\nOSError: down")
    await filled.work.write(Batch(failed=[attempt]))

    shown = (await asyncio.to_thread(gateway, "events", "1")).stdout

    assert "failed after 1.5 ms: OSError: down" in shown


@pytest.mark.usefixtures("filled")
@pytest.mark.parametrize(
    ("options", "says"),
    [
        (["--since", "yesterday-ish"], "no time"),
        (["--status", "angry"], "not one of"),
        (["1", "--plugin", "bot"], "leave out what looks for others"),
        (["1", "-f"], "leave out what looks for others"),
    ],
)
def test_wrong_use_is_said_so(gateway: Command, options: list[str], says: str) -> None:
    done = gateway("events", *options)

    assert done.returncode == 2
    assert says in done.stderr


@pytest.mark.usefixtures("filled")
def test_a_search_without_a_hit_says_so(gateway: Command) -> None:
    assert "No such events" in gateway("events", "--error", "nobody wrote this").stdout


class Following:
    """`gateway events -f` as a process."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process

    @classmethod
    async def start(cls, folder: Path, *options: str) -> "Following":
        command = [sys.executable, "-m", "gateway", "events", "-f", *options]
        return cls(
            await asyncio.create_subprocess_exec(
                *command, cwd=folder, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
            )
        )

    async def line(self) -> str:
        assert self._process.stdout
        return (await asyncio.wait_for(self._process.stdout.readline(), WAIT)).decode()

    async def row(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(await self.line())
        return found

    async def stop(self) -> tuple[int | None, str, str]:
        self._process.send_signal(signal.SIGINT)
        out, err = await asyncio.wait_for(self._process.communicate(), WAIT)
        return self._process.returncode, out.decode(), err.decode()


async def test_following_shows_what_was_there_then_what_comes_and_ends_on_ctrl_c(filled: Store, tmp_path: Path) -> None:
    following = await Following.start(tmp_path, "--json", "--limit", "2")
    begun = [(await following.row())["id"] for _ in range(2)]
    await filled.end(await filled.post(), "done")
    came = await following.row()

    assert (begun, came["id"], came["plugins"][0]["status"]) == (["2", "3"], "4", "done")
    assert await following.stop() == (0, "", "")


async def test_following_shows_people_a_line_under_its_title(filled: Store, tmp_path: Path) -> None:
    following = await Following.start(tmp_path, "--limit", "1")
    lines = [await following.line() for _ in range(2)]
    code, _, complaint = await following.stop()

    assert (lines[0].split()[0], lines[1].split()[0]) == ("id", str(filled.journal.last))
    assert lines[0].index("plugins") >= 0
    assert (code, complaint) == (0, "")


async def test_following_waits_for_what_is_asked_for(filled: Store, tmp_path: Path) -> None:
    following = await Following.start(tmp_path, "--json", "--status", "dead")
    first = await following.row()
    await filled.end(await filled.post(), "done")
    await filled.end(await filled.post(), "dead", "boom")
    second = await following.row()

    assert (first["id"], second["id"]) == ("1", "5")
    assert await following.stop() == (0, "", "")


async def test_following_begins_before_anything_was_stored(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    following = await Following.start(tmp_path, "--json")
    store = Store(tmp_path / "data")
    await store.end(await store.post(), "done")

    assert (await following.row())["id"] == "1"
    assert await following.stop() == (0, "", "")
    await store.journal.close()
    await store.work.close()
