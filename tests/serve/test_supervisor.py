"""One worker is kept alive beside the receiver, with the plugins that load, whatever becomes of it."""

import asyncio
import contextlib
import errno
import os
import resource
import signal
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from gateway.config import load
from gateway.errors import GatewayError
from gateway.journal import Journal
from gateway.serve.child import Child
from gateway.serve.supervisor import Supervisor
from tests.support.waiting import until

GOOD = """
from gateway import Context, MessagesUpsert, Plugin

plugin = Plugin()

@plugin.message()
async def handle(event: MessagesUpsert, ctx: Context) -> None: ...
"""
FORKING = f"""{GOOD}
import os, time
from pathlib import Path

child = os.fork()
if child == 0:
    time.sleep(60)
    os._exit(0)
Path(__file__).with_suffix(".pid").write_text(str(child))
"""
LEAVING = "import os; os._exit(7)"


class Folder:
    """A folder as a bot author has it."""

    def __init__(self, path: Path) -> None:
        self.config = path / "config.yaml"
        self.config.write_text("log: {format: json, level: error}\n")
        self.routes = path / "routes"
        self.routes.mkdir()
        (path / "data").mkdir()
        self.journal = Journal(path / "data")

    @property
    def worker(self) -> int:
        """The process that holds the worker's half; 0 while another one takes it over."""
        words = (self.config.parent / "data" / "worker.lock").read_text().split()
        return int(words[-1]) if words else 0

    def write(self, name: str, source: str) -> None:
        (self.routes / f"{name}.py").write_text(source)

    @contextlib.asynccontextmanager
    async def supervised(self) -> AsyncIterator[Supervisor]:
        async with asyncio.timeout(25), Supervisor(load(self.config), self.config) as supervisor:
            yield supervisor
        await asyncio.sleep(0)  # closed sockets are let go of in the loop's next round


@pytest.fixture
async def folder(tmp_path: Path) -> AsyncIterator[Folder]:
    folder = Folder(tmp_path)
    yield folder
    await folder.journal.close()


@pytest.fixture
def never() -> asyncio.Event:
    return asyncio.Event()


def is_alive(process: int) -> bool:
    """Neither gone nor a zombie that nobody has buried yet."""
    with contextlib.suppress(OSError):
        return "\nState:\tZ" not in Path(f"/proc/{process}/status").read_text()
    return False


async def test_a_killed_worker_is_followed_by_another_though_a_process_it_forked_lives_on(
    folder: Folder, never: asyncio.Event
) -> None:
    folder.write("forking", FORKING)
    async with folder.supervised() as supervisor:
        plugins = await supervisor.first_ready(never)
        first, child = folder.worker, int((folder.routes / "forking.pid").read_text())
        os.kill(first, signal.SIGKILL)
        await until(lambda: folder.worker not in (0, first) and supervisor.is_ready, "another worker")

        assert plugins == ["forking"]
        assert supervisor.problems() == ["The worker died once (signal SIGKILL); it is started again."]
        assert not is_alive(child)
        last = folder.worker
    assert not is_alive(last)


async def test_a_file_that_ends_whoever_loads_it_replaces_no_worker_and_a_good_one_does(
    folder: Folder, never: asyncio.Event
) -> None:
    folder.write("good", GOOD)
    async with folder.supervised() as supervisor:
        await supervisor.first_ready(never)
        first = folder.worker
        folder.write("good", LEAVING)
        await until(supervisor.problems, "a complaint")
        complaint, kept = supervisor.problems(), folder.worker
        folder.write("good", f"{GOOD}\n# better\n")
        await until(lambda: folder.worker not in (0, first) and supervisor.is_ready, "another worker")

        assert kept == first
        assert "exit code 7" in complaint[0]
        assert supervisor.problems() == []


async def test_a_folder_that_never_had_plugins_that_load_is_not_started(folder: Folder, never: asyncio.Event) -> None:
    folder.write("broken", "plugin = 7")
    async with folder.supervised() as supervisor:
        with pytest.raises(GatewayError, match="not started"):
            await supervisor.first_ready(never)


async def test_being_told_to_stop_ends_the_wait_for_a_worker_that_never_gets_ready(folder: Folder) -> None:
    folder.write("leaving", LEAVING)
    stop = asyncio.Event()
    async with folder.supervised() as supervisor:
        waiting = asyncio.ensure_future(supervisor.first_ready(stop))
        await until(supervisor.problems, "a death")
        too_early = waiting.done()
        stop.set()

        assert not too_early
        assert await waiting == ()


async def test_out_of_descriptors_a_worker_is_started_once_there_are_some(folder: Folder, never: asyncio.Event) -> None:
    folder.write("good", GOOD)
    async with folder.supervised() as supervisor:
        await supervisor.first_ready(never)
        first = folder.worker
        with no_more_descriptors():
            os.kill(first, signal.SIGKILL)
            await until(lambda: "could not be started" in "".join(supervisor.problems()), "a failed start")
        await until(lambda: folder.worker not in (0, first) and supervisor.is_ready, "another worker")


@contextlib.contextmanager
def no_more_descriptors() -> Iterator[None]:
    """Let this process open nothing more."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (3, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


LOADED = f"""{GOOD}
from pathlib import Path

Path(__file__).with_suffix(".loaded").touch()
"""


async def test_a_worker_that_was_begun_loads_its_plugins_and_works_once_it_may(
    folder: Folder, never: asyncio.Event
) -> None:
    folder.write("good", LOADED)
    async with asyncio.timeout(25):
        supervisor = Supervisor(load(folder.config), folder.config)
        await supervisor.begin()
        await until((folder.routes / "good.loaded").exists, "it has loaded its plugins")
        before = supervisor.is_ready, (folder.config.parent / "data" / "worker.lock").exists()
        async with supervisor:
            assert await supervisor.first_ready(never) == ["good"]

    assert before == (False, False)
    assert folder.worker == 0 or not is_alive(folder.worker)


async def test_a_worker_that_was_begun_is_gone_though_nothing_was_ever_entered(folder: Folder) -> None:
    folder.write("good", LOADED)
    async with asyncio.timeout(25), contextlib.AsyncExitStack() as stack:
        supervisor = Supervisor(load(folder.config), folder.config)
        stack.push_async_exit(supervisor)
        await supervisor.begin()
        worker = supervisor._worker
        assert worker is not None
        assert is_alive(worker._process.pid)

    assert not is_alive(worker._process.pid)
    await asyncio.sleep(0)  # closed sockets are let go of in the loop's next round


async def test_where_no_process_can_be_started_the_receiver_is_opened_all_the_same(
    folder: Folder, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fail(*_: object) -> None:
        raise OSError(errno.EAGAIN, "no more processes")

    monkeypatch.setattr(Child, "start", fail)
    async with asyncio.timeout(25):
        supervisor = Supervisor(load(folder.config), folder.config)
        await supervisor.begin()
        async with supervisor:
            assert not supervisor.is_ready
