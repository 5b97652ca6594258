"""A real gateway in a folder of its own: what a test of the whole program starts, posts to, kills and looks into.

`gateway serve` runs as a process of its own with a worker as its child. Nothing in here reaches into the running
program: a test sees what a stranger would see, over HTTP, in the files, and in what its own plugins recorded.
"""

import os
import random
import signal
import socket
import subprocess
import sys
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager, closing
from pathlib import Path
from textwrap import dedent
from typing import Any, Final, Self
from uuid import uuid4

import aiohttp
import orjson

from gateway.journal import JournalReader, StoredEvent, Summary
from gateway.sqlite import open_reader
from gateway.work import DeliveryRow, OutboxRow, WorkReader
from tests.support import records
from tests.support.processes import MARK, kill_marked, marked, worker_among
from tests.support.records import Record
from tests.support.sender import Answer, Sender, post
from tests.support.viewer import Viewer
from tests.support.waiting import until

ROOT: Final = Path(__file__).parents[2]
PORTS: Final = range(20_000, 32_000)
"""Below those the kernel hands out, so that nobody takes one while a killed gateway starts again."""
_MANY: Final = 2**31


class Gateway:
    """One `gateway serve`, from its first start over restarts to the end of the test."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.data = folder / "data"
        self.routes = folder / "routes"
        self.log_file = folder / "stderr.txt"
        self._mark = uuid4().hex
        self._process: subprocess.Popen[bytes] | None = None
        self._session: aiohttp.ClientSession | None = None
        self.command = "serve"
        """Or `receive`: without a worker."""
        self.sabotage = ""
        """Name of a function of `tests.support.sabotage`: the receiver runs with a promise broken."""
        self._webhook_port = free_port()
        self._admin_port = free_port(besides=self._webhook_port)
        self.routes.mkdir(parents=True)
        self.settings()
        self.write("_record.py", records.PRELUDE)

    async def __aenter__(self) -> Self:
        # A new connection for each request: one kept alive would have to outlive a killed gateway.
        self._session = aiohttp.ClientSession(connector=aiohttp.TCPConnector(force_close=True))
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.session.close()
        self.end()

    # Before and between starts.

    def settings(
        self,
        *,
        webhook: Mapping[str, object] | None = None,
        delivery: Mapping[str, object] | None = None,
        **more: object,
    ) -> None:
        """Write config.yaml: these, and for all else the defaults, on ports of this gateway's own.

        Only that a bot may answer faster than people write and read: tests have it do in seconds what takes days.
        """
        listener = {"port": self._webhook_port, **(webhook or {})}
        outbox = {"pace": "off", "settle": 1}
        whole = {"webhook": listener, "admin": {"port": self._admin_port}, "outbox": outbox, **more}
        whole["delivery"] = {"replies_per_minute": 0, **(delivery or {})}
        (self.folder / "config.yaml").write_bytes(orjson.dumps(whole))  # JSON is YAML

    def plugin(self, name: str, source: str) -> None:
        """Write a plugin file; it may call `record(ctx)`, and `note(ctx)` where it is measured."""
        imports = "from gateway import *\nfrom gateway import filters as f\nfrom ._record import note, record\n\n"
        self.write(f"{name}.py", f"{imports}plugin = Plugin()\n{dedent(source)}")

    def recorder(self, name: str = "recorder", event: str = "Event") -> None:
        """Write a plugin that records every call."""
        self.plugin(
            name,
            f"""
            @plugin.on({event})
            async def note(event, ctx):
                record(ctx, note=event.event)
            """,
        )

    def write(self, name: str, source: str) -> None:
        """Save a file in the plugins' folder, as editors do: at once."""
        draft = self.folder / "draft"
        draft.write_text(source)
        draft.replace(self.routes / name)

    # Its life.

    def spawn(self) -> None:
        """Start it, and don't wait."""
        with (self.folder / "stdout.txt").open("ab") as out, self.log_file.open("ab") as err:
            self._process = subprocess.Popen(
                [*self._command(), self.command, "--config", str(self.folder / "config.yaml")],
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=err,
                cwd=self.folder,
                env=self._environment(),
            )

    def again(self) -> "subprocess.CompletedProcess[str]":
        """Start a second one on other ports and the same data folder, which must end by itself."""
        settings = orjson.loads((self.folder / "config.yaml").read_bytes())
        other = self.folder / "other.yaml"
        other.write_bytes(orjson.dumps({**settings, "webhook": {"port": 0}, "admin": {"port": 0}}))
        return subprocess.run(
            [sys.executable, "-m", "gateway", "serve", "--config", str(other)],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
            timeout=20,
            cwd=self.folder,
            env=self._environment(),
        )

    async def start(self) -> None:
        """Start it, and wait until its worker works."""
        self.spawn()
        await self.accepts()
        await self.works()

    async def works(self) -> None:
        """Wait until events are handled."""
        await until(self._works, "its worker works")

    async def accepts(self) -> None:
        """Wait until events are accepted."""
        await until(self._accepts, "the gateway is ready")

    async def stop(self, *, within: float = 25.0) -> int:
        """Ask it to stop (SIGTERM) and wait; gives its exit code."""
        self.process.terminate()
        return await self.ended(within=within)

    async def kill(self) -> None:
        """End the receiver as `kill -9` does."""
        self.process.kill()
        await self.ended(within=5)

    async def ended(self, *, within: float) -> int:
        """Wait for the receiver's end; gives its exit code."""
        process = self.process
        await until(lambda: process.poll() is not None, "the gateway has ended", within=within)
        return process.wait()

    def end(self) -> None:
        """Leave nothing running, whatever the test has come to."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
        kill_marked(self._mark)

    async def kill_worker(self) -> int:
        """End the worker as `kill -9` does, once there is one; gives its process id."""
        worker = await until(lambda: self.worker, "there is a worker")
        os.kill(worker, signal.SIGKILL)
        return worker

    @property
    def process(self) -> "subprocess.Popen[bytes]":
        """The receiver."""
        assert self._process is not None, "not started"
        return self._process

    @property
    def worker(self) -> int | None:
        """Process id of the worker."""
        return worker_among(self._mark)

    @property
    def processes(self) -> list[int]:
        """Process ids of all that lives of it."""
        return marked(self._mark)

    # Over HTTP.

    @property
    def session(self) -> aiohttp.ClientSession:
        assert self._session is not None, "not entered"
        return self._session

    @property
    def address(self) -> tuple[str, int]:
        """Where webhooks are listened for."""
        return "127.0.0.1", self._webhook_port

    @property
    def webhook(self) -> str:
        """The URL that is pasted into Evolution."""
        return f"http://127.0.0.1:{self._webhook_port}/webhook"

    @property
    def page(self) -> str:
        """The URL of the page's listener."""
        return f"http://127.0.0.1:{self._admin_port}"

    def sender(self, connections: int = 16) -> Sender:
        """A sender of messages.upsert."""
        return Sender(f"{self.webhook}/messages-upsert", connections)

    async def post(self, body: bytes, tail: str = "/messages-upsert", **headers: str) -> Answer:
        """Post one body. Underscores in header names become dashes."""
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        return await post(self.session, self.webhook + tail, body, **sent)

    async def accept(self, body: bytes, tail: str = "/messages-upsert") -> int:
        """Post one new body, which must be accepted; gives the event's number."""
        answer = await self.post(body, tail)
        assert answer.status == 202, answer
        return answer.id

    async def ask(self, path: str) -> str:
        """GET a path of the page's listener, logged in."""
        async with self.session.get(self.page + path, headers=self._login()) as response:
            text = await response.text()
            assert response.status == 200, (path, response.status, text)
            return text

    async def api(self, path: str) -> Any:  # noqa: ANN401 -- JSON
        """GET a path of the API."""
        return orjson.loads(await self.ask(path))

    async def login_path(self) -> str:
        """Path of a new one-time link to the live page."""
        async with self.session.post(f"{self.page}/api/login-link", headers=self._login()) as response:
            path: str = (await response.json())["path"]
            return path

    @asynccontextmanager
    async def watched(self) -> AsyncIterator[Viewer]:
        """Hold the live page open, logged in."""
        timeout = aiohttp.ClientTimeout(total=None)
        async with self.session.get(f"{self.page}/live/stream", headers=self._login(), timeout=timeout) as response:
            assert response.status == 200, await response.text()
            async with Viewer(response) as viewer:
                yield viewer

    # What is on disk.

    @property
    def records(self) -> list[Record]:
        """What handlers recorded."""
        return records.read(self.folder)

    @property
    def log(self) -> list[dict[str, Any]]:
        """Every line of the log, of both processes."""
        lines = self.log_file.read_bytes().splitlines() if self.log_file.exists() else []
        return [orjson.loads(line) for line in lines if line.startswith(b"{") and line.endswith(b"}")]

    def logged(self, fact: str, **values: object) -> list[dict[str, Any]]:
        """The lines that say a fact, with these values."""
        wanted = {"fact": fact, **values}
        return [line for line in self.log if wanted.items() <= line.items()]

    def summaries(self) -> list[Summary]:
        """Every event in the journal, newest first."""
        with closing(JournalReader(self.data)) as journal:
            return journal.newest(_MANY)

    def events(self) -> dict[int, StoredEvent]:
        """Every whole event in the journal, by number."""
        return read_events(self.data)

    def deliveries(self, *, seq: int | None = None) -> list[DeliveryRow]:
        """Every delivery, or those of one event."""
        return read_deliveries(self.data, [seq] if seq is not None else list(self.events()))

    def outbox(self) -> list[OutboxRow]:
        """Every message that handlers queued."""
        with closing(WorkReader(self.data)) as work:
            seqs = list(self.events())
            return [row for some in _portions(seqs) for rows in work.outbox(some).values() for row in rows]

    def refused(self) -> list[tuple[str, int, bytes]]:
        """Posts answered 400: why, how many bytes, and those kept."""
        with closing(open_reader(self.data / "journal.db")) as journal:
            return journal.execute("SELECT reason, size, body FROM refused ORDER BY id").fetchall()

    def is_settled(self) -> bool:
        """Every plugin has taken up every event, and none waits or runs."""
        with closing(open_reader(self.data / "journal.db")) as journal:
            last = journal.execute("SELECT coalesce(max(seq), 0) FROM event").fetchone()[0]
        with closing(open_reader(self.data / "work.db")) as work:
            behind = work.execute("SELECT count(*) FROM position WHERE seq < ?", (last,)).fetchone()[0]
            unfinished = work.execute("SELECT count(*) FROM delivery WHERE status IN ('waiting', 'running')")
            return not behind and not unfinished.fetchone()[0]

    async def settled(self, *, within: float = 30.0) -> None:
        """Wait until every event is done with in every plugin."""
        await until(self.is_settled, "every event is handled", within=within)

    def _command(self) -> list[str]:
        if not self.sabotage:
            return [sys.executable, "-m", "gateway"]
        return [sys.executable, "-c", f"from tests.support.sabotage import {self.sabotage}; {self.sabotage}()"]

    def _environment(self) -> dict[str, str]:
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("GATEWAY_")}
        inherited["PYTHONPATH"] = f"{ROOT}{os.pathsep}{self.folder}"  # for sabotage, and a sitecustomize.py
        return {**inherited, MARK: self._mark, records.VARIABLE: str(self.folder / records.FILE)}

    def _login(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {(self.data / 'admin.token').read_text().strip()}"}

    async def _accepts(self) -> bool:
        return await self._answers(f"http://127.0.0.1:{self._webhook_port}/health/ready")

    async def _works(self) -> bool:
        return await self._answers(f"{self.page}/health/ready")

    async def _answers(self, url: str) -> bool:
        code = self.process.poll()
        assert code is None, f"it ended with {code}: {self.log_file.read_text()[-2000:]}"
        try:
            async with self.session.get(url) as response:
                return response.status == 200
        except (aiohttp.ClientError, ConnectionError):
            return False


@asynccontextmanager
async def lent(folder: Path) -> AsyncIterator[Gateway]:
    """A gateway for one test. What it logged is printed in the end: pytest shows it where the test failed."""
    async with Gateway(folder) as made:
        yield made
        if made.log_file.exists():
            print(made.log_file.read_text()[-4000:])  # noqa: T201 -- see above


def read_events(data: Path) -> dict[int, StoredEvent]:
    """Every whole event in a data folder's journal, by number."""
    with closing(JournalReader(data)) as journal:
        seqs = [summary.seq for summary in reversed(journal.newest(_MANY))]
        return {seq: event for some in _portions(seqs) for seq, event in journal.events(list(some)).items()}


def read_deliveries(data: Path, seqs: Sequence[int]) -> list[DeliveryRow]:
    """Every delivery of some events."""
    with closing(WorkReader(data)) as work:
        return [row for some in _portions(seqs) for rows in work.deliveries(some).values() for row in rows]


def free_port(*, besides: int = 0) -> int:
    """A port of 127.0.0.1 that nobody listens on, and another than that."""
    while True:
        port = random.choice(PORTS)  # noqa: S311 -- no secret
        if port == besides:
            continue
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port


def _portions(seqs: Sequence[int], size: int = 500) -> list[Sequence[int]]:
    return [seqs[start : start + size] for start in range(0, len(seqs), size)]
