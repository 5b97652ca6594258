"""A busy receiver and its worker keep to different cores; at rest both run wherever the system puts them."""

import os
import resource
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from gateway.serve.cores import BUSY, PATIENCE, QUIET, Cores
from tests.support.bodies import message
from tests.support.gateway import Gateway
from tests.support.waiting import until

SLEEP = [sys.executable, "-c", "import time; time.sleep(60)"]
ALL = os.sched_getaffinity(0)
TWO = pytest.mark.skipif(len(ALL) < 2, reason="this machine has one core: there is nothing to keep apart")


def of(process: int) -> set[int]:
    """The cores that any thread of a process may run on."""
    threads = (int(thread.name) for thread in Path(f"/proc/{process}/task").iterdir())
    return set().union(*map(os.sched_getaffinity, threads))


@pytest.fixture
def cores() -> Iterator[Cores]:
    cores = Cores()
    yield cores
    for _ in range(PATIENCE):
        cores.judge(0.0)


@pytest.fixture
def other() -> Iterator[int]:
    """Another process."""
    with subprocess.Popen(SLEEP) as process:
        yield process.pid
        process.kill()


@TWO
def test_a_busy_process_and_those_it_has_started_keep_to_different_cores(cores: Cores, other: int) -> None:
    cores.add(other)
    cores.judge(BUSY - 0.01)
    assert of(os.getpid()) == of(other) == ALL, "control: it is not busy yet"

    cores.judge(BUSY)

    assert len(of(os.getpid())) == 1
    assert of(other) == ALL - of(os.getpid())


@TWO
def test_what_is_started_by_a_busy_process_leaves_it_its_core(cores: Cores) -> None:
    cores.judge(BUSY)
    with subprocess.Popen(SLEEP) as process:
        assert of(process.pid) == of(os.getpid()), "control: it is where it was started"
        cores.add(process.pid)
        found = of(process.pid)
        process.kill()

    assert found == ALL - of(os.getpid())


@TWO
def test_they_stay_apart_until_it_was_quiet_for_a_while(cores: Cores, other: int) -> None:
    cores.add(other)
    cores.judge(BUSY)
    for busy in [0.0] * (PATIENCE - 1) + [QUIET] + [0.0] * (PATIENCE - 1):
        cores.judge(busy)
    assert len(of(os.getpid())) == 1, "control: it never was quiet for so long"

    cores.judge(0.0)

    assert of(os.getpid()) == of(other) == ALL


@TWO
def test_where_no_descriptor_is_left_it_is_made_good_at_the_next_look(cores: Cores, other: int) -> None:
    cores.add(other)
    cores.judge(BUSY)
    limits = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (0, limits[1]))
    try:
        for _ in range(PATIENCE):
            cores.judge(0.0)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, limits)
    assert len(of(os.getpid())) == 1, "control: nothing could be done"

    cores.judge(0.0)

    assert of(os.getpid()) == of(other) == ALL


def test_one_that_has_ended_is_no_trouble(cores: Cores) -> None:
    with subprocess.Popen([sys.executable, "-c", ""]) as process:
        process.wait()
    cores.add(process.pid)
    cores.judge(BUSY)


@TWO
async def test_a_gateway_under_load_keeps_its_halves_apart_until_the_load_ends(gateway: Gateway) -> None:
    gateway.recorder()
    await gateway.start()
    receiver, worker = gateway.process.pid, await until(lambda: gateway.worker, "there is a worker")
    await until(lambda: of(receiver) == of(worker) == ALL, "control: it is at rest, if not at once after its start")

    with Flood(*gateway.address):
        await until(lambda: not of(receiver) & of(worker), "they are apart")
        assert of(receiver) | of(worker) == ALL

    await until(lambda: of(receiver) == of(worker) == ALL, "they run anywhere again")


class Flood:
    """Posts one event again and again, over several connections, while it is entered."""

    def __init__(self, host: str, port: int) -> None:
        self._connections = [socket.create_connection((host, port)) for _ in range(32)]
        self._ends = threading.Event()
        self._thread = threading.Thread(target=self._run)

    def __enter__(self) -> None:
        self._thread.start()

    def __exit__(self, *_: object) -> None:
        self._ends.set()
        self._thread.join()
        for connection in self._connections:
            connection.close()

    def _run(self) -> None:
        body = message(1)
        head = f"POST /webhook/messages-upsert HTTP/1.1\r\nHost: gateway\r\nContent-Length: {len(body)}\r\n\r\n"
        half = len(self._connections) // 2
        for connection in self._connections[:half]:
            connection.sendall(head.encode() + body)
        now, then = self._connections[:half], self._connections[half:]
        while not self._ends.is_set():  # one half is answered while the other is read
            for connection in then:
                connection.sendall(head.encode() + body)
            for connection in now:
                connection.recv(4096)
            now, then = then, now
        for connection in now:
            connection.recv(4096)
