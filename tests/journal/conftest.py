import time
from collections.abc import AsyncIterator
from pathlib import Path

import orjson
import pytest

from gateway.envelope import read_envelope
from gateway.journal import Arrival, Journal

NOW = 1_800_000_000.0


class Clock:
    """A clock that a test moves."""

    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> float:
        return self.now


def post(n: int, *, dated: bool = True, instance: str = "shop-1") -> Arrival:
    date = {"date_time": "2026-01-01T00:00:00.000Z"} if dated else {}
    body = orjson.dumps({"event": "call", "instance": instance, "data": {"n": n}, **date})
    return Arrival(read_envelope(body, None), body, "call", "127.0.0.1", time.perf_counter())


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def journal(tmp_path: Path, clock: Clock) -> AsyncIterator[Journal]:
    journal = Journal(tmp_path, clock=clock)
    yield journal
    await journal.close()
