"""Put load on a server from another process: with wrk where it is installed, else with a client of our own."""

import asyncio
import shutil
import sys
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from itertools import count
from pathlib import Path
from typing import Final

import msgspec

from bench.client import Order, Outcome
from bench.metronome import Beat
from tests.support.gateway import ROOT

WRK: Final = shutil.which("wrk")
SCRIPT: Final = Path(__file__).with_name("post.lua")

_RUNS: Final = count(int(time.time()) % 1_000_000)


def first_number() -> int:
    """Where the next run begins to number its posts, far from all others: an id posted twice would be a repeat."""
    return next(_RUNS) * 1_000_000


async def flood(port: int, form: bytes, *, connections: int, seconds: float) -> Outcome:
    """Post as fast as answers come, over so many connections that are kept."""
    if WRK is None:
        return await post(Order(port=port, connections=connections, seconds=seconds, form=form, first=first_number()))
    with tempfile.NamedTemporaryFile(prefix="bench-") as file:
        Path(file.name).write_bytes(form)
        url = f"http://127.0.0.1:{port}/webhook/messages-upsert"
        options = ("-t1", f"-c{connections}", f"-d{max(1, round(seconds))}s", "--timeout", "30s", "-s", str(SCRIPT))
        out = await _run(WRK, *options, url, "--", file.name, str(first_number()))
    return msgspec.json.decode(out.splitlines()[-1], type=Outcome)


async def post(order: Order) -> Outcome:
    """Post as the order says, with our own client."""
    with tempfile.NamedTemporaryFile(prefix="bench-") as file:
        Path(file.name).write_bytes(msgspec.msgpack.encode(order))
        return msgspec.json.decode(await _run(sys.executable, "-m", "bench.client", file.name), type=Outcome)


@asynccontextmanager
async def beating() -> AsyncIterator[list[Beat]]:
    """Have it beat beside the block, begun before; its beats are in the list afterwards."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "bench.metronome", cwd=ROOT, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE
    )
    found: list[Beat] = []
    try:
        assert process.stdout  # noqa: S101 -- as asked for
        await process.stdout.readline()
        yield found
        out, _ = await process.communicate(b"")
        found += msgspec.json.decode(out, type=list[Beat])
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


async def _run(*command: str) -> bytes:
    process = await asyncio.create_subprocess_exec(*command, cwd=ROOT, stdout=asyncio.subprocess.PIPE)
    try:
        out, _ = await process.communicate()
    finally:
        if process.returncode is None:
            process.kill()
    if process.returncode:
        raise RuntimeError(f"{command[0]} ended with {process.returncode}: {out.decode(errors='replace')[-500:]}")
    return out
