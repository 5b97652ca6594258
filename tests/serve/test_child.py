"""A worker hears of what is new in the journal, however late it reads."""

import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from gateway.journal import StoredEvent
from gateway.serve.child import Child
from gateway.serve.cores import Cores
from gateway.worker.link import LOOK, telling
from tests.support.waiting import until

READER = """
import socket, sys, time
from pathlib import Path

folder, _, line = sys.argv[1:]
line = socket.socket(fileno=int(line))
while not (Path(folder) / "read").exists():
    time.sleep(0.01)
while word := line.recv(2**16):
    with (Path(folder) / "heard").open("ab") as file:
        file.write(word)
"""


def event(seq: int) -> StoredEvent:
    return StoredEvent(seq, "call", "shop-1", None, "shop-1", 1.0, 0, b"x" * 8000)


def heard(folder: Path) -> bytes:
    file = folder / "heard"
    return file.read_bytes() if file.exists() else b""


@pytest.fixture
async def child(tmp_path: Path) -> AsyncIterator[Child]:
    """One that reads its line as soon as there is a file `read`, and notes all it hears."""
    child = await Child.start([sys.executable, "-c", READER, str(tmp_path)], lambda _said: None, Cores())
    yield child
    await child.kill()


async def test_it_hears_the_events_that_are_passed_on_and_that_it_is_to_look_for_others(
    child: Child, tmp_path: Path
) -> None:
    (tmp_path / "read").touch()
    words = b""
    for new in ([event(1)], [], [event(2), event(3)]):
        child.wake(new)
        words += telling(new) if new else LOOK
        await until(lambda: heard(tmp_path) == words, "it heard that")  # noqa: B023 -- awaited within the loop


async def test_one_that_does_not_read_hears_at_the_end_that_it_is_to_look(child: Child, tmp_path: Path) -> None:
    seq = 0
    while not child._line.transport.get_write_buffer_size():
        seq += 1
        child.wake([event(seq)])
    for more in range(50):
        child.wake([event(seq + 1 + more)])
    waiting = child._line.transport.get_write_buffer_size()
    (tmp_path / "read").touch()
    words = b"".join(telling([event(n + 1)]) for n in range(seq)) + LOOK

    await until(lambda: heard(tmp_path) == words, "it heard that there is more")
    child.wake([event(99)])
    words += telling([event(99)])
    await until(lambda: heard(tmp_path) == words, "it hears of single events again")
    assert waiting <= len(telling([event(1)])) + len(LOOK)
