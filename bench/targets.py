"""The servers that are measured, started and stopped; those that wait for their turn are frozen, not merely idle."""

import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, closing
from pathlib import Path
from typing import Any, Final

import aiohttp

from gateway.sqlite import open_reader
from tests.support.gateway import ROOT, Gateway, free_port
from tests.support.waiting import until
from torture.bot import NAME

IDLE: Final = """
@plugin.message()
async def note(event, ctx):
    pass
"""
COUNT: Final = """
@plugin.message()
async def count(event, ctx):
    ctx.state["seen"] = ctx.state.get("seen", 0) + 1
"""
ANSWER: Final = """
@plugin.message(f.text("ping"))
async def answer(event, ctx):
    ctx.reply("pong")
"""
THREE: Final = (IDLE, COUNT, ANSWER)
"""One that does nothing, one that remembers, one that would answer another text."""

UVLOOP: Final = "import asyncio, uvloop\nasyncio.set_event_loop_policy(uvloop.EventLoopPolicy())\n"


class Target:
    """One server."""

    def __init__(self, name: str, port: int, pid: int, gateway: Gateway | None = None) -> None:
        self.name = name
        self.port = port
        self._pid = pid
        self.gateway = gateway

    @property
    def has_worker(self) -> bool:
        """It handles what it accepts."""
        return self.gateway is not None and self.gateway.command == "serve"

    @contextlib.contextmanager
    def awake(self) -> Iterator[None]:
        """Let it run for the block."""
        self._signal(signal.SIGCONT)
        try:
            yield
        finally:
            self.freeze()

    def freeze(self) -> None:
        """Stop its processes where they are."""
        self._signal(signal.SIGSTOP)

    def behind(self) -> int:
        """Deliveries that one plugin has still to handle: the most of any of them."""
        if self.gateway is None or not self.has_worker:
            return 0
        with closing(open_reader(self.gateway.data / "journal.db")) as journal:
            last = journal.execute("SELECT coalesce(max(seq), 0) FROM event").fetchone()[0]
        with closing(open_reader(self.gateway.data / "work.db")) as work:
            open_ = dict(
                work.execute(
                    "SELECT plugin, count(*) FROM delivery WHERE status IN ('waiting', 'running') GROUP BY plugin"
                )
            )
            positions = dict(work.execute("SELECT plugin, seq FROM position"))
        return max((last - seq + open_.get(plugin, 0) for plugin, seq in positions.items()), default=0)

    def _signal(self, number: signal.Signals) -> None:
        for pid in self.gateway.processes if self.gateway else [self._pid]:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, number)


@asynccontextmanager
async def program(name: str, module: str, folder: Path, *, uvloop: bool = False) -> AsyncIterator[Target]:
    """A server that is one of `bench.servers`."""
    port = free_port()
    environment = {**os.environ, "PYTHONPATH": _path(folder / name, uvloop=uvloop)}
    process = subprocess.Popen([sys.executable, "-m", f"bench.servers.{module}", str(port)], cwd=ROOT, env=environment)
    try:
        await until(lambda: _answers(port), f"{name} is ready")
        target = Target(name, port, process.pid)
        target.freeze()
        yield target
    finally:
        process.kill()
        process.wait()


@asynccontextmanager
async def gateway(
    name: str, folder: Path, *plugins: str, uvloop: bool = False, settings: Mapping[str, Any] | None = None
) -> AsyncIterator[Target]:
    """The receiver alone, or with a worker that runs these plugins."""
    async with Gateway(folder / name.replace(" ", "-")) as one:
        yield await start(name, one, *plugins, uvloop=uvloop, settings=settings)


async def start(
    name: str, one: Gateway, *plugins: str, uvloop: bool = False, settings: Mapping[str, Any] | None = None
) -> Target:
    """Start a gateway, and freeze it until its turn."""
    one.settings(**(settings or {}))
    for at, source in enumerate(plugins):
        one.plugin(f"{NAME}{at or ''}", source)
    if uvloop:
        (one.folder / "sitecustomize.py").write_text(UVLOOP)
    one.command = "serve" if plugins else "receive"
    await one.start()
    target = Target(name, one.address[1], one.process.pid, one)
    target.freeze()
    return target


def _path(folder: Path, *, uvloop: bool) -> str:
    """PYTHONPATH of a program: with a `sitecustomize` that sets another loop, if asked for."""
    folder.mkdir(parents=True, exist_ok=True)
    if uvloop:
        (folder / "sitecustomize.py").write_text(UVLOOP)
    return f"{ROOT}{os.pathsep}{folder}"


async def _answers(port: int) -> bool:
    try:
        async with (
            aiohttp.ClientSession() as session,
            session.get(f"http://127.0.0.1:{port}/health/ready") as response,
        ):
            return response.ok
    except (TimeoutError, aiohttp.ClientError, ConnectionError):
        return False
