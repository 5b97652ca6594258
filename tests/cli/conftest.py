"""Run the real command in a folder of its own, and a real server that remembers what it was sent."""

import asyncio
import contextlib
import os
import socket
import subprocess
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import NamedTuple

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

Command = Callable[..., subprocess.CompletedProcess[str]]

ENVIRONMENT = {
    name: value
    for name, value in os.environ.items()
    if name in {"PATH", "HOME", "LANG", "TZ", "COVERAGE_PROCESS_START"}
}


def run_gateway(*arguments: str, cwd: Path, **environ: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "gateway", *arguments],
        cwd=cwd,
        env=ENVIRONMENT | environ,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.fixture
def gateway(tmp_path: Path) -> Command:
    """`gateway(...)` in an empty folder; `cwd=` names another, further keywords are the environment."""

    def run(*arguments: str, cwd: Path = tmp_path, **environ: str) -> subprocess.CompletedProcess[str]:
        return run_gateway(*arguments, cwd=cwd, **environ)

    return run


class Received(NamedTuple):
    """One request, as it was on the wire."""

    method: str
    target: str
    headers: list[tuple[str, str]]
    body: bytes


class Recorder:
    """Answers each request with the next of its answers, the last one again and again."""

    def __init__(self) -> None:
        self.requests: list[Received] = []
        self.answers: Sequence[web.Response | int] = [202]
        self.url = ""
        self.hold = 1
        """How many requests have to be under way before the first is answered."""
        self.peak = 0
        self._under_way = 0
        self._full = asyncio.Event()

    async def answer(self, request: web.Request) -> web.Response:
        self._under_way += 1
        self.peak = max(self.peak, self._under_way)
        if self._under_way >= self.hold:
            self._full.set()
        await self._full.wait()
        try:
            return await self._record(request)
        finally:
            self._under_way -= 1

    async def _record(self, request: web.Request) -> web.Response:
        headers = [(name.decode(), value.decode()) for name, value in request.raw_headers]
        self.requests.append(Received(request.method, request.raw_path, headers, await request.read()))
        given = self.answers[min(len(self.requests), len(self.answers)) - 1]
        return web.Response(status=given) if isinstance(given, int) else given


@pytest.fixture
async def recorder() -> AsyncIterator[Recorder]:
    recorder = Recorder()
    app = web.Application(client_max_size=2**27)
    app.router.add_route("*", "/{tail:.*}", recorder.answer)
    async with TestServer(app) as server:
        recorder.url = f"http://127.0.0.1:{server.port}/webhook"
        yield recorder


class Asked(NamedTuple):
    """What a command left behind."""

    code: int
    out: str
    err: str


Ask = Callable[..., Awaitable[Asked]]


async def ask_gateway(*arguments: str, cwd: Path) -> Asked:
    """Run a command while this loop goes on serving."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "gateway",
        *arguments,
        cwd=cwd,
        env=ENVIRONMENT,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    out, err = await process.communicate()
    return Asked(process.returncode or 0, out.decode(), err.decode())


@pytest.fixture
def ask(tmp_path: Path) -> Ask:
    """`await ask(...)`: a command in an empty folder, beside a server of the test's own."""
    return partial(ask_gateway, cwd=tmp_path)


def free_ports(count: int) -> list[int]:
    """Ports that differ, for they are taken all at once."""
    with contextlib.ExitStack() as stack:
        found = [stack.enter_context(socket.socket()) for _ in range(count)]
        for one in found:
            one.bind(("127.0.0.1", 0))
        return [one.getsockname()[1] for one in found]


@pytest.fixture
def closed_port() -> int:
    """A port that nobody listens on."""
    return free_ports(1)[0]


class Serving:
    """A real `gateway serve` in a folder that `gateway init` made, behind a header, with a plugin that fails."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        run_gateway("init", str(folder), cwd=folder.parent)
        hooks, page = free_ports(2)
        (folder / "config.yaml").write_text(
            f"webhook: {{port: {hooks}, auth: {{header: {{values: [s3cret-header]}}}}}}\n"
            f"admin: {{port: {page}}}\n"
            "delivery: {retry: []}\n"
        )
        (folder / "routes" / "angry.py").write_text(BROKEN_HANDLER)
        self._log = folder / "serve.log"
        with self._log.open("w") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "gateway", "serve"],
                cwd=folder,
                env=ENVIRONMENT,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
            )
        self._wait_until_it_serves()

    def _wait_until_it_serves(self) -> None:
        assert self._process.stdout
        if not any("Webhooks" in line for line in self._process.stdout):
            self.stop()
            pytest.fail(f"gateway serve ended: {self._log.read_text()}")

    def stop(self) -> None:
        self._process.terminate()
        self._process.wait(30)
        if self._process.stdout:
            self._process.stdout.close()


@pytest.fixture(scope="module")
def serving(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serving]:
    """A gateway that runs for all tests of a module."""
    serving = Serving(tmp_path_factory.mktemp("bots") / "mybot")
    yield serving
    serving.stop()


@pytest.fixture
def serve_alone(tmp_path: Path) -> Callable[[], Serving]:
    """A gateway that one test starts and stops."""
    return lambda: Serving(tmp_path / "alone")


BROKEN_HANDLER = """
from gateway import Context, MessagesUpsert, Plugin
from gateway import filters as f

plugin = Plugin()


@plugin.message(f.text("boom"))
async def explode(event: MessagesUpsert, ctx: Context) -> None:
    raise RuntimeError("the till is on fire")
"""
